//! One id type per kind of thing, so that a workspace's id cannot be passed for a user's.

/// Defines newtypes over a UUID (version 7 when made by a transaction: they sort by age).
macro_rules! define_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
        }
    )+};
}

define_id! {
    /// A user: a person or a service account.
    UserId,
    /// An organization.
    OrganizationId,
    /// A group of users.
    GroupId,
    /// A custom role of an organization.
    RoleId,
    /// An API token or a browser session, as Coder's clients see it.
    TokenId,
    /// An SSH public key that a user put on file.
    SshKeyId,
    /// An uploaded archive.
    FileId,
    /// A template.
    TemplateId,
    /// A template version.
    VersionId,
    /// A preset of a template version.
    PresetId,
    /// A workspace.
    WorkspaceId,
    /// A build of a workspace.
    BuildId,
    /// What a provisioner does for a build or a template version, as Coder's clients see it.
    JobId,
    /// A resource that Terraform made.
    ResourceId,
    /// An agent inside a resource.
    AgentId,
    /// An app that an agent exposes.
    AppId,
    /// A script that an agent runs.
    ScriptId,
    /// Where an agent's log lines come from.
    LogSourceId,
    /// One session of any kind: a terminal, an SSH channel, a tunnel.
    SessionId,
    /// A terminal in an agent, which outlives its sessions.
    TerminalId,
    /// An entry of the audit log.
    AuditId,
    /// A search in the audit log that someone keeps.
    AuditFilterId,
    /// A grant on a workspace.
    GrantId,
    /// A share code.
    CodeId,
    /// Who a person is at a provider that signs people in.
    IdentityId,
    /// What a provider granted when someone signed in there.
    IdentityGrantId,
    /// A passkey that someone signs in with.
    PasskeyId,
    /// An invitation.
    InvitationId,
    /// A rotation of people who are on call.
    RotationId,
    /// Someone who is on call instead of another.
    OverrideId,
    /// A recording of a session.
    RecordingId,
    /// Someone who asks for access to a workspace.
    RequestId,
    /// Someone who let themselves into a workspace in an emergency.
    BreakGlassId,
}
