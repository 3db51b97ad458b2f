//! Adding a role, grant or scope never widens beyond its text, and taking one away never widens.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::time::Timestamp;

const NOWHERE: Context<'_> = Context { now: Timestamp(0), ip: None, mfa_at: None, conditions: &[] };

fn id(n: u8) -> Uuid {
    Uuid::from_u128(u128::from(n) + 1)
}

fn permission() -> impl Strategy<Value = Permission> {
    proptest::sample::select(Permission::all().collect::<Vec<_>>())
}

fn permissions() -> impl Strategy<Value = Permissions> {
    proptest::collection::vec(permission(), 0..12).prop_map(|all| all.into_iter().collect())
}

fn belonging() -> impl Strategy<Value = Belonging> {
    (0..3_u8, permissions(), permissions()).prop_map(|(n, held, denied)| Belonging {
        organization: OrganizationId(id(n)),
        held,
        denied,
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    let thing = (permission(), proptest::option::of(0..3_u8)).prop_map(|(p, n)| match n {
        Some(n) => format!("{}:{}", p.0, id(n)),
        None => format!("{}:*", p.0),
    });
    let words = proptest::collection::vec(permission().prop_map(|p| p.to_string()), 0..20);
    (words, proptest::collection::vec(thing, 0..5))
        .prop_map(|(words, things)| Scope::parse(&words, &things).unwrap())
}

fn subject() -> impl Strategy<Value = Subject> {
    (permissions(), proptest::collection::vec(belonging(), 0..3), scope()).prop_map(
        |(site, organizations, scope)| Subject {
            user: UserId(id(0)),
            kind: UserKind::Person,
            site,
            organizations,
            scope,
        },
    )
}

fn object() -> impl Strategy<Value = (Action, Object)> {
    let some = || proptest::option::of(0..3_u8);
    (permission(), some(), some(), some(), permissions()).prop_map(
        |(Permission(kind, action), thing, owner, organization, granted)| {
            let (id_of, owner) = (thing.map(id), owner.map(|n| UserId(id(n))));
            let organization = organization.map(|n| OrganizationId(id(n)));
            (action, Object { kind, id: id_of, owner, organization, granted })
        },
    )
}

fn may(subject: &Subject, (action, object): &(Action, Object)) -> bool {
    decide(subject, *action, object, &NOWHERE).is_ok()
}

proptest! {
    #[test]
    fn a_role_on_the_site_widens_by_what_it_holds(
        subject in subject(), role in permissions(), asked in object()
    ) {
        let more = Subject { site: subject.site.union(role), ..subject.clone() };
        let (before, after) = (may(&subject, &asked), may(&more, &asked));
        prop_assert!(after || !before, "a role took something away");
        let permission = Permission(asked.1.kind, asked.0);
        prop_assert!(before || !after || role.contains(permission));
    }

    #[test]
    fn a_role_in_an_organization_widens_there_by_what_it_holds(
        subject in subject(), role in permissions(), asked in object(), place in 0..3_u8
    ) {
        let place = OrganizationId(id(place));
        let mut more = subject.clone();
        for belonging in more.organizations.iter_mut().filter(|b| b.organization == place) {
            belonging.held = belonging.held.union(role);
        }
        let (before, after) = (may(&subject, &asked), may(&more, &asked));
        prop_assert!(after || !before);
        let within = asked.1.organization == Some(place);
        prop_assert!(before || !after || (within && role.contains(Permission(asked.1.kind, asked.0))));
    }

    #[test]
    fn a_grant_widens_by_what_it_grants(
        subject in subject(), granted in permissions(), asked in object()
    ) {
        let object = asked.1.granting(asked.1.granted.union(granted));
        let (before, after) = (may(&subject, &asked), may(&subject, &(asked.0, object)));
        prop_assert!(after || !before);
        prop_assert!(before || !after || granted.contains(Permission(asked.1.kind, asked.0)));
    }

    #[test]
    fn a_scope_only_narrows(subject in subject(), asked in object()) {
        let free = Subject { scope: Scope::ALL, ..subject.clone() };
        let (bound, free) = (may(&subject, &asked), may(&free, &asked));
        prop_assert!(free || !bound);
        let permission = Permission(asked.1.kind, asked.0);
        prop_assert!(!bound || subject.scope.has(permission));
        prop_assert!(!bound || subject.scope.reaches(asked.1.kind, asked.1.id));
    }

    #[test]
    fn a_scope_within_another_allows_nothing_more(
        subject in subject(), kept in any::<u128>(), asked in object()
    ) {
        let some = |list: Vec<String>, bits: u128| -> Vec<String> {
            let kept = |n: usize| bits >> (n % 64) & 1 == 1;
            list.into_iter().enumerate().filter(|(n, _)| kept(*n)).map(|(_, word)| word).collect()
        };
        let (words, things) = (subject.scope.words(), subject.scope.things());
        let narrow = Scope::parse(&some(words, kept), &some(things, kept >> 64)).unwrap();
        // Without a word or a thing left it would be wide again.
        if narrow.is_within(&subject.scope) {
            let child = Subject { scope: narrow, ..subject.clone() };
            prop_assert!(may(&subject, &asked) || !may(&child, &asked));
        }
    }

    #[test]
    fn a_ban_and_a_departure_only_narrow(
        subject in subject(), ban in permissions(), asked in object(), place in 0..3_u8
    ) {
        let place = OrganizationId(id(place));
        let mut banned = subject.clone();
        for belonging in banned.organizations.iter_mut().filter(|b| b.organization == place) {
            belonging.denied = belonging.denied.union(ban);
        }
        prop_assert!(may(&subject, &asked) || !may(&banned, &asked));
        let mut left = subject.clone();
        left.organizations.retain(|b| b.organization != place);
        let denied = subject.belonging(place).is_some_and(|b| {
            b.denied.contains(Permission(asked.1.kind, asked.0))
        });
        // Who leaves also leaves behind what was denied there; what is granted to them goes with
        // the membership in the view, not here.
        prop_assert!(may(&subject, &asked) || !may(&left, &asked) || denied);
    }

    #[test]
    fn a_route_lets_pass_whoever_may(subject in subject(), asked in object()) {
        let permission = Permission(asked.1.kind, asked.0);
        if may(&subject, &asked) {
            prop_assert_eq!(subject.may_ever(permission), Ok(()));
        }
    }
}
