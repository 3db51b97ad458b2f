//! Looking ahead: which rights on workspaces a change of a group or of roles would give and take. The change
//! is made, the view that decides is asked, and the change is undone.

use std::collections::BTreeMap;

use super::groups::UpdateGroup;
use super::provider_rules::AllRules;
use super::{Actor, App, Result, access, audit_chain, groups, people, roles, users};
use crate::model::id::{GroupId, UserId, WorkspaceId};
use crate::model::user::SiteRole;
use crate::model::verb::{Verb, Verbs};
use crate::model::what_if::{MOST_TOLD, Outlook, Shift};
use crate::server::db::{ReadTx, WriteTx, grants, rights as rows, workspaces};

/// People whose rights are looked at in one look ahead: others wait to write meanwhile.
const MAX_PEOPLE: usize = 50;
/// People besides them who have something under a grant of theirs, for the same reason.
const MAX_DEPENDANTS: usize = 50;
/// As many of those are read for each who is named: a grant may be to everyone.
const MAX_HOLDERS: usize = 1000;
/// Workspaces of which it is asked whether the actor may know them: each asks the database.
const MAX_ASKED: usize = 1000;

/// A change that is not made.
#[derive(Clone, Debug)]
pub enum Change {
    /// Of who is in a group.
    Group {
        /// Which.
        group: GroupId,
        /// Who would be put in, by name or id.
        add: Vec<String>,
        /// Who would be taken out.
        remove: Vec<String>,
    },
    /// Of someone's roles on the site: those they would have.
    SiteRoles {
        /// Whose, by name or id.
        user: String,
        /// Which.
        roles: Vec<SiteRole>,
    },
    /// Of a member's roles in an organization: those they would have.
    MemberRoles {
        /// In which, by name or id.
        organization: String,
        /// Whose, by name or id.
        user: String,
        /// Which, by name.
        roles: Vec<String>,
    },
}

/// Someone's rights, by workspace.
type Held = BTreeMap<WorkspaceId, Verbs>;

/// Someone whom a change may touch.
struct Touched {
    user: UserId,
    /// Their name; none for whom the actor may not see.
    who: Option<String>,
    /// What they have after it.
    after: Held,
}

impl App {
    /// What a change would give and take. Of workspaces that the actor may not know it says how many.
    ///
    /// # Errors
    /// As the change itself; [`super::Error::Invalid`] for too many people at once.
    pub async fn what_if(&self, actor: &Actor, change: Change) -> Result<Outlook> {
        change.check()?;
        let (asked, rules) = (actor.clone(), self.rules());
        // The change itself asks whether the actor may make it, before anything is looked at.
        let (touched, rest) = self
            .tried(move |tx| {
                make(tx, &asked, &rules, &change)?;
                touched(tx, &asked, &change)
            })
            .await?;
        let actor = actor.clone();
        self.db.read_large(move |tx| outlook(tx, &actor, (touched, rest))).await
    }
}

/// Makes a change, as the one who asks.
fn make(tx: &WriteTx<'_>, actor: &Actor, rules: &AllRules, change: &Change) -> Result<()> {
    match change {
        Change::Group { group, add, remove } => {
            let (add_users, remove_users) = (add.clone(), remove.clone());
            let cmd = UpdateGroup { add_users, remove_users, ..UpdateGroup::default() };
            groups::update_in(tx, actor, (*group, &cmd)).map(drop)
        }
        Change::SiteRoles { user, roles } => {
            users::set_roles_in(tx, actor, rules, (user, roles.clone())).map(drop)
        }
        Change::MemberRoles { organization, user, roles } => {
            let keys = (organization.as_str(), user.as_str());
            roles::set_in(tx, actor, rules, (keys, roles.clone())).map(drop)
        }
    }
}

/// Whom a change touches, as they stand after it, each once: who is named, and who has something under a
/// grant of theirs. And how many of the latter are left out.
fn touched(tx: &WriteTx<'_>, actor: &Actor, change: &Change) -> Result<(Vec<Touched>, usize)> {
    let mut all: Vec<Touched> = vec![];
    for key in change.people() {
        let user = people::find(tx, actor, key)?;
        if all.iter().all(|one| one.user != user.id) {
            let who = Some(user.username.to_string());
            all.push(Touched { user: user.id, who, after: held(tx, user.id)? });
        }
    }
    let mut others = vec![];
    for one in &all {
        others.extend(grants::holders_under(tx, one.user, MAX_HOLDERS)?);
    }
    others.sort_unstable();
    others.dedup();
    others.retain(|user| all.iter().all(|one| one.user != *user));
    let rest = others.len().saturating_sub(MAX_DEPENDANTS);
    for user in others.into_iter().take(MAX_DEPENDANTS) {
        let found = people::find(tx, actor, &user.to_string());
        let who = found.ok().map(|user| user.username.to_string());
        all.push(Touched { user, who, after: held(tx, user)? });
    }
    Ok((all, rest))
}

impl Change {
    /// Those who are named.
    fn people(&self) -> Vec<&str> {
        match self {
            Self::Group { add, remove, .. } => {
                add.iter().chain(remove).map(String::as_str).collect()
            }
            Self::SiteRoles { user, .. } | Self::MemberRoles { user, .. } => vec![user.as_str()],
        }
    }

    fn check(&self) -> Result<()> {
        if self.people().len() > MAX_PEOPLE {
            let why = format!("are more than {MAX_PEOPLE} at once");
            return Err(super::Error::invalid("add_users", why));
        }
        Ok(())
    }
}

fn held(tx: &ReadTx<'_>, user: UserId) -> Result<Held> {
    let mut all = Held::new();
    for (workspace, verb) in rows::on_all(tx, user)? {
        let verbs = all.entry(workspace).or_default();
        *verbs = verbs.and([verb].into_iter().collect());
    }
    Ok(all)
}

/// How each of them stands after the change, against how they stand now.
fn outlook(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (touched, rest): (Vec<Touched>, usize),
) -> Result<Outlook> {
    let reads_all = audit_chain::require_reader(tx.now, actor).is_ok();
    // Who is left out has something on one workspace at least.
    let mut all = Outlook { more: rest, ..Outlook::default() };
    let mut asked = 0;
    for Touched { user, who, after } in touched {
        let before = held(tx, user)?;
        let mut ids: Vec<WorkspaceId> = before.keys().chain(after.keys()).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let at = |held: &Held| held.get(&id).copied().unwrap_or_default();
            let (was, is) = (at(&before), at(&after));
            if was == is {
                continue;
            }
            if all.shifts.len() >= MOST_TOLD {
                all.more += 1;
                continue;
            }
            asked += usize::from(!reads_all);
            let may_know = reads_all
                || (asked <= MAX_ASKED && access::require(tx, actor, id, Verb::View).is_ok());
            let (Some(who), true) = (&who, may_know) else {
                all.hidden += 1;
                continue;
            };
            let Some((owner, name)) = workspaces::names(tx, id)? else { continue };
            all.shifts.push(Shift {
                who: who.clone(),
                workspace: format!("{owner}/{name}"),
                gained: is.minus(was),
                lost: was.minus(is),
            });
        }
    }
    Ok(all)
}
