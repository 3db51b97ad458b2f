//! Who may do what on a workspace, why, and within which limits: the entire access policy, as pure functions.

use std::collections::BTreeMap;

use super::id::{GrantId, GroupId, RotationId, UserId, WorkspaceId};
use super::network::Network;
use super::policy::condition::{Context, Requirement, Unmet};
use super::time::Timestamp;
use super::user::{UserRef, define_words};
use super::verb::{Verb, Verbs};
use super::window;

define_words! {
    /// Why someone may.
    Reason {
        /// It is theirs.
        Owner = "owner",
        /// They answer for the service account that owns it.
        Responsible = "responsible",
        /// Their role on the site or in the organization.
        Role = "role",
        /// A grant to them.
        Grant = "grant",
        /// A grant to a group of theirs.
        Group = "group",
        /// A grant to a rotation in which it is their shift.
        Rotation = "rotation",
    }
    /// By what way a grant came to be.
    Via {
        /// Someone shared it.
        Direct = "direct",
        /// A share code was redeemed.
        Code = "code",
        /// A request was approved.
        Request = "request",
        /// Someone took it in an emergency.
        BreakGlass = "break_glass",
    }
    /// Why a grant was ended before its time.
    EndedWhy {
        /// Someone took it back.
        Removed = "removed",
        /// Whom it was to did not want it any more.
        Left = "left",
        /// Sharing was limited in the organization.
        Mode = "mode",
        /// They were let in for being on call, and no longer are.
        Shift = "shift",
    }
    /// Whose workspaces may be shared in an organization, in Coder's words.
    Mode {
        /// Everyone's.
        Everyone = "everyone",
        /// Those of service accounts.
        ServiceAccounts = "service_accounts",
        /// Nobody's.
        None = "none",
    }
}

/// To whom a grant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// Every member of the workspace's organization.
    Everyone,
    /// A group.
    Group(GroupId),
    /// Whoever is on call in a rotation.
    Rotation(RotationId),
    /// A person or a service account.
    User(UserId),
}

/// When and how a grant may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Not before; zero for always.
    pub from: Timestamp,
    /// Not from then on; none for no end.
    pub until: Option<Timestamp>,
    /// A weekly window as [`window::words`] says it; empty for always.
    pub hours: String,
    /// From these networks; empty for anywhere.
    pub networks: Vec<Network>,
    /// Only in a session in which a second factor was given.
    pub needs_mfa: bool,
    /// What is done under it is recorded.
    pub is_recorded: bool,
}

/// A grant as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// On what.
    pub workspace_id: WorkspaceId,
    /// To whom.
    pub to: Recipient,
    /// What.
    pub verbs: Verbs,
    /// When and how.
    pub limits: Limits,
    /// Why, in the granter's words; may be empty.
    pub reason: String,
    /// Who granted it; none for the program.
    pub granted_by: Option<UserId>,
    /// When.
    pub granted_at: Timestamp,
    /// By what way.
    pub via: Via,
    /// The granter held it by this grant, and it holds while that one does.
    pub under: Option<GrantId>,
    /// When and why it was ended by hand.
    pub ended: Option<(Timestamp, EndedWhy)>,
}

/// A grant with the names of whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// The grant.
    pub grant: Grant,
    /// The name of whom it is to.
    pub name: String,
    /// Members of the group it is to; one for a person.
    pub people: i64,
    /// Who granted it; none for the program.
    pub by: Option<UserRef>,
    /// Whether whom it is to has it: it is not, for who is suspended or left the organization, and when
    /// its granter lost the right to share.
    pub holds: bool,
    /// Whether whoever looks may take it back.
    pub may_end: bool,
}

/// One right as the view `effective_grants` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveGrant {
    /// Who.
    pub user_id: UserId,
    /// What.
    pub verb: Verb,
    /// Why.
    pub reason: Reason,
    /// By which grant; none for the owner and by a role.
    pub grant_id: Option<GrantId>,
    /// Not before.
    pub from: Timestamp,
    /// Until when; none for no end.
    pub until: Option<Timestamp>,
    /// Windows, a line for each that counts.
    pub hours: String,
    /// Networks, a line for each list that counts.
    pub networks: String,
    /// Only in a session with a second factor.
    pub needs_mfa: bool,
    /// What is done under it is recorded.
    pub is_recorded: bool,
}

