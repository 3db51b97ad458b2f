//! A workspace's settings: its answers, its hours, its name.

use maud::{Markup, Render, html};

use crate::model::parameter::Parameter;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::pages::handover;
use crate::server::html::parts::form::{Input, Line, notes, wrongs};
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::parameter::{Field, PREFIX};
use crate::server::html::paths::{self, Place};

/// The page of settings.
pub struct WorkspaceSettings {
    /// Who looks.
    pub visit: Visit,
    /// The workspace.
    pub workspace: Workspace,
    /// What its template asks.
    pub parameters: Vec<Parameter>,
    /// The last build's answers, in the order of `parameters`.
    pub values: Vec<String>,
    /// What was typed into one of the forms.
    pub input: Input,
    /// Whether who looks may give it away.
    pub gives: bool,
}

impl Render for WorkspaceSettings {
    fn render(&self) -> Markup {
        let w = &self.workspace;
        let place = Place::of(w);
        let title = format!("Settings of {}", w.name);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (w.name.as_str(), place.page())]))
                    h1 { (title) }
                }
            }
            div class="split" {
                div class="stack" { (self.answers(&place)) }
                aside class="stack" aria-label="Hours, name and owner" {
                    (self.hours(&place))
                    (self.name(&place))
                    @if self.gives { (handover::form(&self.visit.csrf, &place, &self.input)) }
                }
            }
        };
        Page { title: &title, visit: &self.visit, section: Section::Workspaces, live: None, body }
            .render()
    }
}

impl WorkspaceSettings {
    fn answers(&self, place: &Place) -> Markup {
        let labels: Vec<(String, &str)> =
            self.parameters.iter().map(|p| (format!("{PREFIX}{}", p.name), p.label())).collect();
        let labels: Vec<(&str, &str)> =
            labels.iter().map(|(name, label)| (name.as_str(), *label)).collect();
        let shown = self.input.errors.keys().any(|k| k.starts_with(PREFIX));
        html! {
            section class="card" aria-labelledby="parameters" {
                header { h2 id="parameters" { "Parameters" } span class="note" { "a start applies them" } }
                @if self.parameters.is_empty() {
                    (empty("edit", &html! { "The template asks nothing." }, &html! {}))
                } @else {
                    form class="body fields" method="post" action=(place.parameters()) {
                        (self.visit.csrf)
                        @for (i, p) in self.parameters.iter().enumerate() {
                            (Field {
                                parameter: p,
                                value: self.values.get(i).map_or(p.default_value.as_str(), String::as_str),
                                fixed: !p.mutable,
                            }.draw(&self.input))
                        }
                        @if shown { (wrongs(&self.input, &labels)) }
                        div class="actions" { button class="button primary" { "Save and start" } }
                    }
                }
            }
        }
    }

    fn hours(&self, place: &Place) -> Markup {
        let w = &self.workspace;
        let hours = w.ttl_s.map(hours).unwrap_or_default();
        html! {
            section class="card" aria-labelledby="schedule" {
                header { h2 id="schedule" { "Running hours" } }
                form class="body fields" method="post" action=(place.schedule()) {
                    (self.visit.csrf)
                    (Line {
                        id: "f-autostart", name: "autostart", label: "Start by itself", value: &w.autostart_schedule, optional: true,
                        hint: "Minute, hour, *, *, days, with a zone: CRON_TZ=Europe/London 0 8 * * 1-5. Empty for never.",
                        ..Line::default()
                    }.draw(&self.input))
                    (Line {
                        id: "f-ttl_h", name: "ttl_h", label: "Stop after hours", value: &hours, optional: true,
                        hint: "Counted from its start. Empty for never.", ..Line::default()
                    }.draw(&self.input))
                    label class="check" {
                        input class="switch" role="switch" type="checkbox" name="automatic_updates" value="true" checked[w.automatic_updates];
                        span { "Follow the template" span class="hint" { "Each start takes the active version." } }
                    }
                    (notes("f-automatic_updates", "", self.input.error("automatic_updates")))
                    div class="actions" { button class="button" { "Save hours" } }
                }
            }
        }
    }

    fn name(&self, place: &Place) -> Markup {
        html! {
            section class="card" aria-labelledby="name" {
                header { h2 id="name" { "Name" } }
                form class="body fields" method="post" action=(place.settings()) {
                    (self.visit.csrf)
                    (Line {
                        id: "f-name", name: "name", label: "Name", value: self.workspace.name.as_str(),
                        hint: "Its addresses change with it. What runs goes on.", ..Line::default()
                    }.draw(&self.input))
                    div class="actions" { button class="button" { "Rename" } }
                }
            }
        }
    }
}

/// Seconds as hours, with as many digits as it takes to read the same seconds from them.
fn hours(seconds: i64) -> String {
    let parts = seconds.saturating_mul(10_000).saturating_add(1800) / 3600;
    let digits = format!("{}.{:04}", parts / 10_000, parts % 10_000);
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::hours;

    #[test]
    fn hours_are_short_and_keep_their_seconds() {
        assert_eq!(hours(3600), "1");
        assert_eq!(hours(36_000), "10");
        assert_eq!(hours(5400), "1.5");
        assert_eq!(hours(4800), "1.3333");
        for seconds in 60..100_000 {
            let read: f64 = hours(seconds).parse().unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "a day or so")]
            let read = (read * 3600.0).round() as i64;
            assert_eq!(read, seconds);
        }
    }
}
