//! How someone comes to a terminal: a place there, a session of their own, and the agent's stream.

use std::sync::Arc;

use super::Fleet;
use super::register::Live;
use super::terminals::{Chair, Where};
use crate::model::id::{AgentId, SessionId, TerminalId};
use crate::model::session::{EndReason, NewSession, SessionKind, Shown};
use crate::model::terminal::{Coming, Part, Seat};
use crate::model::user::UserRef;
use crate::server::app::Actor;
use crate::server::app::terminals::Place;
use crate::ssh::BoxStream;
use crate::ssh::view::View;
use crate::wire::session::Kind;

/// Largest window that may be asked for, in cells each way.
pub(super) const MAX_CELLS: u16 = 1000;

/// Who attaches to which terminal.
#[derive(Clone)]
pub struct Attach {
    /// Who.
    pub user: UserRef,
    /// The same, to be asked for rights again.
    pub actor: Actor,
    /// Where, by which right, and as what: that was checked.
    pub place: Place,
    /// What they came for.
    pub coming: Coming,
    /// In which agent.
    pub agent: AgentId,
    /// Which terminal; it is made when it is not there.
    pub terminal: TerminalId,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// What a new terminal runs; none for a login shell.
    pub command: Option<String>,
    /// The client's address.
    pub address: String,
    /// What the client calls itself.
    pub client: String,
    /// What they had shown.
    pub shown: Shown,
    /// How the client shows it.
    pub showing: Showing,
}

/// How a client shows a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing {
    /// As the bytes come.
    Plain,
    /// The same, and it is told who is there.
    Seats,
    /// Its window keeps its own size: what it shows is drawn for it.
    Drawn,
}

/// Someone who has come to a terminal.
pub(super) struct Came {
    pub(super) live: Arc<Live>,
    pub(super) stream: BoxStream,
    pub(super) chair: Chair,
}

impl Fleet {
    /// Takes a place at a terminal and opens its stream. `began` is a session that has an id already.
    pub(super) async fn come(
        &self,
        attach: Attach,
        through: SessionKind,
        began: Option<SessionId>,
    ) -> anyhow::Result<Came> {
        let id = began.unwrap_or_else(|| self.fresh_session());
        let Place { workspace, right, rank } = attach.place;
        let app = &self.0.app;
        let demanded =
            app.demands_recording_by(right, attach.user.id, (workspace, attach.shown)).await?;
        let size = (attach.cols.clamp(1, MAX_CELLS), attach.rows.clamp(1, MAX_CELLS));
        let is_drawn = attach.showing == Showing::Drawn;
        let seat = Seat {
            session: id,
            user: attach.user.clone(),
            rank,
            most: rank,
            coming: attach.coming,
            through,
            since: self.0.clock.now(),
            is_recorded: app.recording_policy().is_demanded(demanded).is_some(),
            window: if is_drawn { View::room(size) } else { size },
            typed_at: None,
        };
        let place = Where { workspace, agent: attach.agent, terminal: attach.terminal };
        // The place first: whoever hears that a session began finds it taken.
        let chair = self.sit(place, seat)?;
        let new = NewSession {
            is_recorded: demanded,
            shown: attach.shown,
            user_id: attach.user.id,
            workspace_id: workspace,
            agent_id: attach.agent,
            kind: through,
            address: attach.address,
            client: attach.client,
        };
        let live = self.begin_by(right, id, new);
        let only_join = attach.coming == Coming::Watch || rank == Part::Watcher;
        let kind = wanted((attach.terminal, attach.command), chair.now().size(), only_join);
        match self.open(attach.agent, &attach.user, &live, kind).await {
            Ok(opening) => {
                chair.is_there();
                Ok(Came { live, stream: opening.stream, chair })
            }
            Err(error) => {
                // It ended when nobody was there to see it.
                if only_join && chair.now().seats().len() == 1 {
                    chair.over();
                }
                drop(chair);
                self.end(id, EndReason::Lost).await;
                Err(error)
            }
        }
    }
}

/// What the agent is asked for. Whether it is recorded is seen where it is opened.
fn wanted(
    (id, command): (TerminalId, Option<String>),
    (cols, rows): (u16, u16),
    only_join: bool,
) -> Kind {
    Kind::Terminal { id, cols, rows, command, only_join, misses_nothing: false }
}
