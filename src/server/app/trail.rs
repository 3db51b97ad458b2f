//! Entries of the audit log, as use cases make them.

use uuid::Uuid;

use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};

/// An entry without a diff.
pub(super) fn entry(
    action: AuditAction,
    target: AuditTarget,
    target_id: Uuid,
    name: &str,
) -> AuditEntry {
    let target_name = name.chars().take(256).collect();
    AuditEntry { action, target, target_id, target_name, diff: "{}".to_owned() }
}

/// Gives an entry its diff.
pub(super) fn with(entry: AuditEntry, diff: &Diff) -> AuditEntry {
    AuditEntry { diff: diff.to_string(), ..entry }
}
