//! `create`: a workspace from a template, and its first build.

use anyhow::bail;

use super::args::organizations::Within;
use super::args::workspaces::Create;
use super::client::Client;
use super::context::Context;
use super::parameters::{self, Ask, Known};
use super::reference::Reference;
use super::{nearest, progress, prompt};
use crate::model::duration;
use crate::model::name::WorkspaceName;
use crate::wire::coder::builds::{Build, BuildParameter};
use crate::wire::coder::templates::Template;
use crate::wire::coder::versions::Version;
use crate::wire::coder::workspaces::CreateWorkspace;

/// Runs the command.
///
/// # Errors
/// When the request is refused, or the build fails.
pub async fn run(ctx: &Context, args: Create) -> anyhow::Result<()> {
    let client = ctx.client()?;
    if let Some(made) = make(ctx, &client, args, |_, _| Ok(())).await? {
        ctx.out.note(&format!("{made} is there. Enter it with `steading ssh {made}`."));
    }
    Ok(())
}

/// Makes a workspace and waits for its build; none when that is not waited for. `fits` may refuse what
/// it would be made from.
///
/// # Errors
/// As [`run`].
pub async fn make(
    ctx: &Context,
    client: &Client,
    args: Create,
    fits: impl FnOnce(&Template, &Version) -> anyhow::Result<()>,
) -> anyhow::Result<Option<Reference>> {
    let reference = named(&args)?;
    let template = pick_template(client, &args.within, args.template.as_deref()).await?;
    let version = pick_version(client, &template, args.template_version.as_deref()).await?;
    fits(&template, &version)?;
    let (answers, preset) = answers(client, &args, &version).await?;
    if !args.yes && prompt::is_interactive() {
        prompt::confirm(&format!("Create {reference} from {}?", template.name))?;
    }
    let wanted = CreateWorkspace {
        template_id: args.template_version.is_none().then_some(template.id),
        template_version_id: args.template_version.is_some().then_some(version.id),
        name: reference.workspace.clone(),
        autostart_schedule: args.start_at,
        ttl_ms: args.stop_after.as_deref().map(milliseconds).transpose()?,
        rich_parameter_values: answers,
        automatic_updates: args.automatic_updates,
        template_version_preset_id: preset,
    };
    let workspace = client.create_workspace(&reference.owner, &wanted).await?;
    if args.no_wait {
        ctx.out.note(&format!("The build of {reference} is queued."));
        return Ok(None);
    }
    progress::watch_own::<Build>(ctx, client, workspace.latest_build.id).await?;
    Ok(Some(reference))
}

fn named(args: &Create) -> anyhow::Result<Reference> {
    let text = match &args.name {
        Some(name) => name.clone(),
        None => prompt::text("A name for the workspace", "", "a name")?,
    };
    let reference: Reference = text.parse()?;
    WorkspaceName::parse(&reference.workspace)
        .map_err(|e| anyhow::anyhow!("The name {:?} {e}.", reference.workspace))?;
    Ok(reference)
}

async fn pick_template(
    client: &Client,
    within: &Within,
    wanted: Option<&str>,
) -> anyhow::Result<Template> {
    let all = match within.named() {
        Some(organization) => client.templates_in(organization).await?,
        None => client.templates().await?,
    };
    if let Some(name) = wanted {
        return by_name(&all, name);
    }
    let mut usable: Vec<Template> = all.into_iter().filter(|t| !t.deprecated).collect();
    if usable.is_empty() {
        bail!(
            "There is no template that you may use. To add one, begin with `steading templates \
             init` and `steading templates push`."
        );
    }
    if usable.len() == 1 {
        return Ok(usable.remove(0));
    }
    let names: Vec<String> = usable.iter().map(|t| shown(t, &usable)).collect();
    let at = prompt::choose("Which template?", &names, "--template NAME")?;
    Ok(usable.remove(at))
}

/// The one of that name; who says no organization must not get one of two by chance.
fn by_name(all: &[Template], name: &str) -> anyhow::Result<Template> {
    let named: Vec<&Template> = all.iter().filter(|t| t.name.eq_ignore_ascii_case(name)).collect();
    match named.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let hint = nearest::hint(name, all.iter().map(|t| t.name.as_str()));
            bail!("There is no template {name:?}.{hint} `steading templates list` shows them.")
        }
        several => {
            let places: Vec<&str> = several.iter().map(|t| t.organization_name.as_str()).collect();
            bail!("{name} is in {}. Say which one with --org.", places.join(" and in "))
        }
    }
}

/// A template's name, with its organization's where another has the same.
fn shown(template: &Template, all: &[Template]) -> String {
    let is_twin = all.iter().any(|t| t.id != template.id && t.name == template.name);
    match is_twin {
        true => format!("{} ({})", template.name, template.organization_name),
        false => template.name.clone(),
    }
}

async fn pick_version(
    client: &Client,
    template: &Template,
    wanted: Option<&str>,
) -> anyhow::Result<Version> {
    match wanted {
        Some(name) => client.version_by_name(template.id, name).await,
        None => client.version(template.active_version_id).await,
    }
}

async fn answers(
    client: &Client,
    args: &Create,
    version: &Version,
) -> anyhow::Result<(Vec<BuildParameter>, Option<uuid::Uuid>)> {
    let asked = client.rich_parameters(version.id).await?;
    let presets = client.presets(version.id).await?;
    let preset = match args.preset.as_deref() {
        Some("none") => None,
        Some(name) => Some(parameters::find_preset(&presets, name)?),
        None => presets.iter().find(|p| p.default),
    };
    let quiet = args.yes || args.parameters.parameter_defaults || !prompt::is_interactive();
    let ask = if quiet { Ask::Missing } else { Ask::All };
    let copied = copied(client, args).await?;
    let known = Known { parameters: &asked, preset, before: &copied };
    let mut answers = parameters::answer(&args.parameters, known, ask)?;
    let is_asked = |name: &str| asked.iter().any(|p| p.name == name && !p.ephemeral);
    for value in copied.into_iter().filter(|value| is_asked(&value.name)) {
        if answers.iter().all(|answer| answer.name != value.name) {
            answers.push(value);
        }
    }
    Ok((answers, preset.map(|p| p.id)))
}

/// The answers of the workspace that is named for it.
async fn copied(client: &Client, args: &Create) -> anyhow::Result<Vec<BuildParameter>> {
    let Some(from) = &args.copy_parameters_from else { return Ok(vec![]) };
    let from = client.workspace(&from.parse::<Reference>()?).await?;
    client.build_parameters(from.latest_build.id).await
}

/// A duration in milliseconds, as the API takes it.
///
/// # Errors
/// When the text is not a duration.
pub fn milliseconds(text: &str) -> anyhow::Result<i64> {
    Ok(i64::try_from(duration::parse(text)?.as_millis())?)
}
