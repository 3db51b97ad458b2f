//! Which part of a long list a page shows, and the ways to the rest.

use maud::{Markup, Render, html};

use super::quantity::grouped;

/// A part of a list that is longer than a page.
#[derive(Clone, Debug, Default)]
pub struct Pager<'a> {
    /// Where the list is.
    pub path: &'a str,
    /// What narrows it, kept from page to page; empty values are left out.
    pub query: &'a [(&'a str, &'a str)],
    /// Entries before this page.
    pub offset: i64,
    /// Entries on this page.
    pub shown: usize,
    /// Entries on a page at most.
    pub size: i64,
    /// Entries in all.
    pub total: i64,
}

/// For the end of a card: nothing when all is on one page.
impl Render for Pager<'_> {
    fn render(&self) -> Markup {
        let shown = i64::try_from(self.shown).unwrap_or(0);
        if self.offset == 0 && shown >= self.total {
            return html! {};
        }
        let last = self.offset.saturating_add(shown);
        let before = (self.offset - self.size).max(0);
        html! {
            footer { nav class="pages" aria-label="Pages" {
                span { (grouped(self.offset + 1)) " to " (grouped(last)) " of " (grouped(self.total)) }
                @if self.offset > 0 { a class="button small" rel="prev" href=(self.link(before)) { "Previous" } }
                @if last < self.total { a class="button small" rel="next" href=(self.link(last)) { "Next" } }
            } }
        }
    }
}

impl Pager<'_> {
    fn link(&self, offset: i64) -> String {
        let offset = offset.to_string();
        let offset = ("offset", if offset == "0" { "" } else { &offset });
        let all = self.query.iter().copied().chain([offset]);
        let kept: Vec<(&str, &str)> = all.filter(|(_, value)| !value.is_empty()).collect();
        match serde_urlencoded::to_string(&kept) {
            Ok(query) if !query.is_empty() => format!("{}?{query}", self.path),
            Ok(_) | Err(_) => self.path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(offset: i64, shown: usize, total: i64) -> String {
        let query = &[("q", "a b"), ("status", "")];
        Pager { path: "/people", query, offset, shown, size: 100, total }.render().into_string()
    }

    #[test]
    fn a_list_that_fits_has_no_pages() {
        assert_eq!(drawn(0, 12, 12), "");
        assert_eq!(drawn(0, 0, 0), "");
    }

    #[test]
    fn each_page_leads_to_its_neighbours_and_keeps_the_filter() {
        let first = drawn(0, 100, 1234);
        assert!(first.contains("1 to 100 of 1,234") && !first.contains("Previous"), "{first}");
        assert!(first.contains("/people?q=a+b&amp;offset=100"), "{first}");
        let second = drawn(100, 100, 1234);
        assert!(second.contains(r#"href="/people?q=a+b""#), "{second}");
        let last = drawn(1200, 34, 1234);
        assert!(last.contains("1,201 to 1,234") && !last.contains("Next"), "{last}");
    }
}
