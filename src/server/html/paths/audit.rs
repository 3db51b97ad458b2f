//! Pages of the audit log.

use super::segment;
use crate::model::id::{AuditFilterId, AuditId};

/// The audit log.
pub const AUDIT: &str = "/audit";
/// Searches in it that are kept.
pub const AUDIT_FILTERS: &str = "/audit/filters";

/// An entry's page.
#[must_use]
pub fn audit_entry(id: AuditId) -> String {
    format!("{AUDIT}/{id}")
}

/// What a search in the log finds.
#[must_use]
pub fn audit_where(query: &str) -> String {
    format!("{AUDIT}?q={}", segment(query))
}

/// All that a search finds as a file: `csv` or `jsonl`.
#[must_use]
pub fn audit_export(format: &str, query: &str) -> String {
    format!("/api/v2/audit/export?format={format}&q={}", segment(query))
}

/// Changes a search that is kept.
#[must_use]
pub fn audit_filter(id: AuditFilterId) -> String {
    format!("{AUDIT_FILTERS}/{id}")
}

/// Removes a search that is kept.
#[must_use]
pub fn delete_audit_filter(id: AuditFilterId) -> String {
    format!("{AUDIT_FILTERS}/{id}/delete")
}
