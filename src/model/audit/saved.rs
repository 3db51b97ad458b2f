//! Searches in the audit log that someone keeps under a name.

use crate::model::id::AuditFilterId;
use crate::model::text;
use crate::model::user::UserRef;

use super::search::AuditSearch;

/// Characters of a name at most: it stands on a chip.
pub const MAX_NAME: usize = 48;

/// A search under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFilter {
    /// Its id.
    pub id: AuditFilterId,
    /// Whose it is.
    pub owner: UserRef,
    /// What they call it.
    pub name: String,
    /// The search, as it is typed.
    pub query: String,
    /// Whether all who read the log see it, or its owner alone.
    pub is_shared: bool,
}

/// A search that is to be saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterText {
    /// What it is to be called.
    pub name: String,
    /// The search, as it is typed.
    pub query: String,
    /// Whether all who read the log shall see it.
    pub is_shared: bool,
}

impl FilterText {
    /// The same without spaces around it, if it can be saved.
    ///
    /// # Errors
    /// The name of the field that does not fit, and why.
    pub fn checked(&self) -> Result<Self, (&'static str, String)> {
        let (name, query) = (self.name.trim(), self.query.trim());
        if name.is_empty() {
            return Err(("name", "is needed: the chip shows it".to_owned()));
        }
        text::check_line(name, MAX_NAME).map_err(|e| ("name", e.to_string()))?;
        if query.is_empty() {
            return Err(("q", "is empty; type a search first".to_owned()));
        }
        AuditSearch::parse(query).map_err(|e| ("q", e.to_string()))?;
        text::check_line(query, query.len()).map_err(|e| ("q", e.to_string()))?;
        Ok(Self { name: name.to_owned(), query: query.to_owned(), is_shared: self.is_shared })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_saved_when_it_has_a_name_and_can_be_read() {
        let text = |name: &str, query: &str| FilterText {
            name: name.to_owned(),
            query: query.to_owned(),
            is_shared: false,
        };
        assert_eq!(
            text(" denied ", " result:denied ").checked(),
            Ok(text("denied", "result:denied"))
        );
        let field = |name: &str, query: &str| text(name, query).checked().unwrap_err().0;
        assert_eq!(field("", "result:denied"), "name");
        assert_eq!(field(&"n".repeat(49), "result:denied"), "name");
        assert_eq!(field("a\u{202e}b", "result:denied"), "name");
        assert_eq!(field("all", "  "), "q");
        assert_eq!(field("red", "colour:red"), "q");
        assert_eq!(field("hidden", "ki\u{202e}ln"), "q");
    }
}
