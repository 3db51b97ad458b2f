//! The column beside: who is here, what agents found out, what it is made of.

use maud::{Markup, html};

use super::WorkspacePage;
use crate::model::agent::{Agent, MetadataValue, Resource};
use crate::model::session::{Session, SessionKind};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::server::html::parts::icon::{icon, like};
use crate::server::html::parts::{avatar, quantity, time};

/// People in it who are shown by name: more nobody reads.
const MAX_HERE: usize = 30;

impl WorkspacePage {
    /// Who is in it now.
    #[must_use]
    pub fn here(&self) -> Markup {
        let people = people(self.sessions_now().map(|s| (&s.user, self.way_of(s))));
        let more = people.len().saturating_sub(MAX_HERE) + self.present.1;
        html! {
            section class="card" id="here" aria-labelledby="here-now" {
                header { h2 id="here-now" { "Here now" } span class="note" { (people.len()) } }
                @if people.is_empty() {
                    p class="body note" { "Nobody. Last used " (time::ago(self.workspace.last_used_at, self.visit.now)) "." }
                } @else {
                    ul class="rows" {
                        @for (user, through) in people.iter().take(MAX_HERE) {
                            li { (avatar::who_here(user, through)) }
                        }
                        @if more > 0 { li class="note" { "And " (more) " more" } }
                    }
                }
                (self.open_terminals())
            }
        }
    }

    /// What the agents found out about their machines.
    #[must_use]
    pub fn meters(&self) -> Markup {
        let told: Vec<&Agent> =
            self.all_agents().into_iter().filter(|a| !a.spec.metadata.is_empty()).collect();
        let several = told.len() > 1;
        html! {
            div id="meters" hidden[told.is_empty()] {
                @if !told.is_empty() {
                    section class="card" aria-labelledby="health" {
                        header { h2 id="health" { "Health" } }
                        div class="body stack tight" {
                            @for agent in &told {
                                @if several { h3 { (agent.spec.name) } }
                                (self.facts_of(agent))
                            }
                        }
                    }
                }
            }
        }
    }

    fn facts_of(&self, agent: &Agent) -> Markup {
        let values = self.metadata.get(&agent.id).map(Vec::as_slice).unwrap_or_default();
        let mut specs: Vec<_> = agent.spec.metadata.iter().collect();
        specs.sort_by_key(|s| s.order);
        html! {
            @for spec in specs {
                @let id = format!("m-{}-{}", agent.id, spec.key);
                @let label = if spec.display_name.is_empty() { &spec.key } else { &spec.display_name };
                (fact(&id, label, values.iter().find(|v| v.key == spec.key)))
            }
            @if let Some(since) = agent.ready_at.or(agent.first_connected_at) {
                p class="note" { "Agent " (agent.version) ", up " (time::lasted(since, self.visit.now)) "." }
            }
        }
    }

    /// What the template made, and with which answers.
    #[must_use]
    pub fn facts(&self) -> Markup {
        let resources: Vec<&Resource> =
            self.workspace.latest_build.resources.iter().filter(|r| !r.hide).collect();
        html! {
            div id="facts" class="stack" {
                @if !resources.is_empty() {
                    section class="card" aria-labelledby="resources" {
                        header { h2 id="resources" { "Resources" } }
                        ul class="rows" { @for r in resources { (resource(r)) } }
                    }
                }
                @if !self.parameters.is_empty() {
                    section class="card" aria-labelledby="answers" {
                        header { h2 id="answers" { "Parameters" } }
                        dl class="body kv" {
                            @for (name, value) in &self.parameters {
                                dt { (name) }
                                dd { @if value.is_empty() { span class="note" { "empty" } } @else { (shortened(value)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn fact(id: &str, label: &str, value: Option<&MetadataValue>) -> Markup {
    html! {
        @match value {
            None => div class="gauge" id=(id) { span { (label) } span class="note" { "not asked yet" } },
            Some(v) if !v.error.is_empty() => {
                div class="gauge" id=(id) { span { (label) } span class="bad" title=(v.error) { "failed: " (shortened(&v.error)) } }
            }
            Some(v) => (quantity::gauge(id, label, v.value.trim())),
        }
    }
}

fn resource(resource: &Resource) -> Markup {
    html! {
        li {
            (icon(like(&resource.icon, "server")))
            span class="main" {
                span class="name" { (resource.name) }
                small class="note" {
                    (resource.kind)
                    @if resource.daily_cost > 0 { " · " (resource.daily_cost) " credits a day" }
                }
                @for item in &resource.metadata {
                    @if let (false, Some(value)) = (item.sensitive, &item.value) { small { span class="note" { (item.key) } " " (shortened(value)) } }
                }
                @for item in &resource.metadata {
                    @if let (true, Some(value)) = (item.sensitive, &item.value) {
                        details { summary { (item.key) } code { (value) } }
                    }
                }
            }
        }
    }
}

/// Each person once, with all the ways they are in by.
fn people<'a>(sessions: impl Iterator<Item = (&'a UserRef, String)>) -> Vec<(&'a UserRef, String)> {
    let mut people: Vec<(&UserRef, Vec<String>)> = Vec::new();
    for (user, word) in sessions {
        match people.iter_mut().find(|(other, _)| other.id == user.id) {
            Some((_, words)) if words.contains(&word) => {}
            Some((_, words)) => words.push(word),
            None => people.push((user, vec![word])),
        }
    }
    people.into_iter().map(|(user, words)| (user, words.join(", "))).collect()
}

/// Through what someone is in, in words.
#[must_use]
pub(super) const fn through(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Terminal => "terminal",
        SessionKind::Ssh => "SSH",
        SessionKind::Sftp => "files by SSH",
        SessionKind::Forward => "a forwarded port",
        SessionKind::Tunnel => "the tunnel",
        SessionKind::App => "an app",
        SessionKind::Vscode => "VS Code",
        SessionKind::Jetbrains => "JetBrains",
    }
}

/// At most 120 characters of a value.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Since when, or when and for how long.
pub(super) fn when(session: &Session, now: Timestamp) -> Markup {
    html! {
        span {
            @match session.ended_at {
                None => { "since " (time::at(session.began_at, now)) }
                Some(end) => { (time::at(session.began_at, now)) ", " (time::lasted(session.began_at, end)) }
            }
        }
    }
}
