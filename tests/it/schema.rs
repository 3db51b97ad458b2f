//! `schema.sql` is what the migrations make, and says of every table and column what it holds.

use std::collections::BTreeMap;

use rusqlite::Connection;
use steading::server::db::schema::{MIGRATIONS, SCHEMA, prepare, replay};

/// Every object of a database by name, its SQL without comments and with single spaces.
fn objects(conn: &Connection) -> BTreeMap<String, String> {
    let mut statement =
        conn.prepare("SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
    rows.map(|row| row.map(|(name, sql)| (name, plain(&sql))).unwrap()).collect()
}

fn plain(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text: String = lines.flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
    text.replace("( ", "(").replace(" )", ")").replace(" ,", ",")
}

#[test]
fn the_schema_is_the_sum_of_the_migrations() {
    let today = Connection::open_in_memory().unwrap();
    today.execute_batch(SCHEMA).unwrap();
    let mut replayed = Connection::open_in_memory().unwrap();
    replay(&mut replayed).unwrap();
    let (today, replayed) = (objects(&today), objects(&replayed));
    for (name, sql) in &today {
        assert_eq!(replayed.get(name), Some(sql), "{name}");
    }
    assert_eq!(today.len(), replayed.len());
}

#[test]
fn every_table_and_column_says_what_it_holds() {
    let lines: Vec<&str> = SCHEMA.lines().collect();
    let mut missing = Vec::new();
    let mut inside = false;
    for (n, line) in lines.iter().enumerate() {
        if line.starts_with("CREATE TABLE") || line.starts_with("CREATE VIEW") {
            if !lines[..n].last().is_some_and(|l| l.starts_with("-- ")) {
                missing.push(*line);
            }
            inside = line.starts_with("CREATE TABLE");
        } else if line.starts_with(')') {
            inside = false;
        } else if inside {
            let first = line.split_whitespace().next().unwrap_or_default();
            let constraint = matches!(first, "PRIMARY" | "UNIQUE" | "CHECK" | "FOREIGN");
            if !constraint && !line.contains(" -- ") {
                missing.push(*line);
            }
        }
    }
    assert!(missing.is_empty(), "without a comment: {missing:#?}");
}

#[test]
fn every_table_is_strict_and_every_reference_has_a_target() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    let loose: Vec<String> = conn
        .prepare("SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(loose.is_empty(), "not STRICT: {loose:?}");
    conn.execute_batch("PRAGMA foreign_key_check").unwrap();
}

#[test]
fn a_file_of_the_first_release_keeps_its_rows_and_takes_the_new_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("steading.db");
    let mut conn = Connection::open(&path).unwrap();
    let user = |id: &str, login_type: &str| {
        format!(
            "INSERT INTO users VALUES ('{id}', '{id}', '', '', 'person', 'active', '{login_type}',
             1, 1, NULL)"
        )
    };
    conn.execute_batch(MIGRATIONS[0].1).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    conn.execute_batch(&user("ada", "password")).unwrap();
    assert!(conn.execute_batch(&user("ben", "oidc")).is_err());
    prepare(&mut conn).unwrap();
    // In the connection that migrated, and in one that comes after.
    conn.execute_batch(&user("ben", "oidc")).unwrap();
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(&user("cas", "ldap")).unwrap();
    assert!(conn.execute_batch(&user("dot", "else")).is_err());
    let n: i64 = conn.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!((n, sound.as_str()), (3, "ok"));
}
