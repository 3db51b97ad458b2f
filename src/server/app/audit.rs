//! Use cases on the audit log.

use std::collections::BTreeMap;

use super::{Actor, App, Result, page};
use crate::model::audit::{AuditAction, AuditRow, AuditTarget};
use crate::model::id::UserId;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::user::User;
use crate::server::db::{ReadTx, audit, users};

/// Entries in a list at most.
pub const MAX_LIST: i64 = 200;

/// Which entries to list.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only of this action.
    pub action: Option<AuditAction>,
    /// Only on this kind of thing.
    pub target: Option<AuditTarget>,
    /// Only by the user of this name.
    pub username: Option<String>,
    /// At most so many.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

/// An entry and who did it.
#[derive(Clone, Debug)]
pub struct AuditView {
    /// The entry.
    pub row: AuditRow,
    /// Who; none for the program itself.
    pub user: Option<User>,
}

impl App {
    /// Entries of the log, newest first, and how many there are in all.
    ///
    /// # Errors
    /// [`super::Error::Denied`] for who is neither owner nor auditor.
    pub async fn audit(&self, actor: &Actor, filter: AuditFilter) -> Result<(Vec<AuditView>, i64)> {
        actor.require(self.clock.now(), Action::Read, &Object::site(ResourceType::AuditLog))?;
        self.db
            .read(move |tx| {
                let user = match &filter.username {
                    None => None,
                    Some(name) => match users::find_by_name(tx, name)? {
                        Some(user) => Some(user.id),
                        None => return Ok((Vec::new(), 0)),
                    },
                };
                let narrow = (filter.action, filter.target, user);
                let limit = filter.limit.clamp(1, MAX_LIST);
                let rows = audit::list(tx, narrow, limit, filter.offset)?;
                let n = match page::total(rows.len(), limit, filter.offset) {
                    Some(n) => n,
                    None => audit::count(tx, narrow)?,
                };
                Ok((with_users(tx, rows)?, n))
            })
            .await
    }
}

/// Entries with who did it; each user is looked up once.
fn with_users(tx: &ReadTx<'_>, rows: Vec<AuditRow>) -> Result<Vec<AuditView>> {
    let mut known: BTreeMap<UserId, Option<User>> = BTreeMap::new();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let user = match row.user_id {
            None => None,
            Some(id) => match known.get(&id) {
                Some(user) => user.clone(),
                None => {
                    let user = users::find(tx, id)?;
                    known.insert(id, user.clone());
                    user
                }
            },
        };
        list.push(AuditView { row, user });
    }
    Ok(list)
}
