//! How people and SSH clients name a workspace: `kiln`, `ada/kiln`, `kiln.main`, `ada--kiln.main`.

use super::args::connect::HostName;

/// A workspace by name, perhaps with an agent of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Whose it is; `me` when not said.
    pub owner: String,
    /// Its name.
    pub workspace: String,
    /// Which agent, when said.
    pub agent: Option<String>,
}

/// Text that names no workspace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no workspace; write NAME, OWNER/NAME or OWNER/NAME.AGENT")]
pub struct BadReference(String);

impl std::str::FromStr for Reference {
    type Err = BadReference;

    fn from_str(text: &str) -> Result<Self, BadReference> {
        let dashed =
            text.split_once('/').map_or(text, |(_, rest)| rest).split("--").collect::<Vec<_>>();
        let dotted = text.split('.').collect::<Vec<_>>();
        let read = match (text.split_once('/'), &*dashed, &*dotted) {
            (Some((owner, _)), &[rest], _) => with_agent(owner, rest),
            (Some((owner, _)), &[workspace, agent], _) => new(owner, workspace, Some(agent)),
            (None, &[_], &[agent, workspace, owner]) => new(owner, workspace, Some(agent)),
            (None, &[rest], _) => with_agent("me", rest),
            (None, &[owner, rest], _) => with_agent(owner, rest),
            (None, &[owner, workspace, agent], _) => new(owner, workspace, Some(agent)),
            _ => None,
        };
        read.ok_or_else(|| BadReference(text.to_owned()))
    }
}

fn with_agent(owner: &str, rest: &str) -> Option<Reference> {
    match rest.split_once('.') {
        Some((workspace, agent)) => new(owner, workspace, Some(agent)),
        None => new(owner, rest, None),
    }
}

fn new(owner: &str, workspace: &str, agent: Option<&str>) -> Option<Reference> {
    let fits = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    (fits(owner) && fits(workspace) && agent.is_none_or(fits)).then(|| Reference {
        owner: owner.to_owned(),
        workspace: workspace.to_owned(),
        agent: agent.map(str::to_owned),
    })
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.owner {
            "me" => f.write_str(&self.workspace)?,
            owner => write!(f, "{owner}/{}", self.workspace)?,
        }
        self.agent.as_ref().map_or(Ok(()), |agent| write!(f, ".{agent}"))
    }
}

/// Reads a host name as an SSH client gives it: the prefix and the suffix are taken off. An editor's
/// prefix ends in `--`; what is before the last owner belongs to the prefix too.
///
/// # Errors
/// When no workspace is named.
pub fn from_host(host: &str, names: &HostName) -> Result<Reference, BadReference> {
    let bare = host.strip_prefix(&names.ssh_host_prefix).unwrap_or(host);
    let bare = match &*names.hostname_suffix {
        "" => bare,
        suffix => bare
            .strip_suffix(suffix.trim_start_matches('.'))
            .and_then(|b| b.strip_suffix('.'))
            .unwrap_or(bare),
    };
    bare.parse()
}

/// Reads `coder-vscode.example.com--ada--kiln.main` from the right, without knowing the prefix.
///
/// # Errors
/// When no workspace is named.
pub fn from_editor_host(host: &str) -> Result<Reference, BadReference> {
    let mut parts = host.rsplitn(3, "--");
    match (parts.next(), parts.next()) {
        (Some(rest), Some(owner)) => with_agent(owner, rest),
        _ => None,
    }
    .ok_or_else(|| BadReference(host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prefix: &str, suffix: &str) -> HostName {
        HostName { ssh_host_prefix: prefix.into(), hostname_suffix: suffix.into() }
    }

    #[test]
    fn every_form_names_owner_workspace_and_agent() {
        let check = |text: &str, expected: &str| {
            let read = text.parse::<Reference>();
            assert_eq!(read.map_or_else(|e| e.to_string(), |r| r.to_string()), expected);
        };
        check("kiln", "kiln");
        check("kiln.main", "kiln.main");
        check("ada/kiln", "ada/kiln");
        check("ada/kiln.main", "ada/kiln.main");
        check("ada/kiln--main", "ada/kiln.main");
        check("ada--kiln", "ada/kiln");
        check("ada--kiln.main", "ada/kiln.main");
        check("ada--kiln--main", "ada/kiln.main");
        check("main.kiln.ada", "ada/kiln.main");
        check("main.kiln.me", "kiln.main");
        let bad = "\"a/b/c\" names no workspace; write NAME, OWNER/NAME or OWNER/NAME.AGENT";
        check("a/b/c", bad);
        assert!("".parse::<Reference>().is_err());
        assert!("ki ln".parse::<Reference>().is_err());
    }

    #[test]
    fn host_names_lose_prefix_and_suffix() {
        let check = |host: &str, names: HostName, expected: &str| {
            assert_eq!(from_host(host, &names).unwrap().to_string(), expected);
        };
        check("coder.kiln", names("coder.", ""), "kiln");
        check("kiln.coder", names("", "coder"), "kiln");
        check("main.kiln.ada.coder", names("coder.", "coder"), "ada/kiln.main");
        check("kiln.main", names("coder.", "coder"), "kiln.main");
        check("coder-vscode.x--ada--kiln.main", names("coder-vscode.x--", ""), "ada/kiln.main");
        let editor = from_editor_host("coder-vscode.a--b.example--ada--kiln").unwrap();
        assert_eq!(editor.to_string(), "ada/kiln");
    }
}
