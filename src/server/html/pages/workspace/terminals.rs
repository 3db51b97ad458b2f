//! Terminals that people are at: who, and the way to come to one.

use maud::{Markup, html};

use super::WorkspacePage;
use super::aside::through;
use crate::model::session::Session;
use crate::model::terminal::{Doing, OpenTerminal};
use crate::model::verb::Verb;
use crate::server::html::parts::button::{button, labelled, link, post};
use crate::server::html::parts::{avatar, time};

impl WorkspacePage {
    /// Those that are open, below who is here.
    pub(super) fn open_terminals(&self) -> Markup {
        html! {
            @if !self.terminals.is_empty() {
                ul class="rows" aria-label="Open terminals" {
                    @for (n, open) in (1..).zip(&self.terminals) { li { (self.open_terminal(n, open)) } }
                }
            }
        }
    }

    /// By which way someone is in, and what they do at a terminal that others can come to.
    pub(super) fn way_of(&self, session: &Session) -> String {
        let way = through(session.kind);
        let seat = |open: &OpenTerminal| {
            let seat = open.room.seat(session.id)?;
            Some(doing(open.room.doing(seat, self.visit.now)))
        };
        match self.terminals.iter().find_map(seat) {
            Some(word) => format!("{way} ({word})"),
            None => way.to_owned(),
        }
    }

    fn open_terminal(&self, number: usize, open: &OpenTerminal) -> Markup {
        let agents = self.all_agents();
        let agent = agents.iter().find(|agent| agent.id == open.agent);
        let (room, now) = (&open.room, self.visit.now);
        let (cols, rows) = room.size();
        html! {
            span class="main" {
                span class="name" { "Terminal " (number) }
                small class="note" {
                    "Begun by " (room.began_by.username) " " (time::ago(room.began_at, now)) ", " (cols) " × " (rows) "."
                }
                @for seat in room.seats() {
                    small { (avatar::who_here(&seat.user, doing(room.doing(seat, now)))) }
                }
                @if room.seats().is_empty() { small class="note" { "Nobody is at it." } }
            }
            @if let Some(agent) = agent {
                @let place = self.place();
                @let page = place.open_terminal(&agent.spec.name, open.id);
                span class="end stack tight" {
                    @if self.may(Verb::Connect) { (link("small", &page, &labelled("terminal", "Join"))) }
                    @if self.may(Verb::Watch) { (link("small", &format!("{page}&watch=true"), &labelled("browser", "Watch"))) }
                    @if self.may(Verb::Connect) && self.may(Verb::Manage) {
                        (post(&self.visit.csrf, &place.end_terminal(open.id), &button("small danger", "stop", "End")))
                    }
                }
            }
        }
    }
}

/// What someone does just now, in a word.
const fn doing(doing: Doing) -> &'static str {
    match doing {
        Doing::Watching => "watching",
        Doing::Typing => "typing",
        Doing::Idle(seconds) if seconds < 60 => "here",
        Doing::Idle(_) => "idle",
    }
}
