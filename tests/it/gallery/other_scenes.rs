//! All pages but those of workspaces, in every state.
#![expect(clippy::too_many_lines, reason = "a list of scenes reads best in one piece")]

use std::collections::BTreeMap;

use maud::{Markup, Render as _};
use steading::model::build::JobStatus;
use steading::model::factor::Factors;
use steading::model::parameter::Variable;
use steading::model::policy::Scope;
use steading::model::quota::Quota;
use steading::model::user::{
    SshKey, TokenEntry, TokenKind, TokenLimits, User, UserKind, UserStatus,
};
use steading::model::verb::Preset;
use steading::server::html::layout::Csrf;
use steading::server::html::pages::account::Account;
use steading::server::html::pages::cli_auth::CliAuth;
use steading::server::html::pages::create::Create;
use steading::server::html::pages::device::Device;
use steading::server::html::pages::error::{Error, Wrong};
use steading::server::html::pages::find::{Find, Hit, pages};
use steading::server::html::pages::login::{Kept, Login, Resume, Way};
use steading::server::html::pages::no_program::NoProgram;
use steading::server::html::pages::people::People;
use steading::server::html::pages::person::Person;
use steading::server::html::pages::person_tokens::TheirTokens;
use steading::server::html::pages::security::Security;
use steading::server::html::pages::service_accounts::Answers;
use steading::server::html::pages::setup::Setup;
use steading::server::html::pages::ssh_keys::SshKeys;
use steading::server::html::pages::starter_templates::{Starter, StarterTemplates};
use steading::server::html::pages::template::TemplatePage;
use steading::server::html::pages::templates::Templates;
use steading::server::html::pages::tokens::{Made, Tokens};
use steading::server::html::pages::version::VersionPage;
use steading::server::html::pages::ways_in::WaysIn;
use steading::server::html::parts::ask::Wanted;
use steading::server::html::parts::form::Input;
use steading::server::html::parts::notice::{Flash, Tone};

use super::factor_scenes::factors;
use super::fixtures::{
    README, ada, before, build, grace, id, linus, log, reference, resource_spec, template, told,
    user, version, visit, workspace,
};
use super::{Scene, parameters, scene, sign_in_scenes};

fn wrong(values: &[(&str, &str)], errors: &[(&str, &str)]) -> Input {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    Input { values: map(values), errors: map(errors) }
}

fn no_program(other: Option<&str>) -> Markup {
    let other = other.map(str::to_owned);
    let (platform, file) = ("windows/arm64".into(), "steading-windows-arm64.exe".into());
    NoProgram { platform, file, version: "0.1.0", other }.render()
}

fn doors() -> Vec<Scene> {
    let csrf = || Csrf(String::new());
    let login = |input, next: &str| Login {
        csrf: csrf(),
        input,
        next: next.into(),
        host: "steading.lan".into(),
        kept: None,
        providers: vec![],
        passwords: true,
        passkey: None,
    };
    let way = |label: &str, href: &str| Way { label: label.into(), href: href.into() };
    let providers = vec![
        way("Continue with Hearth SSO", "/login/oidc/hearth"),
        way("Continue with example.org", "/login/oidc/example"),
    ];
    let ways = |input| Login { providers: providers.clone(), ..login(input, "/@ada/kiln") };
    let denied =
        wrong(&[], &[("form", "People with addresses of example.net may not sign in here.")]);
    let typed = [("p.cores", "4"), ("name", "bellows"), ("p.script", "just setup\ncargo fetch")];
    let typed = typed.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let kept = Kept::new("/templates/docker/workspace", typed);
    let over = Login { kept: Some(kept.clone()), ..login(Input::default(), "") };
    let refused = wrong(&[("username", "ada")], &[("form", "User name or password is wrong.")]);
    let short = wrong(
        &[("username", "ada")],
        &[("password", "6 characters. Use 8 or more."), ("email", "Is empty.")],
    );
    let resume = |confirmed| Resume { csrf: Csrf("c5f0a1".into()), kept: kept.clone(), confirmed };
    let cli = |token: Option<&str>| CliAuth {
        csrf: Csrf("c5f0a1".into()),
        username: "ada".into(),
        token: token.map(str::to_owned),
    };
    vec![
        scene("setup", Setup { csrf: csrf(), input: Input::default() }.render()),
        scene("setup-wrong", Setup { csrf: csrf(), input: short }.render()),
        scene("login", login(Input::default(), "").render()),
        scene("login-refused", login(refused, "/@ada/kiln").render()),
        scene("login-kept", over.render()),
        scene("login-providers", ways(Input::default()).render()),
        scene("login-providers-refused", ways(denied.clone()).render()),
        scene("login-providers-only", Login { passwords: false, ..ways(denied) }.render()),
        scene(
            "login-passkey",
            Login { passkey: Some("{}".into()), ..login(Input::default(), "") }.render(),
        ),
        scene("login-resume", resume(false).render()),
        scene("confirm-resume", resume(true).render()),
        scene(
            "login-device",
            Device { user_code: "WDJB-MJHT".into(), at: "https://github.com/login/device".into() }
                .render(),
        ),
        scene("cli-auth", cli(None).render()),
        scene("cli-auth-made", cli(Some("aB3dE5gH7j-kL9mN1pQ3rS5tU7vW9xY1z")).render()),
    ]
}

