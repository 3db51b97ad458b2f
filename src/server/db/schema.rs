//! A fresh database gets `schema.sql`; an older one the migrations it lacks, after a copy was made.

use rusqlite::{Connection, OptionalExtension as _};

use super::{Error, Result, audit, audit_words};

/// The whole schema as it is today.
pub const SCHEMA: &str = include_str!("../../../schema.sql");

/// Each step to today, in order. The first makes the first release's schema.
pub const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_start", include_str!("migrations/0001_start.sql")),
    ("0002_roles", include_str!("migrations/0002_roles.sql")),
    ("0003_token_scopes", include_str!("migrations/0003_token_scopes.sql")),
    ("0004_identities", include_str!("migrations/0004_identities.sql")),
    (AUDIT_CHAIN, include_str!("migrations/0005_audit_chain.sql")),
    ("0006_audit_words", include_str!("migrations/0006_audit_words.sql")),
    ("0007_template_grants", include_str!("migrations/0007_template_grants.sql")),
    ("0008_quotas", include_str!("migrations/0008_quotas.sql")),
    ("0009_factors", include_str!("migrations/0009_factors.sql")),
    ("0010_scim", include_str!("migrations/0010_scim.sql")),
    ("0011_scim_stopped", include_str!("migrations/0011_scim_stopped.sql")),
    ("0012_claims", include_str!("migrations/0012_claims.sql")),
    (AUDIT_PAGE, include_str!("migrations/0013_auditpage.sql")),
    ("0014_providers", include_str!("migrations/0014_providers.sql")),
    ("0015_provedit", include_str!("migrations/0015_provedit.sql")),
    ("0016_orgs", include_str!("migrations/0016_orgs.sql")),
    ("0017_template_reads", include_str!("migrations/0017_template_reads.sql")),
    ("0018_rotations", include_str!("migrations/0018_rotations.sql")),
    ("0019_sharing", include_str!("migrations/0019_sharing.sql")),
    ("0020_recordings", include_str!("migrations/0020_recordings.sql")),
    ("0021_requests", include_str!("migrations/0021_requests.sql")),
    ("0022_codes", include_str!("migrations/0022_codes.sql")),
    ("0023_transfers", include_str!("migrations/0023_transfers.sql")),
    ("0024_standing", include_str!("migrations/0024_standing.sql")),
    ("0025_sealed_hooks", include_str!("migrations/0025_sealed_hooks.sql")),
    ("0026_mails", include_str!("migrations/0026_mails.sql")),
    ("0027_health", include_str!("migrations/0027_health.sql")),
    ("0028_favorites", include_str!("migrations/0028_favorites.sql")),
    ("0029_agent_spots", include_str!("migrations/0029_agent_spots.sql")),
];

const AUDIT_CHAIN: &str = "0005_audit_chain";
/// The last that begins the index of words anew: it is filled then.
const AUDIT_PAGE: &str = "0013_auditpage";

/// The version that [`SCHEMA`] has.
#[must_use]
pub fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// What the header of our files says whose they are, in SQLite's place for it: "Stdg".
pub const APPLICATION_ID: i32 = 0x5374_6467;

/// Makes the schema current. The file is an empty one or one of ours: see `inspect`.
///
/// # Errors
/// When a migration fails (nothing of it stays).
pub fn prepare(conn: &mut Connection) -> Result<()> {
    let (found, known) = (version(conn)?, known_version());
    if found > known {
        return Err(Error::Newer { found, known });
    }
    if found == 0 {
        let tx = conn.transaction()?;
        tx.execute_batch(SCHEMA)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", known)?;
        tx.commit()?;
        return let_go(conn);
    }
    if found < known {
        keep_a_copy(conn, found)?;
        // Tables are made anew, and what refers to them must not go with the old ones.
        conn.pragma_update(None, "foreign_keys", "OFF")?;
    }
    let done = usize::try_from(found).unwrap_or(0);
    for (number, (name, sql)) in (1i64..).zip(MIGRATIONS).skip(done) {
        tracing::info!(migration = name, "migrating the database");
        let tx = conn.transaction()?;
        tx.execute_batch(sql)?;
        finish(name, &tx)?;
        require_targets(&tx)?;
        tx.pragma_update(None, "user_version", number)?;
        tx.commit()?;
    }
    if found < known { let_go(conn) } else { Ok(()) }
}

/// Every page was in its hands, and few of them will be again soon.
fn let_go(conn: &Connection) -> Result<()> {
    Ok(conn.execute_batch("PRAGMA shrink_memory")?)
}

/// What SQL alone cannot do for a migration.
fn finish(name: &str, conn: &Connection) -> Result<()> {
    match name {
        AUDIT_CHAIN => audit::chain_all(conn),
        AUDIT_PAGE => audit_words::catch_up(conn),
        _ => Ok(()),
    }
}

/// Refuses a migration after which a reference leads nowhere.
fn require_targets(conn: &Connection) -> Result<()> {
    let dangling = conn.query_row("PRAGMA foreign_key_check", [], |row| row.get::<_, String>(0));
    match dangling.optional()? {
        None => Ok(()),
        Some(table) => {
            let why = format!("references of the table {table} lead nowhere after a migration");
            Err(Error::Damaged { why })
        }
    }
}

/// The version of the file's schema; 0 for an empty file.
///
/// # Errors
/// When SQLite fails.
pub(super) fn version(conn: &Connection) -> Result<i64> {
    Ok(conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Asks for a file whose schema is today's.
///
/// # Errors
/// When the program that serves it has not made it so.
pub(super) fn require_current(conn: &Connection) -> Result<()> {
    let (found, known) = (version(conn)?, known_version());
    if found < known {
        let why = format!(
            "the database has schema {found}, this program knows {known}; start the server once"
        );
        return Err(Error::Unreadable { what: "schema", why });
    }
    Ok(())
}

/// Runs every migration on an empty database: the other road to [`SCHEMA`].
///
/// # Errors
/// When a migration is wrong.
pub fn replay(conn: &mut Connection) -> Result<()> {
    for (_, sql) in MIGRATIONS {
        conn.execute_batch(sql)?;
    }
    Ok(())
}

/// `steading.db` becomes `steading.db.v3` beside it, so that a failed upgrade can be undone by hand.
fn keep_a_copy(conn: &Connection, version: i64) -> Result<()> {
    if let Some(path) = conn.path().filter(|p| !p.is_empty()) {
        let copy = format!("{path}.v{version}");
        if !std::path::Path::new(&copy).exists() {
            conn.execute("VACUUM INTO ?1", [copy])?;
        }
    }
    Ok(())
}
