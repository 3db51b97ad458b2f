//! Rights that end: live sessions, tunnels and pages that stand on them are cut at once.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;

use super::Fleet;
use super::register::{Cause, Live};
use crate::model::event::Event;
use crate::model::id::{IdentityGrantId, UserId, WorkspaceId};
use crate::model::session::{EndReason, Proof, SessionKind, Shown};
use crate::model::time::Timestamp;
use crate::model::verb::Verb;
use crate::server::app::access::Kept;
use crate::tasks::OnPanic;

/// Rights with an end need no commit to end: everything is looked at when the first of them does, and
/// this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who is where, and what they had shown.
pub(super) type Right = (UserId, WorkspaceId, Shown);

impl Fleet {
    /// Listens for changes of rights and cuts what no longer stands on any. Never returns while
    /// the database is open.
    pub(super) async fn watch_rights(&self) {
        let mut events = self.0.app.events();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut next_end = None;
        loop {
            let end = next_end.map(|end| self.until(end));
            let at_end = async { sleep(end.unwrap_or(LOOK_EVERY)).await };
            tokio::select! {
                event = events.recv() => match event {
                    Ok(Event::User(_) | Event::Grants) | Err(RecvError::Lagged(_)) => {
                        next_end = self.cut_pass().await;
                    }
                    Ok(Event::Workspace(workspace)) => self.agents_pass(workspace).await,
                    Ok(
                        Event::Template(_) | Event::Version(_) | Event::VersionLog(_) | Event::Queue
                        | Event::BuildLog(_) | Event::Agent(..) | Event::AgentLog(_)
                        | Event::AgentMetadata(_) | Event::AgentHealth(_) | Event::Session(..) | Event::Providers,
                    ) => {}
                    Err(RecvError::Closed) => return,
                },
                _ = look.tick() => next_end = self.cut_pass().await,
                () = at_end, if end.is_some() => next_end = self.cut_pass().await,
            }
        }
    }

    /// How long it is until then; no longer than the next look is away.
    fn until(&self, end: Timestamp) -> Duration {
        let left = end.0.saturating_mul(1000).saturating_sub(self.0.clock.now_ms());
        // One that is over and stands all the same is not looked at in a circle.
        let left = u64::try_from(left).ok().filter(|left| *left > 0);
        left.map_or(LOOK_EVERY, Duration::from_millis).min(LOOK_EVERY)
    }

    /// One look at every live session, tunnel and page. Gives when the first of their rights ends by the
    /// clock.
    async fn cut_pass(&self) -> Option<Timestamp> {
        self.grants_pass().await;
        self.proofs_pass().await;
        let live = self.0.register.pick(|_| true);
        let mut clients = self.client_rights();
        clients.extend(self.held_rights());
        let mut next_end = None;
        // A tunnel is never there to look on, a page to look and no more.
        let others = [
            (Verb::Connect, clients),
            (Verb::Watch, vec![]),
            (Verb::View, self.0.viewers.rights()),
        ];
        for (right, others) in others {
            let by_it: Vec<_> = live.iter().filter(|l| l.right == right).cloned().collect();
            let end = self.cut_by(right, &by_it, others).await;
            next_end = [next_end, end].into_iter().flatten().min();
        }
        self.ranks_pass(None).await;
        next_end
    }

