//! `external-workspaces`: workspaces on machines that someone else runs.

use anyhow::bail;

use super::api::workspaces::agents;
use super::args::Format;
use super::args::external_workspaces::{AgentInstructions, ExternalWorkspaces, NewTokens};
use super::args::workspaces::List;
use super::client::Client;
use super::context::Context;
use super::reference::Reference;
use super::{create, list, progress, prompt};
use crate::wire::coder::agents::ExternalAgentCredentials;
use crate::wire::coder::builds::Build;
use crate::wire::coder::workspaces::Workspace;

/// What narrows a search to them.
const EXTERNAL: &str = "has_external_agent:true";

/// The columns of their list: nothing here starts or stops by itself.
const COLUMNS: [&str; 7] =
    ["workspace", "template", "status", "healthy", "last_built", "current_version", "outdated"];

/// What to run on a machine, in Coder's words.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
struct Instructions {
    workspace_name: String,
    agent_name: String,
    auth_type: &'static str,
    auth_token: String,
    init_script: String,
}

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: ExternalWorkspaces) -> anyhow::Result<()> {
    match command {
        ExternalWorkspaces::Create(args) => {
            let client = ctx.client()?;
            let made = create::make(ctx, &client, *args, |template, version| {
                if version.has_external_agent {
                    return Ok(());
                }
                bail!(
                    "The template {} (version {}) has no external agent: its workspaces run where it \
                     says. `steading create` makes one.",
                    template.name,
                    version.name
                )
            });
            let Some(made) = made.await? else { return Ok(()) };
            for one in instructions(&client, &made).await? {
                print(ctx, &made, &one)?;
            }
            Ok(())
        }
        ExternalWorkspaces::List(args) => all(ctx, args).await,
        ExternalWorkspaces::AgentInstructions(args) => show(ctx, &args).await,
        ExternalWorkspaces::NewTokens(args) => renew(ctx, &args).await,
    }
}

async fn all(ctx: &Context, mut args: List) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let search = match (args.all, args.shared) {
        (_, true) => format!("shared_with_user:{}", client.user("me").await?.id),
        (true, false) if args.search == "owner:me" => String::new(),
        _ => args.search.clone(),
    };
    let found = client.workspaces(format!("{search} {EXTERNAL}").trim()).await?;
    if args.listing.column.is_empty() {
        args.listing.column = COLUMNS.map(str::to_owned).into();
    }
    ctx.out.list(&args.listing, &found, || list::table(&found, ctx.clock.now_ms()))?;
    if found.is_empty() {
        ctx.out.note("None is found. `steading external-workspaces create` makes one.");
    }
    Ok(())
}

async fn show(ctx: &Context, args: &AgentInstructions) -> anyhow::Result<()> {
    let reference: Reference = args.workspace.parse()?;
    let client = ctx.client()?;
    let found = instructions(&client, &reference).await?;
    let [one] = &*found else {
        let names: Vec<String> =
            found.iter().map(|i| format!("{reference}.{}", i.agent_name)).collect();
        bail!("{reference} has several external agents. Say which one: {}.", names.join(", "));
    };
    match args.output {
        Format::Json => ctx.out.json(one),
        Format::Table => print(ctx, &reference, one),
    }
}

async fn renew(ctx: &Context, args: &NewTokens) -> anyhow::Result<()> {
    let reference: Reference = args.workspace.parse()?;
    let client = ctx.client()?;
    let workspace = client.workspace(&reference).await?;
    if !args.yes {
        let ends = "Its machine is gone from here until the new line is run on it.";
        prompt::confirm(&format!("End the tokens of {reference}? {ends}"))?;
    }
    client.renew_external_agents(workspace.id).await?;
    let build = client.workspace(&reference).await?.latest_build.id;
    progress::watch_own::<Build>(ctx, &client, build).await?;
    for one in instructions(&client, &reference).await? {
        print(ctx, &reference, &one)?;
    }
    Ok(())
}

/// The line alone goes to standard output, so that a script can take it.
fn print(ctx: &Context, of: &Reference, one: &Instructions) -> anyhow::Result<()> {
    let agent = &one.agent_name;
    ctx.out.note(&format!("Run this on the machine that is to be the agent {agent} of {of}:"));
    ctx.out.note("");
    ctx.out.line(&one.init_script)
}

/// What to run for the external agents of a workspace: for the one that is named, or for each.
async fn instructions(client: &Client, of: &Reference) -> anyhow::Result<Vec<Instructions>> {
    let workspace = client.workspace(of).await?;
    let names: Vec<String> = match &of.agent {
        Some(agent) => vec![agent.clone()],
        None => agents(&workspace).map(|a| a.name.clone()).collect(),
    };
    let mut found = Vec::new();
    for name in names {
        if let Some(credentials) = client.external_agent(workspace.id, &name).await? {
            found.push(as_told(&workspace, name, credentials));
        }
    }
    if found.is_empty() {
        match &of.agent {
            Some(agent) => bail!("{} has no external agent {agent:?}.", workspace.name),
            None => bail!("{} has no external agent now.", workspace.name),
        }
    }
    Ok(found)
}

fn as_told(of: &Workspace, agent_name: String, told: ExternalAgentCredentials) -> Instructions {
    Instructions {
        workspace_name: of.name.clone(),
        agent_name,
        auth_type: "token",
        auth_token: told.agent_token,
        init_script: told.command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instructions_have_coders_fields() {
        let told = ExternalAgentCredentials { command: "curl".into(), agent_token: "t".into() };
        let of = Workspace { name: "pi".into(), ..Workspace::default() };
        let json = serde_json::to_string(&as_told(&of, "main".into(), told)).unwrap();
        expect_test::expect![[
            r#"{"workspace_name":"pi","agent_name":"main","auth_type":"token","auth_token":"t","init_script":"curl"}"#
        ]]
        .assert_eq(&json);
    }
}
