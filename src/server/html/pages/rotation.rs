//! A rotation: who is on call now and in the next weeks, in which order, and what changes it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use maud::{Markup, Render, html};

use super::rotations::local;
use crate::model::id::{OverrideId, UserId};
use crate::model::rotation::{Override, Rotation};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{labelled, opens};
use crate::server::html::parts::form::Input;
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::place::{Place, Tab};
use crate::server::html::parts::{avatar, code};

/// A shift as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownShift {
    /// Who.
    pub user: UserRef,
    /// From when on.
    pub from_at: Timestamp,
    /// Until when.
    pub until_at: Timestamp,
    /// Whether an override says so.
    pub is_override: bool,
}

/// What was just made, and is shown this once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// The link of the one who looks for their calendar.
    Feed(String),
    /// Where programs say who is on call, and what they sign with.
    Webhook {
        /// Where.
        url: String,
        /// With what.
        secret: String,
    },
}

/// The page of a rotation.
pub struct RotationPage {
    /// Who looks.
    pub visit: Visit,
    /// The rotation.
    pub rotation: Rotation,
    /// The names of those in it.
    pub people: BTreeMap<UserId, UserRef>,
    /// Who is on call now, and until when.
    pub now: Option<(UserId, Timestamp)>,
    /// Who comes next, and when.
    pub next: Option<(UserId, Timestamp)>,
    /// The Monday that the calendar begins with.
    pub first: Date,
    /// The shifts of the calendar's weeks.
    pub shifts: Vec<ShownShift>,
    /// The overrides that the one who looks may take back.
    pub undoes: Vec<OverrideId>,
    /// Who may be put on call by the one who looks.
    pub offered: Vec<UserRef>,
    /// Whether they may change it.
    pub changes: bool,
    /// Whether they may delete it.
    pub deletes: bool,
    /// Whether a form stands open for an override: one was asked for.
    pub asks: bool,
    /// Whether the one who looks has a link for their calendar.
    pub has_feed: bool,
    /// Whether programs may say who is on call.
    pub has_webhook: bool,
    /// What was just made.
    pub made: Option<Made>,
    /// What was typed into one of the forms.
    pub input: Input,
    /// Where it is.
    pub place: Place,
}

impl Render for RotationPage {
    fn render(&self) -> Markup {
        let name = self.rotation.name.as_str();
        let body = html! {
            (self.place.tabs(Tab::Rotations))
            header class="page-head" {
                div {
                    (crumbs(&[("Rotations", &self.place.home().rotations())]))
                    h1 { (name) }
                    p { (self.turns()) ". Each shift ends what it gives, so a server that sleeps lets nobody in." }
                }
                div class="actions" {
                    @if self.deletes { (opens("danger", "delete", &html! { "Delete" })) }
                    (opens("", "feed", &labelled("calendar", "Feed")))
                    @if self.overrides() && !self.asks { (opens("primary", "override", &html! { "Override a shift" })) }
                }
            }
            div class="stack" {
                (self.told())
                @if !self.rotation.zone.is_known() { (self.gone()) }
                (self.stats())
                @if self.asks { (self.override_card()) }
                (self.calendar())
                div class="split" {
                    div class="stack" { (self.list()) (self.standing()) }
                    aside class="stack" aria-label={ "Order and settings of " (name) } { (self.order()) @if self.changes { (self.settings()) (self.webhook()) } }
                }
            }
            @if self.overrides() && !self.asks { (self.override_dialog()) }
            (self.feed())
            @if self.deletes { (self.delete()) }
        };
        let section = self.place.section(Section::Rotations);
        Page { title: name, visit: &self.visit, section, live: None, body }.render()
    }
}

impl RotationPage {
    /// Its own path.
    pub(super) fn path(&self) -> String {
        self.place.home().rotation(self.rotation.name.as_str())
    }

    /// Where something is done to it.
    pub(super) fn action(&self, action: &str) -> String {
        self.place.home().rotation_action(self.rotation.name.as_str(), action)
    }

    /// Whether there is a time that the one who looks may give to someone.
    fn overrides(&self) -> bool {
        let mine = |s: &ShownShift| s.user.id == self.visit.user.id;
        self.changes || self.shifts.iter().any(|s| mine(s) && s.until_at > self.visit.now)
    }

