//! Requests for access: what is asked for, how long it waits, and what becomes of it by what is said of it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::grant::Grant;
use super::id::{
    BreakGlassId, GrantId, GroupId, OrganizationId, RequestId, RotationId, UserId, WorkspaceId,
};
use super::time::Timestamp;
use super::user::{UserRef, define_words};
use super::verb::Verbs;

/// How long access lasts when nothing is said.
pub const DEFAULT_LASTS: Duration = Duration::from_hours(4);
/// How long access lasts at least, and at most.
pub const LASTS: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(14 * 24);
/// How long a request waits for an answer when nothing is said.
pub const DEFAULT_WAIT: Duration = Duration::from_hours(1);
/// How long a request waits at least, and at most.
pub const WAIT: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(24);
/// How far ahead access may begin.
pub const MAX_AHEAD: Duration = Duration::from_hours(14 * 24);
/// The longest reason, and the longest note of an answer.
pub const MAX_REASON: usize = 512;
/// The longest name of a workspace as it is asked for: its owner's and its own.
pub const MAX_PLACE: usize = 128;
/// Approvals that a request can need.
pub const APPROVALS: std::ops::RangeInclusive<u8> = 1..=10;
/// How long someone is in who let themselves in.
pub const BREAK_GLASS: Duration = Duration::from_hours(1);

define_words! {
    /// What became of a request.
    RequestState {
        /// It waits for an answer.
        Pending = "pending",
        /// Access was granted.
        Approved = "approved",
        /// Someone said no.
        Denied = "denied",
        /// Whoever asked took it back.
        Cancelled = "cancelled",
        /// Nobody answered in time.
        Expired = "expired",
    }
    /// What someone says of a request.
    Verdict {
        /// Yes.
        Approve = "approve",
        /// No.
        Deny = "deny",
    }
}

/// A request as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// Who asks.
    pub user_id: UserId,
    /// For which workspace, as it was written: its owner, a slash, its name.
    pub place: String,
    /// The workspace; none where there is none that could be asked for, which whoever asks is not told.
    pub workspace_id: Option<WorkspaceId>,
    /// What they want to do.
    pub verbs: Verbs,
    /// Why.
    pub reason: String,
    /// Not before; zero for at once.
    pub from: Timestamp,
    /// For how long.
    pub lasts: Duration,
    /// When they asked.
    pub made_at: Timestamp,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
    /// What became of it, as it is kept: see [`Request::state_at`].
    pub state: RequestState,
    /// When that was; none while it waits.
    pub decided_at: Option<Timestamp>,
    /// What was granted; none when nothing was, and when it is long over.
    pub grant_id: Option<GrantId>,
}

/// What someone said of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub user_id: UserId,
    /// Who set the program that brought it; none for what they said themselves.
    pub hook_by: Option<UserId>,
    /// What.
    pub verdict: Verdict,
    /// What they wrote with it; may be empty.
    pub note: String,
    /// For how long they let them in.
    pub lasts: Duration,
    /// When.
    pub at: Timestamp,
    /// By whose right, and by which grant that one had it: none for the owner and by a role. What it asked
    /// of where they were was met then. None for what was said before that was kept.
    pub right: Option<(UserId, Option<GrantId>)>,
}

/// Who answers requests besides those who may share the workspace, and how many have to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How many have to say yes.
    pub approvals: u8,
    /// Members of this group may.
    pub group: Option<GroupId>,
    /// Whoever is on call here may.
    pub rotation: Option<RotationId>,
    /// Whoever is on call here is let in at once.
    pub auto: Option<RotationId>,
    /// Who set it: what it lets others give is theirs to give, for as long as it is.
    pub set_by: UserId,
    /// When.
    pub set_at: Timestamp,
}

/// A rule with the names of whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// How many have to say yes.
    pub approvals: u8,
    /// The group whose members may; empty for none.
    pub group: String,
    /// The rotation whose on-call may; empty for none.
    pub rotation: String,
    /// The rotation whose on-call is let in at once; empty for none.
    pub auto: String,
    /// Who set it, and when; none for the one that holds where none is set.
    pub set: Option<(UserRef, Timestamp)>,
    /// It is set for the whole organization.
    pub is_of_organization: bool,
}

