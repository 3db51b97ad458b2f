//! `support bundle`: what is needed to find a fault, without secrets.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::{Value, json};

use super::args::connect::Support;
use super::client::Client;
use super::context::Context;
use super::prompt;
use super::reference::Reference;
use super::zip::Zip;
use crate::model::time::Timestamp;
use crate::wire::program;

/// Parts of field names whose values stay out.
const SECRET: &[&str] =
    &["token", "password", "secret", "environment_variables", "script", "value", "email"];

/// Runs the command.
///
/// # Errors
/// When the file cannot be written. What cannot be asked for is noted in the bundle.
pub async fn run(ctx: &Context, command: Support) -> anyhow::Result<()> {
    let Support::Bundle { workspace, agent, output_file, yes, .. } = command;
    let client = ctx.client()?;
    let file = output_file.unwrap_or_else(|| named(ctx.clock.now()));
    if !yes {
        let what = "versions, your account's name, the workspace's builds and logs";
        prompt::confirm(&format!("Write {} with {what}?", file.display()))?;
    }
    let mut zip = Zip::default();
    put(&mut zip, "client.json", Ok(own()))?;
    put(&mut zip, "server/buildinfo.json", client.build_info().await)?;
    put(&mut zip, "server/ssh.json", client.ssh_config().await)?;
    put(&mut zip, "user.json", client.user("me").await)?;
    if let Some(workspace) = workspace {
        add_workspace(&mut zip, &client, (&workspace, agent.as_deref())).await?;
    }
    std::fs::write(&file, zip.finish()?).with_context(|| format!("Writing {}", file.display()))?;
    ctx.out.note(&format!("Wrote {}. Look at it before you pass it on.", file.display()));
    Ok(())
}

fn named(now: Timestamp) -> PathBuf {
    PathBuf::from(format!("steading-support-{}.zip", now.0))
}

fn own() -> Value {
    json!({
        "version": program::version(),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "slim": !cfg!(feature = "server"),
    })
}

async fn add_workspace(
    zip: &mut Zip,
    client: &Client,
    (name, agent): (&str, Option<&str>),
) -> anyhow::Result<()> {
    let reference: Reference = name.parse()?;
    let workspace = client.workspace(&reference).await;
    if let Ok(workspace) = &workspace {
        let logs = client.build_logs(workspace.latest_build.id, 0).await;
        put(zip, "workspace/build_logs.json", logs)?;
        let wanted = agent.or(reference.agent.as_deref());
        for agent in super::api::workspaces::agents(workspace) {
            if wanted.is_none_or(|w| w == agent.name) {
                let logs = client.agent_logs(agent.id, 0).await;
                put(zip, &format!("agent/{}/logs.json", agent.name), logs)?;
                let ports = client.listening_ports(agent.id).await;
                put(zip, &format!("agent/{}/ports.json", agent.name), ports)?;
            }
        }
    }
    put(zip, "workspace/workspace.json", workspace)
}

fn put<T: Serialize>(zip: &mut Zip, name: &str, value: anyhow::Result<T>) -> anyhow::Result<()> {
    let mut value = match value {
        Ok(value) => serde_json::to_value(value)?,
        Err(error) => json!({ "error": format!("{error:#}") }),
    };
    mask(&mut value);
    zip.add(name, &serde_json::to_vec_pretty(&value)?)
}

/// Takes out the values of fields that may hold secrets.
fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let hidden = SECRET.iter().any(|s| name.contains(s));
                let harmless = value.is_null() || value.is_boolean() || value.is_number();
                if !hidden || harmless {
                    mask(value);
                } else {
                    *value = Value::String("(left out)".to_owned());
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_at_any_depth() {
        let mut value = json!({
            "a": [{ "agent_token": "s", "name": "x" }],
            "environment_variables": { "KEY": "s" },
            "scripts": [{ "script": "s" }],
            "timeout": 3,
        });
        mask(&mut value);
        let text = value.to_string();
        assert!(!text.contains("\"s\"") && text.contains("\"x\"") && text.contains('3'), "{text}");
    }
}
