//! The search for workspaces in Coder's words: `owner:me status:running kiln`.

use super::agent::ConnectionStatus;
use super::build::{JobStatus, Transition, WorkspaceStatus, workspace_status};
use super::id::{OrganizationId, WorkspaceId};
use super::time::Timestamp;
use super::workspace::Workspace;

/// Longest search read.
pub(super) const MAX: usize = 1024;

/// Why a search cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFilter(String);

impl BadFilter {
    pub(super) fn new(why: String) -> Self {
        Self(why)
    }

    /// With the place in `query` of the word that is wrong, counted in characters from 1.
    pub(super) fn at(self, query: &str, word: &str) -> Self {
        let before = word.as_ptr().addr().saturating_sub(query.as_ptr().addr());
        let place = query.get(..before).map_or(0, |text| text.chars().count()) + 1;
        Self(format!("at character {place}: {}", self.0))
    }
}

/// What a search asks for; every given part has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceFilter {
    /// Names of owners, `me` for who asks: it has to be each of them.
    pub owners: Vec<String>,
    /// Not those of who asks.
    pub not_mine: bool,
    /// Parts of the name, in lower case.
    pub parts: Vec<String>,
    /// The template's name.
    pub template: Option<String>,
    /// What its last build's job is, and its transition where that tells statuses apart.
    pub status: Option<(JobStatus, Option<Transition>)>,
    /// This one.
    pub id: Option<WorkspaceId>,
    /// Where it belongs.
    pub organization: Option<OrganizationId>,
    /// The name of where it belongs.
    pub organization_name: Option<String>,
    /// Whether its template offers another version.
    pub outdated: Option<bool>,
    /// Someone was last in it before.
    pub used_before: Option<Timestamp>,
    /// Someone was last in it after.
    pub used_after: Option<Timestamp>,
    /// Whether someone else runs its machine.
    pub external: Option<bool>,
    /// It has agents in each of these states.
    pub agents: Vec<ConnectionStatus>,
    /// Whether it runs and all its agents are well, or one of them is not.
    pub healthy: Option<bool>,
    /// Parameters of its last build, with the values they must have where one is given.
    pub params: Vec<(String, Option<String>)>,
    /// Whether it is shared with anybody.
    pub shared: Option<bool>,
    /// Shared with this user, by name or id, `me` for who asks.
    pub shared_with_user: Option<String>,
    /// Shared with this group, by name or id, `organization/name` for one of another organization.
    pub shared_with_group: Option<String>,
    /// Asks for what no workspace here is: a task, to be deleted by a day, two names at once.
    pub nothing: bool,
}

/// The keys a search may hold.
const KEYS: &str = "owner, name, template, status, id, organization, outdated, healthy, has-agent, \
    has_external_agent, has-ai-task, param, dormant, deleting_by, shared, shared_with_user, \
    shared_with_group, last_used_before, last_used_after";

impl WorkspaceFilter {
    /// Reads a search. Words without a key are parts of the name; `owner/name` is both.
    ///
    /// # Errors
    /// Names the key or value that cannot be read.
    pub fn parse(query: &str) -> Result<Self, BadFilter> {
        if query.len() > MAX {
            return Err(BadFilter(format!("is longer than {MAX} bytes")));
        }
        let mut filter = Self::default();
        for word in words(query) {
            match word.split_once(':') {
                Some((key, value)) => filter.add(key, value.trim_matches('"'))?,
                None => match word.trim_matches('"').split_once('/') {
                    Some((owner, name)) => {
                        filter.owners.push(owner.to_owned());
                        filter.parts.push(name.to_lowercase());
                    }
                    None => filter.parts.push(word.trim_matches('"').to_lowercase()),
                },
            }
        }
        Ok(filter)
    }

    /// Whether it asks for what follows from agents and the clock.
    #[must_use]
    pub const fn asks_agents(&self) -> bool {
        !self.agents.is_empty() || self.healthy.is_some()
    }

    /// Whether one of the agents of a workspace is in each of the states asked for, and whether they are
    /// well as asked for.
    #[must_use]
    pub fn fits_agents(&self, w: &Workspace, now: Timestamp) -> bool {
        let agents = || w.latest_build.resources.iter().flat_map(|r| &r.agents);
        let well = || w.status() == WorkspaceStatus::Running && w.failing_agents(now).is_empty();
        self.agents.iter().all(|wanted| agents().any(|a| a.status(now) == *wanted))
            && self.healthy.is_none_or(|wanted| wanted == well())
    }

