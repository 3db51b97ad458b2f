//! Forwarding over plain OpenSSH: local, remote, dynamic, the agent's socket.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use super::ports;
use super::site::{Ran, Site, eventually};

/// A server that answers every connection with one line.
fn answering(line: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.write_all(line.as_bytes());
        }
    });
    port
}

fn read_all(mut stream: TcpStream) -> String {
    let mut all = String::new();
    let _ = stream.read_to_string(&mut all);
    all
}

struct Forward(Child);

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn forward(site: &Site, args: &[&str]) -> Forward {
    let mut ssh = site.command("ssh");
    ssh.args([
        "-F",
        "none",
        "-N",
        "-o",
        "ExitOnForwardFailure=yes",
        "-p",
        &site.ssh_port.to_string(),
    ])
    .args(site.ssh_options())
    .args(args)
    .arg("kiln@127.0.0.1")
    .stderr(Stdio::inherit());
    Forward(ssh.spawn().unwrap())
}

#[test]
fn ports_are_forwarded_all_three_ways() {
    let site = Site::new();
    site.create_here("kiln");
    let inside = answering("inside\n");

    let local = ports::free();
    let _there = forward(&site, &["-L", &format!("{local}:127.0.0.1:{inside}")]);
    let got = eventually("-L", || TcpStream::connect(("127.0.0.1", local)).ok().map(read_all));
    assert_eq!(got, "inside\n");

    let socks = ports::free();
    let _dynamic = forward(&site, &["-D", &socks.to_string()]);
    let via = eventually("-D", || {
        let mut stream = TcpStream::connect(("127.0.0.1", socks)).ok()?;
        // SOCKS 4: connect, port, address, empty user.
        let [high, low] = inside.to_be_bytes();
        stream.write_all(&[4, 1, high, low, 127, 0, 0, 1, 0]).ok()?;
        let mut granted = [0; 8];
        stream.read_exact(&mut granted).ok()?;
        Some(read_all(stream))
    });
    assert_eq!(via, "inside\n");

    let (outside, remote) = (answering("outside\n"), ports::free());
    let _back = forward(&site, &["-R", &format!("{remote}:127.0.0.1:{outside}")]);
    let read = format!("exec 3<>/dev/tcp/127.0.0.1/{remote} && cat <&3");
    let got = eventually("-R", || {
        let ran = site.ssh("kiln", &format!("bash -c '{read}'"));
        (ran.code == Some(0)).then_some(ran.out)
    });
    assert_eq!(got, "outside\n");
}

#[test]
fn the_ssh_agent_is_reached_from_inside() {
    let site = Site::new();
    site.create_here("kiln");
    let socket = site.path("agent.sock");
    let mut agent = Forward(
        site.command("ssh-agent")
            .args(["-D", "-a", &socket])
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    );
    eventually("ssh-agent", || std::path::Path::new(&socket).exists().then_some(()));
    let add = Ran::new(
        site.command("ssh-add").env("SSH_AUTH_SOCK", &socket).args(["-q", &site.path("id")]),
    );
    add.ok();
    let mut ssh = site.ssh_command("kiln");
    let ran = Ran::new(ssh.env("SSH_AUTH_SOCK", &socket).args(["-A", "ssh-add -l"]));
    assert!(ran.ok().contains("ED25519"));
    agent.0.kill().unwrap();
}
