//! A workspace goes over to an editor on one's own machine.

use maud::{Markup, Render, html};

use crate::model::agent::Agent;
use crate::model::editor::Editor;
use crate::model::workspace::Workspace;
use crate::server::html::layout::Solo;
use crate::server::html::parts::button::{labelled, link};
use crate::server::html::paths::{Place, segment};

/// The page that the editor's link stands on.
pub struct Opening {
    /// Which editor.
    pub editor: Editor,
    /// The link, with its token.
    pub link: String,
    /// The workspace.
    pub workspace: Workspace,
}

impl Render for Opening {
    fn render(&self) -> Markup {
        let (editor, name) = (self.editor.label(), &self.workspace.name);
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    h1 id="t" { (name) " opens in " (editor) }
                    p role="status" { "Your browser may ask whether it may open " (editor) ". If nothing happens, open it yourself." }
                    (link("primary wide", &self.link, &labelled("code", &format!("Open {editor}"))))
                    (link("wide", Place::of(&self.workspace).page(), &html! { "Back to " (name) }))
                }
                footer class="note" {
                    "The link signs " (editor) " in as you, for as long as you would be signed in here: \
                     do not pass it on. Unless it is used it ends in five minutes. What it opens is \
                     among your sessions, where you can end it."
                }
            }
        };
        Solo { title: "Opening", class: "", body }.render()
    }
}

/// The link that opens an agent's directory in an editor whose plug-in signs in with `token`.
#[must_use]
pub fn link_to(editor: Editor, url: &str, (w, agent): (&Workspace, &Agent), token: &str) -> String {
    let folder = &agent.expanded_directory;
    let (place, agent_is) = match editor {
        Editor::Jetbrains => ("gateway/com.coder.toolbox", "agent_name"),
        Editor::Vscode
        | Editor::VscodeInsiders
        | Editor::Cursor
        | Editor::Windsurf
        | Editor::Zed => ("coder.coder-remote/open", "agent"),
    };
    let mut link = format!(
        "{}://{place}?owner={}&workspace={}&{agent_is}={}&url={}",
        editor.as_str(),
        w.owner.username,
        w.name,
        segment(&agent.spec.name),
        segment(url)
    );
    for (name, value) in [("folder", folder.as_str()), ("token", token)] {
        if !value.is_empty() {
            link.push_str(&format!("&{name}={}", segment(value)));
        }
    }
    link
}
