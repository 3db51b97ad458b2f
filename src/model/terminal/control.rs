//! What is done with a terminal besides typing, and who may.

use super::{Part, Room, Turns, within};
use crate::model::id::UserId;
use crate::model::user::UserRef;

/// Who does something with a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub user: UserRef,
    /// What their rights make them.
    pub rank: Part,
}

/// What is done with a terminal besides typing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// Asks for control.
    Ask,
    /// Takes control.
    Take,
    /// Gives control up.
    Release,
    /// Gives control to someone.
    Give {
        /// To whom.
        to: UserId,
    },
    /// Turns down who asks for control.
    Decline {
        /// Whom.
        user: UserId,
    },
    /// From now on one types at a time.
    OneAtATime,
    /// From now on everyone types who may.
    Everyone,
    /// Makes someone look on.
    Quiet {
        /// Whom.
        user: UserId,
    },
    /// Lets someone type again.
    Unquiet {
        /// Whom.
        user: UserId,
    },
    /// Keeps a size, whatever windows there are.
    Pin {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Lets the windows give the size again.
    Unpin,
    /// Ends the terminal and what runs in it.
    End,
}

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There are [`super::MAX_SEATS`] at it.
    #[error("too many people are at this terminal")]
    Full,
    /// The agent has as many terminals as it may.
    #[error("there are too many terminals; close some")]
    TooMany,
    /// Only who looks on may not do this.
    #[error("you look on at this terminal")]
    Watches,
    /// It is for moderators, and some of it for who began the terminal.
    #[error("only a moderator of this terminal may do this")]
    NotModerator,
    /// It is for who has control.
    #[error("you do not have control")]
    NotHolder,
    /// Someone else has it.
    #[error("someone else has control; ask for it")]
    Held,
    /// There are no turns.
    #[error("everyone types at this terminal, so there is no control to have")]
    NoTurns,
    /// Whoever it is about is not there, or may not type.
    #[error("nobody of this name who may type is at this terminal")]
    NotThere,
    /// It is no longer there.
    #[error("this terminal is not open")]
    Over,
}

impl Room {
    /// Does it.
    ///
    /// # Errors
    /// Why not.
    pub fn apply(&mut self, by: &By, deed: Deed) -> Result<(), Refused> {
        let me = by.user.id;
        let said = match deed {
            Deed::Ask => self.ask(by)?,
            Deed::Take => self.take(by)?,
            Deed::Release => {
                self.require_holder(me)?;
                self.turns = Turns::One(None);
                "gave control up".to_owned()
            }
            Deed::Give { to } => self.give(by, to)?,
            Deed::Decline { user } => {
                self.require_control(by)?;
                if !self.asking.remove(&user) {
                    return Err(Refused::NotThere);
                }
                format!("keeps control from {}", self.name(user))
            }
            Deed::OneAtATime => {
                self.require_setter(by)?;
                let holds = self.can_type(me).then_some(me);
                self.turns = Turns::One(holds);
                "lets one type at a time".to_owned()
            }
            Deed::Everyone => {
                self.require_setter(by)?;
                self.turns = Turns::Everyone;
                self.asking.clear();
                "lets everyone type".to_owned()
            }
            Deed::Quiet { user } => self.quiet(by, user)?,
            Deed::Unquiet { user } => {
                require_moderator(by)?;
                if !self.quiet.remove(&user) {
                    return Err(Refused::NotThere);
                }
                format!("lets {} type", self.name(user))
            }
            Deed::Pin { cols, rows } => {
                self.require_setter(by)?;
                let size = within((cols, rows));
                self.pinned = Some(size);
                format!("keeps the size at {} × {}", size.0, size.1)
            }
            Deed::Unpin => {
                self.require_setter(by)?;
                self.pinned = None;
                "lets the smallest window give the size".to_owned()
            }
            Deed::End => {
                require_moderator(by)?;
                self.ended = Some(format!("{} ended this terminal", by.user.username));
                "ended this terminal".to_owned()
            }
        };
        self.said = format!("{} {said}.", by.user.username);
        self.fit();
        Ok(())
    }

    fn ask(&mut self, by: &By) -> Result<String, Refused> {
        let Turns::One(holder) = self.turns else { return Err(Refused::NoTurns) };
        if !self.can_type(by.user.id) {
            return Err(Refused::Watches);
        }
        if holder.is_none_or(|holder| holder == by.user.id) {
            return self.take(by);
        }
        self.asking.insert(by.user.id);
        Ok("asks for control".to_owned())
    }

    fn take(&mut self, by: &By) -> Result<String, Refused> {
        let me = by.user.id;
        match self.turns {
            Turns::Everyone => return Err(Refused::NoTurns),
            _ if !self.can_type(me) => return Err(Refused::Watches),
            Turns::One(Some(holder)) if holder != me && by.rank != Part::Moderator => {
                return Err(Refused::Held);
            }
            Turns::One(_) => {}
        }
        self.turns = Turns::One(Some(me));
        self.asking.remove(&me);
        Ok("took control".to_owned())
    }

    fn give(&mut self, by: &By, to: UserId) -> Result<String, Refused> {
        self.require_control(by)?;
        if !self.can_type(to) {
            return Err(Refused::NotThere);
        }
        self.turns = Turns::One(Some(to));
        self.asking.remove(&to);
        Ok(format!("gave control to {}", self.name(to)))
    }

    fn quiet(&mut self, by: &By, user: UserId) -> Result<String, Refused> {
        require_moderator(by)?;
        let theirs = || self.seats.values().filter(|seat| seat.user.id == user);
        if theirs().next().is_none() || theirs().any(|seat| seat.rank == Part::Moderator) {
            return Err(Refused::NotThere);
        }
        let name = self.name(user);
        self.quiet.insert(user);
        self.asking.remove(&user);
        if self.turns == Turns::One(Some(user)) {
            self.turns = Turns::One(None);
        }
        Ok(format!("lets {name} look on only"))
    }

    fn require_holder(&self, me: UserId) -> Result<(), Refused> {
        match self.turns {
            Turns::Everyone => Err(Refused::NoTurns),
            Turns::One(Some(holder)) if holder == me && self.can_type(me) => Ok(()),
            Turns::One(_) => Err(Refused::NotHolder),
        }
    }

    /// Who has control decides who has it next, and so does a moderator.
    fn require_control(&self, by: &By) -> Result<(), Refused> {
        match self.require_holder(by.user.id) {
            Err(Refused::NotHolder) if by.rank == Part::Moderator => Ok(()),
            other => other,
        }
    }

    /// Who began it may set how it is shared, as long as they may type.
    fn require_setter(&self, by: &By) -> Result<(), Refused> {
        if by.user.id == self.began_by.id && by.rank != Part::Watcher {
            return Ok(());
        }
        require_moderator(by)
    }
}

fn require_moderator(by: &By) -> Result<(), Refused> {
    if by.rank == Part::Moderator { Ok(()) } else { Err(Refused::NotModerator) }
}
