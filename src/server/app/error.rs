//! The seven kinds of error a use case has. Kinds, not sources: nothing here knows SQL or HTTP.

use crate::model::factor::Ask;
use crate::server::db;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the actor may not know of it.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The actor may see it, and may not do this.
    #[error("{0}")]
    Denied(String),
    /// The actor may do this once they have shown again who they are.
    #[error("{0}")]
    Unconfirmed(Ask),
    /// The state of things does not allow it now.
    #[error("{0}")]
    Conflict(String),
    /// What was given does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The name of the field, as the API calls it.
        field: String,
        /// What is wrong with it and what would fit.
        why: String,
    },
    /// Something it needs is not there; trying again may help.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours. Its text is for the log and never leaves.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

/// What use cases return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An [`Error::Invalid`].
    pub fn invalid(field: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Invalid { field: field.into(), why: why.to_string() }
    }

    /// An [`Error::Conflict`].
    pub fn conflict(why: impl std::fmt::Display) -> Self {
        Self::Conflict(why.to_string())
    }

    /// An [`Error::Conflict`] when a write collided with a name that is taken.
    pub fn taken(error: db::Error, why: impl FnOnce() -> String) -> Self {
        if error.collision().is_some() { Self::Conflict(why()) } else { error.into() }
    }

    /// With another name for the field: forms name some otherwise than the API.
    #[must_use]
    pub fn map_field(self, name: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Invalid { field, why } => Self::Invalid { field: name(field), why },
            other @ (Self::NotFound(_)
            | Self::Denied(_)
            | Self::Unconfirmed(_)
            | Self::Conflict(_)
            | Self::Unavailable(_)
            | Self::Internal(_)) => other,
        }
    }

    /// An [`Error::Denied`].
    pub fn denied(why: impl std::fmt::Display) -> Self {
        Self::Denied(why.to_string())
    }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Closed => {
                Self::Unavailable("the server is stopping; try again in a moment".to_owned())
            }
            db::Error::Full => Self::Unavailable(
                "the server's disk is full, so nothing was changed; try again when there is room"
                    .to_owned(),
            ),
            db::Error::NotWritten => {
                Self::Unavailable("the server could not write this; its log says why".to_owned())
            }
            other @ (db::Error::Sqlite(_)
            | db::Error::Foreign { .. }
            | db::Error::Damaged { .. }
            | db::Error::Unreadable { .. }
            | db::Error::Panicked
            | db::Error::Newer { .. }) => Self::Internal(other.into()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        db::Error::from(error).into()
    }
}
