//! Pages of what providers say of someone, in every state.

use maud::Render as _;
use serde_json::json;
use steading::model::identity::{Claims, Identity};
use steading::model::login_method::{LoginMethod, LoginMethods, Reading};
use steading::model::name::{GroupName, RoleName};
use steading::model::set_sync::{SetSync, SyncKind};
use steading::model::sync::{GroupHere, Left, Mapped, Origin, Outcome, PlaceOutcome, Synced};
use steading::model::user::{Group, GroupSource, LoginType, Organization, SiteRole, User};
use steading::server::html::pages::account::Account;
use steading::server::html::pages::claims::ClaimsPage;
use steading::server::html::pages::person::Person;
use steading::server::html::pages::syncs::{SyncPage, Tried};
use steading::server::html::parts::form::Input;
use steading::server::html::parts::place::Place;

use super::fixtures::{ada, before, id, linus, visit};
use super::{Scene, scene};

fn identity(n: u128, provider: &str, issuer: &str, subject: &str) -> Identity {
    Identity {
        id: id(2600 + n),
        user_id: linus().id,
        provider: provider.into(),
        issuer: issuer.into(),
        subject: subject.into(),
        email: "linus@hearth.lan".into(),
        claims: String::new(),
        created_at: before(90 * 86_400),
        last_used_at: before(240),
    }
}

fn gave<T>(value: &str, thing: T) -> Mapped<T> {
    Mapped { value: value.into(), became: Ok(thing) }
}

fn left<T>(value: &str, left: Left) -> Mapped<T> {
    Mapped { value: value.into(), became: Err(left) }
}

fn synced<T>(field: &str, mapped: Vec<Mapped<T>>) -> Synced<T> {
    Synced { field: field.into(), origin: Origin::File, mapped }
}

/// What follows in two organizations, as it was set there.
fn in_places() -> Outcome {
    let role = |name: &str| name.parse::<RoleName>().unwrap();
    let roles = vec![
        gave("keepers", role("organization-template-admin")),
        gave("keepers", role("operator")),
        left("seers", Left::Unknown("wizard".into())),
        left("seers", Left::Implied("organization-member".into())),
    ];
    let kiln = PlaceOutcome {
        organization: Organization { display_name: "The kiln".into(), ..named(2, "kiln") },
        groups: Some(Synced { origin: Origin::Set, ..synced("groups", groups()) }),
        roles: Some(Synced { origin: Origin::Set, ..synced("crafts", roles) }),
    };
    Outcome { places: [outcome().places, vec![kiln]].concat(), ..outcome() }
}

fn named(n: u128, name: &str) -> Organization {
    Organization {
        id: id(n),
        name: name.into(),
        display_name: String::new(),
        description: String::new(),
        created_at: before(30_000_000),
        updated_at: before(30_000_000),
        is_default: n == 1,
        quota_allowance: 0,
        icon: String::new(),
    }
}

fn organizations() -> Vec<Mapped<Organization>> {
    vec![
        gave("", named(1, "default")),
        gave("cn=potters,ou=groups,dc=hearth,dc=lan", named(2, "kiln")),
        left("staff", Left::Unmapped),
    ]
}

fn groups() -> Vec<Mapped<GroupHere>> {
    let there = Group {
        id: id(1701),
        organization_id: id(1),
        name: "potters".into(),
        display_name: String::new(),
        source: GroupSource::Oidc,
        quota_allowance: 0,
        avatar_url: String::new(),
        created_at: before(9_000_000),
    };
    vec![
        gave("cn=potters,ou=groups,dc=hearth,dc=lan", GroupHere::There(there)),
        gave("glaze", GroupHere::New(GroupName::parse("glaze").unwrap())),
        left("Glaze", Left::Again("Glaze".into())),
        left("staff", Left::Filtered("staff".into())),
        left("/kiln/night shift", Left::Unfit("/kiln/night shift".into())),
        left("throwers", Left::Unknown("throwers".into())),
        left("everyone", Left::Implied("everyone".into())),
    ]
}

fn outcome() -> Outcome {
    let roles = vec![
        gave("potters", SiteRole::TemplateAdmin),
        left("potters", Left::Unknown("wizard".into())),
        left("owner", Left::Unmapped),
    ];
    Outcome {
        organizations: Some(synced("groups", organizations())),
        roles: Some(synced("roles", roles)),
        places: vec![PlaceOutcome {
            organization: named(1, "default"),
            groups: Some(synced("groups", groups())),
            roles: None,
        }],
    }
}

fn sso(reading: Reading) -> LoginMethod {
    let many: Vec<String> = (0..40).map(|n| format!("cn=group-{n},dc=hearth")).collect();
    let claims = json!({
        "email": "linus@hearth.lan", "email_verified": true, "groups": many,
        "https://hearth.lan/claims/department-of-the-person": "kiln",
    });
    LoginMethod {
        identity: identity(
            1,
            "hearth",
            "https://auth.hearth.lan/realms/hearth",
            "0190f3c2-7d1e-7c41-9b0a-6f2f4c1b9e77",
        ),
        claims: Claims(serde_json::from_value(claims).unwrap()),
        reading,
    }
}

