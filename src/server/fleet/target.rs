//! What a login name leads to: `kiln`, `kiln.main`, `ada--kiln`, `ada--kiln.main`.

/// A workspace as it is named in an SSH login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whose; none for one's own.
    pub owner: Option<String>,
    /// The workspace's name.
    pub workspace: String,
    /// The agent's name; none when there is one.
    pub agent: Option<String>,
}

impl Target {
    /// Reads a login name. Workspace names hold no `--` and no `.`, so the reading is unique;
    /// `owner/workspace` is read too, as the command line writes it.
    #[must_use]
    pub fn parse(login: &str) -> Option<Self> {
        let (path, agent) = match login.split_once('.') {
            Some((path, agent)) => (path, Some(agent)),
            None => (login, None),
        };
        let (owner, workspace) = match path.split_once("--").or_else(|| path.split_once('/')) {
            Some((owner, workspace)) => (Some(owner), workspace),
            None => (None, path),
        };
        let filled = |part: &&str| !part.is_empty();
        if workspace.is_empty() || agent == Some("") || owner == Some("") {
            return None;
        }
        Some(Self {
            owner: owner.filter(filled).map(str::to_owned),
            workspace: workspace.to_owned(),
            agent: agent.filter(filled).map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_name_leads_to_owner_workspace_and_agent() {
        let check = |login: &str, owner: Option<&str>, workspace: &str, agent: Option<&str>| {
            let expected = Target {
                owner: owner.map(str::to_owned),
                workspace: workspace.to_owned(),
                agent: agent.map(str::to_owned),
            };
            assert_eq!(Target::parse(login), Some(expected), "{login}");
        };
        check("kiln", None, "kiln", None);
        check("kiln.main", None, "kiln", Some("main"));
        check("ada--kiln", Some("ada"), "kiln", None);
        check("ada--my-box.main", Some("ada"), "my-box", Some("main"));
        check("ada/kiln", Some("ada"), "kiln", None);
        assert_eq!(Target::parse(""), None);
        assert_eq!(Target::parse("--kiln"), None);
        assert_eq!(Target::parse("kiln."), None);
    }
}
