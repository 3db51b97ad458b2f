//! What an entry of the audit log tells: who, what was done in words, and on which thing.

use maud::{Markup, html};

use super::icon::icon;
use super::{avatar, badge};
use crate::model::audit::shown::{Shown, Thing};
use crate::model::audit::{AuditAction, AuditActor, AuditResult, AuditTarget};
use crate::model::user::{TokenEntry, TokenKind, UserRef};
use crate::server::html::paths::{self, Home, Place};

/// What was done, or was not: `changed workspace`, `change workspace`.
#[must_use]
pub fn words(action: AuditAction, target: AuditTarget, result: AuditResult) -> String {
    // A build is how a workspace is started.
    let started = target == AuditTarget::WorkspaceBuild
        && matches!(action, AuditAction::Start | AuditAction::Stop | AuditAction::Delete);
    let noun = if started { "workspace" } else { noun(target) };
    let (done, asked) = verb(action);
    let verb = if result == AuditResult::Done { done } else { asked };
    match action {
        AuditAction::Login | AuditAction::Logout | AuditAction::Register => verb.to_owned(),
        AuditAction::Create
        | AuditAction::Write
        | AuditAction::Delete
        | AuditAction::Start
        | AuditAction::Stop
        | AuditAction::Open => format!("{verb} {noun}"),
    }
}

/// A verb as what was done and as what was asked for.
const fn verb(action: AuditAction) -> (&'static str, &'static str) {
    match action {
        AuditAction::Create => ("made", "make"),
        AuditAction::Write => ("changed", "change"),
        AuditAction::Delete => ("deleted", "delete"),
        AuditAction::Start => ("started", "start"),
        AuditAction::Stop => ("stopped", "stop"),
        AuditAction::Login => ("signed in", "sign in"),
        AuditAction::Logout => ("signed out", "sign out"),
        AuditAction::Register => ("made an account", "make an account"),
        AuditAction::Open => ("looked into", "look into"),
    }
}

/// A kind of action in a list of them.
#[must_use]
pub const fn action_word(action: AuditAction) -> &'static str {
    match action {
        AuditAction::Create => "Made",
        AuditAction::Write => "Changed",
        AuditAction::Delete => "Deleted",
        AuditAction::Start => "Started",
        AuditAction::Stop => "Stopped",
        AuditAction::Login => "Signed in",
        AuditAction::Logout => "Signed out",
        AuditAction::Register => "Made an account",
        AuditAction::Open => "Looked into",
    }
}

/// A kind of thing.
#[must_use]
pub const fn noun(target: AuditTarget) -> &'static str {
    match target {
        AuditTarget::User => "account",
        AuditTarget::ApiKey => "token",
        AuditTarget::GitSshKey => "SSH key",
        AuditTarget::Template => "template",
        AuditTarget::TemplateVersion => "template version",
        AuditTarget::Workspace => "workspace",
        AuditTarget::WorkspaceBuild => "build",
        AuditTarget::Group => "group",
        AuditTarget::Organization => "organization",
        AuditTarget::OrganizationMember => "membership",
        AuditTarget::Invitation => "invitation",
        AuditTarget::CustomRole => "role",
        AuditTarget::Rotation => "rotation",
        AuditTarget::Recording => "recording",
        AuditTarget::Request => "request",
        AuditTarget::BreakGlass => "emergency",
        AuditTarget::Setting => "setting",
    }
}

/// Who did it, with the token they came with.
#[must_use]
pub fn who(shown: &Shown) -> Markup {
    let note = through(shown.token.as_ref());
    match &shown.user {
        Some(user) => {
            let me = UserRef::of(user);
            let inside = html! {
                (avatar::of_kind(&me, user.kind, ""))
                span { (me.username) @if !note.is_empty() { " " small { (note) } } }
            };
            html! {
                @if shown.is_user_seen { a class="who" href=(paths::person(&me.username)) { (inside) } }
                @else { span class="who" { (inside) } }
            }
        }
        None => {
            let (picture, name) = nameless(shown.row.source.actor);
            html! {
                span class="who" { span class="avatar" aria-hidden="true" { (icon(picture)) } span { (name) } }
            }
        }
    }
}

/// Who did it, in a word.
#[must_use]
pub fn name(shown: &Shown) -> String {
    let named = shown.user.as_ref().map(|user| user.username.to_string());
    named.unwrap_or_else(|| nameless(shown.row.source.actor).1.to_owned())
}

/// Whoever has no account, or whose account is not known any more.
const fn nameless(actor: AuditActor) -> (&'static str, &'static str) {
    match actor {
        AuditActor::User => ("people", "someone gone"),
        AuditActor::Agent => ("box", "an agent"),
        AuditActor::System => ("clock", "the server"),
        AuditActor::Scim => ("people", "the identity provider"),
        AuditActor::Nobody => ("hand", "nobody known"),
    }
}

/// A token as a note; nothing for a session, which is the usual way.
fn through(token: Option<&TokenEntry>) -> String {
    match token.map(|token| (token.kind, token.name.as_str())) {
        Some((TokenKind::Api, name)) => format!("by token {name}"),
        Some((TokenKind::Workspace, _)) => "by a workspace’s token".to_owned(),
        Some((TokenKind::Session, _)) | None => String::new(),
    }
}

/// On which thing, with a link where it opens.
#[must_use]
pub fn thing(shown: &Shown) -> Markup {
    let name = shown.row.entry.target_name.as_str();
    let href = shown.thing.as_ref().map(href);
    html! {
        @match href {
            _ if name.is_empty() => span class="note" { "no name" },
            Some(href) => a href=(href) { (name) },
            None => (name),
        }
    }
}

/// Where a thing's page is.
fn href(thing: &Thing) -> String {
    match thing {
        Thing::Workspace(owner, name) => Place::new(owner, name).page().to_owned(),
        Thing::Build(owner, name, number) => Place::new(owner, name).build(*number),
        Thing::Template(home, name) => paths::template_at(home, name),
        Thing::Version(home, template, name) => paths::version_at(home, template, name),
        Thing::User(name) => paths::person(name),
        Thing::Group(name) => Home::default().group(name),
        Thing::Member(name) => Home::default().member(name),
        Thing::Role(name) => Home::default().role(name),
    }
}

/// Says that it was not done.
#[must_use]
pub fn denied(result: AuditResult) -> Markup {
    html! { @if result == AuditResult::Denied { (badge::badge(badge::Look::Failed, "Denied")) " " } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_is_told_as_people_say_it() {
        let check = |action, target, result, expected: &str| {
            assert_eq!(words(action, target, result), expected);
        };
        let (done, denied) = (AuditResult::Done, AuditResult::Denied);
        check(AuditAction::Write, AuditTarget::Template, done, "changed template");
        check(AuditAction::Delete, AuditTarget::User, denied, "delete account");
        check(AuditAction::Start, AuditTarget::WorkspaceBuild, done, "started workspace");
        check(AuditAction::Write, AuditTarget::WorkspaceBuild, done, "changed build");
        check(AuditAction::Login, AuditTarget::User, denied, "sign in");
        check(AuditAction::Register, AuditTarget::User, done, "made an account");
    }
}