    fn add(&mut self, key: &str, value: &str) -> Result<(), BadFilter> {
        let yes = || match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(BadFilter(format!("{key} wants true or false, not {value:?}"))),
        };
        let time = || Timestamp::parse_rfc3339(value).ok_or_else(|| wants_time(key));
        let fits = match key {
            "owner" => {
                self.owners.push(value.to_owned());
                true
            }
            "name" => {
                self.parts.push(value.to_lowercase());
                true
            }
            "template" => narrow(&mut self.template, value.to_ascii_lowercase()),
            "status" => status(&value.to_lowercase()).is_some_and(|s| narrow(&mut self.status, s)),
            "organization" => match value.parse() {
                Ok(id) => narrow(&mut self.organization, OrganizationId(id)),
                Err(_) => narrow(&mut self.organization_name, value.to_ascii_lowercase()),
            },
            "id" => {
                let bad = |_| BadFilter(format!("id wants a UUID, not {value:?}"));
                narrow(&mut self.id, WorkspaceId(value.parse().map_err(bad)?))
            }
            "outdated" => narrow(&mut self.outdated, yes()?),
            "has-agent" => {
                let state = ConnectionStatus::from_word(&value.to_lowercase());
                self.agents.extend(state);
                state.is_some()
            }
            "has_external_agent" | "has-external-agent" => narrow(&mut self.external, yes()?),
            "healthy" => narrow(&mut self.healthy, yes()?),
            "param" => {
                self.params.push(param(value));
                true
            }
            "dormant" | "is-dormant" | "has-ai-task" => !yes()?,
            "deleting_by" => {
                check_day(key, value)?;
                false
            }
            "shared" => narrow(&mut self.shared, yes()?),
            "shared_with_user" => narrow(&mut self.shared_with_user, value.to_owned()),
            "shared_with_group" => narrow(&mut self.shared_with_group, value.to_owned()),
            "last_used_before" => {
                self.used_before = self.used_before.into_iter().chain([time()?]).min();
                true
            }
            "last_used_after" => {
                self.used_after = self.used_after.into_iter().chain([time()?]).max();
                true
            }
            _ => return Err(BadFilter(format!("{key:?} is not a key; there are {KEYS}"))),
        };
        self.nothing |= !fits;
        Ok(())
    }
}

/// A parameter's name, and the value it must have where one is given.
fn param(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, wanted)) => (name.to_owned(), Some(wanted.trim_matches('"').to_owned())),
        None => (text.to_owned(), None),
    }
}

fn wants_time(key: &str) -> BadFilter {
    BadFilter(format!("{key} wants a time such as 2026-01-31T09:00:00Z"))
}

fn check_day(key: &str, text: &str) -> Result<(), BadFilter> {
    let day = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    day.map(drop).ok_or_else(|| BadFilter(format!("{key} wants a day such as 2026-01-31")))
}

/// Asks for one value; whether it can be had beside what was asked before.
pub(super) fn narrow<T: PartialEq>(asked: &mut Option<T>, value: T) -> bool {
    match asked {
        Some(before) => *before == value,
        None => {
            *asked = Some(value);
            true
        }
    }
}

/// The job's status, and the transition if there is but one, that make a workspace's status.
fn status(word: &str) -> Option<(JobStatus, Option<Transition>)> {
    let all = JobStatus::ALL.iter().flat_map(|j| Transition::ALL.iter().map(move |t| (*j, *t)));
    let mut making = all.filter(|(j, t)| workspace_status(*t, *j).as_str() == word);
    let (job, transition) = making.next()?;
    Some((job, making.next().is_none().then_some(transition)))
}

/// Splits at spaces outside double quotes.
pub(super) fn words(query: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    query
        .split(move |c: char| {
            if c == '"' {
                quoted = !quoted;
            }
            !quoted && c.is_whitespace()
        })
        .filter(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_found_by_what_makes_it() {
        for wanted in WorkspaceStatus::ALL {
            let (job, transition) = status(wanted.as_str()).unwrap();
            for (j, t) in
                JobStatus::ALL.iter().flat_map(|j| Transition::ALL.iter().map(move |t| (j, t)))
            {
                let fits = *j == job && transition.is_none_or(|x| x == *t);
                assert_eq!(fits, workspace_status(*t, *j) == *wanted, "{wanted} {j} {t}");
            }
        }
    }

    #[test]
    fn searches_are_read_in_coders_words() {
        let parse = WorkspaceFilter::parse;
        assert_eq!(parse("").unwrap(), WorkspaceFilter::default());
        assert_eq!(parse("owner:me kiln").unwrap().owners, ["me"]);
        let both = parse("ada/Kiln").unwrap();
        assert_eq!((both.owners, both.parts), (vec!["ada".to_owned()], vec!["kiln".to_owned()]));
        let found = parse("name:\"a b\" status:running").unwrap();
        assert_eq!(found.parts, ["a b"]);
        assert_eq!(found.status, Some((JobStatus::Succeeded, Some(Transition::Start))));
        assert_eq!(parse("status:failed").unwrap().status, Some((JobStatus::Failed, None)));
        let nothing = |query| parse(query).unwrap().nothing;
        assert!(nothing("status:asleep") && nothing("dormant:true") && !nothing("dormant:false"));
        assert!(nothing("template:a template:b") && !nothing("template:a template:A"));
        assert!(nothing("has-agent:asleep") && nothing("organization:a organization:b"));
        assert!(nothing("deleting_by:2026-01-31") && parse("deleting_by:soon").is_err());
        let found = parse("param:size=\"8 GB\" param:region healthy:false").unwrap();
        assert_eq!(found.params[0], ("size".to_owned(), Some("8 GB".to_owned())));
        assert_eq!((&*found.params[1].0, found.healthy), ("region", Some(false)));
        assert!(parse("colour:red").unwrap_err().to_string().contains("has-agent"));
        assert!(parse("outdated:perhaps").is_err());
        assert!(parse("id:7").is_err());
    }
}
