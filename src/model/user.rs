//! Users, their site roles, organizations and groups.

use std::net::IpAddr;

use super::id::{GroupId, OrganizationId, RoleId, SshKeyId, TokenId, UserId};
use super::name::{RoleName, UserName};
use super::network::Network;
use super::policy::{Permissions, Scope};
use super::time::Timestamp;

/// Defines an enum that is stored and sent as one lower-case word per variant.
macro_rules! define_words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every variant, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that is stored and sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}
pub(crate) use define_words;

define_words! {
    /// Whether a user may sign in.
    UserStatus {
        /// May sign in.
        Active = "active",
        /// Has not signed in yet, or not for long; becomes active by signing in.
        Dormant = "dormant",
        /// May not sign in; everything of theirs is kept.
        Suspended = "suspended",
        /// Gone; the row keeps the name for history.
        Deleted = "deleted",
    }
    /// What kind of user it is.
    UserKind {
        /// Someone who signs in.
        Person = "person",
        /// A program with tokens and no password.
        Service = "service",
    }
    /// How a user signs in, in Coder's words.
    LoginType {
        /// By password.
        Password = "password",
        /// At a provider that speaks `OpenID` Connect.
        Oidc = "oidc",
        /// At GitHub.
        Github = "github",
        /// By the password that a directory keeps.
        Ldap = "ldap",
        /// Not at all: tokens only.
        None = "none",
    }
    /// Who made a group, in Coder's words.
    GroupSource {
        /// Someone here.
        User = "user",
        /// The sync of groups from a provider.
        Oidc = "oidc",
    }
    /// A built-in role on the whole site. Everyone is a member without a row.
    SiteRole {
        /// May do everything.
        Owner = "owner",
        /// Adds, changes and removes users and groups.
        UserAdmin = "user-admin",
        /// Manages all templates.
        TemplateAdmin = "template-admin",
        /// Reads the audit log.
        Auditor = "auditor",
    }
    /// A built-in role in one organization. Whoever belongs to it is a member without a row.
    OrganizationRole {
        /// Keeps everything of the organization, and is not let into others' workspaces.
        Admin = "organization-admin",
        /// Keeps its members, their roles and groups.
        UserAdmin = "organization-user-admin",
        /// Keeps its templates.
        TemplateAdmin = "organization-template-admin",
        /// Reads its part of the audit log.
        Auditor = "organization-auditor",
        /// May not make workspaces in it.
        WorkspaceCreationBan = "organization-workspace-creation-ban",
    }
}

impl LoginType {
    /// Whether someone else keeps the password.
    #[must_use]
    pub const fn is_by_provider(self) -> bool {
        match self {
            Self::Oidc | Self::Github | Self::Ldap => true,
            Self::Password | Self::None => false,
        }
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its name, unique without regard to case.
    pub username: UserName,
    /// The full name; may be empty.
    pub name: String,
    /// The e-mail address; empty for service accounts.
    pub email: String,
    /// Person or service account.
    pub kind: UserKind,
    /// Whether it may sign in.
    pub status: UserStatus,
    /// How it signs in.
    pub login_type: LoginType,
    /// Site roles beyond member, sorted.
    pub roles: Vec<SiteRole>,
    /// The organizations it belongs to.
    pub organizations: Vec<OrganizationId>,
    /// Roles in organizations it belongs to, sorted.
    pub organization_roles: Vec<HeldRole>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last signed in or used a token.
    pub last_seen_at: Option<Timestamp>,
}

impl UserStatus {
    /// Whether tokens and keys open anything, and whether someone counts where people are asked for.
    #[must_use]
    pub fn may_act(self) -> bool {
        match self {
            Self::Active | Self::Dormant => true,
            Self::Suspended | Self::Deleted => false,
        }
    }
}

impl User {
    /// Whether the user has this site role.
    #[must_use]
    pub fn has(&self, role: SiteRole) -> bool {
        self.roles.contains(&role)
    }
}

/// A role that someone holds in an organization: a built-in one or a custom one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldRole {
    /// Where.
    pub organization: OrganizationId,
    /// Which.
    pub role: RoleName,
}

/// A role that an organization made for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    /// Its id.
    pub id: RoleId,
    /// Where it holds.
    pub organization_id: OrganizationId,
    /// Its name, which no built-in role has.
    pub name: RoleName,
    /// The name shown.
    pub display_name: String,
    /// What it holds there.
    pub permissions: Permissions,
}

/// A user as others see it in passing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UserRef {
    /// Its id.
    pub id: UserId,
    /// Its name.
    pub username: UserName,
}

impl UserRef {
    /// A user in passing.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self { id: user.id, username: user.username.clone() }
    }
}

/// What is in an organization, which keeps it from being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Nothing, nor was there anything.
    Nothing,
    /// So many templates and workspaces.
    Things {
        /// Templates.
        templates: i64,
        /// Workspaces.
        workspaces: i64,
    },
    /// Nothing any more: what was there is spoken of.
    Past,
}

/// An organization. One named `default` exists from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id; also the id of its implied group `Everyone`.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// The name shown.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whether it is the one of the start.
    pub is_default: bool,
    /// Credits a day that its group Everyone adds to each member's budget.
    pub quota_allowance: i64,
    /// URL or path of a picture; may be empty.
    pub icon: String,
}

impl Organization {
    /// The name shown, or the name.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.display_name.is_empty() { &self.name } else { &self.display_name }
    }
}

/// A group of users in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Its name, unique in its organization without regard to case.
    pub name: String,
    /// The name shown.
    pub display_name: String,
    /// Who made it.
    pub source: GroupSource,
    /// Credits a day that it adds to each member's budget.
    pub quota_allowance: i64,
    /// URL or path of a picture; may be empty.
    pub avatar_url: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An SSH public key on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    /// Its id.
    pub id: SshKeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// The comment or the name it was given.
    pub name: String,
    /// `ssh-ed25519 AAAA…`, without the comment.
    pub public_key: String,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last opened a session.
    pub last_used_at: Option<Timestamp>,
}

define_words! {
    /// What a token was made for.
    TokenKind {
        /// A browser's signed-in state, or a CLI's.
        Session = "session",
        /// A token with a name that a user made.
        Api = "api",
        /// Lent to one workspace build as `data.coder_workspace_owner.me.session_token`.
        Workspace = "workspace",
    }
}

/// A token as it is listed: never its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEntry {
    /// Its id.
    pub id: TokenId,
    /// The part it is looked up by; not secret.
    pub public_id: String,
    /// Whose it is.
    pub user: UserRef,
    /// What it was made for.
    pub kind: TokenKind,
    /// The name the user gave it; empty for sessions.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// From where it was last used.
    pub last_used_ip: String,
    /// What it is limited to.
    pub limits: TokenLimits,
}

/// What a token is limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenLimits {
    /// What it may do, and to what.
    pub scope: Scope,
    /// From where it may be used; from anywhere when there is none.
    pub networks: Vec<Network>,
    /// How many tokens with limits are above it: one made by such a token has less, and ends with it.
    pub depth: u8,
}

impl TokenLimits {
    /// None.
    pub const NONE: Self = Self { scope: Scope::ALL, networks: Vec::new(), depth: 0 };

    /// Whether it may be used from an address.
    #[must_use]
    pub fn allow_from(&self, ip: Option<IpAddr>) -> bool {
        let inside = |ip| self.networks.iter().any(|network| network.contains(ip));
        self.networks.is_empty() || ip.is_some_and(inside)
    }
}
