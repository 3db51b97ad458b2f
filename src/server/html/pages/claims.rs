//! What providers say of someone, and what the operator's mapping makes of each word.

use maud::{Markup, Render, html};

use crate::model::login_method::{LoginMethod, LoginMethods, Reading};
use crate::model::name::RoleName;
use crate::model::sync::{GroupHere, Left, Mapped, Origin, Outcome, PlaceOutcome, Synced};
use crate::model::user::{Organization, SiteRole, User};
use crate::server::html::layout::{Page, Section, Visit, crumbs, role_word};
use crate::server::html::parts::notice::{Tone, empty, notice};
use crate::server::html::parts::table::{Column, Table, cell, row};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page of someone's claims.
pub struct ClaimsPage {
    /// Who looks.
    pub visit: Visit,
    /// Whose claims.
    pub user: User,
    /// How they sign in at providers.
    pub logins: LoginMethods,
}

/// Characters of a claim that are shown before it is opened.
const SHOWN: usize = 120;

impl Render for ClaimsPage {
    fn render(&self) -> Markup {
        let name = self.user.username.as_str();
        let person = paths::person(&self.user.username);
        let section = if self.visit.sees_people() { Section::People } else { Section::Elsewhere };
        let body = html! {
            header class="page-head" {
                div {
                    @if self.visit.sees_people() { (crumbs(&[("People", paths::PEOPLE), (name, &person)])) } @else { (crumbs(&[(name, &person)])) }
                    h1 { "Claims" }
                    p { "What providers last said of " (name) ", and what the rules of now make of it: the next sign-in or renewal does the same." }
                }
            }
            div class="stack" {
                @if self.logins.methods.is_empty() {
                    section class="card" aria-label="Claims" { (empty("access", &html! { (name) " has not signed in at a provider." }, &html! {})) }
                }
                @for (n, method) in self.logins.methods.iter().enumerate() { (self.method(n, method)) }
            }
        };
        let title = format!("Claims of {name}");
        Page { title: &title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl ClaimsPage {
    fn method(&self, n: usize, method: &LoginMethod) -> Markup {
        let (identity, now) = (&method.identity, self.visit.now);
        let id = format!("provider-{n}");
        html! {
            section class="card" aria-labelledby=(id) {
                header {
                    h2 id=(id) { (identity.provider) }
                    span class="note" { "last spoke " (time::ago(identity.last_used_at, now)) }
                }
                dl class="body kv" {
                    dt { "Issuer" } dd { (identity.issuer) }
                    dt { "Subject" } dd { code { (identity.subject) } }
                    dt { "E-mail" } dd { (identity.email) }
                    dt { "Since" } dd { (time::at(identity.created_at, now)) }
                }
                @match &method.reading {
                    Reading::Made(outcome) => { (self.outcome(n, outcome)) (said(n, &method.claims.texts())) }
                    Reading::TooMuch => div class="body" { (notice(Tone::Info, &html! { "The provider said more than is kept here, so what became of each word cannot be shown." }, &html! {})) },
                    Reading::NoProvider => {
                        div class="body" { (notice(Tone::Warn, &html! { "This provider is not set up any more: nobody signs in by it, and nothing follows from what it said." }, &html! {})) }
                        (said(n, &method.claims.texts()))
                    }
                }
            }
        }
    }

    fn outcome(&self, n: usize, outcome: &Outcome) -> Markup {
        let Outcome { organizations, roles, places } = outcome;
        html! {
            @if organizations.is_none() && roles.is_none() && places.is_empty() {
                p class="body note" { "No groups, roles or organizations follow this provider." }
            }
            @if let Some(synced) = organizations { (table(n, ("Organizations", "organization"), synced, &organization)) }
            @if let Some(synced) = roles {
                (table(n, ("Roles", "role"), synced, &role))
                @if self.user.has(SiteRole::Owner) && synced.given().all(|r| *r != SiteRole::Owner) {
                    p class="body note" { (self.user.username) " is an owner by another provider, or as the last one, who stays." }
                }
            }
            // Rows are numbered apart from those of the whole site.
            @for (at, place) in places.iter().enumerate() { (self.place((n + 1) * 1000 + at, (place, places.len() > 1))) }
        }
    }

    fn place(&self, n: usize, (place, is_one_of_many): (&PlaceOutcome, bool)) -> Markup {
        let PlaceOutcome { organization, groups, roles } = place;
        let is_named = is_one_of_many || !organization.is_default;
        let title = |what: &str| {
            if is_named { format!("{what} in {}", organization.label()) } else { what.to_owned() }
        };
        let belongs = self.user.organizations.contains(&organization.id);
        html! {
            @if let Some(synced) = groups { (table(n, (&title("Groups"), "group"), synced, &|here: &GroupHere| group(organization, here))) }
            @if let Some(synced) = roles {
                (table(n, (&title("Roles"), "role"), synced, &|role: &RoleName| html! { (role) }))
            }
            @if !belongs {
                p class="body note" { (self.user.username) " is not in " (organization.label()) " now: nothing follows there until they are." }
            }
        }
    }
}

/// What became of the values of a claim, as many things and each as one.
pub(super) fn table<T>(
    n: usize,
    (many, one): (&str, &str),
    synced: &Synced<T>,
    here: &impl Fn(&T) -> Markup,
) -> Markup {
    let from = match synced.origin {
        Origin::File => "by the server's settings",
        Origin::Set => "as it was set here",
    };
    let caption = html! {
        (many) @if !synced.field.is_empty() { " from the claim " code { (synced.field) } }
        " " span class="note" { (from) }
    };
    let line = |(at, mapped): (usize, &Mapped<T>)| {
        let head = match mapped.value.as_str() {
            "" => html! { span class="note" { "everyone who signs in" } },
            value => html! { code { (value) } },
        };
        let gives = match &mapped.became {
            Ok(thing) => here(thing),
            Err(left) => html! { span class="note" { (why(left, one)) } },
        };
        row(&format!("{one}-{n}-{at}"), &head, &[cell("Here", &gives)])
    };
    let columns = [Column::Head("Value there"), Column::Head("Gives here")];
    let rows = html! { @for item in synced.mapped.iter().enumerate() { (line(item)) } };
    html! {
        header { h3 { (caption) } }
        @if synced.mapped.is_empty() {
            p class="body note" { "The claim is not there or holds nothing." }
        } @else {
            (Table { caption: many, class: "claims", columns: &columns, rows })
        }
    }
}

/// Why a value gives nothing.
fn why(left: &Left, one: &str) -> Markup {
    html! {
        @match left {
            Left::Filtered(name) => { code { (name) } " is left out by the filter" },
            Left::Unfit(name) => { "no " (one) " can be named " code { (name) } "; map it to another name" },
            Left::Unknown(name) => { "there is no " (one) " " code { (name) } " here" },
            Left::Unmapped => "not mapped",
            Left::Implied(name) => { "everyone has " code { (name) } },
            Left::Again(name) => { code { (name) } ", as above" },
        }
    }
}

fn organization(organization: &Organization) -> Markup {
    html! { (organization.name) }
}

fn role(role: &SiteRole) -> Markup {
    html! { (role_word(*role)) }
}

pub(super) fn group(place: &Organization, group: &GroupHere) -> Markup {
    html! {
        @match group {
            GroupHere::There(group) => a href=(paths::Home::of(place).group(&group.name)) { (group.name) },
            GroupHere::New(name) => { (name) " " span class="note" { "made at the next sign-in" } },
        }
    }
}

/// The claims as they came.
fn said(n: usize, claims: &[(String, String)]) -> Markup {
    let line = |(at, (name, value)): (usize, &(String, String))| {
        let short: String = value.chars().take(SHOWN).collect();
        let shown = html! {
            @if short.len() < value.len() { details { summary { code { (short) "…" } } code { (value) } } } @else { code { (value) } }
        };
        row(&format!("claim-{n}-{at}"), &html! { code { (name) } }, &[cell("", &shown)])
    };
    let columns = [Column::Head("Claim"), Column::Head("Value")];
    let rows = html! { @for item in claims.iter().enumerate() { (line(item)) } };
    html! {
        header { h3 { "As it came" } }
        (Table { caption: "Claims", class: "claims", columns: &columns, rows })
    }
}
