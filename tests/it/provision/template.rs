//! Templates through real Terraform: what an import finds, and what builds make, keep and remove.

use std::collections::BTreeMap;

use steading::model::build::Transition;
use steading::model::resource::AgentSpec;
use steading::provision::{BuildEnd, Failure, parse, starters};

use super::kit::{HEAD, World, build, value};

const WORKSPACE: &str = r#"
variable "zone" {
  type    = string
  default = "eu-1"
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_provisioner" "me" {}

data "coder_parameter" "region" {
  name  = "region"
  order = 2
  default = "eu"
  option {
    name  = "Europe"
    value = "eu"
    icon  = "/emojis/1f1ea.png"
  }
  option {
    name  = "US"
    value = "us"
  }
}
data "coder_parameter" "zebra" {
  name  = "zebra"
  order = 1
}
data "coder_parameter" "cpu" {
  name    = "cpu"
  order   = 1
  type    = "number"
  mutable = true
  validation {
    min       = 0
    max       = 8
    monotonic = "increasing"
  }
}
data "coder_workspace_preset" "small" {
  name = "Small"
  parameters = { cpu = "1" }
}
data "coder_workspace_preset" "big" {
  name    = "Big"
  default = true
  parameters = { cpu = "8", nothing = "x" }
  prebuilds {
    instances = 2
    scheduling {
      timezone = "Europe/Berlin"
      schedule {
        cron      = "* 8-17 * * 1-5"
        instances = 3
      }
    }
  }
}
data "coder_external_auth" "gh" {
  id       = "github"
  optional = true
}
data "coder_workspace_tags" "t" {
  tags = { zone = var.zone }
}
locals {
  token = coder_agent.dev.token
}
resource "coder_agent" "dev" {
  os             = "linux"
  arch           = "amd64"
  dir            = "/work"
  startup_script = "echo hi"
  startup_script_behavior = "blocking"
  env            = { PATH = "/a", LEVEL = "1" }
  metadata {
    key      = "load"
    script   = "uptime"
    interval = 5
  }
  display_apps {
    vscode = false
  }
}
resource "coder_agent" "ops" {
  os   = "linux"
  arch = "arm64"
}
resource "coder_env" "a" {
  agent_id       = coder_agent.dev.id
  name           = "PATH"
  value          = "/b"
  merge_strategy = "append"
}
resource "coder_env" "b" {
  agent_id       = coder_agent.dev.id
  name           = "PATH"
  value          = "/c"
  merge_strategy = "prepend"
}
resource "coder_script" "s" {
  agent_id     = coder_agent.dev.id
  display_name = "Nightly"
  script       = "true"
  cron         = "0 0 3 * * *"
}
module "code" {
  source   = "./code"
  count    = 1
  agent_id = coder_agent.dev.id
}
resource "terraform_data" "home" {
  input = "home-${data.coder_workspace.me.id}"
}
resource "terraform_data" "vm" {
  count = data.coder_workspace.me.start_count
  input = {
    token = local.token
    script = coder_agent.dev.init_script
    home   = terraform_data.home.id
  }
}
resource "terraform_data" "ops" {
  count = data.coder_workspace.me.start_count
  input = coder_agent.ops.token
}
resource "coder_metadata" "vm" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.vm[0].id
  daily_cost  = 12
  icon        = "/icon/vm.svg"
  item {
    key   = "owner"
    value = data.coder_workspace_owner.me.name
  }
  item {
    key = "empty"
  }
}
"#;

const CODE: &str = r#"
terraform {
  required_providers {
    coder = { source = "coder/coder", version = ">= 0.12" }
  }
}
variable "agent_id" { type = string }
locals { agent = var.agent_id }
resource "coder_app" "code" {
  agent_id = local.agent
  slug     = "code"
  url      = "http://localhost:8080"
  share    = "authenticated"
  healthcheck {
    url       = "http://localhost:8080/healthz"
    interval  = 5
    threshold = 6
  }
}
data "coder_parameter" "theme" {
  name    = "theme"
  default = "dark"
}
"#;

fn files(main: &str) -> Vec<(&'static str, String)> {
    vec![
        ("main.tf", format!("{HEAD}{main}")),
        ("code/main.tf", CODE.into()),
        ("README.md", "# T".into()),
    ]
}

