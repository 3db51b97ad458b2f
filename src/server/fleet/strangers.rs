//! Who has come to a socket and not said yet who they are: so many of one user, and so many of all. One that
//! comes beyond that takes the place of the oldest, since who means well says it at once. Pure.

use std::collections::BTreeMap;

/// Strangers at most.
const MAX: usize = 64;
/// Strangers of one user at most: some agents of theirs that come at once.
const MAX_OF_ONE: usize = 16;

/// Those who are there, by their number, which grows: whose they are, and by what they are sent away.
#[derive(Debug)]
pub(super) struct Strangers<T> {
    there: BTreeMap<u64, (u32, T)>,
    came: u64,
}

impl<T> Default for Strangers<T> {
    fn default() -> Self {
        Self { there: BTreeMap::new(), came: 0 }
    }
}

impl<T> Strangers<T> {
    /// Someone comes. Gives their number, and who is to leave for them.
    pub(super) fn admit(&mut self, uid: u32, end: T) -> (u64, Option<T>) {
        let full = if self.of(uid) >= MAX_OF_ONE {
            Some(uid)
        } else if self.there.len() >= MAX {
            self.most()
        } else {
            None
        };
        let left = full.and_then(|of| self.oldest(of)).and_then(|n| self.there.remove(&n));
        self.came += 1;
        self.there.insert(self.came, (uid, end));
        (self.came, left.map(|(_, end)| end))
    }

    /// Someone has said who they are, or left.
    pub(super) fn leave(&mut self, number: u64) {
        self.there.remove(&number);
    }

    fn of(&self, uid: u32) -> usize {
        self.there.values().filter(|(of, _)| *of == uid).count()
    }

    /// Whose are the most.
    fn most(&self) -> Option<u32> {
        self.there.values().map(|(uid, _)| *uid).max_by_key(|uid| self.of(*uid))
    }

    fn oldest(&self, uid: u32) -> Option<u64> {
        self.there.iter().find(|(_, (of, _))| *of == uid).map(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_takes_a_share_and_whoever_takes_most_makes_room() {
        let mut strangers = Strangers::default();
        for n in 0..MAX_OF_ONE {
            assert_eq!(strangers.admit(1, n).1, None);
        }
        assert_eq!(strangers.admit(1, 99).1, Some(0), "their own oldest");
        for n in 0..MAX - MAX_OF_ONE {
            let uid = 2 + u32::try_from(n).unwrap();
            assert_eq!(strangers.admit(uid, 100 + n).1, None, "others have room");
        }
        assert_eq!(strangers.admit(5000, 200).1, Some(1), "of whoever has most");
        assert_eq!(strangers.there.len(), MAX);
        strangers.leave(1);
        let (number, _) = strangers.admit(6000, 201);
        strangers.leave(number);
        assert_eq!(strangers.admit(6000, 202).1, None);
    }
}