impl EffectiveGrant {
    /// Whether its time has come and is not over.
    #[must_use]
    pub fn is_in_time(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    /// Whether it may be used as the context is. What cannot be read as a limit lets nobody in.
    ///
    /// # Errors
    /// With the first limit that is not met.
    pub fn check(&self, context: &Context<'_>) -> Result<(), Unmet> {
        for line in self.hours.lines().filter(|line| !line.is_empty()) {
            let hours = window::parse(line).map_err(|_| Unmet::Unreadable)?;
            context.meets(&Requirement::Hours(hours))?;
        }
        for line in self.networks.lines().filter(|line| !line.is_empty()) {
            let networks: Result<Vec<Network>, _> = line.split(',').map(str::parse).collect();
            context.meets(&Requirement::Networks(networks.map_err(|_| Unmet::Unreadable)?))?;
        }
        if self.needs_mfa && context.mfa_at.is_none() {
            return Err(Unmet::Factor);
        }
        Ok(())
    }
}

/// Whether one of the rights allows the action now.
#[must_use]
pub fn may(grants: &[EffectiveGrant], verb: Verb, context: &Context<'_>) -> bool {
    held(grants, verb, context).next().is_some()
}

/// The rights that allow the action now.
pub fn held<'a>(
    grants: &'a [EffectiveGrant],
    verb: Verb,
    context: &'a Context<'_>,
) -> impl Iterator<Item = &'a EffectiveGrant> {
    let of_verb = grants.iter().filter(move |g| g.verb == verb && g.is_in_time(context.now));
    of_verb.filter(move |g| g.check(context).is_ok())
}

/// The limit because of which someone may not, who otherwise would.
#[must_use]
pub fn unmet(grants: &[EffectiveGrant], verb: Verb, context: &Context<'_>) -> Option<Unmet> {
    let of_verb = grants.iter().filter(|g| g.verb == verb && g.is_in_time(context.now));
    of_verb.filter_map(|g| g.check(context).err()).next()
}

/// Whether what is done under the rights that allow the action now has to be recorded: when each of them
/// says so.
#[must_use]
pub fn is_recorded(grants: &[EffectiveGrant], verb: Verb, context: &Context<'_>) -> bool {
    held(grants, verb, context).all(|g| g.is_recorded)
}

/// What someone who shares may pass on: by their own right on it with nothing attached, or under one
/// grant. Nobody passes `share` on but who holds it otherwise than by a grant.
///
/// # Errors
/// With what they may not pass on.
pub fn basis(
    grants: &[EffectiveGrant],
    verbs: Verbs,
    context: &Context<'_>,
) -> Result<Option<GrantId>, Verbs> {
    let ways = ways(grants, context.now, |right| right.check(context).is_ok());
    // What is nobody's grant comes first.
    if let Some((by, _)) = ways.iter().find(|(_, all)| verbs.is_within(**all)) {
        return Ok(*by);
    }
    let most = ways.into_values().max_by_key(|all| all.len()).unwrap_or_default();
    Err(verbs.minus(most))
}

/// Whether someone still has what they passed these on by: under a grant, or by none. What it asks of them
/// besides a time was looked at when they did.
#[must_use]
pub fn stands(
    grants: &[EffectiveGrant],
    (verbs, under): (Verbs, Option<GrantId>),
    now: Timestamp,
) -> bool {
    ways(grants, now, |_| true).get(&under).is_some_and(|most| verbs.is_within(*most))
}

/// What someone may pass on, by each grant and by none.
fn ways(
    grants: &[EffectiveGrant],
    now: Timestamp,
    fits: impl Fn(&EffectiveGrant) -> bool,
) -> BTreeMap<Option<GrantId>, Verbs> {
    let mut ways: BTreeMap<Option<GrantId>, Verbs> = BTreeMap::new();
    for right in grants.iter().filter(|g| g.is_in_time(now)) {
        // A shift is too short to give what lasts longer.
        if right.reason != Reason::Rotation && fits(right) {
            let way = ways.entry(right.grant_id).or_default();
            *way = way.and([right.verb].into_iter().collect());
        }
    }
    ways.retain(|_, verbs| verbs.contains(Verb::Share));
    for (by, all) in &mut ways {
        *all = if by.is_some() { all.without(Verb::Share) } else { *all };
    }
    ways
}

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;