fn borrowed<'a>(files: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    files.iter().map(|(n, t)| (*n, t.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_finds_what_a_template_asks_and_makes() {
    let world = World::new();
    let files = files(WORKSPACE);
    let imported =
        world.import(&borrowed(&files)).await.unwrap_or_else(|e| panic!("{e}\n{}", world.log()));
    let names: Vec<&str> = imported.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["theme", "zebra", "cpu", "region"]);
    let cpu = &imported.parameters[2];
    assert!(cpu.required && cpu.mutable);
    assert_eq!((cpu.validation.min, cpu.validation.max), (Some(0), Some(8)));
    assert_eq!(imported.parameters[3].options.len(), 2);
    let presets: Vec<&str> = imported.presets.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(presets, ["Big", "Small"]);
    assert_eq!(imported.presets[0].prebuilds, Some(2));
    assert!(world.log().contains("there is no such parameter"));
    assert_eq!(imported.external_auth, [("github".to_owned(), true)]);
    assert_eq!(imported.tags["zone"], "eu-1");
    assert_eq!(imported.readme, "# T");
    assert!(!imported.has_external_agent);

    let addresses = |specs: &[steading::model::resource::ResourceSpec]| -> Vec<String> {
        specs.iter().map(|s| s.address.clone()).collect()
    };
    assert_eq!(
        addresses(&imported.start_resources),
        ["terraform_data.home", "terraform_data.ops", "terraform_data.vm"]
    );
    assert_eq!(addresses(&imported.stop_resources), ["terraform_data.home"]);
    let agents: Vec<Vec<&str>> = imported
        .start_resources
        .iter()
        .map(|s| s.agents.iter().map(|a| a.name.as_str()).collect())
        .collect();
    assert_eq!(agents, [vec![], vec!["ops"], vec!["dev"]]);
    assert!(imported.stop_resources.iter().all(|s| s.agents.is_empty()));
    let dev = &imported.start_resources[2].agents[0];
    assert_eq!(dev.apps[0].slug, "code");
    assert!(dev.token.is_empty());
    let left: Vec<_> = std::fs::read_dir(world.dir.path().join("work")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_starts_stops_keeps_its_home_and_is_deleted() {
    let world = World::new();
    let files = files(WORKSPACE);
    let files = borrowed(&files);
    let parameters = vec![value("cpu", "4"), value("zebra", "z"), value("region", "us")];
    let with = |transition, state| {
        let mut job = build(&files, transition, state);
        job.parameters.clone_from(&parameters);
        job
    };
    let start = world.build(with(Transition::Start, None)).await;
    assert!(start.result.is_ok(), "{:?}\n{}", start.result, world.log());
    check_made(&world, &start);
    let dev = agent_of(&start);

    let state = start.state.unwrap();
    let home = home_of(&state);
    assert!(String::from_utf8_lossy(&state).contains("echo http://127.0.0.1:7080/ token"));
    let stop = world.build(with(Transition::Stop, Some(state))).await;
    assert!(stop.result.is_ok(), "{:?}\n{}", stop.result, world.log());
    let kept: Vec<&str> = stop.resources.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(kept, ["home"]);
    assert_eq!(stop.daily_cost, 0);

    let again = world.build(with(Transition::Start, stop.state)).await;
    assert!(again.result.is_ok(), "{:?}\n{}", again.result, world.log());
    let agent = agent_of(&again);
    let state = again.state.unwrap();
    assert_eq!(home_of(&state), home);
    assert_eq!(agent.id, dev.id);
    assert_ne!(agent.token, dev.token);

    let mut shrink = with(Transition::Start, Some(state.clone()));
    shrink.parameters[0].value = "2".into();
    shrink.previous_parameters.clone_from(&parameters);
    let shrink = world.build(shrink).await;
    assert!(shrink.result.unwrap_err().to_string().contains("equal or greater than previous"));
    assert!(shrink.state.is_none());

    let delete = world.build(with(Transition::Delete, Some(state))).await;
    assert!(delete.result.is_ok(), "{:?}\n{}", delete.result, world.log());
    let empty: serde_json::Value = serde_json::from_slice(&delete.state.unwrap()).unwrap();
    assert_eq!(empty["resources"], serde_json::json!([]));
    let nothing = world.build(with(Transition::Delete, None)).await;
    assert!(nothing.result.is_ok() && nothing.state.is_none());
}

fn agent_of(end: &BuildEnd) -> AgentSpec {
    end.resources.iter().find(|r| r.name == "vm").unwrap().agents[0].clone()
}

/// What a start made, and what it said about it.
fn check_made(world: &World, start: &BuildEnd) {
    assert_eq!(start.daily_cost, 12);
    let vm = start.resources.iter().find(|r| r.name == "vm").unwrap();
    assert_eq!((vm.icon.as_str(), vm.daily_cost), ("/icon/vm.svg", 12));
    assert_eq!(vm.metadata[0].value.as_deref(), Some("ada"));
    assert_eq!(vm.metadata[1].value, None);
    let dev = &vm.agents[0];
    assert_eq!(dev.env["PATH"], "/c:/a:/b");
    assert_eq!(dev.token.len(), 36);
    assert!(!dev.display_apps.vscode && dev.display_apps.web_terminal);
    let scripts: Vec<&str> = dev.scripts.iter().map(|s| s.display_name.as_str()).collect();
    assert_eq!(scripts, ["Startup Script", "Nightly"]);
    assert!(dev.scripts[0].start_blocks_login);
    assert_eq!(dev.apps[0].healthcheck.as_ref().unwrap().interval_s, 5);
    assert!(start.timings.iter().any(|t| t.resource.starts_with("terraform_data.vm")));
    assert!(
        ["init", "plan", "graph", "apply"]
            .iter()
            .all(|s| start.timings.iter().any(|t| t.stage == *s))
    );
    let log = world.log();
    for stage in [
        "Setting up",
        "Initializing Terraform Directory",
        "Planning Infrastructure",
        "Starting workspace",
        "Cleaning Up",
    ] {
        assert!(log.contains(&format!("[{stage}]")), "{stage} in\n{log}");
    }
    assert!(!log.contains(&dev.token) && !log.contains("tok-session"));
}

/// The id of the object that stays.
fn home_of(state: &[u8]) -> String {
    let state: serde_json::Value = serde_json::from_slice(state).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let home = resources.iter().find(|r| r["name"] == "home").unwrap();
    home["instances"][0]["attributes"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_that_cannot_be_are_refused_in_words() {
    let world = World::new();
    let refused = |text: &'static str| {
        let text = format!("{HEAD}{text}");
        let world = &world;
        async move { world.import(&[("main.tf", &text)]).await.unwrap_err() }
    };
    let missing = refused("variable \"key\" {\n  type = string\n}").await;
    assert!(matches!(&missing, Failure::MissingVariable(name) if name == "key"), "{missing}");
    let agent = "resource \"coder_agent\" \"a_b\" {\n os = \"linux\"\n arch = \"amd64\"\n}\nresource \"terraform_data\" \"x\" {\n input = coder_agent.a_b.id\n}";
    assert!(refused(agent).await.to_string().contains("underscore; use \"a-b\""));
    let os = "resource \"coder_agent\" \"a\" {\n os = \"plan9\"\n arch = \"amd64\"\n}";
    let why = refused(os).await.to_string();
    assert!(why.contains("linux, darwin, windows") && why.contains("main.tf, line"), "{why}");
    let twice = "data \"coder_parameter\" \"a\" {\n name = \"x\"\n}\ndata \"coder_parameter\" \"b\" {\n name = \"x\"\n}";
    let why = refused(twice).await.to_string();
    assert!(why.contains("data.coder_parameter.a and data.coder_parameter.b"), "{why}");
    let cycle = "locals {\n a = local.b\n b = local.a\n}\noutput \"x\" {\n value = local.a\n}";
    let why = refused(cycle).await.to_string();
    assert!(why.contains("Cycle: local."), "{why}");
    let slugs = "resource \"coder_agent\" \"a\" {\n os = \"linux\"\n arch = \"amd64\"\n}\nresource \"terraform_data\" \"x\" {\n input = coder_agent.a.id\n}\nresource \"coder_app\" \"x\" {\n agent_id = coder_agent.a.id\n slug = \"s\"\n}\nresource \"coder_app\" \"y\" {\n agent_id = coder_agent.a.id\n slug = \"s\"\n}";
    let why = refused(slugs).await.to_string();
    assert!(why.contains("coder_app.x and coder_app.y have the same slug"), "{why}");
    let module = "module \"x\" {\n source = \"./nowhere\"\n}";
    let why = refused(module).await.to_string();
    assert!(why.starts_with("Error: Unreadable module") && why.contains("main.tf:"), "{why}");
    let log = world.log();
    assert!(log.contains("on main.tf line"), "{log}");
    // Once, as the plan says it; the graph fails of the same.
    assert_eq!(log.matches("Error: Cycle").count(), 1, "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_about_a_template_is_said() {
    let world = World::new();
    let text = r#"
terraform {
  required_providers {
    coder = {
      source  = "coder/coder"
      version = "~> 0.12"
    }
  }
}
resource "coder_agent" "lost" {
  os   = "linux"
  arch = "amd64"
}
data "coder_parameter" "size" {
  name    = "size"
  default = "s"
  option {
    name  = "Small"
    value = "s"
  }
}
data "coder_workspace_preset" "big" {
  name = "Big"
  parameters = {
    size = "xxl"
    zone = "eu"
  }
}
data "coder_script_order" "boot" {
  rule {
    run   = ["coder_script.b"]
    after = ["coder_script.a"]
  }
}
"#;
    world.import(&[("main.tf", text)]).await.unwrap();
    let log = world.log();
    for said in [
        "wants version ~> 0.12 of coder/coder",
        "coder_agent.lost: no resource uses it",
        "The preset \"Big\" sets \"size\" to \"xxl\": \"xxl\" is not one of s",
        "sets \"zone\" to \"eu\": there is no such parameter",
        "data.coder_script_order.boot: scripts start together",
    ] {
        assert!(log.contains(said), "{said} in\n{log}");
    }
    world.import(&[("main.tf", HEAD)]).await.unwrap();
    assert!(world.log().contains("The template has no agent"), "{}", world.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_terraform_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = super::kit::settings(dir.path());
    settings.search_path = "/nowhere".into();
    let world = World::with(dir, settings);
    let why = world.import(&[("main.tf", HEAD)]).await.unwrap_err();
    assert!(matches!(why, Failure::NoTerraform(_)));
    assert!(why.to_string().contains("--terraform"), "{why}");
}

/// Values for what a starter asks; none of them is used before something is built.
fn answers(starter: &starters::Starter) -> Vec<(&str, &str)> {
    let answer = |name: &str| match name {
        "endpoint" => "https://127.0.0.1:8006/",
        "api_token" => "root@pam!steading=00000000-0000-0000-0000-000000000000",
        "project" | "subscription_id" => "one",
        _ => "",
    };
    starter.asks.iter().map(|v| (v.name.as_str(), answer(&v.name))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn starters_import() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = super::kit::settings(dir.path());
    settings.provider_mirror = Some(super::kit::mirror());
    let world = World::with(dir, settings);
    // The providers of docker and libvirt want to see their engine.
    let offline = |s: &&starters::Starter| !matches!(s.id, "docker" | "libvirt");
    for starter in starters::ALL.iter().filter(offline).filter(|s| super::kit::has_providers(s)) {
        let id = starter.id;
        let imported = world
            .import_with(starter.files, &answers(starter))
            .await
            .unwrap_or_else(|e| panic!("{id}: {e}\n{}", world.log()));
        let is_external = matches!(id, "external" | "raspberry-pi");
        assert_eq!(imported.has_external_agent, is_external, "{id}");
        let agents = imported.start_resources.iter().flat_map(|r| &r.agents);
        let external: Vec<bool> = agents.map(|a| a.external).collect();
        assert_eq!(external, [is_external], "{id}");
        assert!(imported.stop_resources.iter().all(|r| r.agents.is_empty()), "{id}");
        assert!(!imported.parameters.is_empty() && !imported.readme.is_empty(), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_starter_that_asks_is_not_imported_without_an_answer() {
    let world = World::new();
    let starter = starters::find("proxmox").unwrap();
    let why = world.import(starter.files).await.unwrap_err();
    assert!(why.to_string().contains("endpoint"), "{why}");
}

#[test]
fn starters_are_read_without_their_providers() {
    for starter in starters::ALL.iter() {
        let id = starter.id;
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in starter.files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let parsed = parse::parse(dir.path(), &BTreeMap::new()).unwrap();
        assert!(!parsed.parameters.is_empty(), "{id}");
        assert!(parsed.readme.contains("# "), "{id}");
        assert_eq!(parsed.old_coder, None, "{id}");
        let first = starter.asks.first().map(|v| v.name.as_str());
        assert_eq!(parsed.missing(&BTreeMap::new()), first, "{id}");
        let answers = answers(starter).into_iter().map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(parsed.missing(&answers.collect()), None, "{id}");
    }
}
