//! Who is or was in a workspace, and by which way.

use maud::{Markup, html};

use super::WorkspacePage;
use super::aside::{through, when};
use crate::model::session::{EndReason, Session};
use crate::model::verb::Verb;
use crate::server::html::parts::table::{Column, Table, cell, figure, row, spare};
use crate::server::html::parts::{avatar, quantity};
use crate::server::html::paths;

impl WorkspacePage {
    /// The card with the last sessions.
    #[must_use]
    pub fn sessions_card(&self) -> Markup {
        let columns = [
            Column::Head("Who"),
            Column::Head("Through"),
            Column::Spare("From"),
            Column::Head("When"),
            Column::Figures("Out"),
            Column::Figures("In"),
        ];
        let caption = format!("Sessions in {}", self.workspace.name);
        let rows = html! { @for session in &self.sessions { (self.session(session)) } };
        let ways = self.visit.ways;
        let sees_recordings = ways.recordings && (ways.audit || self.may.contains(&Verb::Manage));
        let place = format!("{}/{}", self.workspace.owner.username, self.workspace.name);
        html! {
            section class="card" id="sessions-card" aria-labelledby="sessions" {
                header { h2 id="sessions" { "Sessions" } span class="note" { (self.present.0.len() + self.present.1) " now" }
                    @if sees_recordings {
                        a class="end" href=(paths::recordings_in(&place)) { "Recordings" }
                    }
                }
                @if self.sessions.is_empty() {
                    p class="body note" { "Each terminal, SSH connection and tunnel will be listed here, with who and how long." }
                } @else {
                    (Table { caption: &caption, class: "", columns: &columns, rows })
                }
            }
        }
    }

    fn session(&self, session: &Session) -> Markup {
        let head = if session.ended_at.is_none() {
            avatar::who_here(&session.user, "")
        } else {
            avatar::who(&session.user, "")
        };
        let several = self.all_agents().len() > 1;
        let way = html! {
            (through(session.kind))
            @if several { " on " (session.agent_name) }
            @if let Some(why) = session.end_reason.and_then(ending) { " " span class="note" { (why) } }
        };
        row(
            &format!("s-{}", session.id),
            &head,
            &[
                cell("Through", &way),
                spare(
                    "From",
                    &html! { code { (session.address) } @if !session.client.is_empty() { " " span class="note" { (session.client) } } },
                ),
                cell("When", &when(session, self.visit.now)),
                figure("Out", &html! { (quantity::bytes(session.bytes_out)) }),
                figure("In", &html! { (quantity::bytes(session.bytes_in)) }),
            ],
        )
    }
}

/// What to say of an ending, unless it is the usual one.
const fn ending(why: EndReason) -> Option<&'static str> {
    match why {
        EndReason::Closed => None,
        EndReason::Lost => Some("connection lost"),
        EndReason::Revoked => Some("cut: the right ended"),
        EndReason::Server => Some("cut: the server stopped"),
    }
}
