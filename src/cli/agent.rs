//! `agent`: the role that runs on a workspace's machine; `stat`: what it sees of that machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, bail};

use super::args::agent::{Agent, AgentCommand};
use super::args::inside::{Plain, Prefix, Stat, StatOf};
use super::context::{Context, read_url};
use super::{Exit, agent_service};
use crate::agent;
use crate::agent::load::{self, Usage};
use crate::agent::update::Mode;
use crate::model::duration;
use crate::net::dial::Dialer;

/// Where an agent's UDP socket is bound: on Windows, of both families, as in the command line.
const ANY: IpAddr = if cfg!(windows) {
    IpAddr::V6(Ipv6Addr::UNSPECIFIED)
} else {
    IpAddr::V4(Ipv4Addr::UNSPECIFIED)
};

/// Runs the agent until it is told to stop.
///
/// # Errors
/// When it is not told where to connect and as whom, or cannot be set up.
pub async fn run(ctx: &Context, mut args: Agent) -> anyhow::Result<()> {
    match args.command.take() {
        Some(AgentCommand::Install(how)) => return agent_service::install(ctx, args, &how),
        Some(AgentCommand::Uninstall(how)) => return agent_service::uninstall(ctx, &how),
        None => {}
    }
    if args.auth != "token" {
        bail!("This agent proves itself by token only; {:?} is not supported.", args.auth);
    }
    #[cfg(unix)]
    if let Some(copy) = &args.program {
        agent::update::copy::run_instead(copy).await?;
    }
    let dir = args.dir.clone();
    let updates = match args.no_updates {
        true => Mode::Never,
        false => Mode::WhenOffered {
            patience: duration::parse(&args.update_patience).context("--update-patience")?,
        },
    };
    let (url, token) = credentials(ctx, args)?;
    let state_dir = dir.unwrap_or_else(|| ctx.around.state_dir_of_agent(&token));
    let options = agent::Options {
        url,
        token,
        state_dir,
        binary: std::env::current_exe().context("Finding this program")?,
        environment: super::args::whole_environment(),
        bind: SocketAddr::new(ANY, 0),
        // An agent that cannot use its proxy may still have a straight way.
        dialer: Dialer::new(ctx.around.proxies().usable()),
        updates,
    };
    match agent::run(options, ctx.clock.clone(), ctx.entropy.clone()).await? {
        0 => Ok(()),
        code => Err(Exit::Code(code).into()),
    }
}

/// Where an agent connects, and as whom.
///
/// # Errors
/// When it is not told.
pub fn credentials(ctx: &Context, args: Agent) -> anyhow::Result<(url::Url, String)> {
    let url = args.agent_url.or_else(|| ctx.globals.url.clone());
    let url = read_url(&url.context("No server is named. Set CODER_AGENT_URL.")?)?;
    let token = match (args.agent_token, args.agent_token_file) {
        (Some(token), _) => token,
        (None, Some(file)) => std::fs::read_to_string(&file)
            .with_context(|| format!("Reading the agent's token in {}", file.display()))?,
        (None, None) => bail!("No token is given. Set CODER_AGENT_TOKEN."),
    };
    Ok((url, token.trim().to_owned()))
}

/// Shows what the workspace uses.
///
/// # Errors
/// When a path is not there, or standard output is gone.
pub async fn stat(ctx: &Context, args: Stat) -> anyhow::Result<()> {
    let Some(of) = args.of else { return stat_all(ctx, args.output).await };
    let (usage, unit, output) = match of {
        StatOf::Cpu { host, output } => (load::cpu_now(&ctx.clock, host).await, "cores", output),
        StatOf::Mem { host, prefix, output } => {
            let (usage, unit) = scaled(load::memory_now(host), prefix);
            (usage, unit, output)
        }
        StatOf::Disk { path, prefix, output } => {
            let usage =
                load::disk_now(&path).with_context(|| format!("Reading {}", path.display()))?;
            let (usage, unit) = scaled(usage, prefix);
            (usage, unit, output)
        }
    };
    match output {
        Plain::Text => ctx.out.line(&words(usage, unit)),
        Plain::Json => ctx.out.json(&json(usage, unit)),
    }
}

async fn stat_all(ctx: &Context, output: Plain) -> anyhow::Result<()> {
    let home = ctx.around.home.clone().unwrap_or_else(|| "/".into());
    let disk = load::disk_now(&home).with_context(|| format!("Reading {}", home.display()))?;
    let cpu = (load::cpu_now(&ctx.clock, false).await, "cores");
    let rows = [
        ("cpu", cpu),
        ("memory", scaled(load::memory_now(false), Prefix::Gi)),
        ("home disk", scaled(disk, Prefix::Gi)),
    ];
    match output {
        Plain::Text => rows.into_iter().try_for_each(|(name, (usage, unit))| {
            ctx.out.line(&format!("{name}: {}", words(usage, unit)))
        }),
        Plain::Json => {
            let all = rows.map(|(name, (u, unit))| (name.replace(' ', "_"), json(u, unit)));
            ctx.out.json(&serde_json::Map::from_iter(all))
        }
    }
}

fn scaled(bytes: Usage, prefix: Prefix) -> (Usage, &'static str) {
    let (power, unit) = match prefix {
        Prefix::Ki => (1, "KiB"),
        Prefix::Mi => (2, "MiB"),
        Prefix::Gi => (3, "GiB"),
        Prefix::Ti => (4, "TiB"),
    };
    let one = 1024_f64.powi(power);
    (Usage { used: bytes.used / one, total: bytes.total / one }, unit)
}

/// `1.25/4 cores (31%)`.
fn words(usage: Usage, unit: &str) -> String {
    let short = |n: f64| {
        let text = format!("{n:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let percent = if usage.total > 0.0 { 100.0 * usage.used / usage.total } else { 0.0 };
    format!("{}/{} {unit} ({percent:.0}%)", short(usage.used), short(usage.total))
}

fn json(usage: Usage, unit: &str) -> serde_json::Value {
    serde_json::json!({"used": usage.used, "total": usage.total, "unit": unit})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_told_in_few_words() {
        let gib =
            |used, total| Usage { used: used * 1_073_741_824.0, total: total * 1_073_741_824.0 };
        let (usage, unit) = scaled(gib(1.5, 16.0), Prefix::Gi);
        assert_eq!(words(usage, unit), "1.5/16 GiB (9%)");
        let (usage, unit) = scaled(gib(1.0, 2.0), Prefix::Mi);
        assert_eq!(words(usage, unit), "1024/2048 MiB (50%)");
        assert_eq!(words(Usage { used: 0.0, total: 0.0 }, "cores"), "0/0 cores (0%)");
    }
}
