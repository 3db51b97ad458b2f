//! Clients that begin a request and do not go on: others are served meanwhile, and they are let go.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::api::Api;
use super::measure::{self, Beside, open_files, resident_kib, tell};
use crate::e2e::said::Said;
use crate::e2e::site::{Ran, STEADING, Site, eventually};

/// Connections of each kind.
const EACH: usize = 50;
/// Memory that each of them may cost the server, in KiB.
const MEMORY_EACH: u64 = 64;
/// How long the server may take to stop on a busy machine: it gives what goes on 3 s.
const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// Beginnings of requests: nothing at all, what may become either HTTP, half a head, half a body, half
/// a form's first field, a connection that is kept after its request, and HTTP/2 without one.
fn beginnings(token: &str) -> [String; 7] {
    let login = "POST /api/v2/users/login HTTP/1.1\r\nHost: x\r\n\
                 Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{\"email\":";
    let upload = format!(
        "POST /settings/tokens HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n\
         Cookie: coder_session_token={token}\r\nContent-Length: 900\r\n\
         Content-Type: multipart/form-data; boundary=x7\r\n\r\n--x7\r\nContent-Disp"
    );
    [
        String::new(),
        "P".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX-Half: ".to_owned(),
        login.to_owned(),
        upload,
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0".to_owned(),
    ]
}

/// Whether the server has ended the connection; what it says before is kept.
fn is_ended((stream, said): &mut (TcpStream, Vec<u8>)) -> bool {
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return true,
            Ok(n) => said.extend_from_slice(&part[..n]),
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

fn begun(site: &Site, beginning: &str) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(measure::address(site)).unwrap();
    stream.write_all(beginning.as_bytes()).unwrap();
    stream.set_nonblocking(true).unwrap();
    (stream, vec![])
}

#[test]
fn half_open_requests_hold_nobody_up_and_are_let_go() {
    let mut site = Site::new();
    let (api, pid) = (Api::of(&site), measure::server(&site));
    let beginnings = beginnings(&api.token);
    let (files, before) = (open_files(pid), resident_kib(pid));
    let beside = Beside::start(&site);
    let mut kinds: Vec<Vec<_>> = beginnings
        .iter()
        .map(|beginning| (0..EACH).map(|_| begun(&site, beginning)).collect())
        .collect();
    let all = beginnings.len() * EACH;
    eventually("they are accepted", || (open_files(pid) >= files + all).then_some(()));
    assert_eq!(api.get("/users/me")["username"], "ada");
    let during = resident_kib(pid);
    for kind in &mut kinds {
        eventually("all are let go", || kind.iter_mut().all(is_ended).then_some(()));
    }
    eventually("their descriptors are back", || (open_files(pid) <= files + 8).then_some(()));
    let (asked, longest) = beside.end();
    tell(&format!(
        "{all} half-open requests: server {before} KiB before, {during} with them, {} after; \
         ready {asked} times, at most {longest:?}",
        resident_kib(pid)
    ));
    assert!(during.saturating_sub(before) < MEMORY_EACH * u64::try_from(all).unwrap(), "{during}");
    let said = |kind: usize| String::from_utf8_lossy(&kinds[kind][0].1).into_owned();
    for half_body in [3, 4] {
        assert!(said(half_body).starts_with("HTTP/1.1 408"), "{}", said(half_body));
    }
    assert!(said(5).starts_with("HTTP/1.1 200"), "{}", said(5));
    // A stop does not wait for such clients.
    let _half_open: Vec<_> = beginnings.iter().map(|beginning| begun(&site, beginning)).collect();
    assert_eq!(api.get("/users/me")["username"], "ada");
    #[expect(clippy::disallowed_methods, reason = "how long it takes is the point")]
    let start = Instant::now();
    site.stop();
    assert!(start.elapsed() < STOPS_WITHIN, "{:?}", start.elapsed());
}

#[test]
fn a_handshake_that_does_not_go_on_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str| dir.path().join(name).display().to_string();
    let (cert, key) = (of("cert.pem"), of("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=kiln.test", "-keyout", &key]);
    Ran::new(openssl.args(["-out", &cert])).ok();
    let mut server = Command::new(STEADING);
    server.args(["server", "--data", &of("data"), "--http-address", "127.0.0.1:0"]);
    server.args(["--ssh-address", "127.0.0.1:0", "--wireguard-address", "127.0.0.1:0"]);
    server.args(["--tls-cert-file", &cert, "--tls-key-file", &key]);
    let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let line = Said::by(server.stdout.take().unwrap()).line().unwrap();
    let address = line.rsplit_once("//").unwrap().1;
    // Nothing, and the beginning of a client's first message.
    let beginnings: [&[u8]; 2] = [b"", &[0x16, 3, 1, 2, 0, 1, 0]];
    let mut streams = beginnings.map(|beginning| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(beginning).unwrap();
        stream.set_nonblocking(true).unwrap();
        (stream, vec![])
    });
    eventually("they are let go", || streams.iter_mut().all(is_ended).then_some(()));
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
}
