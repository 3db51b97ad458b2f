//! A deployment of any size, written through SQL in one transaction.

use std::ops::Range;

use rusqlite::{Connection, named_params};

/// Workspaces for each user.
pub const WORKSPACES_A_USER: u32 = 10;

/// What each workspace has.
pub struct Each {
    /// An even number: the last of them is a start.
    pub builds: u32,
    /// The first of them lasts.
    pub sessions: u32,
    /// In the log of its first build; a tenth as many entries in the audit log.
    pub lines: u32,
}

/// As much as a year leaves.
pub const YEAR: Each = Each { builds: 10, sessions: 10, lines: 100 };

/// How long the last build lets a workspace run.
pub const TTL_S: i64 = 8 * 3600;

/// The one archive, of the one template.
const ARCHIVE: &str =
    "INSERT INTO archives (hash, body, created_at) VALUES (zeroblob(32), x'00', :now)";

/// Ids are version 7 in form: a time of zero, the kind of row, its number.
macro_rules! id {
    ($kind:literal, $n:literal) => {
        concat!("printf('00000000-", $kind, "-7000-8000-%012x', ", $n, ")")
    };
}

const TEMPLATE: [&str; 5] = [
    concat!(
        "INSERT INTO files (id, hash, created_by, created_at, is_used) SELECT ",
        id!("0001", "0"),
        ", zeroblob(32), u.id, :now, 1 FROM users u ORDER BY u.id LIMIT 1"
    ),
    concat!(
        "INSERT INTO jobs (id, kind, status, error, created_at, started_at, ended_at, runner,
             is_last)
         VALUES (",
        id!("0002", "0"),
        ", 'import', 'succeeded', '', :now, :now, :now, '', 0)"
    ),
    concat!(
        "INSERT INTO templates (id, organization_id, name, display_name, description, icon,
             active_version_id, deprecation, default_ttl_s, created_by, created_at, updated_at)
         SELECT ",
        id!("0003", "0"),
        ", o.id, 'grown', '', '', '', ",
        id!("0004", "0"),
        ", '', 0, f.created_by, :now, :now FROM organizations o CROSS JOIN files f LIMIT 1"
    ),
    concat!(
        "INSERT INTO template_versions (id, template_id, organization_id, name, message, file_id,
             job_id, variables, imported, archived, created_by, created_at, updated_at)
         SELECT ",
        id!("0004", "0"),
        ", t.id, t.organization_id, 'first', '', ",
        id!("0001", "0"),
        ", ",
        id!("0002", "0"),
        ", x'', '{}', 0, t.created_by, :now, :now FROM templates t WHERE t.name = 'grown'"
    ),
    "INSERT INTO template_grants (template_id, user_id, group_id, role, created_at)
     SELECT t.id, NULL, NULL, 'use', :now FROM templates t WHERE t.name = 'grown'",
];

/// Numbers from `:from` to below `:to`.
const NUMBERS: &str = "WITH RECURSIVE n (n) AS (
    SELECT :from WHERE :from < :to UNION ALL SELECT n + 1 FROM n WHERE n + 1 < :to) ";

const USERS: [&str; 2] = [
    concat!(
        "INSERT INTO users (id, username, name, email, kind, status, login_type, created_at,
             updated_at, last_seen_at)
         SELECT ",
        id!("0005", "n"),
        ", printf('person%06d', n), printf('Person %d', n), printf('person%d@example.org', n),
         'person', 'active', 'none', :now, :now, :now FROM n"
    ),
    concat!(
        "INSERT INTO memberships (organization_id, user_id, created_at)
         SELECT o.id, ",
        id!("0005", "n"),
        ", :now FROM n CROSS JOIN organizations o"
    ),
];

const WORKSPACES: [&str; 1] = [concat!(
    "INSERT INTO workspaces (id, organization_id, owner_id, name, template_id, autostart_schedule,
         automatic_updates, created_at, updated_at, last_used_at)
     SELECT ",
    id!("0006", "n"),
    ", t.organization_id, ",
    id!("0005", "n / :each"),
    ", printf('work%06d', n), t.id, '', 0, :now, :now, :now
     FROM n CROSS JOIN templates t WHERE t.name = 'grown'"
)];

const BUILDS: [&str; 5] = [
    concat!(
        "INSERT INTO jobs (id, kind, status, error, created_at, started_at, ended_at, runner,
             n_log_bytes, is_last)
         SELECT ",
        id!("0007", "n"),
        ", 'build', 'succeeded', '', :now, :now, :now, '', 1, n % :each = :each - 1 FROM n"
    ),
    concat!(
        "INSERT INTO builds (id, workspace_id, number, transition, reason, initiator_id, version_id,
             job_id, orphan, then_start, daily_cost, created_at, deadline_at)
         SELECT ",
        id!("0008", "n"),
        ", w.id, n % :each + 1, iif(n % 2 = 0, 'stop', 'start'), 'initiator', w.owner_id, ",
        id!("0004", "0"),
        ", ",
        id!("0007", "n"),
        ", 0, 0, 0, :now, iif(n % :each = :each - 1, :due, NULL) FROM n CROSS JOIN workspaces w ON w.id = ",
        id!("0006", "n / :each")
    ),
    concat!(
        "INSERT INTO states (build_id, body, created_at) SELECT ",
        id!("0008", "n"),
        ", zeroblob(1024), :now FROM n"
    ),
    concat!(
        "INSERT INTO resources (id, build_id, position, address, kind, name, hide, icon, daily_cost,
             instance_type, metadata)
         SELECT ",
        id!("0009", "n"),
        ", ",
        id!("0008", "n"),
        ", 0, 'terraform_data.it', 'terraform_data', 'it', 0, '', 0, '', '[]' FROM n
         WHERE n % 2 = 1"
    ),
    concat!(
        "INSERT INTO timings (job_id, stage, source, action, resource, started_ms, ended_ms)
         SELECT ",
        id!("0007", "n"),
        ", 'apply', 'terraform', 'create', 'terraform_data.it', :now * 1000, :now * 1000 FROM n"
    ),
];

