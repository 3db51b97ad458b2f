//! Tables that fold into rows of words where there is no room; the roles survive the folding.

use maud::{Markup, html};

/// A column's head.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// With this head.
    Head(&'a str),
    /// Dropped where there is no room.
    Spare(&'a str),
    /// Figures, to the right.
    Figures(&'a str),
    /// Its head is only read out.
    Silent(&'a str),
}

/// A table.
pub struct Table<'a> {
    /// What is in it, read out.
    pub caption: &'a str,
    /// A class for its widths; may be empty.
    pub class: &'a str,
    /// Its columns; the first is the rows' head.
    pub columns: &'a [Column<'a>],
    /// Its rows, made by [`row`].
    pub rows: Markup,
}

impl maud::Render for Table<'_> {
    fn render(&self) -> Markup {
        html! {
            table role="table" class={ "list" @if !self.class.is_empty() { " " (self.class) } } {
                caption class="vh" { (self.caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        @for column in self.columns {
                            @match column {
                                Column::Head(text) => { th role="columnheader" scope="col" { (text) } }
                                Column::Spare(text) => { th role="columnheader" scope="col" class="spare" { (text) } }
                                Column::Figures(text) => { th role="columnheader" scope="col" class="num" { (text) } }
                                Column::Silent(text) => { th role="columnheader" scope="col" { span class="vh" { (text) } } }
                            }
                        }
                    }
                }
                tbody role="rowgroup" { (self.rows) }
            }
        }
    }
}

/// A row: its head, then its cells.
#[must_use]
pub fn row(id: &str, head: &Markup, cells: &[Markup]) -> Markup {
    html! {
        tr role="row" id=(id) {
            th role="rowheader" scope="row" { (head) }
            @for cell in cells { (cell) }
        }
    }
}

/// A cell; `label` says what it is when the head is folded away, empty where the content says so.
#[must_use]
pub fn cell(label: &str, content: &Markup) -> Markup {
    classed("", label, content)
}

/// A cell of words that we know, which are not broken to make room for others.
#[must_use]
pub fn worded(label: &str, content: &Markup) -> Markup {
    classed("words", label, content)
}

/// A cell that is dropped where there is no room.
#[must_use]
pub fn spare(label: &str, content: &Markup) -> Markup {
    classed("spare", label, content)
}

/// A cell that says that there is nothing, and is dropped when folded.
#[must_use]
pub fn void(label: &str, text: &str) -> Markup {
    classed("void", label, &html! { span class="note" { (text) } })
}

/// A figure.
#[must_use]
pub fn figure(label: &str, content: &Markup) -> Markup {
    classed("num", label, content)
}

/// A cell whose label is only read out when folded.
#[must_use]
pub fn bare(label: &str, content: &Markup) -> Markup {
    classed("bare", label, content)
}

/// The cell of a row's buttons.
#[must_use]
pub fn deeds(content: &Markup) -> Markup {
    html! { td role="cell" class="fit" { (content) } }
}

fn classed(class: &str, label: &str, content: &Markup) -> Markup {
    html! {
        td role="cell" class=[Some(class).filter(|c| !c.is_empty())] data-label=[Some(label).filter(|l| !l.is_empty())] { (content) }
    }
}
