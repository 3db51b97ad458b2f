//! GitHub, where people sign in: `[github]` in the file, and Coder's `CODER_OAUTH2_GITHUB_*`.

use anyhow::Context as _;

use super::super::args::Surroundings;
use super::super::settings::Layers;
use super::files;
use super::oidc::{Kind, from_coder, shown};
use crate::server::identity::github::Settings;
use crate::server::identity::settings::github::read;

/// The name of the table.
const TABLE: &str = "github";

/// Coder's variables, and the keys they are here.
const CODER: &[(&str, &str, Kind)] = &[
    ("CODER_OAUTH2_GITHUB_CLIENT_ID", "client_id", Kind::Text),
    ("CODER_OAUTH2_GITHUB_CLIENT_SECRET", "client_secret", Kind::Text),
    ("CODER_OAUTH2_GITHUB_ALLOWED_ORGS", "allowed_orgs", Kind::List),
    ("CODER_OAUTH2_GITHUB_ALLOWED_TEAMS", "allowed_teams", Kind::List),
    ("CODER_OAUTH2_GITHUB_ALLOW_EVERYONE", "allow_everyone", Kind::Flag),
    ("CODER_OAUTH2_GITHUB_ALLOW_SIGNUPS", "allow_signups", Kind::Flag),
    ("CODER_OAUTH2_GITHUB_ENTERPRISE_BASE_URL", "enterprise_base_url", Kind::Text),
    ("CODER_OAUTH2_GITHUB_DEVICE_FLOW", "device_flow", Kind::Flag),
];
/// Coder has an app of its own at GitHub; here is none, whether it is wanted or not.
const DEFAULT_APP: &str = "CODER_OAUTH2_GITHUB_DEFAULT_PROVIDER_ENABLE";

/// Reads GitHub's settings, if it is on.
///
/// # Errors
/// Says what is wrong in them.
pub(super) fn github(
    layers: &mut Layers<'_>,
    around: &Surroundings,
) -> anyhow::Result<Option<Settings>> {
    let mut variables = around.coder_github.clone();
    variables.remove(DEFAULT_APP);
    let coder = from_coder(&variables, CODER)?;
    let mut table = layers.section(TABLE)?.unwrap_or_default();
    table.extend(coder.clone());
    if table.is_empty() {
        return Ok(None);
    }
    for (key, value) in &table {
        let from = if coder.contains_key(key) { "CODER_OAUTH2_GITHUB_*" } else { "file" };
        layers.note(format!("{TABLE}.{key}"), shown(key, value), from.to_owned());
    }
    let place = match coder.is_empty() {
        true => "In [github]",
        false => "In CODER_OAUTH2_GITHUB_* and [github]",
    };
    files::read(&mut table, "client_secret").context(place)?;
    read(table).context(place).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coder_s_variables_are_taken() {
        let pairs = [
            ("CODER_OAUTH2_GITHUB_CLIENT_ID", "c"),
            ("CODER_OAUTH2_GITHUB_CLIENT_SECRET", "s"),
            ("CODER_OAUTH2_GITHUB_ALLOWED_ORGS", "kiln, clay"),
            ("CODER_OAUTH2_GITHUB_ALLOW_SIGNUPS", "false"),
        ];
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        let settings = read(from_coder(&pairs.iter().map(own).collect(), CODER).unwrap()).unwrap();
        assert_eq!(settings.rules.allowed.as_ref().unwrap().names, ["kiln", "clay"]);
        assert!(!settings.rules.allow_signups);
    }
}
