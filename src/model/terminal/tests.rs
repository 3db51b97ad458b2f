//! One terminal and four people.

use proptest::prelude::*;

use super::control::*;
use super::*;

fn user(n: u128) -> UserRef {
    let names = ["ada", "ben", "cora", "dan"];
    let name = names.get(usize::try_from(n).unwrap() % 4).unwrap();
    UserRef { id: UserId(uuid::Uuid::from_u128(n)), username: name.parse().unwrap() }
}

fn by(n: u128, rank: Part) -> By {
    By { user: user(n), rank }
}

fn session(n: u128) -> SessionId {
    SessionId(uuid::Uuid::from_u128(100 + n))
}

fn seat(n: u128, rank: Part, window: (u16, u16)) -> Seat {
    Seat {
        session: session(n),
        user: user(n),
        rank,
        most: rank,
        coming: Coming::Join,
        through: SessionKind::Terminal,
        since: Timestamp(1),
        is_recorded: false,
        window,
        typed_at: None,
    }
}

/// Ada began and may moderate, Ben and Cora may type, Dan looks on.
fn room() -> Room {
    let mut room = Room::new(user(0), Timestamp(0), (80, 24));
    room.enter(seat(0, Part::Moderator, (120, 40))).unwrap();
    room.enter(seat(1, Part::Typist, (100, 50))).unwrap();
    room.enter(seat(2, Part::Typist, (200, 60))).unwrap();
    room.enter(seat(3, Part::Watcher, (40, 10))).unwrap();
    room
}

fn who_types(room: &Room) -> Vec<u128> {
    (0..4).filter(|n| room.may_type(session(*n))).collect()
}

#[test]
fn everyone_types_who_may_and_the_smallest_of_their_windows_rules() {
    let mut room = room();
    assert_eq!(who_types(&room), [0, 1, 2]);
    assert_eq!(room.size(), (100, 40), "who looks on has no say");
    assert!(room.set_window(session(1), (90, 20)) && room.size() == (90, 20));
    assert!(!room.set_window(session(3), (10, 5)));
    room.apply(&by(1, Part::Typist), Deed::Pin { cols: 70, rows: 30 }).unwrap_err();
    room.apply(&by(0, Part::Typist), Deed::Pin { cols: 70, rows: 30 }).unwrap();
    assert!(!room.set_window(session(1), (60, 20)) && room.size() == (70, 30));
    room.apply(&by(0, Part::Moderator), Deed::Unpin).unwrap();
    room.leave(session(1));
    assert_eq!(room.size(), (120, 40));
    (0..3).for_each(|n| room.leave(session(n)));
    assert_eq!(room.size(), (200, 60), "where nobody types it stays");
}

#[test]
fn control_is_asked_for_given_and_taken() {
    let mut room = room();
    let (ada, ben, cora) = (by(0, Part::Moderator), by(1, Part::Typist), by(2, Part::Typist));
    assert_eq!(room.apply(&ben, Deed::Take), Err(Refused::NoTurns));
    assert_eq!(room.apply(&ben, Deed::OneAtATime), Err(Refused::NotModerator));
    room.apply(&ada, Deed::OneAtATime).unwrap();
    assert_eq!((who_types(&room), room.size()), (vec![0], (120, 40)));
    assert_eq!(room.apply(&ben, Deed::Take), Err(Refused::Held));
    assert_eq!(room.apply(&ben, Deed::Give { to: cora.user.id }), Err(Refused::NotHolder));
    room.apply(&ben, Deed::Ask).unwrap();
    assert!(room.asks(ben.user.id) && room.said == "ben asks for control.");
    room.apply(&ada, Deed::Give { to: ben.user.id }).unwrap();
    assert!(who_types(&room) == [1] && !room.asks(ben.user.id));
    assert_eq!(room.apply(&ben, Deed::Give { to: user(3).id }), Err(Refused::NotThere));
    room.apply(&ben, Deed::Give { to: cora.user.id }).unwrap();
    room.leave(session(2));
    assert_eq!(who_types(&room), [0u128; 0], "control goes with who has it");
    room.apply(&ben, Deed::Ask).unwrap();
    assert_eq!(who_types(&room), [1], "what nobody has is had by asking");
    room.apply(&ada, Deed::Take).unwrap();
    assert_eq!(who_types(&room), [0]);
    room.apply(&ada, Deed::Release).unwrap();
    room.apply(&ada, Deed::Everyone).unwrap();
    assert_eq!(who_types(&room), [0, 1]);
}

