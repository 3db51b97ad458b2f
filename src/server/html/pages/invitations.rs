//! Open invitations, and making one.

use maud::{Markup, Render, html};

use super::beside_people::BesidePeople;
use crate::model::invitation::Invitation;
use crate::model::user::SiteRole;
use crate::server::html::layout::{Visit, role_word};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::{Input, Line, notes};
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
    /// Names of the groups that who looks may let someone into.
    pub groups: Vec<String>,
    /// Whether there are more than these.
    pub is_more: bool,
    /// Those that were chosen.
    pub chosen: Vec<String>,
    /// Roles that were chosen.
    pub roles: Vec<String>,
    /// What was typed.
    pub input: Input,
}

impl Render for Invitations {
    fn render(&self) -> Markup {
        BesidePeople {
            visit: &self.visit,
            title: "Invitations",
            text: "Whoever has the link makes an account with it, once.",
            button: ("person-plus", "Invite someone"),
            above: self.made(),
            asking: self.asking(),
            list: (!self.open.is_empty()).then(|| self.table()),
            none: ("people", "No invitation is open."),
        }
        .render()
    }
}

impl Invitations {
    fn made(&self) -> Markup {
        html! {
            @if let Some(link) = &self.made {
                (code::made("The invitation is made.", "Copy its link now; it is not shown again.", &[("made", link)]))
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
            (self.groups())
            (Line { id: "f-days", name: "days", label: "Ends after days", kind: "number", value: "7", hint: "At most 30.", ..Line::default() }.draw(&self.input))
            @if gives_roles {
                fieldset class="field" {
                    legend { "Roles on the whole site" }
                    @for role in SiteRole::ALL {
                        @let is_chosen = self.roles.iter().any(|name| name == role.as_str());
                        label class="check" { input type="checkbox" name="role" value=(role) checked[is_chosen]; span { (role_word(*role)) } }
                    }
                }
            }
        }
    }

    /// A box for each group; what has none is typed.
    fn groups(&self) -> Markup {
        let error = self.input.error("groups");
        html! {
            @if !self.groups.is_empty() {
                fieldset class="field" id=[(!self.is_more).then_some("f-groups")] {
                    legend { "Groups" }
                    div class="pills" {
                        @for name in &self.groups {
                            label { input type="checkbox" name="group" value=(name) checked[self.chosen.contains(name)]; (name) }
                        }
                    }
                    @if !self.is_more { (notes("f-groups", "", error)) }
                }
            }
            @if self.is_more {
                (Line { id: "f-groups", name: "groups", label: "Other groups", optional: true, hint: "Names, with commas between.", ..Line::default() }.draw(&self.input))
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
