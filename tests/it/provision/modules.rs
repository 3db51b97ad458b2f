//! Modules from a registry that the operator's configuration names, from git, and from the template.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::get;
use steading::tasks::{OnPanic, Tasks};

use super::kit::{World, settings};

/// A module as they are published: it has an app, a script and a question of its own.
const MODULE: &str = r#"
terraform {
  required_providers {
    coder = {
      source  = "coder/coder"
      version = ">= 2.5"
    }
  }
}
variable "agent_id" {
  type = string
}
variable "slug" {
  type = string
}
data "coder_parameter" "port" {
  name    = "${var.slug} port"
  type    = "number"
  default = 8080
}
resource "coder_app" "app" {
  agent_id = var.agent_id
  slug     = var.slug
  url      = "http://localhost:${data.coder_parameter.port.value}"
}
resource "coder_script" "install" {
  agent_id     = var.agent_id
  display_name = "Install ${var.slug}"
  script       = file("${path.module}/run.sh")
  run_on_start = true
}
"#;

fn run(dir: &Path, words: &[&str]) {
    let output = Command::new(words[0]).args(&words[1..]).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{words:?} {}", String::from_utf8_lossy(&output.stderr));
}

/// A directory with the module in it.
fn module(dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("main.tf"), MODULE).unwrap();
    std::fs::write(dir.join("run.sh"), "echo installed\n").unwrap();
}

/// A registry of one module, by plain HTTP; gives the configuration that leads to it.
async fn registry(tasks: &Tasks, packed: Vec<u8>) -> String {
    let versions = r#"{"modules":[{"versions":[{"version":"0.9.0"},{"version":"1.2.0"}]}]}"#;
    let json = [("content-type", "application/json")];
    let at = [("x-terraform-get", "/packed.tgz")];
    let router = axum::Router::new()
        .route("/m/acme/editor/coder/versions", get(async move || (json, versions)))
        .route(
            "/m/acme/editor/coder/1.2.0/download",
            get(async move || (StatusCode::NO_CONTENT, at).into_response()),
        )
        .route("/packed.tgz", get(async move || packed));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn("registry", OnPanic::Lose, async move {
        axum::serve(listener, router).await.unwrap();
    });
    format!(
        "host \"modules.example.com\" {{\n  services = {{\n    \"modules.v1\" = \"http://{address}/m/\"\n  }}\n}}\n"
    )
}

/// Makes `packed.tgz` and a git repository with the module; gives where the repository is.
fn sources(dir: &Path) -> PathBuf {
    let (published, in_git) = (dir.join("published"), dir.join("in-git"));
    module(&published);
    module(&in_git.join("modules/editor"));
    run(&published, &["tar", "czf", "../packed.tgz", "."]);
    run(&in_git, &["git", "init", "--quiet", "--initial-branch=main"]);
    run(&in_git, &["git", "add", "."]);
    let me = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    run(&in_git, &[&["git"], &me[..], &["commit", "--quiet", "-m", "one"]].concat());
    run(&in_git, &["git", "tag", "v1"]);
    in_git
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_come_from_where_the_operator_and_the_template_say() {
    let dir = tempfile::tempdir().unwrap();
    let in_git = sources(dir.path());
    let tasks = Tasks::new();
    let packed = std::fs::read(dir.path().join("packed.tgz")).unwrap();
    let config = dir.path().join("terraformrc");
    std::fs::write(&config, registry(&tasks, packed).await).unwrap();

    let main = format!(
        r#"{HEAD}
resource "coder_agent" "dev" {{
  os   = "linux"
  arch = "amd64"
}}
resource "terraform_data" "vm" {{
  input = coder_agent.dev.init_script
}}
module "published" {{
  source   = "modules.example.com/acme/editor/coder"
  version  = "~> 1.0"
  agent_id = coder_agent.dev.id
  slug     = "published"
}}
module "git" {{
  count    = 1
  source   = "git::file://{git}//modules/editor?ref=v1"
  agent_id = coder_agent.dev.id
  slug     = "git"
}}
module "own" {{
  source   = "./modules/own"
  agent_id = coder_agent.dev.id
  slug     = "own"
}}
"#,
        HEAD = super::kit::HEAD,
        git = in_git.display()
    );
    let mut settings = settings(dir.path());
    settings.terraform_config = Some(config);
    let world = World::with(dir, settings);
    let files = [
        ("main.tf", main.as_str()),
        ("modules/own/main.tf", MODULE),
        ("modules/own/run.sh", "echo own\n"),
    ];
    let imported =
        world.import(&files).await.unwrap_or_else(|why| panic!("{why}\n{}", world.log()));
    let names: Vec<&str> = imported.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["git port", "own port", "published port"]);
    let agent = &imported.start_resources.iter().find(|r| r.name == "vm").unwrap().agents[0];
    let slugs: Vec<&str> = agent.apps.iter().map(|a| a.slug.as_str()).collect();
    assert_eq!(slugs, ["git", "own", "published"]);
    let scripts: Vec<&str> = agent.scripts.iter().map(|s| s.script.as_str()).collect();
    assert_eq!(scripts, ["echo installed\n", "echo own\n", "echo installed\n"]);
    tasks.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_out_of_reach_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("terraformrc");
    // Nothing listens there.
    std::fs::write(&config, "host \"modules.example.com\" {\n  services = {}\n}\n").unwrap();
    let mut settings = settings(dir.path());
    settings.terraform_config = Some(config);
    settings.env.insert("HTTPS_PROXY".into(), "http://127.0.0.1:1".into());
    let world = World::with(dir, settings);
    let text = "module \"x\" {\n source = \"other.example.com/acme/editor/coder\"\n}\n";
    let main = format!("{}{text}", super::kit::HEAD);
    let why = world.import(&[("main.tf", &main)]).await.unwrap_err().to_string();
    assert!(why.starts_with("Error: ") && why.contains("other.example.com"), "{why}");
    assert!(world.log().contains("--terraform-config"), "{}", world.log());
}
