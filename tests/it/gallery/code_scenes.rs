//! Share codes: the page of a workspace's in each state, and where one is redeemed; and what a handover
//! would change.

use std::collections::BTreeMap;
use std::time::Duration;

use maud::Render as _;
use steading::model::agent::Lifecycle;
use steading::model::code::{Code, CodeState, ShareCode};
use steading::model::handover::HandedOver;
use steading::model::time::Timestamp;
use steading::model::verb::{Preset, Verbs};
use steading::model::what_if::{Outlook, Shift};
use steading::server::html::layout::{Csrf, Section};
use steading::server::html::pages::charter::CharterPage;
use steading::server::html::pages::codes::{Codes, Listed};
use steading::server::html::pages::handover::HandoverPage;
use steading::server::html::pages::redeem::{FIELD, Offered, Redeem};
use steading::server::html::pages::what_if::WhatIf;
use steading::server::html::parts::form::Input;

use super::fixtures::{NOW, ada, agent, before, id, linus, reference, visit, workspace};
use super::workspace_scenes::running;
use super::{Scene, scene};

fn code(n: u128, verbs: Verbs, uses: i64) -> Code {
    Code {
        id: id(n),
        workspace_id: id(1),
        verbs,
        is_recorded: false,
        reason: String::new(),
        made_by: reference(&ada()),
        created_at: before(3_600),
        expires_at: Timestamp(NOW.0 + 20 * 3_600),
        grant_ttl: Duration::from_hours(8),
        max_uses: 3,
        uses,
        last_used_at: (uses > 0).then(|| before(600)),
        revoked_at: None,
    }
}

fn listed(code: Code, state: CodeState, grants: usize) -> Listed {
    Listed { code, state, holds: true, grants }
}

fn page(codes: Vec<Listed>, made: Option<String>, input: Input) -> Codes {
    let agents = vec![agent(401, "main", Lifecycle::Ready)];
    let workspace = workspace(1, "kiln", &ada(), running(agents));
    Codes { visit: visit(ada()), workspace, codes, made, input }
}

fn some() -> Vec<Listed> {
    let mut recorded = code(9101, Preset::Use.verbs(), 1);
    recorded.is_recorded = true;
    recorded.reason = "the night firing".into();
    let lost = Code {
        made_by: reference(&linus()),
        ..code(9102, Verbs::parse("connect,manage").unwrap(), 0)
    };
    vec![
        listed(recorded, CodeState::Open, 1),
        Listed { holds: false, ..listed(lost, CodeState::Open, 0) },
        listed(code(9103, Preset::Viewer.verbs(), 3), CodeState::UsedUp, 2),
        listed(code(9104, Preset::Observer.verbs(), 0), CodeState::Revoked, 0),
        listed(code(9105, Preset::Runner.verbs(), 0), CodeState::Expired, 0),
    ]
}

fn handover(to_service: bool, restarts: bool, ended: usize) -> HandoverPage {
    let workspace = page(vec![], None, Input::default()).workspace;
    HandoverPage {
        visit: visit(ada()),
        would: HandedOver {
            workspace: workspace.clone(),
            from: reference(&ada()),
            to: reference(&linus()),
            to_service,
            responsible: to_service.then(|| reference(&ada())),
            stays: if to_service { Preset::Admin.verbs() } else { Verbs::default() },
            kept: 3 - ended,
            ended,
            codes: 2 - usize::from(to_service) * 2,
            restarts,
        },
        workspace,
        end_grants: ended > 0,
    }
}

fn charter(above: bool, input: Input) -> CharterPage {
    let step = |text: &str| (text.to_owned(), "/workspaces".to_owned());
    CharterPage {
        visit: visit(ada()),
        section: Section::Workspaces,
        crumbs: vec![step("Workspaces"), step("kiln")],
        name: "kiln".into(),
        action: "/@ada/kiln/charter".into(),
        text: "ends = true\n\n[[may]]\ngroup = \"platform\"\nverbs = [\"use\"]\n".into(),
        set: Some(("linus".into(), before(90_000))),
        above: above.then(|| "longest = \"30d\"\n".to_owned()),
        input,
    }
}

fn what_if(outlook: Outlook) -> maud::Markup {
    WhatIf {
        visit: visit(ada()),
        section: Section::Groups,
        said: "platform would have other members.".into(),
        back: ("platform".into(), "/groups/platform".into()),
        action: "/groups/platform/members".into(),
        fields: vec![("add".into(), "grace".into())],
        outlook,
    }
    .render()
}

pub fn all() -> Vec<Scene> {
    let text = ShareCode::from_random(&[7; 20]);
    let link = format!("https://steading.example/redeem#{}", text.expose());
    let typed = BTreeMap::from([("uses".to_owned(), "1000".to_owned())]);
    let wrong = Input::wrong(typed, "uses", "Wants 1 to 100.");
    let redeem = |username: Option<&str>, offer, input| Redeem {
        csrf: Csrf(username.map(|_| "0".repeat(32)).unwrap_or_default()),
        username: username.map(str::to_owned),
        offer,
        input,
    };
    let offered = Offered {
        text: text.expose().to_owned(),
        code: Code { is_recorded: true, ..code(9106, Preset::Use.verbs(), 0) },
        workspace: page(vec![], None, Input::default()).workspace,
        now: NOW,
    };
    let refused = Input::wrong(BTreeMap::new(), FIELD, "Is none that you could redeem.");
    let shift = |gained: Verbs, lost: Verbs| Shift {
        who: "grace".into(),
        workspace: "ada/kiln".into(),
        gained,
        lost,
    };
    let none = Verbs::default();
    let shifts = vec![shift(Preset::Use.verbs(), none), shift(none, Preset::Viewer.verbs())];
    let typed = BTreeMap::from([("text".to_owned(), "ends = yes".to_owned())]);
    let unread = Input::wrong(typed, "text", "Line 1: there is no such value.");
    vec![
        scene("codes", page(some(), None, Input::default()).render()),
        scene("codes-empty", page(vec![], None, Input::default()).render()),
        scene("codes-made", page(some(), Some(link), Input::default()).render()),
        scene("codes-wrong", page(some(), None, wrong).render()),
        scene("redeem", redeem(Some("grace"), None, Input::default()).render()),
        scene("redeem-signed-out", redeem(None, None, Input::default()).render()),
        scene("redeem-offer", redeem(Some("grace"), Some(offered), Input::default()).render()),
        scene("what-if", what_if(Outlook { shifts, more: 40, hidden: 3 })),
        scene("what-if-nothing", what_if(Outlook::default())),
        scene("charter", charter(true, Input::default()).render()),
        scene("charter-wrong", charter(false, unread).render()),
        scene("handover", handover(true, false, 0).render()),
        scene("handover-ends", handover(false, true, 3).render()),
        scene("redeem-wrong", redeem(Some("grace"), None, refused).render()),
    ]
}