fn create_pages() -> Vec<Scene> {
    let create = |preset: Option<&str>, input: Input| Create {
        visit: visit(ada()),
        template: template("docker", "Docker"),
        version_name: "v12".into(),
        parameters: parameters::all(),
        presets: parameters::presets(),
        preset: preset.map(str::to_owned),
        resources: vec![
            resource_spec("docker_container", "workspace", Some("main")),
            resource_spec("docker_volume", "home", None),
        ],
        stop_cost: 1,
        quota: Quota { consumed: 11, budget: Some(20) },
        external_auth: vec![],
        input,
    };
    let bad = wrong(
        &[
            ("name", "bellows"),
            ("p.memory", "32"),
            ("p.editors", "[\"jetbrains\",\"jupyter\"]"),
            ("p.tags", "one, two"),
        ],
        &[
            ("p.memory", "32 is above the 24 that this template allows"),
            ("p.token", "Has no default: a value is needed."),
            ("p.loss", "\"x\" is not one of keep, fresh"),
        ],
    );
    let plain = Create {
        parameters: vec![],
        presets: vec![],
        resources: vec![],
        ..create(None, Input::default())
    };
    let unusable = Create {
        external_auth: vec!["github".into()],
        template: steading::model::template::Template {
            deprecation: "Move to docker by 1 Dec.".into(),
            ..template("docker-legacy", "")
        },
        ..create(None, Input::default())
    };
    vec![
        scene("create", create(None, Input::default()).render()),
        scene("create-preset", create(Some("Rust service"), Input::default()).render()),
        scene("create-wrong", create(None, bad).render()),
        scene("create-no-parameters", plain.render()),
        scene(
            "create-over-budget",
            Create {
                quota: Quota { consumed: 15, budget: Some(20) },
                ..create(None, Input::default())
            }
            .render(),
        ),
        scene(
            "create-without-limit",
            Create {
                quota: Quota { consumed: 15, budget: None },
                ..create(None, Input::default())
            }
            .render(),
        ),
        scene("create-unusable", unusable.render()),
    ]
}

