//! The directory whose people sign in here: `[ldap]` in the file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::super::duration;
use super::super::settings::Layers;
use super::oidc::{Flag, shown, yes};
use super::syncs::Syncs;
use crate::model::identity::{AllowedGroups, Fields, LinkByEmail, Rules};
use crate::server::identity::ldap::filter::Filter;
use crate::server::identity::ldap::settings::{Attributes, Found, Groups, People, Security};
use crate::server::identity::ldap::{GROUPS, Settings, dn};

/// The name of the table.
const TABLE: &str = "ldap";
/// How often may be asked whether who is signed in is still there.
const CHECK: std::ops::RangeInclusive<Duration> = Duration::from_secs(15)..=Duration::from_mins(5);

/// What stands in `[ldap]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    url: String,
    #[serde(default = "yes")]
    start_tls: Flag,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    bind_dn: String,
    bind_password: Option<String>,
    bind_password_file: Option<PathBuf>,
    #[serde(default)]
    base: String,
    filter: Option<String>,
    #[serde(default)]
    dn_template: String,
    #[serde(default = "default_id")]
    id_attribute: String,
    #[serde(default = "default_username")]
    username_attribute: String,
    #[serde(default = "default_email")]
    email_attribute: String,
    #[serde(default = "default_name")]
    name_attribute: String,
    #[serde(default = "default_groups")]
    groups_attribute: String,
    group_base: Option<String>,
    group_filter: Option<String>,
    #[serde(default = "default_name")]
    group_name_attribute: String,
    #[serde(default)]
    allowed_groups: Vec<String>,
    #[serde(default = "yes")]
    group_sync: Flag,
    #[serde(default = "yes")]
    allow_signups: Flag,
    link_by_email: Option<String>,
    #[serde(default = "default_check")]
    check_every: String,
}

fn default_id() -> String {
    "entryUUID".to_owned()
}

fn default_username() -> String {
    "uid".to_owned()
}

fn default_email() -> String {
    "mail".to_owned()
}

fn default_name() -> String {
    "cn".to_owned()
}

fn default_groups() -> String {
    "memberOf".to_owned()
}

fn default_check() -> String {
    "1m".to_owned()
}

/// Reads the directory, if there is one.
///
/// # Errors
/// Says what is wrong in it.
pub(super) fn directory(layers: &mut Layers<'_>) -> anyhow::Result<Option<Settings>> {
    let Some(table) = layers.section(TABLE)? else { return Ok(None) };
    for (key, value) in &table {
        layers.note(format!("{TABLE}.{key}"), shown(key, value), "file".to_owned());
    }
    read(table).context("In [ldap]").map(Some)
}

fn read(mut table: toml::Table) -> anyhow::Result<Settings> {
    let syncs = Syncs::take(&mut table)?.by_groups(GROUPS)?;
    let told: Table = table.try_into()?;
    let (host, port, security) = place(&told)?;
    let authorities = match &told.ca_file {
        Some(path) => Some(
            std::fs::read(path).with_context(|| format!("Reading ca_file {}", path.display()))?,
        ),
        None => None,
    };
    let bind_password = bind_password(&told)?;
    ensure!(
        told.bind_dn.is_empty() == bind_password.is_empty(),
        "bind_dn and bind_password belong together; leave both out to ask as nobody"
    );
    let check_every = duration::parse(&told.check_every)
        .ok()
        .filter(|every| CHECK.contains(every))
        .with_context(|| format!("check_every is {:?}: from 15s to 5m", told.check_every))?;
    Ok(Settings {
        host,
        port,
        security,
        authorities,
        people: people(&told)?,
        groups: groups(&told, &syncs)?,
        rules: Arc::new(rules(&told, &syncs)?),
        attributes: Attributes {
            id: named("id_attribute", &told.id_attribute)?,
            username: named("username_attribute", &told.username_attribute)?,
            email: named("email_attribute", &told.email_attribute)?,
            name: named("name_attribute", &told.name_attribute)?,
        },
        bind_dn: told.bind_dn,
        bind_password,
        check_every,
    })
}

