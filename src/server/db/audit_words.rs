//! What searches in the audit log go by: the words and properties of each entry, as a full-text index.
//!
//! One index of many terms, written once a commit for all entries of it, instead of a tree for each
//! kind of search: what an entry costs is not to grow with the ways to look for it.

use rusqlite::{Connection, named_params};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Result;
use super::audit_search::Narrow;
use crate::model::audit::{AuditResult, DENIED};
use crate::model::time::Timestamp;

/// Entries that may wait to be entered while others are written: bounds how long a search may wait.
const MAX_BEHIND: i64 = 1024;
/// Entries that are entered at a time while writes wait: bounds how long those do. A thousand take as
/// long as five hundred writes.
const STEP: i64 = 128;

/// Months that a search names at most; a longer time is told by the entries themselves.
const MAX_MONTHS: i64 = 60;

/// Enters what was written since the last time, in the transaction around it. Not with each commit:
/// the index takes many entries in half the time of as many times one. Searches are run by
/// [`super::Db::read_audit`], so that none misses an entry.
///
/// # Errors
/// When SQLite fails.
pub(super) fn catch_up(conn: &Connection) -> Result<()> {
    enter(conn, i64::MAX)
}

/// Enters so many of them at most, the oldest first.
///
/// # Errors
/// When SQLite fails.
pub(super) fn enter(conn: &Connection, most: i64) -> Result<()> {
    let mut missing = conn.prepare_cached(
        "SELECT a.seq, a.at, a.action, a.target, a.user_id, a.target_id, a.target_name,
                a.request_id, a.build_reason, a.organization_id, a.token_id, a.ip, a.status,
                u.username
         FROM audit a LEFT JOIN users u ON u.id = a.user_id
         WHERE a.seq > coalesce((SELECT rowid FROM audit_words ORDER BY rowid DESC LIMIT 1), 0)
         ORDER BY a.seq LIMIT :most",
    )?;
    let mut rows = missing.query(named_params! { ":most": most })?;
    while let Some(row) = rows.next()? {
        let text = |name: &str| -> rusqlite::Result<String> {
            Ok(row.get::<_, Option<String>>(name)?.unwrap_or_default())
        };
        let (name, status) = (text("target_name")?, row.get::<_, u16>("status")?);
        let terms = [
            month(row.get("at")?),
            day(row.get("at")?),
            term('a', &text("action")?),
            term('t', &text("target")?),
            term('u', &text("user_id")?),
            term('i', &text("target_id")?),
            named(&name),
            term('r', &text("request_id")?),
            term('b', &text("build_reason")?),
            term('o', &text("organization_id")?),
            term('k', &text("token_id")?),
            term('f', &text("ip")?),
            (status >= DENIED).then(denied),
        ];
        let mut insert = conn.prepare_cached(
            "INSERT INTO audit_words (rowid, words, terms) VALUES (:seq, :words, :terms)",
        )?;
        insert.execute(named_params! {
            ":seq": row.get::<_, i64>("seq")?,
            ":words": text("username")? + " " + &name,
            ":terms": terms.into_iter().flatten().collect::<Vec<String>>().join(" "),
        })?;
    }
    Ok(())
}

/// Enters a step where many wait. Whoever wrote much at once waits for most of it.
///
/// # Errors
/// When SQLite fails.
pub(super) fn step(conn: &Connection) -> Result<()> {
    match behind(conn)? {
        waiting if waiting < MAX_BEHIND => Ok(()),
        waiting => enter(conn, STEP.max(waiting - MAX_BEHIND)),
    }
}

/// Enters a step. Whether more wait.
///
/// # Errors
/// When SQLite fails.
pub(super) fn go_on(conn: &Connection) -> Result<bool> {
    enter(conn, STEP)?;
    Ok(behind(conn)? > 0)
}

/// How many of the last entries are not entered yet.
fn behind(conn: &Connection) -> Result<i64> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce((SELECT max(seq) FROM audit), 0)
              - coalesce((SELECT rowid FROM audit_words ORDER BY rowid DESC LIMIT 1), 0)",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// What FTS5 is asked for to find all that a search can find; none where nothing but time narrows it.
