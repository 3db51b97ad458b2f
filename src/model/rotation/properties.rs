//! What holds of every rotation over ten years, in places that change their clocks and that do not.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// Clocks that change by an hour, at midnight, in the south, by half an hour, and never; the last
/// left out a day.
const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Cairo",
    "Pacific/Apia",
];
/// Seconds of ten years.
const DECADE: i64 = 3_653 * 86_400;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn layer(members: &[u128], handoff: &str, length: &str, starts_at: Timestamp) -> Layer {
    Layer {
        members: members.iter().map(|n| Member::new(user(*n))).collect(),
        first: 0,
        handoff: handoff.parse().unwrap(),
        length: length.parse().unwrap(),
        starts_at,
        restrictions: vec![],
    }
}

fn rotation(zone: &str, layers: Vec<Layer>) -> Rotation {
    Rotation {
        id: RotationId(Uuid::from_u128(1)),
        organization_id: OrganizationId(Uuid::from_u128(2)),
        name: GroupName::parse("on-call").unwrap(),
        zone: Zone::parse(zone).unwrap(),
        layers,
        overrides: vec![],
        created_at: Timestamp(0),
    }
}

fn swap(n: u128, who: u128, from: &str, until: &str) -> Override {
    Override {
        id: OverrideId(Uuid::from_u128(n)),
        user: user(who),
        from_at: at(from),
        until_at: at(until),
        made_by: None,
        reason: String::new(),
    }
}

/// Ten years, in parts that may be planned at once.
fn parts(start: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let step = 399 * 86_400;
    let ends = (start.0..start.0 + DECADE).step_by(usize::try_from(step).unwrap());
    ends.map(|from| (Timestamp(from), Timestamp(from + step))).collect()
}

fn decade(rotation: &Rotation, start: Timestamp) -> Vec<Shift> {
    parts(start).into_iter().flat_map(|(from, until)| rotation.shifts(from, until)).collect()
}

fn hours(shift: &Shift) -> i64 {
    (shift.until_at.0 - shift.from_at.0) / 3_600
}

#[test]
fn a_day_of_twenty_three_hours_and_one_of_twenty_five_are_a_day_each() {
    let london = |layers| rotation("Europe/London", layers);
    let start = at("2026-11-16T09:00:00Z");
    let day = london(vec![layer(&[1, 2], "09:00", "1d", start)]);
    let spring = day.shifts(at("2027-03-27T09:00:00Z"), at("2027-03-30T08:00:00Z"));
    assert_eq!(spring.iter().map(hours).collect::<Vec<_>>(), [23, 24, 24]);
    let autumn = day.shifts(at("2027-10-30T08:00:00Z"), at("2027-11-01T09:00:00Z"));
    assert_eq!(autumn.iter().map(hours).collect::<Vec<_>>(), [25, 24]);
    // A handoff that the clocks jump over is at the jump, one that comes twice is the first.
    let night = london(vec![layer(&[1, 2], "01:30", "1d", start)]);
    let spring = night.shifts(at("2027-03-27T01:30:00Z"), at("2027-03-29T00:30:00Z"));
    assert_eq!(spring[1].from_at, at("2027-03-28T01:00:00Z"));
    let autumn = night.shifts(at("2027-10-30T00:30:00Z"), at("2027-11-01T01:30:00Z"));
    assert_eq!(autumn[1].from_at, at("2027-10-31T00:30:00Z"));
}

#[test]
fn a_week_begins_on_its_day_also_over_a_leap_day() {
    let start = at("2028-02-21T08:00:00Z");
    let week = rotation("Europe/Berlin", vec![layer(&[1, 2, 3], "mon 09:00", "1w", start)]);
    let shifts = week.shifts(start, at("2028-03-13T08:00:00Z"));
    let from: Vec<String> = shifts.iter().map(|s| week.zone.write(s.from_at)).collect();
    assert_eq!(from, ["2028-02-21T09:00", "2028-02-28T09:00", "2028-03-06T09:00"]);
    let day = rotation("Europe/Berlin", vec![layer(&[1, 2], "09:00", "1d", start)]);
    assert_ne!(day.on_call(at("2028-02-29T08:00:00Z")), day.on_call(at("2028-03-01T08:00:00Z")));
}

