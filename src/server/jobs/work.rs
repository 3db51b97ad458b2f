//! A job in the provisioner's words.

use crate::model::id::JobId;
use crate::model::user::User;
use crate::provision::{BuildJob, ImportJob, Owner, Workspace};
use crate::server::app::jobs::{BuildWork, ImportWork, OwnerFacts};

/// The group everyone is in, as Coder calls it.
const EVERYONE: &str = "Everyone";

/// An import, as the provisioner takes it.
pub(super) fn import(job: JobId, work: ImportWork) -> ImportJob {
    ImportJob {
        id: job,
        archive: work.archive,
        variables: work.variables,
        owner: owner(&work.owner, String::new()),
    }
}

/// A build, as the provisioner takes it.
pub(super) fn build(job: JobId, work: BuildWork) -> BuildJob {
    BuildJob {
        id: job,
        archive: work.archive,
        variables: work.variables,
        state: work.state.map(Into::into),
        transition: work.build.transition,
        parameters: work.parameters,
        previous_parameters: work.previous_parameters,
        workspace: Workspace {
            id: work.workspace.id.to_string(),
            name: work.workspace.name.to_string(),
            build_id: work.build.id.to_string(),
            template_id: work.workspace.template_id.to_string(),
            template_name: work.workspace.template_name.to_string(),
            template_version: work.build.version_name,
            keeps_tokens: work.keeps_tokens,
            ..Workspace::default()
        },
        owner: owner(&work.owner, work.session_token),
        external_auth: std::collections::BTreeMap::new(),
        secrets: vec![],
        task: None,
        gate: None,
    }
}

fn owner(facts: &OwnerFacts, session_token: String) -> Owner {
    let user = &facts.user;
    let groups = facts.groups.iter().map(|g| g.name.clone());
    Owner {
        id: user.id.to_string(),
        name: user.username.to_string(),
        full_name: user.name.clone(),
        email: user.email.clone(),
        login_type: user.login_type.as_str().to_owned(),
        groups: std::iter::once(EVERYONE.to_owned()).chain(groups).collect(),
        roles: roles(user),
        session_token,
        ..Owner::default()
    }
}

/// Roles as templates see them: everyone is a member of the site and of their organizations.
fn roles(user: &User) -> Vec<(String, String)> {
    let site = user.roles.iter().map(|r| (r.as_str().to_owned(), String::new()));
    let member =
        |o: &crate::model::id::OrganizationId| ("organization-member".to_owned(), o.to_string());
    std::iter::once(("member".to_owned(), String::new()))
        .chain(site)
        .chain(user.organizations.iter().map(member))
        .collect()
}
