//! Limits are met or not, and nobody passes on more than they hold.

use std::net::IpAddr;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp(1_795_000_000);

fn context(ip: Option<IpAddr>, mfa_at: Option<Timestamp>) -> Context<'static> {
    Context { now: NOW, ip, mfa_at, conditions: &[] }
}

fn right(verb: Verb, grant: Option<u8>) -> EffectiveGrant {
    EffectiveGrant {
        user_id: UserId(Uuid::nil()),
        verb,
        reason: if grant.is_some() { Reason::Grant } else { Reason::Role },
        grant_id: grant.map(|n| GrantId(Uuid::from_u128(u128::from(n)))),
        from: Timestamp(0),
        until: None,
        hours: String::new(),
        networks: String::new(),
        needs_mfa: false,
        is_recorded: false,
    }
}

fn rights(verbs: Verbs, grant: Option<u8>) -> Vec<EffectiveGrant> {
    verbs.iter().map(|verb| right(verb, grant)).collect()
}

#[test]
fn a_right_is_held_from_its_beginning_to_just_before_its_end() {
    let mut held = right(Verb::View, Some(1));
    held.from = NOW;
    held.until = Some(Timestamp(NOW.0 + 1));
    assert!(held.is_in_time(NOW));
    assert!(!held.is_in_time(Timestamp(NOW.0 - 1)));
    assert!(!held.is_in_time(Timestamp(NOW.0 + 1)));
}

#[test]
fn each_line_of_limits_has_to_be_met() {
    let mut held = right(Verb::View, Some(1));
    held.networks = "10.0.0.0/8,192.0.2.0/24\n10.1.0.0/16".to_owned();
    let from =
        |ip: &str| may(&[held.clone()], Verb::View, &context(Some(ip.parse().unwrap()), None));
    assert!(from("10.1.2.3"));
    assert!(!from("10.2.2.3"), "in the first list alone");
    assert!(!from("192.0.2.1"));
    assert!(!may(&[held.clone()], Verb::View, &context(None, None)), "from nowhere that is known");
    held.networks = "\n".to_owned();
    held.hours = "\n".to_owned();
    assert!(may(&[held.clone()], Verb::View, &context(None, None)));
    held.needs_mfa = true;
    assert_eq!(unmet(&[held.clone()], Verb::View, &context(None, None)), Some(Unmet::Factor));
    assert!(may(&[held.clone()], Verb::View, &context(None, Some(NOW))));
    held.hours = "whenever".to_owned();
    assert!(!may(&[held], Verb::View, &context(None, Some(NOW))), "what cannot be read is closed");
}

#[test]
fn what_is_recorded_is_so_unless_another_right_says_nothing_of_it() {
    let mut recorded = right(Verb::Connect, Some(1));
    recorded.is_recorded = true;
    let here = context(None, None);
    assert!(is_recorded(&[recorded.clone()], Verb::Connect, &here));
    assert!(!is_recorded(&[recorded, right(Verb::Connect, None)], Verb::Connect, &here));
}

#[test]
fn what_someone_passed_on_stands_wherever_they_are_and_by_that_right_alone() {
    let asked: Verbs = [Verb::View].into_iter().collect();
    let mut held = rights([Verb::View, Verb::Share].into_iter().collect(), Some(1));
    held.iter_mut().for_each(|right| right.networks = "10.0.0.0/8".to_owned());
    let by = |n: u8| Some(GrantId(Uuid::from_u128(u128::from(n))));
    assert!(basis(&held, asked, &context(None, None)).is_err());
    assert!(stands(&held, (asked, by(1)), NOW));
    assert!(!stands(&held, (asked, by(2)), NOW) && !stands(&held, (asked, None), NOW));
    let more = [Verb::View, Verb::Manage].into_iter().collect();
    assert!(!stands(&held, (more, by(1)), NOW));
    held.iter_mut().for_each(|right| right.until = Some(NOW));
    assert!(!stands(&held, (asked, by(1)), NOW));
}

fn verbs() -> impl Strategy<Value = Verbs> {
    any::<u8>().prop_map(Verbs::of_bits)
}

/// What someone holds: by roles, and by up to four grants.
fn held() -> impl Strategy<Value = Vec<EffectiveGrant>> {
    (verbs(), proptest::collection::vec(verbs(), 0..4)).prop_map(|(own, granted)| {
        let mut all = rights(own, None);
        for (n, verbs) in (1_u8..).zip(granted) {
            all.extend(rights(verbs, Some(n)));
        }
        all
    })
}

proptest! {
    #[test]
    fn nobody_passes_on_what_they_do_not_hold_nor_share_by_a_grant(held in held(), asked in verbs()) {
        let here = context(None, None);
        let all: Verbs = held.iter().map(|right| right.verb).collect();
        match basis(&held, asked, &here) {
            Ok(by) => {
                prop_assert!(asked.is_within(all));
                let of: Verbs = held.iter().filter(|g| g.grant_id == by).map(|g| g.verb).collect();
                prop_assert!(of.contains(Verb::Share) && asked.is_within(of));
                prop_assert!(by.is_none() || !asked.contains(Verb::Share));
            }
            Err(lacking) => prop_assert!(lacking.is_within(asked)),
        }
    }

    #[test]
    fn another_grant_takes_nothing_away_and_gives_no_more_than_it_says(held in held(), more in verbs()) {
        let here = context(None, None);
        let mut wider = held.clone();
        wider.extend(rights(more, Some(99)));
        for verb in Verb::ALL {
            let (before, after) = (may(&held, *verb, &here), may(&wider, *verb, &here));
            prop_assert!(after || !before);
            prop_assert_eq!(after, before || more.contains(*verb));
        }
    }
}
