//! A directory as the operator has set it up.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::dn;
use super::filter::Filter;
use crate::model::identity::Rules;
use crate::model::time::words;
use crate::server::identity::listing::{Pair, SET, of_rules, truth};

/// A directory as the operator has set it up.
#[derive(Clone)]
pub struct Settings {
    /// Its host, a name or an address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How what is said is kept secret.
    pub security: Security,
    /// Authorities that its certificate may be of, PEM; the machine's when absent.
    pub authorities: Option<Vec<u8>>,
    /// Who asks; empty for nobody.
    pub bind_dn: String,
    /// Their password.
    pub bind_password: Zeroizing<String>,
    /// How a person's entry is found.
    pub people: People,
    /// Which attributes say what.
    pub attributes: Attributes,
    /// How their groups are found.
    pub groups: Groups,
    /// How often is asked whether who is signed in is still there.
    pub check_every: Duration,
    /// Who may come in, and as whom.
    pub rules: Arc<Rules>,
}

/// Ports that a directory has when none is named: with TLS and without it is the same one.
const USUAL: [u16; 2] = [389, 636];

impl Settings {
    /// By what its people are known: which directory it is, which part of it they are in, and which
    /// attribute tells them apart, written as RFC 4516 has it. How it is secured changes none of that.
    #[must_use]
    pub fn issuer(&self) -> String {
        let host = self.host.to_lowercase();
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let port = match self.port {
            port if USUAL.contains(&port) => String::new(),
            port => format!(":{port}"),
        };
        let place = match &self.people {
            People::Search(base, _) => base.as_str(),
            People::Named(template, _) => template.split_once(',').map_or("", |(_, place)| place),
        };
        let place = dn::parts(place).unwrap_or_default().join(",");
        format!("ldap://{host}{port}/{place}?{}", self.attributes.id.to_lowercase())
    }

    /// Each setting as it may be shown. Filters are not kept as they were written.
    #[must_use]
    pub fn pairs(&self) -> Vec<Pair> {
        let scheme = if self.security == Security::Tls { "ldaps" } else { "ldap" };
        let (base, template) = match &self.people {
            People::Search(base, _) => (base.clone(), String::new()),
            People::Named(template, _) => (String::new(), template.clone()),
        };
        let (attribute, name) = match &self.groups.found {
            Found::In(attribute) => (attribute.clone(), String::new()),
            Found::By(_, name) => (String::new(), name.clone()),
        };
        let secret = if self.bind_dn.is_empty() { "" } else { SET };
        let authority = if self.authorities.is_some() { SET } else { "the machine's" };
        let of = &self.attributes;
        let mut all = vec![
            ("url", format!("{scheme}://{}:{}", self.host, self.port)),
            ("start_tls", truth(self.security == Security::StartTls)),
            ("ca", authority.to_owned()),
            ("bind_dn", self.bind_dn.clone()),
            ("bind_password", secret.to_owned()),
            ("base", base),
            ("dn_template", template),
            ("id_attribute", of.id.clone()),
            ("username_attribute", of.username.clone()),
            ("email_attribute", of.email.clone()),
            ("name_attribute", of.name.clone()),
            ("group_base", self.groups.base.clone()),
            ("groups_attribute", attribute),
            ("group_name_attribute", name),
        ];
        all.extend(of_rules(&self.rules));
        all.push(("check_every", words(self.check_every)));
        all
    }
}

/// How what is said to a directory is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte: `ldaps://`.
    Tls,
    /// TLS before anything is said.
    StartTls,
    /// Not at all: only where the network is one's own.
    Plain,
}

/// How a person's entry is found.
#[derive(Clone, Debug)]
pub enum People {
    /// By a search below a base.
    Search(String, Filter),
    /// By its name, with `{username}` in it, when this filter lets it through.
    Named(String, Filter),
}

/// Which attributes of a person's entry say what.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// What never changes, and is never given to someone else.
    pub id: String,
    /// The user name.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The full name.
    pub name: String,
}

/// How a person's groups are found.
#[derive(Clone, Debug)]
pub struct Groups {
    /// Only groups below this count; all when empty.
    pub base: String,
    /// Where they stand.
    pub found: Found,
    /// Names of entries that the settings speak of: such a group is told by the name there.
    pub named: Vec<String>,
}

/// Where a person's groups stand.
#[derive(Clone, Debug)]
pub enum Found {
    /// In this attribute of the person's entry, as names of entries.
    In(String),
    /// In entries that this filter finds, which are called by this attribute.
    By(Filter, String),
}

/// Its password is not for logs.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}
