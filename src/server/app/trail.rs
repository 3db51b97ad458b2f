//! Entries of the audit log, as use cases make them.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::model::audit::{AuditAction, AuditEntry, AuditTarget};

/// Most characters of a value in a diff: a reader wants to know, not to have it all.
const MAX_VALUE: usize = 1024;

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

/// What changed; fields that did not are left out.
#[derive(Default)]
pub(super) struct Diff(Map<String, Value>);

impl Diff {
    /// Notes a field's old and new value.
    pub(super) fn field(
        mut self,
        name: &str,
        old: impl std::fmt::Display,
        new: impl std::fmt::Display,
    ) -> Self {
        let cut = |v: String| v.chars().take(MAX_VALUE).collect::<String>();
        let (old, new) = (cut(old.to_string()), cut(new.to_string()));
        if old != new {
            self.0.insert(name.to_owned(), json!({ "old": old, "new": new, "secret": false }));
        }
        self
    }

    /// Gives an entry this diff.
    pub(super) fn of(self, entry: AuditEntry) -> AuditEntry {
        AuditEntry { diff: Value::Object(self.0).to_string(), ..entry }
    }
}
