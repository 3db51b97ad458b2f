//! The list of service accounts, with who answers for each.

use maud::{Markup, Render, html};

use super::beside_people::BesidePeople;
use super::people::seen;
use crate::model::user::{User, UserRef};
use crate::server::html::layout::Visit;
use crate::server::html::parts::badge::{Look, badge};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row};
use crate::server::html::parts::{avatar, badge};
use crate::server::html::paths;

/// Who answers for a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Who was named last, if anyone was.
    pub who: Option<UserRef>,
    /// Whether they may not, so that the account is stopped.
    pub is_lacking: bool,
}

impl Render for Answers {
    fn render(&self) -> Markup {
        html! {
            @match (&self.who, self.is_lacking) {
                (Some(who), false) => a href=(paths::person(&who.username)) { (who.username) },
                (Some(who), true) => { (badge(Look::Failed, "Nobody")) " " small { (who.username) " may act no more" } }
                (None, _) => (badge(Look::Failed, "Nobody")),
            }
        }
    }
}

/// The page of service accounts.
pub struct ServiceAccounts {
    /// Who looks.
    pub visit: Visit,
    /// The accounts.
    pub accounts: Vec<(User, Answers)>,
    /// What was typed into the form that adds one.
    pub input: Input,
}

impl Render for ServiceAccounts {
    fn render(&self) -> Markup {
        BesidePeople {
            visit: &self.visit,
            title: "Service accounts",
            text: "For programs: no password, no pages. A person answers for each; while nobody does, it is suspended.",
            button: ("plus", "Add a service account"),
            above: html! {},
            asking: self.asking(),
            list: (!self.accounts.is_empty()).then(|| self.table()),
            none: ("bot", "There is no service account."),
        }
        .render()
    }
}

impl ServiceAccounts {
    fn table(&self) -> Markup {
        let columns = [
            Column::Head("Name"),
            Column::Head("Status"),
            Column::Head("Answers for it"),
            Column::Head("Last seen"),
            Column::Silent("Actions"),
        ];
        let rows =
            html! { @for (user, answers) in &self.accounts { (self.account(user, answers)) } };
        html! { (Table { caption: "Service accounts", class: "", columns: &columns, rows }) }
    }

    fn account(&self, user: &User, answers: &Answers) -> Markup {
        let href = paths::person(&user.username);
        let head = html! {
            a class="who" href=(href) { (avatar::of_kind(&UserRef::of(user), user.kind, "")) span { (user.username) @if !user.name.is_empty() { " " small { (user.name) } } } }
        };
        row(
            &format!("u-{}", user.id),
            &head,
            &[
                cell("", &badge::user(user.status)),
                cell("Answers", &answers.render()),
                cell("Seen", &seen(user, &self.visit)),
                deeds(&html! {
                    a class="button quiet small square" href=(href) aria-label={ "Open " (user.username) } { (icon("right")) }
                }),
            ],
        )
    }

    fn fields(&self) -> Markup {
        html! {
            (Line { id: "f-username", name: "username", label: "Name", hint: "Letters, digits and hyphens.", ..Line::default() }.draw(&self.input))
            (Line { id: "f-name", name: "name", label: "What it does", optional: true, ..Line::default() }.draw(&self.input))
            (Line {
                id: "f-responsible", name: "responsible", label: "Who answers for it", value: self.visit.user.username.as_str(),
                hint: "The user name of a person who may sign in.", ..Line::default()
            }.draw(&self.input))
        }
    }

    fn asking(&self) -> Asking<'_> {
        Asking {
            dialog: Dialog {
                id: "add",
                title: "Add a service account",
                action: paths::SERVICE_ACCOUNTS,
                body: self.fields(),
                class: "primary",
                deed: "Add account",
                back: "Add none",
            },
            input: &self.input,
            labels: &[
                ("username", "Name"),
                ("name", "What it does"),
                ("responsible", "Who answers for it"),
            ],
            page: paths::SERVICE_ACCOUNTS,
        }
    }
}
