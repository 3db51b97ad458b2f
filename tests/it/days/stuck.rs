//! Clients that take nothing of what they are sent: they cost little, hold nobody up, and are let go.

use std::io::Read as _;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::api::Api;
use super::measure::{self, Beside, UPGRADE, asked, open_files, resident_kib, tell};
use crate::e2e::site::{Site, eventually};

/// Clients of each kind.
const EACH: usize = 4;
/// What they may cost the server or the agent together, in KiB: buffers of 4 MiB for each WebSocket and
/// stream at the most.
const MEMORY: u64 = 192 << 10;
/// Changes of the workspace while they do not read.
const CHANGES: u64 = 40;
/// Prints without end, but leaves the machine some time.
const PRINT: &str = "while :; do head -c 4M /dev/zero | base64; sleep 0.3; done";

/// An SSH client that is sent gigabytes; nothing more is read of it.
fn flooded(site: &Site) -> Child {
    let mut ssh = site.ssh_command("kiln");
    ssh.arg("echo re''ady; head -c 4G /dev/zero").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut ssh = ssh.spawn().unwrap();
    let mut first = [0; 6];
    ssh.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"ready\n");
    ssh
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn who_takes_nothing_costs_little_and_is_let_go() {
    let site = Site::new();
    site.create_here("kiln");
    let (api, server) = (Api::of(&site), measure::server(&site));
    let workspace = api.get("/users/me/workspace/kiln");
    let id = workspace["id"].as_str().unwrap();
    assert_eq!(site.ssh("kiln", "echo here").ok(), "here\n");
    let (agent, pty) = (measure::agent(id), measure::pty(&api, id));
    eventually("no session is left", || (measure::sessions(&site) == 0).then_some(()));
    let files = open_files(server);
    let before = (resident_kib(server), resident_kib(agent));

    let beside = Beside::start(&site);
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let mut stuck = vec![];
    for _ in 0..EACH {
        let terminal = uuid::Uuid::new_v4();
        let query = [("reconnect", terminal.to_string()), ("command", PRINT.to_owned())];
        let query = serde_urlencoded::to_string(query).unwrap();
        stuck.push(asked(&site, &format!("{pty}?{query}"), UPGRADE));
        stuck.push(asked(&site, &format!("/bin/steading-linux-{arch}"), ""));
        stuck.push(asked(&site, &format!("/api/v2/workspaces/{id}/watch-ws"), UPGRADE));
    }
    // A browser's event stream may stay as long as the browser: its few events fit on the way.
    let streams: Vec<_> =
        (0..EACH).map(|_| asked(&site, &format!("/api/v2/workspaces/{id}/watch"), "")).collect();
    let ssh: Vec<_> = (0..EACH).map(|_| flooded(&site)).collect();
    // One does not even take what arrives at its machine.
    kill_process(Pid::from_child(&ssh[0]), Signal::STOP).unwrap();
    for n in 0..CHANGES {
        let body = json!({ "ttl_ms": 3_600_000 + n * 60_000 }).to_string();
        let set = api.try_ask("PUT", &format!("/workspaces/{id}/ttl"), &body).unwrap();
        assert!((200..300).contains(&set.status), "{set:?}");
    }
    assert_eq!(site.ssh("kiln", "echo still here").ok(), "still here\n");
    let during = (resident_kib(server), resident_kib(agent));
    assert!(open_files(server) >= files + stuck.len() + streams.len());

    let left = files + streams.len() + ssh.len() + 12;
    eventually("the stuck ones are let go", || (open_files(server) < left).then_some(()));
    let late = (resident_kib(server), resident_kib(agent));
    drop((stuck, streams));
    ssh.into_iter().for_each(end);
    eventually("no session is left", || (measure::sessions(&site) == 0).then_some(()));
    eventually("their descriptors are back", || (open_files(server) <= files + 12).then_some(()));
    assert_eq!(site.ssh("kiln", "echo at last").ok(), "at last\n");
    let (asked, longest) = beside.end();
    tell(&format!(
        "stuck clients, server and agent KiB: {before:?} before, {during:?} with them, {late:?} when \
         they were let go, {:?} after; ready {asked} times, at most {longest:?}",
        (resident_kib(server), resident_kib(agent))
    ));
    for (now, then) in [(during, before), (late, before)] {
        assert!(now.0.saturating_sub(then.0) < MEMORY, "the server: {now:?}, {then:?}");
        assert!(now.1.saturating_sub(then.1) < MEMORY, "the agent: {now:?}, {then:?}");
    }
}

