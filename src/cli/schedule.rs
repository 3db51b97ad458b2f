//! `schedule` and `autoupdate`: when a workspace starts, stops and is brought up to date by itself.

use anyhow::{Context as _, bail};

use super::args::workspaces::{Autoupdate, Schedule};
use super::context::Context;
use super::create::milliseconds;
use super::reference::Reference;
use super::table::Table;
use super::times;
use crate::model::time::words;
use crate::wire::coder::Time;
use crate::wire::coder::workspaces::Workspace;

/// What stands for no schedule.
const MANUAL: &str = "manual";

/// `schedule`
///
/// # Errors
/// When a time cannot be read, the server cannot be reached, or it refuses.
pub async fn run(ctx: &Context, command: Schedule) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Schedule::Show { workspace, all, search, listing } => {
            let filter = if all { "" } else { search.as_str() };
            let found = match workspace {
                Some(name) => vec![client.workspace(&name.parse::<Reference>()?).await?],
                None => client.workspaces(filter).await?,
            };
            ctx.out.list(&listing, &found, || table(&found))
        }
        Schedule::Start { workspace, when } => {
            let schedule = cron(&when)?;
            let found = client.workspace(&workspace.parse::<Reference>()?).await?;
            client.set_autostart(found.id, schedule.clone()).await?;
            ctx.out.note(&match schedule {
                Some(schedule) => format!("{workspace} starts by itself: {schedule}."),
                None => format!("{workspace} is started by hand."),
            });
            Ok(())
        }
        Schedule::Stop { workspace, after } => {
            let ttl = if after == MANUAL { None } else { Some(milliseconds(&after)?) };
            let found = client.workspace(&workspace.parse::<Reference>()?).await?;
            client.set_ttl(found.id, ttl).await?;
            ctx.out.note(&match ttl {
                Some(ttl) => format!("{workspace} stops {} after its start.", lasting(ttl)),
                None => format!("{workspace} is stopped by hand."),
            });
            Ok(())
        }
        Schedule::Extend { workspace, duration } => {
            let deadline = Time(ctx.clock.now_ms() + milliseconds(&duration)?);
            let found = client.workspace(&workspace.parse::<Reference>()?).await?;
            client.extend(found.id, deadline).await?;
            ctx.out.note(&format!("{workspace} stops at {}.", times::or_never(deadline)));
            Ok(())
        }
    }
}

/// `autoupdate`
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn autoupdate(ctx: &Context, args: Autoupdate) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let found = client.workspace(&args.workspace.parse::<Reference>()?).await?;
    client.set_automatic_updates(found.id, &args.policy).await?;
    ctx.out.note(&match &*args.policy {
        "always" => format!("{} follows its template's active version.", args.workspace),
        _ => format!("{} keeps its version until it is updated.", args.workspace),
    });
    Ok(())
}

fn table(workspaces: &[Workspace]) -> Table {
    let heads = ["WORKSPACE", "STARTS AT", "STARTS NEXT", "STOPS AFTER", "STOPS NEXT"];
    let mut table = Table::new(&heads);
    for w in workspaces {
        let time = |time: Option<Time>| time.map(times::or_never).unwrap_or_default();
        table.row([
            &format!("{}/{}", w.owner_name, w.name),
            w.autostart_schedule.as_deref().unwrap_or_default(),
            &time(w.next_start_at),
            &w.ttl_ms.filter(|ms| *ms > 0).map(lasting).unwrap_or_default(),
            &time(w.latest_build.deadline),
        ]);
    }
    table
}

fn lasting(ms: i64) -> String {
    words(std::time::Duration::from_millis(u64::try_from(ms).unwrap_or_default()))
}

/// A time of day, days and a zone, in one word or several, as the server writes them. None for
/// `manual`.
fn cron(when: &[String]) -> anyhow::Result<Option<String>> {
    let words: Vec<&str> = when.iter().flat_map(|w| w.split_whitespace()).collect();
    let (time, rest) = words.split_first().context("Say when.")?;
    if *time == MANUAL && rest.is_empty() {
        return Ok(None);
    }
    let (hour, minute) = time_of_day(time)
        .with_context(|| format!("{time:?} is not a time of day; write 9:30AM, 9am or 09:30"))?;
    let (days, zone) = match rest {
        [] => ("*", "UTC"),
        [one] if one.contains('/') || *one == "UTC" => ("*", *one),
        [days] => (*days, "UTC"),
        [days, zone] => (*days, *zone),
        _ => bail!("{:?} is too much: write TIME, DAYS and ZONE", when.join(" ")),
    };
    Ok(Some(format!("CRON_TZ={zone} {minute} {hour} * * {days}")))
}

/// `9:30AM`, `9am`, `09:30` or `21:05`, as hour and minute.
fn time_of_day(text: &str) -> Option<(u8, u8)> {
    let lower = text.to_ascii_lowercase();
    let (digits, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        (None, None) => (lower.as_str(), None),
    };
    let (hour, minute) = match (digits.split_once(':'), half) {
        (Some((hour, minute)), _) if minute.len() == 2 => (hour, minute.parse().ok()?),
        (None, Some(_)) => (digits, 0),
        _ => return None,
    };
    let hour: u8 = hour.parse().ok()?;
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    (hour < 24 && minute < 60).then_some((hour, minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_written_as_the_server_reads_it() {
        let check = |when: &[&str], expected: &str| {
            let when: Vec<String> = when.iter().map(|w| (*w).to_owned()).collect();
            let cron = cron(&when).unwrap().unwrap();
            assert_eq!(cron, expected, "{when:?}");
            crate::model::schedule::check(&cron).unwrap();
        };
        check(&["9:30AM", "Mon-Fri", "Europe/Dublin"], "CRON_TZ=Europe/Dublin 30 9 * * Mon-Fri");
        check(&["9:30AM Mon-Fri Europe/Dublin"], "CRON_TZ=Europe/Dublin 30 9 * * Mon-Fri");
        check(&["12am"], "CRON_TZ=UTC 0 0 * * *");
        check(&["12:15pm", "Sat,Sun"], "CRON_TZ=UTC 15 12 * * Sat,Sun");
        check(&["21:05", "Europe/Berlin"], "CRON_TZ=Europe/Berlin 5 21 * * *");
        check(&["7pm", "UTC"], "CRON_TZ=UTC 0 19 * * *");
        assert_eq!(cron(&["manual".to_owned()]).unwrap(), None);
        for bad in ["", "9", "25:00", "9:3", "13pm", "0am", "noon", "9:61"] {
            assert!(cron(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
