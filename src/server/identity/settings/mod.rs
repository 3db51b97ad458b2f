//! What a provider's settings mean: those of the file, of the environment and of the page are read here.

pub mod github;
pub mod ldap;
pub mod oidc;
pub mod scim;
mod syncs;
pub mod typed;

use serde::Deserialize;

use crate::model::identity::LinkByEmail;
use crate::model::provider::ProviderKind;
use crate::server::app::Error;
use crate::server::identity;

/// The longest issuer, as it is kept with each identity.
const MAX_ISSUER: usize = 500;

/// A setting that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Wrong {
    /// Its key; empty when it is not one alone.
    pub field: String,
    /// What is wrong with it and what would fit, a sentence that begins with the key.
    pub why: String,
}

impl Wrong {
    /// What is wrong with the setting `field`.
    pub fn new(field: &str, why: impl Into<String>) -> Self {
        Self { field: field.to_owned(), why: why.into() }
    }

    /// An error unless it `fits`.
    fn unless(fits: bool, field: &str, why: impl FnOnce() -> String) -> Result<(), Self> {
        if fits { Ok(()) } else { Err(Self::new(field, why())) }
    }
}

impl From<toml::de::Error> for Wrong {
    fn from(error: toml::de::Error) -> Self {
        Self::new("", error.to_string())
    }
}

impl From<Wrong> for Error {
    fn from(Wrong { field, why }: Wrong) -> Self {
        if field.is_empty() { Self::Conflict(why) } else { Self::Invalid { field, why } }
    }
}

/// Settings of any kind.
pub enum Read {
    /// Of a provider that speaks `OpenID` Connect.
    Oidc(Box<identity::oidc::Settings>),
    /// Of GitHub.
    Github(Box<identity::github::Settings>),
    /// Of a directory.
    Ldap(Box<identity::ldap::Settings>),
    /// Of SCIM.
    Scim(identity::scim::Settings),
}

impl Read {
    /// By what its people are known; none where nobody comes by it.
    #[must_use]
    pub fn issuer(&self) -> Option<String> {
        match self {
            Self::Oidc(settings) => Some(settings.issuer()),
            Self::Github(settings) => Some(settings.issuer()),
            Self::Ldap(settings) => Some(settings.issuer()),
            Self::Scim(_) => None,
        }
    }
}

/// Reads the settings of the way to sign in `name`, with its secret among them. `providers` are the
/// names of those that speak `OpenID` Connect.
///
/// # Errors
/// Names the setting that does not fit.
pub fn read(
    (kind, name): (ProviderKind, &str),
    table: toml::Table,
    providers: &[&str],
) -> Result<Read, Wrong> {
    Ok(match kind {
        ProviderKind::Password => return Err(Wrong::new("", "passwords are set up in the file")),
        ProviderKind::Oidc => Read::Oidc(Box::new(oidc::read(name, table)?)),
        ProviderKind::Github => Read::Github(Box::new(github::read(table)?)),
        ProviderKind::Ldap => Read::Ldap(Box::new(ldap::read(table)?)),
        ProviderKind::Scim => Read::Scim(scim::read(table, providers)?),
    })
}

/// Yes or no.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(transparent)]
struct Flag(bool);

fn yes() -> Flag {
    Flag(true)
}

/// Whose account an address that the provider vouches for leads to.
fn link_by_email(told: Option<&str>, usual: LinkByEmail) -> Result<LinkByEmail, Wrong> {
    let Some(word) = told else { return Ok(usual) };
    let wrong = || format!("link_by_email is {word:?}: none, members or all");
    LinkByEmail::from_word(word).ok_or_else(|| Wrong::new("link_by_email", wrong()))
}
