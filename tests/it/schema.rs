//! `schema.sql` is what the migrations make, and says of every table and column what it holds.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sha2::Digest as _;
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

#[test]
fn what_was_there_before_permissions_and_quotas_is_for_everyone_and_counts_what_it_costs() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = Connection::open(dir.path().join("steading.db")).unwrap();
    let before = MIGRATIONS.iter().position(|(name, _)| name.ends_with("template_grants")).unwrap();
    for (_, sql) in &MIGRATIONS[..before] {
        conn.execute_batch(sql).unwrap();
    }
    conn.pragma_update(None, "user_version", i64::try_from(before).unwrap()).unwrap();
    conn.execute_batch(
        "INSERT INTO organizations VALUES ('o', 'default', '', '', 1, 1, 1);
         INSERT INTO users VALUES ('u', 'ada', '', 'a@x', 'person', 'active', 'password', 1, 1, NULL);
         INSERT INTO memberships VALUES ('o', 'u', 1);
         INSERT INTO archives VALUES (zeroblob(32), x'00', 1);
         INSERT INTO files (id, hash, created_by, created_at) VALUES ('f', zeroblob(32), 'u', 1);",
    )
    .unwrap();
    let job = |id: &str, kind: &str, status: &str| {
        format!(
            "INSERT INTO jobs (id, kind, status, error, created_at, runner, is_last)
             VALUES ('{id}', '{kind}', '{status}', '', 1, '', 0);"
        )
    };
    let template = |id: &str, deleted: &str| {
        format!(
            "INSERT INTO templates VALUES ('{id}', 'o', '{id}', '', '', '', 'v', '', 0, 'u', 1, 1, {deleted});"
        )
    };
    let build = |number: i64, status: &str, cost: i64| {
        let id = format!("b{number}");
        let made = format!(
            "INSERT INTO builds (id, workspace_id, number, transition, reason, initiator_id,
                 version_id, job_id, orphan, then_start, daily_cost, created_at)
             VALUES ('{id}', 'w', {number}, 'start', 'initiator', 'u', 'v', '{id}', 0, 0, {cost}, 1);"
        );
        [job(&id, "build", status), made].concat()
    };
    let rows = [
        "BEGIN;".to_owned(),
        job("j", "import", "succeeded"),
        template("t", "NULL"),
        template("gone", "2"),
        "INSERT INTO template_versions VALUES ('v', 't', 'o', 'v1', '', 'f', 'j', x'', '{}', 0, 'u', 1, 1);
         INSERT INTO workspaces VALUES ('w', 'o', 'u', 'kiln', 't', '', NULL, 0, 1, 1, 1, NULL);"
            .to_owned(),
        build(1, "succeeded", 3),
        build(2, "succeeded", 7),
        build(3, "failed", 0),
        "COMMIT;".to_owned(),
    ];
    conn.execute_batch(&rows.concat()).unwrap();
    prepare(&mut conn).unwrap();
    let one = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(one("SELECT group_concat(template_id) FROM template_grants"), "t");
    let granted = "SELECT user_id || ' ' || template_id || ' ' || role || ' ' || reason
                   FROM effective_template_grants";
    assert_eq!(one(granted), "u t use everyone");
    assert_eq!(one("SELECT daily_cost || '' FROM workspaces"), "7");
}

#[test]
fn entries_from_before_are_found_by_what_searches_know_today() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = Connection::open(dir.path().join("steading.db")).unwrap();
    let before = MIGRATIONS.iter().position(|(name, _)| name.ends_with("auditpage")).unwrap();
    for (_, sql) in &MIGRATIONS[..before] {
        conn.execute_batch(sql).unwrap();
    }
    conn.pragma_update(None, "user_version", i64::try_from(before).unwrap()).unwrap();
    conn.execute_batch(
        "INSERT INTO audit (form, hash, id, at, actor, ip, user_agent, action, target, target_id,
             target_name, status, reason, diff)
         VALUES (1, zeroblob(32), 'a', 1795000000, 'nobody', '192.0.2.10', '', 'login', 'user', 'u',
             'ada', 401, 'wrong', '{}'),
            (1, zeroblob(32), 'b', 1795000000, 'system', '', '', 'create', 'user', 'u', 'ada', 200,
             '', '{}');
         INSERT INTO audit_words (rowid, words, terms) VALUES (1, 'ada', 'alogin'), (2, 'ada', 'acreate');",
    )
    .unwrap();
    prepare(&mut conn).unwrap();
    let found = |terms: &str| -> Vec<i64> {
        let mut statement = conn
            .prepare("SELECT rowid FROM audit_words WHERE audit_words MATCH ?1 ORDER BY rowid")
            .unwrap();
        let rows = statement.query_map([terms], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(found("terms : sdenied"), [1]);
    assert_eq!(found("terms : f1920210"), [1]);
    assert_eq!(found("words : ada"), [1, 2]);
}

#[test]
fn a_decision_on_a_template_walks_through_no_list_of_those_who_may() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    let mut statement = conn
        .prepare(
            "EXPLAIN QUERY PLAN SELECT role FROM effective_template_grants
             WHERE user_id = ?1 AND template_id = ?2",
        )
        .unwrap();
    let steps = statement.query_map(["u", "t"], |row| row.get::<_, String>("detail")).unwrap();
    let steps: Vec<String> = steps.map(Result::unwrap).filter(|s| s.contains(" g ")).collect();
    assert_eq!(steps.len(), 3, "{steps:#?}");
    assert!(steps.iter().all(|s| s.contains("template_id=? AND <expr>=?")), "{steps:#?}");
}

