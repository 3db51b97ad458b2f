//! The directory whose people sign in here: `[ldap]` in the file.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::syncs::Syncs;
use super::{Flag, MAX_ISSUER, Wrong, link_by_email, yes};
use crate::model::duration;
use crate::model::identity::{AllowedGroups, Fields, LinkByEmail, Rules};
use crate::net::dial::trust;
use crate::server::identity::ldap::filter::Filter;
use crate::server::identity::ldap::settings::{Attributes, Found, Groups, People, Security};
use crate::server::identity::ldap::{GROUPS, Settings, dn};

/// How often may be asked whether who is signed in is still there.
const CHECK: std::ops::RangeInclusive<Duration> = Duration::from_secs(15)..=Duration::from_mins(5);

/// What stands in `[ldap]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    url: String,
    #[serde(default = "yes")]
    start_tls: Flag,
    ca: Option<String>,
    #[serde(default)]
    bind_dn: String,
    #[serde(default)]
    bind_password: String,
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

/// Reads the directory's settings.
///
/// # Errors
/// Names the setting that does not fit.
pub fn read(mut table: toml::Table) -> Result<Settings, Wrong> {
    let syncs = Syncs::take(&mut table)?.by_groups(GROUPS)?;
    let told: Table = table.try_into()?;
    let (host, port, security) = place(&told)?;
    let authorities = told.ca.as_ref().map(|pem| pem.clone().into_bytes());
    let no_authority = |why: std::io::Error| Wrong::new("ca", format!("ca holds none: {why}"));
    trust(authorities.as_deref()).map_err(no_authority)?;
    let together = told.bind_dn.is_empty() == told.bind_password.is_empty();
    Wrong::unless(together, "bind_dn", || {
        "bind_dn and bind_password belong together; leave both out to ask as nobody".to_owned()
    })?;
    let check_every = duration::parse(&told.check_every).ok().filter(|e| CHECK.contains(e));
    let check_every = check_every.ok_or_else(|| {
        let why = format!("check_every is {:?}: from 15s to 5m", told.check_every);
        Wrong::new("check_every", why)
    })?;
    let settings = Settings {
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
        bind_password: Zeroizing::new(told.bind_password),
        check_every,
    };
    let fits = settings.issuer().len() <= MAX_ISSUER;
    Wrong::unless(fits, "base", || "base is too long, together with url".to_owned())?;
    Ok(settings)
}

/// An attribute's name.
fn named(key: &str, text: &str) -> Result<String, Wrong> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';');
    let fits = !text.is_empty() && text.chars().all(fits);
    Wrong::unless(fits, key, || format!("{key} is {text:?}: write uid or cn"))?;
    Ok(text.to_owned())
}

