//! Favorites: workspaces that someone wants to find first. Nobody else is told, so it is in no log.

use std::collections::BTreeSet;

use super::{Actor, App, Error, Result, access};
use crate::model::event::Event;
use crate::model::id::WorkspaceId;
use crate::model::verb::Verb;
use crate::server::db::favorites;

/// Most that someone has: more are no favorites, and each list reads them.
pub const MAX_FAVORITES: usize = 200;

impl App {
    /// The favorites of who asks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn favorites(&self, actor: &Actor) -> Result<BTreeSet<WorkspaceId>> {
        let Some(user) = actor.user_id() else { return Ok(BTreeSet::new()) };
        let found = self.db.read(move |tx| favorites::of(tx, user)).await?;
        Ok(found.into_iter().collect())
    }

    /// Makes a workspace a favorite of who asks, or not.
    ///
    /// # Errors
    /// When they may not see it, or have [`MAX_FAVORITES`].
    pub async fn set_favorite(&self, actor: &Actor, id: WorkspaceId, is_one: bool) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let user = actor.caller()?.user.id;
                let all = favorites::of(tx, user)?;
                // What one had stays one's own to take away.
                if is_one || !all.contains(&id) {
                    access::require(tx, &actor, id, Verb::View)?;
                }
                if is_one && !all.contains(&id) && all.len() >= MAX_FAVORITES {
                    let why = format!("you have {MAX_FAVORITES} favorites; take one away first");
                    return Err(Error::conflict(why));
                }
                favorites::set(tx, user, id, is_one)?;
                tx.emit(Event::Workspace(id));
                Ok(())
            })
            .await
    }
}
