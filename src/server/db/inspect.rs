//! Whether a file is a database of ours that this program can use, found out without changing it.

use std::fs::{File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema::{APPLICATION_ID, known_version, version};
use super::{Error, Result};

/// Looks at the file before it is opened for writing. One that is not there, or empty, is fine. Gives
/// the connection it looked through when the schema is today's: to read it takes milliseconds.
///
/// # Errors
/// When it is damaged, foreign, or written by a newer program.
pub(super) fn file(path: &Path) -> Result<Option<Connection>> {
    if std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    let found = look(&conn).map_err(explain)?;
    Ok((found == known_version()).then_some(conn))
}

/// Whether its header says that to open the file for writing will change nothing: it is ours, private,
/// of today's schema, and has a write-ahead log already. The places are those of SQLite's file format.
pub(super) fn is_todays(path: &Path) -> bool {
    let Ok(header) = private_header(path) else { return false };
    let at = |place: usize| {
        let word = header.get(place..place + 4).and_then(|bytes| bytes.try_into().ok());
        word.map(i32::from_be_bytes)
    };
    let has_log = header.get(18..20) == Some(&[2, 2]);
    has_log && at(60).map(i64::from) == Some(known_version()) && at(68) == Some(APPLICATION_ID)
}

/// The first bytes of a file that nobody else may read.
fn private_header(path: &Path) -> std::io::Result<[u8; 100]> {
    let mut file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let mut header = [0; 100];
    file.read_exact(&mut header)?;
    Ok(header)
}

/// Keeps the file, and those beside it that take its mode, from everyone else on this machine: the
/// directory may have been there before, and be open to all. Returns whether it was kept already: files
/// beside it that were opened before took the mode that it had.
pub(super) fn make_private(path: &Path) -> bool {
    let made = File::options().append(true).create(true).mode(0o600).open(path);
    let narrowed = made.and_then(|file| match file.metadata()?.permissions().mode() & 0o077 {
        0 => Ok(true),
        _ => file.set_permissions(Permissions::from_mode(0o600)).map(|()| false),
    });
    narrowed.unwrap_or_else(|error| {
        tracing::warn!(%error, ?path, "others on this machine may read the database");
        false
    })
}

/// The version of the file's schema; 0 for an empty one.
fn look(conn: &Connection) -> Result<i64> {
    // Reads the whole schema, so that a torn one is found here.
    let n_tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    let id: i32 = conn.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let (found, known) = (version(conn)?, known_version());
    if n_tables == 0 && id == 0 && found == 0 {
        return Ok(0);
    }
    if id != APPLICATION_ID {
        return Err(Error::Foreign { why: "another program's tables are in it".to_owned() });
    }
    match found {
        _ if found > known => Err(Error::Newer { found, known }),
        1.. => Ok(found),
        _ => {
            let why = format!("its schema {found} is older than that of any release");
            Err(Error::Foreign { why })
        }
    }
}

fn explain(error: Error) -> Error {
    let Error::Sqlite(error) = error else { return error };
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            Error::Foreign { why: "it is not an SQLite file".to_owned() }
        }
        Some(ErrorCode::DatabaseCorrupt) => Error::Damaged { why: error.to_string() },
        Some(_) | None => Error::Sqlite(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Entropy};
    use crate::server::db::Db;

    /// What opening a file says after `change`, and whether the file is as it was.
    fn refused(change: &str) -> Error {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("steading.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(change).unwrap();
        drop(conn);
        let before = std::fs::read(&path).unwrap();
        let error = Db::open(&path, Clock::machine(), Entropy::machine()).err().unwrap();
        assert!(std::fs::read(&path).unwrap() == before, "the file was changed");
        error
    }

    #[test]
    fn nobody_else_on_the_machine_reads_the_file() {
        let check = |before: Option<u32>| {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("steading.db");
            if let Some(mode) = before {
                std::fs::write(&path, "").unwrap();
                std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            }
            let _db = Db::open(&path, Clock::machine(), Entropy::machine()).unwrap();
            let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().flatten().collect();
            assert!(files.len() > 1, "the log is there as well");
            for file in files {
                let mode = file.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{:?}", file.path());
            }
        };
        check(None);
        check(Some(0o644));
        check(Some(0o600));
    }

    #[tokio::test]
    async fn only_a_file_that_was_closed_as_ours_is_opened_early() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("steading.db");
        assert!(!is_todays(&path));
        let db = Db::open(&path, Clock::machine(), Entropy::machine()).unwrap();
        assert!(!is_todays(&path), "all of it is in the log");
        db.gather().await.unwrap();
        assert!(is_todays(&path));
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA user_version = 1; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        assert!(!is_todays(&path));
        let now = known_version();
        let sql = format!("PRAGMA user_version = {now}; PRAGMA wal_checkpoint(TRUNCATE)");
        conn.execute_batch(&sql).unwrap();
        assert!(is_todays(&path));
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(!is_todays(&path));
    }

    #[test]
    fn a_newer_and_an_older_file_are_refused_before_a_byte_is_written() {
        let ours = format!("PRAGMA application_id = {APPLICATION_ID};");
        let newer = refused(&format!("{ours} PRAGMA user_version = 999"));
        assert!(matches!(newer, Error::Newer { found: 999, .. }), "{newer}");
        let older = refused(&format!("{ours} CREATE TABLE t (a); PRAGMA user_version = 0"));
        assert!(older.to_string().contains("schema 0 is older"), "{older}");
    }

    #[test]
    fn another_programs_file_is_refused_whatever_version_it_names() {
        for version in [0, 1] {
            let change = format!("CREATE TABLE theirs (a); PRAGMA user_version = {version}");
            let error = refused(&change);
            assert!(matches!(error, Error::Foreign { .. }), "{error}");
        }
    }

    #[test]
    fn an_empty_file_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("steading.db");
        std::fs::write(&path, b"").unwrap();
        assert!(Db::open(&path, Clock::machine(), Entropy::machine()).is_ok());
        assert!(Db::open(&path, Clock::machine(), Entropy::machine()).is_ok());
    }
}