fn place(told: &Table) -> Result<(String, u16, Security), Wrong> {
    let wrong = || {
        let why = format!("url is {:?}: write ldap://host or ldaps://host", told.url);
        Wrong::new("url", why)
    };
    let url = Url::parse(&told.url).map_err(|_| wrong())?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.username().is_empty();
    let (security, usual) = match (url.scheme(), told.start_tls.0) {
        _ if !bare => return Err(wrong()),
        ("ldaps", _) => (Security::Tls, 636),
        ("ldap", true) => (Security::StartTls, 389),
        ("ldap", false) => (Security::Plain, 389),
        (_, _) => return Err(wrong()),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let host = match Host::parse(host) {
        Ok(Host::Ipv6(address)) => address.to_string(),
        Ok(_) | Err(_) => host.to_owned(),
    };
    Ok((host, url.port().unwrap_or(usual), security))
}

fn filter(key: &str, text: &str) -> Result<Filter, Wrong> {
    Filter::parse(text).map_err(|why| Wrong::new(key, format!("{key} is {text:?}: {why}")))
}

fn people(told: &Table) -> Result<People, Wrong> {
    let chosen = told.filter.as_deref().map(|text| filter("filter", text)).transpose()?;
    if !told.dn_template.is_empty() {
        let template = &told.dn_template;
        let tried = template.replace("{username}", "x");
        let fits = template.contains("{username}") && dn::first_value(&tried).is_some();
        Wrong::unless(fits, "dn_template", || {
            format!(
                "dn_template is {template:?}: write uid={{username}},ou=people,dc=example,dc=com"
            )
        })?;
        return Ok(People::Named(template.clone(), chosen.unwrap_or_else(Filter::any)));
    }
    Wrong::unless(dn::first_value(&told.base).is_some(), "base", || {
        format!("base is {:?}: write dc=example,dc=com", told.base)
    })?;
    let chosen = match chosen {
        Some(chosen) => chosen,
        None => filter("filter", &format!("({}={{username}})", told.username_attribute))?,
    };
    Wrong::unless(chosen.asks_for_username(), "filter", || {
        "filter lacks {username}: it would find the same entry for everyone".to_owned()
    })?;
    Ok(People::Search(told.base.clone(), chosen))
}

fn groups(told: &Table, syncs: &Syncs) -> Result<Groups, Wrong> {
    let found = match &told.group_filter {
        Some(text) => Found::By(
            filter("group_filter", text)?,
            named("group_name_attribute", &told.group_name_attribute)?,
        ),
        None => Found::In(named("groups_attribute", &told.groups_attribute)?),
    };
    let base = told.group_base.clone().unwrap_or_else(|| told.base.clone());
    Wrong::unless(dn::parts(&base).is_some(), "group_base", || {
        format!("group_base is {base:?}: write ou=groups,dc=example,dc=com")
    })?;
    let has_place = !base.is_empty() || matches!(found, Found::In(_));
    Wrong::unless(has_place, "group_base", || {
        "group_filter needs group_base, where groups are".to_owned()
    })?;
    let speaks_of = syncs.words().chain(&told.allowed_groups);
    let named = speaks_of.filter(|name| dn::first_value(name).is_some()).cloned().collect();
    Ok(Groups { base, found, named })
}

fn rules(told: &Table, syncs: &Syncs) -> Result<Rules, Wrong> {
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
        // People may write their own address in many a directory: it gives away no account by itself.
        link_by_email: link_by_email(told.link_by_email.as_deref(), LinkByEmail::None)?,
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

    fn told(more: &str) -> Result<Settings, Wrong> {
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
        let issuer = |more: &str| told(more).unwrap().issuer();
        assert_eq!(issuer(""), "ldap://ldap.test/dc=example,dc=test?entryuuid");
        assert_eq!(issuer("start_tls = false\nfilter = \"(mail={username})\""), issuer(""));
        assert_ne!(issuer("id_attribute = \"uid\""), issuer(""));
        let issuer = |text: &str| read(text.parse().unwrap()).unwrap().issuer();
        let moved = "url = \"ldaps://LDAP.test\"\nbase = \"DC=example, DC=test\"";
        assert_eq!(issuer(moved), told("").unwrap().issuer());
        let named = "url = \"ldap://[::1]:3890\"\ndn_template = \"uid={username},ou=P,dc=x\"";
        assert_eq!(issuer(named), "ldap://[::1]:3890/ou=p,dc=x?entryuuid");
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
            ("ca = \"no certificate\"", "ca holds none"),
            ("id_attribute = \"a b\"", "id_attribute"),
            ("check_every = \"1s\"", "check_every"),
            ("link_by_email = \"yes\"", "none, members or all"),
            ("group_regex_filter = \"(\"", "group_regex_filter"),
            ("bsae = 1", "bsae"),
        ] {
            let said = told(more).unwrap_err().to_string();
            assert!(said.contains(why), "{more}: {said}");
        }
        let none = read("url = \"ldap://x\"".parse().unwrap()).unwrap_err();
        assert!(none.to_string().contains("base"), "{none}");
    }
}
