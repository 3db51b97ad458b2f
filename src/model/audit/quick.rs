//! The fields beside the search box of the audit log: each stands for a part of a search.

use super::{AuditAction, AuditResult, AuditTarget};

/// What was chosen beside the search box; empty for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quick {
    /// The name of who did it.
    pub who: String,
    /// What was done.
    pub action: Option<AuditAction>,
    /// To what kind of thing.
    pub target: Option<AuditTarget>,
    /// From this day on.
    pub from: String,
    /// Up to this day.
    pub to: String,
    /// What was denied alone.
    pub is_denied: bool,
}

impl Quick {
    /// Whether nothing was chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A search that asks for this and for `query`. The query comes last: a quote that it leaves open
    /// takes in nothing else.
    #[must_use]
    pub fn and(&self, query: &str) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut part = |key: &str, value: &str| {
            if !value.trim().is_empty() {
                parts.push(format!("{key}:{}", quoted(value.trim())));
            }
        };
        part("username", &self.who);
        part("action", self.action.map_or("", AuditAction::as_str));
        part("resource_type", self.target.map_or("", AuditTarget::as_str));
        part("date_from", &self.from);
        part("date_to", &self.to);
        part("result", if self.is_denied { AuditResult::Denied.as_str() } else { "" });
        parts.extend(Some(query.trim().to_owned()).filter(|query| !query.is_empty()));
        parts.join(" ")
    }
}

/// A value as one word of a search.
fn quoted(value: &str) -> String {
    let plain = value.replace('"', "");
    if plain.contains(char::is_whitespace) { format!("\"{plain}\"") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::search::AuditSearch;

    #[test]
    fn what_is_chosen_and_what_is_typed_make_one_search() {
        let quick = Quick {
            who: "a\"da action:start".to_owned(),
            action: Some(AuditAction::Delete),
            from: "2026-11-20".to_owned(),
            is_denied: true,
            ..Quick::default()
        };
        let whole = quick.and(" \"kiln");
        assert_eq!(
            whole,
            "username:\"ada action:start\" action:delete date_from:2026-11-20 result:denied \"kiln"
        );
        let read = AuditSearch::parse(&whole).unwrap();
        assert_eq!(read.username.as_deref(), Some("ada action:start"));
        assert_eq!((read.action, read.words), (Some(AuditAction::Delete), vec!["kiln".to_owned()]));
        assert_eq!(Quick::default().and("  "), "");
    }
}
