//! Entries of the audit log, as use cases make them.

use uuid::Uuid;

use super::{Actor, Request};
use crate::model::audit::{
    AuditAction, AuditActor, AuditEntry, AuditSource, AuditTarget, Diff, MAX_USER_AGENT,
};
use crate::model::id::OrganizationId;

/// What the log says of who did it.
pub(super) fn source(actor: &Actor) -> AuditSource {
    match actor {
        Actor::User(caller) => AuditSource {
            user_id: Some(caller.user.id),
            token_id: caller.token(),
            ip: caller.ip.clone(),
            ..asked(AuditActor::User, caller.request.as_deref())
        },
        Actor::Agent { agent, .. } => {
            AuditSource { agent_id: Some(*agent), ..AuditSource::of(AuditActor::Agent) }
        }
        Actor::Scim(keeper) => AuditSource {
            ip: keeper.ip.clone(),
            ..asked(AuditActor::Scim, keeper.request.as_deref())
        },
        Actor::Program(program) => AuditSource {
            ip: program.ip.clone(),
            ..asked(AuditActor::System, program.request.as_deref())
        },
        Actor::System => AuditSource::of(AuditActor::System),
    }
}

/// What the log says of an actor's request.
pub(super) fn asked(actor: AuditActor, request: Option<&Request>) -> AuditSource {
    AuditSource {
        user_agent: request
            .map(|r| r.user_agent.chars().take(MAX_USER_AGENT).collect())
            .unwrap_or_default(),
        request_id: request.map(|r| r.id),
        ..AuditSource::of(actor)
    }
}

/// An entry without a diff.
pub(super) fn entry(
    action: AuditAction,
    target: AuditTarget,
    target_id: Uuid,
    name: &str,
) -> AuditEntry {
    let target_name = name.chars().take(256).collect();
    let diff = "{}".to_owned();
    AuditEntry { action, target, target_id, target_name, organization: None, diff }
}

/// Says in which organization it was done.
pub(super) fn within(entry: AuditEntry, organization: OrganizationId) -> AuditEntry {
    AuditEntry { organization: Some(organization), ..entry }
}

/// Gives an entry its diff.
pub(super) fn with(entry: AuditEntry, diff: &Diff) -> AuditEntry {
    AuditEntry { diff: diff.to_string(), ..entry }
}
