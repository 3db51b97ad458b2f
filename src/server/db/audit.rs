//! The table `audit`: who did what, written in the transaction of the change, each entry chained to the one before.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, named_params, params, params_from_iter};

use super::{ReadTx, Result, WriteTx, audit_words};
use crate::model::audit::chain::{self, FORM, Finding, Hash, Head, N_COLUMNS, Value};
use crate::model::audit::{AuditEntry, AuditOutcome, AuditRow, AuditSource, AuditTarget};
use crate::model::id::{AuditId, OrganizationId};
use crate::model::time::Timestamp;

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The hashed columns and the hash, in the order of [`crate::model::audit::chain::COLUMNS`].
macro_rules! columns {
    () => {
        "form, seq, id, at, actor, user_id, agent_id, token_id, ip, user_agent, request_id, action, \
         target, target_id, target_name, organization_id, build_reason, status, reason, diff, hash"
    };
}
pub(super) use columns;

/// Writes an entry behind the last one.
///
/// # Errors
/// When SQLite fails.
pub fn insert(
    tx: &WriteTx<'_>,
    source: &AuditSource,
    entry: &AuditEntry,
    outcome: &AuditOutcome,
) -> Result<()> {
    let last = head(tx)?;
    let seq = last.seq + 1;
    let (organization, build_reason) = place(tx, entry)?;
    let text = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
    let id = tx.fresh::<AuditId>().to_string();
    let (user, agent) = (text(source.user_id.map(|i| i.0)), text(source.agent_id.map(|i| i.0)));
    let (token, request) = (text(source.token_id.map(|i| i.0)), text(source.request_id));
    let target_id = entry.target_id.to_string();
    let values: [Value<'_>; N_COLUMNS] = [
        Value::Integer(FORM),
        Value::Integer(seq),
        Value::text(&id),
        Value::Integer(tx.now.0),
        Value::text(source.actor.as_str()),
        Value::maybe(user.as_deref()),
        Value::maybe(agent.as_deref()),
        Value::maybe(token.as_deref()),
        Value::text(&source.ip),
        Value::text(&source.user_agent),
        Value::maybe(request.as_deref()),
        Value::text(entry.action.as_str()),
        Value::text(entry.target.as_str()),
        Value::text(&target_id),
        Value::text(&entry.target_name),
        Value::maybe(organization.as_deref()),
        Value::maybe(build_reason.as_deref()),
        Value::Integer(outcome.status.into()),
        Value::text(&outcome.reason),
        Value::text(&entry.diff),
    ];
    let hash = chain::hash(&last.hash, &values);
    let bound = values.into_iter().chain([Value::Blob(&hash)]);
    tx.execute(
        concat!(
            "INSERT INTO audit (",
            columns!(),
            ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        params_from_iter(bound),
    )?;
    Ok(())
}

/// The last entry. It is never removed, so that the next one has something to follow.
///
/// # Errors
/// When SQLite fails.
pub fn head(tx: &ReadTx<'_>) -> Result<Head> {
    let last = tx.find(
        "SELECT seq, hash FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
        [],
        |row| Ok(Head { seq: row.get("seq")?, hash: row.get("hash")? }),
    )?;
    Ok(last.unwrap_or(Head::START))
}

/// The first entry that is kept; 0 for none.
///
/// # Errors
/// When SQLite fails.
pub fn first(tx: &ReadTx<'_>) -> Result<i64> {
    let first = tx.find("SELECT coalesce(min(seq), 0) FROM audit", [], |row| row.get(0))?;
    Ok(first.unwrap_or(0))
}

type Place = (Option<String>, Option<String>);

/// The organization that the thing belongs to, and why a build was made.
fn place(tx: &WriteTx<'_>, entry: &AuditEntry) -> Result<Place> {
    if let Some(place) = entry.organization {
        return Ok((Some(place.to_string()), None));
    }
    let sql = match entry.target {
        AuditTarget::Organization => return Ok((Some(entry.target_id.to_string()), None)),
        AuditTarget::Template => {
            "SELECT organization_id, NULL AS reason FROM templates WHERE id = :id"
        }
        AuditTarget::TemplateVersion => {
            "SELECT organization_id, NULL AS reason FROM template_versions WHERE id = :id"
        }
        AuditTarget::Workspace => {
            "SELECT organization_id, NULL AS reason FROM workspaces WHERE id = :id"
        }
        AuditTarget::WorkspaceBuild => {
            "SELECT w.organization_id, b.reason FROM builds b
             JOIN workspaces w ON w.id = b.workspace_id WHERE b.id = :id"
        }
        AuditTarget::Rotation => {
            "SELECT organization_id, NULL AS reason FROM rotations WHERE id = :id"
        }
        AuditTarget::Recording => {
            "SELECT w.organization_id, NULL AS reason FROM recordings r
             JOIN workspaces w ON w.id = r.workspace_id WHERE r.id = :id"
        }
        AuditTarget::Group => "SELECT organization_id, NULL AS reason FROM groups WHERE id = :id",
        AuditTarget::User
        | AuditTarget::ApiKey
        | AuditTarget::GitSshKey
        | AuditTarget::Setting
        | AuditTarget::CustomRole
        | AuditTarget::Invitation
        | AuditTarget::Request
        | AuditTarget::BreakGlass
        | AuditTarget::OrganizationMember => return Ok((None, None)),
    };
    let id = entry.target_id.to_string();
    let read = |row: &Row<'_>| Ok((row.get("organization_id")?, row.get("reason")?));
    if let Some(found) = tx.find(sql, named_params! { ":id": id }, read)? {
        return Ok(found);
    }
    // It is gone by now: where it was before.
    tx.enter_audit_words()?;
    let words = audit_words::thing(entry.target_id);
    let before = tx.find(
        "SELECT a.organization_id, a.build_reason AS reason
         FROM audit_words w CROSS JOIN audit a ON a.seq = w.rowid
         WHERE w.audit_words MATCH :words AND a.target_id = :id ORDER BY w.rowid DESC LIMIT 1",
        named_params! { ":words": words, ":id": id },
        read,
    )?;
    Ok(before.unwrap_or_default())
}

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let id = |name: &str| -> rusqlite::Result<Option<uuid::Uuid>> {
        Ok(row.get::<_, Option<String>>(name)?.and_then(|text| text.parse().ok()))
    };
    Ok(AuditRow {
        seq: row.get("seq")?,
        id: row.get("id")?,
        at: row.get("at")?,
        source: AuditSource {
            actor: row.get("actor")?,
            user_id: row.get("user_id")?,
            agent_id: row.get("agent_id")?,
            token_id: row.get("token_id")?,
            ip: row.get("ip")?,
            user_agent: row.get("user_agent")?,
            request_id: id("request_id")?,
        },
        entry: AuditEntry {
            action: row.get("action")?,
            target: row.get("target")?,
            target_id: id("target_id")?.unwrap_or_default(),
            target_name: row.get("target_name")?,
            organization: id("organization_id")?.map(OrganizationId),
            diff: row.get("diff")?,
        },
        build_reason: row.get("build_reason")?,
        outcome: AuditOutcome { status: row.get("status")?, reason: row.get("reason")? },
        hash: row.get("hash")?,
    })
}

