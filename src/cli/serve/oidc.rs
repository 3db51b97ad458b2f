//! Providers that people sign in at: `[oidc.NAME]` in the file, and Coder's `CODER_OIDC_*`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::super::args::Surroundings;
use super::super::settings::Layers;
use super::syncs::Syncs;
use crate::model::identity::{AllowedGroups, Fields, LinkByEmail, Rules};
use crate::server::identity::oidc::http::may_ask;
use crate::server::identity::oidc::{CODER_PROVIDER, Settings};
use crate::server::identity::{github, ldap};

/// The longest name of a provider.
const MAX_NAME: usize = 32;

/// The longest issuer, as it is kept with each identity.
const MAX_ISSUER: usize = 500;

/// What stands in `[oidc.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    client_secret_file: Option<std::path::PathBuf>,
    #[serde(default = "default_scopes")]
    scopes: Vec<String>,
    #[serde(default)]
    email_domain: Vec<String>,
    #[serde(default = "default_email_field")]
    email_field: String,
    #[serde(default = "default_username_field")]
    username_field: String,
    #[serde(default = "default_name_field")]
    name_field: String,
    #[serde(default)]
    groups_field: String,
    #[serde(default)]
    allowed_groups: Vec<String>,
    #[serde(default = "yes")]
    allow_signups: Flag,
    #[serde(default)]
    ignore_email_verified: Flag,
    #[serde(default)]
    ignore_user_info: Flag,
    link_by_email: Option<String>,
    #[serde(default)]
    sign_in_text: String,
    #[serde(default)]
    icon_url: String,
    #[serde(default)]
    auth_url_params: BTreeMap<String, String>,
    #[serde(default)]
    trusted_hosts: BTreeSet<String>,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Flag(pub bool);

pub(super) fn yes() -> Flag {
    Flag(true)
}

fn default_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).into()
}

fn default_email_field() -> String {
    "email".to_owned()
}

fn default_username_field() -> String {
    "preferred_username".to_owned()
}

fn default_name_field() -> String {
    "name".to_owned()
}

/// How a variable of Coder's is written.
pub(super) enum Kind {
    Text,
    Flag,
    /// Divided by commas.
    List,
    /// A JSON object of texts.
    Map,
    /// A JSON object of lists of texts.
    Lists,
}

/// Coder's variables, and the keys they are here.
const CODER: &[(&str, &str, Kind)] = &[
    ("CODER_OIDC_ISSUER_URL", "issuer", Kind::Text),
    ("CODER_OIDC_CLIENT_ID", "client_id", Kind::Text),
    ("CODER_OIDC_CLIENT_SECRET", "client_secret", Kind::Text),
    ("CODER_OIDC_SCOPES", "scopes", Kind::List),
    ("CODER_OIDC_EMAIL_DOMAIN", "email_domain", Kind::List),
    ("CODER_OIDC_EMAIL_FIELD", "email_field", Kind::Text),
    ("CODER_OIDC_USERNAME_FIELD", "username_field", Kind::Text),
    ("CODER_OIDC_NAME_FIELD", "name_field", Kind::Text),
    ("CODER_OIDC_GROUP_FIELD", "groups_field", Kind::Text),
    ("CODER_OIDC_GROUP_MAPPING", "group_mapping", Kind::Map),
    ("CODER_OIDC_GROUP_REGEX_FILTER", "group_regex_filter", Kind::Text),
    ("CODER_OIDC_GROUP_AUTO_CREATE", "group_auto_create", Kind::Flag),
    ("CODER_OIDC_USER_ROLE_FIELD", "role_field", Kind::Text),
    ("CODER_OIDC_USER_ROLE_MAPPING", "role_mapping", Kind::Lists),
    ("CODER_OIDC_USER_ROLE_DEFAULT", "role_default", Kind::List),
    ("CODER_OIDC_ORGANIZATION_FIELD", "organization_field", Kind::Text),
    ("CODER_OIDC_ORGANIZATION_MAPPING", "organization_mapping", Kind::Lists),
    ("CODER_OIDC_ORGANIZATION_ASSIGN_DEFAULT", "organization_assign_default", Kind::Flag),
    ("CODER_OIDC_ALLOWED_GROUPS", "allowed_groups", Kind::List),
    ("CODER_OIDC_ALLOW_SIGNUPS", "allow_signups", Kind::Flag),
    ("CODER_OIDC_IGNORE_EMAIL_VERIFIED", "ignore_email_verified", Kind::Flag),
    ("CODER_OIDC_IGNORE_USERINFO", "ignore_user_info", Kind::Flag),
    ("CODER_OIDC_SIGN_IN_TEXT", "sign_in_text", Kind::Text),
    ("CODER_OIDC_ICON_URL", "icon_url", Kind::Text),
    ("CODER_OIDC_AUTH_URL_PARAMS", "auth_url_params", Kind::Map),
];

