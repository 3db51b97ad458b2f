//! A server that is down while rights end: from the first moment on that it listens again nobody has
//! more than they should.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::kinds::{Kind, now, open};
use super::person::{KILN, Person, get, header, kiln};
use crate::e2e::site::{Site, eventually};

/// How far ahead rights end.
const AHEAD: Duration = Duration::from_secs(12);

#[test]
fn a_server_that_was_down_at_a_handoff_and_an_end_lets_nobody_in_for_an_instant() {
    let mut site = Site::new();
    let place = kiln(&site);
    let [first, second, guest] = ["first", "second", "guest"].map(|name| Person::new(&site, name));
    let rotation = ["rotations", "create", "on-call", "--zone", "UTC", "--handoff", "00:00"];
    site.cli(&[&rotation[..], &["--length", "1d", "--member", "second"]].concat()).ok();
    site.cli(&["sharing", "add", KILN, "--rotation", "on-call"]).ok();
    let clock = steading::clock::Clock::machine();
    let end = clock.now().plus(AHEAD);
    let give = ["rotations", "override", "on-call", "--user", "first", "--until"];
    site.cli(&[&give[..], &[&end.rfc3339()]].concat()).ok();
    site.cli(&["sharing", "add", KILN, "--user", "guest", "--until", &end.rfc3339()]).ok();
    let path = format!("/api/v2/workspaces/{}", place.workspace);
    assert_eq!([&first, &guest].map(|who| who.status(&site, &path)), [200, 200]);
    assert_eq!(second.status(&site, &path), 404);
    let tunnel = open(&site, &place, &first, Kind::Tunnel);
    site.kill();
    eventually("the end has passed", || (clock.now() >= end).then_some(()));

    // They ask from before it listens until it has answered each of them often.
    let stop = AtomicBool::new(false);
    let url = site.url.clone();
    let (url, path, stop) = (url.as_str(), path.as_str(), &stop);
    std::thread::scope(|scope| {
        let asks = |who| scope.spawn(move || answers(url, who, path, stop));
        let (lost, on_call) = ([&first, &guest].map(asks), asks(&second));
        let stopping = Stop(stop);
        site.start();
        let since = now();
        eventually("the second is let in", || (second.status(&site, path) == 200).then_some(()));
        assert!(tunnel.was_cut(since, steading::wire::peer::GRACE).is_ok(), "past the server, too");
        drop(stopping);
        for lost in lost {
            let all = lost.join().unwrap();
            assert!(all.len() > 20 && all.iter().all(|status| *status == 404), "{all:?}");
        }
        let all = on_call.join().unwrap();
        assert!(all.iter().all(|status| *status == 200), "{all:?}");
    });
    for who in [&first, &guest] {
        assert_ne!(who.ssh(&site, "true").code, Some(0), "{}", who.name);
    }
    eventually("the agent is back", || (second.ssh(&site, "true").code == Some(0)).then_some(()));
}

/// Ends those who ask, also where the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What someone is answered, again and again; what is not answered is left out.
fn answers(url: &str, who: &Person, path: &str, stop: &AtomicBool) -> Vec<u16> {
    let (mut all, head) = (Vec::new(), header(&who.token));
    while !stop.load(Ordering::Relaxed) {
        let (status, _) = get(url, path, &head);
        if status != 0 {
            all.push(status);
        }
    }
    all
}
