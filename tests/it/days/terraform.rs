//! A Terraform that misbehaves at one call: it hangs, hears no signal, prints a gigabyte.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::builds::{Builds, End};
use super::proc;
use crate::e2e::site::{Site, eventually};

/// A template that needs nothing but Terraform.
pub const TEMPLATE: &str = r#"
resource "terraform_data" "kept" {
  input = "made"
}
"#;

/// A program in Terraform's place that runs it, but for one call that it is told of.
pub struct Wrapper {
    dir: tempfile::TempDir,
    real: PathBuf,
}

impl Wrapper {
    pub fn new() -> Self {
        let path = std::env::var_os("PATH").unwrap();
        let mut all = std::env::split_paths(&path).map(|dir| dir.join("terraform"));
        let real = all.find(|path| path.is_file()).expect("terraform is installed");
        let wrapper = Self { dir: tempfile::tempdir().unwrap(), real };
        wrapper.install("");
        wrapper
    }

    /// Where the program is.
    pub fn path(&self) -> String {
        self.dir.path().join("terraform").display().to_string()
    }

    /// Puts the program in place as an upgrade does; it does `first` before anything else.
    pub fn install(&self, first: &str) {
        let (dir, real) = (self.dir.path().display(), self.real.display());
        let text = format!(
            "#!/bin/sh\nterraform={real}\n{first}\n\
             if mv {dir}/$1.next {dir}/$1.now 2>/dev/null; then . {dir}/$1.now; fi\n\
             exec $terraform \"$@\"\n"
        );
        let part = self.dir.path().join("part");
        std::fs::write(&part, text).unwrap();
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&part, self.path()).unwrap();
    }

    /// What the next call of a command does before it is Terraform's, or in its place.
    pub fn once(&self, command: &str, script: &str) {
        std::fs::write(self.dir.path().join(format!("{command}.next")), script).unwrap();
    }

    /// Whether that call was made.
    fn was_called(&self, command: &str) -> bool {
        self.dir.path().join(format!("{command}.now")).exists()
    }

    /// Waits until nothing of it runs.
    fn is_gone(&self) {
        let (dir, own) = (self.dir.path().display().to_string(), std::process::id());
        eventually("what misbehaved has ended", || {
            let is_left = |p: &proc::Proc| {
                p.command.contains(&format!("{dir}/terraform")) && !p.command.contains(" server ")
            };
            let left = proc::all(|p| u32::try_from(p.pid) != Ok(own) && is_left(p));
            left.is_empty().then_some(())
        });
    }
}

/// Forgets how much memory the server has used so far.
pub fn restart_peak(site: &Site) {
    let pid = site.server.as_ref().unwrap().id();
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
}

/// The most memory that the server has used, in bytes.
pub fn peak(site: &Site) -> u64 {
    let pid = site.server.as_ref().unwrap().id();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_terraform_that_hangs_is_ended_when_its_time_is_over() {
    let terraform = Wrapper::new();
    let mut site = Site::with(&["--terraform", &terraform.path()]);
    let builds = Builds::new(&site, "kiln", TEMPLATE);
    site.stop();
    let usual = site.extra.clone();
    site.extra.extend(["--build-time-limit".to_owned(), "8s".to_owned()]);
    site.start();

    terraform.once("plan", "exec sleep 600\n");
    let end = builds.fails();
    assert!(
        end.error.contains("not finished within 8") && end.error.contains("time-limit"),
        "{end:#?}"
    );
    assert!(end.says("The job takes too long: Terraform is ended"), "{end:#?}");
    terraform.is_gone();

    // It does not even tell its version: nothing of the build was begun.
    terraform.install("");
    terraform.once("version", "exec sleep 600\n");
    let end = builds.fails();
    assert!(end.error.contains("did not tell its version within 8"), "{end:#?}");
    assert!(end.error.contains(&terraform.path()), "{end:#?}");

    site.stop();
    site.extra = usual;
    site.start();
    builds.works();
}

#[test]
fn a_cancelled_terraform_that_hears_no_signal_is_killed_with_what_it_started() {
    let terraform = Wrapper::new();
    let site = Site::with(&["--terraform", &terraform.path()]);
    let builds = Builds::new(&site, "kiln", TEMPLATE);
    terraform.once("plan", "trap '' INT TERM\nwhile :; do sleep 600; done\n");
    let build = builds.ask();
    eventually("the call", || terraform.was_called("plan").then_some(()));
    builds.cancel(&build);
    let end = builds.end_of(&build);
    assert_eq!(end.status, "canceled", "{end:#?}");
    assert!(end.says("Cancelling: Terraform ends what it has under way"), "{end:#?}");
    assert!(end.says("Terraform did not end within 10 s") && end.says("is killed"), "{end:#?}");
    terraform.is_gone();
    builds.works();
}

#[test]
fn a_gigabyte_of_output_is_read_with_little_memory_and_kept_to_its_limit() {
    let terraform = Wrapper::new();
    let site = Site::with(&["--terraform", &terraform.path()]);
    let builds = Builds::new(&site, "kiln", TEMPLATE);
    restart_peak(&site);
    let before = peak(&site);
    terraform.once(
        "plan",
        "line=$(head -c 4000 /dev/zero | tr '\\0' y)\nyes \"$line\" | head -c 1073741824\n",
    );
    let end: End = builds.works();
    let kept: usize = end.log.iter().map(|line| line.len() + 1).sum();
    assert!((7 << 20..9 << 20).contains(&kept), "{kept} bytes are kept");
    assert!(end.says("The log is longer than is kept; the rest is left out."));
    let grown = peak(&site).saturating_sub(before) >> 20;
    assert!(grown < 160, "the server grew by {grown} MiB");
    // Nothing of it stays on the disk either.
    assert_eq!(std::fs::read_dir(site.path("data/jobs")).unwrap().count(), 0);
    let end = builds.works();
    assert!(!end.says("left out"), "{end:#?}");
}