/// `kept` are the times of the oldest and the newest entry.
pub(super) fn matching(narrow: &Narrow, kept: (Timestamp, Timestamp)) -> Option<String> {
    let id = |letter, id: Option<Uuid>| id.and_then(|id| term(letter, &id.to_string()));
    let terms = [
        narrow.action.and_then(|action| term('a', action.as_str())),
        narrow.target.and_then(|target| term('t', target.as_str())),
        id('u', narrow.user.map(|user| user.0)),
        id('i', narrow.target_id),
        narrow.target_name.as_deref().and_then(named),
        id('r', narrow.request),
        narrow.build_reason.and_then(|reason| term('b', reason.as_str())),
        id('o', narrow.organization.map(|organization| organization.0)),
        id('k', narrow.token),
        narrow.ip.as_deref().and_then(|ip| term('f', ip)),
        narrow.result.filter(|result| *result == AuditResult::Denied).map(|_| denied()),
    ];
    let words = narrow.words.iter().map(|word| format!("words : \"{word}\""));
    let terms = terms.into_iter().flatten().map(|term| format!("terms : {term}"));
    let asked: Vec<String> = words.chain(terms).collect();
    if asked.is_empty() {
        return None;
    }
    let has_time = narrow.from > kept.0 || narrow.before <= kept.1;
    let span = (narrow.from.max(kept.0), narrow.before.min(Timestamp(kept.1.0 + 1)));
    let times = has_time.then(|| times(span.0, span.1)).flatten();
    let times = times.map(|times| format!("terms : ({})", times.join(" OR ")));
    Some(asked.into_iter().chain(times).collect::<Vec<String>>().join(" AND "))
}

/// The term of an entry's thing.
pub(super) fn thing(id: Uuid) -> String {
    format!("terms : i{}", id.simple())
}

/// The term of what was denied. What was done has none: it is most of the log.
fn denied() -> String {
    "sdenied".to_owned()
}

/// A property as one term: a letter for its kind, and what a term can hold of its value.
fn term(letter: char, value: &str) -> Option<String> {
    let plain = value.chars().filter(char::is_ascii_alphanumeric);
    (!value.is_empty()).then(|| [letter].into_iter().chain(plain).collect())
}

/// A whole name as one term. It is compared without case, as the column is.
fn named(name: &str) -> Option<String> {
    let hash = Sha256::digest(name.to_ascii_lowercase());
    Some(format!("n{}", hex::encode(hash.get(..8)?)))
}

/// The month of a time, as `m202611`; none outside of the calendar.
fn month(at: Timestamp) -> Option<String> {
    let text = at.rfc3339();
    let (year, rest) = text.split_once('-')?;
    Some(format!("m{year}{}", rest.get(..2)?))
}

/// The day of a time, as `d20261122`; none outside of the calendar.
fn day(at: Timestamp) -> Option<String> {
    Some(format!("d{}{}", month(at)?.get(1..)?, at.rfc3339().get(8..10)?))
}

/// The months of a time span, and the days of those that it does not hold whole; none when they are
/// too many, or no time is in it.
fn times(from: Timestamp, before: Timestamp) -> Option<Vec<String>> {
    const DAY_S: i64 = 86_400;
    let span_s = before.0.saturating_sub(from.0);
    if span_s <= 0 || span_s > 31 * DAY_S * MAX_MONTHS {
        return None;
    }
    let (mut times, mut held) = (Vec::new(), Vec::new());
    let mut at = from.0.div_euclid(DAY_S) * DAY_S;
    let mut whole = is_first(Timestamp(at)) && at == from.0;
    while at < before.0 {
        held.extend(day(Timestamp(at)));
        let next = at + DAY_S;
        if is_first(Timestamp(next)) {
            if whole && next <= before.0 {
                held = month(Timestamp(at)).into_iter().collect();
            }
            times.append(&mut held);
            whole = true;
        }
        at = next;
    }
    times.append(&mut held);
    (!times.is_empty()).then_some(times)
}

