//! The on-call story: a workspace of a service account, three who take turns, a handoff in the middle
//! of the night, and who ran what.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::kinds::{now, terminal_socket};
use super::person::{KILN, LOGIN, Person, Place, cookie, get, kiln};
use crate::e2e::site::{PATIENCE, Ran, Site, eventually};

/// How far ahead the handoff is: what the first one does takes less.
const AHEAD: Duration = Duration::from_secs(20);

/// A browser's view of one terminal.
struct Tab {
    socket: WebSocket<TcpStream>,
    seen: String,
    /// Why the server closed it.
    closed: Option<String>,
}

impl Tab {
    fn open(site: &Site, place: &Place, who: &Person, terminal: uuid::Uuid) -> Self {
        let socket =
            eventually("the terminal opens", || terminal_socket(site, place, who, terminal).ok());
        let brief = Some(Duration::from_millis(50));
        socket.get_ref().set_read_timeout(brief).unwrap();
        Self { socket, seen: String::new(), closed: None }
    }

    fn types(&mut self, keys: &str) {
        let said = serde_json::json!({ "data": keys }).to_string();
        self.socket.send(Message::Text(said.into())).unwrap();
    }

    /// Reads on until something has come, and forgets what was before.
    fn until(&mut self, mark: &str) {
        let start = now();
        while !self.seen.contains(mark) {
            assert!(start.elapsed() < PATIENCE, "no {mark:?} in {:?}", self.seen);
            assert!(self.read(), "closed before {mark:?}: {:?} {:?}", self.closed, self.seen);
        }
        self.seen.clear();
    }

    /// Reads what is there. Whether it is still open.
    fn read(&mut self) -> bool {
        match self.socket.read() {
            Ok(Message::Binary(bytes)) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
            Ok(Message::Close(why)) => self.closed = why.map(|why| why.reason.to_string()),
            Ok(_) => {}
            Err(tokio_tungstenite::tungstenite::Error::Io(e))
                if matches!(
                    e.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(_) => return false,
        }
        self.closed.is_none()
    }
}

fn json(site: &Site, args: &[&str]) -> Value {
    serde_json::from_str(&site.cli(&[args, &["-o", "json"]].concat()).ok()).unwrap()
}

/// Who is said to have run a command.
fn who_ran(site: &Site, text: &str) -> Value {
    eventually("the command is listed", || {
        let found = json(site, &["recordings", "commands", "--workspace", KILN, "--search", text]);
        found.as_array()?.iter().find(|one| !one["exit_code"].is_null()).cloned()
    })
}

#[test]
fn a_handoff_cuts_the_first_and_the_second_goes_on_in_the_same_shell() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.toml");
    std::fs::write(&file, "[recording]\nsessions = \"on\"\n").unwrap();
    let site = Site::with(&["--config", file.to_str().unwrap()]);
    let place = kiln(&site);
    let three = ["ben", "cora", "dora"].map(|name| Person::new(&site, name));
    let rotation = ["rotations", "create", "on-call", "--zone", "UTC", "--handoff", "00:00"];
    let members = ["--length", "1d", "--member", "ben,cora,dora"];
    site.cli(&[&rotation[..], &members].concat()).ok();
    site.cli(&["sharing", "add", KILN, "--rotation", "on-call"]).ok();
    let first = site.cli(&["rotations", "oncall", "on-call"]).ok();
    let at = three.iter().position(|who| who.name == first.trim()).unwrap();
    let (first, second, third) = (&three[at], &three[(at + 1) % 3], &three[(at + 2) % 3]);

    let clock = steading::clock::Clock::machine();
    let handoff = clock.now().plus(AHEAD);
    let give = ["rotations", "override", "on-call", "--user", &second.name, "--until", "1h"];
    site.cli(&[&give[..], &["--from", &handoff.rfc3339()]].concat()).ok();

