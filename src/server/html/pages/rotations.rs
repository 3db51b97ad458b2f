//! The list of an organization's rotations.

use maud::{Markup, Render, html};

use crate::model::rotation::Zone;
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::avatar;
use crate::server::html::parts::button::{labelled, opens};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::place::{Place, Tab};
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare, void};

/// A rotation in the list.
#[derive(Clone, Debug)]
pub struct RotationRow {
    /// Its name.
    pub name: String,
    /// Its clocks.
    pub zone: Zone,
    /// When one hands over to the next, and how long a turn is.
    pub turns: String,
    /// Who is on call now, and until when.
    pub now: Option<(UserRef, Timestamp)>,
    /// Who comes next, and when.
    pub next: Option<(UserRef, Timestamp)>,
}

/// The page of all rotations.
pub struct Rotations {
    /// Who looks.
    pub visit: Visit,
    /// The rotations, by name.
    pub rotations: Vec<RotationRow>,
    /// Whether they may make one.
    pub creates: bool,
    /// What was typed into the form that makes one.
    pub input: Input,
    /// Where they are.
    pub place: Place,
}

/// A moment by a place's clocks: `Mon 23 Nov, 09:00`.
#[must_use]
pub fn local(zone: &Zone, at: Timestamp) -> Markup {
    let text = zone.local(at).map(|t| t.strftime("%a %-d %b, %H:%M").to_string());
    html! { time datetime=(at.rfc3339()) { (text.unwrap_or_default()) } }
}

impl Render for Rotations {
    fn render(&self) -> Markup {
        let (again, path) = (!self.input.errors.is_empty(), self.place.home().rotations());
        let new = opens("primary", "add", &labelled("plus", "New rotation"));
        let body = html! {
            (self.place.tabs(Tab::Rotations))
            header class="page-head" {
                div { h1 { "Rotations" } p { "People who take turns being on call, and who holds access meanwhile." } }
                div class="actions" { @if self.creates && !again && !self.rotations.is_empty() { (new) } }
            }
            div class="stack" {
                (self.asking(&path).again(&self.visit.csrf))
                section class="card" aria-label="Rotations" {
                    @if self.rotations.is_empty() {
                        (empty("rotations", &html! { "No rotation yet. One says who is on call, week by week or night by night." }, &html! { @if self.creates && !again { (new) } }))
                    } @else { (self.table()) }
                }
            }
            @if self.creates { (self.asking(&path).draw(&self.visit.csrf)) }
        };
        let section = self.place.section(Section::Rotations);
        Page { title: "Rotations", visit: &self.visit, section, live: None, body }.render()
    }
}

impl Rotations {
    fn table(&self) -> Markup {
        let columns = [
            Column::Head("Rotation"),
            Column::Head("On call now"),
            Column::Head("Next"),
            Column::Spare("Hands over"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for one in &self.rotations { (self.one(one)) } };
        html! { (Table { caption: "Rotations of this organization", class: "", columns: &columns, rows }) }
    }

    fn one(&self, one: &RotationRow) -> Markup {
        let href = self.place.home().rotation(&one.name);
        let who = |label: &str, word: &str, shift: &Option<(UserRef, Timestamp)>| match shift {
            None => void(label, "nobody"),
            Some((user, at)) => {
                let mine = if user.id == self.visit.user.id { "you, " } else { "" };
                cell(
                    label,
                    &html! {
                        span class="who" { (avatar::avatar(user)) span { (user.username) " " small { (mine) (word) " " (local(&one.zone, *at)) } } }
                    },
                )
            }
        };
        row(
            &format!("r-{}", one.name),
            &html! { a class="name" href=(href) { (one.name) } },
            &[
                who("On call now", "until", &one.now),
                who("Next", "from", &one.next),
                spare("Hands over", &html! { (one.turns) ", " (one.zone.name()) }),
                deeds(&html! {
                    a class="button quiet small square" href=(href) aria-label={ "Open " (one.name) } { (icon("right")) }
                }),
            ],
        )
    }

    fn fields(&self) -> Markup {
        html! {
            (Line { id: "f-name", name: "name", label: "Name", hint: "Letters, digits and hyphens, at most 36.", ..Line::default() }.draw(&self.input))
            (Line { id: "f-zone", name: "zone", label: "Time zone", value: "UTC", hint: "Such as Europe/Berlin.", ..Line::default() }.draw(&self.input))
            (turns("", ("mon 09:00", "1w"), &self.input))
            (members("", "", &self.input))
        }
    }

    fn asking<'a>(&'a self, path: &'a str) -> Asking<'a> {
        Asking {
            dialog: Dialog {
                id: "add",
                title: "New rotation",
                action: path,
                body: self.fields(),
                class: "primary",
                deed: "Make rotation",
                back: "Make none",
            },
            input: &self.input,
            labels: &[
                ("name", "Name"),
                ("zone", "Time zone"),
                ("handoff", "Hands over"),
                ("length", "A turn is"),
                ("members", "People"),
            ],
            page: path,
        }
    }
}

/// The fields of when one hands over, and how long a turn is. `end` tells layers apart.
#[must_use]
pub fn turns(end: &str, (handoff, length): (&str, &str), input: &Input) -> Markup {
    let (h, l) = (format!("handoff{end}"), format!("length{end}"));
    let (h_id, l_id) = (format!("f-{h}"), format!("f-{l}"));
    html! {
        div class="row2" {
            (Line { id: &h_id, name: &h, label: "Hands over", value: handoff, hint: "Such as mon 09:00, or 21:00.", ..Line::default() }.draw(input))
            (Line { id: &l_id, name: &l, label: "A turn is", value: length, hint: "Such as 12h, 1d or 2w.", ..Line::default() }.draw(input))
        }
    }
}

/// The field of who takes turns.
#[must_use]
pub fn members(end: &str, value: &str, input: &Input) -> Markup {
    let name = format!("members{end}");
    let id = format!("f-{name}");
    Line {
        id: &id,
        name: &name,
        label: "People",
        value,
        hint: "Names in their order, with commas between.",
        ..Line::default()
    }
    .draw(input)
}