/// What an agent declares, as the tables keep it.
const SPEC: &str = r#"{"id":"00000000-0000-0000-0000-000000000000","name":"main","os":"linux",
"arch":"amd64","directory":"","env":{},"token":"","instance_id":"","connection_timeout_s":120,
"troubleshooting_url":"","motd_file":"","display_apps":{"vscode":true,"vscode_insiders":false,
"web_terminal":true,"ssh_helper":true,"port_forwarding_helper":true},"order":0,
"api_key_scope":"all","external":false,"apps":[],"scripts":[],"metadata":[]}"#;

const AGENTS: [&str; 1] = [concat!(
    "INSERT INTO agents (id, resource_id, build_id, position, name, instance_id, spec, sealed,
         created_at, lifecycle, version, expanded_directory, n_log_bytes)
     SELECT ",
    id!("000a", "n"),
    ", r.id, r.build_id, 0, 'main', '', :spec, x'', :now, 'created', '', '', 1
     FROM n CROSS JOIN resources r ON r.id = ",
    id!("0009", "(n * :each + :each - 1)")
)];

const SESSIONS: [&str; 1] = [concat!(
    "INSERT INTO connections (id, user_id, workspace_id, agent_id, kind, address, client, began_at,
         ended_at, end_reason, bytes_out, bytes_in)
     SELECT ",
    id!("000b", "n"),
    ", w.owner_id, w.id, ",
    id!("000a", "n / :each"),
    ", 'ssh', '192.0.2.1', 'OpenSSH', :now, iif(n % :each = 0, NULL, :now),
     iif(n % :each = 0, NULL, 'closed'), 0, 0
     FROM n CROSS JOIN workspaces w ON w.id = ",
    id!("0006", "n / :each")
)];

const LINES: [&str; 2] = [
    concat!(
        "INSERT INTO job_logs (job_id, at_ms, source, level, stage, output)
         SELECT b.job_id, :now * 1000, 'provisioner', 'info', 'Applying', printf('line %d', n)
         FROM n CROSS JOIN builds b ON b.workspace_id = ",
        id!("0006", "n / :each"),
        " AND b.number = 1"
    ),
    concat!(
        // Not chained: nothing here verifies the log.
        "INSERT INTO audit (form, hash, id, at, actor, user_id, ip, user_agent, action, target,
             target_id, target_name, organization_id, build_reason, status, reason, diff)
         SELECT 1, zeroblob(32), ",
        id!("000c", "n"),
        ", :now, 'user', w.owner_id, '', '', 'start', 'workspace_build', w.id, w.name,
         w.organization_id, 'initiator', 200, '', '{}'
         FROM n CROSS JOIN workspaces w ON w.id = ",
        id!("0006", "n / :each"),
        " WHERE n % 10 = 0"
    ),
];

/// Adds the workspaces of this range with their owners and all that a year leaves of them.
pub fn seed(path: &std::path::Path, workspaces: &Range<u32>, now: i64, each: &Each) {
    let mut conn = Connection::open(path).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    conn.pragma_update(None, "foreign_keys", "ON").unwrap();
    let tx = conn.transaction().unwrap();
    let there: i64 = tx.query_row("SELECT count(*) FROM archives", [], |row| row.get(0)).unwrap();
    if there == 0 {
        tx.execute(ARCHIVE, named_params! { ":now": now }).unwrap();
        for sql in TEMPLATE {
            tx.execute(sql, named_params! { ":now": now }).unwrap();
        }
    }
    let users = workspaces.start / WORKSPACES_A_USER..workspaces.end / WORKSPACES_A_USER;
    let times = |each: u32| workspaces.start * each..workspaces.end * each;
    let Each { builds, sessions, lines } = *each;
    let rows: [(&[&str], Range<u32>, u32); 6] = [
        (&USERS, users, 0),
        (&WORKSPACES, workspaces.clone(), WORKSPACES_A_USER),
        (&BUILDS, times(builds), builds),
        (&AGENTS, workspaces.clone(), builds),
        (&SESSIONS, times(sessions), sessions),
        (&LINES, times(lines), lines),
    ];
    for (statements, range, each) in rows {
        for sql in statements {
            // SQLite wants the numbers before the word INSERT.
            let mut statement = tx.prepare(&format!("{NUMBERS}{sql}")).unwrap();
            for (name, value) in [
                (":from", i64::from(range.start)),
                (":to", i64::from(range.end)),
                (":each", i64::from(each)),
                (":now", now),
                (":due", now + TTL_S),
            ] {
                if let Some(place) = statement.parameter_index(name).unwrap() {
                    statement.raw_bind_parameter(place, value).unwrap();
                }
            }
            if let Some(place) = statement.parameter_index(":spec").unwrap() {
                statement.raw_bind_parameter(place, SPEC).unwrap();
            }
            statement.raw_execute().unwrap();
        }
    }
    tx.commit().unwrap();
}

/// Whether every reference has its target and every index its rows.
pub fn check(path: &std::path::Path) {
    let conn = Connection::open(path).unwrap();
    let dangling = conn.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap();
    assert!(!dangling, "a reference leads nowhere");
    let said: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
}
