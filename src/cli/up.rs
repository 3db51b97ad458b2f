//! `up`: from an empty directory to a workspace, and a server that goes on.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ArgMatches;

use super::api::workspaces::agents;
use super::args::organizations::START;
use super::args::serve::Up;
use super::client::{Client, status_of};
use super::config::Config;
use super::context::{Context, Detail};
use super::settings::Layers;
use super::{progress, prompt, serve};
use crate::clock::Entropy;
use crate::model::id::AgentId;
use crate::model::name::UserName;
use crate::provision::starters;
use crate::server::Server;
use crate::ssh::keys::KeyPair;
use crate::wire::coder::builds::{Build, CreateBuild};
use crate::wire::coder::templates::{CreateTemplate, Template};
use crate::wire::coder::tokens::CreateSshKey;
use crate::wire::coder::users::FirstUser;
use crate::wire::coder::versions::{CreateVersion, Version};
use crate::wire::coder::workspaces::{CreateWorkspace, Workspace};

/// The template and the workspace of the first minute.
const TEMPLATE: &str = "this-machine";
const WORKSPACE: &str = "first";
/// Where `up` keeps the owner's session and, when they have none, their key: in the data directory.
const CLI_DIR: &str = "cli";
/// How long an agent may take to come after its build. It mostly takes under a second.
const AGENT_WITHIN: std::time::Duration = std::time::Duration::from_secs(120);
/// Public keys of a person, as OpenSSH looks for them.
const KEYS: [&str; 3] = ["id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"];

/// `up`
///
/// # Errors
/// When a setting has no meaning, the server cannot start, or its owner cannot be made.
pub async fn run(ctx: &Context, args: Up, matches: &ArgMatches) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut layers = Layers::open(matches, args.settings.config.as_deref())?;
    let config = serve::config(&mut layers, &ctx.around)?;
    let log = serve::log(&mut layers, "warn")?;
    serve::start_log(&log)?;
    let data = config.data.clone();
    let mut terminate = signal(SignalKind::terminate()).context("Listening for SIGTERM")?;
    let server = Server::start(config, ctx.clock.clone(), ctx.entropy.clone()).await?;
    let quiet = Context { detail: Detail::Phases, ..ctx.clone() };
    let told = tokio::select! {
        ready = first_minute(&quiet, &args, &server, &data) => ready,
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if let Err(error) = told {
        server.stop().await;
        return Err(error);
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        () = server.failed() => anyhow::bail!("a part of the server failed; the log says which"),
    }
    server.stop().await;
    Ok(())
}

/// Makes what is missing: the owner, the template, the workspace; then says how to get in.
async fn first_minute(
    ctx: &Context,
    args: &Up,
    server: &Server,
    data: &Path,
) -> anyhow::Result<()> {
    let dir = data.join(CLI_DIR);
    let url: url::Url = server.url.parse().context("Reading the server's own address")?;
    let anonymous = ctx.client_for(url.clone(), None)?;
    if !anonymous.has_first_user().await? {
        create_owner(ctx, args, &anonymous).await?;
    }
    let session = server.app.owner_session().await.context("Signing the owner in")?.expose();
    stored(ctx, &dir).store(&server.url, &session).context("Storing the session")?;
    let client = ctx.client_for(url, Some(&session))?;
    let key = add_key(ctx, &client, &dir).await?;
    let me = client.user("me").await?.username;
    match workspace(ctx, server, &client).await {
        Ok(()) => say_how(ctx, server, (&me, &dir), key.as_deref()),
        // The server is fine, and its pages are where one looks further.
        Err(error) => say_what_is_missing(ctx, server, &error),
    }
}

/// Makes the template and the workspace, where they are not there, and has it run.
async fn workspace(ctx: &Context, server: &Server, client: &Client) -> anyhow::Result<()> {
    push_starter(ctx, client).await?;
    run_workspace(ctx, client).await?;
    wait_for_agent(server, client).await
}

/// The command line's configuration of this deployment, apart from the person's other servers.
fn stored(ctx: &Context, dir: &Path) -> Config {
    let mut globals = ctx.globals.clone();
    globals.global_config = Some(dir.to_owned());
    Config::locate(&globals, &ctx.around)
}

async fn create_owner(ctx: &Context, args: &Up, client: &Client) -> anyhow::Result<()> {
    let username = match &args.username {
        Some(given) => given.clone(),
        None => ctx
            .around
            .user
            .clone()
            .filter(|u| UserName::parse(u).is_ok())
            .unwrap_or_else(|| "owner".to_owned()),
    };
    let password =
        if args.password_stdin { prompt::password_from_stdin()? } else { made(&ctx.entropy) };
    let user = FirstUser {
        email: format!("{username}@localhost.localdomain"),
        username: username.clone(),
        name: String::new(),
        password: password.clone(),
        trial: false,
    };
    client.create_first_user(&user).await.context("Making the first user")?;
    ctx.out.note(&format!("You are {username}, the owner."));
    if !args.password_stdin {
        ctx.out.note(&format!("Your password, shown once: {password}"));
    }
    Ok(())
}

/// Five groups of four letters: 94 bits, and it can be typed.
fn made(entropy: &Entropy) -> String {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    let random: [u8; 20] = entropy.bytes();
    let letter = |b: &u8| LETTERS.get(usize::from(b % 26)).copied().map_or('a', char::from);
    let groups: Vec<String> =
        random.chunks(4).map(|four| four.iter().map(letter).collect()).collect();
    groups.join("-")
}