#[test]
fn a_rotation_made_in_the_middle_of_a_turn_begins_with_its_rest() {
    let start = at("2026-11-18T12:00:00Z");
    let week = rotation("UTC", vec![layer(&[1, 2], "mon 09:00", "1w", start)]);
    assert_eq!(week.on_call(Timestamp(start.0 - 1)), None);
    let shifts = week.shifts(at("2026-11-16T00:00:00Z"), at("2026-11-24T00:00:00Z"));
    assert_eq!((shifts[0].user, shifts[0].from_at), (user(1), start));
    assert_eq!((shifts[1].user, shifts[1].from_at), (user(2), at("2026-11-23T09:00:00Z")));
}

#[test]
fn overrides_win_over_layers_and_later_ones_over_earlier_ones() {
    let start = at("2026-11-16T09:00:00Z");
    let nights = Restriction { days: 0x7f, from: 18 * 60, until: 8 * 60 };
    let night = Layer {
        restrictions: vec![nights],
        ..layer(&[7], "00:00", "1w", at("2026-11-01T00:00:00Z"))
    };
    let mut all = rotation("UTC", vec![layer(&[1], "mon 09:00", "1w", start), night]);
    let who = |all: &Rotation, text: &str| all.on_call(at(text));
    assert_eq!(who(&all, "2026-11-17T12:00:00Z"), Some(user(1)));
    assert_eq!(who(&all, "2026-11-17T18:00:00Z"), Some(user(7)));
    assert_eq!(who(&all, "2026-11-18T07:59:59Z"), Some(user(7)));
    assert_eq!(who(&all, "2026-11-18T08:00:00Z"), Some(user(1)));
    all.overrides = vec![
        swap(1, 8, "2026-11-17T10:00:00Z", "2026-11-17T20:00:00Z"),
        swap(2, 9, "2026-11-17T11:00:00Z", "2026-11-17T12:00:00Z"),
    ];
    let shifts = all.shifts(at("2026-11-17T09:00:00Z"), at("2026-11-18T09:00:00Z"));
    let users: Vec<UserId> = shifts.iter().map(|s| s.user).collect();
    assert_eq!(users, [1, 8, 9, 8, 7, 1].map(user));
    assert!(all.is_all_of(user(8), (at("2026-11-17T12:00:00Z"), at("2026-11-17T20:00:00Z"))));
    assert!(!all.is_all_of(user(8), (at("2026-11-17T10:00:00Z"), at("2026-11-17T20:00:00Z"))));
}

#[test]
fn whoever_is_new_comes_after_the_turn_that_is_under_way() {
    let start = at("2026-11-16T09:00:00Z");
    let old = layer(&[1, 2, 3], "mon 09:00", "1w", start);
    let now = at("2026-11-25T12:00:00Z");
    let zone = Zone::parse("UTC").unwrap();
    let new = old.with_members(&[4, 1, 2, 3].map(user), &zone, now);
    let all = rotation("UTC", vec![new]);
    let users: Vec<UserId> =
        all.shifts(now, at("2026-12-21T09:00:00Z")).iter().map(|s| s.user).collect();
    assert_eq!(users, [2, 3, 4, 1].map(user));
    // Who is only left out leaves everybody else's time as it was.
    let left = old.with_members(&[1, 3].map(user), &zone, now);
    let all = rotation("UTC", vec![left]);
    let users: Vec<UserId> =
        all.shifts(now, at("2026-12-21T09:00:00Z")).iter().map(|s| s.user).collect();
    assert_eq!(users, [3, 3, 1, 3].map(user));
}

#[test]
fn who_is_added_does_not_move_the_shift_under_way() {
    // Wednesday noon: the turn that began at nine is the third one's.
    let old = layer(&[1, 2, 3], "mon 09:00", "1d", at("2026-11-16T09:00:00Z"));
    let now = at("2026-11-18T12:00:00Z");
    let zone = Zone::parse("UTC").unwrap();
    let new = old.with_members(&[1, 2, 3, 4].map(user), &zone, now);
    let shifts = rotation("UTC", vec![new]).shifts(now, at("2026-11-21T09:00:00Z"));
    let said: Vec<_> = shifts.iter().map(|s| (s.user, s.until_at)).collect();
    let nine = |day| at(&format!("2026-11-{day}T09:00:00Z"));
    assert_eq!(said, [(user(3), nine(19)), (user(4), nine(20)), (user(1), nine(21))]);
}

#[test]
fn nothing_is_counted_at_the_end_of_the_calendar() {
    let all = rotation("UTC", vec![layer(&[1, 2], "09:00", "1h", at("2026-11-16T09:00:00Z"))]);
    for from in [at("9999-12-30T21:30:00Z"), at("9999-12-30T22:00:00Z"), Timestamp(i64::MAX - 9)] {
        let until = Timestamp(from.0 + 1);
        assert!(all.edges(from, until).len() < 10, "{from:?}");
        assert!(all.shifts(from, until).len() <= 1, "{from:?}");
    }
}

