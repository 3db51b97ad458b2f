//! `state`: a workspace's Terraform state, out and in.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

use super::args::workspaces::State;
use super::context::Context;
use super::progress;
use super::reference::Reference;
use crate::files;
use crate::model::build::Transition;
use crate::wire::coder::builds::{Build, CreateBuild};

/// Largest state read. Large workspaces have a few hundred KiB.
const MAX_STATE: u64 = 64 << 20;

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written, the request is refused, or the build fails.
pub async fn run(ctx: &Context, command: State) -> anyhow::Result<()> {
    match command {
        State::Pull { workspace, file, build } => {
            pull(ctx, &workspace, (file.as_deref(), build)).await
        }
        State::Push { workspace, file, no_build, build } => {
            let state = read(&file)?;
            if no_build {
                put(ctx, &workspace, (state, build)).await
            } else {
                rebuild(ctx, &workspace, &state).await
            }
        }
    }
}

async fn pull(
    ctx: &Context,
    name: &str,
    (file, number): (Option<&Path>, i64),
) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = client.workspace(&name.parse::<Reference>()?).await?;
    let build = client.build_by_number(&workspace, number).await?;
    let state = client.state(build.id).await?;
    match file {
        None => ctx.out.bytes(&state),
        Some(file) => {
            write_private(file, &state)?;
            ctx.out.note(&format!("Wrote the state of build {}.", build.build_number));
            Ok(())
        }
    }
}

/// A state holds secrets: only its owner may read the file.
fn write_private(file: &Path, state: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let open = files::private().create(true).truncate(true).open(file);
    open.and_then(|mut f| f.write_all(state))
        .with_context(|| format!("Writing the state to {}", file.display()))
}

async fn put(ctx: &Context, name: &str, (state, number): (Vec<u8>, i64)) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = client.workspace(&name.parse::<Reference>()?).await?;
    let build = client.build_by_number(&workspace, number).await?;
    client.put_state(build.id, state.into()).await?;
    ctx.out.note(&format!("Put the state in place of build {}'s.", build.build_number));
    Ok(())
}

async fn rebuild(ctx: &Context, name: &str, state: &[u8]) -> anyhow::Result<()> {
    use base64::Engine as _;
    let client = ctx.client()?;
    let workspace = client.workspace(&name.parse::<Reference>()?).await?;
    let latest = &workspace.latest_build;
    let transition = Transition::from_word(&latest.transition).unwrap_or(Transition::Start);
    let wanted = CreateBuild {
        template_version_id: Some(latest.template_version_id),
        transition: transition.as_str().to_owned(),
        state: base64::engine::general_purpose::STANDARD.encode(state),
        reason: "cli".to_owned(),
        ..CreateBuild::default()
    };
    let build = client.create_build(workspace.id, &wanted).await?;
    progress::watch_own::<Build>(ctx, &client, build.id).await.map(drop)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut state = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_STATE).read_to_end(&mut state)
    } else {
        std::fs::File::open(file).and_then(|f| f.take(MAX_STATE).read_to_end(&mut state))
    };
    read.with_context(|| format!("Reading the state in {}", file.display()))?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&state)
        .with_context(|| format!("{} holds no Terraform state", file.display()))?;
    Ok(state)
}
