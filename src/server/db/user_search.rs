//! Searches in the table `users`.

use rusqlite::ToSql;

use super::users::{belonging, leave_behind, without_belonging};
use super::{ReadTx, Result};
use crate::model::id::{GroupId, OrganizationId, UserId};
use crate::model::people_filter::PeopleFilter;
use crate::model::user::User;

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// What is asked for.
    pub wanted: PeopleFilter,
    /// Of whom; of everyone when none.
    pub of: Option<Crowd>,
    /// As someone sees them who does not see everyone; as all see them when none.
    pub sight: Option<Sight>,
    /// Those whose names come after the name of this user.
    pub after: Option<UserId>,
    /// At most so many; the caller bounds it.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

/// Some of all users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// The members of an organization.
    Organization(OrganizationId),
    /// The members of a group.
    Group(GroupId),
}

/// Whom someone sees who does not see everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Themselves.
    pub own: Option<UserId>,
    /// The organizations whose members they see.
    pub places: Vec<OrganizationId>,
}

/// A filter as SQLite takes it.
struct Narrow {
    text: String,
    status: String,
    roles: String,
    login_types: String,
    kind: Option<&'static str>,
    organization: Option<OrganizationId>,
    group: Option<GroupId>,
    sees_all: bool,
    own: Option<UserId>,
    places: String,
}

impl UserFilter {
    fn is_wide(&self) -> bool {
        let of_all = self.of.is_none() && self.sight.is_none() && self.after.is_none();
        of_all && self.wanted.is_wide()
    }

    fn narrow(&self) -> Narrow {
        let (organization, group) = match self.of {
            None => (None, None),
            Some(Crowd::Organization(id)) => (Some(id), None),
            Some(Crowd::Group(id)) => (None, Some(id)),
        };
        let wanted = &self.wanted;
        Narrow {
            // As SQLite's `lower` has it.
            text: wanted.text.to_ascii_lowercase(),
            status: listed(wanted.status.iter().map(|s| s.as_str())),
            roles: listed(wanted.roles.iter().map(|r| r.as_str())),
            login_types: listed(wanted.login_types.iter().map(|t| t.as_str())),
            kind: wanted.service.map(|service| if service { "service" } else { "person" }),
            organization,
            group,
            sees_all: self.sight.is_none(),
            own: self.sight.as_ref().and_then(|sight| sight.own),
            places: self.sight.as_ref().map_or_else(|| "[]".to_owned(), Sight::places),
        }
    }

    fn params<'p>(&'p self, narrow: &'p Narrow) -> [(&'static str, &'p dyn ToSql); 15] {
        [
            (":text", &narrow.text),
            (":status", &narrow.status),
            (":roles", &narrow.roles),
            (":login_types", &narrow.login_types),
            (":kind", &narrow.kind),
            (":organization", &narrow.organization),
            (":group", &narrow.group),
            (":sees_all", &narrow.sees_all),
            (":own", &narrow.own),
            (":places", &narrow.places),
            (":after", &self.after),
            (":created_before", &self.wanted.created_before),
            (":created_after", &self.wanted.created_after),
            (":seen_before", &self.wanted.seen_before),
            (":seen_after", &self.wanted.seen_after),
        ]
    }
}

impl Sight {
    /// The ids of the organizations, a JSON array.
    fn places(&self) -> String {
        let ids: Vec<String> = self.places.iter().map(ToString::to_string).collect();
        serde_json::Value::from(ids).to_string()
    }
}

/// Words with a comma around each; empty for none.
fn listed(words: impl Iterator<Item = &'static str>) -> String {
    words.fold(String::new(), |all, word| {
        if all.is_empty() { format!(",{word},") } else { format!("{all}{word},") }
    })
}