fn template_pages() -> Vec<Scene> {
    let old = steading::model::template::Template {
        deprecation: "move to docker by 1 Dec".into(),
        id: id(310),
        ..template("docker-legacy", "")
    };
    let all = vec![template("docker", "Docker"), old.clone()];
    let versions = vec![
        version(3, "v13", JobStatus::Running, "GPU pass-through"),
        version(1, "v12", JobStatus::Succeeded, "Rust 1.93, smaller image"),
        version(4, "v11", JobStatus::Succeeded, ""),
        version(5, "v10", JobStatus::Failed, "Mount the host's cache"),
    ];
    let page = |visitor: User, readme: &str| TemplatePage {
        keeps: !visitor.roles.is_empty(),
        visit: visit(visitor),
        template: template("docker", "Docker"),
        versions: versions.clone(),
        readme: readme.into(),
        parameters: parameters::all(),
    };
    let shown = |status, name: &str| VersionPage {
        visit: visit(ada()),
        template: template("docker", "Docker"),
        version: version(4, name, status, "Rootless Docker inside"),
        log: log(),
        parameters: vec![],
        variables: vec![],
        resources: vec![],
        keeps: true,
    };
    let variable = |name: &str, value: &str, sensitive| Variable {
        name: name.into(),
        description: String::new(),
        kind: "string".into(),
        value: value.into(),
        default_value: String::new(),
        required: false,
        sensitive,
    };
    let mut done = shown(JobStatus::Succeeded, "v11");
    done.parameters = parameters::all();
    done.variables = vec![
        variable("socket", "unix:///var/run/docker.sock", false),
        variable("token", "x", true),
        variable("empty", "", false),
    ];
    done.resources = vec![resource_spec("docker_container", "workspace", Some("main"))];
    done.version.readme = README.into();
    let mut importing = shown(JobStatus::Running, "v13");
    importing.log.lines.truncate(2);
    let starter = |s: &steading::provision::starters::Starter| Starter {
        id: s.id.into(),
        name: s.name.into(),
        description: s.description.into(),
        icon: s.icon.into(),
        needs: s.needs.iter().map(|&need| need.into()).collect(),
        asks: s.asks.clone(),
        added: s.id == "this-machine",
    };
    let list = |visitor, templates| Templates { visit: visit(visitor), templates, places: vec![] };
    vec![
        scene("templates", list(ada(), all).render()),
        scene("templates-empty-admin", list(ada(), vec![]).render()),
        scene("templates-empty-member", list(linus(), vec![]).render()),
        scene("template", page(grace(), README).render()),
        scene("template-member", page(linus(), README).render()),
        scene(
            "template-no-readme",
            TemplatePage {
                template: steading::model::template::Template { n_workspaces: 0, ..old },
                ..page(ada(), "")
            }
            .render(),
        ),
        scene("version", done.render()),
        scene("version-importing", importing.render()),
        scene("version-failed", shown(JobStatus::Failed, "v10").render()),
        scene(
            "starter-templates",
            StarterTemplates {
                visit: visit(ada()),
                starters: steading::provision::starters::ALL.iter().map(starter).collect(),
            }
            .render(),
        ),
    ]
}

fn people_pages() -> Vec<Scene> {
    let service = User {
        kind: UserKind::Service,
        email: String::new(),
        last_seen_at: None,
        ..user(15, "mill-ci", &[])
    };
    let gone =
        User { status: UserStatus::Suspended, ..user(16, "a-name-of-thirty-two-characters1", &[]) };
    let bot = service.clone();
    let everyone = vec![ada(), grace(), linus(), service, gone.clone()];
    let list = |people: Vec<User>, input| People {
        visit: visit(ada()),
        filter: String::new(),
        status: None,
        offset: 0,
        total: i64::try_from(people.len()).unwrap(),
        quotas: (1..)
            .map(|n| Quota { consumed: 4 * n, budget: Some(12).filter(|_| n != 3) })
            .take(people.len())
            .collect(),
        people,
        input,
    };
    let person = |visitor, user: User, administers| Person {
        visit: visit(visitor),
        user,
        administers,
        quota: Some(Quota { consumed: 3, budget: Some(20) }),
        workspaces: vec![workspace(
            1,
            "garden-pi",
            &linus(),
            build(3, steading::model::build::Transition::Stop, JobStatus::Succeeded, 9_000),
        )],
        factors: Some(Factors::default()),
        logins: None,
        answers: None,
        tokens: None,
        sessions: None,
        input: Input::default(),
    };
    let sessions = vec![
        token(4, "Firefox on Linux", TokenKind::Session, 86_400, Some(120)),
        token(5, "", TokenKind::Session, 86_400, None),
    ];
    let tokens = |made, input| {
        let tokens = vec![
            token(1, "images", TokenKind::Api, 40 * 86_400, Some(7_200)),
            token(2, "backup", TokenKind::Api, 3 * 86_400, None),
        ];
        Some(TheirTokens { tokens, made, max_days: 365, input })
    };
    let made = Made { name: "images".into(), token: "k3f9Yq7v01-AbCdEfGhIjKlMnOpQrStUv".into() };
    let no_days =
        wrong(&[("name", "x"), ("days", "many")], &[("days", "Is not a number of days.")]);
    let lacking = Answers { who: Some(reference(&linus())), is_lacking: true };
    let answered = Answers { who: Some(reference(&ada())), is_lacking: false };
    let taken = wrong(
        &[("username", "grace"), ("email", "g@hearth.lan")],
        &[("username", "grace is taken.")],
    );
    vec![
        scene("people", list(everyone, Input::default()).render()),
        scene(
            "people-second-page",
            People {
                filter: "er".into(),
                offset: People::ON_A_PAGE,
                total: 1_234,
                ..list(vec![grace(), linus()], Input::default())
            }
            .render(),
        ),
        scene(
            "people-without-quotas",
            People {
                quotas: vec![Quota::default(); 2],
                ..list(vec![grace(), linus()], Input::default())
            }
            .render(),
        ),
        scene("people-wrong", list(vec![ada()], taken).render()),
        scene(
            "people-none-fits",
            People {
                filter: "zz".into(),
                status: Some(UserStatus::Dormant),
                ..list(vec![], Input::default())
            }
            .render(),
        ),
        scene("person", person(ada(), linus(), true).render()),
        scene(
            "person-suspended",
            Person { workspaces: vec![], ..person(ada(), gone, true) }.render(),
        ),
        scene(
            "person-without-limit",
            Person {
                quota: Some(Quota { consumed: 7, budget: None }),
                ..person(ada(), linus(), true)
            }
            .render(),
        ),
        scene(
            "person-factors",
            Person { factors: Some(factors()), ..person(ada(), linus(), true) }.render(),
        ),
        scene(
            "person-signed-in",
            Person { sessions: Some(sessions), ..person(ada(), linus(), true) }.render(),
        ),
        scene("person-plain", person(linus(), grace(), false).render()),
        scene(
            "person-service",
            Person {
                answers: Some(answered.clone()),
                tokens: tokens(Some(made), Input::default()),
                ..person(ada(), bot.clone(), true)
            }
            .render(),
        ),
        scene(
            "person-service-wrong",
            Person { tokens: tokens(None, no_days), ..person(ada(), bot.clone(), true) }.render(),
        ),
        scene(
            "person-service-new",
            Person { tokens: Some(TheirTokens::default()), ..person(ada(), bot.clone(), true) }
                .render(),
        ),
        scene(
            "person-service-plain",
            Person { answers: Some(answered), ..person(linus(), bot.clone(), false) }.render(),
        ),
        scene(
            "person-service-lacking",
            Person { answers: Some(lacking), ..person(ada(), bot, true) }.render(),
        ),
        scene(
            "person-deleted",
            person(ada(), User { status: UserStatus::Deleted, ..linus() }, true).render(),
        ),
    ]
}