#[test]
fn what_was_shared_by_a_role_stands_on_it_and_addresses_are_kept_to_be_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = Connection::open(dir.path().join("steading.db")).unwrap();
    let before = MIGRATIONS.iter().position(|(name, _)| name.ends_with("standing")).unwrap();
    for (_, sql) in &MIGRATIONS[..before] {
        conn.execute_batch(sql).unwrap();
    }
    conn.pragma_update(None, "user_version", i64::try_from(before).unwrap()).unwrap();
    let user = |id: &str| {
        format!(
            "INSERT INTO users VALUES ('{id}', '{id}', '', '{id}@x', 'person', 'active', 'password', 1, 1, NULL);
             INSERT INTO memberships (organization_id, user_id, created_at) VALUES ('o', '{id}', 1);"
        )
    };
    let grant = |by: &str| {
        format!(
            "INSERT INTO grants (id, workspace_id, organization_id, user_id, verbs, from_at, hours,
                 networks, needs_mfa, is_recorded, reason, granted_by, granted_at, via)
             VALUES ('by-{by}', 'w', 'o', 'ben', 1, 0, '', '', 0, 0, '', '{by}', 1, 'direct');"
        )
    };
    let rows = [
        "BEGIN; INSERT INTO organizations (id, name, display_name, description, is_default, created_at, updated_at)
           VALUES ('o', 'default', '', '', 1, 1, 1);"
            .to_owned(),
        ["ada", "ben", "olga", "fay"].map(user).concat(),
        "INSERT INTO role_bindings (user_id, role, created_at) VALUES ('olga', 'owner', 1);
         INSERT INTO archives VALUES (zeroblob(32), x'00', 1);
         INSERT INTO files (id, hash, created_by, created_at) VALUES ('f', zeroblob(32), 'ada', 1);
         INSERT INTO jobs (id, kind, status, error, created_at, runner, is_last)
           VALUES ('j', 'import', 'succeeded', '', 1, '', 0);
         INSERT INTO templates (id, organization_id, name, display_name, description, icon,
             active_version_id, deprecation, default_ttl_s, created_by, created_at, updated_at)
           VALUES ('t', 'o', 't', '', '', '', 'v', '', 0, 'ada', 1, 1);
         INSERT INTO template_versions VALUES ('v', 't', 'o', 'v1', '', 'f', 'j', x'', '{}', 0, 'ada', 1, 1);
         INSERT INTO workspaces (id, organization_id, owner_id, name, template_id,
             autostart_schedule, automatic_updates, created_at, updated_at, last_used_at)
           VALUES ('w', 'o', 'ada', 'kiln', 't', '', 0, 1, 1, 1);
         INSERT INTO request_hooks VALUES ('o', 'https://hooks.example.org/secret', 0, x'01', 'olga', 1);
         INSERT INTO request_notices (organization_id, body, tries, next_at) VALUES ('o', '{}', 0, 1);"
            .to_owned(),
        ["ada", "olga", "fay"].map(grant).concat(),
        "COMMIT;".to_owned(),
    ];
    conn.execute_batch(&rows.concat()).unwrap();
    prepare(&mut conn).unwrap();
    let one = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    // Fay may have owned it: what nobody knows ends nothing.
    let by_role = "SELECT group_concat(granted_by) FROM grants WHERE by_role = 1";
    assert_eq!(one(by_role), "olga");
    let held = "SELECT group_concat(grant_id) FROM (SELECT grant_id FROM effective_grants
                WHERE user_id = 'ben' ORDER BY grant_id)";
    assert_eq!(one(held), "by-ada,by-fay,by-olga");
    assert_eq!(
        one("SELECT CAST(url AS TEXT) FROM request_hooks"),
        "https://hooks.example.org/secret"
    );
    assert_eq!(one("SELECT count(*) || '' FROM request_notices"), "1");
    conn.execute_batch("DELETE FROM role_bindings").unwrap();
    assert_eq!(one(held), "by-ada,by-fay");
}

/// A database of an earlier release has run them as they were.
#[test]
fn what_was_released_of_the_migrations_is_never_changed() {
    let kept = include_str!("migrations.sha256");
    for (name, sql) in MIGRATIONS {
        let line = format!("{}  {name}.sql\n", hex::encode(sha2::Sha256::digest(sql.as_bytes())));
        assert!(
            kept.contains(&line),
            "a change is a migration of its own; a new one is listed: {line}"
        );
    }
    assert_eq!(kept.lines().count(), MIGRATIONS.len());
}