    let terminal = uuid::Uuid::new_v4();
    let mut tab = Tab::open(&site, &place, first, terminal);
    tab.until("$ ");
    tab.types("cd /tmp; export NIGHT=quiet; echo fir''st-look\n");
    tab.until("first-look");
    std::fs::write(site.path("fix.sql"), "begin; commit;\n").unwrap();
    std::fs::write(site.path("batch"), format!("put {} fix.sql\n", site.path("fix.sql"))).unwrap();
    let mut sftp = first.open_ssh(&site, "sftp");
    Ran::new(sftp.args(["-b", &site.path("batch"), &format!("{LOGIN}@127.0.0.1")])).ok();
    tab.types("(exit 3) # the-first-tries\n");
    assert!(terminal_socket(&site, &place, second, terminal).is_err(), "not yet");
    assert!(clock.now() < handoff, "it took too long until here");

    // The handoff: to the second it is at once, for the first it is over in two.
    while tab.read() {}
    let late = clock.now_ms() - handoff.0 * 1000;
    assert!((0..=2000).contains(&late), "cut {late} ms after the handoff");
    let why = tab.closed.unwrap_or_default();
    assert!(why.contains("ended"), "{why:?}");
    for other in [first, third] {
        assert!(terminal_socket(&site, &place, other, terminal).is_err(), "{}", other.name);
        assert_ne!(other.ssh(&site, "true").code, Some(0), "{}", other.name);
    }
    let mut tab = Tab::open(&site, &place, second, terminal);
    // The screen as the first one left it, and the same shell.
    tab.until("first-look");
    tab.types("echo the-night-is-$NIGHT; (exit 4) # the-second-mends\n");
    tab.until("the-night-is-quiet");

    post_mortem(&site, (first, second));
}

/// Who ran what, by the command line and by the page.
fn post_mortem(site: &Site, (first, second): (&Person, &Person)) {
    let tried = who_ran(site, "the-first-tries");
    let mended = who_ran(site, "the-second-mends");
    assert_eq!((&tried["username"], &tried["exit_code"]), (&first.name.as_str().into(), &3.into()));
    assert_eq!(
        (&mended["username"], &mended["exit_code"]),
        (&second.name.as_str().into(), &4.into())
    );
    assert_ne!(tried["recording_id"], mended["recording_id"], "each has a recording of their own");
    assert_eq!(tried["directory"], "/tmp");
    let of = |one: &Value| one["recording_id"].as_str().unwrap().to_owned();
    let shown = json(site, &["recordings", "show", &of(&tried)]);
    let sent = &shown["transfers"][0];
    assert_eq!((&sent["kind"], &sent["bytes_in"]), (&"upload".into(), &15.into()), "{shown}");
    assert!(sent["name"].as_str().unwrap().ends_with("fix.sql"), "{sent}");
    assert_eq!(
        json(site, &["recordings", "show", &of(&mended)])["transfers"],
        Value::Array(vec![])
    );
    let found = json(site, &["recordings", "search", &of(&mended), "NIGHT-IS-quiet"]);
    assert!(found["places"][0]["line"].as_str().unwrap().contains("the-night-is-quiet"), "{found}");

    let ada = std::fs::read_to_string(site.path("cli/session")).unwrap();
    let head = cookie(ada.trim());
    let (_, page) = get(&site.url, "/recordings/commands?workspace=ops%2Fkiln", &head);
    let row = |text: &str| {
        let (before, _) = page.split_once(text).unwrap_or_else(|| panic!("{text}: {page}"));
        before.rsplit("<tr").next().unwrap().to_owned()
    };
    assert!(row("the-first-tries").contains(&first.name), "{page}");
    assert!(row("the-second-mends").contains(&second.name), "{page}");
    let (_, page) = get(&site.url, &format!("/recordings/{}", of(&tried)), &head);
    assert!(page.contains("fix.sql") && page.contains("events and no pictures"), "{page}");
}