/// Every entry as it is stored, in the order of the chain, until `each` finds something wrong.
///
/// # Errors
/// When SQLite cannot begin. What it cannot read on the way is a finding without a number: the file
/// is damaged there.
pub fn walk(
    tx: &ReadTx<'_>,
    mut each: impl FnMut(&[Value<'_>; N_COLUMNS], &[u8]) -> std::result::Result<(), Finding>,
) -> Result<std::result::Result<(), Finding>> {
    let mut statement = tx.prepare(concat!(
        "SELECT ",
        columns!(),
        " FROM audit ORDER BY seq /* scan: every entry is verified */"
    ))?;
    let mut rows = statement.query([])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(Ok(())),
            Err(error) => {
                return Ok(Err(Finding::entry(0, format!("cannot be read: {error}"))));
            }
        };
        if let Err(found) = each(&values(row)?, blob(row.get_ref(N_COLUMNS)?)) {
            return Ok(Err(found));
        }
    }
}

pub(super) fn values<'r>(row: &'r Row<'_>) -> Result<[Value<'r>; N_COLUMNS]> {
    let mut values = [Value::Null; N_COLUMNS];
    for (place, value) in values.iter_mut().enumerate() {
        *value = match row.get_ref(place)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            // No column holds one; the bytes differ from any text of ours.
            ValueRef::Real(_) => Value::Blob(b"real"),
            ValueRef::Text(bytes) => Value::Text(bytes),
            ValueRef::Blob(bytes) => Value::Blob(bytes),
        };
    }
    Ok(values)
}

