//! Searches in the table `audit`: by the index of words and properties, or by time alone.

use rusqlite::{CachedStatement, Row, ToSql};
use uuid::Uuid;

use super::audit::{columns, from_row};
use super::audit_words::matching;
use super::{ReadTx, Result};
use crate::model::audit::{AuditAction, AuditResult, AuditRow, AuditTarget};
use crate::model::build::BuildReason;
use crate::model::id::{OrganizationId, UserId};
use crate::model::time::Timestamp;

/// What entries are narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrow {
    /// What was done.
    pub action: Option<AuditAction>,
    /// To what kind of thing.
    pub target: Option<AuditTarget>,
    /// To this thing.
    pub target_id: Option<Uuid>,
    /// To a thing that had this name then.
    pub target_name: Option<String>,
    /// By this user.
    pub user: Option<UserId>,
    /// From then on.
    pub from: Timestamp,
    /// Before then.
    pub before: Timestamp,
    /// Builds made for this reason.
    pub build_reason: Option<BuildReason>,
    /// In this organization.
    pub organization: Option<OrganizationId>,
    /// In this request.
    pub request: Option<Uuid>,
    /// With this token.
    pub token: Option<Uuid>,
    /// From this address.
    pub ip: Option<String>,
    /// What came of it.
    pub result: Option<AuditResult>,
    /// Words in names: letters and digits only.
    pub words: Vec<String>,
}

impl Default for Narrow {
    fn default() -> Self {
        Self {
            action: None,
            target: None,
            target_id: None,
            target_name: None,
            user: None,
            from: Timestamp(i64::MIN),
            before: Timestamp(i64::MAX),
            build_reason: None,
            organization: None,
            request: None,
            token: None,
            ip: None,
            result: None,
            words: Vec::new(),
        }
    }
}

/// Entries of a narrowed list that are counted: forty pages, more than anybody turns.
pub const MOST_COUNTED: i64 = 1000;

/// Everything that was asked for but words: the index leads to entries, what they say decides.
macro_rules! fits {
    () => {
        " AND a.at >= :from AND a.at < :before
          AND (:action IS NULL OR a.action = :action)
          AND (:target IS NULL OR a.target = :target)
          AND (:user IS NULL OR a.user_id = :user)
          AND (:target_id IS NULL OR a.target_id = :target_id)
          AND (:target_name IS NULL OR a.target_name = :target_name)
          AND (:request IS NULL OR a.request_id = :request)
          AND (:token IS NULL OR a.token_id = :token)
          AND (:ip IS NULL OR a.ip = :ip)
          AND (:is_denied IS NULL OR (a.status >= 400) = :is_denied)
          AND (:build_reason IS NULL OR a.build_reason = :build_reason)
          AND (:organization IS NULL OR a.organization_id = :organization)"
    };
}

/// What the index leads to.
macro_rules! found {
    () => {
        concat!(
            " FROM audit_words w CROSS JOIN audit a ON a.seq = w.rowid
              WHERE w.audit_words MATCH :matching",
            fits!()
        )
    };
}

/// Of a time that nothing else narrows, but that it was done, as most is.
macro_rules! of_time {
    () => {
        " FROM audit WHERE at >= :from AND at < :before
          AND (:is_denied IS NULL OR (status >= 400) = :is_denied)"
    };
}

const PAGE: &str =
    concat!("SELECT ", columns!(), found!(), " ORDER BY w.rowid DESC LIMIT :limit OFFSET :offset");
const PAGE_OF_TIME: &str = concat!(
    "SELECT ",
    columns!(),
    of_time!(),
    " ORDER BY at DESC, seq DESC LIMIT :limit OFFSET :offset"
);
const NUMBER: &str = concat!("SELECT count(*) FROM (SELECT 1", found!(), " LIMIT :limit)");
const NUMBER_OF_TIME: &str =
    concat!("SELECT count(*) FROM (SELECT 1", of_time!(), " LIMIT :limit)");

/// A range of the chain that holds what was asked for, in the chain's order.
const WINDOW: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM audit a WHERE a.seq > :after AND a.seq <= :upto",
    fits!(),
    " AND (:matching IS NULL OR EXISTS (
        SELECT 1 FROM audit_words f WHERE f.audit_words MATCH :matching AND f.rowid = a.seq))
      ORDER BY a.seq"
);

