//! Providers that people sign in at: `[oidc.NAME]` in the file, and Coder's `CODER_OIDC_*`.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

use super::super::args::Surroundings;
use super::super::settings::Layers;
use super::files;
use crate::server::identity::oidc::{CODER_PROVIDER, Settings};
use crate::server::identity::settings::oidc::read;

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
        let mut table: toml::Table =
            table.into_iter().map(|(key, value)| (key.replace('-', "_"), value)).collect();
        let place = || match of_coder {
            true => "In CODER_OIDC_* and [oidc.oidc]".to_owned(),
            false => format!("In [oidc.{name}]"),
        };
        for (key, value) in &table {
            let from = if of_coder && coder.contains_key(key) { "CODER_OIDC_*" } else { "file" };
            layers.note(format!("oidc.{name}.{key}"), shown(key, value), from.to_owned());
        }
        files::read(&mut table, "client_secret").with_context(place)?;
        all.push(read(&name, table).with_context(place)?);
    }
    Ok(all)
}

/// A setting as it may be shown.
pub(super) fn shown(key: &str, value: &toml::Value) -> String {
    if matches!(key, "client_secret" | "bind_password" | "token") {
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

#[cfg(test)]
mod tests {
    use super::*;

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
