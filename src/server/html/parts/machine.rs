//! The health of a machine: what is wrong and what to do, its figures, and how they went.

use std::time::Duration;

use maud::{Markup, html};

use super::notice::{Tone, notice};
use super::quantity::{bytes, grouped};
use super::spark::Spark;
use super::time;
use crate::model::health::said::{LOST_ADVICE, percent};
use crate::model::health::series::Point;
use crate::model::health::{Figures, Health, Path};
use crate::model::time::{Timestamp, words};

/// A day in seconds.
const DAY: i64 = 86_400;
/// Parts of a picture of a day: a quarter of an hour each.
const PARTS: u16 = 96;
/// The temperatures at the lower and upper end of a picture, in degrees Celsius.
pub const WARM: (f64, f64) = (20.0, 100.0);

/// What is wrong with a machine, and what to do about it.
#[must_use]
pub fn troubles(health: &Health, now: Timestamp) -> Markup {
    let figures = health.figures.unwrap_or_default();
    let is_lost = health.verdict.is_lost;
    html! {
        @if is_lost {
            (notice(Tone::Bad, &html! {
                b { "Nothing is heard of it since " (time::at(health.since, now)) ". " } (LOST_ADVICE)
                @if let Some(last) = health.verdict.troubles.first() {
                    " Before that: " (last.said(&figures))
                }
            }, &html! {}))
        } @else {
            @for trouble in &health.verdict.troubles {
                (notice(Tone::Warn, &html! { b { (trouble.said(&figures)) } " " (trouble.advice()) }, &html! {}))
            }
        }
    }
}

/// The figures of a machine; `id` begins the ids of their parts.
#[must_use]
pub fn figures(id: &str, figures: &Figures, day: &[Point], now: Timestamp) -> Markup {
    let cpu = format!("{} of {}", percent(Some(figures.cpu)), cores(figures.cores));
    let memory = of(figures.memory_used, figures.memory_total);
    let disk = of(figures.disk_used, figures.disk_total);
    let all = i64::try_from(figures.inodes_total).unwrap_or(i64::MAX);
    let inodes = format!("{} of {}", percent(figures.inodes()), grouped(all));
    let warm = figures.temperature.map(|t| format!("{t:.0} °C"));
    let share = (0.0, 1.0);
    html! {
        div class="gauge" id={ (id) "-cpu" } {
            span { "CPU" } span { (cpu) }
            (last_day("CPU", &cpu, share, now).of(day.iter().filter_map(|p| Some((p.at, p.cpu?)))))
        }
        @if figures.memory_total > 0 {
            div class="gauge" id={ (id) "-memory" } {
                span { "Memory" } span { (memory) }
                (last_day("Memory", &memory, share, now).of(day.iter().filter_map(|p| Some((p.at, p.memory?)))))
            }
        }
        @if figures.disk_total > 0 { (meter(&format!("{id}-disk"), "Disk", &disk, figures.disk())) }
        @if all > 0 {
            (meter(&format!("{id}-inodes"), "Inodes", &inodes, figures.inodes()))
        }
        @if let Some(warm) = warm {
            div class="gauge" id={ (id) "-warm" } {
                span { "Temperature" } span { (warm) }
                (last_day("Temperature", &warm, WARM, now).of(day.iter().filter_map(|p| Some((p.at, p.temperature?)))))
            }
        }
    }
}

/// What else is known of it, in a line.
#[must_use]
pub fn facts(figures: &Figures, version: &str) -> String {
    let up = figures.uptime_s.map(|s| format!("up {}", words(Duration::from_secs(s))));
    let load = figures.load.map(|load| format!("load {load:.2}"));
    let path = figures.path.map(|path| {
        let way = match path {
            Path::Local => "on the server's machine",
            Path::Direct => "reached directly",
            Path::Relay => "reached through the server's relay",
        };
        match figures.latency_ms {
            Some(ms) => format!("{way} in {ms:.0} ms"),
            None => way.to_owned(),
        }
    });
    let clock = figures.ahead_ms.map(|ms| format!("clock {} off", span_ms(ms)));
    let agent = (!version.is_empty()).then(|| format!("agent {version}"));
    let facts: Vec<String> = [up, load, path, clock, agent].into_iter().flatten().collect();
    let text = facts.join(", ");
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// Milliseconds in the unit that says enough.
fn span_ms(ms: i64) -> String {
    match ms.unsigned_abs() {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms => words(Duration::from_millis(ms)),
    }
}

fn cores(n: f64) -> String {
    let whole = (n.fract().abs() < 0.05).then(|| format!("{n:.0}"));
    let n = whole.unwrap_or_else(|| format!("{n:.1}"));
    if n == "1" { "1 core".to_owned() } else { format!("{n} cores") }
}

fn of(used: u64, total: u64) -> String {
    let size = |n: u64| bytes(i64::try_from(n).unwrap_or(i64::MAX));
    format!("{} of {}", size(used), size(total))
}

fn meter(id: &str, label: &str, text: &str, share: Option<f64>) -> Markup {
    let value = format!("{:.1}", share.unwrap_or_default() * 100.0);
    html! {
        div class="gauge" id=(id) {
            span { (label) } span { (text) }
            meter min="0" max="100" low="75" high="90" optimum="0" value=(value) aria-label=(label) { (text) }
        }
    }
}

/// The picture of the last day of a figure that is `text` now.
fn last_day(label: &str, text: &str, range: (f64, f64), now: Timestamp) -> Spark {
    let label = format!("{label} over the last day, now {text}");
    Spark { label, span: (Timestamp(now.0 - DAY), now), range, parts: PARTS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_a_sentence() {
        let told = Figures {
            uptime_s: Some(93_784),
            load: Some(0.25),
            path: Some(Path::Direct),
            latency_ms: Some(3.6),
            ahead_ms: Some(-12),
            ..Figures::default()
        };
        let text = "Up 1 d 2 h, load 0.25, reached directly in 4 ms, clock 12 ms off, agent 0.1.0.";
        assert_eq!(facts(&told, "0.1.0"), text);
        assert_eq!(facts(&Figures::default(), ""), "");
        assert_eq!(
            (cores(1.0), cores(0.5), cores(4.0)),
            ("1 core".into(), "0.5 cores".into(), "4 cores".into())
        );
    }
}