    /// That its clocks are gone.
    fn gone(&self) -> Markup {
        let text = html! {
            "There is no time zone " (self.rotation.zone.name()) " on this server: nobody has a turn until "
            "another is set. Times are shown in UTC."
        };
        notice(Tone::Warn, &text, &html! {})
    }

    fn turns(&self) -> String {
        let layer = self.rotation.layers.first();
        let said = layer.map(|l| format!("Hands over {}, every {}", l.handoff, l.length));
        format!("{}, {}", said.unwrap_or_default(), self.rotation.zone.name())
    }

    fn who(&self, id: UserId, note: &Markup) -> Markup {
        let mine = id == self.visit.user.id;
        html! {
            @if let Some(user) = self.people.get(&id) {
                span class="who" { (avatar::avatar(user)) span { (user.username) " " small { @if mine { "you, " } (note) } } }
            }
        }
    }

    fn told(&self) -> Markup {
        html! {
            @match &self.made {
                Some(Made::Feed(url)) => (code::made("Your link is made.", "Put it into your calendar now; it is not shown again.", &[("made", url)])),
                Some(Made::Webhook { url, secret }) => (code::made("Programs may say who is on call.", "Copy the secret now; it is not shown again.", &[("made-url", url), ("made", secret)])),
                None => {}
            }
        }
    }

    fn stats(&self) -> Markup {
        let zone = &self.rotation.zone;
        html! {
            dl class="stats" {
                div {
                    dt { "On call now" }
                    dd { @match self.now {
                        Some((id, until)) => (self.who(id, &html! { "until " (local(zone, until)) })),
                        None => span class="badge" data-state="warn" { (icon("s-warn")) "nobody" },
                    } }
                }
                div {
                    dt { "Next" }
                    dd { @match self.next {
                        Some((id, from)) => (self.who(id, &html! { "from " (local(zone, from)) })),
                        None => "nobody else",
                    } }
                }
            }
        }
    }

    /// The overrides that are not over.
    fn standing(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="overrides" {
                header { h2 id="overrides" { "Overrides" } span class="note" { (self.rotation.overrides.len()) } }
                @if self.rotation.overrides.is_empty() {
                    p class="body note" { "None: everyone keeps their turns." }
                } @else {
                    ul class="rows" { @for one in &self.rotation.overrides { (self.standing_one(one)) } }
                }
            }
        }
    }

    fn standing_one(&self, one: &Override) -> Markup {
        let zone = &self.rotation.zone;
        let by = one.made_by.and_then(|id| self.people.get(&id));
        html! {
            li id={ "o-" (one.id) } {
                span class="main" {
                    (self.who(one.user, &html! { (local(zone, one.from_at)) " to " (local(zone, one.until_at)) }))
                    span class="note" {
                        @if one.made_by.is_none() { "by the webhook" }
                        @if let Some(user) = by { "by " (user.username) }
                        @if !one.reason.is_empty() { ": " (one.reason) }
                    }
                }
                @if self.undoes.contains(&one.id) {
                    form method="post" action=(self.action("undo")) {
                        (self.visit.csrf)
                        input type="hidden" name="id" value=(one.id);
                        button class="button small" { "Undo" span class="vh" { " the override from " (local(zone, one.from_at)) } }
                    }
                }
            }
        }
    }

    fn order(&self) -> Markup {
        let several = self.rotation.layers.len() > 1;
        html! {
            @for (n, layer) in self.rotation.layers.iter().enumerate() {
                section class="card" aria-labelledby={ "order-" (n) } {
                    header { h2 id={ "order-" (n) } { "Order" @if several { ", layer " (n + 1) } } }
                    ol class="rows" {
                        @for member in layer.members.iter().filter(|m| m.is_in(self.visit.now)) {
                            li { (self.who(member.user, &html! {})) }
                        }
                    }
                    @if several || !layer.restrictions.is_empty() {
                        footer class="note" {
                            (layer.handoff) ", every " (layer.length)
                            @for restriction in &layer.restrictions { ", " (restriction) }
                        }
                    }
                }
            }
        }
    }
}
