//! Terminals that are open now, and who is at each.
//!
//! The agent keeps a terminal; who may type there is kept here, in memory. After a restart everyone
//! types who may connect, and whoever looks on waits for one of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::{Fleet, lock};
use crate::model::id::{AgentId, SessionId, TerminalId, WorkspaceId};
use crate::model::terminal::{
    By, Coming, Deed, Doing, OpenTerminal, Part, Refused, Room, Seat, TYPING_S,
};
use crate::model::user::UserRef;
use crate::server::app::{self, Actor};
use crate::wire::agent::ToAgent;

/// Terminals of one agent that are remembered: as many as it may have.
const MAX_TERMINALS: usize = 64;

/// The terminals that are open.
#[derive(Default)]
pub(super) struct Terminals(pub(super) Mutex<All>);

#[derive(Default)]
pub(super) struct All {
    pub(super) open: BTreeMap<At, Open>,
    opened: u64,
}

/// Which terminal of which agent.
pub(super) type At = (AgentId, TerminalId);

pub(super) struct Open {
    pub(super) workspace: WorkspaceId,
    /// Which of those that had this id: another shell may follow one that ended.
    number: u64,
    /// Whether the agent has said that it is there.
    is_there: bool,
    pub(super) room: watch::Sender<Arc<Room>>,
}

/// Where someone wants to sit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Where {
    pub(super) workspace: WorkspaceId,
    pub(super) agent: AgentId,
    pub(super) terminal: TerminalId,
}

/// A place at a terminal; dropping it leaves.
pub(super) struct Chair {
    fleet: Fleet,
    pub(super) place: Where,
    number: u64,
    pub(super) session: SessionId,
    pub(super) room: watch::Receiver<Arc<Room>>,
}

impl Fleet {
    /// Takes a place at a terminal, which begins with it when somebody comes to type.
    pub(super) fn sit(&self, place: Where, seat: Seat) -> Result<Chair, Refused> {
        self.forget_terminals();
        let at = (place.agent, place.terminal);
        let mut all = lock(&self.0.terminals.0);
        if !all.open.contains_key(&at) {
            let types = seat.coming == Coming::Join && seat.rank != Part::Watcher;
            if !types {
                return Err(Refused::Over);
            }
            let is_full = |all: &All| {
                all.open.keys().filter(|(agent, _)| *agent == place.agent).count() >= MAX_TERMINALS
            };
            if is_full(&all) {
                // Of those that nobody is at many have ended; the agent knows which, and counts too.
                let is_here = |open: &Open| !open.room.borrow().seats().is_empty();
                all.open.retain(|(agent, _), open| *agent != place.agent || is_here(open));
            }
            if is_full(&all) {
                return Err(Refused::TooMany);
            }
            all.opened += 1;
            let room = Room::new(seat.user.clone(), seat.since, seat.window);
            let open = Open {
                workspace: place.workspace,
                number: all.opened,
                is_there: false,
                room: watch::Sender::new(Arc::new(room)),
            };
            all.open.insert(at, open);
        }
        let Some(open) = all.open.get(&at).filter(|open| open.workspace == place.workspace) else {
            return Err(Refused::Over);
        };
        let (session, mut entered) = (seat.session, Ok(()));
        open.room.send_modify(|room| entered = Arc::make_mut(room).enter(seat));
        entered?;
        let room = open.room.subscribe();
        Ok(Chair { fleet: self.clone(), place, number: open.number, session, room })
    }

    /// The terminals that are open in a workspace, the oldest first.
    #[must_use]
    pub fn terminals(&self, workspace: WorkspaceId) -> Vec<OpenTerminal> {
        self.forget_terminals();
        let all = lock(&self.0.terminals.0);
        let here = all.open.iter().filter(|(_, o)| o.workspace == workspace && o.is_there);
        let mut found: Vec<OpenTerminal> = here
            .map(|(&(agent, id), open)| {
                let room = Room::clone(&open.room.borrow());
                OpenTerminal { id, workspace, agent, room }
            })
            .collect();
        found.sort_by_key(|terminal| (terminal.room.began_at, terminal.id));
        found
    }

    /// Which terminal a session is at, and what its person does just now; none where nobody knows.
    #[must_use]
    pub fn doing(&self, session: SessionId) -> (Option<TerminalId>, Option<Doing>) {
        let now = self.0.clock.now();
        let all = lock(&self.0.terminals.0);
        for ((_, terminal), open) in &all.open {
            let room = open.room.borrow();
            if let Some(seat) = room.seat(session) {
                return (Some(*terminal), Some(room.doing(seat, now)));
            }
        }
        drop(all);
        let doing = self.0.register.find(session).map(|live| {
            let quiet_s = (now.0 - live.active_at().0).max(0);
            if quiet_s < TYPING_S { Doing::Typing } else { Doing::Idle(quiet_s) }
        });
        (None, doing)
    }