fn is_first(at: Timestamp) -> bool {
    at.rfc3339().get(8..10) == Some("01")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Entropy};
    use crate::model::audit::{
        AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditSource, AuditTarget,
    };
    use crate::server::db::audit_search::count;
    use crate::server::db::{Db, WriteTx, audit};

    const KEPT: (Timestamp, Timestamp) = (Timestamp(1_763_000_000), Timestamp(1_795_000_000));

    #[test]
    fn a_search_asks_for_all_it_is_narrowed_to() {
        let narrow = Narrow {
            action: Some(AuditAction::Delete),
            words: vec!["kiln".to_owned()],
            target_name: Some("Blue-Kiln".to_owned()),
            ..Narrow::default()
        };
        let asked = matching(&narrow, KEPT).unwrap();
        assert!(asked.starts_with("words : \"kiln\" AND terms : adelete AND terms : n"), "{asked}");
        let lower = Narrow { target_name: Some("blue-kiln".to_owned()), ..narrow };
        assert_eq!(asked, matching(&lower, KEPT).unwrap());
        assert_eq!(matching(&Narrow::default(), KEPT), None);
        let of = |result| matching(&Narrow { result: Some(result), ..Narrow::default() }, KEPT);
        assert_eq!(of(AuditResult::Denied).unwrap(), "terms : sdenied");
        assert_eq!(of(AuditResult::Done), None);
        let from = Narrow { ip: Some("192.0.2.10".to_owned()), ..Narrow::default() };
        assert_eq!(matching(&from, KEPT).unwrap(), "terms : f1920210");
    }

    #[tokio::test]
    async fn searches_find_what_was_just_written_and_what_a_killed_writer_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("steading.db");
        let open = || Db::open(&path, Clock::machine(), Entropy::machine()).unwrap();
        let db = open();
        for n in 0..3 {
            write(&db, format!("kiln-{n}")).await;
            assert_eq!(found(&db).await, n + 1);
        }
        write(&db, "kiln-3".to_owned()).await;
        let not_entered = db.read(|tx| count(tx, &kilns())).await.unwrap();
        assert_eq!(not_entered, 3, "the index is brought up to date by who searches");
        drop(db);
        assert_eq!(found(&open()).await, 4);
    }

    fn kilns() -> Narrow {
        Narrow { words: vec!["kiln".to_owned()], ..Narrow::default() }
    }

    async fn found(db: &Db) -> i64 {
        db.read_audit(|tx| count(tx, &kilns())).await.unwrap()
    }

    #[tokio::test]
    async fn no_search_waits_for_more_than_some_entries() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("steading.db");
        let db = Db::open(&path, Clock::machine(), Entropy::machine()).unwrap();
        let many = db.write(|tx| (0..2000).try_for_each(|_| insert(tx, "kiln".to_owned())));
        many.await.unwrap();
        let sql = "SELECT max(rowid) FROM audit_words_docsize";
        let entered = db.read(|tx| tx.find(sql, [], |row| row.get::<_, i64>(0))).await.unwrap();
        assert_eq!(entered, Some(2000 - MAX_BEHIND));
        // The rest in steps, with the writes that come.
        write(&db, "kiln".to_owned()).await;
        let entered = db.read(|tx| tx.find(sql, [], |row| row.get::<_, i64>(0))).await.unwrap();
        assert_eq!(entered, Some(2000 - MAX_BEHIND + STEP));
    }

    async fn write(db: &Db, name: String) {
        db.write(move |tx| insert(tx, name)).await.unwrap();
    }

    fn insert(tx: &WriteTx<'_>, name: String) -> Result<()> {
        let entry = AuditEntry {
            action: AuditAction::Create,
            // Belongs to no organization, which would be looked for among the entries before.
            target: AuditTarget::Setting,
            target_id: Uuid::nil(),
            target_name: name,
            organization: None,
            diff: String::new(),
        };
        let source = AuditSource::of(AuditActor::System);
        audit::insert(tx, &source, &entry, &AuditOutcome::done())
    }

    #[test]
    fn a_time_is_asked_for_by_its_months_and_days() {
        let of = |from, before| times(Timestamp(from), Timestamp(before));
        // 2026-01-31 to 2026-03-01, the end not in it.
        assert_eq!(of(1_769_817_600, 1_772_323_200).unwrap(), ["d20260131", "m202602"]);
        let longer = of(1_769_817_601, 1_772_323_201).unwrap();
        assert_eq!(longer, ["d20260131", "m202602", "d20260301"]);
        assert_eq!(of(0, 1_772_323_200), None);
        assert_eq!(of(5, 5), None);
        let narrow = Narrow {
            action: Some(AuditAction::Delete),
            before: Timestamp(1_763_078_400),
            ..Narrow::default()
        };
        let asked = matching(&narrow, KEPT).unwrap();
        assert_eq!(asked, "terms : adelete AND terms : (d20251113)");
    }
}
