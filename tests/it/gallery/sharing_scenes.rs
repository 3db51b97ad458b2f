//! Sharing: the page of grants in each state, and what someone sees who is there by one.

use std::collections::BTreeMap;

use maud::Render as _;
use steading::model::access_review::{AccessReason, ReviewCounts, ReviewOf, ReviewRow};
use steading::model::agent::Lifecycle;
use steading::model::grant::{Grant, GrantView, Limits, Mode, Reason, Recipient, Via};
use steading::model::time::Timestamp;
use steading::model::user::User;
use steading::model::verb::{Preset, Verbs};
use steading::server::html::pages::access_review::{AccessReview, WhyAccess};
use steading::server::html::pages::sharing::Sharing;
use steading::server::html::pages::sharing_mode::SharingMode;
use steading::server::html::parts::form::Input;

use super::access_scenes::place;
use super::fixtures::{NOW, ada, agent, before, grace, id, linus, reference, visit, workspace};
use super::request_scenes::broken;
use super::workspace_scenes::running;
use super::{Scene, scene};

/// A grant to someone, until some seconds from now.
pub fn grant(n: u128, to: Recipient, verbs: Verbs, until: Option<i64>) -> Grant {
    Grant {
        id: id(n),
        workspace_id: id(1),
        to,
        verbs,
        limits: Limits { until: until.map(|s| Timestamp(NOW.0 + s)), ..Limits::default() },
        reason: String::new(),
        granted_by: Some(ada().id),
        granted_at: before(9_000),
        via: Via::Direct,
        under: None,
        ended: None,
    }
}

fn view(grant: Grant, name: &str, people: i64) -> GrantView {
    let by = Some(reference(&ada()));
    GrantView { grant, name: name.to_owned(), people, by, holds: true, may_end: true }
}

fn to(user: &User) -> Recipient {
    Recipient::User(user.id)
}

fn standing() -> Vec<GrantView> {
    let mut today = grant(9001, to(&grace()), Preset::Use.verbs(), Some(3_600));
    today.reason = "the night firing".into();
    let mut office = grant(9002, to(&linus()), Verbs::parse("connect,manage").unwrap(), None);
    office.limits = Limits {
        hours: "mon-fri 09:00-17:00 Europe/Berlin".into(),
        networks: vec!["10.0.0.0/8".parse().unwrap()],
        needs_mfa: true,
        is_recorded: true,
        ..Limits::default()
    };
    let group = grant(9003, Recipient::Group(id(77)), Preset::Observer.verbs(), Some(900_000));
    let mut passed_on = view(grant(9004, to(&linus()), Preset::Viewer.verbs(), None), "linus", 1);
    passed_on.holds = false;
    passed_on.by = Some(reference(&grace()));
    passed_on.may_end = false;
    vec![
        view(today, "grace", 1),
        view(office, "linus", 1),
        view(group, "platform", 4),
        view(grant(9006, Recipient::Rotation(id(78)), Preset::Use.verbs(), None), "on-call", 1),
        view(grant(9005, Recipient::Everyone, Preset::Viewer.verbs(), None), "Everyone", 12),
        passed_on,
    ]
}

fn page(grants: Vec<GrantView>, undoable: Vec<GrantView>, input: Input) -> Sharing {
    let agents = vec![agent(401, "main", Lifecycle::Ready)];
    Sharing {
        visit: visit(ada()),
        workspace: workspace(1, "kiln", &ada(), running(agents)),
        grants,
        undoable,
        people: vec![reference(&grace()), reference(&linus())],
        groups: vec!["group:Everyone".into(), "rotation:on-call".into()],
        broken: vec![],
        input,
    }
}

pub fn all() -> Vec<Scene> {
    [sharing(), reviews()].concat()
}

fn sharing() -> Vec<Scene> {
    let typed = [("who", "grace"), ("preset", "custom"), ("v.delete", "yes"), ("ends", "at")];
    let typed = typed.map(|(key, text)| (key.to_owned(), text.to_owned()));
    let wrong =
        Input::wrong(BTreeMap::from(typed), "verbs", "you do not have this yourself: delete");
    let entries = || standing().into_iter().map(|view| ("ada/kiln".to_owned(), view));
    let mode = |mode, is_off, restorable: usize, asked| SharingMode {
        visit: visit(ada()),
        place: place(true),
        mode,
        is_off,
        restorable: entries().take(restorable).collect(),
        asked,
    };
    vec![
        scene("sharing-mode", mode(Mode::Everyone, false, 3, None).render()),
        scene("sharing-mode-off", mode(Mode::None, true, 0, None).render()),
        scene(
            "sharing-mode-ends",
            mode(Mode::Everyone, false, 0, Some((Mode::None, entries().collect()))).render(),
        ),
        scene("sharing", page(standing(), standing()[..1].to_vec(), Input::default()).render()),
        scene("sharing-broken", {
            let broken = vec![broken(true)];
            Sharing { broken, ..page(standing(), vec![], Input::default()) }.render()
        }),
        scene("sharing-empty", page(vec![], vec![], Input::default()).render()),
        scene("sharing-wrong", page(standing()[..1].to_vec(), vec![], wrong).render()),
    ]
}

/// Reviews of access, and why someone is in.
fn reviews() -> Vec<Scene> {
    let review = |rows: Vec<ReviewRow>, of, signed_off| AccessReview {
        visit: visit(ada()),
        counts: ReviewCounts { all: 31, stale: 4, endless: 6, departed: 0, wider: 2 },
        rows,
        signed_off,
        of,
        text: String::new(),
        offset: 0,
        broken: vec![],
    };
    let rows = || {
        standing().into_iter().enumerate().map(|(n, view)| ReviewRow {
            owner: "ada".into(),
            workspace: "kiln".into(),
            view,
            last_used: (n % 2 == 0).then(|| before(8_900)),
            departed: n == 2,
            wider: if n == 1 { vec!["gives more: manage".into()] } else { vec![] },
        })
    };
    let reason = |reason, closed: Option<&str>, grant: Option<Grant>| AccessReason {
        reason,
        verbs: Preset::Use.verbs(),
        said: "linus is in platform, to which grace granted it: pairing".into(),
        grant,
        closed: closed.map(Into::into),
    };
    let why = |reasons| WhyAccess {
        visit: visit(ada()),
        workspace: workspace(1, "kiln", &ada(), running(vec![])),
        who: "linus".into(),
        reasons,
    };
    let office = standing().swap_remove(1).grant;
    vec![
        scene(
            "access-review",
            review(rows().collect(), ReviewOf::All, Some((before(9_000_000), "grace".into())))
                .render(),
        ),
        scene("access-review-empty", review(vec![], ReviewOf::Departed, None).render()),
        scene(
            "access-why",
            why(vec![
                reason(
                    Reason::Group,
                    None,
                    Some(grant(9003, to(&linus()), Preset::Use.verbs(), Some(900))),
                ),
                reason(
                    Reason::Grant,
                    Some("this may be done from 09:00 to 17:00 only"),
                    Some(office),
                ),
            ])
            .render(),
        ),
        scene("access-why-not", why(vec![]).render()),
    ]
}
