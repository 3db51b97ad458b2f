//! The list of an organization's groups.

use maud::{Markup, Render, html};

use crate::model::user::GroupSource;
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::button::{labelled, opens};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::place::{Place, Tab};
use crate::server::html::parts::table::{Column, Table, cell, deeds, figure, row};

/// A group in the list.
#[derive(Clone, Debug)]
pub struct GroupRow {
    /// Its name.
    pub name: String,
    /// The name shown; may be empty.
    pub display_name: String,
    /// Whether everyone in the organization is in it.
    pub everyone: bool,
    /// Who made it.
    pub source: GroupSource,
    /// How many are in it, seen or not.
    pub n_members: i64,
    /// Credits a day that it adds to each member's budget.
    pub quota_allowance: i64,
}

/// The page of all groups.
pub struct Groups {
    /// Who looks.
    pub visit: Visit,
    /// The groups that they may see, Everyone first.
    pub groups: Vec<GroupRow>,
    /// Whether they may make one.
    pub creates: bool,
    /// What was typed into the form that makes one.
    pub input: Input,
    /// Where they are.
    pub place: Place,
}

impl Render for Groups {
    fn render(&self) -> Markup {
        let (again, path) = (!self.input.errors.is_empty(), self.place.home().groups());
        let body = html! {
            (self.place.tabs(Tab::Groups))
            header class="page-head" {
                div { h1 { "Groups" } p { "People together: what templates they may use, and how much they may spend a day." } }
                div class="actions" {
                    @if self.creates && !again { (opens("primary", "add", &labelled("plus", "New group"))) }
                }
            }
            div class="stack" {
                (self.asking(&path).again(&self.visit.csrf))
                section class="card" aria-label="Groups" { (self.table()) }
                @if self.groups.iter().all(|g| g.quota_allowance == 0) {
                    p class="note" { "No group has a quota allowance, so nobody's spending is limited. Once one has, who has none may start nothing that costs credits." }
                }
            }
            @if self.creates { (self.asking(&path).draw(&self.visit.csrf)) }
        };
        let section = self.place.section(Section::Groups);
        Page { title: "Groups", visit: &self.visit, section, live: None, body }.render()
    }
}

impl Groups {
    fn table(&self) -> Markup {
        let columns = [
            Column::Head("Group"),
            Column::Head("Kept by"),
            Column::Figures("Members"),
            Column::Figures("Adds to quota"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for group in &self.groups { (one(&self.place, group)) } };
        html! { (Table { caption: "Groups of this organization", class: "", columns: &columns, rows }) }
    }

    fn fields(&self) -> Markup {
        html! {
            (Line { id: "f-name", name: "name", label: "Name", hint: "Letters, digits and hyphens, at most 36.", ..Line::default() }.draw(&self.input))
            (Line { id: "f-display_name", name: "display_name", label: "Name shown", optional: true, ..Line::default() }.draw(&self.input))
            (allowance("0", &self.input))
        }
    }

    fn asking<'a>(&'a self, path: &'a str) -> Asking<'a> {
        Asking {
            dialog: Dialog {
                id: "add",
                title: "New group",
                action: path,
                body: self.fields(),
                class: "primary",
                deed: "Make group",
                back: "Make none",
            },
            input: &self.input,
            labels: &[
                ("name", "Name"),
                ("display_name", "Name shown"),
                ("quota_allowance", "Quota allowance"),
            ],
            page: path,
        }
    }
}

/// The field of what a group adds to budgets.
#[must_use]
pub fn allowance(value: &str, input: &Input) -> Markup {
    Line {
        id: "f-quota_allowance",
        name: "quota_allowance",
        label: "Quota allowance",
        kind: "number",
        hint: "Credits a day that it adds to each member's budget.",
        value,
        ..Line::default()
    }
    .draw(input)
}

fn one(place: &Place, group: &GroupRow) -> Markup {
    let href = place.home().group(&group.name);
    let head = html! {
        a class="who" href=(href) {
            span class="avatar" data-kind="group" aria-hidden="true" { (icon("people")) }
            span { (group.name) @if !group.display_name.is_empty() { " " small { (group.display_name) } } }
        }
    };
    let kept = match (group.everyone, group.source) {
        (true, _) => "built in",
        (false, GroupSource::User) => "people here",
        (false, GroupSource::Oidc) => "a provider",
    };
    row(
        &format!("g-{}", group.name),
        &head,
        &[
            cell("Kept by", &html! { (kept) }),
            figure("Members", &html! { (group.n_members) }),
            figure("Adds to quota", &html! { (group.quota_allowance) }),
            deeds(&html! {
                a class="button quiet small square" href=(href) aria-label={ "Open " (group.name) } { (icon("right")) }
            }),
        ],
    )
}
