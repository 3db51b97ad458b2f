//! Pages that follow a workspace: each is told when its viewer's right to see it ends.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::revoke::Right;
use super::{Fleet, lock};
use crate::model::id::WorkspaceId;
use crate::server::app::Actor;

/// The pages that are open. There are no more than people may have streams.
#[derive(Default)]
pub(super) struct Viewers(Mutex<All>);

#[derive(Default)]
struct All {
    open: BTreeMap<u64, (Right, CancellationToken)>,
    opened: u64,
}

/// A page that is open; dropping it closes it.
pub struct Viewer {
    fleet: Fleet,
    number: u64,
    end: CancellationToken,
}

impl Fleet {
    /// Has the right watched by which an actor sees a workspace.
    #[must_use]
    pub fn view(&self, actor: &Actor, workspace: WorkspaceId) -> Viewer {
        let shown = actor.shown(actor.ip().parse().ok());
        let right = actor.user_id().map(|user| (user, workspace, shown));
        let (fleet, end) = (self.clone(), CancellationToken::new());
        let mut all = lock(&self.0.viewers.0);
        all.opened += 1;
        let number = all.opened;
        all.open.extend(right.map(|right| (number, (right, end.clone()))));
        drop(all);
        Viewer { fleet, number, end }
    }
}

impl Viewers {
    /// Who looks at what.
    pub(super) fn rights(&self) -> Vec<Right> {
        lock(&self.0).open.values().map(|(right, _)| *right).collect()
    }

    /// Tells all who stand on a right that it is over.
    pub(super) fn end(&self, over: &Right) {
        let all = lock(&self.0);
        let theirs = all.open.values().filter(|(right, _)| right == over);
        theirs.for_each(|(_, end)| end.cancel());
    }
}

impl Viewer {
    /// Waits until the right to see it ends.
    pub async fn over(&self) {
        self.end.cancelled().await;
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        lock(&self.fleet.0.viewers.0).open.remove(&self.number);
    }
}
