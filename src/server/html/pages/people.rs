//! The list of people and service accounts.

use maud::{Markup, Render, html};

use crate::model::quota::Quota;
use crate::model::user::{SiteRole, User, UserKind, UserRef, UserStatus};
use crate::server::html::layout::{Page, Section, Visit, role_word};
use crate::server::html::parts::button::{labelled, link, opens};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::pager::Pager;
use crate::server::html::parts::password::new_password;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare};
use crate::server::html::parts::{avatar, badge, quota, time};
use crate::server::html::paths;

/// The page of all people.
pub struct People {
    /// Who looks.
    pub visit: Visit,
    /// What was typed into the filter.
    pub filter: String,
    /// The status that was chosen.
    pub status: Option<UserStatus>,
    /// The people that fit, as far as the page shows them.
    pub people: Vec<User>,
    /// What each of them uses and may use in the organization of the start, in the same order.
    pub quotas: Vec<Quota>,
    /// How many that fit come before them.
    pub offset: i64,
    /// How many fit in all.
    pub total: i64,
    /// What was typed into the form that adds one.
    pub input: Input,
}

impl Render for People {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div { h1 { "People" } }
                div class="actions" {
                    (link("", paths::SERVICE_ACCOUNTS, &labelled("bot", "Service accounts")))
                    (link("", paths::INVITATIONS, &labelled("person-plus", "Invitations")))
                    @if self.input.errors.is_empty() { (opens("primary", "add", &labelled("person-plus", "Add a person"))) }
                }
            }
            (self.filters())
            div class="stack" {
                (self.asking().again(&self.visit.csrf))
                section class="card" aria-label="Members" {
                    @if self.people.is_empty() { (empty("people", &html! { "Nobody fits this filter." }, &html! {})) } @else { (self.table()) }
                    (self.pages())
                }
            }
            (self.asking().draw(&self.visit.csrf))
        };
        Page { title: "People", visit: &self.visit, section: Section::People, live: None, body }
            .render()
    }
}

impl People {
    /// People on a page at most.
    pub const ON_A_PAGE: i64 = 100;

    fn pages(&self) -> Markup {
        let status = self.status.map_or("", UserStatus::as_str);
        let query = &[("q", self.filter.as_str()), ("status", status)];
        let (offset, shown, total) = (self.offset, self.people.len(), self.total);
        Pager { path: paths::PEOPLE, query, offset, shown, size: Self::ON_A_PAGE, total }.render()
    }

    fn filters(&self) -> Markup {
        html! {
            form class="filters" role="search" aria-label="Filter" action=(paths::PEOPLE) method="get" {
                label class="find" {
                    (icon("search"))
                    span class="vh" { "Filter people" }
                    input type="search" name="q" value=(self.filter) placeholder="name or e-mail" autocomplete="off";
                }
                select name="status" aria-label="Status" {
                    option value="" selected[self.status.is_none()] { "Any status" }
                    @for (status, text) in [(UserStatus::Active, "Active"), (UserStatus::Dormant, "Dormant"), (UserStatus::Suspended, "Suspended")] {
                        option value=(status) selected[self.status == Some(status)] { (text) }
                    }
                }
                button class="button" { "Filter" }
            }
        }
    }

    fn table(&self) -> Markup {
        let mut columns = vec![
            Column::Head("Name"),
            Column::Head("Status"),
            Column::Head("Role"),
            Column::Spare("Since"),
            Column::Head("Last seen"),
            Column::Silent("Actions"),
        ];
        if self.counts() {
            columns.insert(3, Column::Head("Quota, credits a day"));
        }
        let rows = html! { @for (user, quota) in self.people.iter().zip(&self.quotas) { (self.person(user, *quota)) } };
        html! { (Table { caption: "Members of this deployment", class: "", columns: &columns, rows }) }
    }

    /// Whether anyone has or uses credits: else they are not spoken of.
    fn counts(&self) -> bool {
        self.quotas.iter().any(|q| q.budget.is_some() || q.consumed > 0)
    }

    fn person(&self, user: &User, used: Quota) -> Markup {
        let me = UserRef { id: user.id, username: user.username.clone() };
        let href = paths::person(&user.username);
        let note = if user.email.is_empty() { "service account" } else { &user.email };
        let head = html! {
            a class="who" href=(href) { (avatar::of_kind(&me, user.kind, "")) span { (user.username) " " small { (note) } } }
        };
        let mut cells = vec![
            cell("", &badge::user(user.status)),
            cell("Role", &html! { (roles(user)) }),
            spare("Since", &time::at(user.created_at, self.visit.now)),
            cell("Seen", &seen(user, &self.visit)),
            deeds(&html! {
                a class="button quiet small square" href=(href) aria-label={ "Open " (user.username) } { (icon("right")) }
            }),
        ];
        if self.counts() {
            cells.insert(2, cell("Quota", &quota::gauge(used, user.username.as_str())));
        }
        row(&format!("u-{}", user.id), &head, &cells)
    }

    fn fields(&self) -> Markup {
        html! {
            (Line { id: "f-username", name: "username", label: "User name", hint: "Letters, digits and hyphens.", ..Line::default() }.draw(&self.input))
            (Line { id: "f-email", name: "email", label: "E-mail", kind: "email", ..Line::default() }.draw(&self.input))
            (Line { id: "f-name", name: "name", label: "Full name", optional: true, ..Line::default() }.draw(&self.input))
            (new_password("First password", "Tell it to them by another way.", &self.input))
        }
    }

    fn asking(&self) -> Asking<'_> {
        Asking {
            dialog: Dialog {
                id: "add",
                title: "Add a person",
                action: paths::PEOPLE,
                body: self.fields(),
                class: "primary",
                deed: "Add person",
                back: "Add nobody",
            },
            input: &self.input,
            labels: &[
                ("username", "User name"),
                ("email", "E-mail"),
                ("name", "Full name"),
                ("password", "First password"),
            ],
            page: paths::PEOPLE,
        }
    }
}

/// A user's roles in words.
#[must_use]
pub fn roles(user: &User) -> String {
    let mut words: Vec<&str> = user.roles.iter().map(|r: &SiteRole| role_word(*r)).collect();
    if words.is_empty() {
        words.push(match user.kind {
            UserKind::Person => "member",
            UserKind::Service => "service account",
        });
    }
    words.join(", ")
}

/// When a user was last seen.
#[must_use]
pub fn seen(user: &User, visit: &Visit) -> Markup {
    html! {
        @match user.last_seen_at {
            Some(at) => (time::ago(at, visit.now)),
            None => span class="note" { "never" },
        }
    }
}