/// A program that is told of requests in an organization, and may answer them for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The host of its address, and the port where it has its own. The rest often holds a secret, and is for
    /// nobody to see.
    pub host: String,
    /// An owner of the site has named it: it may lie in a private network.
    pub is_trusted: bool,
    /// Who set it.
    pub set_by: UserId,
    /// When.
    pub set_at: Timestamp,
}

/// A request with the names of whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// The request, in its state of now.
    pub request: Request,
    /// Who asks.
    pub by: UserRef,
    /// Owner and name of the workspace, for who may know of it.
    pub workspace: Option<String>,
    /// Where it belongs, for who may know of it.
    pub organization: Option<OrganizationId>,
    /// How many have to say yes; none for who may not know of the workspace.
    pub needed: Option<u8>,
    /// What was said of it, the first one first; empty for who may not know of the workspace.
    pub said: Vec<(UserRef, Approval)>,
    /// What was granted, while that is kept.
    pub grant: Option<Grant>,
    /// Whether whoever looks may answer it now.
    pub may_decide: bool,
    /// Whether whoever looks asked it.
    pub is_own: bool,
}

/// Someone let themselves into a workspace in an emergency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakGlass {
    /// Its id.
    pub id: BreakGlassId,
    /// Into which workspace.
    pub workspace_id: WorkspaceId,
    /// Who.
    pub user_id: UserId,
    /// What they gave themselves; none when that is long over.
    pub grant_id: Option<GrantId>,
    /// Why.
    pub reason: String,
    /// When.
    pub taken_at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who looked into it since, when, and what they found.
    pub review: Option<(UserId, Timestamp, String)>,
}

/// The same with the names of whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakGlassView {
    /// What happened.
    pub taken: BreakGlass,
    /// Who.
    pub by: UserRef,
    /// Owner and name of the workspace.
    pub workspace: String,
    /// Whether whoever looks may say that they looked into it.
    pub may_review: bool,
}

impl Request {
    /// What became of it: one that was not answered in time is over, whether that is written or not.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> RequestState {
        let is_over = self.state == RequestState::Pending && now >= self.expires_at;
        if is_over { RequestState::Expired } else { self.state }
    }

    /// When access begins and ends that is granted now, for so long at most.
    #[must_use]
    pub fn span(&self, now: Timestamp, at_most: Duration) -> (Timestamp, Timestamp) {
        let from = self.from.max(now);
        (from, from.plus(self.lasts.min(at_most)))
    }
}

/// What becomes of a request by what was said of it: one no ends it, whatever else was said, and it takes
/// as many yeses as are needed. Who says yes and may not any more does not count, whose no was heard is.
/// All that programs of one person bring is one yes, and that is their own.
#[must_use]
pub fn outcome(said: &[Approval], counts: impl Fn(UserId) -> bool, needed: u8) -> RequestState {
    if said.iter().any(|one| one.verdict == Verdict::Deny) {
        return RequestState::Denied;
    }
    let yes = said.iter().filter(|one| counts(one.user_id));
    let voices: BTreeSet<UserId> = yes.map(|one| one.hook_by.unwrap_or(one.user_id)).collect();
    if voices.len() >= usize::from(needed.max(1)) {
        RequestState::Approved
    } else {
        RequestState::Pending
    }
}

