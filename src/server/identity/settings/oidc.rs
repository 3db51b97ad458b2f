//! A provider that speaks `OpenID` Connect: `[oidc.NAME]` in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::syncs::Syncs;
use super::{Flag, MAX_ISSUER, Wrong, link_by_email, yes};
use crate::model::identity::{AllowedGroups, Fields, LinkByEmail, Rules};
use crate::server::identity::oidc::Settings;
use crate::server::identity::oidc::http::may_ask;
use crate::server::identity::{github, ldap};

/// The longest name of a provider.
const MAX_NAME: usize = 32;

/// What stands in `[oidc.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    client_id: String,
    client_secret: Option<String>,
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
    #[serde(default)]
    trust_amr: Flag,
    #[serde(default)]
    acr_values: Vec<String>,
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

/// Reads the provider `name`.
///
/// # Errors
/// Names the setting that does not fit.
pub fn read(name: &str, mut table: toml::Table) -> Result<Settings, Wrong> {
    name_fits(name)?;
    let syncs = Syncs::take(&mut table)?;
    let told: Table = table.try_into()?;
    let trusted_hosts = told.trusted_hosts.iter().map(|host| host.to_lowercase()).collect();
    let issuer = Url::parse(&told.issuer)
        .ok()
        .filter(|url| url.query().is_none() && url.as_str().len() <= MAX_ISSUER);
    let wrong = || format!("issuer is {:?}: write https://host", told.issuer);
    let issuer = issuer.ok_or_else(|| Wrong::new("issuer", wrong()))?;
    Wrong::unless(may_ask(&issuer, &trusted_hosts), "issuer", || {
        format!("issuer is {issuer}: it has to be https://, or its host among trusted_hosts")
    })?;
    let is_empty = |key| format!("{key} is empty");
    Wrong::unless(!told.client_id.is_empty(), "client_id", || is_empty("client_id"))?;
    let is_openid = told.scopes.iter().any(|s| s == "openid");
    Wrong::unless(is_openid, "scopes", || "scopes lack \"openid\"".to_owned())?;
    let is_value = |value: &String| !value.is_empty() && !value.contains(char::is_whitespace);
    Wrong::unless(told.acr_values.iter().all(is_value), "acr_values", || {
        format!(
            "acr_values holds {:?}: write each value as a text of its own, without spaces",
            told.acr_values
        )
    })?;
    let secret = told.client_secret.clone().map(Zeroizing::new);
    let given = secret.as_ref().is_none_or(|secret| !secret.is_empty());
    Wrong::unless(given, "client_secret", || is_empty("client_secret"))?;
    Ok(Settings {
        name: name.to_owned(),
        issuer,
        client_secret: secret,
        rules: Arc::new(rules(&told, &syncs)?),
        client_id: told.client_id,
        scopes: told.scopes,
        sign_in_text: told.sign_in_text,
        icon_url: told.icon_url,
        auth_url_params: told.auth_url_params,
        ignore_user_info: told.ignore_user_info.0,
        trust_amr: told.trust_amr.0,
        acr_values: told.acr_values,
        trusted_hosts,
    })
}

/// Names that other ways to sign in have.
const TAKEN: [&str; 4] = [github::PROVIDER, ldap::PROVIDER, "password", "scim"];

fn name_fits(name: &str) -> Result<(), Wrong> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(fits);
    Wrong::unless(fits, "name", || {
        format!("a provider's name may hold up to {MAX_NAME} small letters, digits and hyphens")
    })?;
    Wrong::unless(!TAKEN.contains(&name), "name", || {
        format!("{name} is the name of another way to sign in; choose another")
    })
}

fn rules(told: &Table, syncs: &Syncs) -> Result<Rules, Wrong> {
    let domain = |text: &String| {
        let domain = text.trim().trim_start_matches('@').to_owned();
        let fits = !domain.is_empty() && !domain.contains('@');
        let wrong = || format!("email_domain has {text:?} in it; write example.org");
        Wrong::unless(fits, "email_domain", wrong).map(|()| domain)
    };
    let groups = syncs.groups(&told.groups_field)?;
    Ok(Rules {
        fields: Fields {
            email: told.email_field.clone(),
            username: told.username_field.clone(),
            name: told.name_field.clone(),
        },
        domains: told.email_domain.iter().map(domain).collect::<Result<_, Wrong>>()?,
        ignore_email_verified: told.ignore_email_verified.0,
        allow_signups: told.allow_signups.0,
        link_by_email: link_by_email(told.link_by_email.as_deref(), LinkByEmail::Members)?,
        allowed: allowed(told)?,
        groups: (!told.groups_field.is_empty()).then_some(groups),
        roles: syncs.roles()?,
        organizations: syncs.organizations()?,
    })
}

fn allowed(told: &Table) -> Result<Option<AllowedGroups>, Wrong> {
    let (field, names) = (told.groups_field.clone(), told.allowed_groups.clone());
    Wrong::unless(names.is_empty() || !field.is_empty(), "groups_field", || {
        "allowed_groups needs groups_field, the claim with people's groups".to_owned()
    })?;
    Ok((!names.is_empty()).then_some(AllowedGroups { field, names }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(text: &str) -> Result<Settings, Wrong> {
        read("sso", text.parse().unwrap())
    }

    const LEAST: &str = "issuer = \"https://sso.test\"\nclient_id = \"steading\"\n";

    #[test]
    fn a_provider_needs_little_and_says_what_is_wrong() {
        let least = provider(LEAST).unwrap();
        assert_eq!(least.scopes, ["openid", "profile", "email"]);
        assert!(least.rules.allow_signups && least.rules.groups.is_none());
        assert!(!least.trust_amr && least.acr_values.is_empty());
        assert_eq!(least.rules.link_by_email, LinkByEmail::Members);
        for (more, why) in [
            ("isuer = 1", "isuer"),
            ("scopes = [\"email\"]", "openid"),
            ("acr_values = [\"a b\"]", "acr_values"),
            ("group_regex_filter = \"(\"", "group_regex_filter"),
            ("link_by_email = \"yes\"", "none, members or all"),
            ("email_domain = [\"a@b\"]", "email_domain"),
            ("allowed_groups = [\"kiln\"]", "groups_field"),
            ("client_secret = \"\"", "client_secret is empty"),
        ] {
            let said = provider(&format!("{LEAST}{more}")).unwrap_err().to_string();
            assert!(said.contains(why), "{more}: {said}");
        }
        let plain = LEAST.replace("https", "http");
        assert!(provider(&plain).unwrap_err().to_string().contains("trusted_hosts"));
        assert!(provider(&format!("{plain}trusted_hosts = [\"sso.test\"]")).is_ok());
        for name in ["Bad Name", "ldap", "scim", ""] {
            assert_eq!(read(name, toml::Table::new()).unwrap_err().field, "name");
        }
    }
}
