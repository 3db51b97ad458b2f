//! Who a workspace of this-machine is: a user with a name of its own, to every program in it.

use super::site::{Ran, Site, eventually};

#[test]
fn programs_that_ask_who_they_are_get_an_answer() {
    let machine = std::fs::read("/etc/passwd").unwrap();
    let site = Site::new();
    site.create_here("kiln");
    let ask = |what: &str| site.ssh("kiln", what).ok().trim().to_owned();
    if !rustix::process::geteuid().is_root() {
        // Nobody else may mount: the workspace is whoever runs this.
        let who = "id -u; id -un";
        return assert_eq!(site.ssh("kiln", who).out, site.run("sh", &["-c", who]).out);
    }
    assert_eq!(ask("whoami; id -gn; echo $USER; echo ~; getent passwd ada | cut -d: -f6"), {
        let home = ask("echo $HOME");
        format!("ada\nada\nada\n{home}\n{home}")
    });
    assert!(ask("ssh -G localhost").lines().any(|line| line == "user ada"));
    assert_eq!(ask("cat /etc/shadow 2>/dev/null || echo closed"), "closed");
    assert_eq!(ask("id -G | wc -w"), "1");

    std::fs::write(site.path("note"), "the old way").unwrap();
    let port = site.ssh_port.to_string();
    let mut scp = site.command("scp");
    scp.args(["-O", "-F", "none", "-P", &port]).args(site.ssh_options());
    Ran::new(scp.args([&site.path("note"), "kiln@127.0.0.1:note"])).ok();
    assert_eq!(ask("cat note"), "the old way");

    // What adds an account to the machine replaces the file, and the kernel then takes away what
    // was mounted over it.
    let agent = ask("echo $PPID");
    let lose = "umount -l /etc/passwd && ! grep -q ^ada: /etc/passwd";
    site.run("nsenter", &["-t", &agent, "-m", "sh", "-c", lose]).ok();
    eventually("the name is back", || {
        (site.ssh("kiln", "whoami").out.trim() == "ada").then_some(())
    });
    assert_eq!(std::fs::read("/etc/passwd").unwrap(), machine, "the machine knows nothing of it");
    site.cli(&["delete", "kiln", "--yes"]).ok();
}
