//! The pages of the ways to sign in, in every state.

use std::collections::BTreeMap;

use maud::Render as _;
use steading::model::factor::MfaRoles;
use steading::model::identity::Identity;
use steading::model::provider::{
    Changed, Comers, DEFAULT, Fact, Kept, Listed, ProviderKind, Steps,
};
use steading::model::user::{LoginType, User};
use steading::server::html::pages::provider_form::{FormState, ProviderForm};
use steading::server::html::pages::providers::Providers;
use steading::server::html::pages::second_factors::SecondFactors;
use steading::server::html::pages::ways_in::{GoOn, WaysIn};
use steading::server::html::parts::form::Input;

use super::fixtures::{ada, before, grace, id, linus, visit};
use super::{Scene, scene};

/// Two providers that Ada comes by, one of them with much to say, and one more that there is.
pub fn ways() -> WaysIn {
    let one = |n: u128, provider: &str, email: &str| Identity {
        id: id(2300 + n),
        user_id: ada().id,
        provider: provider.into(),
        issuer: "https://auth.hearth.lan".into(),
        subject: "0a1b".into(),
        email: email.into(),
        claims: "{}".into(),
        created_at: before(9_000_000),
        last_used_at: before(7_200),
    };
    WaysIn {
        identities: vec![
            one(1, "hearth", "ada@hearth.lan"),
            one(2, "github", "augusta.ada.king.countess.of.lovelace@example.org"),
        ],
        joinable: vec![("example".into(), "example".into())],
    }
}

fn listed(kind: ProviderKind, name: &str, facts: &[(&str, &str, &str)]) -> Listed {
    let fact = |(key, value, from): &(&str, &str, &str)| Fact {
        key: (*key).into(),
        value: (*value).into(),
        from: (*from).into(),
    };
    Listed {
        kind,
        name: name.into(),
        title: name.into(),
        facts: facts.iter().map(fact).collect(),
        addresses: vec![],
        people: Some(1),
        kept: Kept::Elsewhere,
    }
}

fn changed() -> Changed {
    Changed { by: "olga".into(), at: before(250_000) }
}

/// Ways that are stored: in force, behind the file, and of no use.
fn stored_ways() -> Vec<Listed> {
    let facts = [("issuer", "https://id.hearth.lan", "this page")];
    let one = |name: &str, kept| Listed { kept, ..listed(ProviderKind::Oidc, name, &facts) };
    let why = "its secret was sealed with another master key; give it again".to_owned();
    let mut all = all_ways();
    all.truncate(1);
    all.extend([
        one("hearth", Kept::Here(changed())),
        one("file-and-page", Kept::Both),
        Listed { facts: vec![], ..one("broken", Kept::Broken(changed(), why)) },
    ]);
    all
}

/// Texts of a form.
fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

fn form(kind: ProviderKind, state: FormState) -> ProviderForm {
    let link = if kind == ProviderKind::Ldap { "none" } else { "members" };
    ProviderForm {
        visit: visit(ada()),
        kind,
        state,
        values: texts(&[("allow_signups", "yes"), ("link_by_email", link)]),
        input: Input::default(),
        kept: String::new(),
        tried: None,
        addresses: vec![],
    }
}

fn forms() -> Vec<Scene> {
    let new = |kind, name: &str| form(kind, FormState::New(name.to_owned()));
    let callback = "https://steading.lan/login/oidc/sso/callback";
    let oidc = |tried, input, kept: &str| ProviderForm {
        addresses: vec![("Callback", callback.into())],
        values: texts(&[
            ("issuer", "https://auth.hearth.lan"),
            ("client_id", "steading"),
            ("group_mapping", "cn=potters,ou=groups,dc=hearth,dc=lan = potters"),
            ("link_by_email", "members"),
        ]),
        tried,
        input,
        kept: kept.to_owned(),
        ..new(ProviderKind::Oidc, "sso")
    };
    let wrong = Input::wrong(BTreeMap::new(), "group_mapping", "Write WORD = NAME.");
    let stored = |people, stranded| {
        let comers = Comers { people, stranded };
        ProviderForm {
            state: FormState::Stored("hearth".to_owned(), comers),
            ..oidc(None, Input::default(), "")
        }
    };
    let behind = FormState::Behind("hearth".to_owned());
    vec![
        scene("provider-new", oidc(None, Input::default(), "").render()),
        scene(
            "provider-new-tested",
            oidc(Some(steps(true)), Input::default(), "c2VhbGVk").render(),
        ),
        scene("provider-new-wrong", oidc(None, wrong, "c2VhbGVk").render()),
        scene("provider-new-github", new(ProviderKind::Github, "github").render()),
        scene("provider-new-directory", new(ProviderKind::Ldap, "ldap").render()),
        scene("provider-new-scim", new(ProviderKind::Scim, "scim").render()),
        scene("provider-stored", stored(27, 3).render()),
        scene("provider-stored-unused", stored(0, 0).render()),
        scene("provider-behind", form(ProviderKind::Oidc, behind).render()),
    ]
}