/// An attribute's name.
fn named(key: &str, text: &str) -> anyhow::Result<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';');
    ensure!(!text.is_empty() && text.chars().all(fits), "{key} is {text:?}: write uid or cn");
    Ok(text.to_owned())
}

fn place(told: &Table) -> anyhow::Result<(String, u16, Security)> {
    let wrong = || format!("url is {:?}: write ldap://host or ldaps://host", told.url);
    let url = Url::parse(&told.url).ok().with_context(wrong)?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.username().is_empty();
    ensure!(bare, wrong());
    let (security, usual) = match (url.scheme(), told.start_tls.0) {
        ("ldaps", _) => (Security::Tls, 636),
        ("ldap", true) => (Security::StartTls, 389),
        ("ldap", false) => (Security::Plain, 389),
        (_, _) => bail!(wrong()),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).with_context(wrong)?;
    let host = match Host::parse(host) {
        Ok(Host::Ipv6(address)) => address.to_string(),
        Ok(_) | Err(_) => host.to_owned(),
    };
    Ok((host, url.port().unwrap_or(usual), security))
}

fn bind_password(told: &Table) -> anyhow::Result<Zeroizing<String>> {
    match (&told.bind_password, &told.bind_password_file) {
        (Some(_), Some(_)) => bail!("bind_password and bind_password_file: one of them is enough"),
        (Some(password), None) => Ok(Zeroizing::new(password.clone())),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("Reading bind_password_file {}", path.display()))?;
            Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        (None, None) => Ok(Zeroizing::default()),
    }
}

fn filter(key: &str, text: &str) -> anyhow::Result<Filter> {
    Filter::parse(text).map_err(|why| anyhow::anyhow!("{key} is {text:?}: {why}"))
}

fn people(told: &Table) -> anyhow::Result<People> {
    let chosen = told.filter.as_deref().map(|text| filter("filter", text)).transpose()?;
    if !told.dn_template.is_empty() {
        let template = &told.dn_template;
        let tried = template.replace("{username}", "x");
        ensure!(
            template.contains("{username}") && dn::first_value(&tried).is_some(),
            "dn_template is {template:?}: write uid={{username}},ou=people,dc=example,dc=com"
        );
        return Ok(People::Named(template.clone(), chosen.unwrap_or_else(Filter::any)));
    }
    ensure!(
        dn::first_value(&told.base).is_some(),
        "base is {:?}: write dc=example,dc=com",
        told.base
    );
    let chosen = match chosen {
        Some(chosen) => chosen,
        None => filter("filter", &format!("({}={{username}})", told.username_attribute))?,
    };
    ensure!(
        chosen.asks_for_username(),
        "filter lacks {{username}}: it would find the same entry for everyone"
    );
    Ok(People::Search(told.base.clone(), chosen))
}

fn groups(told: &Table, syncs: &Syncs) -> anyhow::Result<Groups> {
    let found = match &told.group_filter {
        Some(text) => Found::By(
            filter("group_filter", text)?,
            named("group_name_attribute", &told.group_name_attribute)?,
        ),
        None => Found::In(named("groups_attribute", &told.groups_attribute)?),
    };
    let base = told.group_base.clone().unwrap_or_else(|| told.base.clone());
    ensure!(
        dn::parts(&base).is_some(),
        "group_base is {base:?}: write ou=groups,dc=example,dc=com"
    );
    ensure!(
        !base.is_empty() || matches!(found, Found::In(_)),
        "group_filter needs group_base, where groups are"
    );
    let speaks_of = syncs.words().chain(&told.allowed_groups);
    let named = speaks_of.filter(|name| dn::first_value(name).is_some()).cloned().collect();
    Ok(Groups { base, found, named })
}