fn blob(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    }
}

/// Entries that were there before there was a chain are chained as they are: from now on, no change
/// to them goes unseen either, and verification needs no exception for them.
///
/// # Errors
/// When SQLite fails.
pub(super) fn chain_all(conn: &Connection) -> Result<()> {
    let mut last = Head::START;
    let mut select = conn.prepare(concat!("SELECT ", columns!(), " FROM audit WHERE seq = ?1"))?;
    let mut update = conn.prepare("UPDATE audit SET hash = ?2 WHERE seq = ?1")?;
    loop {
        let seq = last.seq + 1;
        let mut rows = select.query([seq])?;
        let Some(row) = rows.next()? else { return Ok(()) };
        let hash: Hash = chain::hash(&last.hash, &values(row)?);
        drop(rows);
        update.execute(params![seq, hash])?;
        last = Head { seq, hash };
    }
}

/// Removes the oldest `most` entries at most, those before `before` and never the last: the last
/// one removed, and how many.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, before: Timestamp, most: i64) -> Result<Option<(Head, i64)>> {
    let (first, last) = (first(tx)?, head(tx)?.seq);
    // In the order of the chain: a clock that went back for a while removes nothing too early.
    let old = tx.list(
        "SELECT seq, at, hash FROM audit WHERE seq >= :first AND seq < :last
         ORDER BY seq LIMIT :most",
        named_params! { ":first": first, ":last": last, ":most": most },
        |row| {
            let head = Head { seq: row.get("seq")?, hash: row.get("hash")? };
            Ok((row.get::<_, Timestamp>("at")?, head))
        },
    )?;
    let Some((_, cut)) = old.into_iter().take_while(|(at, _)| *at < before).last() else {
        return Ok(None);
    };
    let range = named_params! { ":first": first, ":cut": cut.seq };
    tx.execute("DELETE FROM audit_words WHERE rowid >= :first AND rowid <= :cut", range)?;
    let n = tx.execute("DELETE FROM audit WHERE seq >= :first AND seq <= :cut", range)?;
    Ok(Some((cut, i64::try_from(n).unwrap_or(i64::MAX))))
}

/// The first thing that is wrong with an index of the table: an entry that searches do not find.
///
/// # Errors
/// When SQLite fails.
pub fn check_indices(tx: &ReadTx<'_>) -> Result<Option<Finding>> {
    let check = |sql| tx.find(sql, [], |row| row.get::<_, String>(0));
    let table = check("PRAGMA integrity_check(audit)")?.filter(|said| said != "ok");
    let said = match table {
        None => check("PRAGMA integrity_check(audit_words)")?.filter(|said| said != "ok"),
        Some(_) => table,
    };
    let Some(said) = said else { return Ok(None) };
    let number = said.strip_prefix("row ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    Ok(Some(match number {
        Some(seq) => Finding::entry(seq, format!("is not found by searches: {said}")),
        None => Finding {
            number: 0,
            id: String::new(),
            what: "an index of the log".to_owned(),
            why: format!("is damaged, so that searches miss entries: {said}"),
        },
    }))
}

#[cfg(test)]
mod tests {
    use crate::model::audit::chain::COLUMNS;

    #[test]
    fn columns_stand_in_the_order_that_is_hashed() {
        let named: Vec<&str> = columns!().split(", ").collect();
        assert_eq!(named.split_last().unwrap().1, COLUMNS);
    }
}
