//! A copy of the one file is the whole deployment.

use rustix::process::{Pid, Signal, kill_process};

use super::site::Site;

#[test]
fn a_stopped_server_s_file_alone_is_a_backup() {
    let mut site = Site::new();
    site.push_starter("external");
    site.cli(&["tokens", "create", "--name", "laptop"]).ok();
    let mut server = site.server.take().unwrap();
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    let (old, new) = (site.path("old"), site.path("data"));
    std::fs::rename(&new, &old).unwrap();
    std::fs::create_dir(&new).unwrap();
    std::fs::copy(format!("{old}/steading.db"), format!("{new}/steading.db")).unwrap();
    site.start();
    assert!(site.cli(&["tokens", "list"]).ok().contains("laptop"));
    assert!(site.cli(&["templates", "list"]).ok().contains("external"));
}