#[test]
fn a_stream_goes_on_when_its_sleeping_reader_wakes() {
    let site = Site::new();
    site.create_here("kiln");
    for flags in [&[][..], &["--disable-direct-connections"]] {
        sleeps(&site, flags);
    }
}

/// MiB of a stream of 4 GB that are read once its reader wakes, in the usual run and in the larger one.
const AWAKE: usize = 24;
const LONG_AWAKE: usize = 4096;
/// What a sleeping reader may cost each process, in KiB: the windows of its stream and connection.
const ASLEEP: u64 = 96 << 10;
/// `seq` of eleven bytes a line: each has its place.
const SEQ: &str = "seq 1000000000 1400000000";

fn sleeps(site: &Site, flags: &[&str]) {
    let api = Api::of(site);
    let workspace = api.get("/users/me/workspace/kiln");
    assert_eq!(site.ssh("kiln", "echo here").ok(), "here\n");
    let (server, agent) =
        (measure::server(site), measure::agent(workspace["id"].as_str().unwrap()));
    let mut command = site.command(crate::e2e::site::STEADING);
    command.args(flags).args(["ssh", "kiln", "--", SEQ]).stdout(Stdio::piped());
    let mut client = command.spawn().unwrap();
    let mut out = client.stdout.take().unwrap();
    let mut next: u64 = 1_000_000_000;
    take(&mut out, &mut next, 1 << 20);
    let before = [server, agent, client.id()].map(resident_kib);

    // Its reader sleeps: what is on its way comes to rest.
    let (mut last, mut calm) = (0, 0);
    eventually("the stream comes to rest", || {
        let now = read_by(agent);
        calm = if now - std::mem::replace(&mut last, now) < CALM { calm + 1 } else { 0 };
        (calm == 10).then_some(())
    });
    // Then its whole machine does.
    let pid = Pid::from_child(&client);
    kill_process(pid, Signal::STOP).unwrap();
    assert_eq!(site.ssh("kiln", "echo others go on").ok(), "others go on\n");
    let asleep = [server, agent, client.id()].map(resident_kib);
    kill_process(pid, Signal::CONT).unwrap();
    let many = std::env::var_os("STEADING_ROUNDS").is_some();
    for _ in 0..if many { LONG_AWAKE } else { AWAKE } {
        take(&mut out, &mut next, 1 << 20);
    }
    let awake = [server, agent, client.id()].map(resident_kib);
    drop(out);
    end(client);
    tell(&format!(
        "a sleeping reader {flags:?}, server, agent and client KiB: {before:?} awake, {asleep:?} \
         asleep, {awake:?} awake again"
    ));
    for (now, then) in asleep.iter().zip(before).chain(awake.iter().zip(before)) {
        assert!(now.saturating_sub(then) < ASLEEP, "{before:?}, {asleep:?}, {awake:?}");
    }
}

/// An agent at rest reads less than this between two looks: what the machine says of itself.
const CALM: u64 = 64 << 10;

/// Bytes that a process has read, of files and pipes.
fn read_by(pid: u32) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    io.lines().find_map(|l| l.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

/// Reads lines of [`SEQ`], each of which has to be the next.
fn take(out: &mut impl std::io::Read, next: &mut u64, bytes: usize) {
    let mut lines = vec![0; bytes / 11 * 11];
    out.read_exact(&mut lines).unwrap();
    for line in lines.chunks(11) {
        assert_eq!(line, format!("{next}\n").as_bytes());
        *next += 1;
    }
}