/// Reads every provider.
///
/// # Errors
/// Names the provider and what is wrong in it.
pub(super) fn providers(
    layers: &mut Layers<'_>,
    around: &Surroundings,
) -> anyhow::Result<Vec<Settings>> {
    let mut tables = layers.providers()?;
    let coder = from_coder(&around.coder_oidc, CODER)?;
    if !coder.is_empty() {
        tables.entry(CODER_PROVIDER.to_owned()).or_default().extend(coder.clone());
    }
    let mut all = vec![];
    for (name, table) in tables {
        let of_coder = name == CODER_PROVIDER && !coder.is_empty();
        let table: toml::Table =
            table.into_iter().map(|(key, value)| (key.replace('-', "_"), value)).collect();
        let place = || match of_coder {
            true => "In CODER_OIDC_* and [oidc.oidc]".to_owned(),
            false => format!("In [oidc.{name}]"),
        };
        for (key, value) in &table {
            let from = if of_coder && coder.contains_key(key) { "CODER_OIDC_*" } else { "file" };
            layers.note(format!("oidc.{name}.{key}"), shown(key, value), from.to_owned());
        }
        all.push(read(&name, table).with_context(place)?);
    }
    Ok(all)
}

/// A setting as it may be shown.
pub(super) fn shown(key: &str, value: &toml::Value) -> String {
    if matches!(key, "client_secret" | "bind_password") {
        return "********".to_owned();
    }
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Variables of Coder's as a table. One that is not known is an error: it may have kept someone out.
pub(super) fn from_coder(
    variables: &BTreeMap<String, String>,
    known: &[(&str, &str, Kind)],
) -> anyhow::Result<toml::Table> {
    let mut table = toml::Table::new();
    for (name, text) in variables {
        let Some((_, key, kind)) = known.iter().find(|(known, ..)| known == name) else {
            let known = known.iter().map(|(known, ..)| *known);
            bail!("{name} is not known here.{}", super::super::nearest::hint(name, known));
        };
        let value = match kind {
            Kind::Text => toml::Value::String(text.clone()),
            Kind::Flag => {
                let truth = super::truth(text);
                toml::Value::Boolean(truth.map_err(|why| anyhow::anyhow!("{name}: {why}"))?)
            }
            Kind::List => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                toml::Value::Array(parts.map(|p| toml::Value::String(p.to_owned())).collect())
            }
            Kind::Map => {
                let map: BTreeMap<String, serde_json::Value> = serde_json::from_str(text)
                    .with_context(|| format!("{name} is no JSON object of texts"))?;
                toml::Value::Table(map.into_iter().map(|(k, v)| (k, first_text(&v))).collect())
            }
            Kind::Lists => {
                let map: BTreeMap<String, Vec<String>> = serde_json::from_str(text)
                    .with_context(|| format!("{name} is no JSON object of lists of texts"))?;
                toml::Value::Table(map.into_iter().map(|(k, v)| (k, v.into())).collect())
            }
        };
        table.insert((*key).to_owned(), value);
    }
    Ok(table)
}

/// A text, or the first of a list: Coder takes parameters in either form.
fn first_text(value: &serde_json::Value) -> toml::Value {
    let first = value.as_array().and_then(|all| all.first()).unwrap_or(value);
    toml::Value::String(first.as_str().unwrap_or_default().to_owned())
}