/// Entries, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, narrow: &Narrow, limit: i64, offset: i64) -> Result<Vec<AuditRow>> {
    if *narrow == Narrow::default() {
        return tx.list(
            concat!(
                "SELECT ",
                columns!(),
                " FROM audit WHERE seq <= (SELECT max(seq) FROM audit) - :offset
                 ORDER BY seq DESC LIMIT :limit"
            ),
            rusqlite::named_params! { ":limit": limit, ":offset": offset },
            from_row,
        );
    }
    let matching = matching(narrow, kept(tx)?);
    let sql = if matching.is_some() { PAGE } else { PAGE_OF_TIME };
    let numbers = [(":limit", limit), (":offset", offset)];
    query(tx, sql, (narrow, matching.as_deref()), &numbers, from_row)
}

/// How many [`list`] would give without limit; of a narrowed list at most `MOST_COUNTED`.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, narrow: &Narrow) -> Result<i64> {
    if *narrow == Narrow::default() {
        let sql =
            "SELECT coalesce((SELECT max(seq) FROM audit) - (SELECT min(seq) FROM audit) + 1, 0)";
        return Ok(tx.find(sql, [], |row| row.get(0))?.unwrap_or(0));
    }
    let matching = matching(narrow, kept(tx)?);
    let sql = if matching.is_some() { NUMBER } else { NUMBER_OF_TIME };
    let numbers = [(":limit", MOST_COUNTED)];
    let counted = query(tx, sql, (narrow, matching.as_deref()), &numbers, |row| row.get(0))?;
    Ok(counted.first().copied().unwrap_or(0))
}

/// Entries with a number after one and up to another, in the chain's order.
///
/// # Errors
/// When SQLite fails.
pub fn window(
    tx: &ReadTx<'_>,
    narrow: &Narrow,
    (after, upto): (i64, i64),
) -> Result<Vec<AuditRow>> {
    // An entry that is read anyway is looked at itself, but for words.
    let words = Narrow { words: narrow.words.clone(), ..Narrow::default() };
    let matching = matching(&words, kept(tx)?);
    let numbers = [(":after", after), (":upto", upto)];
    query(tx, WINDOW, (narrow, matching.as_deref()), &numbers, from_row)
}

/// The times of the oldest and the newest entry.
fn kept(tx: &ReadTx<'_>) -> Result<(Timestamp, Timestamp)> {
    let kept = tx.find(
        "SELECT coalesce((SELECT min(at) FROM audit), 0) AS oldest,
                coalesce((SELECT max(at) FROM audit), 0) AS newest",
        [],
        |row| Ok((row.get("oldest")?, row.get("newest")?)),
    )?;
    Ok(kept.unwrap_or((Timestamp(0), Timestamp(0))))
}

/// Runs a statement with what was asked for, as far as it has a place for it.
fn query<T>(
    tx: &ReadTx<'_>,
    sql: &'static str,
    (narrow, matching): (&Narrow, Option<&str>),
    numbers: &[(&str, i64)],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = tx.prepare(sql)?;
    bind(&mut statement, narrow)?;
    put(&mut statement, ":matching", &matching)?;
    for (name, number) in numbers {
        put(&mut statement, name, number)?;
    }
    Ok(statement.raw_query().mapped(read).collect::<rusqlite::Result<Vec<T>>>()?)
}

fn bind(to: &mut CachedStatement<'_>, narrow: &Narrow) -> Result<()> {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string());
    put(to, ":action", &narrow.action)?;
    put(to, ":target", &narrow.target)?;
    put(to, ":target_id", &text(narrow.target_id))?;
    put(to, ":target_name", &narrow.target_name)?;
    put(to, ":user", &narrow.user)?;
    put(to, ":from", &narrow.from)?;
    put(to, ":before", &narrow.before)?;
    put(to, ":build_reason", &narrow.build_reason)?;
    put(to, ":organization", &narrow.organization)?;
    put(to, ":request", &text(narrow.request))?;
    put(to, ":token", &text(narrow.token))?;
    put(to, ":ip", &narrow.ip)?;
    put(to, ":is_denied", &narrow.result.map(|result| result == AuditResult::Denied))
}

fn put(to: &mut CachedStatement<'_>, name: &str, value: &dyn ToSql) -> Result<()> {
    if let Some(place) = to.parameter_index(name)? {
        to.raw_bind_parameter(place, value)?;
    }
    Ok(())
}