fn token(n: u128, name: &str, kind: TokenKind, ends_in: i64, used: Option<i64>) -> TokenEntry {
    TokenEntry {
        id: id(1500 + n),
        public_id: format!("k3f9Yq7v{n:02}"),
        user: reference(&ada()),
        kind,
        name: name.into(),
        created_at: before(30 * 86_400),
        expires_at: before(-ends_in),
        last_used_at: used.map(before),
        last_used_ip: used.map(|_| "192.168.4.20".to_owned()).unwrap_or_default(),
        limits: if n == 2 {
            let words = ["workspace:read", "workspace:start", "workspace:stop"];
            TokenLimits {
                scope: Scope::parse(&words, &[]).unwrap(),
                networks: vec!["192.168.4.0/24".parse().unwrap()],
                depth: 0,
            }
        } else {
            TokenLimits::NONE
        },
    }
}

fn settings_pages() -> Vec<Scene> {
    let tokens =
        |tokens, made, input| Tokens { visit: visit(ada()), tokens, made, max_days: 365, input };
    let some = vec![
        token(1, "laptop-cli", TokenKind::Api, 90 * 86_400, None),
        token(2, "backup-check", TokenKind::Api, 5 * 86_400, Some(97 * 86_400)),
        token(3, "old-ci", TokenKind::Api, -9 * 86_400, Some(12 * 86_400)),
    ];
    let made =
        Made { name: "laptop-cli".into(), token: "aB3dE5gH7j-kL9mN1pQ3rS5tU7vW9xY1z".into() };
    let key = |n, name: &str, used: Option<i64>| SshKey {
        id: id(n),
        user_id: id(11),
        name: name.into(),
        public_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE".into(),
        fingerprint: "SHA256:mV9cQ2kt0Xa9LwVZpR1sYhT7uNqE5bGd3FjKxCiOe4A".into(),
        created_at: before(86_400),
        last_used_at: used.map(before),
    };
    let keys = |keys, input| SshKeys { visit: visit(ada()), keys, input };
    let saved = told(ada(), Flash { tone: Tone::Good, text: "Names saved.".into() });
    let sessions = vec![
        token(11, "", TokenKind::Session, 86_400, Some(10)),
        token(12, "steading on thinkpad", TokenKind::Session, 86_400, Some(7_200)),
    ];
    let security = |input| Security {
        visit: visit(ada()),
        current: id(1511),
        sessions: sessions.clone(),
        input,
        factors: Factors::default(),
        must: false,
        ways: WaysIn::default(),
        takes_passkeys: true,
    };
    let elsewhere = |input| Security { takes_passkeys: false, ..security(input) };
    let ways = |input| Security { ways: sign_in_scenes::ways(), ..security(input) };
    let not_hers = wrong(&[], &[("password_now", "Is not your password.")]);
    let must = |input| Security { must: true, ..security(input) };
    let account = |visit, mails| Account { visit, mails, input: Input::default() };
    vec![
        scene("account", account(visit(ada()), None).render()),
        scene("account-mails", account(visit(ada()), Some(true)).render()),
        scene("account-saved", account(saved, Some(false)).render()),
        scene("security", security(Input::default()).render()),
        scene(
            "security-factors",
            Security { factors: factors(), ..security(Input::default()) }.render(),
        ),
        scene("security-ways", ways(Input::default()).render()),
        scene("security-ways-wrong", ways(not_hers).render()),
        scene("security-must", must(Input::default()).render()),
        scene("security-no-passkeys", elsewhere(Input::default()).render()),
        scene("security-wrong", security(wrong(&[], &[("old", "Is wrong.")])).render()),
        scene("tokens", tokens(some.clone(), None, Input::default()).render()),
        scene("tokens-made", tokens(some, Some(made), Input::default()).render()),
        scene("tokens-empty", tokens(vec![], None, Input::default()).render()),
        scene(
            "tokens-wrong",
            tokens(
                vec![],
                None,
                wrong(
                    &[("days", "900")],
                    &[
                        ("days", "900 is above the 365 that this server allows."),
                        ("name", "Is empty."),
                    ],
                ),
            )
            .render(),
        ),
        scene(
            "ssh-keys",
            keys(
                vec![key(21, "ada@thinkpad", Some(4_000)), key(22, "ada-yubikey", None)],
                Input::default(),
            )
            .render(),
        ),
        scene("ssh-keys-empty", keys(vec![], Input::default()).render()),
        scene(
            "ssh-keys-wrong",
            keys(
                vec![],
                wrong(
                    &[("key", "ssh-dss AAAA")],
                    &[(
                        "key",
                        "DSA keys are refused. Use Ed25519, ECDSA or RSA of 2048 bits or more.",
                    )],
                ),
            )
            .render(),
        ),
    ]
}

