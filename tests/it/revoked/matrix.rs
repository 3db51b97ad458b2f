//! Ways to lose a right x what is open by it: each is cut in two seconds, and refused afterwards.

use std::time::{Duration, Instant};

use serde_json::Value;
use steading::model::time::Timestamp;
use steading::wire::peer::GRACE;

use super::kinds::{Kind, Open, is_refused, now, open};
use super::person::{KILN, Person, Place, kiln};
use crate::e2e::site::{Ran, STEADING, Site};

/// What is promised.
const WITHIN: Duration = Duration::from_secs(2);
/// How far ahead a right ends that ends by itself: all is open by then, also where other tests run.
const AHEAD_S: i64 = 45;

/// One way to lose a right, for someone of their own.
struct Way {
    name: &'static str,
    kinds: &'static [Kind],
    /// Gives them the right, or leaves them with what is there.
    give: fn(&Site, &Person),
    /// Takes it away. Gives when that was, as soon as it is.
    take: fn(&Site, &Person) -> Instant,
}

fn share(site: &Site, whom: &Person, more: &[&str]) {
    site.cli(&[&["sharing", "add", KILN, "--user", &whom.name][..], more].concat()).ok();
}

/// Runs what takes a right away. It has ended at the latest when the command is over.
fn takes(site: &Site, args: &[&str]) -> Instant {
    site.cli(args).ok();
    now()
}

/// The ways that end by what somebody does.
const BY_DEED: &[Way] = &[
    Way {
        name: "revoked",
        kinds: &Kind::ALL,
        give: |site, who| share(site, who, &[]),
        take: |site, who| takes(site, &["sharing", "remove", KILN, "--user", &who.name]),
    },
    Way {
        name: "suspended",
        kinds: &Kind::ALL,
        give: |site, who| share(site, who, &[]),
        take: |site, who| takes(site, &["users", "suspend", &who.name]),
    },
    Way {
        name: "out of the group",
        kinds: &Kind::ALL,
        give: |site, who| {
            site.cli(&["groups", "create", "potters"]).ok();
            site.cli(&["groups", "edit", "potters", "-a", &who.name]).ok();
            site.cli(&["sharing", "add", KILN, "--group", "potters"]).ok();
        },
        take: |site, who| takes(site, &["groups", "edit", "potters", "-r", &who.name]),
    },
    Way {
        name: "the giver lost it",
        kinds: &Kind::ALL,
        give: |site, who| {
            let giver = Person::new(site, "giver");
            share(site, &giver, &["--verbs", "admin"]);
            giver.cli(site, &["sharing", "add", KILN, "--user", &who.name]).ok();
        },
        take: |site, _| takes(site, &["sharing", "remove", KILN, "--user", "giver"]),
    },
    Way {
        name: "the giver's role ended",
        kinds: &Kind::ALL,
        give: |site, who| {
            let keeper = Person::new(site, "keeper");
            site.cli(&["users", "edit-roles", "keeper", "--roles", "owner"]).ok();
            keeper.cli(site, &["sharing", "add", KILN, "--user", &who.name]).ok();
        },
        take: |site, _| takes(site, &["users", "edit-roles", "keeper"]),
    },
    Way {
        name: "left the organization",
        kinds: &Kind::ALL,
        give: |site, who| share(site, who, &[]),
        take: |site, who| takes(site, &["organizations", "members", "remove", &who.name]),
    },
    Way {
        name: "signed out, tokens removed",
        kinds: &Kind::BY_TOKEN,
        give: |site, who| share(site, who, &[]),
        take: |site, who| {
            let all = who.cli(site, &["tokens", "list", "-o", "json"]).ok();
            let all: Vec<Value> = serde_json::from_str(&all).unwrap();
            for token in all {
                who.cli(site, &["tokens", "remove", token["id"].as_str().unwrap()]).ok();
            }
            who.cli(site, &["logout", "--yes"]).ok();
            now()
        },
    },
    Way {
        name: "the key removed",
        kinds: &Kind::BY_KEY,
        give: |site, who| share(site, who, &[]),
        take: |site, who| {
            let all = who.cli(site, &["ssh-keys", "list", "-o", "json"]).ok();
            let all: Vec<Value> = serde_json::from_str(&all).unwrap();
            who.cli(site, &["ssh-keys", "remove", all[0]["id"].as_str().unwrap()]).ok();
            now()
        },
    },
];

/// Opens one of each kind.
fn open_all(site: &Site, place: &Place, who: &Person, kinds: &[Kind]) -> Vec<Open> {
    std::thread::scope(|scope| {
        let opening: Vec<_> =
            kinds.iter().map(|kind| scope.spawn(move || open(site, place, who, *kind))).collect();
        opening.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// What is wrong when all of it was to end at `since`.
fn wrong(all: &[Open], since: Instant, way: &str) -> Vec<String> {
    let cut = all.iter().map(|one| one.was_cut(since, WITHIN));
    cut.filter_map(|cut| cut.err().map(|why| format!("{way}: {why}"))).collect()
}

/// What can still be opened.
fn reopened(
    site: &Site,
    place: &Place,
    who: &Person,
    (way, kinds): (&str, &[Kind]),
) -> Vec<String> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = kinds
            .iter()
            .map(|kind| (kind, scope.spawn(move || is_refused(site, place, who, *kind))))
            .collect();
        let let_in = asked.into_iter().filter_map(|(kind, asked)| {
            (!asked.join().unwrap()).then(|| format!("{way}: {kind:?} opens again"))
        });
        let_in.collect()
    })
}

