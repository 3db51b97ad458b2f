//! Permissions: what may be done to which kind of thing, in Coder's words (`workspace:start`).

use crate::model::user::define_words;

define_words! {
    /// A kind of thing that is acted on.
    ResourceType {
        /// A token.
        ApiKey = "api_key",
        /// The roles that members of an organization hold, and its custom roles.
        AssignOrgRole = "assign_org_role",
        /// The roles that users hold on the site.
        AssignRole = "assign_role",
        /// The audit log.
        AuditLog = "audit_log",
        /// Who was connected to what.
        ConnectionLog = "connection_log",
        /// The deployment's configuration.
        DeploymentConfig = "deployment_config",
        /// An uploaded archive.
        File = "file",
        /// A group.
        Group = "group",
        /// Who is in a group.
        GroupMember = "group_member",
        /// How people sign in, and what a provider's groups and roles become here.
        IdpsyncSettings = "idpsync_settings",
        /// An organization.
        Organization = "organization",
        /// Who belongs to an organization.
        OrganizationMember = "organization_member",
        /// People who take turns being on call.
        Rotation = "rotation",
        /// A template with its versions.
        Template = "template",
        /// An account.
        User = "user",
        /// A workspace with its builds.
        Workspace = "workspace",
    }
    /// What is done to it.
    Action {
        /// Reach what runs in it by its web pages.
        ApplicationConnect = "application_connect",
        /// Give a role to someone.
        Assign = "assign",
        /// Let oneself into it in an emergency: recorded, and told to everyone who keeps it.
        BreakGlass = "break_glass",
        /// Make one.
        Create = "create",
        /// Remove it.
        Delete = "delete",
        /// See it.
        Read = "read",
        /// See what only its owner should: keys, settings, how they sign in.
        ReadPersonal = "read_personal",
        /// Change who may reach it.
        Share = "share",
        /// Open a session in it.
        Ssh = "ssh",
        /// Start it.
        Start = "start",
        /// Stop it.
        Stop = "stop",
        /// Take a role from someone.
        Unassign = "unassign",
        /// Change it.
        Update = "update",
        /// Change what only its owner should: keys, password, settings.
        UpdatePersonal = "update_personal",
        /// Make something from it.
        Use = "use",
        /// See how it is used.
        ViewInsights = "view_insights",
    }
}

/// One action on one kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission(pub ResourceType, pub Action);

/// A set of permissions.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u128);

impl ResourceType {
    /// What it is called in a sentence.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::ApiKey => "token",
            Self::AssignOrgRole | Self::AssignRole => "role",
            Self::AuditLog => "audit log",
            Self::ConnectionLog => "connection log",
            Self::DeploymentConfig => "configuration",
            Self::File => "file",
            Self::Group | Self::GroupMember => "group",
            Self::IdpsyncSettings => "identity provider",
            Self::Organization => "organization",
            Self::OrganizationMember => "member",
            Self::Rotation => "rotation",
            Self::Template => "template",
            Self::User => "user",
            Self::Workspace => "workspace",
        }
    }

    /// What can be done to things of this kind.
    #[must_use]
    pub const fn actions(self) -> &'static [Action] {
        use Action as A;
        match self {
            Self::ApiKey
            | Self::Group
            | Self::Organization
            | Self::OrganizationMember
            | Self::Rotation => &[A::Create, A::Read, A::Update, A::Delete],
            Self::AssignOrgRole => {
                &[A::Assign, A::Unassign, A::Create, A::Read, A::Update, A::Delete]
            }
            Self::AssignRole => &[A::Assign, A::Unassign, A::Read],
            Self::AuditLog | Self::ConnectionLog | Self::GroupMember => &[A::Read],
            Self::DeploymentConfig | Self::IdpsyncSettings => &[A::Read, A::Update],
            Self::File => &[A::Create, A::Read],
            Self::Template => &[A::Create, A::Read, A::Update, A::Delete, A::Use, A::ViewInsights],
            Self::User => {
                &[A::Create, A::Read, A::Update, A::Delete, A::ReadPersonal, A::UpdatePersonal]
            }
            Self::Workspace => &[
                A::Create,
                A::Read,
                A::Update,
                A::Delete,
                A::Start,
                A::Stop,
                A::Ssh,
                A::ApplicationConnect,
                A::Share,
                A::BreakGlass,
            ],
        }
    }
}

