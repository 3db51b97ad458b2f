//! Entries of the audit log with what is known of them today, for whoever looks at them.

use serde_json::Value;

use super::AuditRow;
use super::chain::Hash;
use super::checkpoint::Signed;
use crate::model::id::AuditId;
use crate::model::name::{TemplateName, UserName, WorkspaceName};
use crate::model::user::{Organization, TokenEntry, User};

/// Entries on a page.
pub const ON_A_PAGE: i64 = 25;
/// Entries before a page at most: who looks for older ones narrows the dates.
pub const MAX_OFFSET: i64 = 10_000;

/// A page of what a search finds.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The entries, newest first.
    pub entries: Vec<Shown>,
    /// How many come before them.
    pub offset: i64,
    /// How many there are in all; of many, as many as are counted.
    pub total: i64,
    /// Whether there may be more than were counted.
    pub is_more: bool,
    /// Whether there are older ones.
    pub has_next: bool,
}

/// An entry, who did it and how, and where its thing is.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The entry.
    pub row: AuditRow,
    /// Who; none for the program itself.
    pub user: Option<User>,
    /// Whether their page opens to whoever looks.
    pub is_user_seen: bool,
    /// The token they came with, while it lasts.
    pub token: Option<TokenEntry>,
    /// The thing, where whoever looks may open its page.
    pub thing: Option<Thing>,
    /// The organization of the thing.
    pub organization: Option<Organization>,
}

/// A thing that has a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A workspace.
    Workspace(UserName, WorkspaceName),
    /// A build, by its number.
    Build(UserName, WorkspaceName, i64),
    /// A template, by the name of its organization; empty for that of the start.
    Template(String, TemplateName),
    /// A version of a template, by the same.
    Version(String, TemplateName, String),
    /// A person or a service account.
    User(UserName),
    /// A group of the organization of the start.
    Group(String),
    /// Someone's part in the organization of the start.
    Member(UserName),
    /// A role of the organization of the start.
    Role(String),
}

/// One entry with what stands around it.
#[derive(Clone, Debug)]
pub struct ShownEntry {
    /// The entry.
    pub shown: Shown,
    /// Its place in the chain.
    pub link: Link,
    /// The entry before it on the same thing.
    pub earlier: Option<Neighbour>,
    /// The entry after it on the same thing.
    pub later: Option<Neighbour>,
}

/// How an entry hangs in the chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// The hash of the entry before; none when that is not kept and no cut says it.
    pub previous: Option<Hash>,
    /// Whether the entry's hash is that of its content and of the entry before.
    pub holds: bool,
    /// The first checkpoint that was made at this entry or behind it.
    pub checkpoint: Option<Signed>,
}

/// Another entry on the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its id.
    pub id: AuditId,
    /// Its place in the chain.
    pub seq: i64,
}

/// A field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub field: String,
    /// What it was, as it is read; empty for nothing.
    pub old: String,
    /// What it is.
    pub new: String,
    /// Whether its values are kept out of the log.
    pub is_secret: bool,
}

/// What changed, from the JSON that is stored; none when it cannot be read.
#[must_use]
pub fn changes(diff: &str) -> Option<Vec<Change>> {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(diff).ok()?;
    let change = |(field, of): (String, Value)| Change {
        field,
        old: of.get("old").map(words).unwrap_or_default(),
        new: of.get("new").map(words).unwrap_or_default(),
        is_secret: of.get("secret").and_then(Value::as_bool).unwrap_or_default(),
    };
    Some(fields.into_iter().map(change).collect())
}

/// A value as it is read: lists with commas, texts without quotes.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// How far the log goes, and how far that is signed.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// Entries that are kept.
    pub n_entries: i64,
    /// The last checkpoint; none before the first.
    pub last: Option<Signed>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::Diff;

    #[test]
    fn what_changed_is_read_as_it_was_written_and_secrets_have_no_values() {
        let diff = Diff::new()
            .field("groups", vec!["a"], vec!["a", "b"])
            .field("shared", false, true)
            .field("email", "", "ada@example.org")
            .secret("token");
        let read = changes(&diff.to_string()).unwrap();
        let mut told: Vec<String> = read
            .iter()
            .map(|c| {
                format!(
                    "{}: {} > {}{}",
                    c.field,
                    c.old,
                    c.new,
                    if c.is_secret { " secret" } else { "" }
                )
            })
            .collect();
        told.sort();
        let expected = [
            "email:  > ada@example.org",
            "groups: a > a, b",
            "shared: false > true",
            "token:  >  secret",
        ];
        assert_eq!(told, expected);
        assert_eq!(changes("{}"), Some(vec![]));
        assert_eq!(changes("{"), None);
    }
}
