//! Trying a directory out: from the connection to what one person would become.

use std::sync::Arc;

use super::connection::Connection;
use super::directory::{Directory, Line};
use super::filter::{Filter, Values};
use super::message::{Scope, Search};
use super::settings::{People, Security, Settings};
use crate::model::identity::{Arrival, Rules};
use crate::model::provider::Steps;
use crate::model::sync::given;

/// Every entry has it.
const ANY: &str = "(objectClass=*)";
/// The time a directory gives itself for one search, in seconds.
const WITHIN_S: u32 = 5;

impl Directory {
    /// Notes each step up to the first that is wrong; a person's too when one is named.
    pub(super) async fn try_out(&self, username: &str, steps: &mut Steps) -> Option<()> {
        let settings = &self.settings;
        let opened = Connection::open(settings, Arc::clone(&self.trust)).await;
        let opened = opened.map(|connection| (secrecy(settings), connection));
        let connection = steps.note("Connection", opened.map_err(|e| e.to_string()))?;
        let mut line = Line { settings, connection };
        let done = line.look(username, steps).await;
        line.hang_up().await;
        done
    }
}

impl Line<'_> {
    async fn look(&mut self, username: &str, steps: &mut Steps) -> Option<()> {
        let settings = self.settings;
        let who = match settings.bind_dn.as_str() {
            "" => "it is asked as nobody".to_owned(),
            dn => format!("it lets {dn} in"),
        };
        let bound = self.be_who_asks().await.map(|()| (who, ()));
        steps.note("Who asks", bound.map_err(|e| e.to_string()))?;
        if let People::Search(base, _) = &settings.people {
            steps.note("People", self.is_there(base, "base").await)?;
        }
        let groups = &settings.groups.base;
        if !groups.is_empty() {
            steps.note("Groups", self.is_there(groups, "group_base").await)?;
        }
        if username.is_empty() {
            return Some(());
        }
        steps.note("Person", self.becomes(username).await)
    }

    /// Whether an entry that the settings name is there for who asks.
    async fn is_there(&mut self, dn: &str, key: &str) -> Result<(String, ()), String> {
        let filter = Filter::parse(ANY).map_err(|e| e.to_string())?;
        let search = Search {
            base: dn.to_owned(),
            scope: Scope::Base,
            filter: filter.to_ber(Values { username: "", dn: "" }),
            attributes: vec!["1.1".to_owned()],
            at_most: 1,
            within_s: WITHIN_S,
        };
        let found = self.connection.search(search).await.map_err(|e| e.to_string())?;
        if found.entries.is_empty() {
            let who = match self.settings.bind_dn.as_str() {
                "" => "nobody in particular",
                dn => dn,
            };
            return Err(format!("there is no {dn} ({key}), or {who} may not see it (bind_dn)"));
        }
        Ok((format!("{dn} is there"), ()))
    }

    async fn becomes(&mut self, username: &str) -> Result<(String, ()), String> {
        let shown: String = username.chars().take(64).collect();
        match self.look_up(username).await.map_err(|e| e.to_string())? {
            Some(arrival) => told(&arrival, &self.settings.rules).map(|said| (said, ())),
            None => Err(format!(
                "not exactly one entry is {shown:?} by its username_attribute or email_attribute; \
                 look at filter, base and dn_template, and whether the name is so spelled there"
            )),
        }
    }
}

/// What someone would become here.
fn told(arrival: &Arrival, rules: &Rules) -> Result<String, String> {
    let claims = &arrival.claims;
    let email = rules.admit(arrival).map_err(|why| format!("{}: {why}", claims.text("dn")))?;
    let name = rules.user_names(arrival, &email).next().map(|name| name.to_string());
    let groups = rules.groups.as_ref().map(|sync| sync.map(&claims.list(&sync.field)));
    let groups = groups.unwrap_or_default();
    let mut groups: Vec<String> = given(&groups).map(ToString::to_string).collect();
    groups.sort();
    let groups = if groups.is_empty() { "none".to_owned() } else { groups.join(", ") };
    Ok(format!(
        "{} comes in as {}, {email}, full name {:?}, groups here: {groups}",
        claims.text("dn"),
        name.unwrap_or_default(),
        rules.full_name(arrival),
    ))
}

fn secrecy(settings: &Settings) -> String {
    let (host, port) = (&settings.host, settings.port);
    match settings.security {
        Security::Tls => format!("{host}:{port} answers by TLS, and its certificate is right"),
        Security::StartTls => {
            format!("{host}:{port} answers and begins TLS, and its certificate is right")
        }
        Security::Plain => {
            format!("{host}:{port} answers, without TLS: all can be read on the way")
        }
    }
}