    /// Does something with a terminal, if the actor's rights allow it now; those of whom it is about are read
    /// again, too.
    ///
    /// # Errors
    /// When there is no such terminal, or it is not for the actor to do.
    pub async fn do_at_terminal(
        &self,
        actor: &Actor,
        (workspace, terminal): (WorkspaceId, TerminalId),
        deed: Deed,
    ) -> app::Result<()> {
        let rank = self.0.app.terminal_rank(actor, workspace).await?;
        self.ranks_pass(Some(workspace)).await;
        let mut open = self.terminals(workspace).into_iter();
        let found = open.find(|open| open.id == terminal).ok_or(NOT_OPEN)?;
        let user = &actor.caller()?.user;
        let by = By { user: UserRef { id: user.id, username: user.username.clone() }, rank };
        if deed == Deed::End {
            if !self.is_connected(found.agent) {
                let why = "the workspace's agent is not connected: nobody ends it now";
                return Err(app::Error::Unavailable(why.to_owned()));
            }
            // What is refused leaves no trace of an end.
            found.room.clone().apply(&by, deed).map_err(refused)?;
            let began_by = found.room.began_by.username.to_string();
            self.0.app.note_terminal_end(actor, (workspace, terminal), began_by).await?;
        }
        self.apply((found.agent, terminal), &by, deed).map_err(refused)?;
        match found.room.seats().first() {
            Some(seat) => self.0.app.announce_session(workspace, seat.session).await,
            None => Ok(()),
        }
    }

    fn apply(&self, at: At, by: &By, deed: Deed) -> Result<(), Refused> {
        let mut all = lock(&self.0.terminals.0);
        let open = all.open.get(&at).ok_or(Refused::Over)?;
        let mut done = Ok(());
        open.room.send_if_modified(|room| {
            done = Arc::make_mut(room).apply(by, deed);
            done.is_ok()
        });
        done?;
        if deed == Deed::End {
            all.open.remove(&at);
            drop(all);
            self.tell_agent(at.0, &ToAgent::EndTerminal { terminal: at.1 });
        }
        Ok(())
    }

    /// Forgets terminals that nobody is at and whose agent is gone.
    fn forget_terminals(&self) {
        let agents: Vec<AgentId> = self.connected_agents().into_iter().map(|(id, _)| id).collect();
        let is_kept = |(agent, _): &At, open: &mut Open| {
            agents.contains(agent) || !open.room.borrow().seats().is_empty()
        };
        lock(&self.0.terminals.0).open.retain(is_kept);
    }
}

const NOT_OPEN: app::Error = app::Error::NotFound("terminal");

fn refused(why: Refused) -> app::Error {
    match why {
        Refused::Over => NOT_OPEN,
        Refused::Watches | Refused::NotModerator | Refused::NotHolder => {
            app::Error::Denied(why.to_string())
        }
        Refused::Full | Refused::TooMany | Refused::Held | Refused::NoTurns | Refused::NotThere => {
            app::Error::conflict(why)
        }
    }
}

impl Chair {
    /// The room as it is now.
    pub(super) fn now(&self) -> Arc<Room> {
        Arc::clone(&self.room.borrow())
    }

    /// The terminal as it is now.
    pub(super) fn terminal(&self) -> OpenTerminal {
        let Where { workspace, agent, terminal } = self.place;
        OpenTerminal { id: terminal, workspace, agent, room: Room::clone(&self.now()) }
    }

    /// The agent has it.
    pub(super) fn is_there(&self) {
        self.with(|open| open.is_there = true);
    }

    /// Whether what is typed here goes to the terminal; the others are told of it.
    pub(super) fn types(&self) -> bool {
        let now = self.fleet.0.clock.now();
        let mut may = false;
        self.with(|open| {
            may = open.room.borrow().may_type(self.session);
            if may {
                open.room.send_if_modified(|room| {
                    // A key that is no news leaves the room as others have it.
                    let last = room.seat(self.session).and_then(|seat| seat.typed_at);
                    last != Some(now) && Arc::make_mut(room).typed(self.session, now)
                });
            }
        });
        may
    }

    /// The window here has another size.
    pub(super) fn set_window(&self, window: (u16, u16)) {
        self.with(|open| {
            open.room.send_if_modified(|room| Arc::make_mut(room).set_window(self.session, window));
        });
    }

    /// What ran in it has ended.
    pub(super) fn over(&self) {
        let at = (self.place.agent, self.place.terminal);
        let mut all = lock(&self.fleet.0.terminals.0);
        if all.open.get(&at).is_some_and(|open| open.number == self.number) {
            all.open.remove(&at);
        }
    }

    fn with(&self, work: impl FnOnce(&mut Open)) {
        let at = (self.place.agent, self.place.terminal);
        let mut all = lock(&self.fleet.0.terminals.0);
        if let Some(open) = all.open.get_mut(&at).filter(|open| open.number == self.number) {
            work(open);
        }
    }
}

impl Drop for Chair {
    fn drop(&mut self) {
        let mut is_left = false;
        self.with(|open| {
            open.room.send_modify(|room| Arc::make_mut(room).leave(self.session));
            is_left = !open.is_there && open.room.borrow().seats().is_empty();
        });
        if is_left {
            self.over();
        }
    }
}
