//! Pages of the audit log, in every state.

use maud::Render as _;
use steading::model::audit::chain::GENESIS;
use steading::model::audit::checkpoint::{Checkpoint, CheckpointKind, Signed};
use steading::model::audit::quick::Quick;
use steading::model::audit::saved::SavedFilter;
use steading::model::audit::shown::{
    Extent, Found, Link, Neighbour, ON_A_PAGE, Shown, ShownEntry, Thing,
};
use steading::model::audit::{
    AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditRow, AuditSource, AuditTarget, Diff,
    chain::Head,
};
use steading::model::build::BuildReason;
use steading::model::user::{TokenEntry, TokenKind, TokenLimits, User, UserKind};
use steading::server::html::pages::audit::Audit;
use steading::server::html::pages::audit_entry::EntryPage;
use steading::server::html::pages::audit_filters::{AuditFilters, Which};
use steading::server::html::parts::form::Input;

use super::fixtures::{ada, before, grace, id, linus, reference, user, visit};
use super::{Scene, scene};

/// An entry: when, by whom, what, on what.
fn shown(
    seq: i64,
    who: Option<User>,
    (action, target, name): (AuditAction, AuditTarget, &str),
    thing: Option<Thing>,
) -> Shown {
    let person = who.is_some();
    Shown {
        row: AuditRow {
            seq,
            id: id(5000 + u128::from(seq.unsigned_abs())),
            at: before(48_220 - seq),
            source: AuditSource {
                user_id: who.as_ref().map(|user| user.id),
                token_id: person.then(|| id(1501)),
                ip: if person { "192.168.4.33".to_owned() } else { String::new() },
                user_agent: if person {
                    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0".into()
                } else {
                    String::new()
                },
                request_id: person.then(|| id(9000)),
                ..AuditSource::of(if person { AuditActor::User } else { AuditActor::System })
            },
            entry: AuditEntry {
                action,
                target,
                target_id: id(100),
                target_name: name.to_owned(),
                organization: None,
                diff: "{}".to_owned(),
            },
            build_reason: None,
            outcome: AuditOutcome::done(),
            hash: [0x5a; 32],
        },
        is_user_seen: true,
        user: who,
        token: None,
        thing,
        organization: None,
    }
}

fn kiln() -> Thing {
    Thing::Workspace("ada".parse().unwrap(), "kiln".parse().unwrap())
}

fn token() -> TokenEntry {
    TokenEntry {
        id: id(1501),
        public_id: "k3f9Yq7v01".to_owned(),
        user: reference(&grace()),
        kind: TokenKind::Api,
        name: "nightly-images".to_owned(),
        created_at: before(9_000),
        expires_at: before(-90_000),
        last_used_at: None,
        last_used_ip: String::new(),
        limits: TokenLimits::NONE,
    }
}

fn denied() -> Shown {
    let mut entry = shown(
        48_205,
        Some(linus()),
        (AuditAction::Write, AuditTarget::User, "grace"),
        Some(Thing::User("grace".parse().unwrap())),
    );
    let why = "your roles do not hold user:update on this account; an owner may give you one";
    entry.row.outcome = AuditOutcome::refused(403, why);
    entry
}

fn entries() -> Vec<Shown> {
    let bot = User { kind: UserKind::Service, ..user(15, "mill-ci", &[]) };
    let long = "a-name-of-thirty-two-characters1/a-workspace-with-a-long-name-32c #1204";
    let build = Thing::Build("ada".parse().unwrap(), "kiln".parse().unwrap(), 31);
    let mut scim = shown(48_202, None, (AuditAction::Create, AuditTarget::User, "barbara"), None);
    scim.row.source.actor = AuditActor::Scim;
    let mut nobody = shown(48_201, None, (AuditAction::Login, AuditTarget::User, "ada"), None);
    nobody.row.source =
        AuditSource { ip: "2001:db8::1f2e:33".into(), ..AuditSource::of(AuditActor::Nobody) };
    nobody.row.outcome = AuditOutcome::refused(401, "the password is wrong");
    vec![
        shown(48_211, Some(grace()), (AuditAction::Login, AuditTarget::User, "grace"), None),
        Shown {
            token: Some(token()),
            ..shown(
                48_209,
                Some(bot),
                (AuditAction::Start, AuditTarget::WorkspaceBuild, long),
                None,
            )
        },
        shown(
            48_207,
            Some(ada()),
            (AuditAction::Write, AuditTarget::Workspace, "kiln"),
            Some(kiln()),
        ),
        denied(),
        shown(
            48_204,
            None,
            (AuditAction::Write, AuditTarget::WorkspaceBuild, "ada/kiln #31"),
            Some(build),
        ),
        shown(48_203, Some(ada()), (AuditAction::Delete, AuditTarget::ApiKey, ""), None),
        scim,
        nobody,
    ]
}

fn checkpoint() -> Signed {
    let head = Head { seq: 48_207, hash: [0x5a; 32] };
    let checkpoint = Checkpoint {
        number: 401,
        kind: CheckpointKind::Mark,
        head,
        n_entries: 48_207,
        at: before(1_800),
    };
    Signed { checkpoint, key: [1; 32], signature: vec![0; 64] }
}

fn filter(n: u128, owner: &User, name: &str, query: &str, is_shared: bool) -> SavedFilter {
    SavedFilter {
        id: id(2600 + n),
        owner: reference(owner),
        name: name.to_owned(),
        query: query.to_owned(),
        is_shared,
    }
}

