//! The page for who asks for this program on a kind of machine that the server has none for.

use maud::{Markup, Render, html};

use crate::server::html::layout::Solo;
use crate::server::html::parts::icon::icon;

/// The page.
pub struct NoProgram {
    /// `windows/arm64`.
    pub platform: String,
    /// The name of the file that is missing.
    pub file: String,
    /// The server's version, which the file has to have.
    pub version: &'static str,
    /// What is wrong with the file that is there; none when there is none.
    pub other: Option<String>,
}

impl NoProgram {
    /// The same in one line, for programs.
    #[must_use]
    pub fn says(&self) -> String {
        let wrong = self.other.as_ref().map(|o| format!("The file there does not fit: {o}. "));
        format!(
            "{}Put {} of version {} into the directory \"programs\" of the server's data.",
            wrong.unwrap_or_default(),
            self.file,
            self.version
        )
    }
}

impl Render for NoProgram {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="empty" {
                    (icon("search"))
                    h1 id="t" { "No program for " (self.platform) " here" }
                    p {
                        "A server holds the program for its own kind of machine. "
                        "Those for others are files that its operator adds."
                    }
                    @if let Some(other) = &self.other {
                        p { "The file that was added does not fit: " (other) "." }
                    }
                    p class="note" { "404" }
                }
            }
            section class="card" aria-labelledby="add" {
                header { h2 id="add" { "Add it" } }
                div class="body prose" {
                    ol {
                        li { "Build or fetch " code { (self.file) } " of version " code { (self.version) } ", the server's own." }
                        li {
                            "Put it into the directory " code { "programs" } " of the server's data, or into the one that the setting "
                            code { "programs" } " (" code { "STEADING_PROGRAMS" } ") names."
                        }
                        li { "Ask again: the server need not be restarted. Its log says what is wrong with a file that it does not serve." }
                    }
                }
            }
        };
        Solo { title: "No program for this machine", class: "wide", body }.render()
    }
}
