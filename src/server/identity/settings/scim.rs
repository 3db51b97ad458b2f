//! The provider that keeps users and groups by SCIM: `[scim]` in the file.

use serde::Deserialize;

use super::Wrong;
use crate::server::identity::scim::{MIN_TOKEN, Settings};

/// What stands in `[scim]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    token: String,
    provider: Option<String>,
}

/// Reads the settings, with the names of the providers that its people could sign in by.
///
/// # Errors
/// Names the setting that does not fit.
pub fn read(table: toml::Table, providers: &[&str]) -> Result<Settings, Wrong> {
    let told: Table = table.try_into()?;
    Wrong::unless(!told.token.is_empty(), "token", || {
        "token is missing; make one with openssl rand -hex 32".to_owned()
    })?;
    // With one provider there is no other that its people could sign in by.
    let only = if let [only] = providers { *only } else { "" };
    let provider = told.provider.unwrap_or_else(|| only.to_owned());
    let is_there = provider.is_empty() || providers.contains(&provider.as_str());
    Wrong::unless(is_there, "provider", || {
        format!("provider is {provider:?}: there is no [oidc.{provider}]")
    })?;
    Settings::new(&told.token, &provider)
        .ok_or_else(|| Wrong::new("token", format!("token has less than {MIN_TOKEN} characters")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_enough_and_the_only_provider_is_meant() {
        let told = |text: &str, providers: &[&str]| read(text.parse().unwrap(), providers);
        let token = "token = \"0123456789abcdef0123456789abcdef\"\n";
        assert_eq!(told(token, &["sso"]).unwrap().provider, "sso");
        assert_eq!(told(token, &["a", "b"]).unwrap().provider, "");
        let both = format!("{token}provider = \"b\"");
        assert_eq!(told(&both, &["a", "b"]).unwrap().provider, "b");
        for (text, why) in [
            ("", "token is missing"),
            ("token = \"short\"", "less than 32"),
            ("tokn = \"x\"", "tokn"),
            (&format!("{token}provider = \"c\""), "no [oidc.c]"),
        ] {
            let said = told(text, &["a"]).unwrap_err().to_string();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