impl Permission {
    /// Reads `resource:action`; none for what there is not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, action) = text.split_once(':')?;
        let (kind, action) = (ResourceType::from_word(kind)?, Action::from_word(action)?);
        kind.actions().contains(&action).then_some(Self(kind, action))
    }

    /// Every permission there is.
    pub fn all() -> impl Iterator<Item = Self> {
        ResourceType::ALL.iter().flat_map(|kind| kind.actions().iter().map(|a| Self(*kind, *a)))
    }

    /// Its place in a set, counted as [`Permission::all`] has them; no bit for what there is not.
    const fn bit(self) -> u128 {
        let (mut bit, mut kinds) = (1, ResourceType::ALL);
        while let [kind, more_kinds @ ..] = kinds {
            let mut actions = kind.actions();
            while let [action, more_actions @ ..] = actions {
                if *kind as u8 == self.0 as u8 && *action as u8 == self.1 as u8 {
                    return bit;
                }
                (bit, actions) = (bit << 1, more_actions);
            }
            kinds = more_kinds;
        }
        0
    }
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

impl Permissions {
    /// None.
    pub const EMPTY: Self = Self(0);
    /// Every permission there is.
    pub const ALL: Self = Self::EMPTY.and_every(ResourceType::ALL);

    /// These and some actions on a kind of thing; actions there are not on it are left out.
    #[must_use]
    pub const fn and(mut self, kind: ResourceType, mut actions: &[Action]) -> Self {
        while let [action, rest @ ..] = actions {
            self.0 |= Permission(kind, *action).bit();
            actions = rest;
        }
        self
    }

    /// These and every action on some kinds of things.
    #[must_use]
    pub const fn and_every(mut self, mut kinds: &[ResourceType]) -> Self {
        while let [kind, rest @ ..] = kinds {
            (self, kinds) = (self.and(*kind, kind.actions()), rest);
        }
        self
    }

    /// These and seeing some kinds of things.
    #[must_use]
    pub const fn and_read(mut self, mut kinds: &[ResourceType]) -> Self {
        while let [kind, rest @ ..] = kinds {
            (self, kinds) = (self.and(*kind, &[Action::Read]), rest);
        }
        self
    }

    /// These but for some actions on a kind of thing.
    #[must_use]
    pub const fn without(mut self, kind: ResourceType, actions: &[Action]) -> Self {
        self.0 &= !Self::EMPTY.and(kind, actions).0;
        self
    }

    /// Whether one is among them.
    #[must_use]
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of these are in `other`.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(move |p| self.contains(*p))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |set, permission| set | permission.bit()))
    }
}

impl std::fmt::Debug for Permissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter().map(|p| p.to_string())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_written_and_read_back() {
        assert!(Permission::all().count() > 50);
        for permission in Permission::all() {
            assert_eq!(Permission::parse(&permission.to_string()), Some(permission));
        }
        for wrong in ["", "workspace", "workspace:fly", "audit_log:delete", "workspace:start:x"] {
            assert_eq!(Permission::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let all = Permissions::ALL;
        assert_eq!(all.iter().count(), Permission::all().count());
        for permission in Permission::all() {
            let one: Permissions = [permission].into_iter().collect();
            assert!(one.contains(permission) && one.is_within(all) && !all.is_within(one));
            assert_eq!(one.iter().collect::<Vec<_>>(), [permission]);
            let rest = all.without(permission.0, &[permission.1]);
            assert!(!rest.contains(permission));
            assert_eq!(rest.union(one), all);
            assert!(rest.intersection(one).is_empty());
        }
    }

    #[test]
    fn an_action_there_is_not_on_a_kind_is_left_out() {
        assert!(Permissions::EMPTY.and(ResourceType::AuditLog, &[Action::Delete]).is_empty());
    }
}
