//! GitHub, where people sign in: `[github]` in the file, and Coder's `CODER_OAUTH2_GITHUB_*`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::super::args::Surroundings;
use super::super::settings::Layers;
use super::oidc::{Flag, Kind, from_coder, shown, yes};
use super::syncs::Syncs;
use crate::model::group_sync::GroupSync;
use crate::model::identity::{AllowedGroups, Fields, LinkByEmail, Rules};
use crate::server::identity::github::{GROUPS, Settings};
use crate::server::identity::oidc::http::may_ask;

/// The name of the table.
const TABLE: &str = "github";

/// What stands in `[github]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    client_id: String,
    client_secret: Option<String>,
    client_secret_file: Option<PathBuf>,
    #[serde(default)]
    allowed_orgs: Vec<String>,
    #[serde(default)]
    allowed_teams: Vec<String>,
    #[serde(default)]
    allow_everyone: Flag,
    #[serde(default = "yes")]
    allow_signups: Flag,
    link_by_email: Option<String>,
    #[serde(default = "default_base")]
    enterprise_base_url: String,
    #[serde(default)]
    device_flow: Flag,
}

fn default_base() -> String {
    "https://github.com".to_owned()
}

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
    read(table).context(place).map(Some)
}

fn read(mut table: toml::Table) -> anyhow::Result<Settings> {
    let syncs = Syncs::take(&mut table)?.by_groups(GROUPS)?.in_small_letters();
    let told: Table = table.try_into()?;
    let wrong =
        || format!("enterprise_base_url is {:?}: write https://host", told.enterprise_base_url);
    let base = Url::parse(&told.enterprise_base_url).ok().with_context(wrong)?;
    ensure!(may_ask(&base, &[].into()) && base.query().is_none(), wrong());
    ensure!(!told.client_id.is_empty(), "client_id is empty");
    let client_secret = match (&told.client_secret, &told.client_secret_file) {
        (Some(_), Some(_)) => bail!("client_secret and client_secret_file: one of them is enough"),
        (Some(secret), None) => Zeroizing::new(secret.clone()),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("Reading client_secret_file {}", path.display()))?;
            Zeroizing::new(text.trim().to_owned())
        }
        (None, None) => bail!("client_secret or client_secret_file is missing"),
    };
    Ok(Settings {
        api: api(&base)?,
        base,
        client_secret,
        rules: Arc::new(rules(&told, &syncs)?),
        client_id: told.client_id,
        device_flow: told.device_flow.0,
    })
}

/// GitHub has its API at a host of its own, an enterprise below its address.
fn api(base: &Url) -> anyhow::Result<Url> {
    if base.host_str() == Some("github.com") {
        return Ok(Url::parse("https://api.github.com")?);
    }
    Ok(Url::parse(&format!("{}/api/v3", base.as_str().trim_end_matches('/')))?)
}

fn rules(told: &Table, syncs: &Syncs) -> anyhow::Result<Rules> {
    let link = told.link_by_email.as_deref().unwrap_or("members");
    Ok(Rules {
        fields: Fields {
            email: "email".to_owned(),
            username: "login".to_owned(),
            name: "name".to_owned(),
        },
        domains: vec![],
        ignore_email_verified: false,
        allow_signups: told.allow_signups.0,
        link_by_email: LinkByEmail::from_word(link)
            .with_context(|| format!("link_by_email is {link:?}: none, members or all"))?,
        // Anyone may make an organization there, and call it as a group is called here.
        groups: syncs
            .speaks_of_groups()
            .then(|| syncs.groups(GROUPS))
            .transpose()?
            .map(|groups| GroupSync { only_mapped: true, ..groups }),
        roles: syncs.roles()?,
        organizations: syncs.organizations()?,
        allowed: allowed(told)?,
    })
}

/// With teams, someone has to be in one of them, and so in its organization.
fn allowed(told: &Table) -> anyhow::Result<Option<AllowedGroups>> {
    let small = |all: &[String]| all.iter().map(|name| name.trim().to_lowercase()).collect();
    let (organizations, teams): (Vec<String>, Vec<String>) =
        (small(&told.allowed_orgs), small(&told.allowed_teams));
    let some = !organizations.is_empty() || !teams.is_empty();
    ensure!(
        some != told.allow_everyone.0,
        "say who may sign in: allowed_orgs and allowed_teams, or allow_everyone = true"
    );
    for team in &teams {
        let organization =
            team.split_once('/').filter(|(o, slug)| !o.is_empty() && !slug.is_empty());
        let (organization, _) = organization
            .with_context(|| format!("allowed_teams has {team:?} in it: write org/team"))?;
        ensure!(
            organizations.is_empty() || organizations.iter().any(|o| o == organization),
            "allowed_teams has {team:?} in it, whose organization is not in allowed_orgs"
        );
    }
    let fits = |name: &String| !name.is_empty() && !name.contains('/');
    ensure!(organizations.iter().all(fits), "allowed_orgs holds names of organizations");
    let names = if teams.is_empty() { organizations } else { teams };
    Ok(some.then(|| AllowedGroups { field: GROUPS.to_owned(), names }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(more: &str) -> anyhow::Result<Settings> {
        read(format!("client_id = \"steading\"\nclient_secret = \"s\"\n{more}").parse().unwrap())
    }

    #[test]
    fn who_may_sign_in_has_to_be_said() {
        let open = told("allow_everyone = true").unwrap();
        assert!(open.rules.allowed.is_none());
        assert_eq!(open.api.as_str(), "https://api.github.com/");
        let teams = told("allowed_orgs = [\"Kiln\"]\nallowed_teams = [\"kiln/Potters\"]").unwrap();
        assert_eq!(teams.rules.allowed.as_ref().unwrap().names, ["kiln/potters"]);
        let own = "allowed_orgs = [\"a\"]\nenterprise_base_url = \"https://git.test/\"";
        assert_eq!(told(own).unwrap().api.as_str(), "https://git.test/api/v3");
        assert!(open.rules.groups.is_none() && !open.rules.asks_for_groups());
        let synced = "allow_everyone = true\ngroup_mapping = { \"Kiln/Potters\" = \"potters\" }";
        let synced = told(synced).unwrap();
        assert_eq!(synced.rules.groups.as_ref().unwrap().mapping["kiln/potters"], ["potters"]);
        assert!(synced.rules.asks_for_groups());
        assert!(synced.rules.groups.as_ref().unwrap().only_mapped);
        for (more, why) in [
            ("", "who may sign in"),
            ("allow_everyone = true\nallowed_orgs = [\"a\"]", "who may sign in"),
            ("allowed_teams = [\"a\"]", "org/team"),
            ("allowed_orgs = [\"a\"]\nallowed_teams = [\"b/c\"]", "not in allowed_orgs"),
            ("allowed_orgs = [\"\"]", "allowed_orgs"),
            ("allowed_orgs = [\"a\"]\nenterprise_base_url = \"http://git.test\"", "https://host"),
            ("allowed_orgs = [\"a\"]\nclient_secret_file = \"x\"", "one of them"),
            ("allowed_org = [\"a\"]", "allowed_org"),
        ] {
            let said = format!("{:#}", told(more).unwrap_err());
            assert!(said.contains(why), "{more}: {said}");
        }
    }

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
