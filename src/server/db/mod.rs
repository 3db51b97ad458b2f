//! Rows and SQL, one file a table; functions take a transaction and never open one.

pub mod access_review;
pub mod agent_apps;
pub mod agent_health;
pub mod agent_logs;
pub mod agent_metadata;
pub mod agent_scripts;
pub mod agent_spots;
pub mod agents;
pub mod archives;
pub mod audit;
pub mod audit_checkpoints;
pub mod audit_entry;
pub mod audit_filters;
pub mod audit_search;
mod audit_words;
pub mod break_glass;
pub mod build_parameters;
pub mod builds;
pub mod calendar_feeds;
pub mod charters;
pub mod codec;
pub mod codes;
pub mod commands;
pub mod connection_search;
pub mod connections;
pub mod favorites;
pub mod files;
pub mod grants;
pub mod groups;
pub mod identities;
pub mod identity_grants;
pub mod idp_syncs;
mod inspect;
pub mod invitations;
pub mod job_logs;
pub mod jobs;
pub mod lacking;
pub mod lockouts;
pub mod mails;
pub mod memberships;
pub mod organizations;
pub mod passkeys;
pub mod passwords;
pub mod plan;
pub mod pool;
pub mod providers;
pub mod quotas;
pub mod recording_blocks;
pub mod recordings;
pub mod recovery_codes;
pub mod request_hooks;
pub mod request_rules;
pub mod requests;
pub mod resources;
pub mod rights;
pub mod roles;
pub mod rotation_overrides;
pub mod rotations;
pub mod schema;
pub mod scim_groups;
pub mod scim_users;
pub mod seal;
pub mod service_accounts;
pub mod settings;
pub mod shifts;
pub mod spent_challenges;
pub mod ssh_keys;
pub mod states;
pub mod template_grants;
pub mod templates;
pub mod timings;
pub mod token_uses;
pub mod tokens;
pub mod totp_factors;
pub mod transfers;
pub mod tx;
pub mod user_search;
pub mod users;
pub mod versions;
pub mod workspace_search;
pub mod workspaces;
mod writer;

pub use pool::Db;
pub use tx::{ReadTx, WriteTx};

/// What can go wrong between the program and its database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused or failed.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
    /// There is no room for what was to be written.
    #[error("the disk is full")]
    Full,
    /// A commit failed; the log says why.
    #[error("nothing was written")]
    NotWritten,
    /// The file was not written by this program.
    #[error(
        "this is not a database of Steading: {why}. The file was not changed; name another data \
         directory, or move it away"
    )]
    Foreign {
        /// What gives it away.
        why: String,
    },
    /// The file is damaged.
    #[error(
        "the database is damaged: {why}. The file was not changed; put a copy of it back, or try \
         `sqlite3 FILE .recover` on a copy"
    )]
    Damaged {
        /// SQLite's words.
        why: String,
    },
    /// A stored value is not what the code can read.
    #[error("a stored {what} cannot be read: {why}")]
    Unreadable {
        /// Table and column.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// A closure panicked; its transaction was rolled back.
    #[error("a transaction panicked and was rolled back")]
    Panicked,
    /// The writer has stopped.
    #[error("the database is closed")]
    Closed,
    /// The file was written by a newer program.
    #[error(
        "the database has schema {found}, this program knows {known}. The file was not changed; \
         use the newer program"
    )]
    Newer {
        /// What the file says.
        found: i64,
        /// What the program knows.
        known: i64,
    },
}

/// What functions of this module return.
pub type Result<T> = std::result::Result<T, Error>;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(_) | None => Self::Sqlite(error),
        }
    }
}

impl Error {
    /// The name of the unique index or the columns that a write collided with, as SQLite says it.
    #[must_use]
    pub fn collision(&self) -> Option<&str> {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, Some(text)))
                if code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                    || code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY =>
            {
                text.rsplit_once(": ").map(|(_, what)| what)
            }
            Self::Sqlite(_)
            | Self::Full
            | Self::NotWritten
            | Self::Foreign { .. }
            | Self::Damaged { .. }
            | Self::Unreadable { .. }
            | Self::Panicked
            | Self::Closed
            | Self::Newer { .. } => None,
        }
    }
}
