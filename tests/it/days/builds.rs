//! A site with one workspace, whose builds are asked for by the API and waited for.

use serde_json::{Value, json};

use super::api::Api;
use crate::e2e::site::{Site, eventually};

/// What a person sees of a build that is over.
#[derive(Debug)]
pub struct End {
    pub status: String,
    pub error: String,
    pub log: Vec<String>,
}

impl End {
    /// Whether a line of the log holds this.
    pub fn says(&self, text: &str) -> bool {
        self.log.iter().any(|line| line.contains(text))
    }
}

/// Builds of one workspace.
pub struct Builds {
    api: Api,
    pub workspace: String,
}

impl Builds {
    /// Pushes a template of one file and makes a workspace of it, both with the same name.
    pub fn new(site: &Site, name: &str, template: &str) -> Self {
        push(site, name, template);
        site.cli(&["create", name, "--template", name, "--yes"]).ok();
        let api = Api::of(site);
        let shown = api.get(&format!("/users/me/workspace/{name}"));
        Self { workspace: shown["id"].as_str().unwrap().to_owned(), api }
    }

    /// The same without waiting: with the first build, which may still wait.
    pub fn begin(site: &Site, name: &str, template: &str) -> (Self, String) {
        push(site, name, template);
        let api = Api::of(site);
        let template = api.get(&format!("/organizations/default/templates/{name}"))["id"].clone();
        let body = json!({ "template_id": template, "name": name });
        let made = api.made("/users/me/workspaces", &body);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let build = text(&made["latest_build"]["id"]);
        (Self { workspace: text(&made["id"]), api }, build)
    }

    /// Asks for a start.
    pub fn ask(&self) -> String {
        let path = format!("/workspaces/{}/builds", self.workspace);
        let build = self.api.made(&path, &json!({ "transition": "start" }));
        build["id"].as_str().unwrap().to_owned()
    }

    /// Asks for the end of a build.
    pub fn cancel(&self, build: &str) {
        let path = format!("/workspacebuilds/{build}/cancel");
        self.api.ask("PATCH", &path, &json!({})).expect(200);
    }

    /// Waits until a build is over.
    pub fn end_of(&self, build: &str) -> End {
        let job = eventually("the build is over", || {
            let job = self.api.get(&format!("/workspacebuilds/{build}"))["job"].clone();
            let over = ["succeeded", "failed", "canceled"].contains(&job["status"].as_str()?);
            over.then_some(job)
        });
        let text = |key: &str| job[key].as_str().unwrap_or_default().to_owned();
        End { status: text("status"), error: text("error"), log: self.log(build) }
    }

    /// The lines of a build's log.
    pub fn log(&self, build: &str) -> Vec<String> {
        let (mut lines, mut after) = (vec![], 0);
        loop {
            let page = self.api.get(&format!("/workspacebuilds/{build}/logs?after={after}"));
            let page: Vec<Value> = page.as_array().unwrap().clone();
            let Some(last) = page.last() else { return lines };
            after = last["id"].as_i64().unwrap();
            lines.extend(page.iter().map(|l| l["output"].as_str().unwrap().to_owned()));
        }
    }

    /// A build that has to fail; what its person sees.
    #[track_caller]
    pub fn fails(&self) -> End {
        let end = self.end_of(&self.ask());
        assert_eq!(end.status, "failed", "{end:#?}");
        end
    }

    /// A build that has to succeed.
    #[track_caller]
    pub fn works(&self) -> End {
        let end = self.end_of(&self.ask());
        assert_eq!(end.status, "succeeded", "{end:#?}");
        end
    }
}

/// Pushes a template of one file.
pub fn push(site: &Site, name: &str, template: &str) {
    let dir = site.path(&format!("{name}-template"));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(format!("{dir}/main.tf"), template).unwrap();
    site.cli(&["templates", "push", name, "-d", &dir, "--yes"]).ok();
}
