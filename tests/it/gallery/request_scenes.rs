//! Requests for access in each state, the forms that ask and set who answers, and what is shown in red.

use std::time::Duration;

use maud::Render as _;
use steading::model::grant::Via;
use steading::model::request::{
    Approval, BreakGlass, BreakGlassView, DEFAULT_LASTS, Request, RequestState, RequestView,
    RuleView, Verdict,
};
use steading::model::time::Timestamp;
use steading::model::user::User;
use steading::model::verb::{Preset, Verbs};
use steading::server::html::pages::request::RequestPage;
use steading::server::html::pages::request_rules::RequestRules;
use steading::server::html::pages::requests::{AskPage, Requests};
use steading::server::html::parts::ask::Wanted;
use steading::server::html::parts::form::Input;

use super::fixtures::{NOW, ada, before, grace, id, linus, reference, visit};
use super::sharing_scenes::grant;
use super::{Scene, scene};

fn view(n: u128, by: &User, state: RequestState) -> RequestView {
    let decided = state != RequestState::Pending;
    let request = Request {
        id: id(n),
        user_id: by.id,
        place: "ada/kiln".into(),
        workspace_id: Some(id(1)),
        verbs: Preset::Use.verbs(),
        reason: "The night firing stopped, and Ada is on the train.".into(),
        from: Timestamp(0),
        lasts: DEFAULT_LASTS,
        made_at: before(600),
        expires_at: Timestamp(NOW.0 + 3_000),
        state,
        decided_at: decided.then(|| before(60)),
        grant_id: None,
    };
    RequestView {
        request,
        by: reference(by),
        workspace: Some("ada/kiln".into()),
        organization: Some(id(1)),
        needed: Some(2),
        said: vec![],
        grant: None,
        may_decide: false,
        is_own: false,
    }
}

fn said(by: &User, verdict: Verdict, note: &str) -> (steading::model::user::UserRef, Approval) {
    let (note, lasts) = (note.to_owned(), Duration::from_hours(1));
    (
        reference(by),
        Approval {
            user_id: by.id,
            hook_by: None,
            verdict,
            note,
            lasts,
            at: before(300),
            right: None,
        },
    )
}

/// Someone who let themselves in.
pub fn broken(may_review: bool) -> BreakGlassView {
    BreakGlassView {
        taken: BreakGlass {
            id: id(9_200),
            workspace_id: id(1),
            user_id: grace().id,
            grant_id: Some(id(9_201)),
            reason: "the kiln does not answer and nobody else does".into(),
            taken_at: before(900),
            until: Timestamp(NOW.0 + 2_700),
            review: None,
        },
        by: reference(&grace()),
        workspace: "ada/kiln".into(),
        may_review,
    }
}

fn page(view: RequestView, link: Option<String>) -> RequestPage {
    let answer_to = "/requests/1/answer".into();
    RequestPage { visit: visit(ada()), view, answer_to, link, input: Input::default() }
}

fn pages() -> Vec<Scene> {
    let mut waiting = view(9_101, &linus(), RequestState::Pending);
    waiting.may_decide = true;
    waiting.said = vec![said(&grace(), Verdict::Approve, "go ahead")];
    let mut hidden = view(9_102, &ada(), RequestState::Pending);
    (hidden.workspace, hidden.needed, hidden.is_own) = (None, None, true);
    let mut approved = view(9_103, &linus(), RequestState::Approved);
    approved.said =
        vec![said(&grace(), Verdict::Approve, ""), said(&ada(), Verdict::Approve, "be quick")];
    let to = steading::model::grant::Recipient::User(linus().id);
    let mut given = grant(9_104, to, Preset::Use.verbs(), Some(3_000));
    given.via = Via::Request;
    approved.grant = Some(given);
    let mut denied = view(9_105, &linus(), RequestState::Denied);
    denied.said = vec![said(&grace(), Verdict::Deny, "ask Ada tomorrow")];
    let link = "https://steading.lan/requests/link/stAbCdEfGh-0123456789abcdefghijkl".to_owned();
    vec![
        scene("request", page(waiting.clone(), None).render()),
        scene("request-link", page(waiting, Some(link)).render()),
        scene("request-hidden", page(hidden, None).render()),
        scene("request-approved", page(approved, None).render()),
        scene("request-denied", page(denied, None).render()),
        scene("request-expired", page(view(9_106, &linus(), RequestState::Expired), None).render()),
    ]
}

fn lists() -> Vec<Scene> {
    let all = |to_decide: Vec<RequestView>, own: Vec<RequestView>, broken| Requests {
        visit: visit(ada()),
        to_decide,
        own,
        broken,
    };
    let own = RequestState::ALL.iter().zip(9_110..);
    let own = own.map(|(state, n)| view(n, &ada(), *state)).collect();
    let waiting = vec![
        view(9_107, &linus(), RequestState::Pending),
        view(9_108, &grace(), RequestState::Pending),
    ];
    let ask = |verbs: Verbs, breaks_glass, input| AskPage {
        visit: visit(linus()),
        wanted: Wanted { workspace: "ada/kiln".into(), verbs },
        breaks_glass,
        input,
        emergency: Input::default(),
    };
    let typed = [("workspace", "ada/kiln"), ("preset", "custom"), ("v.delete", "yes")];
    let typed = typed.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
    let wrong = Input::wrong(typed, "reason", "Is missing: say what it is for.");
    vec![
        scene("requests", all(waiting, own, vec![broken(true), broken_own()]).render()),
        scene("requests-empty", all(vec![], vec![], vec![]).render()),
        scene("request-ask", ask(Preset::Use.verbs(), false, Input::default()).render()),
        scene(
            "request-ask-emergency",
            ask(Verbs::parse("connect,manage").unwrap(), true, Input::default()).render(),
        ),
        scene("request-ask-wrong", ask(Verbs::default(), false, wrong).render()),
    ]
}

fn broken_own() -> BreakGlassView {
    let mut own = broken(false);
    own.taken.id = id(9_202);
    own.by = reference(&ada());
    own
}

fn rules() -> Vec<Scene> {
    let rule = |rule: RuleView, action: &str| RequestRules {
        visit: visit(ada()),
        of: ("Sharing kiln".into(), "/@ada/kiln/sharing".into()),
        action: action.into(),
        rule,
        groups: vec!["platform".into(), "potters".into()],
        rotations: vec!["on-call".into()],
        input: Input::default(),
    };
    let none = RuleView {
        approvals: 1,
        group: String::new(),
        rotation: String::new(),
        auto: String::new(),
        set: None,
        is_of_organization: true,
    };
    let set = RuleView {
        approvals: 2,
        group: "potters".into(),
        auto: "on-call".into(),
        set: Some((reference(&ada()), before(90_000))),
        is_of_organization: false,
        ..none.clone()
    };
    vec![
        scene("request-rules", rule(none, "/@ada/kiln/sharing/requests").render()),
        scene("request-rules-set", rule(set, "/@ada/kiln/sharing/requests").render()),
    ]
}

pub fn all() -> Vec<Scene> {
    [lists(), pages(), rules()].concat()
}
