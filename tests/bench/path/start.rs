//! From exec to the first 200, beside the floor's.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::floor::Floor;
use super::site::STEADING;
use super::table::{Better, Line, Table};

const ROUNDS: usize = 9;

pub fn run(table: &mut Table) {
    let (mut empty, mut there, mut killed) = (Both::default(), Both::default(), Both::default());
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir().unwrap();
        let (took, server) = ours(dir.path());
        empty.ours.push(took);
        stop(server);
        let (took, server) = ours(dir.path());
        there.ours.push(took);
        kill(server);
        let (took, server) = ours(dir.path());
        killed.ours.push(took);
        kill(server);
        for both in [&mut empty, &mut there, &mut killed] {
            let (took, floor) = theirs(dir.path());
            both.theirs.push(took);
            floor.kill();
        }
    }
    let mut line = |what, both: Both, goal| {
        let reference = ("floor", both.theirs);
        let better = Better::Less;
        table.line(&Line { what, unit: "ms", ours: both.ours, reference, goal, better });
    };
    line("start on an empty directory", empty, 2.0);
    line("start, data there", there, 2.0);
    line("start after kill -9", killed, 2.0);
}

#[derive(Default)]
struct Both {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// Starts the server over `dir/data`: milliseconds to the first 200.
pub fn ours(dir: &Path) -> (f64, Child) {
    let port = free_port();
    let began = Instant::now();
    let server = Command::new(STEADING)
        .args(["server", "--http-address", &format!("127.0.0.1:{port}")])
        .args(["--ssh-address", "127.0.0.1:0", "--wireguard-address", "127.0.0.1:0"])
        .arg("--data")
        .arg(dir.join("data"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    answered(&format!("127.0.0.1:{port}"), "/healthz");
    (millis(began), server)
}

fn theirs(dir: &Path) -> (f64, Floor) {
    let began = Instant::now();
    let floor = Floor::start(dir);
    answered(floor.url.trim_start_matches("http://"), "/hello");
    (millis(began), floor)
}

/// Asks until there is a 200.
fn answered(address: &str, path: &str) {
    use std::io::{Read as _, Write as _};
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        let asked = std::net::TcpStream::connect(address).and_then(|mut stream| {
            write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        });
        if asked.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            return;
        }
        std::thread::park_timeout(Duration::from_micros(500));
    }
    panic!("{address} did not answer");
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Asks it to stop, and waits.
pub fn stop(mut server: Child) {
    Command::new("kill").arg(server.id().to_string()).status().unwrap();
    server.wait().unwrap();
}

fn kill(mut server: Child) {
    server.kill().unwrap();
    server.wait().unwrap();
}