fn rest() -> Vec<Scene> {
    let hit = |name: &str, note: &str| Hit {
        name: name.into(),
        note: note.into(),
        href: "/workspaces".into(),
    };
    let find = |query: &str, workspaces, people, pages| Find {
        visit: visit(ada()),
        query: query.into(),
        workspaces,
        templates: vec![],
        people,
        pages,
    };
    let error = |wrong: Wrong, signed_in: bool| Error {
        visit: signed_in.then(|| visit(linus())),
        wrong,
        path: "/@grace/anvil".into(),
        request: "rq_71c2a0".into(),
        ask: Some(Wanted { workspace: "grace/anvil".into(), verbs: Preset::Use.verbs() }),
    };
    vec![
        scene(
            "find",
            find(
                "ki",
                vec![hit("kiln", "ada · Running")],
                vec![reference(&grace())],
                vec![hit("SSH keys", "add one")],
            )
            .render(),
        ),
        scene("find-nothing", find("zzz", vec![], vec![], vec![]).render()),
        scene("find-all-pages", find("", vec![], vec![], pages(&visit(ada()))).render()),
        scene("error-400", error(Wrong::Bad("the form is not complete".into()), true).render()),
        scene(
            "error-403",
            error(Wrong::Denied("you may see this workspace, not delete it".into()), true).render(),
        ),
        scene("error-404", error(Wrong::NotFound, true).render()),
        scene("no-program", no_program(None)),
        scene(
            "no-program-other",
            no_program(Some("it is version 0.0.9, and this server is 0.1.0")),
        ),
        scene("error-404-outside", error(Wrong::NotFound, false).render()),
        scene(
            "error-409",
            error(Wrong::Conflict("build 31 is not over; wait for it or cancel it".into()), true)
                .render(),
        ),
        scene(
            "error-429",
            error(Wrong::TooMany("wait 5 min before the next try".into()), false).render(),
        ),
        scene("error-500", error(Wrong::Internal, true).render()),
        scene(
            "error-503",
            error(Wrong::Unavailable("the server is stopping; try again in a moment".into()), true)
                .render(),
        ),
    ]
}

pub fn all() -> Vec<Scene> {
    [doors(), create_pages(), template_pages(), people_pages(), settings_pages(), rest()].concat()
}
