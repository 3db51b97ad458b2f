//! Reading the data sources of `coder/coder` that tell a template about its job.

use serde_json::Value as Json;

use super::{Context, data};
use crate::provision::provider::proto::Diagnostic;
use crate::provision::provider::value::{Type, Value};
use crate::provision::provider::values::{Values, secret_file_variable};
use crate::provision::provider::{go_os, platform_arch};

pub(super) fn read(
    kind: &str,
    context: &Context,
    config: &Value,
    out: &mut Value,
) -> Result<(), Diagnostic> {
    match kind {
        "coder_workspace" => workspace(context, out),
        "coder_workspace_owner" => owner(context, out),
        "coder_external_auth" => external_auth(&context.values, config, out),
        "coder_secret" => secret(&context.values, config, out),
        "coder_task" => task(context, out),
        "coder_provisioner" => {
            out.set("id", context.uuid());
            out.set("os", go_os());
            out.set("arch", platform_arch());
            Ok(())
        }
        _ => {
            out.set("id", context.uuid());
            Ok(())
        }
    }
}

fn workspace(context: &Context, out: &mut Value) -> Result<(), Diagnostic> {
    let values = &context.values;
    let transition = values.or("CODER_WORKSPACE_TRANSITION", "start");
    let claim = values.is_true("CODER_WORKSPACE_IS_PREBUILD_CLAIM");
    let prebuild = values.is_true("CODER_WORKSPACE_IS_PREBUILD") && !claim;
    out.set("transition", transition);
    out.set("start_count", i64::from(transition == "start"));
    out.set("is_prebuild", prebuild);
    out.set("prebuild_count", i64::from(prebuild));
    out.set("is_prebuild_claim", claim);
    out.set("name", values.or("CODER_WORKSPACE_NAME", "default"));
    out.set("id", values.or("CODER_WORKSPACE_ID", &context.uuid()));
    for attribute in ["template_id", "template_name", "template_version"] {
        let variable = format!("CODER_WORKSPACE_{}", attribute.to_ascii_uppercase());
        let text = values.get(&variable);
        if text.is_empty() && !values.get("CODER_WORKSPACE_BUILD_ID").is_empty() {
            return Err(Diagnostic::error(format!("{variable} is required"), ""));
        }
        out.set(attribute, text);
    }
    out.set("access_url", context.url.as_str());
    out.set("access_port", port_of(&context.url));
    Ok(())
}

/// The port in the URL, else the scheme's.
fn port_of(url: &str) -> i64 {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.unwrap_or(if url.starts_with("https:") { 443 } else { 80 })
}

fn owner(context: &Context, out: &mut Value) -> Result<(), Diagnostic> {
    let values = &context.values;
    out.set("id", values.or("CODER_WORKSPACE_OWNER_ID", &context.uuid()));
    out.set("name", values.or("CODER_WORKSPACE_OWNER", "default"));
    out.set("full_name", values.or("CODER_WORKSPACE_OWNER_NAME", "default"));
    out.set("email", values.or("CODER_WORKSPACE_OWNER_EMAIL", "default@example.com"));
    for attribute in ["ssh_public_key", "ssh_private_key", "session_token", "oidc_access_token"] {
        let variable = format!("CODER_WORKSPACE_OWNER_{}", attribute.to_ascii_uppercase());
        out.set(attribute, values.get(&variable));
    }
    let login = values.get("CODER_WORKSPACE_OWNER_LOGIN_TYPE");
    out.set("login_type", if login.is_empty() { Value::Null } else { login.into() });
    let groups = json_list(values, "CODER_WORKSPACE_OWNER_GROUPS", "groups")?;
    out.set("groups", Value::from_json(&groups, &Type::List(Box::new(Type::Text))));
    let roles = json_list(values, "CODER_WORKSPACE_OWNER_RBAC_ROLES", "rbac roles")?;
    out.set("rbac_roles", Value::from_json(&roles, &data::rbac_roles()));
    Ok(())
}

fn json_list(values: &Values, variable: &str, what: &str) -> Result<Json, Diagnostic> {
    let Some(text) = values.given(variable) else { return Ok(Json::Array(vec![])) };
    serde_json::from_str::<Vec<Json>>(text)
        .map(Json::Array)
        .map_err(|e| Diagnostic::error(format!("invalid user {what}"), e.to_string()))
}

fn external_auth(values: &Values, config: &Value, out: &mut Value) -> Result<(), Diagnostic> {
    let id = config.get("id").text();
    if id.is_empty() {
        return Err(Diagnostic::error("id is required", ""));
    }
    out.set("access_token", values.get(&format!("CODER_EXTERNAL_AUTH_ACCESS_TOKEN_{id}")));
    Ok(())
}

/// The task's id, when the workspace was made for one.
pub(super) fn task_id(values: &Values) -> Option<String> {
    let id = uuid::Uuid::parse_str(values.get("CODER_TASK_ID")).ok()?;
    (!id.is_nil()).then(|| values.get("CODER_TASK_ID").to_owned())
}

fn task(context: &Context, out: &mut Value) -> Result<(), Diagnostic> {
    let given = context.values.get("CODER_TASK_ID");
    if !given.is_empty() && uuid::Uuid::parse_str(given).is_err() {
        return Err(Diagnostic::error(format!("invalid task ID {given:?}"), "It is not a UUID."));
    }
    let id = task_id(&context.values);
    out.set("enabled", id.is_some());
    out.set("id", id.unwrap_or_else(|| context.uuid()));
    out.set("prompt", context.values.get("CODER_TASK_PROMPT"));
    Ok(())
}

fn secret(values: &Values, config: &Value, out: &mut Value) -> Result<(), Diagnostic> {
    let (env, file) = (config.get("env").text(), config.get("file").text());
    if env.is_empty() == file.is_empty() {
        return Err(Diagnostic::error("exactly one of `env` or `file` must be set", ""));
    }
    let (id, value, what) = if env.is_empty() {
        let value = values.get(&secret_file_variable(file));
        (format!("file:{file}"), value, format!("file {file:?}"))
    } else {
        let value = values.get(&format!("CODER_SECRET_ENV_{env}"));
        (format!("env:{env}"), value, format!("environment variable {env:?}"))
    };
    let building = !values.get("CODER_WORKSPACE_BUILD_ID").is_empty();
    if value.is_empty() && building && values.get("CODER_WORKSPACE_TRANSITION") == "start" {
        let help = config.get("help_message").text();
        return Err(Diagnostic::error(format!("Missing required secret: {what}"), help));
    }
    out.set("id", id);
    out.set("value", value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_from_the_url_or_its_scheme() {
        assert_eq!(port_of("http://a:3000/x"), 3000);
        assert_eq!(port_of("https://a.example.com"), 443);
        assert_eq!(port_of("http://a.example.com/x:9"), 80);
    }
}
