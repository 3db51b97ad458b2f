//! What is asked of a directory: who someone is, whether a password is theirs, and their groups.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::PROVIDER;
use super::connection::{Connection, Trouble};
use super::dn;
use super::filter::{Filter, Values};
use super::message::{Entry, Scope, Search};
use super::settings::{Found, People, Settings};
use crate::model::identity::{Arrival, Claims, MAX_SUBJECT};
use crate::net::dial::trust;

/// Time for everything that one sign-in or one check asks. A person waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The time a directory gives itself for one search.
const SEARCH_WITHIN_S: u32 = 8;
/// Groups of one person that are read.
const MAX_GROUPS: u32 = 1000;
/// An attribute that holds bytes wherever it is known.
const BYTES: &str = "objectGUID";
/// No attribute at all (RFC 4511, section 4.5.1.8).
const NO_ATTRIBUTES: &str = "1.1";

/// A directory that is asked.
pub struct Directory {
    /// As the operator has set it up.
    pub settings: Settings,
    pub(super) trust: Arc<rustls::ClientConfig>,
}

/// A directory on the line, asked by who the operator says asks.
pub struct Line<'a> {
    pub(super) settings: &'a Settings,
    pub(super) connection: Connection,
}

impl Directory {
    /// A directory that was not asked for anything yet.
    ///
    /// # Errors
    /// When there is no certificate in what they have of an authority.
    pub fn new(settings: Settings) -> std::io::Result<Self> {
        let trust = trust(settings.authorities.as_deref())?;
        Ok(Self { settings, trust })
    }

    /// Who someone is, when the password is theirs.
    ///
    /// # Errors
    /// When the directory cannot be asked.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &Zeroizing<String>,
    ) -> Result<Option<Arrival>, Trouble> {
        // A bind without a password succeeds, and proves nothing (RFC 4513, section 5.1.2).
        if password.is_empty() || username.is_empty() {
            return Ok(None);
        }
        within(async {
            let mut line = self.call().await?;
            let Some(entry) = line.person(username).await? else {
                line.connection.close().await;
                return Ok(None);
            };
            let arrival = match line.connection.bind(&entry.dn, password).await? {
                true => Some(line.arrival_after_bind(&entry).await?),
                false => None,
            };
            line.connection.close().await;
            Ok(arrival)
        })
        .await
    }

    /// Calls the directory.
    ///
    /// # Errors
    /// When it cannot be reached, or does not know who asks.
    pub async fn call(&self) -> Result<Line<'_>, Trouble> {
        let connection = Connection::open(&self.settings, Arc::clone(&self.trust)).await?;
        let mut line = Line { settings: &self.settings, connection };
        line.be_who_asks().await?;
        Ok(line)
    }
}

/// Bounds what is asked in time.
///
/// # Errors
/// When it was too short, or what is asked fails.
pub async fn within<T>(asked: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let late = || Trouble(format!("no answer within {} s", ANSWER_WITHIN.as_secs()));
    tokio::time::timeout(ANSWER_WITHIN, asked).await.map_err(|_| late())?
}

