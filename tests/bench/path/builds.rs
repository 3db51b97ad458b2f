//! A build of a template that holds only `terraform_data`, from the command to its end, and a click to a usable shell, beside
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
        let began = Instant::now();
        site.cli(&["create", &name, "--template", "data", "--yes"]).ok();
        built.push(began.elapsed().as_secs_f64() * 1000.0);
        let name = format!("here{n}");
        let began = Instant::now();
        site.cli(&["create", &name, "--template", "this-machine", "--yes"]).ok();
        site.ssh(&name, "true").ok();
        usable.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let better = Better::Less;
    let reference = ("plan and apply", raw.clone());
    let what = "create by the command line, terraform_data";
    table.line(&Line { what, unit: "ms", ours: built, reference, goal: 1.2, better });
    let (what, reference) = ("create to a command done by ssh", ("plan and apply", raw));
    table.line(&Line { what, unit: "ms", ours: usable, reference, goal: 2.0, better });
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
