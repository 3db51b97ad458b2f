//! Whether someone may do something: roles first, then what a token is limited to, then conditions.

pub mod condition;
pub mod permission;
#[cfg(test)]
mod properties;
pub mod role;
pub mod scope;

use uuid::Uuid;

pub use condition::{Condition, Context, Unmet};
pub use permission::{Action, Permission, Permissions, ResourceType};
pub use scope::Scope;

use crate::model::id::{OrganizationId, UserId};
use crate::model::user::{OrganizationRole, SiteRole, User, UserKind};

/// Who asks, as the views `effective_*` and the token they came with have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Who.
    pub user: UserId,
    /// A service account never shares on its own.
    pub kind: UserKind,
    /// What their roles on the site hold.
    pub site: Permissions,
    /// Where they belong.
    pub organizations: Vec<Belonging>,
    /// What they came with is limited to.
    pub scope: Scope,
}

/// Someone's part in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belonging {
    /// Which.
    pub organization: OrganizationId,
    /// What their roles there hold.
    pub held: Permissions,
    /// What their roles there take away.
    pub denied: Permissions,
}

/// What something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: ResourceType,
    /// Its id; none for one that is to be made, or for all of a kind.
    pub id: Option<Uuid>,
    /// Whose it is, if it is someone's.
    pub owner: Option<UserId>,
    /// Where it belongs, if it belongs somewhere.
    pub organization: Option<OrganizationId>,
    /// What is granted on it to who asks, by its own list.
    pub granted: Permissions,
}

/// Why someone may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// A role on the site.
    Site,
    /// A role in its organization.
    Organization,
    /// It is theirs.
    Own,
    /// It is granted on the thing.
    Granted,
}

/// Why someone may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No role, ownership or grant of theirs holds the permission.
    NotHeld(Permission),
    /// A role of theirs takes it away.
    TakenAway(Permission),
    /// The token is not for this.
    Scope(Permission),
    /// The token is not for this thing.
    Thing(ResourceType),
    /// They may, and not now or from here.
    Unmet(Unmet),
}

fn belonging(
    user: &User,
    organization: OrganizationId,
    custom: &[(OrganizationId, Permissions)],
) -> Belonging {
    let (mut held, mut denied) = (role::MEMBER, Permissions::EMPTY);
    let there = user.organization_roles.iter().filter(|h| h.organization == organization);
    for built_in in there.filter_map(|h| OrganizationRole::from_word(h.role.as_str())) {
        held = held.union(role::of_organization(built_in));
        denied = denied.union(role::denied_by(built_in));
    }
    for (_, more) in custom.iter().filter(|(id, _)| *id == organization) {
        held = held.union(*more);
    }
    Belonging { organization, held, denied }
}

/// Whether `subject` may do `action` to `object`. The answer says which rule it stands on.
///
/// # Errors
/// With the first rule that is against it.
pub fn decide(
    subject: &Subject,
    action: Action,
    object: &Object,
    context: &Context<'_>,
) -> Result<Because, Denied> {
    let permission = Permission(object.kind, action);
    let because = held(subject, permission, object)?;
    if !subject.scope.has(permission) {
        return Err(Denied::Scope(permission));
    }
    if !subject.scope.reaches(object.kind, object.id) {
        return Err(Denied::Thing(object.kind));
    }
    context.check(permission).map_err(Denied::Unmet)?;
    Ok(because)
}

fn held(subject: &Subject, permission: Permission, object: &Object) -> Result<Because, Denied> {
    if subject.site.contains(permission) {
        return Ok(Because::Site);
    }
    let there = object.organization.map(|id| subject.belonging(id));
    if there.flatten().is_some_and(|b| b.denied.contains(permission)) {
        return Err(Denied::TakenAway(permission));
    }
    if there.flatten().is_some_and(|b| b.held.contains(permission)) {
        return Ok(Because::Organization);
    }
    // What is one's own in an organization is so while one belongs to it.
    let left = there.is_some_and(|belonging| belonging.is_none());
    if object.owner == Some(subject.user) && role::own(subject.kind).contains(permission) && !left {
        return Ok(Because::Own);
    }
    if object.granted.intersection(role::GRANTABLE).contains(permission) {
        return Ok(Because::Granted);
    }
    Err(Denied::NotHeld(permission))
}

impl Subject {
    /// A user with their roles, what custom roles of theirs hold, and what they came with.
    #[must_use]
    pub fn of(user: &User, custom: &[(OrganizationId, Permissions)], scope: Scope) -> Self {
        let site = user.roles.iter().fold(role::EVERYONE, |all, r| all.union(role::of_site(*r)));
        let organizations = user.organizations.iter();
        let organizations = organizations.map(|id| belonging(user, *id, custom)).collect();
        Self { user: user.id, kind: user.kind, site, organizations, scope }
    }

    /// Their part in an organization.
    #[must_use]
    pub fn belonging(&self, organization: OrganizationId) -> Option<&Belonging> {
        self.organizations.iter().find(|b| b.organization == organization)
    }

    /// Whether there may be a thing on which they have the permission: what a route asks before it
    /// looks at the thing.
    ///
    /// # Errors
    /// [`Denied::Scope`] or [`Denied::NotHeld`].
    pub fn may_ever(&self, permission: Permission) -> Result<(), Denied> {
        let somewhere = self.site.contains(permission)
            || role::own(self.kind).union(role::MEMBER).union(role::GRANTABLE).contains(permission)
            || self.organizations.iter().any(|b| b.held.contains(permission));
        if !somewhere {
            Err(Denied::NotHeld(permission))
        } else if !self.scope.has(permission) {
            Err(Denied::Scope(permission))
        } else {
            Ok(())
        }
    }

    /// What they hold in an organization, and so what they can give to others there.
    #[must_use]
    pub fn held_in(&self, organization: OrganizationId) -> Permissions {
        let there = self.belonging(organization).map_or(Permissions::EMPTY, |b| b.held);
        self.site.union(there).intersection(self.scope.permissions())
    }
}

impl Object {
    /// Things of a kind on the site.
    #[must_use]
    pub const fn site(kind: ResourceType) -> Self {
        let granted = Permissions::EMPTY;
        Self { kind, id: None, owner: None, organization: None, granted }
    }

    /// This one.
    #[must_use]
    pub fn id(self, id: impl Into<Uuid>) -> Self {
        Self { id: Some(id.into()), ..self }
    }

    /// Theirs.
    #[must_use]
    pub const fn of(self, owner: UserId) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// In an organization.
    #[must_use]
    pub const fn within(self, organization: OrganizationId) -> Self {
        Self { organization: Some(organization), ..self }
    }

    /// With what its own list grants to who asks.
    #[must_use]
    pub const fn granting(self, granted: Permissions) -> Self {
        Self { granted, ..self }
    }
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotHeld(permission) => {
                let with =
                    SiteRole::ALL.iter().filter(|r| role::of_site(**r).contains(*permission));
                let with: Vec<&str> = with.map(|role| role.as_str()).collect();
                write!(f, "this needs the permission {permission} ({})", with.join(" or "))
            }
            Self::TakenAway(permission) => {
                write!(f, "a role in this organization takes {permission} away")
            }
            Self::Scope(permission) => write!(f, "this token's scope does not have {permission}"),
            Self::Thing(kind) => write!(f, "this token is not for this {}", kind.noun()),
            Self::Unmet(unmet) => unmet.fmt(f),
        }
    }
}
