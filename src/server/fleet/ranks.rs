//! What those at terminals may do there: their rights change while they sit, and are read again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Fleet, lock};
use crate::model::id::{SessionId, UserId, WorkspaceId};
use crate::model::session::Shown;
use crate::model::terminal::{Part, Seat};
use crate::model::verb::Verb;

impl Fleet {
    /// Reads again whether those who came to terminals as moderators still are, in one workspace or in all.
    /// Who may not connect any more is cut with their session.
    pub(super) async fn ranks_pass(&self, of: Option<WorkspaceId>) {
        let seated = self.moderators(of);
        if seated.is_empty() {
            return;
        }
        let asked = seated.values().copied().collect();
        let kept = match self.0.app.who_may(Verb::Manage, asked).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(%error, "rights could not be read; moderators stay until they can");
                return;
            }
        };
        for (session, right) in seated {
            let rank = if kept.contains_key(&right) { Part::Moderator } else { Part::Typist };
            self.set_rank(session, rank);
        }
    }

    /// Those who came as moderators, and what they had shown.
    fn moderators(
        &self,
        of: Option<WorkspaceId>,
    ) -> BTreeMap<SessionId, (UserId, WorkspaceId, Shown)> {
        let mut found = BTreeMap::new();
        for (workspace, seat) in self.seats(of) {
            if let Some(live) = self.0.register.find(seat.session)
                && seat.most == Part::Moderator
            {
                found.insert(seat.session, (seat.user.id, workspace, live.shown));
            }
        }
        found
    }

    /// Everyone at a terminal, in one workspace or in all.
    fn seats(&self, of: Option<WorkspaceId>) -> Vec<(WorkspaceId, Seat)> {
        let all = lock(&self.0.terminals.0);
        let here = all.open.values().filter(|open| of.is_none_or(|of| of == open.workspace));
        let seats = |open: &super::terminals::Open| {
            let room = open.room.borrow();
            room.seats().into_iter().map(|seat| (open.workspace, seat.clone())).collect::<Vec<_>>()
        };
        here.flat_map(seats).collect()
    }

    fn set_rank(&self, session: SessionId, rank: Part) {
        for open in lock(&self.0.terminals.0).open.values() {
            open.room.send_if_modified(|room| {
                // Others keep the room as they have it where nothing changes.
                room.seat(session).is_some_and(|seat| seat.rank != rank.min(seat.most))
                    && Arc::make_mut(room).set_rank(session, rank)
            });
        }
    }
}
