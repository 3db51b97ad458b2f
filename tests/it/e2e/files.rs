//! Files over plain OpenSSH: scp, sftp, rsync of many files, git.

use super::site::{Ran, Site, sha256};

/// Bytes of the big file: 1 GB, as the promise says.
const BIG: u64 = 1_000_000_000;
/// Files of the many: as the promise says.
const MANY: usize = 20_000;

fn big_file(site: &Site) -> String {
    let path = site.path("big");
    // Not all zeros, so that a hole or a shift would show.
    let make =
        format!("head -c {BIG} /dev/zero | openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 > {path}");
    site.run("sh", &["-c", &make]).ok();
    path
}

#[test]
fn a_gigabyte_goes_there_and_back() {
    let site = Site::new();
    site.create_here("kiln");
    let big = big_file(&site);
    let (port, sum) = (site.ssh_port.to_string(), sha256(&big));
    for protocol in ["-s", "-O"] {
        let scp = |from: &str, to: &str| {
            let mut scp = site.command("scp");
            scp.args(["-F", "none", "-q", protocol, "-P", &port]).args(site.ssh_options());
            Ran::new(scp.args([from, to]))
        };
        scp(&big, "kiln@127.0.0.1:big").ok();
        assert!(site.ssh("kiln", "sha256sum big").ok().starts_with(&sum), "scp {protocol}");
        let back = site.path("back");
        scp("kiln@127.0.0.1:big", &back).ok();
        assert_eq!(sha256(&back), sum, "scp {protocol}");
        std::fs::remove_file(back).unwrap();
        site.ssh("kiln", "rm big").ok();
    }
}

#[test]
fn sftp_moves_renames_and_lists() {
    let site = Site::new();
    site.create_here("kiln");
    std::fs::write(site.path("note"), "by sftp").unwrap();
    let batch = "mkdir box\nput note box/one\nrename box/one box/two\nchmod 600 box/two\nls -l box\nget box/two back\nrm box/two\nrmdir box\n";
    std::fs::write(site.path("batch"), batch).unwrap();
    let mut sftp = site.command("sftp");
    let ran = Ran::new(
        sftp.args(["-F", "none", "-P", &site.ssh_port.to_string()])
            .args(site.ssh_options())
            .args(["-b", &site.path("batch"), "kiln@127.0.0.1"]),
    );
    let out = ran.ok();
    assert!(out.contains("-rw-------"), "{out}");
    assert_eq!(std::fs::read_to_string(site.path("back")).unwrap(), "by sftp");
}

#[test]
fn rsync_of_many_files_and_a_git_clone() {
    let site = Site::new();
    site.create_here("kiln");
    for n in 0..MANY {
        let dir = site.dir.path().join(format!("many/{}", n % 100));
        if n < 100 {
            std::fs::create_dir_all(&dir).unwrap();
        }
        std::fs::write(dir.join(n.to_string()), n.to_string()).unwrap();
    }
    let ssh = format!("ssh -F none -p {} {}", site.ssh_port, site.ssh_options().join(" "));
    site.run("rsync", &["-a", "-e", &ssh, &site.path("many"), "kiln@127.0.0.1:"]).ok();
    assert_eq!(site.ssh("kiln", "find many -type f | wc -l").ok().trim(), MANY.to_string());
    let again =
        site.run("rsync", &["-a", "-i", "-e", &ssh, &site.path("many"), "kiln@127.0.0.1:"]).ok();
    assert_eq!(again, "");
    site.ssh("kiln", "git init -q repo && cd repo && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first").ok();
    let mut clone = site.command("git");
    Ran::new(clone.env("GIT_SSH_COMMAND", &ssh).args([
        "clone",
        "-q",
        "kiln@127.0.0.1:repo",
        &site.path("clone"),
    ]))
    .ok();
    let log = site.run("git", &["-C", &site.path("clone"), "log", "--format=%s"]).ok();
    assert_eq!(log.trim(), "first");
}
