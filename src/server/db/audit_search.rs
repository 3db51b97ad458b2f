//! Searches in the table `audit`: each goes by the index that leads to the fewest entries.

use rusqlite::{CachedStatement, Row, ToSql};
use uuid::Uuid;

use super::audit::{columns, facets, from_row};
use super::{ReadTx, Result};
use crate::model::audit::{AuditAction, AuditRow, AuditTarget};
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
            words: Vec::new(),
        }
    }
}

/// Entries of a narrowed list that are counted: eighty pages, more than anybody turns.
const MOST_COUNTED: i64 = 2000;
/// Entries that are counted on a road to find out whether it is long.
const MOST_PROBED: i64 = 1000;

/// The index to go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Road {
    Time,
    User,
    Target,
    Action,
    Kind,
    Thing,
    Name,
    Request,
    BuildReason,
    Organization,
    Words,
}

/// The statement of a road, made by one of the macros below from the road's own condition.
macro_rules! by_road {
    ($road:expr, $of:ident) => {
        match $road {
            Road::Time => $of!("TRUE"),
            Road::User => $of!("a.user_id = :user"),
            Road::Target => $of!("a.target = :target"),
            Road::Action => $of!("a.action = :action"),
            Road::Kind => $of!("a.target = :target AND a.action = :action"),
            Road::Thing => $of!("a.target_id = :target_id"),
            Road::Name => $of!("a.target_name = :target_name"),
            Road::Request => $of!("a.request_id = :request"),
            Road::BuildReason => $of!("a.build_reason = :build_reason"),
            Road::Organization => $of!("a.organization_id = :organization"),
            Road::Words => $of!(),
        }
    };
}

/// Everything that was asked for. Terms that an index of [`Road`] holds are looked at before the
/// entry is read.
macro_rules! fits {
    () => {
        " AND a.at >= :from AND a.at < :before
          AND (:action IS NULL OR a.action = :action)
          AND (:target IS NULL OR a.target = :target)
          AND (:user IS NULL OR a.user_id = :user)
          AND (:target_id IS NULL OR a.target_id = :target_id)
          AND (:target_name IS NULL OR a.target_name = :target_name)
          AND (:request IS NULL OR a.request_id = :request)
          AND (:build_reason IS NULL OR a.build_reason = :build_reason)
          AND (:organization IS NULL OR a.organization_id = :organization)
          AND (:words IS NULL OR EXISTS (
            SELECT 1 FROM audit_words f WHERE f.audit_words MATCH :words AND f.rowid = a.seq))"
    };
}

/// Where a road's entries come from.
macro_rules! source {
    () => {
        concat!(
            " FROM audit_words w CROSS JOIN audit a ON a.seq = w.rowid
              WHERE w.audit_words MATCH :words",
            fits!()
        )
    };
    ($road:literal) => {
        concat!(" FROM audit a WHERE ", $road, fits!())
    };
}

macro_rules! page {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            source!(),
            " ORDER BY w.rowid DESC LIMIT :limit OFFSET :offset"
        )
    };
    ($road:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            source!($road),
            " ORDER BY a.at DESC, a.seq DESC LIMIT :limit OFFSET :offset"
        )
    };
}

macro_rules! number {
    () => {
        concat!("SELECT count(*) FROM (SELECT 1", source!(), " LIMIT :limit OFFSET :offset)")
    };
    ($road:literal) => {
        concat!("SELECT count(*) FROM (SELECT 1", source!($road), " LIMIT :limit OFFSET :offset)")
    };
}

macro_rules! probe {
    () => {
        "SELECT count(*) FROM (
           SELECT 1 FROM audit_words w WHERE w.audit_words MATCH :words LIMIT :limit)"
    };
    ($road:literal) => {
        concat!(
            "SELECT count(*) FROM (SELECT 1 FROM audit a WHERE ",
            $road,
            " AND a.at >= :from AND a.at < :before LIMIT :limit)"
        )
    };
}