/// Owner and name of a workspace as someone writes it; none for what is not the name of one.
#[must_use]
pub fn place(text: &str) -> Option<(&str, &str)> {
    let text = text.trim().trim_start_matches(['/', '@']);
    let (owner, name) = text.split_once('/')?;
    let fits = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !part.is_empty() && part.len() < MAX_PLACE / 2 && part.chars().all(known)
    };
    (fits(owner) && fits(name)).then_some((owner, name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::model::verb::Preset;

    fn user(n: u8) -> UserId {
        UserId(Uuid::from_u128(u128::from(n)))
    }

    fn said(by: u8, verdict: Verdict) -> Approval {
        let (note, lasts, at) = (String::new(), DEFAULT_LASTS, Timestamp(1));
        Approval { user_id: user(by), hook_by: None, verdict, note, lasts, at, right: None }
    }

    fn request() -> Request {
        Request {
            id: RequestId(Uuid::nil()),
            user_id: user(1),
            place: "ada/kiln".into(),
            workspace_id: None,
            verbs: Preset::Use.verbs(),
            reason: "the glaze".into(),
            from: Timestamp(0),
            lasts: DEFAULT_LASTS,
            made_at: Timestamp(100),
            expires_at: Timestamp(200),
            state: RequestState::Pending,
            decided_at: None,
            grant_id: None,
        }
    }

    #[test]
    fn what_nobody_answered_in_time_is_over() {
        assert_eq!(request().state_at(Timestamp(199)), RequestState::Pending);
        assert_eq!(request().state_at(Timestamp(200)), RequestState::Expired);
        let denied = Request { state: RequestState::Denied, ..request() };
        assert_eq!(denied.state_at(Timestamp(900)), RequestState::Denied);
    }

    #[test]
    fn what_programs_of_one_person_bring_is_one_yes() {
        let brought = |by| Approval { hook_by: Some(user(2)), ..said(by, Verdict::Approve) };
        let both = [brought(3), brought(4)];
        assert_eq!(outcome(&both, |_| true, 2), RequestState::Pending);
        let own = [brought(3), said(2, Verdict::Approve)];
        assert_eq!(outcome(&own, |_| true, 2), RequestState::Pending);
        let another = [brought(3), said(5, Verdict::Approve)];
        assert_eq!(outcome(&another, |_| true, 2), RequestState::Approved);
    }

    #[test]
    fn access_begins_when_it_is_granted_and_lasts_no_longer_than_anyone_said() {
        let (now, hour) = (Timestamp(1_000), Duration::from_hours(1));
        assert_eq!(request().span(now, hour), (now, Timestamp(4_600)));
        let later = Request { from: Timestamp(5_000), ..request() };
        assert_eq!(later.span(now, LASTS.end().to_owned()).0, Timestamp(5_000));
        assert_eq!(later.span(now, *LASTS.end()).1, Timestamp(5_000).plus(DEFAULT_LASTS));
    }

    #[test]
    fn a_workspace_is_named_by_its_owner_and_itself() {
        assert_eq!(place("ada/kiln"), Some(("ada", "kiln")));
        assert_eq!(place(" /@ada/kiln "), Some(("ada", "kiln")));
        for wrong in ["", "kiln", "/", "ada/", "ada/kiln/x", "a da/kiln", "ada/<b>"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
        assert_eq!(place(&format!("ada/{}", "x".repeat(64))), None);
    }

    proptest! {
        #[test]
        fn one_no_ends_it_and_only_those_who_may_count(
            verdicts in proptest::collection::vec((0..12_u8, any::<bool>()), 0..12),
            may in proptest::collection::btree_set(0..12_u8, 0..12),
            needed in 0..11_u8,
        ) {
            let mut all: Vec<Approval> = vec![];
            for (by, yes) in verdicts {
                if all.iter().all(|one| one.user_id != user(by)) {
                    all.push(said(by, if yes { Verdict::Approve } else { Verdict::Deny }));
                }
            }
            let counts = |who: UserId| may.iter().any(|n| user(*n) == who);
            let yes = all.iter().filter(|a| a.verdict == Verdict::Approve && counts(a.user_id));
            let yes = yes.count();
            match outcome(&all, counts, needed) {
                RequestState::Denied => prop_assert!(all.iter().any(|a| a.verdict == Verdict::Deny)),
                RequestState::Approved => {
                    prop_assert!(all.iter().all(|a| a.verdict == Verdict::Approve));
                    prop_assert!(yes >= usize::from(needed) && yes >= 1);
                }
                RequestState::Pending => {
                    prop_assert!(all.iter().all(|a| a.verdict == Verdict::Approve));
                    prop_assert!(yes < usize::from(needed.max(1)));
                }
                RequestState::Cancelled | RequestState::Expired => prop_assert!(false),
            }
        }
    }
}
