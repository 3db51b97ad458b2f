//! A build of a template that holds only `terraform_data`, and a click to a usable shell, beside
//! the two calls of terraform that no build can do without.

use std::process::Command;
use std::time::Instant;

use super::site::Site;
use super::table::{Better, Line, Table};

const ROUNDS: usize = 10;
const TEMPLATE: &str = "resource \"terraform_data\" \"workspace\" {\n  input = \"dev\"\n}\n";

pub fn run(table: &mut Table) {
    let site = Site::new();
    let dir = site.path("template");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(format!("{dir}/main.tf"), TEMPLATE).unwrap();
    site.cli(&["templates", "push", "data", "-d", &dir, "--yes"]).ok();
    site.push_starter("this-machine");
    let (mut raw, mut built, mut usable) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..ROUNDS {
        raw.push(plan_and_apply(&site, n));
        let name = format!("data{n}");
        site.cli(&["create", &name, "--template", "data", "--yes"]).ok();
        built.push(build_took(&site, &name));
        let name = format!("here{n}");
        let began = Instant::now();
        site.cli(&["create", &name, "--template", "this-machine", "--yes"]).ok();
        site.ssh(&name, "true").ok();
        usable.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let better = Better::Less;
    let reference = ("plan and apply", raw.clone());
    let what = "build of a terraform_data template";
    table.line(&Line { what, unit: "ms", ours: built, reference, goal: 1.2, better });
    let (what, reference) = ("create to a command done by ssh", ("plan and apply", raw));
    table.line(&Line { what, unit: "ms", ours: usable, reference, goal: 2.0, better });
}

/// From the claim of the job to its end, as the API tells.
fn build_took(site: &Site, name: &str) -> f64 {
    let shown = site.cli(&["show", name, "-o", "json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let job = &shown["latest_build"]["job"];
    let at = |key: &str| job[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    (at("completed_at") - at("started_at")).total(jiff::Unit::Millisecond).unwrap()
}

fn plan_and_apply(site: &Site, n: usize) -> f64 {
    let dir = site.path(&format!("raw{n}"));
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(format!("{dir}/main.tf"), TEMPLATE).unwrap();
    let terraform = |args: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(args).current_dir(&dir).env("CHECKPOINT_DISABLE", "1");
        command.env_remove("TF_CLI_CONFIG_FILE").env("HOME", &dir);
        assert!(command.output().unwrap().status.success(), "terraform {args:?}");
    };
    terraform(&["init", "-input=false"]);
    let began = Instant::now();
    terraform(&["plan", "-input=false", "-out=p"]);
    terraform(&["apply", "-input=false", "p"]);
    began.elapsed().as_secs_f64() * 1000.0
}
