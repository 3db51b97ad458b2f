//! The frame around every page: head, way round, messages, main part.

use maud::{Markup, Render, html};

use super::parts::icon::{icon, wordmark};
use super::parts::notice::{self, Flash};
use super::paths::{self, Home};
use super::{assets, raw};
use crate::model::id::OrganizationId;
use crate::model::policy::{Action, Belonging, Permission, ResourceType, Subject};
use crate::model::time::Timestamp;
use crate::model::user::{SiteRole, User, UserKind, UserRef};

/// The token that proves that a form came from one of our pages; it draws itself as a hidden field, or not
/// at all when it is empty: before signing in there is no session to bind it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csrf(pub String);

impl Csrf {
    /// The name of the field.
    pub const FIELD: &'static str = "csrf";
}

impl Render for Csrf {
    fn render(&self) -> Markup {
        html! { @if !self.0.is_empty() { input type="hidden" name=(Self::FIELD) value=(self.0); } }
    }
}

/// Who looks at a page, and when.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Who is signed in.
    pub user: User,
    /// For the forms of the page.
    pub csrf: Csrf,
    /// What the last page did.
    pub flash: Option<Flash>,
    /// The time that the page is for.
    pub now: Timestamp,
    /// Where they may go.
    pub ways: Ways,
    /// The organization to whose pages they are led, where none is named.
    pub home: Home,
    /// Requests and emergencies that wait for them.
    pub waiting: usize,
}

/// The parts of the site that are not everyone's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// The list of people.
    pub people: bool,
    /// Adding templates.
    pub templates: bool,
    /// The groups, members and roles of the organization that they are led to.
    pub groups: bool,
    /// The audit log.
    pub audit: bool,
    /// Recordings of sessions.
    pub recordings: bool,
    /// The ways to sign in.
    pub providers: bool,
    /// Who must have a second factor.
    pub second_factors: bool,
    /// Organizations, where they see several.
    pub organizations: bool,
    /// What follows providers in the organization that they are led to.
    pub syncs: bool,
    /// Who is on call, in some organization.
    pub rotations: bool,
    /// Reviewing access, which is due.
    pub review_due: bool,
}

impl Ways {
    /// What someone's roles open, on the site or in any organization of theirs.
    #[must_use]
    pub fn of(subject: &Subject) -> Self {
        let site = |kind, action| subject.site.contains(Permission(kind, action));
        let any = |kind, action| {
            let there = |b: &Belonging| b.held.contains(Permission(kind, action));
            site(kind, action) || subject.organizations.iter().any(there)
        };
        Self {
            people: site(ResourceType::User, Action::Create),
            templates: any(ResourceType::Template, Action::Create),
            groups: any(ResourceType::Group, Action::Read),
            audit: site(ResourceType::AuditLog, Action::Read),
            recordings: site(ResourceType::AuditLog, Action::Read),
            providers: site(ResourceType::IdpsyncSettings, Action::Read),
            second_factors: site(ResourceType::DeploymentConfig, Action::Read),
            organizations: subject.organizations.len() > 1,
            syncs: any(ResourceType::IdpsyncSettings, Action::Read),
            rotations: any(ResourceType::Rotation, Action::Read),
            review_due: false,
        }
    }

    /// The same where someone is led to the pages of one organization, or of none.
    #[must_use]
    pub fn at(self, subject: &Subject, home: Option<OrganizationId>) -> Self {
        let may = |kind| {
            let read = Permission(kind, Action::Read);
            let there = |id| subject.held_in(id).contains(read);
            subject.site.contains(read) || home.is_some_and(there)
        };
        Self { groups: may(ResourceType::Group), syncs: may(ResourceType::IdpsyncSettings), ..self }
    }
}

impl Visit {
    /// The one who looks, as others see them.
    #[must_use]
    pub fn me(&self) -> UserRef {
        UserRef { id: self.user.id, username: self.user.username.clone() }
    }

    /// Whether the list of people is theirs to see.
    #[must_use]
    pub fn sees_people(&self) -> bool {
        self.ways.people
    }

    /// Whether they may add templates.
    #[must_use]
    pub fn edits_templates(&self) -> bool {
        self.ways.templates
    }
}

