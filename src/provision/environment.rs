//! The variables of a job: what its template, and the programs that it runs, may know.

use std::collections::BTreeMap;

use serde_json::json;

use super::job::{BuildJob, ImportJob, Owner, Task, UserSecret, Workspace};
use super::provider::values::{
    IMPORTING, KEEPS_TOKENS, agent_token_variable, parameter_variable, previous_parameter_variable,
    secret_file_variable,
};
use crate::model::build::Transition;

type Variables = BTreeMap<String, String>;

/// The variables of a build.
pub(super) fn of_build(job: &BuildJob, access_url: &str, scripts: &Variables) -> Variables {
    let mut out = of_deployment(access_url, scripts, job.transition);
    add_owner(&mut out, &job.owner);
    add_workspace(&mut out, &job.workspace);
    for value in &job.parameters {
        out.insert(parameter_variable(&value.name), value.value.clone());
    }
    for value in &job.previous_parameters {
        out.insert(previous_parameter_variable(&value.name), value.value.clone());
    }
    for (id, token) in &job.external_auth {
        out.insert(format!("CODER_EXTERNAL_AUTH_ACCESS_TOKEN_{id}"), token.clone());
        out.insert(format!("CODER_GIT_AUTH_ACCESS_TOKEN_{id}"), token.clone());
    }
    for secret in &job.secrets {
        let (name, value) = match secret {
            UserSecret::Env { name, value } => (format!("CODER_SECRET_ENV_{name}"), value),
            UserSecret::File { path, value } => (secret_file_variable(path), value),
        };
        out.insert(name, value.clone());
    }
    if let Some(Task { id, prompt }) = &job.task {
        out.insert("CODER_TASK_ID".to_owned(), id.clone());
        out.insert("CODER_TASK_PROMPT".to_owned(), prompt.clone());
    }
    out
}

/// The variables of an import's plan.
pub(super) fn of_import(
    job: &ImportJob,
    access_url: &str,
    scripts: &Variables,
    transition: Transition,
) -> Variables {
    let mut out = of_deployment(access_url, scripts, transition);
    add_owner(&mut out, &job.owner);
    out.insert(IMPORTING.to_owned(), "true".to_owned());
    out
}

fn of_deployment(access_url: &str, scripts: &Variables, transition: Transition) -> Variables {
    let transition = match transition {
        Transition::Start => "start",
        Transition::Stop => "stop",
        Transition::Delete => "destroy",
    };
    let mut out = Variables::from([
        ("CODER_AGENT_URL".to_owned(), access_url.to_owned()),
        ("CODER_WORKSPACE_TRANSITION".to_owned(), transition.to_owned()),
    ]);
    for (platform, script) in scripts {
        out.insert(format!("CODER_AGENT_SCRIPT_{platform}"), script.clone());
    }
    out
}

fn add_owner(out: &mut Variables, owner: &Owner) {
    let roles: Vec<_> =
        owner.roles.iter().map(|(name, org)| json!({"name": name, "org_id": org})).collect();
    let values = [
        ("", owner.name.clone()),
        ("_ID", owner.id.clone()),
        ("_NAME", owner.full_name.clone()),
        ("_EMAIL", owner.email.clone()),
        ("_LOGIN_TYPE", owner.login_type.clone()),
        ("_GROUPS", json!(owner.groups).to_string()),
        ("_RBAC_ROLES", json!(roles).to_string()),
        ("_SSH_PUBLIC_KEY", owner.ssh_public_key.clone()),
        ("_SSH_PRIVATE_KEY", owner.ssh_private_key.clone()),
        ("_SESSION_TOKEN", owner.session_token.clone()),
        ("_OIDC_ACCESS_TOKEN", owner.oidc_access_token.clone()),
    ];
    for (name, value) in values {
        out.insert(format!("CODER_WORKSPACE_OWNER{name}"), value);
    }
}

fn add_workspace(out: &mut Variables, workspace: &Workspace) {
    let values = [
        ("ID", &workspace.id),
        ("NAME", &workspace.name),
        ("BUILD_ID", &workspace.build_id),
        ("TEMPLATE_ID", &workspace.template_id),
        ("TEMPLATE_NAME", &workspace.template_name),
        ("TEMPLATE_VERSION", &workspace.template_version),
    ];
    for (name, value) in values {
        out.insert(format!("CODER_WORKSPACE_{name}"), value.clone());
    }
    let marks = [("PREBUILD", workspace.prebuild), ("PREBUILD_CLAIM", workspace.prebuild_claim)];
    for (name, is_set) in marks {
        if is_set {
            out.insert(format!("CODER_WORKSPACE_IS_{name}"), "true".to_owned());
        }
    }
    if !workspace.running_agent_token.is_empty() {
        out.insert(agent_token_variable(), workspace.running_agent_token.clone());
    }
    if workspace.keeps_tokens {
        out.insert(KEEPS_TOKENS.to_owned(), "true".to_owned());
    }
}

/// What must not be read in a log: the values that are secret by their kind.
pub(super) fn secrets_of_build(job: &BuildJob) -> Vec<String> {
    let mut out = secrets_of_owner(&job.owner);
    out.extend(job.external_auth.values().cloned());
    out.extend(job.secrets.iter().map(|secret| match secret {
        UserSecret::Env { value, .. } | UserSecret::File { value, .. } => value.clone(),
    }));
    out.push(job.workspace.running_agent_token.clone());
    out
}

/// The same for what belongs to a user.
pub(super) fn secrets_of_owner(owner: &Owner) -> Vec<String> {
    vec![
        owner.ssh_private_key.clone(),
        owner.session_token.clone(),
        owner.oidc_access_token.clone(),
    ]
}
