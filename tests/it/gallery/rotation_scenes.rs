//! Pages of rotations, in every state.

use std::collections::BTreeMap;

use jiff::civil::date;
use maud::Render as _;
use steading::model::name::GroupName;
use steading::model::rotation::{Layer, Member, Override, Rotation, Stored, Zone};
use steading::model::time::Timestamp;
use steading::model::user::User;
use steading::server::html::pages::rotation::{Made, RotationPage, ShownShift};
use steading::server::html::pages::rotations::{RotationRow, Rotations};
use steading::server::html::parts::form::Input;

use super::access_scenes::{place, sees_several};
use super::fixtures::{NOW, ada, before, grace, id, linus, reference, visit};
use super::{Scene, scene};

fn zone() -> Zone {
    Zone::parse("Europe/London").unwrap()
}

fn after(hours: i64) -> Timestamp {
    Timestamp(NOW.0 + hours * 3_600)
}

fn layer(members: &[User], handoff: &str, length: &str) -> Layer {
    Layer {
        members: members.iter().map(|user| Member::new(user.id)).collect(),
        first: 0,
        handoff: handoff.parse().unwrap(),
        length: length.parse().unwrap(),
        starts_at: before(40 * 86_400),
        restrictions: vec![],
    }
}

fn rotation() -> Rotation {
    Rotation {
        id: id(2701),
        organization_id: id(1),
        name: GroupName::parse("on-call").unwrap(),
        zone: zone(),
        layers: vec![layer(&[grace(), ada(), linus()], "mon 09:00", "1w")],
        overrides: vec![],
        created_at: before(40 * 86_400),
    }
}

fn swapped() -> Rotation {
    let one = |n, by, from, until, reason: &str| Override {
        id: id(n),
        user: ada().id,
        from_at: after(from),
        until_at: after(until),
        made_by: by,
        reason: reason.into(),
    };
    let overrides =
        vec![one(2711, Some(grace().id), 138, 186, "travel"), one(2712, None, 24, 30, "")];
    Rotation { overrides, ..rotation() }
}

/// Two layers, the second with hours of its own.
fn layered() -> Rotation {
    let nights = Layer {
        restrictions: vec![
            "mon-fri 18:00-08:00".parse().unwrap(),
            "sat,sun 00:00-24:00".parse().unwrap(),
        ],
        ..layer(&[linus(), grace()], "18:00", "1d")
    };
    Rotation { layers: vec![layer(&[ada()], "mon 09:00", "1w"), nights], ..rotation() }
}

fn page(user: User, rotation: Rotation, changes: bool) -> RotationPage {
    let all = [ada(), grace(), linus()];
    let people: BTreeMap<_, _> = all.iter().map(|u| (u.id, reference(u))).collect();
    let from = Timestamp::parse_rfc3339("2026-11-16T00:00:00Z").unwrap();
    let until = Timestamp::parse_rfc3339("2026-12-21T00:00:00Z").unwrap();
    let shown = |s: Stored| ShownShift {
        user: people[&s.user].clone(),
        from_at: s.from_at,
        until_at: s.until_at,
        is_override: s.is_override,
    };
    let shifts: Vec<ShownShift> =
        rotation.shifts(from, until).iter().map(|s| shown(Stored::from(s))).collect();
    let now = shifts.iter().find(|s| s.from_at <= NOW && NOW < s.until_at);
    let next = shifts.iter().find(|s| s.from_at > NOW);
    RotationPage {
        visit: visit(user),
        now: now.map(|s| (s.user.id, s.until_at)),
        next: next.map(|s| (s.user.id, s.from_at)),
        first: date(2026, 11, 16),
        undoes: if changes { rotation.overrides.iter().map(|o| o.id).collect() } else { vec![] },
        offered: all.iter().map(reference).collect(),
        changes,
        deletes: changes,
        asks: false,
        has_feed: false,
        has_webhook: false,
        made: None,
        input: Input::default(),
        place: place(false),
        people,
        shifts,
        rotation,
    }
}

fn nobody() -> RotationPage {
    let empty = Rotation { layers: vec![layer(&[], "09:00", "1d")], ..rotation() };
    page(ada(), empty, true)
}

fn asked() -> RotationPage {
    let typed = [("from", "2026-11-23T09:00"), ("until", "2026-11-30T09:00")];
    let values = typed.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let input = Input { values, errors: BTreeMap::new() };
    RotationPage { asks: true, input, ..page(linus(), rotation(), false) }
}

fn wrong(asks: bool, field: &str, why: &str) -> RotationPage {
    let typed = [("until", "2026-11-16T09:00"), ("members-0", "grace, nobody")];
    let values = typed.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let input = Input::wrong(values, field, why);
    RotationPage { asks, input, ..page(ada(), rotation(), true) }
}

fn made(what: Made) -> RotationPage {
    RotationPage {
        has_feed: true,
        has_webhook: true,
        made: Some(what),
        ..page(ada(), swapped(), true)
    }
}

fn row(name: &str, has_people: bool) -> RotationRow {
    let who = |user: User, at| has_people.then(|| (reference(&user), at));
    RotationRow {
        name: name.into(),
        zone: zone(),
        turns: "mon 09:00, every 1w".into(),
        now: who(linus(), after(66)),
        next: who(grace(), after(66)),
    }
}

fn lists() -> Vec<Scene> {
    let list = |user: User, rotations, creates, input| Rotations {
        visit: visit(user),
        rotations,
        creates,
        input,
        place: place(false),
    };
    let all = || vec![row("on-call", true), row("a-name-of-thirty-six-characters-long", false)];
    let typed = BTreeMap::from([("name".to_owned(), "on-call".to_owned())]);
    let taken = Input::wrong(typed, "members", "There is no user \"nobody\".");
    let place_of_many = Rotations {
        visit: sees_several(ada()),
        place: place(true),
        ..list(ada(), all(), true, Input::default())
    };
    vec![
        scene("rotations", list(ada(), all(), true, Input::default()).render()),
        scene("rotations-empty", list(ada(), vec![], true, Input::default()).render()),
        scene("rotations-member", list(linus(), all(), false, Input::default()).render()),
        scene("rotations-none", list(linus(), vec![], false, Input::default()).render()),
        scene("rotations-wrong", list(ada(), all(), true, taken).render()),
        scene("rotations-organization", place_of_many.render()),
    ]
}

pub fn all() -> Vec<Scene> {
    let webhook = Made::Webhook {
        url: "https://steading.hearth.lan/api/v2/rotations/0190/webhook".into(),
        secret: "5f2c0a".repeat(8),
    };
    let feed = Made::Feed("https://steading.hearth.lan/calendar/stAAAAAAAA-B/0190.ics".into());
    let pages = [
        ("rotation", page(ada(), swapped(), true)),
        ("rotation-member", page(linus(), swapped(), false)),
        ("rotation-layers", page(ada(), layered(), true)),
        ("rotation-nobody", nobody()),
        (
            "rotation-zone-gone",
            page(ada(), Rotation { zone: Zone::kept("Moon/Base"), ..rotation() }, true),
        ),
        ("rotation-override", asked()),
        ("rotation-override-wrong", wrong(true, "until", "Must lie ahead.")),
        ("rotation-settings-wrong", wrong(false, "members-0", "There is no user \"nobody\".")),
        ("rotation-feed", made(feed)),
        ("rotation-webhook", made(webhook)),
    ];
    let pages = pages.map(|(name, page)| scene(name, page.render()));
    lists().into_iter().chain(pages).collect()
}
