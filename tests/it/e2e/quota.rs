//! A budget that a real Terraform build does not fit into.

use super::site::Site;

/// A workspace that costs five credits a day while it runs, and one when it is stopped.
const KILN: &str = r#"
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
resource "terraform_data" "home" {}
resource "terraform_data" "machine" { count = data.coder_workspace.me.start_count }
resource "coder_metadata" "home" {
  resource_id = terraform_data.home.id
  daily_cost  = 1
}
resource "coder_metadata" "machine" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.machine[0].id
  daily_cost  = 4
}
"#;

#[test]
fn a_build_that_does_not_fit_the_budget_is_refused_before_it_makes_anything() {
    let site = Site::new();
    std::fs::create_dir(site.path("kiln")).unwrap();
    std::fs::write(site.path("kiln/main.tf"), KILN).unwrap();
    site.cli(&["templates", "push", "kiln", "-d", &site.path("kiln"), "--yes"]).ok();
    for private in ["--private", "--private=false"] {
        site.cli(&["templates", "edit", "kiln", private]).ok();
    }
    site.cli(&["groups", "edit", "Everyone", "--quota-allowance", "9"]).ok();
    site.cli(&["create", "first", "--template", "kiln", "--yes"]).ok();
    let refused = site.cli(&["create", "second", "--template", "kiln", "--yes"]);
    assert_ne!(refused.code, Some(0), "{}", refused.out);
    let shown = site.cli(&["show", "second", "-o", "json"]).ok();
    assert!(
        shown.contains("over budget: this build costs 5 credits a day, and 4 of 9 remain"),
        "{shown}"
    );
    assert!(shown.contains("INSUFFICIENT_QUOTA"), "{shown}");
    let state = site.cli(&["state", "pull", "second"]);
    assert!(!state.out.contains("terraform_data"), "{}", state.out);
    // A stop of the first leaves one credit of it, and the second fits.
    site.cli(&["stop", "first", "--yes"]).ok();
    site.cli(&["start", "second", "--yes"]).ok();
    site.cli(&["delete", "first", "--yes"]).ok();
}
