//! `ping`: how long an answer from a workspace takes, and by which way.

use std::time::Duration;

use super::args::connect::{NetworkInfo, Ping, Wait};
use super::context::Context;
use super::reach::Way;
use super::reference::Reference;
use super::{Exit, ssh};
use crate::model::duration;
use crate::model::id::SessionId;
use crate::model::session::SessionKind;
use crate::net::Path;
use crate::ssh::Link as _;
use crate::wire::session::Kind;

/// Runs the command.
///
/// # Errors
/// When the workspace cannot be reached, or no answer came.
pub async fn run(ctx: &Context, args: Ping) -> anyhow::Result<()> {
    let reference: Reference = args.workspace.parse()?;
    let (pause, patience) = (duration::parse(&args.wait)?, duration::parse(&args.timeout)?);
    let client = ctx.client()?;
    let way = Way { wait: Wait::No, autostart: false, reason: "" };
    let info = NetworkInfo::default();
    let link = ssh::connect(ctx, &client, (&reference, way), (&info, None)).await?;
    // The first stream makes the connection; it is not measured.
    drop(link.open(PROBE, SessionKind::Tunnel, fresh(ctx)).await?);
    let mut answers = Vec::new();
    let mut sent = 0;
    loop {
        let began = ctx.clock.instant();
        let asked = link.open(PROBE, SessionKind::Tunnel, fresh(ctx));
        let answered = tokio::time::timeout(patience, asked).await;
        sent += 1;
        match answered {
            Ok(Ok(_)) => {
                let took = ctx.clock.instant().duration_since(began);
                answers.push(took);
                let path = link.tunnel().status().and_then(|s| s.path);
                let at = stamp(ctx.clock.now_ms(), &args);
                let (way, took) = (via(path), ms(took));
                ctx.out.line(&format!("{at}pong from {reference} {way} in {took}"))?;
            }
            Ok(Err(error)) => ctx.out.note(&format!("no answer: {error:#}")),
            Err(_) => ctx.out.note(&format!("no answer within {} s", patience.as_secs_f64())),
        }
        if args.num > 0 && sent >= args.num {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    summary(ctx, sent, &answers)
}

/// The time in front of a line, where it is asked for.
fn stamp(now_ms: i64, args: &Ping) -> String {
    let zone = match (args.utc, args.time) {
        (true, _) => jiff::tz::TimeZone::UTC,
        (false, true) => jiff::tz::TimeZone::system(),
        (false, false) => return String::new(),
    };
    let at = jiff::Timestamp::from_millisecond(now_ms).map(|at| at.to_zoned(zone));
    at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z ").to_string()).unwrap_or_default()
}

/// The smallest thing an agent answers: a test that takes no bytes.
const PROBE: Kind = Kind::Speedtest { down: false };

fn fresh(ctx: &Context) -> SessionId {
    SessionId(ctx.entropy.uuid7(ctx.clock.now_ms()))
}

/// By which way, in words.
#[must_use]
pub fn via(path: Option<Path>) -> String {
    match path {
        Some(Path::Direct(address)) => format!("directly, by {address}"),
        Some(Path::Relay) => "through the server".to_owned(),
        None => "by no way yet".to_owned(),
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn summary(ctx: &Context, sent: u32, answers: &[Duration]) -> anyhow::Result<()> {
    let (Some(least), Some(most)) = (answers.iter().min(), answers.iter().max()) else {
        ctx.out.note("No answer came. `steading show` tells whether the agent is connected.");
        return Err(Exit::Failed.into());
    };
    let count = u32::try_from(answers.len()).unwrap_or(u32::MAX);
    let mean = answers.iter().sum::<Duration>() / count;
    ctx.out.line(&format!(
        "{count} of {sent} answered: least {}, mean {}, most {}",
        ms(*least),
        ms(mean),
        ms(*most)
    ))
}