/// The part of the site that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Workspaces.
    Workspaces,
    /// Templates.
    Templates,
    /// People.
    People,
    /// Organizations, where there are several.
    Organizations,
    /// Groups of an organization.
    Groups,
    /// Members of an organization.
    Members,
    /// Roles of an organization.
    Roles,
    /// Requests for access.
    Requests,
    /// Who reaches what.
    Access,
    /// Rotations of an organization.
    Rotations,
    /// Recordings of sessions.
    Recordings,
    /// The audit log.
    Audit,
    /// The ways to sign in.
    Providers,
    /// Who must have a second factor.
    SecondFactors,
    /// How mails are sent.
    Mail,
    /// One's own account, tokens and keys.
    Settings,
    /// None of them.
    Elsewhere,
}

/// A page of someone who is signed in.
pub struct Page<'a> {
    /// What the tab is called, before the name of the site.
    pub title: &'a str,
    /// Who looks.
    pub visit: &'a Visit,
    /// Which entry of the way round is lit.
    pub section: Section,
    /// The stream that feeds the page; none for a page that stands still.
    pub live: Option<&'a str>,
    /// The main part.
    pub body: Markup,
}

impl Render for Page<'_> {
    fn render(&self) -> Markup {
        let streams = self.live.is_some();
        html! {
            (raw::DOCTYPE)
            html lang="en" {
                (head(self.title))
                body class="app" {
                    a class="skip" href="#main" { "Skip to content" }
                    (topbar())
                    (sidebar(self.visit, self.section))
                    main id="main" tabindex="-1" hx-sse:connect=[self.live] hx-swap=[streams.then_some("none")] {
                        @if let Some(flash) = &self.visit.flash { (notice::flash(flash)) }
                        (self.body)
                    }
                }
            }
        }
    }
}

/// A page with nothing around it: setup, login, and what the CLI opens.
pub struct Solo<'a> {
    /// What the tab is called.
    pub title: &'a str,
    /// `wide` or empty.
    pub class: &'a str,
    /// The main part.
    pub body: Markup,
}

impl Render for Solo<'_> {
    fn render(&self) -> Markup {
        html! {
            (raw::DOCTYPE)
            html lang="en" {
                (head(self.title))
                body class="solo" {
                    header { a class="wordmark" href="/" aria-label="Steading" { (wordmark()) } }
                    main id="main" class=[Some(self.class).filter(|c| !c.is_empty())] { (self.body) }
                }
            }
        }
    }
}

/// What is open stays open when a part of the page is replaced.
const HTMX: &str = r#"{"morphIgnore":["data-htmx-powered","open"],"includeIndicatorCSS":false}"#;

/// The head of a document.
#[must_use]
pub fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="htmx-config" content=(HTMX);
            title { (title) " · Steading" }
            link rel="icon" href=(assets::FAVICON_SVG) type="image/svg+xml";
            link rel="stylesheet" href=(assets::STYLE_CSS);
            script src=(assets::STEADING_JS) defer {}
        }
    }
}

fn topbar() -> Markup {
    html! {
        header class="topbar" {
            a class="wordmark" href="/" aria-label="Steading, home" { (wordmark()) }
            button class="button quiet square" type="button" popovertarget="nav" aria-label="Menu" { (icon("menu")) }
        }
    }
}

