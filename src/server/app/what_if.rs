//! Looking ahead: which rights on workspaces a change of a group or of roles would give and take. The change
//! is made, the view that decides is asked, and the change is undone.

use std::collections::BTreeMap;

use super::groups::UpdateGroup;
use super::{Actor, App, Result, access, audit_chain, groups, people, roles, users};
use crate::model::id::{GroupId, UserId, WorkspaceId};
use crate::model::user::{SiteRole, UserStatus};
use crate::model::verb::{Verb, Verbs};
use crate::model::what_if::{MOST_TOLD, Outlook, Shift};
use crate::server::db::{self, ReadTx, WriteTx, rights as rows, workspaces};

/// People whose rights are looked at in one look ahead: others wait to write meanwhile.
const MAX_PEOPLE: usize = 50;

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

impl App {
    /// What a change would give and take. Of workspaces that the actor may not know it says how many.
    ///
    /// # Errors
    /// As the change itself; [`super::Error::Invalid`] for too many people at once.
    pub async fn what_if(&self, actor: &Actor, change: Change) -> Result<Outlook> {
        let (actor, rules) = (actor.clone(), self.rules());
        self.tried(move |tx| {
            let mut before: Vec<(UserId, String, Held)> = vec![];
            for key in change.people()? {
                let user = people::find(tx, &actor, key)?;
                before.push((user.id, user.username.to_string(), held(tx, user.id)?));
            }
            match &change {
                Change::Group { group, add, remove } => {
                    let (add_users, remove_users) = (add.clone(), remove.clone());
                    let cmd = UpdateGroup { add_users, remove_users, ..UpdateGroup::default() };
                    groups::update_in(tx, &actor, (*group, &cmd)).map(drop)?;
                }
                Change::SiteRoles { user, roles } => {
                    users::set_roles_in(tx, &actor, &rules, (user, roles.clone())).map(drop)?;
                }
                Change::MemberRoles { organization, user, roles } => {
                    let keys = (organization.as_str(), user.as_str());
                    roles::set_in(tx, &actor, &rules, (keys, roles.clone())).map(drop)?;
                }
            }
            outlook(tx, &actor, before)
        })
        .await
    }
}

impl Change {
    fn people(&self) -> Result<Vec<&str>> {
        let all: Vec<&str> = match self {
            Self::Group { add, remove, .. } => {
                add.iter().chain(remove).map(String::as_str).collect()
            }
            Self::SiteRoles { user, .. } | Self::MemberRoles { user, .. } => vec![user.as_str()],
        };
        if all.len() > MAX_PEOPLE {
            let why = format!("are more than {MAX_PEOPLE} at once");
            return Err(super::Error::invalid("add_users", why));
        }
        Ok(all)
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

/// How each of them stands after the change, against how they stood before.
fn outlook(
    tx: &WriteTx<'_>,
    actor: &Actor,
    before: Vec<(UserId, String, Held)>,
) -> Result<Outlook> {
    let reads_all = audit_chain::require_reader(tx.now, actor).is_ok();
    let mut all = Outlook::default();
    for (user, who, old) in before {
        let is_there = db::users::find(tx, user)?.is_some_and(|u| u.status != UserStatus::Deleted);
        let new = if is_there { held(tx, user)? } else { Held::new() };
        let mut touched: Vec<WorkspaceId> = old.keys().chain(new.keys()).copied().collect();
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            let at = |held: &Held| held.get(&id).copied().unwrap_or_default();
            let (was, is) = (at(&old), at(&new));
            if was == is {
                continue;
            }
            if !reads_all && access::require(tx, actor, id, Verb::View).is_err() {
                all.hidden += 1;
                continue;
            }
            if all.shifts.len() >= MOST_TOLD {
                all.more += 1;
                continue;
            }
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
