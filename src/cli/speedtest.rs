//! `speedtest`: how many bytes a second go to or come from a workspace.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::args::Format;
use super::args::connect::{Direction, NetworkInfo, Speedtest, Wait};
use super::context::Context;
use super::link::TunnelLink;
use super::ping::via;
use super::reach::Way;
use super::reference::Reference;
use super::ssh;
use super::table::Table;
use crate::model::duration;
use crate::model::id::SessionId;
use crate::model::session::SessionKind;
use crate::net::Path;
use crate::ssh::{BoxStream, Link as _};
use crate::wire::session::Kind;

/// Bytes moved at once.
const CHUNK: usize = 64 << 10;
/// One line of the result.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long `--direct` waits.
const DIRECT_WITHIN: Duration = Duration::from_secs(10);

/// What was moved between two moments; the names are Coder's, which its plug-ins read.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
struct Interval {
    start_time_seconds: f64,
    end_time_seconds: f64,
    throughput_mbits: f64,
}

/// Runs the command.
///
/// # Errors
/// When the workspace cannot be reached, or is lost.
pub async fn run(ctx: &Context, args: Speedtest) -> anyhow::Result<()> {
    let reference: Reference = args.workspace.parse()?;
    let time = duration::parse(&args.time)?;
    let client = ctx.client()?;
    let way = Way { wait: Wait::No, autostart: false, reason: "" };
    let info = NetworkInfo::default();
    let link = ssh::connect(ctx, &client, (&reference, way), (&info, None)).await?;
    let session = SessionId(ctx.entropy.uuid7(ctx.clock.now_ms()));
    let down = args.direction == Direction::Down;
    if args.direct {
        wait_for_direct(ctx, &link, session).await?;
    }
    let opening = link.open(Kind::Speedtest { down }, SessionKind::Tunnel, session).await?;
    let measured = measure(ctx, opening.stream, (time, down)).await?;
    let path = link.tunnel().status().and_then(|s| s.path);
    show(ctx, &args, (&measured, path))
}

async fn wait_for_direct(
    ctx: &Context,
    link: &Arc<TunnelLink>,
    session: SessionId,
) -> anyhow::Result<()> {
    let until = ctx.clock.instant() + DIRECT_WITHIN;
    let held = link.open(Kind::Speedtest { down: false }, SessionKind::Tunnel, session).await?;
    let is_direct = || matches!(link.tunnel().status().and_then(|s| s.path), Some(Path::Direct(_)));
    while !is_direct() {
        if ctx.clock.instant() > until {
            bail!("No direct way was found within {} s.", DIRECT_WITHIN.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(held);
    Ok(())
}

async fn measure(
    ctx: &Context,
    mut stream: BoxStream,
    (time, down): (Duration, bool),
) -> anyhow::Result<Vec<Interval>> {
    let began = ctx.clock.instant();
    let since = || ctx.clock.instant().duration_since(began);
    let mut buffer = vec![0; CHUNK];
    let mut intervals = Vec::new();
    let (mut bytes, mut from) = (0_u64, Duration::ZERO);
    while from < time {
        let until = (from + INTERVAL).min(time);
        while since() < until {
            let moved = if down {
                let left = until.saturating_sub(since());
                match tokio::time::timeout(left, stream.read(&mut buffer)).await {
                    Ok(Ok(0)) => bail!("The workspace ended the test early."),
                    Ok(read) => read.context("Reading from the workspace")?,
                    Err(_) => 0,
                }
            } else {
                stream.write(&buffer).await.context("Writing to the workspace")?
            };
            bytes += u64::try_from(moved)?;
        }
        let now = since();
        intervals.push(interval((from, now), bytes));
        (bytes, from) = (0, now);
    }
    Ok(intervals)
}

fn interval((from, to): (Duration, Duration), bytes: u64) -> Interval {
    let seconds = (to - from).as_secs_f64().max(1e-9);
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with one digit")]
    let mbits = bytes as f64 * 8.0 / 1e6 / seconds;
    Interval {
        start_time_seconds: from.as_secs_f64(),
        end_time_seconds: to.as_secs_f64(),
        throughput_mbits: mbits,
    }
}

fn overall(intervals: &[Interval]) -> Interval {
    let end = intervals.last().map_or(0.0, |i| i.end_time_seconds);
    let moved: f64 = intervals
        .iter()
        .map(|i| i.throughput_mbits * (i.end_time_seconds - i.start_time_seconds))
        .sum();
    Interval {
        start_time_seconds: 0.0,
        end_time_seconds: end,
        throughput_mbits: if end > 0.0 { moved / end } else { 0.0 },
    }
}

fn show(
    ctx: &Context,
    args: &Speedtest,
    (intervals, path): (&[Interval], Option<Path>),
) -> anyhow::Result<()> {
    let overall = overall(intervals);
    if args.output == Format::Json {
        return ctx.out.json(&serde_json::json!({ "overall": overall, "intervals": intervals }));
    }
    let mut table = Table::new(&["INTERVAL", "THROUGHPUT"]);
    let row = |i: &Interval| {
        [
            format!("{:.2}-{:.2} s", i.start_time_seconds, i.end_time_seconds),
            format!("{:.1} Mbit/s", i.throughput_mbits),
        ]
    };
    for [time, rate] in intervals.iter().map(row) {
        table.row([&time, &rate]);
    }
    let [time, rate] = row(&overall);
    table.row([&format!("all {time}"), &rate]);
    ctx.out.note(&format!("Measured {}.", via(path)));
    ctx.out.bytes(table.select(&args.column)?.render(str::to_owned).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_the_mean_over_time() {
        let second = Duration::from_secs(1);
        let parts =
            [interval((Duration::ZERO, second), 125_000), interval((second, 2 * second), 375_000)];
        assert!((parts[0].throughput_mbits - 1.0).abs() < 1e-9);
        assert!((overall(&parts).throughput_mbits - 2.0).abs() < 1e-9);
        assert!(overall(&[]).throughput_mbits.abs() < 1e-9);
    }
}