/// Puts the person's public key on file, or one made for them. Gives the path of the made one.
async fn add_key(ctx: &Context, client: &Client, dir: &Path) -> anyhow::Result<Option<PathBuf>> {
    let own = ctx.around.home.iter().flat_map(|h| KEYS.map(|k| h.join(".ssh").join(k)));
    let found = own.into_iter().find_map(|path| std::fs::read_to_string(path).ok());
    let (line, made) = match found {
        Some(line) => (line, None),
        None => {
            let (line, path) = own_key(ctx, dir)?;
            (line, Some(path))
        }
    };
    let key = CreateSshKey { name: String::new(), public_key: line.trim().to_owned() };
    match client.add_ssh_key(&key).await {
        Ok(_) => {}
        // On file already.
        Err(error) if status_of(&error) == Some(http::StatusCode::CONFLICT) => {}
        Err(error) => return Err(error.context("Putting your SSH key on file")),
    }
    Ok(made)
}

/// The key that `up` made at its first run, in the data directory.
fn own_key(ctx: &Context, dir: &Path) -> anyhow::Result<(String, PathBuf)> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = dir.join("id_ed25519");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let pair =
            KeyPair::from_openssh(&text).with_context(|| format!("Reading {}", path.display()))?;
        return Ok((pair.public().to_line(), path));
    }
    let pair = KeyPair::generate(&ctx.entropy, "steading up");
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("Making {}", path.display()))?;
    file.write_all(pair.to_openssh().as_bytes())?;
    Ok((pair.public().to_line(), path))
}

async fn push_starter(ctx: &Context, client: &Client) -> anyhow::Result<()> {
    if template(client).await?.is_some() {
        return Ok(());
    }
    let starter = starters::find(TEMPLATE).context("The starter is part of this program")?;
    ctx.out.note(&format!("Pushing the template {TEMPLATE}."));
    let file = client.upload_tar(starter.archive()).await.context("Uploading the template")?;
    let wanted = CreateVersion {
        storage_method: "file".to_owned(),
        file_id: Some(file),
        provisioner: "terraform".to_owned(),
        ..CreateVersion::default()
    };
    let version = client.create_version(START, &wanted).await?;
    let version: Version = progress::watch(ctx, client, version.id).await?;
    let new = CreateTemplate {
        name: TEMPLATE.to_owned(),
        display_name: starter.name.to_owned(),
        description: starter.description.to_owned(),
        icon: starter.icon.to_owned(),
        template_version_id: version.id,
        ..CreateTemplate::default()
    };
    client.create_template(START, &new).await?;
    Ok(())
}

async fn template(client: &Client) -> anyhow::Result<Option<Template>> {
    Ok(client.templates().await?.into_iter().find(|t| t.name == TEMPLATE))
}

async fn find(client: &Client) -> anyhow::Result<Option<Workspace>> {
    let own = client.workspaces("owner:me").await?;
    Ok(own.into_iter().find(|w| w.name == WORKSPACE))
}

async fn run_workspace(ctx: &Context, client: &Client) -> anyhow::Result<()> {
    let build = match find(client).await? {
        None => {
            let template = template(client).await?.context("The template was deleted meanwhile")?;
            ctx.out.note(&format!("Creating the workspace {WORKSPACE}."));
            let wanted = CreateWorkspace {
                template_id: Some(template.id),
                name: WORKSPACE.to_owned(),
                ..CreateWorkspace::default()
            };
            client.create_workspace("me", &wanted).await?.latest_build
        }
        Some(workspace) => match workspace.latest_build.status.as_str() {
            "running" => return Ok(()),
            "pending" | "starting" => workspace.latest_build,
            _ => {
                ctx.out.note(&format!("Starting the workspace {WORKSPACE}."));
                let wanted =
                    CreateBuild { transition: "start".to_owned(), ..CreateBuild::default() };
                client.create_build(workspace.id, &wanted).await?
            }
        },
    };
    let _: Build = progress::watch(ctx, client, build.id).await?;
    Ok(())
}

async fn wait_for_agent(server: &Server, client: &Client) -> anyhow::Result<()> {
    let connected = async {
        loop {
            if let Some(workspace) = find(client).await?
                && agents(&workspace).any(|a| server.fleet.is_connected(AgentId(a.id)))
            {
                return anyhow::Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(AGENT_WITHIN, connected)
        .await
        .context("The workspace's agent did not come within two minutes; its page shows why")?
}

fn say_how(
    ctx: &Context,
    server: &Server,
    (me, dir): (&str, &Path),
    key: Option<&Path>,
) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("Finding this program")?;
    let host = crate::server::config::reachable(server.ssh);
    let with_key = key.map(|k| format!(" -i {}", quoted(k))).unwrap_or_default();
    ctx.out.note("The workspace runs. In a browser, by ssh, and by the command line:");
    ctx.out.line(&format!("{}/@{me}/{WORKSPACE}/terminal", server.url))?;
    ctx.out.line(&format!("ssh{with_key} -p {} {WORKSPACE}@{}", host.port(), host.ip()))?;
    ctx.out.line(&format!(
        "{} --global-config {} ssh {WORKSPACE}",
        quoted(&program),
        quoted(dir)
    ))?;
    ctx.out.note("Ctrl-C stops the server; the workspace goes on. The same command goes on here.");
    Ok(())
}

fn say_what_is_missing(
    ctx: &Context,
    server: &Server,
    error: &anyhow::Error,
) -> anyhow::Result<()> {
    ctx.out.note(&format!("There is no workspace yet: {error:#}"));
    ctx.out.note("The server runs, and its page tells more. Sign in as the owner:");
    ctx.out.line(&server.url)?;
    ctx.out.note(
        "When that is mended, press Ctrl-C and give the same command: it goes on where it was.",
    );
    Ok(())
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
