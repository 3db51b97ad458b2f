//! What a build stands on is changed under it: Terraform itself, its directory, its providers.

use super::builds::Builds;
use super::terraform::{TEMPLATE, Wrapper};
use crate::e2e::site::{Site, peers};

/// A template with a provider from the mirror, which is never asked for anything.
const WITH_PROVIDER: &str = r#"
terraform {
  required_providers {
    docker = { source = "kreuzwerker/docker" }
  }
}
resource "terraform_data" "kept" {
  input = "made"
}
"#;

/// Says that it is a newer version.
const NEWER: &str =
    r#"if [ "$1" = version ]; then echo '{"terraform_version":"99.9.9"}'; exit 0; fi"#;

#[test]
fn a_terraform_that_is_replaced_between_plan_and_apply_applies_nothing() {
    let terraform = Wrapper::new();
    let site = Site::with(&["--terraform", &terraform.path()]);
    let builds = Builds::new(&site, "kiln", TEMPLATE);
    let program = terraform.path();

    // The newer one waits beside it; the plan's last act is the upgrade.
    let newer = Wrapper::new();
    newer.install(NEWER);
    let take = format!(
        "$terraform \"$@\"; code=$?; cp {0} {program}.part && mv {program}.part {program}; exit $code\n",
        newer.path()
    );
    terraform.once("plan", &take);
    let end = builds.fails();
    assert!(end.error.contains("was replaced by Terraform 99.9.9"), "{end:#?}");
    assert!(end.error.contains("Nothing was changed: start the build again"), "{end:#?}");
    let end = builds.works();
    assert!(end.says("Terraform 99.9.9"), "{end:#?}");

    // In the middle of an upgrade there is none.
    newer.once("plan", &format!("$terraform \"$@\"; code=$?; rm {program}; exit $code\n"));
    let end = builds.fails();
    assert!(end.error.contains(&format!("There is no program at {program}")), "{end:#?}");
    assert!(builds.fails().error.contains("There is no program at"));
    terraform.install("");
    builds.works();
}

#[test]
fn a_directory_that_is_removed_under_a_build_costs_that_build_and_no_state() {
    let terraform = Wrapper::new();
    let site = Site::with(&["--terraform", &terraform.path()]);
    let builds = Builds::new(&site, "kiln", TEMPLATE);
    terraform.once("plan", "rm -rf \"$(dirname \"$PWD\")\"\n");
    let end = builds.fails();
    assert!(end.error.contains("directory that Terraform worked in was removed"), "{end:#?}");
    assert!(end.error.contains("Start it again"), "{end:#?}");
    builds.works();

    // All of them, while Terraform holds what it has just made.
    let template = TEMPLATE.replace("made", "made anew");
    super::builds::push(&site, "kiln", &template);
    site.cli(&["update", "kiln"]).ok();
    let after =
        "$terraform \"$@\"; code=$?; rm -rf \"$(dirname \"$(dirname \"$PWD\")\")\"; exit $code\n";
    terraform.once("apply", after);
    let end = builds.end_of(&builds.ask());
    assert!(end.status == "failed" && end.error.contains("Start it again"), "{end:#?}");
    let end = builds.works();
    assert!(end.says("0 added, 0 changed, 0 destroyed"), "what was made is known: {end:#?}");
}

#[test]
fn providers_that_are_deleted_under_a_build_are_fetched_anew_by_the_next() {
    let terraform = Wrapper::new();
    let mirror = peers().join("mirror").display().to_string();
    let site = Site::with(&["--terraform", &terraform.path(), "--provider-mirror", &mirror]);
    let builds = Builds::new(&site, "kiln", WITH_PROVIDER);
    let delete = format!("rm -rf {}\n", site.path("data/plugins"));
    for command in ["plan", "apply"] {
        terraform.once(command, &delete);
        let end = builds.fails();
        assert!(end.error.contains("providers that were downloaded"), "{end:#?}");
        assert!(end.error.contains("Start it again: they are fetched anew"), "{end:#?}");
        builds.works();
    }
    // A template that needs no others does not care.
    let plain = Builds::new(&site, "plain", TEMPLATE);
    terraform.once("plan", &delete);
    plain.works();
}