fn rules(told: &Table, syncs: &Syncs) -> anyhow::Result<Rules> {
    // People may write their own address in many a directory: it gives away no account by itself.
    let link = told.link_by_email.as_deref().unwrap_or("none");
    let sync = syncs.groups(GROUPS)?;
    let names = told.allowed_groups.clone();
    Ok(Rules {
        fields: Fields {
            email: told.email_attribute.clone(),
            username: told.username_attribute.clone(),
            name: told.name_attribute.clone(),
        },
        domains: vec![],
        ignore_email_verified: true,
        allow_signups: told.allow_signups.0,
        link_by_email: LinkByEmail::from_word(link)
            .with_context(|| format!("link_by_email is {link:?}: none, members or all"))?,
        groups: told.group_sync.0.then_some(sync),
        roles: syncs.roles()?,
        organizations: syncs.organizations()?,
        allowed: (!names.is_empty()).then(|| AllowedGroups { field: GROUPS.to_owned(), names }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "url = \"ldap://ldap.test\"\nbase = \"dc=example,dc=test\"\n";

    fn told(more: &str) -> anyhow::Result<Settings> {
        read(format!("{LEAST}{more}").parse().unwrap())
    }

    #[test]
    fn a_directory_needs_an_address_and_a_base_and_begins_with_tls() {
        let least = told("").unwrap();
        assert_eq!((least.host.as_str(), least.port), ("ldap.test", 389));
        assert_eq!(least.security, Security::StartTls);
        assert_eq!(least.check_every, Duration::from_mins(1));
        assert_eq!(least.rules.link_by_email, LinkByEmail::None);
        assert!(matches!(least.groups.found, Found::In(name) if name == "memberOf"));
        let place = |url: &str| {
            let text = format!("url = \"{url}\"\nbase = \"dc=x\"");
            read(text.parse().unwrap()).map(|s| (s.host, s.port, s.security))
        };
        let of = |host: &str, port, security| (host.to_owned(), port, security);
        assert_eq!(place("ldaps://[::1]").unwrap(), of("::1", 636, Security::Tls));
        assert_eq!(
            place("ldap://10.0.0.1:3890/").unwrap(),
            of("10.0.0.1", 3890, Security::StartTls)
        );
        for bad in ["http://x", "ldap://", "ldap://x/dc=x", "ldap://a@x", "x"] {
            assert!(place(bad).is_err(), "{bad}");
        }
        assert_eq!(told("start_tls = false").unwrap().security, Security::Plain);
    }

    #[test]
    fn what_would_let_in_anyone_is_refused_and_so_is_what_means_nothing() {
        for (more, why) in [
            ("filter = \"(uid=ada)\"", "lacks {username}"),
            ("filter = \"uid={username}\"", "at byte 0"),
            ("filter = \"(uid={user})\"", "{user}"),
            ("dn_template = \"uid=ada,dc=x\"", "dn_template"),
            ("dn_template = \"{username}\"", "dn_template"),
            ("bind_dn = \"cn=reader,dc=x\"", "belong together"),
            ("bind_dn = \"cn=r\"\nbind_password = \"\"", "belong together"),
            ("bind_password = \"a\"\nbind_password_file = \"b\"", "one of them"),
            ("ca_file = \"/nowhere/at/all\"", "/nowhere/at/all"),
            ("id_attribute = \"a b\"", "id_attribute"),
            ("check_every = \"1s\"", "check_every"),
            ("link_by_email = \"yes\"", "none, members or all"),
            ("group_regex_filter = \"(\"", "group_regex_filter"),
            ("bsae = 1", "bsae"),
        ] {
            let said = format!("{:#}", told(more).unwrap_err());
            assert!(said.contains(why), "{more}: {said}");
        }
        let none = read("url = \"ldap://x\"".parse().unwrap()).unwrap_err();
        assert!(none.to_string().contains("base"), "{none}");
    }
}
