//! Stock Terraform with the mirror: the same binary as an installable provider.

use std::path::Path;
use std::process::{Command, Output};

use steading::provision::starters;

use super::kit::HEAD;

/// Runs Terraform as a template's author does, with the mirror in the configuration.
fn terraform(dir: &Path, args: &[&str]) -> Output {
    Command::new("terraform")
        .args(args)
        .current_dir(dir)
        .env_remove("TF_REATTACH_PROVIDERS")
        .env("TF_CLI_CONFIG_FILE", dir.join("rc"))
        .env("CHECKPOINT_DISABLE", "1")
        .env("CODER_AGENT_SCRIPT_linux_amd64", "run ${ACCESS_URL}")
        .output()
        .unwrap()
}

fn succeeds(dir: &Path, args: &[&str]) -> String {
    let output = terraform(dir, args);
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{args:?}\n{out}\n{err}");
    out.into_owned()
}

fn author(main: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_steading"));
    let written = steading::provision::mirror::write(&dir.path().join("mirror"), binary).unwrap();
    std::fs::write(dir.path().join("rc"), written.config).unwrap();
    std::fs::write(dir.path().join("main.tf"), main).unwrap();
    dir
}

const MAIN: &str = r#"
variable "os" {
  type    = string
  default = "linux"
}
resource "coder_agent" "main" {
  os   = var.os
  arch = "amd64"
}
data "coder_parameter" "size" {
  name    = "size"
  type    = "number"
  default = 3
}
output "script" {
  value = coder_agent.main.init_script
}
output "size" {
  value = data.coder_parameter.size.value
}
"#;

const TESTS: &str = r#"
run "default" {
  command = apply
  assert {
    condition     = output.script == "run https://mydeployment.coder.com/"
    error_message = "the script is not filled in"
  }
  assert {
    condition     = output.size == "3"
    error_message = "the parameter has no value"
  }
}
run "other" {
  command = plan
  variables {
    os = "plan9"
  }
  expect_failures = [coder_agent.main]
}
"#;

#[test]
fn an_author_validates_plans_and_tests_offline() {
    let dir = author(&format!("{HEAD}{MAIN}"));
    std::fs::write(
        dir.path().join("main.tftest.hcl"),
        TESTS
            .replace("expect_failures = [coder_agent.main]", "")
            .replace("os = \"plan9\"", "os = \"darwin\""),
    )
    .unwrap();
    let init = succeeds(dir.path(), &["init", "-no-color"]);
    assert!(init.contains("Installed coder/coder v2.19.0"), "{init}");
    succeeds(dir.path(), &["validate", "-no-color"]);
    let plan = succeeds(dir.path(), &["plan", "-no-color", "-input=false"]);
    assert!(plan.contains("coder_agent.main will be created"), "{plan}");
    let tests = succeeds(dir.path(), &["test", "-no-color"]);
    assert!(tests.contains("2 passed, 0 failed"), "{tests}");
    let wrong = terraform(dir.path(), &["plan", "-no-color", "-input=false", "-var=os=plan9"]);
    let error = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && error.contains("linux, darwin, windows"), "{error}");
}

#[test]
fn starters_are_valid_by_the_schemas_of_their_providers() {
    let peers = super::kit::mirror();
    let ours = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_steading"));
    let our_mirror = ours.path().join("mirror");
    steading::provision::mirror::write(&our_mirror, binary).unwrap();
    let block = |path: &Path| format!("filesystem_mirror {{ path = {path:?} }}\n");
    let config = format!("provider_installation {{\n{}{}}}\n", block(&our_mirror), block(&peers));
    for starter in starters::ALL.iter() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("rc"), &config).unwrap();
        std::fs::write(dir.path().join("main.tf"), starter.files[0].1).unwrap();
        succeeds(dir.path(), &["fmt", "-check", "-diff", "main.tf"]);
        if super::kit::has_providers(starter) {
            succeeds(dir.path(), &["init", "-no-color"]);
            succeeds(dir.path(), &["validate", "-no-color"]);
        }
    }
}

/// A module with a test as they are published: the provider is a mock, so that what Terraform
/// takes for computed gets values out of the air.
const MOCKED: &str = r#"
mock_provider "coder" {
  mock_data "coder_workspace" {
    defaults = {
      start_count = 1
      name        = "kiln"
    }
  }
}
run "defaults_are_left_alone" {
  command = apply
  assert {
    condition     = coder_app.web.share == null && coder_app.web.url == "http://localhost:80"
    error_message = "share is ${jsonencode(coder_app.web.share)}"
  }
  assert {
    condition     = coder_script.run.cron == null && coder_script.run.timeout == null
    error_message = "a default of the script is not left alone"
  }
  assert {
    condition     = data.coder_workspace.me.name == "kiln"
    error_message = "the mock is not asked"
  }
}
"#;

const UNMOCKED: &str = r#"
run "defaults" {
  command = plan
  override_data {
    target = data.coder_workspace.me
    values = {
      name = "forge"
    }
  }
  assert {
    condition     = coder_app.web.share == "owner" && coder_app.web.tooltip == null
    error_message = "share is ${jsonencode(coder_app.web.share)}"
  }
  assert {
    condition     = data.coder_workspace.me.name == "forge"
    error_message = "the override is not used"
  }
}
"#;

#[test]
fn tests_of_published_modules_see_what_they_expect() {
    let module = "variable \"agent_id\" {\n  type    = string\n  default = \"a\"\n}\ndata \"coder_workspace\" \"me\" {}\nresource \"coder_app\" \"web\" {\n  agent_id = var.agent_id\n  slug     = \"web\"\n  url      = \"http://localhost:80\"\n}\nresource \"coder_script\" \"run\" {\n  agent_id     = var.agent_id\n  display_name = \"Run\"\n  script       = \"true\"\n  run_on_start = true\n}\n";
    let dir = author(&format!("{HEAD}{module}"));
    std::fs::write(dir.path().join("mocked.tftest.hcl"), MOCKED).unwrap();
    std::fs::write(dir.path().join("unmocked.tftest.hcl"), UNMOCKED).unwrap();
    succeeds(dir.path(), &["init", "-no-color"]);
    let tests = succeeds(dir.path(), &["test", "-no-color"]);
    assert!(tests.contains("2 passed, 0 failed"), "{tests}");
}

#[test]
fn old_and_exact_versions_are_served_and_plans_of_processes_too() {
    let main = "terraform {\n  required_providers {\n    coder = {\n      source  = \"coder/coder\"\n      version = \"2.1.3\"\n    }\n    steading = { source = \"steading/steading\" }\n  }\n}\nresource \"steading_process\" \"p\" {\n  agent_token = \"t\"\n}\ndata \"coder_workspace\" \"me\" {}\n";
    let dir = author(main);
    let init = succeeds(dir.path(), &["init", "-no-color"]);
    assert!(
        init.contains("coder/coder v2.1.3") && init.contains("steading/steading v1.0.0"),
        "{init}"
    );
    let plan = succeeds(dir.path(), &["plan", "-no-color", "-input=false"]);
    assert!(plan.contains("steading_process.p will be created"), "{plan}");
    let apply = terraform(dir.path(), &["apply", "-no-color", "-auto-approve", "-input=false"]);
    let error = String::from_utf8_lossy(&apply.stderr).into_owned();
    assert!(error.contains("Only the server runs steading_process"), "{error}");
}
