//! The world in which the calls are made: a server, its owner, a template that asks, a workspace that runs.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::caller::Caller;
use crate::e2e::site::Site;

/// What the starter lacks for every field to have an entry.
const MORE: &str = r#"
data "coder_workspace_preset" "quick" {
  name = "Quick"
  parameters = { startup_script = "true" }
}

resource "coder_script" "ready" {
  agent_id     = coder_agent.main.id
  display_name = "Ready"
  script       = "echo ready"
  run_on_start = true
}

resource "coder_app" "pots" {
  agent_id     = coder_agent.main.id
  slug         = "pots"
  display_name = "Pots"
  url          = "http://localhost:8080"
}
"#;

/// The server, its owner with a token, and the names that calls are made with.
pub struct World {
    pub site: Site,
    pub caller: Caller,
    pub names: BTreeMap<String, String>,
    /// The body of the last answer.
    pub last: Bytes,
    archive: Bytes,
}

impl World {
    /// `ada/kiln` runs, and its agent is there.
    pub async fn new() -> Self {
        let site = Site::new();
        let dir = site.path("this-machine");
        site.cli(&["templates", "init", "--id", "this-machine", &dir]).ok();
        let main = format!("{dir}/main.tf");
        let written = std::fs::read_to_string(&main).unwrap();
        std::fs::write(&main, written + MORE).unwrap();
        site.cli(&["templates", "push", "this-machine", "-d", &dir, "--yes"]).ok();
        site.cli(&["create", "kiln", "--template", "this-machine", "--yes"]).ok();
        site.cli(&["ssh", "kiln", "--wait", "yes", "--", "true"]).ok();
        site.run("tar", &["-cf", "archive.tar", "-C", &dir, "."]).ok();
        let archive = std::fs::read(site.path("archive.tar")).unwrap().into();
        let caller = Caller::new(&site.url, &site.cli(&["login", "token"]).ok());
        let mut world = Self { site, caller, names: BTreeMap::new(), last: Bytes::new(), archive };
        world.know().await;
        world
    }

    async fn know(&mut self) {
        let kiln = self.caller.get("/api/v2/users/me/workspace/kiln").await.expect(200).json();
        let agents = kiln["latest_build"]["resources"].as_array().unwrap().iter();
        let agent = agents.flat_map(|r| r["agents"].as_array().unwrap()).next().unwrap();
        let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
        let soon = jiff::Timestamp::now() + std::time::Duration::from_hours(2);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for (name, value) in [
            ("workspace", text(&kiln["id"])),
            ("organization", text(&kiln["organization_id"])),
            ("agent", text(&agent["id"])),
            ("username", "ada".to_owned()),
            ("name", "kiln".to_owned()),
            ("arch", arch.to_owned()),
            ("soon", soon.to_string()),
        ] {
            self.names.insert(name.to_owned(), value);
        }
    }

    /// A text with the names in braces filled in.
    pub fn filled(&self, text: &str) -> Result<String, String> {
        let filled = self.names.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        });
        let left = filled.split_once('{').filter(|(_, rest)| rest.starts_with(char::is_alphabetic));
        match left {
            Some((_, name)) => Err(format!("nothing is known as {name}")),
            None => Ok(filled),
        }
    }

    /// The path with each of its names in turn naming nothing.
    pub fn elsewhere(&self, path: &str) -> Result<Vec<String>, String> {
        let named = self.names.iter().filter(|(name, _)| path.contains(&format!("{{{name}}}")));
        let swapped = named.map(|(name, value)| {
            let is_id = value.parse::<uuid::Uuid>().is_ok();
            let none = if is_id { uuid::Uuid::new_v4().to_string() } else { "no-such".to_owned() };
            self.filled(&path.replace(&format!("{{{name}}}"), &none))
        });
        swapped.collect()
    }

    /// What is sent for what stands in the record.
    pub fn body(&self, sent: &str) -> Result<Bytes, String> {
        match sent {
            "@archive" => Ok(self.archive.clone()),
            "@last" => Ok(self.last.clone()),
            json => self.filled(json).map(Bytes::from),
        }
    }

    /// Keeps what stands at a place of an answer, as `a.b` or `0.id`.
    pub fn keep(&mut self, name: &str, place: &str, value: &Value) -> Result<(), String> {
        let at = format!("/{}", place.replace('.', "/"));
        let found = value.pointer(&at).and_then(Value::as_str);
        let found = found.ok_or_else(|| format!("there is no {place} in {value}"))?;
        self.names.insert(name.to_owned(), found.to_owned());
        Ok(())
    }

    /// Waits for a status of the workspace.
    pub async fn until(&self, status: &str) {
        let path = format!("/api/v2/workspaces/{}/watch-ws", self.names["workspace"]);
        let mut watched = self.caller.socket(&path).await;
        loop {
            let now = watched.next().await;
            if now["data"]["latest_build"]["status"] == status {
                return;
            }
        }
    }
}
