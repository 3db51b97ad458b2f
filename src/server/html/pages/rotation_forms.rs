//! The forms of a rotation's page.

use maud::{Markup, html};

use super::rotation::RotationPage;
use super::rotations::{members, turns};
use crate::model::rotation::Layer;
use crate::server::html::parts::dialog::{Dialog, type_the_name};
use crate::server::html::parts::form::{Line, described, notes, wrongs};

/// What the fields of an override are called.
const OVERRIDE: &[(&str, &str)] =
    &[("user", "Who takes it"), ("from", "From"), ("until", "Until"), ("reason", "Reason")];

/// What the fields of the settings are called; of several layers those of the first.
const SETTINGS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("zone", "Time zone"),
    ("members-0", "People"),
    ("handoff-0", "Hands over"),
    ("length-0", "A turn is"),
    ("restrictions-0", "Only in these hours"),
];

impl RotationPage {
    fn override_fields(&self) -> Markup {
        let zone = self.rotation.zone.name();
        let (chosen, error) = (self.input.value("user", ""), self.input.error("user"));
        html! {
            div class="field" {
                label for="f-user" { "Who takes it" }
                select id="f-user" name="user" required aria-invalid=[error.map(|_| "true")] aria-describedby=[described("f-user", "", error)] {
                    option value="" { "Choose" }
                    @for user in &self.offered { option value=(user.username) selected[user.username.as_str() == chosen] { (user.username) } }
                }
                (notes("f-user", "", error))
            }
            div class="row2" {
                (Line { id: "f-from", name: "from", label: "From", kind: "datetime-local", hint: zone, ..Line::default() }.draw(&self.input))
                (Line { id: "f-until", name: "until", label: "Until", kind: "datetime-local", hint: zone, ..Line::default() }.draw(&self.input))
            }
            (Line { id: "f-reason", name: "reason", label: "Reason", optional: true, ..Line::default() }.draw(&self.input))
        }
    }

    /// The form that opens over the page.
    pub(super) fn override_dialog(&self) -> Markup {
        Dialog {
            id: "override",
            title: "Override a shift",
            action: &self.action("overrides"),
            body: self.override_fields(),
            class: "primary",
            deed: "Override",
            back: "Leave it",
        }
        .draw(&self.visit.csrf)
    }

    /// The form for a shift that was chosen, in the page.
    pub(super) fn override_card(&self) -> Markup {
        html! {
            section class="card" id="override" aria-labelledby="override-title" {
                header { h2 id="override-title" { "Override a shift" } }
                form class="body fields" method="post" action=(self.action("overrides")) {
                    (self.visit.csrf)
                    (self.override_fields())
                    (wrongs(&self.input, OVERRIDE))
                    div class="actions" { a class="button" href=(self.path()) { "Leave it" } button class="button primary" { "Override" } }
                }
            }
        }
    }

    /// The card that changes names, order and times.
    pub(super) fn settings(&self) -> Markup {
        let several = self.rotation.layers.len() > 1;
        html! {
            section class="card" aria-labelledby="settings" {
                header { h2 id="settings" { "Settings" } }
                form class="body fields" method="post" action=(self.path()) {
                    (self.visit.csrf)
                    (Line { id: "f-name", name: "name", label: "Name", value: self.rotation.name.as_str(), ..Line::default() }.draw(&self.input))
                    (Line { id: "f-zone", name: "zone", label: "Time zone", value: self.rotation.zone.name(), ..Line::default() }.draw(&self.input))
                    @for (n, layer) in self.rotation.layers.iter().enumerate() {
                        @if several { p class="note" { "Layer " (n + 1) } }
                        (self.layer(&format!("-{n}"), layer))
                    }
                    p class="note" { "Who is new comes after the turn under way; of who is left out, others take the turns." }
                    @if !self.asks { (wrongs(&self.input, SETTINGS)) }
                    button class="button" { "Save" }
                }
            }
        }
    }

    fn layer(&self, end: &str, layer: &Layer) -> Markup {
        let inside = layer.members.iter().filter(|m| m.is_in(self.visit.now));
        let names = inside.filter_map(|m| Some(self.people.get(&m.user)?.username.to_string()));
        let names = names.collect::<Vec<_>>().join(", ");
        let restrictions: Vec<String> =
            layer.restrictions.iter().map(ToString::to_string).collect();
        let (name, hours) = (format!("restrictions{end}"), restrictions.join("; "));
        let id = format!("f-{name}");
        html! {
            (members(end, &names, &self.input))
            (turns(end, (&layer.handoff.to_string(), &layer.length.to_string()), &self.input))
            (Line { id: &id, name: &name, label: "Only in these hours", value: &hours, optional: true, hint: "Such as mon-fri 18:00-08:00; sat,sun 00:00-24:00.", ..Line::default() }.draw(&self.input))
        }
    }

    /// The card of what lets programs say who is on call.
    pub(super) fn webhook(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="webhook" {
                header { h2 id="webhook" { "Webhook" } }
                form class="body fields" method="post" action=(self.action("webhook")) {
                    (self.visit.csrf)
                    @if self.has_webhook {
                        p { "Programs may say who is on call: what they send is signed with a secret." }
                        div class="actions" {
                            button class="button danger" name="remove" value="yes" { "Close it" }
                            button class="button" { "New secret" }
                        }
                    } @else {
                        p { "PagerDuty, Opsgenie and scripts can say who is on call, by their e-mail address here." }
                        button class="button" { "Make a secret" }
                    }
                }
            }
        }
    }

    /// The link for calendars.
    pub(super) fn feed(&self) -> Markup {
        Dialog {
            id: "feed",
            title: "Follow it in your calendar",
            action: &self.action("feed"),
            body: html! {
                p { "Whoever has your link sees the rotations that you may see." }
                @if self.has_feed { p { "You have one. A new one takes its place: calendars that follow the old one stop." } }
            },
            class: "primary",
            deed: if self.has_feed { "Make a new link" } else { "Make a link" },
            back: "Make none",
        }
        .draw(&self.visit.csrf)
    }

    /// Deleting it.
    pub(super) fn delete(&self) -> Markup {
        let name = self.rotation.name.as_str();
        let title = format!("Delete {name}");
        let body = html! {
            p { "Whoever is on call loses at once what they have by it. Who was on call when is lost too; the audit log stays." }
            (type_the_name("d-name", name))
        };
        Dialog {
            id: "delete",
            title: &title,
            action: &self.action("delete"),
            body,
            class: "danger primary",
            deed: &title,
            back: "Keep it",
        }
        .draw(&self.visit.csrf)
    }
}
