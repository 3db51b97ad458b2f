//! Open invitations, and making one.

use maud::{Markup, Render, html};

use crate::model::invitation::Invitation;
use crate::model::user::SiteRole;
use crate::server::html::layout::{Page, Section, Visit, crumbs, role_word};
use crate::server::html::parts::button::{labelled, opens};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare};
use crate::server::html::parts::{code, time};
use crate::server::html::paths;

/// The page of open invitations.
pub struct Invitations {
    /// Who looks.
    pub visit: Visit,
    /// The invitations, what ends first coming first.
    pub open: Vec<Invitation>,
    /// The link that was just made; shown this once.
    pub made: Option<String>,
    /// What was typed.
    pub input: Input,
}

impl Render for Invitations {
    fn render(&self) -> Markup {
        let fresh = self.input.errors.is_empty();
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("People", paths::PEOPLE)]))
                    h1 { "Invitations" }
                    p { "Whoever has the link makes an account with it, once." }
                }
                div class="actions" {
                    @if fresh { (opens("primary", "new", &labelled("person-plus", "Invite someone"))) }
                }
            }
            div class="stack" {
                (self.made())
                (self.asking().again(&self.visit.csrf))
                section class="card" aria-label="Open invitations" {
                    @if self.open.is_empty() {
                        (empty("people", &html! { "No invitation is open." }, &html! {}))
                    } @else {
                        (self.table())
                    }
                }
            }
            (self.asking().draw(&self.visit.csrf))
        };
        let (visit, section) = (&self.visit, Section::People);
        Page { title: "Invitations", visit, section, live: None, body }.render()
    }
}

impl Invitations {
    fn made(&self) -> Markup {
        html! {
            @if let Some(link) = &self.made {
                div class="notice" data-state="ok" role="status" {
                    (icon("s-ok"))
                    div class="stack tight" {
                        div { b { "The invitation is made. " } "Copy its link now; it is not shown again." }
                        (code::secret("made", link))
                    }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        let columns = [
            Column::Head("For"),
            Column::Head("Gives"),
            Column::Spare("Made by"),
            Column::Head("Ends"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for one in &self.open { (self.invitation(one)) } };
        html! { (Table { caption: "Open invitations", class: "", columns: &columns, rows }) }
    }

    fn invitation(&self, one: &Invitation) -> Markup {
        let now = self.visit.now;
        let whom = &one.email;
        let mut gives: Vec<&str> = one.roles.iter().map(|role| role_word(*role)).collect();
        gives.extend(one.groups.iter().map(|(_, name)| name.as_str()));
        let gives = if gives.is_empty() { "an account".to_owned() } else { gives.join(", ") };
        let deed = html! {
            form method="post" action=(paths::revoke_invitation(one.id)) {
                (self.visit.csrf)
                button class="button small danger" { "Revoke" span class="vh" { " the invitation for " (whom) } }
            }
        };
        row(
            &format!("i-{}", one.id),
            &html! { span class="name" { (whom) } },
            &[
                cell("Gives", &html! { (gives) }),
                spare(
                    "Made by",
                    &html! { (one.made_by.username) " " (time::ago(one.created_at, now)) },
                ),
                cell("Ends", &html! { (time::until(one.expires_at, now)) }),
                deeds(&deed),
            ],
        )
    }

    fn fields(&self) -> Markup {
        let gives_roles = self.visit.user.has(SiteRole::Owner);
        html! {
            (Line {
                id: "f-email", name: "email", label: "E-mail", kind: "email",
                hint: "The account has this address.", ..Line::default()
            }.draw(&self.input))
            (Line { id: "f-groups", name: "groups", label: "Groups", optional: true, hint: "Names, with commas between.", ..Line::default() }.draw(&self.input))
            (Line { id: "f-days", name: "days", label: "Ends after days", kind: "number", value: "7", hint: "At most 30.", ..Line::default() }.draw(&self.input))
            @if gives_roles {
                fieldset class="field" {
                    legend { "Roles on the whole site" }
                    @for role in SiteRole::ALL {
                        label class="check" { input type="checkbox" name="role" value=(role); span { (role_word(*role)) } }
                    }
                }
            }
        }
    }

    fn asking(&self) -> Asking<'_> {
        Asking {
            dialog: Dialog {
                id: "new",
                title: "Invite someone",
                action: paths::INVITATIONS,
                body: self.fields(),
                class: "primary",
                deed: "Make the link",
                back: "Invite nobody",
            },
            input: &self.input,
            labels: &[("email", "E-mail"), ("groups", "Groups"), ("days", "Ends after days")],
            page: paths::INVITATIONS,
        }
    }
}
