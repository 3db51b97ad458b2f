//! Who belongs to an organization, and one member's roles there.

use maud::{Markup, Render, html};

use crate::model::time::Timestamp;
use crate::model::user::{Organization, User, UserRef};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::pages::what_if::look;
use crate::server::html::parts::button::opens;
use crate::server::html::parts::dialog::{Dialog, type_the_name};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::pager::Pager;
use crate::server::html::parts::place::{Place, Tab};
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare};
use crate::server::html::parts::{avatar, badge, time};
use crate::server::html::paths;

/// The page of an organization's members.
pub struct Members {
    /// Who looks.
    pub visit: Visit,
    /// Where.
    pub place: Place,
    /// Members whom they may see, by name, with the time since when.
    pub members: Vec<(User, Timestamp)>,
    /// How many come before them.
    pub offset: i64,
    /// How many there are in all.
    pub total: i64,
    /// Whether the one who looks may make someone a member.
    pub adds: bool,
    /// What was typed into the form that adds one.
    pub input: Input,
}

impl Render for Members {
    fn render(&self) -> Markup {
        let body = html! {
            (self.place.tabs(Tab::Members))
            header class="page-head" {
                div { h1 { "Members" } p { "Who belongs to " (self.place.organization.label()) ", and what they are there." } }
            }
            div class="split" {
                div class="stack" {
                    section class="card" aria-label="Members" {
                        @if self.members.is_empty() { (empty("people", &html! { "Nobody whom you may see." }, &html! {})) } @else { (self.table()) }
                        (self.pages())
                    }
                }
                @if self.adds { aside class="stack" aria-label="Add a member" { (self.form()) } }
            }
        };
        let section = self.place.section(Section::Members);
        Page { title: "Members", visit: &self.visit, section, live: None, body }.render()
    }
}

impl Members {
    /// Members on a page at most.
    pub const ON_A_PAGE: i64 = 100;

    fn pages(&self) -> Markup {
        let (offset, shown, total) = (self.offset, self.members.len(), self.total);
        let size = Self::ON_A_PAGE;
        let path = &self.place.home().members();
        Pager { path, query: &[], offset, shown, size, total }.render()
    }

    fn table(&self) -> Markup {
        let columns = [
            Column::Head("Name"),
            Column::Head("Status"),
            Column::Head("Roles here"),
            Column::Spare("Since"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for (user, since) in &self.members { (self.member(user, *since)) } };
        html! { (Table { caption: "Members of this organization", class: "", columns: &columns, rows }) }
    }

    fn member(&self, user: &User, since: Timestamp) -> Markup {
        let href = self.place.home().member(&user.username);
        let me = UserRef::of(user);
        let head = html! {
            a class="who" href=(href) { (avatar::of_kind(&me, user.kind, "")) span { (user.username) " " small { (user.email) } } }
        };
        row(
            &format!("m-{}", user.id),
            &head,
            &[
                cell("", &badge::user(user.status)),
                cell("Roles", &html! { (roles_in(user, &self.place.organization)) }),
                spare("Since", &time::at(since, self.visit.now)),
                deeds(&html! {
                    a class="button quiet small square" href=(href) aria-label={ "Open " (user.username) } { (icon("right")) }
                }),
            ],
        )
    }

    fn form(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="add" {
                header { h2 id="add" { "Add a member" } }
                form class="body fields" method="post" action=(self.place.home().members()) {
                    (self.visit.csrf)
                    (Line { id: "f-user", name: "user", label: "User name", hint: "Someone with an account here.", ..Line::default() }.draw(&self.input))
                    (wrongs(&self.input, &[("user", "User name")]))
                    button class="button primary" { "Add" }
                }
            }
        }
    }
}

/// The page of one member.
pub struct MemberPage {
    /// Who looks.
    pub visit: Visit,
    /// Where.
    pub place: Place,
    /// Who.
    pub user: User,
    /// The roles there are: name, name shown, and whether the one who looks may give or take it.
    pub roles: Vec<(String, String, bool)>,
    /// Whether they may change the member's roles.
    pub assigns: bool,
    /// Whether they may end the membership.
    pub removes: bool,
    /// What was typed into the form.
    pub input: Input,
}

impl Render for MemberPage {
    fn render(&self) -> Markup {
        let u = &self.user;
        let members = self.place.home().members();
        let body = html! {
            (self.place.tabs(Tab::Members))
            header class="page-head" {
                div {
                    (crumbs(&[("Members", &members)]))
                    h1 { (avatar::of_kind(&UserRef::of(u), u.kind, "large")) (u.username) " " (badge::user(u.status)) }
                    p { (roles_in(u, &self.place.organization)) " in " (self.place.organization.label()) " · " a href=(paths::person(&u.username)) { "The account" } }
                }
                div class="actions" { @if self.removes { (opens("danger", "remove", &html! { "Remove" })) } }
            }
            div class="stack" { (self.form()) }
            @if self.removes { (self.remove()) }
        };
        let title = u.username.as_str();
        let section = self.place.section(Section::Members);
        Page { title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl MemberPage {
    fn form(&self) -> Markup {
        let held = held(&self.user, &self.place.organization);
        html! {
            section class="card" aria-labelledby="roles" {
                header { h2 id="roles" { "Roles in " (self.place.organization.label()) } }
                form class="body fields" method="post" action=(self.place.home().member_action(&self.user.username, "roles")) {
                    (self.visit.csrf)
                    fieldset class="field" disabled[!self.assigns] {
                        legend { "Beyond plain member" }
                        @for (name, shown, may) in &self.roles {
                            @let has = held.iter().any(|h| h == name);
                            @if has && !may { input type="hidden" name="role" value=(name); }
                            label class="check" {
                                input type="checkbox" name="role" value=(name) checked[has] disabled[!may];
                                span { @if shown.is_empty() { (name) } @else { (shown) } span class="hint" { (name) @if !may { ", which holds more than you do" } } }
                            }
                        }
                    }
                    (wrongs(&self.input, &[]))
                    @if self.assigns { div class="actions" { (look()) button class="button" { "Save roles" } } } @else { p class="note" { "You may not change these." } }
                }
            }
        }
    }

    fn remove(&self) -> Markup {
        let name = self.user.username.as_str();
        let title = format!("Remove {name}");
        Dialog {
            id: "remove",
            title: &title,
            action: &self.place.home().member_action(&self.user.username, "remove"),
            body: html! {
                p { "Ends the membership, and with it roles, groups and permissions here. The account stays, and so do the workspaces, which nobody but their keepers reaches." }
                (type_the_name("r-name", name))
            },
            class: "danger primary",
            deed: &title,
            back: "Keep the member",
        }
        .draw(&self.visit.csrf)
    }
}

/// The names of a member's roles.
fn held(user: &User, organization: &Organization) -> Vec<String> {
    let there = user.organization_roles.iter().filter(|h| h.organization == organization.id);
    there.map(|held| held.role.to_string()).collect()
}

fn roles_in(user: &User, organization: &Organization) -> String {
    let names = held(user, organization);
    if names.is_empty() { "member".to_owned() } else { names.join(", ") }
}
