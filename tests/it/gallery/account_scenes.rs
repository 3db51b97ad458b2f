//! Pages of invitations, of service accounts and of what leaked, in every state.

use maud::Render as _;
use steading::model::id::GroupId;
use steading::model::invitation::Invitation;
use steading::model::time::Timestamp;
use steading::model::user::{SiteRole, User, UserKind, UserRef, UserStatus};
use steading::server::html::layout::Csrf;
use steading::server::html::pages::invitations::Invitations;
use steading::server::html::pages::invite::Invite;
use steading::server::html::pages::leaked_token::{LeakedToken, Told};
use steading::server::html::pages::service_accounts::{Answers, ServiceAccounts};
use steading::server::html::parts::form::Input;

use super::fixtures::{ada, before, id, linus, visit};
use super::{Scene, scene};

const LINK: &str = "https://steading.lan/invite/stB3dE5gH7-kL9mN1pQ3rS5tU7vW9xY1z";

fn wrong(field: &str, why: &str) -> Input {
    Input::wrong([("email".to_owned(), "grace".to_owned())].into(), field, why)
}

fn invitations() -> Vec<Scene> {
    let one = |n: u128, email: &str, roles: &[SiteRole], groups: &[&str]| Invitation {
        id: id(2100 + n),
        email: email.to_owned(),
        roles: roles.to_vec(),
        groups: groups.iter().map(|name| (GroupId(id(2200)), (*name).to_owned())).collect(),
        made_by: UserRef::of(&ada()),
        created_at: before(3_600),
        expires_at: Timestamp(before(0).0 + 6 * 86_400),
    };
    let page = |open: Vec<Invitation>, made: Option<&str>, input| Invitations {
        visit: visit(ada()),
        open,
        made: made.map(str::to_owned),
        groups: ["glaze", "kiln", "night-shift-of-the-west-wing", "potters"]
            .map(str::to_owned)
            .into(),
        is_more: false,
        chosen: vec!["potters".to_owned()],
        roles: vec!["auditor".to_owned()],
        input,
    };
    let open = || {
        vec![
            one(1, "grace@example.org", &[SiteRole::TemplateAdmin], &["potters", "glaze"]),
            one(2, "linus@example.org", &[], &[]),
        ]
    };
    let guest = |email: &str, input| Invite {
        csrf: Csrf(String::new()),
        action: "/invite/x".into(),
        host: "steading.lan".into(),
        made_by: "ada".into(),
        email: email.into(),
        input,
    };
    let short = wrong("password", "6 characters. Use 8 or more.");
    vec![
        scene("invitations", page(open(), None, Input::default()).render()),
        scene("invitations-none", page(vec![], None, Input::default()).render()),
        scene("invitations-made", page(open(), Some(LINK), Input::default()).render()),
        scene(
            "invitations-wrong",
            page(vec![], None, wrong("email", "Must be an e-mail address.")).render(),
        ),
        scene(
            "invitations-many-groups",
            Invitations {
                groups: (1..=60).map(|n| format!("group-{n}")).collect(),
                is_more: true,
                ..page(vec![], None, wrong("groups", "There is no group \"kil\"."))
            }
            .render(),
        ),
        scene(
            "invitations-wrong-group",
            page(vec![], None, wrong("groups", "There is no group \"kil\".")).render(),
        ),
        scene("invite", guest("grace@example.org", Input::default()).render()),
        scene("invite-wrong", guest("grace@example.org", short).render()),
    ]
}

fn service_accounts() -> Vec<Scene> {
    let bot = |n: u128, name: &str, status| User {
        id: id(2300 + n),
        username: name.parse().unwrap(),
        name: "builds the nightly images".to_owned(),
        email: String::new(),
        kind: UserKind::Service,
        status,
        roles: vec![],
        ..linus()
    };
    let answers =
        |who: Option<User>, is_lacking| Answers { who: who.as_ref().map(UserRef::of), is_lacking };
    let all = || {
        vec![
            (bot(1, "nightly", UserStatus::Active), answers(Some(ada()), false)),
            (bot(2, "backup", UserStatus::Suspended), answers(Some(linus()), true)),
            (bot(3, "lost", UserStatus::Suspended), answers(None, true)),
        ]
    };
    let page = |accounts, input| ServiceAccounts { visit: visit(ada()), accounts, input };
    let unknown = wrong("responsible", "Name a person who may sign in.");
    vec![
        scene("service-accounts", page(all(), Input::default()).render()),
        scene("service-accounts-none", page(vec![], Input::default()).render()),
        scene("service-accounts-wrong", page(vec![], unknown).render()),
    ]
}

fn leaked() -> Vec<Scene> {
    let page = |told| LeakedToken { csrf: Csrf(String::new()), told };
    let later = "Too many failed attempts; try again in 1 minute.".to_owned();
    vec![
        scene("leaked-token", page(None).render()),
        scene("leaked-token-ended", page(Some(Told::Ended)).render()),
        scene("leaked-token-unknown", page(Some(Told::Unknown)).render()),
        scene("leaked-token-later", page(Some(Told::Later(later))).render()),
    ]
}

/// All of them.
pub fn all() -> Vec<Scene> {
    [invitations(), service_accounts(), leaked()].concat()
}