fn run(site: &Site, place: &Place, way: &Way, who: &Person) -> Vec<String> {
    (way.give)(site, who);
    let all = open_all(site, place, who, way.kinds);
    let early = all.iter().filter(|one| !one.lasts());
    let mut bad: Vec<_> =
        early.map(|one| format!("{}: {:?} ended before", way.name, one.kind)).collect();
    if !bad.is_empty() {
        return bad;
    }
    let since = (way.take)(site, who);
    bad.extend(wrong(&all, since, way.name));
    bad.extend(reopened(site, place, who, (way.name, way.kinds)));
    bad
}

/// A time ahead, as it is written, and how long it is until then.
fn ahead() -> (Timestamp, Instant) {
    let clock = steading::clock::Clock::machine();
    let end = clock.now().plus(Duration::from_secs(u64::try_from(AHEAD_S).unwrap()));
    let left = end.0 * 1000 - clock.now_ms();
    (end, now() + Duration::from_millis(u64::try_from(left).unwrap()))
}

/// Gives a right that ends by itself, opens everything, and waits for that.
fn ends_by_itself(
    site: &Site,
    place: &Place,
    (name, who): (&str, &Person),
    give: impl Fn(&Site, &Person) -> Instant,
) -> Vec<String> {
    let end = give(site, who);
    let all = open_all(site, place, who, &Kind::ALL);
    assert!(now() < end, "{name}: it took too long to open everything");
    let mut bad = wrong(&all, end, name);
    bad.extend(reopened(site, place, who, (name, &Kind::ALL)));
    bad
}

fn until_a_time(site: &Site, who: &Person) -> Instant {
    let (end, at) = ahead();
    share(site, who, &["--until", &end.rfc3339()]);
    at
}

/// To the end of the minute in which the time ahead is: windows know no seconds.
fn at_these_hours(site: &Site, who: &Person) -> Instant {
    let (end, at) = ahead();
    let rest = 60 - end.0.rem_euclid(60);
    let last = end.plus(Duration::from_secs(u64::try_from(rest).unwrap()));
    let (from, until) = (Timestamp(last.0 - 7200).rfc3339(), last.rfc3339());
    let window = format!("mon-sun {}-{} UTC", &from[11..16], &until[11..16]);
    share(site, who, &["--window", &window]);
    at + Duration::from_secs(u64::try_from(rest).unwrap())
}

fn on_shift(site: &Site, who: &Person) -> Instant {
    let rotation = ["rotations", "create", "nights", "--zone", "UTC", "--handoff", "00:00"];
    site.cli(&[&rotation[..], &["--length", "1d", "--member", "ada"]].concat()).ok();
    site.cli(&["sharing", "add", KILN, "--rotation", "nights"]).ok();
    let (end, at) = ahead();
    let until = end.rfc3339();
    let give = ["rotations", "override", "nights", "--user", &who.name, "--until", &until];
    site.cli(&give).ok();
    at
}

/// Sets whose workspaces may be shared.
fn set_mode(site: &Site, mode: &str) {
    let json = site.path("mode.json");
    std::fs::write(&json, format!("{{\"shareable_workspace_owners\":\"{mode}\"}}")).unwrap();
    let mut set = site.command(STEADING);
    set.args(["organizations", "settings", "set", "workspace-sharing"]);
    Ran::new(set.stdin(std::fs::File::open(json).unwrap())).ok();
}

#[test]
fn whatever_ends_a_right_cuts_all_that_is_open_by_it_in_two_seconds() {
    let mut site = Site::new();
    let place = kiln(&site);
    site.cli(&["ssh", KILN, "--", "truncate -s 1G big && chmod 644 big"]).ok();
    let someone = |name: &str| Person::new(&site, name);
    let timed = ["until", "hours", "shift"].map(someone);
    let by_deed: Vec<Person> = (0..BY_DEED.len()).map(|n| someone(&format!("deed{n}"))).collect();
    let (by_mode, by_switch) = (someone("mode"), someone("switch"));
    let (at, here) = (&site, &place);
    let mut bad: Vec<String> = std::thread::scope(|scope| {
        let [until, hours, shift] = &timed;
        let waiting = [
            scope.spawn(move || ends_by_itself(at, here, ("its end", until), until_a_time)),
            scope.spawn(move || ends_by_itself(at, here, ("its hours", hours), at_these_hours)),
            scope.spawn(move || ends_by_itself(at, here, ("the shift", shift), on_shift)),
        ];
        let done = BY_DEED.iter().zip(&by_deed).flat_map(|(way, who)| run(at, here, way, who));
        let mut bad: Vec<String> = done.collect();
        bad.extend(waiting.into_iter().flat_map(|one| one.join().unwrap()));
        bad
    });
    // What ends it for everyone comes last.
    let way = Way {
        name: "the organization's mode",
        kinds: &Kind::ALL,
        give: |site, who| share(site, who, &[]),
        take: |site, _| {
            set_mode(site, "none");
            now()
        },
    };
    bad.extend(run(&site, &place, &way, &by_mode));
    set_mode(&site, "everyone");
    share(&site, &by_switch, &[]);
    bad.extend(switched_off(&mut site, &place, &by_switch));
    assert!(bad.is_empty(), "{bad:#?}");
}

/// The deployment's switch is thrown by a start: what goes past the server ends by its word, too.
fn switched_off(site: &mut Site, place: &Place, who: &Person) -> Vec<String> {
    let tunnel = open(site, place, who, Kind::Tunnel);
    site.stop();
    site.extra.push("--disable-workspace-sharing".to_owned());
    let since = now();
    site.start();
    let name = "the deployment's switch";
    let mut bad: Vec<String> = tunnel
        .was_cut(since, GRACE)
        .err()
        .into_iter()
        .map(|why| format!("{name}: {why}"))
        .collect();
    bad.extend(reopened(site, place, who, (name, &Kind::ALL)));
    bad
}