#[test]
fn nobody_is_on_call_where_everyone_left() {
    let start = at("2026-11-16T09:00:00Z");
    let all = rotation("UTC", vec![layer(&[1, 2], "09:00", "1d", start)]);
    let none = all.without(&BTreeSet::from([user(1), user(2)]));
    assert_eq!(none.shifts(start, Timestamp(start.0 + 86_400 * 30)), []);
    let empty = rotation("UTC", vec![layer(&[], "09:00", "1d", start)]);
    assert_eq!(empty.on_call(Timestamp(start.0 + 1)), None);
}

fn lengths() -> impl Strategy<Value = Length> {
    let some = |n: std::ops::Range<u16>, unit| n.prop_map(move |n| Length { n, unit });
    prop_oneof![some(6..49, Unit::Hours), some(1..15, Unit::Days), some(1..5, Unit::Weeks)]
}

/// Any layer that holds at all hours.
fn full(n: u128) -> impl Strategy<Value = Layer> {
    let handoff = (proptest::option::of(0_u8..7), 0_u16..1_440);
    // From 2009 on: the day that Apia left out lies in the ten years of some.
    let start = 1_230_768_000_i64..1_830_000_000;
    (handoff, lengths(), start).prop_map(move |((weekday, minute), length, start)| Layer {
        members: (1..=n).map(|n| Member::new(user(n))).collect(),
        first: 0,
        handoff: Handoff { weekday, minute },
        length,
        starts_at: Timestamp(start),
        restrictions: vec![],
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_full_layer_leaves_no_gap_and_no_overlap(
        one in full(3), zone in 0..ZONES.len(), probes in proptest::collection::vec(0..DECADE, 50),
    ) {
        let start = one.starts_at;
        let all = rotation(ZONES[zone], vec![one]);
        let shifts = decade(&all, start);
        let mut covered = start;
        for shift in &shifts {
            prop_assert_eq!(shift.from_at, covered);
            prop_assert!(shift.until_at > shift.from_at);
            covered = shift.until_at;
        }
        prop_assert!(covered.0 >= start.0 + DECADE);
        // Whoever has the shift that covers a moment is on call then.
        for probe in probes {
            let at = Timestamp(start.0 + probe);
            let shift = shifts.iter().find(|s| s.from_at <= at && at < s.until_at).unwrap();
            prop_assert_eq!(all.on_call(at), Some(shift.user));
        }
    }

    #[test]
    fn handoffs_are_at_the_time_of_day_that_was_said(
        one in full(4), zone in 0..ZONES.len(),
    ) {
        prop_assume!(one.length.unit != Unit::Hours);
        let all = rotation(ZONES[zone], vec![one.clone()]);
        let planned: BTreeSet<Timestamp> = parts(one.starts_at).iter().map(|p| p.0).collect();
        for shift in decade(&all, one.starts_at) {
            if planned.contains(&shift.from_at) {
                continue;
            }
            let local = all.zone.local(shift.from_at).unwrap();
            let minute = u16::try_from(local.hour()).unwrap() * 60 + u16::try_from(local.minute()).unwrap();
            let before = all.zone.local(Timestamp(shift.from_at.0 - 1)).unwrap();
            let past_midnight = jiff::SignedDuration::from_mins(i64::from(one.handoff.minute));
            // Where the clocks never showed it, it is the moment they jumped. Samoa left out a day.
            let jumped = [local.date(), local.date().yesterday().unwrap()].into_iter().any(|day| {
                let said = day.at(0, 0, 0, 0).checked_add(past_midnight).unwrap();
                before < said && said < local
            });
            prop_assert!(minute == one.handoff.minute || jumped, "{local} for {}", one.handoff);
            let day = u8::try_from(local.weekday().to_monday_zero_offset()).unwrap();
            if let (Some(weekday), Unit::Weeks, false) = (one.handoff.weekday, one.length.unit, jumped) {
                prop_assert_eq!(weekday, day);
            }
        }
    }

    #[test]
    fn who_leaves_changes_only_their_own_time(
        one in full(4), zone in 0..ZONES.len(), gone in 1_u128..5, when in 0..DECADE,
        probes in proptest::collection::vec(0..DECADE, 200),
    ) {
        let before = rotation(ZONES[zone], vec![one.clone()]);
        let mut after = before.clone();
        let now = Timestamp(one.starts_at.0 + when);
        let stay: Vec<UserId> = (1..5).filter(|n| *n != gone).map(user).collect();
        after.layers = vec![one.with_members(&stay, &before.zone, now)];
        for probe in probes {
            let at = Timestamp(one.starts_at.0 + probe);
            let (was, is) = (before.on_call(at), after.on_call(at));
            if was == Some(user(gone)) && at >= now {
                prop_assert!(is.is_some() && is != was);
            } else {
                prop_assert_eq!(was, is);
            }
        }
    }

    #[test]
    fn who_is_added_or_moved_leaves_the_turn_under_way_and_every_handoff(
        one in full(4), zone in 0..ZONES.len(), when in 0..DECADE,
        timing in proptest::option::of(0..4_usize),
        users in proptest::sample::subsequence(vec![1_u128, 2, 3, 4, 5, 6], 1..7).prop_shuffle(),
    ) {
        let known = [("21:00", "12h"), ("08:30", "7h"), ("mon 09:00", "1d"), ("06:00", "3d")];
        let one = match timing {
            Some(n) => layer(&[1, 2, 3, 4], known[n].0, known[n].1, one.starts_at),
            None => one,
        };
        let users: Vec<UserId> = users.into_iter().map(user).collect();
        let before = rotation(ZONES[zone], vec![one.clone()]);
        let now = Timestamp(one.starts_at.0 + when);
        let new = one.with_members(&users, &before.zone, now);
        prop_assert_eq!(new.starts_at, one.starts_at);
        let mut after = before.clone();
        after.layers = vec![new.clone()];
        let holder = before.on_call(now).unwrap();
        if users.contains(&holder) {
            prop_assert_eq!(after.on_call(now), Some(holder));
        }
        // From there on each has a turn in the order given, at the same handoffs as before.
        let turn = one.turn_at(&before.zone, now).unwrap();
        prop_assert_eq!(new.turn_at(&before.zone, now), Some(turn));
        let inside: Vec<UserId> = new.members.iter().filter(|m| m.is_in(now)).map(|m| m.user).collect();
        prop_assert_eq!(&inside, &users);
        if new.members.len() == users.len() {
            let place = users.iter().position(|u| Some(*u) == after.on_call(now)).unwrap();
            for n in 1..9 {
                let next = new.handoff_of(&before.zone, turn + i64::try_from(n).unwrap()).unwrap();
                prop_assert_eq!(new.holder_of(turn + i64::try_from(n).unwrap(), next), Some(users[(place + n) % users.len()]));
            }
        }
    }

    #[test]
    fn shifts_are_who_is_on_call_whatever_the_layers_hours_and_overrides(
        one in full(3), other in full(2), zone in 0..ZONES.len(),
        hours in proptest::collection::vec((0_u8..128, 0_u16..1_440, 0_u16..=1_440), 1..4),
        swaps in proptest::collection::vec((0_i64..50, 1_i64..200, 1_u128..9), 0..6),
    ) {
        let restrictions = hours.iter().map(|(days, from, until)|
            Restriction { days: *days, from: *from, until: *until }).collect();
        let from = one.starts_at.max(other.starts_at);
        let over = Layer { restrictions, ..other };
        let mut all = rotation(ZONES[zone], vec![one, over]);
        all.overrides = swaps.iter().enumerate().map(|(n, (day, hours, who))| Override {
            from_at: Timestamp(from.0 + day * 86_400),
            until_at: Timestamp(from.0 + day * 86_400 + hours * 3_600),
            ..swap(u128::try_from(n).unwrap(), *who, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
        }).collect();
        let until = Timestamp(from.0 + 60 * 86_400);
        let shifts = all.shifts(from, until);
        for at in (from.0..until.0).step_by(1_801).map(Timestamp) {
            let shift = shifts.iter().find(|s| s.from_at <= at && at < s.until_at);
            prop_assert_eq!(all.on_call(at), shift.map(|s| s.user));
        }
        for pair in shifts.windows(2) {
            prop_assert!(pair[0].until_at <= pair[1].from_at);
        }
    }

    #[test]
    fn later_clocks_are_never_earlier_moments(zone in 0..ZONES.len(), start in 0_i64..1_900_000_000) {
        let zone = Zone::parse(ZONES[zone]).unwrap();
        let first = zone.local(Timestamp(start)).unwrap();
        let moments: Vec<Timestamp> = (0..200).filter_map(|n| {
            zone.moment(first.checked_add(jiff::SignedDuration::from_mins(n * 17)).ok()?)
        }).collect();
        prop_assert!(moments.is_sorted());
    }
}
