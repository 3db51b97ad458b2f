//! A server that is killed and comes back: streams by tunnel go on, and rights that ended do not.

use std::process::{Child, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use steading::wire::peer::GRACE;

use super::said::Said;
use super::site::{STEADING, Site, eventually};

/// Counts until it is told to stop, and leaves its pid.
const COUNT: &str = "echo $$ > pid; i=0; while [ ! -e stop ]; do i=$((i+1)); echo $i; sleep 0.02; done; echo end $i";

/// Starts to count by `steading ssh`.
fn count(site: &Site, flags: &[&str]) -> (Child, Said) {
    let mut command = site.command(STEADING);
    command.args(flags).args(["ssh", "kiln", "--", COUNT]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let out = Said::by(child.stdout.take().unwrap());
    (child, out)
}

/// Reads numbers up to `last`, each of which has to be the one after the one before.
fn read_to(out: &mut Said, next: &mut u64, last: u64) {
    while *next <= last {
        let line = out.line().unwrap_or_else(|| panic!("ended before {next}"));
        assert_eq!(line, next.to_string());
        *next += 1;
    }
}

fn goes_on(flags: &[&str]) {
    let mut site = Site::new();
    site.create_here("kiln");
    let (mut child, mut out) = count(&site, flags);
    let mut next = 1;
    read_to(&mut out, &mut next, 20);
    site.kill();
    site.start();
    eventually("the agent is back", || (site.ssh("kiln", "true").code == Some(0)).then_some(()));
    // What was counted before the agent was back may come late; what is counted now comes by the
    // new server's word.
    let counted = next;
    read_to(&mut out, &mut next, counted + 200);
    site.ssh("kiln", "touch stop").ok();
    let rest = out.rest();
    let rest: Vec<&str> = rest.lines().collect();
    let (end, numbers) = rest.split_last().unwrap();
    for number in numbers {
        assert_eq!(*number, next.to_string());
        next += 1;
    }
    assert_eq!(*end, format!("end {}", next - 1), "nothing is lost");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_direct_stream_goes_on() {
    goes_on(&[]);
}

#[test]
fn a_relayed_stream_goes_on() {
    goes_on(&["--disable-direct-connections"]);
}

/// What nobody may do by the API while the server is away.
fn set_status(site: &Site, status: &str) {
    let database = rusqlite::Connection::open(site.path("data/steading.db")).unwrap();
    let sql = "UPDATE users SET status = ?1 WHERE username = 'ada'";
    assert_eq!(database.execute(sql, [status]).unwrap(), 1);
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_right_that_ended_while_the_server_was_away_ends_the_stream() {
    let mut site = Site::new();
    site.create_here("kiln");
    let (mut child, mut out) = count(&site, &[]);
    read_to(&mut out, &mut 1, 20);
    let pid = site.ssh("kiln", "cat pid").ok();
    let process = format!("/proc/{}", pid.trim());
    assert!(std::path::Path::new(&process).exists());
    #[expect(clippy::disallowed_methods, reason = "how long it takes is the point")]
    let start = Instant::now();
    site.kill();
    // A client that does not come and hear it: the agent alone has to end its stream.
    signal(&child, Signal::STOP);
    set_status(&site, "suspended");
    site.start();
    eventually("what the stream ran has ended", || {
        (!std::path::Path::new(&process).exists()).then_some(())
    });
    let took = start.elapsed();
    // By the word of the server: without it the client's grace would have ended first.
    assert!(took < GRACE, "{took:?}");
    signal(&child, Signal::CONT);
    assert_eq!(child.wait().unwrap().code(), Some(255));
    // A server that runs keeps in mind what nobody told it of: the workspace's end needs her token.
    site.stop();
    set_status(&site, "active");
    site.start();
}