fn logins(methods: Vec<LoginMethod>) -> LoginMethods {
    LoginMethods { methods, keeper: None }
}

fn pages() -> Vec<Scene> {
    let page = |user: User, logins| ClaimsPage { visit: visit(ada()), user, logins };
    let made = || sso(Reading::Made(Box::new(outcome())));
    let nothing = Outcome { roles: Some(synced("", vec![])), ..Outcome::default() };
    let outside = User { organizations: vec![], ..linus() };
    let several = sso(Reading::Made(Box::new(in_places())));
    let others = vec![
        LoginMethod {
            identity: identity(2, "github", "https://github.com", "4711"),
            ..sso(Reading::Made(Box::default()))
        },
        LoginMethod {
            identity: identity(3, "ldap", "ldap", "b7b3"),
            claims: Claims::default(),
            reading: Reading::TooMuch,
        },
        LoginMethod {
            identity: identity(4, "old-sso", "https://old.test", "7"),
            ..sso(Reading::NoProvider)
        },
    ];
    let own = ClaimsPage { visit: visit(linus()), user: linus(), logins: logins(vec![made()]) };
    let owner = page(ada(), logins(vec![sso(Reading::Made(Box::new(nothing)))]));
    vec![
        scene("claims", page(linus(), logins(vec![made()])).render()),
        scene("claims-own", own.render()),
        scene("claims-several", page(linus(), logins(others)).render()),
        scene("claims-outside", page(outside, logins(vec![made()])).render()),
        scene("claims-places", page(linus(), logins(vec![several])).render()),
        scene("claims-owner", owner.render()),
        scene("claims-none", page(linus(), logins(vec![])).render()),
    ]
}

fn person() -> Scene {
    let keeper = Some("hearth".to_owned());
    let logins = LoginMethods { keeper, ..logins(vec![sso(Reading::Made(Box::new(outcome())))]) };
    let person = Person {
        tokens: None,
        sessions: None,
        visit: visit(ada()),
        user: linus(),
        workspaces: vec![],
        quota: None,
        administers: true,
        factors: None,
        logins: Some(logins),
        answers: None,
        input: Input::default(),
    };
    scene("person-by-provider", person.render())
}

fn account() -> Scene {
    let user = User { login_type: LoginType::Oidc, ..linus() };
    let page = Account { visit: visit(user), mails: None, input: Input::default() };
    scene("account-by-provider", page.render())
}

fn syncs() -> Vec<Scene> {
    let page = |kind, origin, tried, input| SyncPage {
        visit: visit(ada()),
        place: Place { organization: named(1, "default"), is_one_of_many: false, syncs: true },
        kind,
        provider: "hearth".into(),
        providers: vec!["hearth".into(), "github".into()],
        settings: SetSync {
            field: "groups".into(),
            regex_filter: "^team-".into(),
            auto_create: true,
            ..SetSync::default()
        },
        origin,
        mapping: "cn=potters,ou=groups,dc=hearth,dc=lan = potters\nglaze = glazing".into(),
        changes: true,
        tried,
        input,
    };
    let fresh = Input::default;
    let tried = Tried::Groups(Synced { origin: Origin::Set, ..synced("groups", groups()) });
    let tried = Some(("linus".to_owned(), tried));
    let roles = vec![gave("keepers", "operator".parse::<RoleName>().unwrap())];
    let of_roles = Some(("linus".to_owned(), Tried::Roles(synced("crafts", roles))));
    let wrong = Input::wrong(
        [("mapping".to_owned(), "glaze".to_owned())].into(),
        "mapping",
        "Has no = in the line \"glaze\".",
    );
    let kiln = Place { organization: named(2, "kiln"), is_one_of_many: true, syncs: true };
    let shown = SyncPage {
        changes: false,
        place: kiln,
        providers: vec![],
        visit: visit(linus()),
        ..page(SyncKind::Groups, Origin::File, None, fresh())
    };
    let unknown = |tried| Some(("linus".to_owned(), tried));
    let page = |kind, origin, tried, input| page(kind, origin, tried, input).render();
    vec![
        scene("sync-groups", page(SyncKind::Groups, Origin::Set, None, fresh())),
        scene("sync-groups-tried", page(SyncKind::Groups, Origin::File, tried, fresh())),
        scene("sync-roles-tried", page(SyncKind::Roles, Origin::Set, of_roles, fresh())),
        scene("sync-off", page(SyncKind::Roles, Origin::File, unknown(Tried::Off), fresh())),
        scene(
            "sync-unknown",
            page(SyncKind::Roles, Origin::File, unknown(Tried::Unknown), fresh()),
        ),
        scene("sync-wrong", page(SyncKind::Groups, Origin::File, None, wrong)),
        scene("sync-shown", shown.render()),
    ]
}

/// All of them.
pub fn all() -> Vec<Scene> {
    [pages(), vec![person(), account()], syncs()].concat()
}
