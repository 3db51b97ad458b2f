//! The charter of an organization or of a workspace: its text, and what a charter says.

use maud::{Markup, Render, html};

use crate::model::charter::MAX_TEXT;
use crate::model::time::Timestamp;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::button;
use crate::server::html::parts::form::{Input, described, notes, wrongs};
use crate::server::html::parts::time;

/// What a charter may look like.
const EXAMPLE: &str = "\
# Every grant ends,
ends = true
# and within a month.
longest = \"30d\"

# Or user, rotation,
# everyone = true.
[[may]]
group = \"platform\"
verbs = [\"use\"]
longest = \"8h\"";

/// The page.
pub struct CharterPage {
    /// Who looks.
    pub visit: Visit,
    /// The part of the site that it belongs to.
    pub section: Section,
    /// The way back up.
    pub crumbs: Vec<(String, String)>,
    /// Whose it is.
    pub name: String,
    /// Where the form goes.
    pub action: String,
    /// The text.
    pub text: String,
    /// Who wrote it, and when.
    pub set: Option<(String, Timestamp)>,
    /// For a workspace: its organization's, which holds as well.
    pub above: Option<String>,
    /// What was typed.
    pub input: Input,
}

impl Render for CharterPage {
    fn render(&self) -> Markup {
        let steps: Vec<(&str, &str)> =
            self.crumbs.iter().map(|(text, href)| (text.as_str(), href.as_str())).collect();
        let title = format!("Charter of {}", self.name);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&steps))
                    h1 { (title) }
                    p { "Who may at most what. The access review lists what goes beyond it; it closes nothing." }
                }
            }
            div class="split" {
                div class="stack" { (self.form()) (self.above()) }
                aside class="stack" aria-label="Example" {
                    section class="card" aria-labelledby="example" {
                        header { h2 id="example" { "Example" } }
                        div class="body prose" { pre class="code" tabindex="0" { code { (EXAMPLE) } } }
                    }
                }
            }
        };
        Page { title: &title, visit: &self.visit, section: self.section, live: None, body }.render()
    }
}

impl CharterPage {
    fn form(&self) -> Markup {
        let error = self.input.error("text");
        let hint = format!("TOML, at most {} KiB. Empty for none.", MAX_TEXT >> 10);
        html! {
            section class="card" aria-labelledby="text" {
                header {
                    h2 id="text" { "Text" }
                    @if let Some((by, at)) = &self.set { span class="note" { "by " (by) ", " (time::ago(*at, self.visit.now)) } }
                }
                form class="body fields" method="post" action=(self.action) {
                    (self.visit.csrf)
                    div class="field" {
                        label for="f-text" { "Who may at most what" }
                        textarea id="f-text" name="text" class="mono" rows="16" spellcheck="false" autocapitalize="off"
                            aria-invalid=[error.map(|_| "true")] aria-describedby=[described("f-text", &hint, error)] { (self.input.value("text", &self.text)) }
                        (notes("f-text", &hint, error))
                    }
                    (wrongs(&self.input, &[("text", "Who may at most what")]))
                    div class="actions" { (button("primary", "access", "Save the charter")) }
                }
            }
        }
    }

    fn above(&self) -> Markup {
        html! {
            @if let Some(text) = &self.above {
                section class="card" aria-labelledby="above" {
                    header { h2 id="above" { "Its organization’s holds as well" } }
                    div class="body prose" { pre class="code" tabindex="0" { code { (text) } } }
                }
            }
        }
    }
}