#[test]
fn who_looks_on_stays_so_until_a_moderator_says_otherwise() {
    let mut room = room();
    let (ada, ben) = (by(0, Part::Moderator), by(1, Part::Typist));
    assert_eq!(room.apply(&ben, Deed::Quiet { user: user(2).id }), Err(Refused::NotModerator));
    let ada_herself = Deed::Quiet { user: user(0).id };
    assert_eq!(room.apply(&ada, ada_herself), Err(Refused::NotThere));
    room.apply(&ada, Deed::Quiet { user: ben.user.id }).unwrap();
    room.leave(session(1));
    room.enter(seat(1, Part::Typist, (80, 24))).unwrap();
    assert_eq!(who_types(&room), [0, 2], "coming back changes nothing");
    room.apply(&ada, Deed::OneAtATime).unwrap();
    assert_eq!(room.apply(&ben, Deed::Ask), Err(Refused::Watches));
    room.apply(&ada, Deed::Everyone).unwrap();
    room.apply(&ada, Deed::Unquiet { user: ben.user.id }).unwrap();
    assert_eq!(who_types(&room), [0, 1, 2]);
    assert_eq!(room.apply(&ben, Deed::End), Err(Refused::NotModerator));
    room.apply(&ada, Deed::End).unwrap();
    assert_eq!(room.ended.as_deref(), Some("ada ended this terminal"));
}

#[test]
fn typing_is_told_and_then_idling() {
    let mut room = room();
    assert!(room.typed(session(1), Timestamp(100)));
    assert!(!room.typed(session(1), Timestamp(101)) && room.typed(session(1), Timestamp(103)));
    let doing = |room: &Room, n, at| room.doing(room.seat(session(n)).unwrap(), Timestamp(at));
    assert_eq!(doing(&room, 1, 104), Doing::Typing);
    assert_eq!(doing(&room, 1, 163), Doing::Idle(60));
    assert_eq!(doing(&room, 2, 61), Doing::Idle(60));
    assert_eq!(doing(&room, 3, 61), Doing::Watching);
    let mut room = Room::new(user(0), Timestamp(0), (80, 24));
    let watch = Seat { coming: Coming::Watch, ..seat(0, Part::Moderator, (80, 24)) };
    room.enter(watch).unwrap();
    assert_eq!(who_types(&room), [0u128; 0], "who came to look on does");
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let whom = || (0u128..4).prop_map(|n| user(n).id);
    prop_oneof![
        Just(Deed::Ask),
        Just(Deed::Take),
        Just(Deed::Release),
        whom().prop_map(|to| Deed::Give { to }),
        whom().prop_map(|user| Deed::Decline { user }),
        Just(Deed::OneAtATime),
        Just(Deed::Everyone),
        whom().prop_map(|user| Deed::Quiet { user }),
        whom().prop_map(|user| Deed::Unquiet { user }),
        (any::<u16>(), any::<u16>()).prop_map(|(cols, rows)| Deed::Pin { cols, rows }),
        Just(Deed::Unpin),
    ]
}

proptest! {
    #[test]
    fn nothing_that_is_done_lets_a_watcher_type(
        steps in proptest::collection::vec((0u128..4, any_deed(), any::<bool>()), 0..60),
    ) {
        let mut room = room();
        let ranks = [Part::Moderator, Part::Typist, Part::Typist, Part::Watcher];
        for (n, deed, leaves) in steps {
            let rank = ranks[usize::try_from(n).unwrap()];
            let _ = room.apply(&by(n, rank), deed);
            if leaves {
                room.leave(session(n));
                room.enter(seat(n, rank, (90, 30))).unwrap();
            }
            let types = who_types(&room);
            prop_assert!(!types.contains(&3));
            prop_assert!(room.turns == Turns::Everyone || types.len() <= 1);
            let (cols, rows) = room.size();
            prop_assert!(SIZES.contains(&cols) && SIZES.contains(&rows));
        }
    }
}

#[test]
fn who_moderates_no_more_is_made_to_look_on_like_others_and_never_gets_more_than_they_came_with() {
    let mut room = room();
    room.enter(seat(5, Part::Moderator, (120, 40))).unwrap();
    let ben = user(5).id;
    let quiet = Deed::Quiet { user: ben };
    assert_eq!(room.apply(&by(0, Part::Moderator), quiet), Err(Refused::NotThere));
    assert!(room.set_rank(session(5), Part::Typist));
    assert!(!room.set_rank(session(5), Part::Typist));
    room.apply(&by(5, Part::Typist), Deed::OneAtATime).unwrap_err();
    room.apply(&by(0, Part::Moderator), Deed::OneAtATime).unwrap();
    room.apply(&by(0, Part::Moderator), Deed::Give { to: ben }).unwrap();
    room.apply(&by(0, Part::Moderator), quiet).unwrap();
    assert!(!room.may_type(session(5)));
    // Read anew, it is theirs again; what they did not come with is not.
    assert!(room.set_rank(session(5), Part::Moderator));
    assert_eq!(room.part(room.seat(session(5)).unwrap()), Part::Moderator);
    assert!(!room.set_rank(session(1), Part::Moderator));
    // Who loses all of it has no turn any more.
    room.apply(&by(0, Part::Moderator), Deed::Give { to: user(1).id }).unwrap();
    assert!(room.set_rank(session(1), Part::Watcher));
    assert_eq!(room.turns, Turns::One(None));
}