fn kept() -> (Vec<SavedFilter>, Vec<SavedFilter>) {
    let own = vec![
        filter(1, &ada(), "Deleted this month", "action:delete date_from:2026-11-01", false),
        filter(2, &ada(), "Refused", "result:denied", true),
    ];
    (
        own,
        vec![filter(
            3,
            &grace(),
            "Who changes the templates of the workshop",
            "resource_type:template",
            true,
        )],
    )
}

fn page(typed: &str, found: Result<Found, String>) -> Audit {
    let (own, shared) = kept();
    Audit {
        visit: visit(ada()),
        typed: typed.to_owned(),
        quick: Quick::default(),
        extent: Extent { n_entries: 48_211, last: Some(checkpoint()) },
        own,
        shared,
        found,
    }
}

fn pages() -> Vec<Scene> {
    let found = |offset, total, is_more, has_next| Found {
        entries: entries(),
        offset,
        total,
        is_more,
        has_next,
    };
    let quick = Quick {
        who: "linus".to_owned(),
        action: Some(AuditAction::Write),
        target: Some(AuditTarget::User),
        from: "2026-11-01".to_owned(),
        to: "2026-11-20".to_owned(),
        is_denied: true,
    };
    let wrong = "At character 6: \"colour\" is not a key; there are resource_type, resource_id, action, username.";
    let plain = page("", Ok(found(0, 48_211, false, true)));
    let empty = Audit {
        extent: Extent::default(),
        own: vec![],
        shared: vec![],
        ..page("", Ok(Found::default()))
    };
    vec![
        scene("audit", plain.render()),
        scene(
            "audit-found",
            page("result:denied", Ok(found(2 * ON_A_PAGE, 1_000, true, true))).render(),
        ),
        scene("audit-end", page("kiln", Ok(found(ON_A_PAGE, 33, false, false))).render()),
        scene("audit-far", page("kiln", Ok(found(10_000, 1_000, true, true))).render()),
        scene(
            "audit-chosen",
            Audit {
                quick,
                ..page("", Ok(Found { entries: vec![denied()], total: 1, ..Found::default() }))
            }
            .render(),
        ),
        scene("audit-none-fits", page("username:nobody", Ok(Found::default())).render()),
        scene("audit-wrong", page("kiln colour:red", Err(wrong.to_owned())).render()),
        scene("audit-empty", empty.render()),
    ]
}

fn entry_pages() -> Vec<Scene> {
    let diff = Diff::new()
        .field("autostart_schedule", "", "CRON_TZ=Europe/Berlin 30 9 * * 1-5")
        .field("name", "kiln", "kiln-of-the-long-name-32-letters1")
        .field("ttl_ms", 0, 28_800_000)
        .field("roles", vec!["member"], vec!["member", "auditor"])
        .secret("token");
    let neighbour =
        |seq: u128| Some(Neighbour { id: id(5000 + seq), seq: i64::try_from(seq).unwrap() });
    let entry = |shown, link, earlier, later| {
        EntryPage { visit: visit(ada()), entry: ShownEntry { shown, link, earlier, later } }
            .render()
    };
    let link = |previous, holds, checkpoint| Link { previous, holds, checkpoint };
    let held = || link(Some([0x51; 32]), true, Some(checkpoint()));
    let what = (AuditAction::Write, AuditTarget::Workspace, "kiln");
    let mut changed = shown(48_207, Some(ada()), what, Some(kiln()));
    changed.row.entry.diff = diff.to_string();
    changed.token = Some(TokenEntry {
        kind: TokenKind::Session,
        name: "Firefox on Linux".to_owned(),
        ..token()
    });
    let mut build =
        shown(48_204, None, (AuditAction::Stop, AuditTarget::WorkspaceBuild, "ada/kiln #31"), None);
    build.row.build_reason = Some(BuildReason::Autostop);
    let first = shown(1, None, (AuditAction::Register, AuditTarget::User, "ada"), None);
    let oldest = shown(9, None, (AuditAction::Create, AuditTarget::Group, "potters"), None);
    vec![
        scene("audit-entry", entry(changed.clone(), held(), neighbour(48_100), neighbour(48_209))),
        scene(
            "audit-entry-denied",
            entry(denied(), link(Some([0x51; 32]), true, None), None, None),
        ),
        scene("audit-entry-system", entry(build, held(), None, None)),
        scene(
            "audit-entry-first",
            entry(first, link(Some(GENESIS), true, Some(checkpoint())), None, None),
        ),
        scene(
            "audit-entry-changed",
            entry(changed, link(Some([0x51; 32]), false, None), None, None),
        ),
        scene(
            "audit-entry-oldest",
            entry(oldest, link(None, false, Some(checkpoint())), None, None),
        ),
    ]
}

fn kept_pages() -> Vec<Scene> {
    let (own, shared) = kept();
    let taken = || {
        let typed =
            [("name".to_owned(), "Refused".to_owned()), ("q".to_owned(), "kiln".to_owned())];
        Input::wrong(typed.into(), "name", "You keep a search named Refused.")
    };
    let page =
        |own, shared, wrong| AuditFilters { visit: visit(ada()), own, shared, wrong }.render();
    let wrong = (Which::Kept(own[0].id), taken());
    vec![
        scene("audit-filters", page(own.clone(), shared.clone(), None)),
        scene("audit-filters-none", page(vec![], vec![], None)),
        scene("audit-filters-new-wrong", page(own.clone(), shared, Some((Which::New, taken())))),
        scene("audit-filters-wrong", page(own, vec![], Some(wrong))),
    ]
}

/// All of them.
pub fn all() -> Vec<Scene> {
    [pages(), entry_pages(), kept_pages()].concat()
}
