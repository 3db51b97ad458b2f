//! The provider that keeps users and groups by SCIM: `[scim]` in the file, and Coder's `CODER_SCIM_AUTH_HEADER`.

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use super::super::args::Surroundings;
use super::super::settings::Layers;
use crate::server::identity::oidc;
use crate::server::identity::scim::{MIN_TOKEN, Settings};

/// What stands in `[scim]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    token: Option<String>,
    token_file: Option<std::path::PathBuf>,
    provider: Option<String>,
}

/// Reads the settings; none when SCIM is off.
///
/// # Errors
/// Names what is wrong in them.
pub(super) fn settings(
    layers: &mut Layers<'_>,
    around: &Surroundings,
    providers: &[oidc::Settings],
) -> anyhow::Result<Option<Settings>> {
    let told = layers.section("scim")?.unwrap_or_default();
    if told.is_empty() && around.coder_scim.is_none() {
        return Ok(None);
    }
    let names = providers.iter().map(|p| p.name.as_str()).collect::<Vec<_>>();
    let read = read(told.clone(), around.coder_scim.as_deref(), &names).context("In [scim]")?;
    let from = if told.contains_key("token") || told.contains_key("token_file") {
        "file"
    } else {
        "CODER_SCIM_AUTH_HEADER"
    };
    layers.note("scim.token".to_owned(), "********".to_owned(), from.to_owned());
    layers.note("scim.provider".to_owned(), read.provider.clone(), "file".to_owned());
    Ok(Some(read))
}

fn read(table: toml::Table, coder: Option<&str>, providers: &[&str]) -> anyhow::Result<Settings> {
    let told: Table = table.try_into()?;
    let token = match (told.token, &told.token_file) {
        (Some(_), Some(_)) => bail!("token and token_file: one of them is enough"),
        (Some(token), None) => token,
        (None, Some(path)) => std::fs::read_to_string(path)
            .with_context(|| format!("Reading token_file {}", path.display()))?,
        (None, None) => {
            coder.context("token is missing; make one with openssl rand -hex 32")?.to_owned()
        }
    };
    // With one provider there is no other that its people could sign in by.
    let only = if let [only] = providers { *only } else { "" };
    let provider = told.provider.unwrap_or_else(|| only.to_owned());
    ensure!(
        provider.is_empty() || providers.contains(&provider.as_str()),
        "provider is {provider:?}: there is no [oidc.{provider}]"
    );
    Settings::new(&token, &provider)
        .with_context(|| format!("token has less than {MIN_TOKEN} characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_enough_and_the_only_provider_is_meant() {
        let told =
            |text: &str, coder, providers: &[&str]| read(text.parse().unwrap(), coder, providers);
        let token = "token = \"0123456789abcdef0123456789abcdef\"\n";
        assert_eq!(told(token, None, &["sso"]).unwrap().provider, "sso");
        assert_eq!(told(token, None, &["a", "b"]).unwrap().provider, "");
        let both = format!("{token}provider = \"b\"");
        assert_eq!(told(&both, None, &["a", "b"]).unwrap().provider, "b");
        assert!(
            told("", Some("0123456789abcdef0123456789abcdef"), &[])
                .unwrap()
                .matches("0123456789abcdef0123456789abcdef")
        );
        for (text, why) in [
            ("", "token is missing"),
            ("token = \"short\"", "less than 32"),
            ("tokn = \"x\"", "tokn"),
            ("token = \"a\"\ntoken_file = \"b\"", "one of them"),
            ("token_file = \"/nowhere/at/all\"", "/nowhere/at/all"),
            (&format!("{token}provider = \"c\""), "no [oidc.c]"),
        ] {
            let said = format!("{:#}", told(text, None, &["a"]).unwrap_err());
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
