//! Tables for people: columns as wide as they need to be, no lines around them.

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// So many of the first columns are shown when none are asked for.
    usual: usize,
}

/// Space between two columns.
const GAP: usize = 2;

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: vec![], usual: heads.len() }
    }

    /// The same with further columns, which are shown to who asks for them only.
    #[must_use]
    pub fn with_more(heads: &[&'static str], more: &[&'static str]) -> Self {
        Self { usual: heads.len(), ..Self::new(&[heads, more].concat()) }
    }

    /// Adds a row. Line breaks would tear it, so they become spaces.
    pub fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(cells.iter().map(|c| c.replace(['\n', '\r', '\t'], " ")).collect());
    }

    /// Keeps only these columns, in this order; names are read without regard to case.
    ///
    /// # Errors
    /// Names the first column that there is not.
    pub fn select(self, columns: &[String]) -> Result<Self, UnknownColumn> {
        if columns.is_empty() {
            let shown = |row: &Vec<String>| row.iter().take(self.usual).cloned().collect();
            return Ok(Self {
                heads: self.heads.iter().take(self.usual).copied().collect(),
                rows: self.rows.iter().map(shown).collect(),
                ..self
            });
        }
        let place = |name: &String| {
            let same = |head: &&str| head.eq_ignore_ascii_case(&name.replace('_', " "));
            self.heads
                .iter()
                .position(same)
                .ok_or_else(|| UnknownColumn(name.clone(), self.heads.join(", ").to_lowercase()))
        };
        let places = columns.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let pick = |row: &Vec<String>| {
            places.iter().map(|at| row.get(*at).cloned().unwrap_or_default()).collect()
        };
        Ok(Self {
            heads: places.iter().filter_map(|at| self.heads.get(*at).copied()).collect(),
            rows: self.rows.iter().map(pick).collect(),
            usual: places.len(),
        })
    }

    /// The text, each line ended.
    pub fn render(&self, head: impl Fn(&str) -> String) -> String {
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|r| r.get(at)).map(|c| c.chars().count());
            let name = self.heads.get(at).map_or(0, |h| h.len());
            cells.max().unwrap_or(0).max(name)
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let line = |cells: Vec<&str>| {
            let mut text = String::new();
            for (cell, width) in cells.iter().zip(&widths) {
                let pad = width + GAP - cell.chars().count().min(*width);
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', pad));
            }
            text.trim_end().to_owned()
        };
        let mut out = head(&line(self.heads.clone()));
        out.push('\n');
        for row in &self.rows {
            out.push_str(&line(row.iter().map(String::as_str).collect()));
            out.push('\n');
        }
        out
    }
}

/// A column that a table does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no column {0:?}; the columns are {1}")]
pub struct UnknownColumn(String, String);

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "LAST BUILT"]);
        table.row(["kiln", "2 min ago"]);
        table.row(["größer-als", "now"]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        expect_test::expect![[r"
            NAME        LAST BUILT
            kiln        2 min ago
            größer-als  now
        "]]
        .assert_eq(&table().render(str::to_owned));
    }

    #[test]
    fn columns_are_chosen_by_name() {
        let text = table().select(&["last_built".into()]).unwrap().render(str::to_owned);
        assert_eq!(text, "LAST BUILT\n2 min ago\nnow\n");
        let mut more = Table::with_more(&["NAME"], &["ID"]);
        more.row(["kiln", "7"]);
        let text = |columns: &[String]| more.clone().select(columns).unwrap().render(str::to_owned);
        assert_eq!(text(&[]), "NAME\nkiln\n");
        assert_eq!(text(&["id".into()]), "ID\n7\n");
        let err = table().select(&["size".into()]).unwrap_err().to_string();
        assert_eq!(err, "there is no column \"size\"; the columns are name, last built");
    }
}
