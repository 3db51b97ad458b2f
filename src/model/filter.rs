//! The search for workspaces in Coder's words: `owner:me status:running kiln`.

use super::agent::ConnectionStatus;
use super::time::Timestamp;
use super::user::UserRef;
use super::workspace::Workspace;

/// Longest search read.
const MAX: usize = 1024;

/// Why a search cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFilter(String);

/// What a search asks for; every given part has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceFilter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Owner(String),
    Name(String),
    Text(String),
    Template(String),
    Status(String),
    Id(uuid::Uuid),
    Organization(String),
    Outdated(bool),
    HasAgent(String),
    UsedBefore(Timestamp),
    UsedAfter(Timestamp),
    /// Asks for what no workspace here is: dormant, shared, a task.
    Never,
    /// Is so for every workspace.
    Always,
}

/// The keys a search may hold.
const KEYS: &str = "owner, name, template, status, id, organization, outdated, has-agent, dormant, \
    shared, shared_with_user, shared_with_group, last_used_before, last_used_after";

impl WorkspaceFilter {
    /// Reads a search. Words without a key are parts of the name; `owner/name` is both.
    ///
    /// # Errors
    /// Names the key or value that cannot be read.
    pub fn parse(query: &str) -> Result<Self, BadFilter> {
        if query.len() > MAX {
            return Err(BadFilter(format!("is longer than {MAX} bytes")));
        }
        let mut terms = Vec::new();
        for word in words(query) {
            match word.split_once(':') {
                Some((key, value)) => terms.push(term(key, value.trim_matches('"'))?),
                None => match word.trim_matches('"').split_once('/') {
                    Some((owner, name)) => {
                        terms.push(Term::Owner(owner.to_owned()));
                        terms.push(Term::Name(name.to_owned()));
                    }
                    None => terms.push(Term::Text(word.trim_matches('"').to_lowercase())),
                },
            }
        }
        Ok(Self { terms })
    }

    /// The owner's name that is asked for, if one is; `me` stands for who asks.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.terms.iter().find_map(|t| if let Term::Owner(o) = t { Some(o.as_str()) } else { None })
    }

    /// Whether agents have to be known to answer.
    #[must_use]
    pub fn needs_agents(&self) -> bool {
        self.terms.iter().any(|t| matches!(t, Term::HasAgent(_)))
    }

    /// Whether a workspace is asked for by `me` at `now`.
    #[must_use]
    pub fn matches(&self, w: &Workspace, me: Option<&UserRef>, now: Timestamp) -> bool {
        self.terms.iter().all(|t| t.matches(w, me, now))
    }
}

impl Term {
    fn matches(&self, w: &Workspace, me: Option<&UserRef>, now: Timestamp) -> bool {
        match self {
            Self::Owner(name) if name == "me" => me.is_some_and(|m| m.id == w.owner.id),
            Self::Owner(name) => w.owner.username.as_str().eq_ignore_ascii_case(name),
            Self::Name(part) => {
                w.name.as_str().to_lowercase().contains(part.to_lowercase().as_str())
            }
            Self::Text(part) => w.name.as_str().to_lowercase().contains(part.as_str()),
            Self::Template(name) => w.template_name.as_str().eq_ignore_ascii_case(name),
            Self::Status(status) => w.status().as_str() == status,
            Self::Id(id) => w.id.0 == *id,
            Self::Organization(name) => {
                name.eq_ignore_ascii_case("default") || w.organization_id.to_string() == *name
            }
            Self::Outdated(wanted) => w.outdated() == *wanted,
            Self::HasAgent(status) => w
                .latest_build
                .resources
                .iter()
                .flat_map(|r| &r.agents)
                .any(|a| agent_matches(a.status(now), status)),
            Self::UsedBefore(at) => w.last_used_at < *at,
            Self::UsedAfter(at) => w.last_used_at > *at,
            Self::Never => false,
            Self::Always => true,
        }
    }
}

fn agent_matches(status: ConnectionStatus, wanted: &str) -> bool {
    status.as_str() == wanted
}

fn term(key: &str, value: &str) -> Result<Term, BadFilter> {
    let yes = |t: Term, f: Term| match value {
        "true" => Ok(t),
        "false" => Ok(f),
        _ => Err(BadFilter(format!("{key} wants true or false, not {value:?}"))),
    };
    let time = || {
        Timestamp::parse_rfc3339(value)
            .ok_or_else(|| BadFilter(format!("{key} wants a time such as 2026-01-31T09:00:00Z")))
    };
    Ok(match key {
        "owner" => Term::Owner(value.to_owned()),
        "name" => Term::Name(value.to_owned()),
        "template" => Term::Template(value.to_owned()),
        "status" => Term::Status(value.to_lowercase()),
        "organization" => Term::Organization(value.to_owned()),
        "id" => Term::Id(
            value.parse().map_err(|_| BadFilter(format!("id wants a UUID, not {value:?}")))?,
        ),
        "outdated" => yes(Term::Outdated(true), Term::Outdated(false))?,
        "has-agent" => Term::HasAgent(value.to_lowercase()),
        "dormant" | "shared" | "has-ai-task" => yes(Term::Never, Term::Always)?,
        "shared_with_user" | "shared_with_group" => Term::Never,
        "last_used_before" => Term::UsedBefore(time()?),
        "last_used_after" => Term::UsedAfter(time()?),
        _ => return Err(BadFilter(format!("{key:?} is not a key; there are {KEYS}"))),
    })
}

/// Splits at spaces outside double quotes.
fn words(query: &str) -> impl Iterator<Item = &str> {
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
    fn searches_are_read_in_coders_words() {
        let parse = WorkspaceFilter::parse;
        assert_eq!(parse("").unwrap(), WorkspaceFilter::default());
        assert_eq!(parse("owner:me kiln").unwrap().owner(), Some("me"));
        assert_eq!(parse("ada/kiln").unwrap().owner(), Some("ada"));
        assert_eq!(
            parse("name:\"a b\" status:running").unwrap().terms,
            [Term::Name("a b".into()), Term::Status("running".into())]
        );
        assert!(parse("colour:red").unwrap_err().to_string().contains("has-agent"));
        assert!(parse("outdated:perhaps").is_err());
        assert!(parse("id:7").is_err());
    }
}