impl Line<'_> {
    /// Who someone is now; none when they are not there.
    ///
    /// # Errors
    /// When the directory cannot be asked.
    pub async fn look_up(&mut self, username: &str) -> Result<Option<Arrival>, Trouble> {
        match self.person(username).await? {
            Some(entry) => self.arrival(&entry).await.map(Some),
            None => Ok(None),
        }
    }

    /// Says goodbye.
    pub async fn hang_up(self) {
        self.connection.close().await;
    }

    /// Becomes who asks.
    ///
    /// # Errors
    /// When the directory does not let them in.
    pub(super) async fn be_who_asks(&mut self) -> Result<(), Trouble> {
        let Settings { bind_dn, bind_password, .. } = self.settings;
        if bind_dn.is_empty() || self.connection.bind(bind_dn, bind_password).await? {
            return Ok(());
        }
        Err(Trouble(format!("the directory does not let {bind_dn} in (bind_dn, bind_password)")))
    }

    /// The one entry that is someone's. When several could be, none is.
    async fn person(&mut self, username: &str) -> Result<Option<Entry>, Trouble> {
        let values = Values { username, dn: "" };
        let (base, scope, filter) = match &self.settings.people {
            People::Search(base, filter) => (base.clone(), Scope::Subtree, filter),
            People::Named(template, filter) => {
                let named = template.replace("{username}", &dn::escaped(username));
                (named, Scope::Base, filter)
            }
        };
        let filter = filter.to_ber(values);
        let (attributes, within_s) = (self.attributes(), SEARCH_WITHIN_S);
        let search = Search { base, scope, filter, attributes, at_most: 2, within_s };
        let found = self.connection.search(search).await?;
        if found.is_cut || found.entries.len() > 1 {
            let shown: String = username.chars().take(64).collect();
            tracing::warn!(login = ?shown, "several entries fit, so nobody is signed in");
            return Ok(None);
        }
        // An entry without a name would be nobody, whom everyone may be.
        let entry = found.entries.into_iter().next().filter(|entry| !entry.dn.is_empty());
        Ok(entry.filter(|entry| self.is_spelled(entry, username)))
    }

    /// Whether an entry is called as someone typed. Directories find it by other spellings, too, each
    /// of which could be tried as often as the first.
    fn is_spelled(&self, entry: &Entry, username: &str) -> bool {
        let of = &self.settings.attributes;
        let wanted = username.to_lowercase();
        let mut names = entry.texts(&of.username).chain(entry.texts(&of.email));
        let is_one = names.any(|name| name.to_lowercase() == wanted);
        if !is_one {
            let (dn, username, email) = (&entry.dn, &of.username, &of.email);
            tracing::warn!(
                dn,
                username,
                email,
                "an entry is found, but none of these is so spelled"
            );
        }
        is_one
    }

    fn attributes(&self) -> Vec<String> {
        let of = &self.settings.attributes;
        let mut all = vec![&of.id, &of.username, &of.email, &of.name];
        if let Found::In(attribute) = &self.settings.groups.found {
            all.push(attribute);
        }
        all.into_iter().filter(|name| !name.is_empty()).cloned().collect()
    }

    /// Groups are looked for by who asks: a person may not see them.
    async fn arrival_after_bind(&mut self, entry: &Entry) -> Result<Arrival, Trouble> {
        if matches!(self.settings.groups.found, Found::By(..)) {
            let Settings { bind_dn, bind_password, .. } = self.settings;
            if !self.connection.bind(bind_dn, bind_password).await? {
                return Err(Trouble(format!("the directory lets {bind_dn:?} in only once")));
            }
        }
        self.arrival(entry).await
    }

    async fn arrival(&mut self, entry: &Entry) -> Result<Arrival, Trouble> {
        let of = &self.settings.attributes;
        let Some(subject) = subject(entry, &of.id) else {
            let (dn, id) = (&entry.dn, &of.id);
            return Err(Trouble(format!(
                "{dn} has no {id} of up to {MAX_SUBJECT} bytes that is shown; set id_attribute to one \
                 that never changes"
            )));
        };
        let mut claims = Map::new();
        for attribute in [&of.username, &of.email, &of.name] {
            if let Some(value) = entry.texts(attribute).next() {
                claims.insert(attribute.clone(), Value::from(value));
            }
        }
        let email = entry.texts(&of.email).next().unwrap_or_default();
        claims.insert("email".to_owned(), Value::from(email));
        // The operator's own directory says so.
        claims.insert("email_verified".to_owned(), Value::Bool(true));
        claims.insert("dn".to_owned(), Value::from(entry.dn.as_str()));
        let groups = self.groups(entry).await?;
        claims.insert(GROUPS.to_owned(), Value::from(groups));
        let (provider, issuer) = (PROVIDER.to_owned(), self.settings.issuer());
        Ok(Arrival { provider, issuer, subject, claims: Claims(claims) })
    }

    /// What a person's groups are called: each by its own name, and as the settings name it.
    async fn groups(&mut self, entry: &Entry) -> Result<Vec<String>, Trouble> {
        let found: Vec<(String, String)> = match &self.settings.groups.found {
            Found::In(attribute) => {
                let named = |dn: &str| Some((dn.to_owned(), dn::first_value(dn)?));
                entry.texts(attribute).filter_map(named).collect()
            }
            Found::By(filter, attribute) => {
                let found = self.group_entries(filter, attribute, entry).await?;
                let named = |e: Entry| Some((e.dn.clone(), e.texts(attribute).next()?.to_owned()));
                found.into_iter().filter_map(named).collect()
            }
        };
        let of = &self.settings.groups;
        let mut all = vec![];
        for (dn, name) in found.into_iter().filter(|(dn, _)| dn::is_below(dn, &of.base)) {
            all.extend(of.named.iter().filter(|named| dn::is_same(named, &dn)).cloned());
            // Its own name may not be another's whole one, by which the settings mean that other.
            if !of.named.contains(&name) {
                all.push(name);
            }
        }
        Ok(all)
    }

    async fn group_entries(
        &mut self,
        filter: &Filter,
        attribute: &str,
        entry: &Entry,
    ) -> Result<Vec<Entry>, Trouble> {
        let username = entry.texts(&self.settings.attributes.username).next().unwrap_or_default();
        let asks_in_vain = filter.asks_for_username() && username.is_empty();
        if asks_in_vain {
            return Ok(vec![]);
        }
        let search = Search {
            base: self.settings.groups.base.clone(),
            scope: Scope::Subtree,
            filter: filter.to_ber(Values { username, dn: &entry.dn }),
            attributes: vec![attribute.to_owned(), NO_ATTRIBUTES.to_owned()],
            at_most: MAX_GROUPS,
            within_s: SEARCH_WITHIN_S,
        };
        Ok(self.connection.search(search).await?.entries)
    }
}

/// The claim with the names of someone's groups.
pub const GROUPS: &str = "groups";

/// Who someone is for good.
fn subject(entry: &Entry, attribute: &str) -> Option<String> {
    let value = entry.values(attribute).next()?;
    let subject = if attribute.eq_ignore_ascii_case(BYTES) {
        hex::encode(value)
    } else {
        std::str::from_utf8(value).ok()?.to_owned()
    };
    (!subject.is_empty() && subject.len() <= MAX_SUBJECT).then_some(subject)
}
