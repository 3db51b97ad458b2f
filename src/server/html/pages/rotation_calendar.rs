//! The weeks of a rotation: who is on call on which days.

use jiff::SignedDuration;
use jiff::civil::Date;
use maud::{Markup, html};

use super::rotation::{RotationPage, ShownShift};
use super::rotations::local;
use crate::server::html::parts::avatar;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row};

/// Weeks that are shown.
pub const WEEKS: i64 = 5;

/// The date some days later.
#[must_use]
pub fn days_later(date: Date, days: i64) -> Date {
    date.saturating_add(SignedDuration::from_hours(24 * days))
}

/// The Monday of a date's week.
#[must_use]
pub fn monday(date: Date) -> Date {
    days_later(date, -i64::from(date.weekday().to_monday_zero_offset()))
}

impl RotationPage {
    /// The shifts of a day: those that begin on it, and the one at noon. Of who hands over in the
    /// morning nothing is left on that day.
    fn of_day(&self, date: Date) -> Vec<&ShownShift> {
        let at = |hour| self.rotation.zone.moment(date.at(hour, 0, 0, 0));
        let next = self.rotation.zone.moment(days_later(date, 1).at(0, 0, 0, 0));
        let (Some(begin), Some(noon), Some(end)) = (at(0), at(12), next) else { return vec![] };
        let begins = |s: &ShownShift| begin <= s.from_at && s.from_at < end;
        let is_at_noon = |s: &ShownShift| s.from_at <= noon && noon < s.until_at;
        self.shifts.iter().filter(|s| begins(s) || is_at_noon(s)).collect()
    }

    /// The days of a week with the same one shift together.
    fn of_week(&self, first: Date) -> Vec<(usize, Vec<&ShownShift>)> {
        let mut cells: Vec<(usize, Vec<&ShownShift>)> = Vec::new();
        for day in 0..7 {
            let shifts = self.of_day(days_later(first, day));
            match cells.last_mut() {
                Some((n, before)) if *before == shifts && shifts.len() < 2 => *n += 1,
                Some(_) | None => cells.push((1, shifts)),
            }
        }
        cells
    }

    /// The card with the calendar.
    pub(super) fn calendar(&self) -> Markup {
        let (own, back) = (self.path(), days_later(self.first, -7 * (WEEKS - 1)));
        let last = days_later(self.first, 7 * WEEKS - 1);
        let on = days_later(self.first, 7 * (WEEKS - 1));
        let today = self.rotation.zone.local(self.visit.now).map(|t| t.date());
        let here = today.map(monday) == Some(self.first);
        html! {
            section class="card" aria-labelledby="cal" {
                header {
                    h2 id="cal" { (self.first.strftime("%-d %B").to_string()) " to " (last.strftime("%-d %B %Y").to_string()) }
                    nav class="group" aria-label="Weeks" {
                        a class="button small" href={ (own) "?from=" (back) } { "Earlier" }
                        a class="button small" href=(own) aria-current=[here.then_some("page")] { "Today" }
                        a class="button small" href={ (own) "?from=" (on) } { "Later" }
                    }
                }
                div class="scroll" tabindex="0" role="region" aria-label="Calendar, scrolls sideways" {
                    table class="cal" {
                        caption class="vh" { "Who is on call, week by week" }
                        thead { tr {
                            th scope="col" { "Week of" }
                            @for day in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] { th scope="col" { (day) } }
                        } }
                        tbody { @for week in 0..WEEKS { (self.week(days_later(self.first, 7 * week), today)) } }
                    }
                }
                footer class="note" { "Days by the clocks of " (self.rotation.zone.name()) "." }
            }
        }
    }

    fn week(&self, first: Date, today: Option<Date>) -> Markup {
        let now = today.map(monday) == Some(first);
        html! {
            tr aria-current=[now.then_some("true")] {
                th scope="row" { (first.strftime("%-d %b").to_string()) @if now { " " small class="note" { "this week" } } }
                @for (days, shifts) in self.of_week(first) {
                    td colspan=[(days > 1).then_some(days)] {
                        @for shift in &shifts { (self.entry(shift)) }
                        @if shifts.is_empty() { span class="note" { "nobody" } }
                    }
                }
            }
        }
    }

    fn entry(&self, shift: &ShownShift) -> Markup {
        let class = if shift.is_override { "shift override" } else { "shift" };
        let mine = shift.user.id == self.visit.user.id;
        let inside = html! {
            (avatar::avatar(&shift.user)) (shift.user.username)
            @if mine { " " small { "you" } }
            @if shift.is_override { " " small { "override" } }
        };
        html! {
            @match self.takes(shift) {
                Some(href) => a class=(class) data-hue=(avatar::hue(shift.user.id)) href=(href) { (inside) },
                None => span class=(class) data-hue=(avatar::hue(shift.user.id)) { (inside) },
            }
        }
    }

    /// Where a shift is given to someone else; none where the one who looks may not.
    fn takes(&self, shift: &ShownShift) -> Option<String> {
        let mine = shift.user.id == self.visit.user.id;
        let open = shift.until_at > self.visit.now && (self.changes || mine);
        open.then(|| {
            format!("{}?from={}&shift={}#override", self.path(), self.first, shift.from_at.0)
        })
    }

    /// The card with each shift that is not over.
    pub(super) fn list(&self) -> Markup {
        let columns = [
            Column::Head("On call"),
            Column::Head("From"),
            Column::Head("Until"),
            Column::Silent("Actions"),
        ];
        let open: Vec<&ShownShift> =
            self.shifts.iter().filter(|s| s.until_at > self.visit.now).collect();
        let rows = html! { @for shift in &open { (self.line(shift)) } };
        html! {
            @if !open.is_empty() {
                section class="card" aria-labelledby="shifts" {
                    header { h2 id="shifts" { "Shifts" } span class="note" { (open.len()) } }
                    (Table { caption: "Shifts of these weeks that are not over", class: "", columns: &columns, rows })
                }
            }
        }
    }

    fn line(&self, shift: &ShownShift) -> Markup {
        let zone = &self.rotation.zone;
        let mine = shift.user.id == self.visit.user.id;
        let note = match (mine, shift.is_override) {
            (true, true) => "you, override",
            (true, false) => "you",
            (false, true) => "override",
            (false, false) => "",
        };
        let who = html! { span class="who" { (avatar::avatar(&shift.user)) span { (shift.user.username) @if !note.is_empty() { " " small { (note) } } } } };
        let deed = html! {
            @if let Some(href) = self.takes(shift) {
                a class="button small" href=(href) { "Override" span class="vh" { " the shift of " (shift.user.username) " from " (local(zone, shift.from_at)) } }
            }
        };
        row(
            &format!("s-{}", shift.from_at.0),
            &who,
            &[
                cell("From", &local(zone, shift.from_at)),
                cell("Until", &local(zone, shift.until_at)),
                deeds(&deed),
            ],
        )
    }
}