/// A range of the chain that holds what was asked for, in the chain's order.
const WINDOW: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM audit a WHERE a.seq > :after AND a.seq <= :upto",
    fits!(),
    " ORDER BY a.seq"
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
    let road = shortest(tx, narrow)?;
    query(tx, by_road!(road, page), narrow, &[(":limit", limit), (":offset", offset)], from_row)
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
    let road = shortest(tx, narrow)?;
    let numbers = [(":limit", MOST_COUNTED), (":offset", 0)];
    Ok(one(&query(tx, by_road!(road, number), narrow, &numbers, |row| row.get(0))?))
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
    query(tx, WINDOW, narrow, &[(":after", after), (":upto", upto)], from_row)
}

/// The road with the fewest entries, where there is a choice.
fn shortest(tx: &ReadTx<'_>, narrow: &Narrow) -> Result<Road> {
    let has_day = narrow.from.0 != i64::MIN || narrow.before.0 != i64::MAX;
    let (target, action) = (narrow.target.is_some(), narrow.action.is_some());
    // Words come first among roads that are equally long: to look for them in an entry of another
    // road takes longer than all else.
    let roads = [
        (Road::Words, !narrow.words.is_empty()),
        (Road::Request, narrow.request.is_some()),
        (Road::Thing, narrow.target_id.is_some()),
        (Road::Name, narrow.target_name.is_some()),
        (Road::BuildReason, narrow.build_reason.is_some()),
        (Road::User, narrow.user.is_some()),
        (Road::Kind, target && action),
        (Road::Target, target && !action),
        (Road::Action, action && !target),
        (Road::Organization, narrow.organization.is_some()),
        (Road::Time, has_day),
    ];
    let mut open = roads.into_iter().filter(|(_, asked)| *asked).map(|(road, _)| road);
    let Some(mut best) = open.next() else { return Ok(Road::Time) };
    let mut open = open.peekable();
    if open.peek().is_none() {
        return Ok(best);
    }
    let mut least = length(tx, narrow, best)?;
    for road in open {
        // There is nothing to be found.
        if least == 0 {
            break;
        }
        let n = length(tx, narrow, road)?;
        if n < least {
            (best, least) = (road, n);
        }
    }
    Ok(best)
}

/// How many entries a road has, up to `MOST_PROBED`.
fn length(tx: &ReadTx<'_>, narrow: &Narrow, road: Road) -> Result<i64> {
    let numbers = [(":limit", MOST_PROBED)];
    Ok(one(&query(tx, by_road!(road, probe), narrow, &numbers, |row| row.get(0))?))
}

fn one(counted: &[i64]) -> i64 {
    counted.first().copied().unwrap_or(0)
}

/// Runs a statement with what was asked for, as far as it has a place for it.
fn query<T>(
    tx: &ReadTx<'_>,
    sql: &'static str,
    narrow: &Narrow,
    numbers: &[(&str, i64)],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = tx.prepare(sql)?;
    bind(&mut statement, narrow)?;
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
    put(to, ":words", &matching(narrow))
}

/// The words as FTS5 is asked for them: whole words, whose places are stored in order. With the action,
/// the target and the user it finds what has all of them without reading an entry.
fn matching(narrow: &Narrow) -> Option<String> {
    if narrow.words.is_empty() {
        return None;
    }
    let words = narrow.words.iter().map(|word| format!("words : \"{word}\""));
    let facets = facets(narrow.action, narrow.target, narrow.user);
    let facets = facets.into_iter().map(|facet| format!("facets : \"{facet}\""));
    Some(words.chain(facets).collect::<Vec<String>>().join(" AND "))
}

fn put(to: &mut CachedStatement<'_>, name: &str, value: &dyn ToSql) -> Result<()> {
    if let Some(place) = to.parameter_index(name)? {
        to.raw_bind_parameter(place, value)?;
    }
    Ok(())
}