/// What narrows [`list`] and [`count`].
macro_rules! matching {
    () => {
        " FROM users u WHERE u.status <> 'deleted'
          AND (:status = '' OR instr(:status, ',' || u.status || ',') > 0)
          AND (:login_types = '' OR instr(:login_types, ',' || u.login_type || ',') > 0)
          AND (:kind IS NULL OR u.kind = :kind)
          AND (:created_before IS NULL OR u.created_at <= :created_before)
          AND (:created_after IS NULL OR u.created_at >= :created_after)
          AND (:seen_before IS NULL OR coalesce(u.last_seen_at, 0) <= :seen_before)
          AND (:seen_after IS NULL OR u.last_seen_at >= :seen_after)
          AND (:after IS NULL OR u.username > (SELECT a.username FROM users a WHERE a.id = :after))
          AND (:organization IS NULL OR EXISTS (SELECT 1 FROM memberships o
               WHERE o.organization_id = :organization AND o.user_id = u.id))
          AND (:group IS NULL OR EXISTS (SELECT 1 FROM group_members g
               WHERE g.group_id = :group AND g.user_id = u.id))
          AND (:sees_all OR u.id IS :own OR EXISTS (SELECT 1 FROM json_each(:places) j
               CROSS JOIN memberships s ON s.organization_id = j.value AND s.user_id = u.id))
          AND (:roles = '' OR EXISTS (SELECT 1 FROM role_bindings r WHERE r.user_id = u.id
               AND instr(:roles, ',' || r.role || ',') > 0 AND r.organization_id IS NULL))
          AND (:text = '' OR instr(lower(u.username), :text) > 0
               OR instr(lower(u.name), :text) > 0 OR instr(lower(u.email), :text) > 0)
          /* scan: of people alone; no index knows the parts of a text */ "
    };
}

/// A page of users `u` in the order of `p`, a row for each pair of a membership and a role. The
/// joins keep the order: `p` is the outermost loop.
macro_rules! page_of {
    ($matching:expr) => {
        concat!(
            "SELECT u.id, u.username, u.name, u.email, u.kind, u.status, u.login_type,
                    u.created_at, u.updated_at, u.last_seen_at, b.role, b.organization_id,
                    m.organization_id
             FROM (SELECT u.rowid AS place ",
            $matching,
            " ORDER BY u.username LIMIT :limit OFFSET :offset) p
             CROSS JOIN users u ON u.rowid = p.place
             LEFT JOIN memberships m ON m.user_id = u.id
             LEFT JOIN role_bindings b ON b.user_id = u.id"
        )
    };
}

/// Users that are not deleted, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, filter: &UserFilter) -> Result<Vec<User>> {
    let narrow = filter.narrow();
    let mut params: Vec<(&str, &dyn ToSql)> =
        vec![(":limit", &filter.limit), (":offset", &filter.offset)];
    let sql = if filter.is_wide() {
        page_of!("FROM users u WHERE u.status <> 'deleted'")
    } else {
        params.extend(filter.params(&narrow));
        page_of!(matching!())
    };
    let mut statement = tx.prepare(sql)?;
    let mut rows = statement.query(params.as_slice())?;
    let mut users: Vec<User> = Vec::with_capacity(usize::try_from(filter.limit).unwrap_or(0));
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        match users.last_mut() {
            Some(user) if user.id == id => belonging(row, user)?,
            _ => {
                let mut user = without_belonging(row)?;
                belonging(row, &mut user)?;
                users.push(user);
            }
        }
    }
    users.iter_mut().for_each(leave_behind);
    Ok(users)
}

/// How many [`list`] would give without limit.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, filter: &UserFilter) -> Result<i64> {
    let n = if filter.is_wide() {
        let sql = "SELECT count(*) FROM users WHERE status <> 'deleted'";
        tx.find(sql, [], |row| row.get(0))?
    } else {
        let narrow = filter.narrow();
        let sql = concat!("SELECT count(*)", matching!());
        tx.find(sql, filter.params(&narrow).as_slice(), |row| row.get(0))?
    };
    Ok(n.unwrap_or(0))
}
