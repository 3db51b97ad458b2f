//! Rows and SQL, one file a table; functions take a transaction and never open one.

pub mod agent_apps;
pub mod agent_logs;
pub mod agent_metadata;
pub mod agent_scripts;
pub mod agents;
pub mod archives;
pub mod audit;
pub mod build_parameters;
pub mod builds;
pub mod codec;
pub mod connections;
pub mod files;
pub mod grants;
pub mod groups;
pub mod job_logs;
pub mod jobs;
pub mod lockouts;
pub mod memberships;
pub mod organizations;
pub mod passwords;
pub mod plan;
pub mod pool;
pub mod resources;
pub mod roles;
pub mod schema;
pub mod seal;
pub mod settings;
pub mod ssh_keys;
pub mod states;
pub mod templates;
pub mod timings;
pub mod tokens;
pub mod tx;
pub mod users;
pub mod versions;
pub mod workspace_search;
pub mod workspaces;

pub use pool::Db;
pub use tx::{ReadTx, WriteTx};

/// What can go wrong between the program and its database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused or failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
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
    #[error("the database has schema {found}, this program knows {known}; use the newer program")]
    Newer {
        /// What the file says.
        found: i64,
        /// What the program knows.
        known: i64,
    },
}

/// What functions of this module return.
pub type Result<T> = std::result::Result<T, Error>;

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
            | Self::Unreadable { .. }
            | Self::Panicked
            | Self::Closed
            | Self::Newer { .. } => None,
        }
    }
}