fn all_ways() -> Vec<Listed> {
    let issuer = "https://auth.hearth.lan/realms/a-realm-with-a-long-name-that-does-not-end";
    let oidc = listed(
        ProviderKind::Oidc,
        "hearth",
        &[
            ("issuer", issuer, "file"),
            ("client_secret", "set", "CODER_OIDC_*"),
            ("scopes", "openid, profile, email", DEFAULT),
        ],
    );
    let addresses = vec![
        ("Callback", "https://steading.lan/login/oidc/hearth/callback".into()),
        ("Back-channel logout", "https://steading.lan/login/oidc/hearth/backchannel-logout".into()),
    ];
    let ldap = listed(ProviderKind::Ldap, "ldap", &[("url", "ldap://ldap.lan:389", "file")]);
    let scim = listed(ProviderKind::Scim, "scim", &[("token", "set", "file")]);
    vec![
        Listed { people: Some(4), ..listed(ProviderKind::Password, "password", &[]) },
        Listed { addresses, people: Some(27), ..oidc },
        Listed { people: Some(0), ..ldap },
        Listed { people: None, ..scim },
    ]
}

fn steps(is_wrong: bool) -> Steps {
    let mut steps = Steps::default();
    let ok = |text: &str| Ok((text.to_owned(), ()));
    steps.note("Discovery document", ok("https://auth.hearth.lan/.well-known/… answers"));
    steps.note("Keys", ok("2 keys can be used"));
    if is_wrong {
        let why = "it does not take client_id and client_secret (\"client authentication failed\"); \
                   compare both with what is registered there";
        steps.note::<()>("Client", Err(why.to_owned()));
    }
    steps
}

/// Who must have a second factor: as settings name it, as owners have added it.
fn second_factors(told: &[&str], added: &[&str], lacking: Vec<User>) -> SecondFactors {
    let roles = |names: &[&str]| MfaRoles::parse(names.iter().copied()).unwrap();
    SecondFactors {
        visit: visit(ada()),
        told: roles(told),
        from: "STEADING_MFA_REQUIRED_ROLES".into(),
        added: roles(added),
        changes: true,
        total: i64::try_from(lacking.len()).unwrap(),
        lacking,
        offset: 0,
        input: Input::default(),
    }
}

fn second_factor_scenes() -> Vec<Scene> {
    let kept = User { login_type: LoginType::Oidc, ..grace() };
    let bars = vec![kept, linus()];
    let asked = second_factors(&["owner"], &["member"], bars.clone());
    let many = SecondFactors { total: 1_240, offset: 100, ..asked };
    let read = second_factors(&[], &["user-admin", "organization-admin"], bars);
    let wrong = Input::wrong([].into(), "role", "\"king\" is no role; write one of member, owner.");
    let wrong = SecondFactors { input: wrong, ..second_factors(&[], &[], vec![]) };
    vec![
        scene("second-factors", many.render()),
        scene("second-factors-none", second_factors(&[], &[], vec![]).render()),
        scene("second-factors-all-have", second_factors(&[], &["owner"], vec![]).render()),
        scene("second-factors-reader", SecondFactors { changes: false, ..read }.render()),
        scene("second-factors-wrong", wrong.render()),
    ]
}

/// Every one of them.
pub fn all() -> Vec<Scene> {
    let page = |tries, tried: Option<(&str, Steps)>| Providers {
        visit: visit(ada()),
        listed: all_ways(),
        tries,
        tried: tried.map(|(name, steps)| (name.to_owned(), steps)),
        input: Input::default(),
    };
    let go_on = GoOn { title: "hearth".into(), href: "https://auth.hearth.lan/authorize".into() };
    let stored = Providers { listed: stored_ways(), ..page(true, None) };
    let mut all = forms();
    all.extend([
        scene("providers-stored", stored.render()),
        scene("providers", page(true, None).render()),
        scene("providers-reader", page(false, None).render()),
        scene("providers-tested", page(true, Some(("hearth", steps(false)))).render()),
        scene("providers-wrong", page(true, Some(("hearth", steps(true)))).render()),
        scene("providers-directory", page(true, Some(("ldap", steps(true)))).render()),
        scene("way-in-go-on", go_on.render()),
    ]);
    all.extend(second_factor_scenes());
    all
}