    /// One look at those who are there by this right. Gives when the first of them has it no more.
    async fn cut_by(
        &self,
        right: Verb,
        live: &[Arc<Live>],
        others: Vec<Right>,
    ) -> Option<Timestamp> {
        let mut asked: BTreeSet<Right> =
            live.iter().map(|l| (l.user, l.workspace, l.shown)).collect();
        asked.extend(others);
        let asked: Vec<_> = asked.into_iter().collect();
        if asked.is_empty() {
            return None;
        }
        let kept = match self.0.app.who_may(right, asked.clone()).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(%error, "rights could not be read; sessions stay until they can");
                return None;
            }
        };
        // What began when nobody demanded a recording begins again, recorded.
        let demands = |right| kept.get(&right).is_some_and(|kept: &Kept| kept.is_recorded);
        let unseen = |l: &&Arc<Live>| {
            let is_shell = matches!(l.kind, SessionKind::Terminal | SessionKind::Ssh);
            is_shell && self.is_recorded(l).is_none() && demands((l.user, l.workspace, l.shown))
        };
        self.cut_sessions(live.iter().filter(unseen).cloned().collect(), Cause::Unrecorded);
        if right == Verb::Connect {
            self.cut_clients(Cause::Unrecorded, |c| demands((c.user.id, c.workspace, c.shown)));
        }
        for lost in asked.into_iter().filter(|one| !kept.contains_key(one)) {
            self.cut(right, lost);
        }
        self.say_ends(live, &kept).await;
        kept.values().filter_map(|kept| kept.until).min()
    }

    /// Tells whose right ends soon. After the cuts: those do not wait for it.
    async fn say_ends(&self, live: &[Arc<Live>], kept: &BTreeMap<Right, Kept>) {
        let (now, mut places) = (self.0.clock.now(), BTreeMap::new());
        for session in live {
            let right = (session.user, session.workspace, session.shown);
            let end = kept.get(&right).and_then(|kept| kept.until);
            let Some(left) = end.map(|end| end.0 - now.0) else { continue };
            if session.is_end_due(left) {
                let place = match places.entry(session.workspace) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        new.insert(self.0.app.place_of(session.workspace).await.unwrap_or_default())
                    }
                };
                session.say_end(left, place);
            }
        }
    }

    /// Cuts everything a user has open in a workspace by a right and what they had shown. Nothing here
    /// waits for another end.
    fn cut(&self, right: Verb, (user, workspace, shown): Right) {
        if right == Verb::View {
            return self.0.viewers.end(&(user, workspace, shown));
        }
        let is = |who: Right| who == (user, workspace, shown);
        let by_it = |l: &Live| l.right == right && is((l.user, l.workspace, l.shown));
        let theirs = self.0.register.pick(by_it);
        tracing::info!(user.id = %user, workspace.id = %workspace, n_sessions = theirs.len(), "a right ended");
        self.cut_sessions(theirs, Cause::Right);
        if right != Verb::Connect {
            return;
        }
        if shown == Shown::default() {
            self.cut_held(user, workspace);
        }
        self.cut_clients(Cause::Right, |c| is((c.user.id, c.workspace, c.shown)));
    }

    fn cut_sessions(&self, theirs: Vec<Arc<Live>>, cause: Cause) {
        for live in theirs {
            live.cut_for(cause);
            let message = crate::wire::agent::ToAgent::CutSession { session: live.id };
            self.tell_agent(live.agent, &message);
            // Nobody is in a workspace any more who was cut, whatever their client does about it.
            let fleet = self.clone();
            self.0.tasks.spawn_graceful("session-cut", OnPanic::Lose, async move {
                fleet.end(live.id, EndReason::Revoked).await;
            });
        }
    }

    /// Cuts what was begun on a provider's word that holds no longer, whatever rights there are.
    async fn grants_pass(&self) {
        let mut asked: BTreeSet<IdentityGrantId> = self.client_grants().into_iter().collect();
        let live = self.0.register.pick(|l| l.shown.identity_grant.is_some());
        asked.extend(live.iter().filter_map(|l| l.shown.identity_grant));
        if asked.is_empty() {
            return;
        }
        let held = match self.0.app.grants_that_hold(asked.clone()).await {
            Ok(held) => held,
            Err(error) => {
                tracing::error!(%error, "grants could not be read; sessions stay until they can");
                return;
            }
        };
        for over in asked.difference(&held) {
            let theirs = self.0.register.pick(|l| l.shown.identity_grant == Some(*over));
            tracing::info!(n_sessions = theirs.len(), "sessions end with a provider's grant");
            self.cut_sessions(theirs, Cause::SignIn);
            self.cut_clients(Cause::SignIn, |c| c.shown.identity_grant == Some(*over));
        }
    }

    /// Cuts what was begun by a token or a key that is no more.
    async fn proofs_pass(&self) {
        let mut asked: BTreeSet<Proof> = self.client_proofs().into_iter().collect();
        let live = self.0.register.pick(|l| l.shown.by.is_some());
        asked.extend(live.iter().filter_map(|l| l.shown.by));
        if asked.is_empty() {
            return;
        }
        let held = match self.0.app.proofs_that_hold(asked.clone()).await {
            Ok(held) => held,
            Err(error) => {
                tracing::error!(%error, "tokens and keys could not be read; sessions stay until they can");
                return;
            }
        };
        for over in asked.difference(&held) {
            let theirs = self.0.register.pick(|l| l.shown.by == Some(*over));
            tracing::info!(n_sessions = theirs.len(), "sessions end with a token or a key");
            self.cut_sessions(theirs, Cause::Proof);
            self.cut_clients(Cause::Proof, |c| c.shown.by == Some(*over));
        }
    }

    /// Agents of a workspace that a newer build replaced may not stay.
    async fn agents_pass(&self, workspace: WorkspaceId) {
        for (agent, _) in self.connected_agents().into_iter().filter(|(_, w)| *w == workspace) {
            match self.0.app.agent_is_current(agent).await {
                Ok(true) => {}
                Ok(false) => {
                    let why = "the workspace was stopped, built anew or deleted. This machine stays as \
                        it is; `steading agent uninstall` takes the agent off it";
                    self.dismiss_agent(agent, why);
                }
                Err(error) => tracing::warn!(%error, "whether an agent may stay could not be read"),
            }
        }
    }
}