fn read(name: &str, mut table: toml::Table) -> anyhow::Result<Settings> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(fits),
        "a provider's name may hold up to {MAX_NAME} small letters, digits and hyphens"
    );
    let taken = [github::PROVIDER, ldap::PROVIDER].contains(&name);
    ensure!(!taken, "{name} is the name of [{name}]; choose another");
    let syncs = Syncs::take(&mut table)?;
    let told: Table = table.try_into()?;
    let trusted_hosts = told.trusted_hosts.iter().map(|host| host.to_lowercase()).collect();
    let issuer = Url::parse(&told.issuer)
        .ok()
        .filter(|url| url.query().is_none() && url.as_str().len() <= MAX_ISSUER);
    let issuer =
        issuer.with_context(|| format!("issuer is {:?}: write https://host", told.issuer))?;
    ensure!(
        may_ask(&issuer, &trusted_hosts),
        "issuer is {issuer}: it has to be https://, or its host among trusted_hosts"
    );
    ensure!(!told.client_id.is_empty(), "client_id is empty");
    ensure!(told.scopes.iter().any(|s| s == "openid"), "scopes lack \"openid\"");
    let client_secret = client_secret(&told)?;
    Ok(Settings {
        name: name.to_owned(),
        issuer,
        client_secret,
        rules: Arc::new(rules(&told, &syncs)?),
        client_id: told.client_id,
        scopes: told.scopes,
        sign_in_text: told.sign_in_text,
        icon_url: told.icon_url,
        auth_url_params: told.auth_url_params,
        ignore_user_info: told.ignore_user_info.0,
        trusted_hosts,
    })
}

fn client_secret(told: &Table) -> anyhow::Result<Option<Zeroizing<String>>> {
    match (&told.client_secret, &told.client_secret_file) {
        (Some(_), Some(_)) => bail!("client_secret and client_secret_file: one of them is enough"),
        (Some(secret), None) => Ok(Some(Zeroizing::new(secret.clone()))),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("Reading client_secret_file {}", path.display()))?;
            Ok(Some(Zeroizing::new(text.trim().to_owned())))
        }
        (None, None) => Ok(None),
    }
}

fn rules(told: &Table, syncs: &Syncs) -> anyhow::Result<Rules> {
    let link = told.link_by_email.as_deref().unwrap_or("members");
    let domain = |text: &String| {
        let domain = text.trim().trim_start_matches('@').to_owned();
        ensure!(!domain.is_empty() && !domain.contains('@'), "email_domain has {text:?} in it");
        Ok(domain)
    };
    let groups = syncs.groups(&told.groups_field)?;
    Ok(Rules {
        fields: Fields {
            email: told.email_field.clone(),
            username: told.username_field.clone(),
            name: told.name_field.clone(),
        },
        domains: told.email_domain.iter().map(domain).collect::<anyhow::Result<_>>()?,
        ignore_email_verified: told.ignore_email_verified.0,
        allow_signups: told.allow_signups.0,
        link_by_email: LinkByEmail::from_word(link)
            .with_context(|| format!("link_by_email is {link:?}: none, members or all"))?,
        allowed: allowed(told)?,
        groups: (!told.groups_field.is_empty()).then_some(groups),
        roles: syncs.roles()?,
        organizations: syncs.organizations()?,
    })
}

