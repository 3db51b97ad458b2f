//! `health`: how the machines are that agents run on.

use super::args::machines::HealthArgs;
use super::context::Context;
use super::output::Paint;
use super::table::Table;
use crate::model::health::said::percent;
use crate::model::health::share;
use crate::wire::health::{Figures, Machine};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, args: HealthArgs) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let all = match &args.workspace {
        Some(name) => client.machines_of(client.workspace(&name.parse()?).await?.id).await?,
        None => client.machines(args.search.as_deref().unwrap_or_default()).await?,
    };
    ctx.out.list(&args.listing, &all.machines, || table(&all.machines))?;
    if all.machines.is_empty() {
        ctx.out.note("No machine is there: no workspace runs that you may see, or that fits.");
    }
    if all.more {
        ctx.out.note("There are more: name a workspace, or narrow them with --search.");
    }
    for machine in &all.machines {
        for trouble in &machine.troubles {
            let name =
                ctx.out.paint(Paint::Busy, &format!("{}.{}", machine.workspace, machine.agent));
            ctx.out.note(&format!("{name}: {} {}", trouble.text, trouble.advice));
        }
    }
    Ok(())
}

fn table(all: &[Machine]) -> Table {
    let mut table = Table::new(&[
        "WORKSPACE",
        "AGENT",
        "STATE",
        "CPU",
        "LOAD",
        "MEMORY",
        "DISK",
        "INODES",
        "TEMPERATURE",
        "CLOCK",
        "PATH",
        "UPTIME",
        "VERSION",
    ]);
    for machine in all {
        let state = if machine.state.is_empty() { "no figures yet" } else { &machine.state };
        let cells = machine.figures.as_ref().map(cells).unwrap_or_default();
        let [cpu, load, memory, disk, inodes, temperature, clock, path, uptime] = &cells;
        table.row([
            &machine.workspace,
            &machine.agent,
            state,
            cpu,
            load,
            memory,
            disk,
            inodes,
            temperature,
            clock,
            path,
            uptime,
            &machine.version,
        ]);
    }
    table
}

fn cells(f: &Figures) -> [String; 9] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let part = |used, total| or_dash(share(used, total).map(|part| percent(Some(part))));
    let up = f.uptime_s.map(std::time::Duration::from_secs).map(crate::model::time::words);
    [
        percent(Some(f.cpu)),
        or_dash(f.load.map(|load| format!("{load:.2}"))),
        part(f.memory_used, f.memory_total),
        part(f.disk_used, f.disk_total),
        part(f.inodes_used, f.inodes_total),
        or_dash(f.temperature.map(|t| format!("{t:.0} °C"))),
        or_dash(f.clock_ahead_ms.map(offset)),
        or_dash(f.path.clone()),
        or_dash(up),
    ]
}

/// By how much a clock is off.
fn offset(ahead_ms: i64) -> String {
    let off = std::time::Duration::from_millis(ahead_ms.unsigned_abs());
    let sign = if ahead_ms < 0 { "-" } else { "+" };
    match off.as_secs() {
        0 => format!("{sign}{} ms", off.as_millis()),
        _ => format!("{sign}{}", crate::model::time::words(off)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_dash() {
        let told = Figures {
            cpu: 0.384,
            disk_used: 47,
            disk_total: 50,
            clock_ahead_ms: Some(-7_200_000),
            ..Figures::default()
        };
        let told = cells(&told);
        assert_eq!(told, ["38 %", "-", "-", "94 %", "-", "-", "-2 h", "-", "-"].map(str::to_owned));
        assert_eq!(offset(12), "+12 ms");
    }
}