fn sidebar(visit: &Visit, section: Section) -> Markup {
    let me = visit.me();
    html! {
        nav id="nav" class="sidebar" popover aria-label="Main" {
            a class="wordmark" href="/" aria-label="Steading, home" { (wordmark()) }
            form class="find" role="search" aria-label="Everywhere" action=(paths::FIND) method="get" {
                (icon("search"))
                input type="search" name="q" aria-label="Find anything or run a command" placeholder="Find or run" autocomplete="off" data-palette;
                kbd aria-hidden="true" { "Ctrl K" }
            }
            h2 id="nav-work" { "Work" }
            ul class="nav" aria-labelledby="nav-work" {
                (entry(paths::WORKSPACES, "workspaces", "Workspaces", section == Section::Workspaces))
                (entry(paths::TEMPLATES, "templates", "Templates", section == Section::Templates))
                (requests(visit.waiting, section == Section::Requests))
                @if visit.ways.rotations { (entry(paths::ROTATIONS, "rotations", "Rotations", section == Section::Rotations)) }
            }
            @if visit.ways.people || visit.ways.groups || visit.ways.audit || visit.ways.recordings || visit.ways.organizations {
                h2 id="nav-govern" { "Govern" }
                ul class="nav" aria-labelledby="nav-govern" {
                    @if visit.ways.people { (entry(paths::PEOPLE, "people", "People", section == Section::People)) }
                    @if visit.ways.organizations { (entry(paths::ORGANIZATIONS, "board", "Organizations", section == Section::Organizations)) }
                    @else if visit.ways.groups {
                        (entry(&visit.home.groups(), "people", "Groups", section == Section::Groups))
                        (entry(&visit.home.members(), "person-plus", "Members", section == Section::Members))
                        (entry(&visit.home.roles(), "access", "Roles", section == Section::Roles))
                    }
                    @if visit.ways.audit { (review(visit.ways.review_due, section)) }
                    @if visit.ways.recordings { (entry(paths::RECORDINGS, "recordings", "Recordings", section == Section::Recordings)) }
                    @if visit.ways.audit { (entry(paths::AUDIT, "audit", "Audit log", section == Section::Audit)) }
                }
            }
            (running(visit, section))
            h2 id="nav-mine" { "Mine" }
            ul class="nav" aria-labelledby="nav-mine" {
                (entry(paths::TOKENS, "token", "My keys", section == Section::Settings))
            }
            footer {
                ul class="nav" aria-label="You" {
                    li {
                        a href=(paths::ACCOUNT) {
                            (super::parts::avatar::of_kind(&me, UserKind::Person, "lit"))
                            (me.username)
                            @if let Some(role) = visit.user.roles.first() { small class="note" { (role_word(*role)) } }
                        }
                    }
                }
                form method="post" action=(paths::LOGOUT) {
                    (visit.csrf)
                    button class="button quiet wide" { (icon("leave")) "Sign out" }
                }
            }
        }
    }
}

/// The entries for who runs the server.
fn running(visit: &Visit, section: Section) -> Markup {
    html! {
        @if visit.ways.providers || visit.ways.second_factors {
            h2 id="nav-run" { "Run" }
            ul class="nav" aria-labelledby="nav-run" {
                @if visit.ways.providers { (entry(paths::PROVIDERS, "lock", "Ways to sign in", section == Section::Providers)) }
                @if visit.ways.second_factors {
                    (entry(paths::SECOND_FACTORS, "hand", "Second factors", section == Section::SecondFactors))
                    (entry(paths::MAIL, "mail", "Mail", section == Section::Mail))
                }
            }
        }
    }
}

/// The entry of the access review, which says when one is due.
fn review(is_due: bool, section: Section) -> Markup {
    let here = (section == Section::Access).then_some("page");
    html! {
        li {
            a href=(paths::ACCESS_REVIEW) aria-current=[here] {
                (icon("access")) "Access review"
                @if is_due { small class="note" { "due" } }
            }
        }
    }
}

fn entry(href: &str, name: &str, text: &str, here: bool) -> Markup {
    html! { li { a href=(href) aria-current=[here.then_some("page")] { (icon(name)) (text) } } }
}

/// Requests, with how many wait.
fn requests(waiting: usize, here: bool) -> Markup {
    html! {
        li {
            a href=(paths::REQUESTS) aria-current=[here.then_some("page")] {
                (icon("hand")) "Requests"
                @if waiting > 0 { span class="count" { (waiting) span class="vh" { " waiting" } } }
            }
        }
    }
}

/// A site role as people say it.
#[must_use]
pub const fn role_word(role: SiteRole) -> &'static str {
    match role {
        SiteRole::Owner => "owner",
        SiteRole::UserAdmin => "user admin",
        SiteRole::TemplateAdmin => "template admin",
        SiteRole::Auditor => "auditor",
    }
}

/// The way back up, above a page's head.
#[must_use]
pub fn crumbs(steps: &[(&str, &str)]) -> Markup {
    html! {
        nav class="crumbs" aria-label="Breadcrumb" {
            ol { @for (text, href) in steps { li { a href=(href) { (text) } } } }
        }
    }
}

/// The sections of one's own settings.
#[must_use]
pub fn settings_tabs(here: &str) -> Markup {
    let tabs = [
        (paths::ACCOUNT, "Account"),
        (paths::SECURITY, "Sign-in"),
        (paths::TOKENS, "Tokens"),
        (paths::SSH_KEYS, "SSH keys"),
    ];
    html! {
        nav class="tabs" aria-label="Sections of your settings" {
            @for (href, text) in tabs { a href=(href) aria-current=[(href == here).then_some("page")] { (text) } }
        }
    }
}