fn allowed(told: &Table) -> anyhow::Result<Option<AllowedGroups>> {
    let (field, names) = (told.groups_field.clone(), told.allowed_groups.clone());
    ensure!(
        names.is_empty() || !field.is_empty(),
        "allowed_groups needs groups_field, the claim with people's groups"
    );
    Ok((!names.is_empty()).then_some(AllowedGroups { field, names }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(text: &str) -> anyhow::Result<Settings> {
        read("sso", text.parse().unwrap())
    }

    const LEAST: &str = "issuer = \"https://sso.test\"\nclient_id = \"steading\"\n";

    #[test]
    fn a_provider_needs_little_and_says_what_is_wrong() {
        let least = provider(LEAST).unwrap();
        assert_eq!(least.scopes, ["openid", "profile", "email"]);
        assert!(least.rules.allow_signups && least.rules.groups.is_none());
        assert_eq!(least.rules.link_by_email, LinkByEmail::Members);
        for (more, why) in [
            ("isuer = 1", "isuer"),
            ("scopes = [\"email\"]", "openid"),
            ("group_regex_filter = \"(\"", "group_regex_filter"),
            ("link_by_email = \"yes\"", "none, members or all"),
            ("email_domain = [\"a@b\"]", "email_domain"),
            ("allowed_groups = [\"kiln\"]", "groups_field"),
            ("client_secret = \"a\"\nclient_secret_file = \"b\"", "one of them"),
            ("client_secret_file = \"/nowhere/at/all\"", "/nowhere/at/all"),
        ] {
            let said = format!("{:#}", provider(&format!("{LEAST}{more}")).unwrap_err());
            assert!(said.contains(why), "{more}: {said}");
        }
        let plain = LEAST.replace("https", "http");
        assert!(provider(&plain).unwrap_err().to_string().contains("trusted_hosts"));
        assert!(provider(&format!("{plain}trusted_hosts = [\"sso.test\"]")).is_ok());
        assert!(read("Bad Name", toml::Table::new()).is_err());
    }

    #[test]
    fn coder_s_variables_are_a_provider_and_an_unknown_one_is_told() {
        let told = |pairs: &[(&str, &str)]| {
            let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
            from_coder(&pairs.iter().map(own).collect(), CODER)
        };
        let table = told(&[
            ("CODER_OIDC_ISSUER_URL", "https://sso.test"),
            ("CODER_OIDC_CLIENT_ID", "coder"),
            ("CODER_OIDC_CLIENT_SECRET", "s"),
            ("CODER_OIDC_EMAIL_DOMAIN", "corp.com, corp.org"),
            ("CODER_OIDC_ALLOW_SIGNUPS", "false"),
            ("CODER_OIDC_GROUP_FIELD", "groups"),
            ("CODER_OIDC_GROUP_MAPPING", "{\"a\": \"b\"}"),
            ("CODER_OIDC_USER_ROLE_FIELD", "roles"),
            ("CODER_OIDC_USER_ROLE_MAPPING", "{\"a\": [\"owner\", \"auditor\"]}"),
            ("CODER_OIDC_USER_ROLE_DEFAULT", "auditor"),
            ("CODER_OIDC_ORGANIZATION_FIELD", "groups"),
            ("CODER_OIDC_ORGANIZATION_MAPPING", "{\"a\": [\"kiln\"]}"),
            ("CODER_OIDC_ORGANIZATION_ASSIGN_DEFAULT", "false"),
            ("CODER_OIDC_AUTH_URL_PARAMS", "{\"access_type\": [\"offline\"]}"),
        ]);
        let settings = read("oidc", table.unwrap()).unwrap();
        assert_eq!(settings.rules.domains, ["corp.com", "corp.org"]);
        assert!(!settings.rules.allow_signups);
        assert_eq!(settings.rules.groups.as_ref().unwrap().mapping["a"], ["b"]);
        let roles = settings.rules.roles.as_ref().unwrap();
        assert_eq!(
            (&roles.mapping["a"][1], &roles.default[0]),
            (&roles.default[0], &"auditor".into())
        );
        let organizations = settings.rules.organizations.as_ref().unwrap();
        assert!(organizations.mapping["a"] == ["kiln"] && !organizations.assign_default);
        assert_eq!(settings.auth_url_params["access_type"], "offline");
        let error = told(&[("CODER_OIDC_ALLOWED_TEAMS", "x")]).unwrap_err().to_string();
        assert!(error.starts_with("CODER_OIDC_ALLOWED_TEAMS is not known here"), "{error}");
        assert!(told(&[("CODER_OIDC_ALLOW_SIGNUPS", "maybe")]).is_err());
    }
}
