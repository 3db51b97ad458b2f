//! The search in the table `connections`, newest first.

use rusqlite::{Row, ToSql};

use super::codec::Json;
use super::connections;
use super::{ReadTx, Result};
use crate::model::id::{OrganizationId, SessionId, UserId, WorkspaceId};
use crate::model::session::{PastSession, SessionKind};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;

/// Which are looked for; what is none does not matter.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Where the workspace belongs.
    pub organization: Option<OrganizationId>,
    /// Whose it is.
    pub owner: Option<UserId>,
    /// Who came.
    pub user: Option<UserId>,
    /// Through one of these; through any when empty.
    pub kinds: Vec<SessionKind>,
    /// Began then or later.
    pub after: Option<Timestamp>,
    /// Began then or before.
    pub before: Option<Timestamp>,
    /// In this workspace.
    pub workspace: Option<WorkspaceId>,
    /// This one.
    pub session: Option<SessionId>,
    /// Whether it lasts.
    pub ongoing: Option<bool>,
}

macro_rules! fits {
    () => {
        " FROM connections c CROSS JOIN users u ON u.id = c.user_id
          CROSS JOIN workspaces w ON w.id = c.workspace_id CROSS JOIN users o ON o.id = w.owner_id
          CROSS JOIN agents a ON a.id = c.agent_id
          WHERE c.began_at BETWEEN coalesce(:after, -9223372036854775808)
              AND coalesce(:before, 9223372036854775807)
            AND (:organization IS NULL OR w.organization_id = :organization)
            AND (:owner IS NULL OR w.owner_id = :owner)
            AND (:user IS NULL OR c.user_id = :user)
            AND (:kinds IS NULL OR c.kind IN (SELECT x.value FROM json_each(:kinds) x))
            AND (:workspace IS NULL OR c.workspace_id = :workspace)
            AND (:session IS NULL OR c.id = :session)
            AND (:ongoing IS NULL OR :ongoing = (c.ended_at IS NULL)) "
    };
}

impl Search {
    fn with<T>(
        &self,
        more: &[(&str, &dyn ToSql)],
        work: impl FnOnce(&[(&str, &dyn ToSql)]) -> T,
    ) -> T {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        let kinds = (!kinds.is_empty()).then_some(Json(&kinds));
        let mut all: Vec<(&str, &dyn ToSql)> = vec![
            (":organization", &self.organization),
            (":owner", &self.owner),
            (":user", &self.user),
            (":kinds", &kinds),
            (":after", &self.after),
            (":before", &self.before),
            (":workspace", &self.workspace),
            (":session", &self.session),
            (":ongoing", &self.ongoing),
        ];
        all.extend(more);
        work(&all)
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<PastSession> {
    Ok(PastSession {
        session: connections::from_row(row)?,
        organization: row.get("organization_id")?,
        owner: UserRef { id: row.get("owner_id")?, username: row.get("owner_name")? },
    })
}

/// A page of what is looked for, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    search: &Search,
    (limit, offset): (i64, i64),
) -> Result<Vec<PastSession>> {
    const SQL: &str = concat!(
        "SELECT ",
        connections::session_columns!(),
        ", w.organization_id AS organization_id, o.id AS owner_id, o.username AS owner_name",
        fits!(),
        "ORDER BY c.began_at DESC, c.id DESC LIMIT :limit OFFSET :offset"
    );
    search
        .with(&[(":limit", &limit), (":offset", &offset)], |params| tx.list(SQL, params, from_row))
}

/// How many there are, counted to `most`.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, search: &Search, most: i64) -> Result<i64> {
    const SQL: &str = concat!("SELECT count(*) FROM (SELECT 1", fits!(), "LIMIT :most)");
    let found = search
        .with(&[(":most", &most)], |params| tx.find(SQL, params, |row| row.get::<_, i64>(0)))?;
    Ok(found.unwrap_or_default())
}
