//! SCIM 2.0 (RFC 7643 and 7644): what an identity provider says of people and groups.
//!
//! Reading is tolerant, since providers differ; what is written follows the schemas to the letter.

pub mod filter;
pub mod group;
pub mod patch;
pub mod project;
pub mod read;
pub mod schema;
pub mod user;

use super::user::define_words;

/// Attributes by the names of a schema.
pub type Map = serde_json::Map<String, serde_json::Value>;

define_words! {
    /// What is wrong with a request, in the words of RFC 7644, table 9.
    BadKind {
        /// A filter cannot be read, or asks for more than is offered.
        InvalidFilter = "invalidFilter",
        /// More would be found than can be looked through.
        TooMany = "tooMany",
        /// Someone or something else has the name.
        Uniqueness = "uniqueness",
        /// An attribute that clients do not change.
        Mutability = "mutability",
        /// The body is not what the operation takes.
        InvalidSyntax = "invalidSyntax",
        /// The path of a change names nothing.
        InvalidPath = "invalidPath",
        /// The path of a change leads to no value.
        NoTarget = "noTarget",
        /// A value does not fit.
        InvalidValue = "invalidValue",
    }
}

/// Why a request makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Bad {
    /// In the standard's word.
    pub kind: BadKind,
    /// In words for a person.
    pub why: String,
}

impl Bad {
    /// A reason of a kind.
    #[must_use]
    pub fn new(kind: BadKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    /// A value that does not fit.
    #[must_use]
    pub fn value(name: &str, why: impl std::fmt::Display) -> Self {
        Self::new(BadKind::InvalidValue, format!("{name} {why}"))
    }
}
