//! GitHub, where people sign in: `[github]` in the file.

use std::sync::Arc;

use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::syncs::Syncs;
use super::{Flag, Wrong, link_by_email, yes};
use crate::model::group_sync::GroupSync;
use crate::model::identity::{AllowedGroups, Fields, LinkByEmail, Rules};
use crate::server::identity::github::{GROUPS, Settings};
use crate::server::identity::oidc::http::may_ask;

/// What stands in `[github]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
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

/// Reads GitHub's settings.
///
/// # Errors
/// Names the setting that does not fit.
pub fn read(mut table: toml::Table) -> Result<Settings, Wrong> {
    let syncs = Syncs::take(&mut table)?.by_groups(GROUPS)?.in_small_letters();
    let told: Table = table.try_into()?;
    let base = Url::parse(&told.enterprise_base_url).ok();
    let base = base.filter(|url| may_ask(url, &[].into()) && url.query().is_none());
    let base = base.ok_or_else(|| no_base(&told.enterprise_base_url))?;
    Wrong::unless(!told.client_id.is_empty(), "client_id", || "client_id is empty".to_owned())?;
    Wrong::unless(!told.client_secret.is_empty(), "client_secret", || {
        "client_secret is missing".to_owned()
    })?;
    Ok(Settings {
        api: api(&base)?,
        base,
        client_secret: Zeroizing::new(told.client_secret.clone()),
        rules: Arc::new(rules(&told, &syncs)?),
        client_id: told.client_id,
        device_flow: told.device_flow.0,
    })
}

fn no_base(told: &str) -> Wrong {
    let why = format!("enterprise_base_url is {told:?}: write https://host");
    Wrong::new("enterprise_base_url", why)
}

/// GitHub has its API at a host of its own, an enterprise below its address.
fn api(base: &Url) -> Result<Url, Wrong> {
    let address = match base.host_str() {
        Some("github.com") => "https://api.github.com".to_owned(),
        Some(_) | None => format!("{}/api/v3", base.as_str().trim_end_matches('/')),
    };
    Url::parse(&address).map_err(|_| no_base(base.as_str()))
}

fn rules(told: &Table, syncs: &Syncs) -> Result<Rules, Wrong> {
    Ok(Rules {
        fields: Fields {
            email: "email".to_owned(),
            username: "login".to_owned(),
            name: "name".to_owned(),
        },
        domains: vec![],
        ignore_email_verified: false,
        allow_signups: told.allow_signups.0,
        link_by_email: link_by_email(told.link_by_email.as_deref(), LinkByEmail::Members)?,
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
fn allowed(told: &Table) -> Result<Option<AllowedGroups>, Wrong> {
    let small = |all: &[String]| all.iter().map(|name| name.trim().to_lowercase()).collect();
    let (organizations, teams): (Vec<String>, Vec<String>) =
        (small(&told.allowed_orgs), small(&told.allowed_teams));
    let some = !organizations.is_empty() || !teams.is_empty();
    Wrong::unless(some != told.allow_everyone.0, "allowed_orgs", || {
        "say who may sign in: allowed_orgs and allowed_teams, or allow_everyone = true".to_owned()
    })?;
    for team in &teams {
        let organization =
            team.split_once('/').filter(|(o, slug)| !o.is_empty() && !slug.is_empty());
        let (organization, _) = organization.ok_or_else(|| {
            let why = format!("allowed_teams has {team:?} in it: write org/team");
            Wrong::new("allowed_teams", why)
        })?;
        let is_known = organizations.is_empty() || organizations.iter().any(|o| o == organization);
        Wrong::unless(is_known, "allowed_teams", || {
            format!("allowed_teams has {team:?} in it, whose organization is not in allowed_orgs")
        })?;
    }
    let fits = |name: &String| !name.is_empty() && !name.contains('/');
    Wrong::unless(organizations.iter().all(fits), "allowed_orgs", || {
        "allowed_orgs holds names of organizations".to_owned()
    })?;
    let names = if teams.is_empty() { organizations } else { teams };
    Ok(some.then(|| AllowedGroups { field: GROUPS.to_owned(), names }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(more: &str) -> Result<Settings, Wrong> {
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
            ("allowed_org = [\"a\"]", "allowed_org"),
        ] {
            let said = told(more).unwrap_err().to_string();
            assert!(said.contains(why), "{more}: {said}");
        }
    }
}
