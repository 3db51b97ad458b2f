//! A workspace on the server's own machine is reached by a socket; others, and forwards, by the overlay.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::Stdio;

use super::site::{Site, eventually};

/// The server's sockets under its abstract name: the name, and how many there are with the one that
/// listens.
fn sockets(site: &Site) -> (String, usize) {
    let pid = site.server.as_ref().unwrap().id();
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = fds.flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
    let own: BTreeSet<String> = links
        .filter_map(|to| Some(to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let all = std::fs::read_to_string("/proc/net/unix").unwrap();
    let mut names = all.lines().filter_map(|line| {
        let (head, name) = line.split_once(" @")?;
        let is_ours = name.starts_with("steading-") && own.contains(head.split(' ').next_back()?);
        is_ours.then(|| name.to_owned())
    });
    let name = names.next().expect("the server listens");
    (name, names.count() + 1)
}

#[test]
fn a_session_takes_the_spare_connection_and_another_takes_its_place() {
    let site = Site::new();
    site.create_here("kiln");
    site.ssh("kiln", "true").ok();
    let idle = eventually("the agent's spare", || Some(sockets(&site).1).filter(|n| *n == 2));
    let mut cat = site.ssh_command("kiln");
    let mut cat = cat.arg("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    cat.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    cat.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    eventually("the session and a new spare", || Some(sockets(&site).1).filter(|n| *n == idle + 1));
    // The agent is gone: so is what went through it, and at once.
    let agents = site.ssh("kiln", "kill -KILL $(pgrep -u $(id -u) -f 'steading agent')");
    assert_ne!(agents.code, Some(0), "{}", agents.out);
    assert_ne!(cat.wait().unwrap().code(), Some(0));
}

#[test]
fn whoever_knows_the_name_but_no_secret_is_let_go() {
    let site = Site::new();
    site.create_here("kiln");
    let (name, before) = sockets(&site);
    let mut strangers = vec![];
    for _ in 0..80 {
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let mut stranger = UnixStream::connect_addr(&address).unwrap();
        // Those beyond the limit were closed before they could say anything.
        let _ = stranger.write_all(&[7; 48]);
        strangers.push(stranger);
    }
    for mut stranger in strangers {
        assert!(matches!(stranger.read(&mut [0; 8]), Ok(0) | Err(_)), "a stranger was answered");
    }
    eventually("their places are free", || Some(sockets(&site).1).filter(|n| *n <= before.max(2)));
    site.ssh("kiln", "true").ok();
}
