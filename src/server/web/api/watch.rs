//! Objects as they change, whole each time: by server-sent events, or by a WebSocket.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::convert::agents;
use super::follow::{left, upgrade_needed};
use super::workspaces;
use crate::model::event::Event;
use crate::model::id::{AgentId, WorkspaceId};
use crate::server::app::Actor;
use crate::server::fleet::socket::Socket;
use crate::server::web::streams::Permit;
use crate::server::web::{Answer, State, sockets};
use crate::wire::coder::workspaces::WatchEvent;

/// How often a sign of life is sent; Coder's clients expect one every 15 s.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Changes that come together within this time are sent as one.
const CALM: Duration = Duration::from_millis(50);

/// What is watched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    /// A workspace.
    Workspace(WorkspaceId),
    /// What an agent's metadata commands print.
    Metadata(AgentId),
}

/// States of a subject, one after the other.
struct Feed {
    state: State,
    actor: Actor,
    subject: Subject,
    events: Receiver<Event>,
    _permit: Permit,
    /// There is a state that was not given yet.
    due: bool,
}

impl Feed {
    fn new(state: State, actor: Actor, subject: Subject) -> Answer<Self> {
        let (events, permit) = (state.app.events(), state.streams.open(&actor)?);
        Ok(Self { state, actor, subject, events, _permit: permit, due: true })
    }

    /// The next state; none when it is gone or may not be seen any more. Nothing is lost when whoever
    /// waits turns to something else meanwhile and asks again.
    async fn next(&mut self) -> Option<Value> {
        if !self.due {
            self.changed().await;
            self.due = true;
            tokio::time::sleep(CALM).await;
        }
        self.drain();
        self.actor = self.state.app.authenticate_again(&self.actor).await.ok()??;
        let value = self.read().await.ok()?;
        self.due = false;
        Some(value)
    }

    async fn read(&self) -> Answer<Value> {
        let value = match self.subject {
            Subject::Workspace(id) => {
                let workspace = self.state.app.workspace(&self.actor, id).await?;
                serde_json::to_value(workspaces::one(&self.state, &self.actor, &workspace).await?)
            }
            Subject::Metadata(id) => {
                let (app, now) = (&self.state.app, self.state.app.clock().now());
                let specs = app.agent(&self.actor, id).await?.agent.spec.metadata;
                let found = app.agent_metadata(&self.actor, id).await?;
                let of = |key: &str| found.iter().find(|v| v.key == key);
                let list = specs.iter().map(|s| agents::metadata(s, of(&s.key), now));
                serde_json::to_value(list.collect::<Vec<_>>())
            }
        };
        Ok(value.unwrap_or_default())
    }

    /// Returns when the subject may have changed, or the right to see it.
    async fn changed(&mut self) {
        loop {
            match self.events.recv().await {
                Ok(event) if self.concerns(event) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn drain(&mut self) {
        while self.events.try_recv().is_ok() {}
    }

    fn concerns(&self, event: Event) -> bool {
        match (event, self.subject) {
            (Event::Workspace(id) | Event::Agent(id, _), Subject::Workspace(of)) => id == of,
            (Event::AgentMetadata(id), Subject::Metadata(of)) => id == of,
            (Event::Grants | Event::User(_) | Event::Template(_), _) => true,
            (
                Event::Workspace(_)
                | Event::Agent(..)
                | Event::AgentMetadata(_)
                | Event::AgentHealth(_)
                | Event::Version(_)
                | Event::VersionLog(_)
                | Event::Queue
                | Event::BuildLog(_)
                | Event::AgentLog(_)
                | Event::Session(..)
                | Event::Providers,
                _,
            ) => false,
        }
    }
}

/// Answers with server-sent events named `data`.
pub(super) async fn sse(state: State, actor: Actor, subject: Subject) -> Answer<Response> {
    let stop = state.tasks.token();
    let feed = Feed::new(state, actor, subject)?;
    feed.read().await?;
    let events = stream::unfold((feed, stop), |(mut feed, stop)| async move {
        let value = tokio::select! {
            value = feed.next() => value?,
            () = stop.cancelled() => return None,
        };
        let event = sse::Event::default().event("data").data(value.to_string());
        Some((Ok::<_, Infallible>(event), (feed, stop)))
    });
    let alive = KeepAlive::new().interval(PING_EVERY).event(sse::Event::default().event("ping"));
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

/// Answers with a WebSocket of [`WatchEvent`]s.
pub(super) async fn socket(
    state: State,
    actor: Actor,
    subject: Subject,
    upgrade: Option<WebSocketUpgrade>,
) -> Answer<Response> {
    let tasks = state.tasks.clone();
    let feed = Feed::new(state, actor, subject)?;
    feed.read().await?;
    let upgrade = upgrade.ok_or_else(upgrade_needed)?;
    Ok(sockets::bounded(upgrade)
        .on_upgrade(move |socket| sockets::run(socket, tasks, move |s| send(feed, s))))
}

async fn send(mut feed: Feed, mut socket: Socket) {
    let outgoing = socket.outgoing.clone();
    let mut ping = tokio::time::interval(PING_EVERY);
    let gone = left(&mut socket);
    tokio::pin!(gone);
    loop {
        let event = tokio::select! {
            () = &mut gone => return,
            _ = ping.tick() => WatchEvent { r#type: "ping".to_owned(), data: None },
            value = feed.next() => match value {
                Some(data) => WatchEvent { r#type: "data".to_owned(), data: Some(data) },
                None => return,
            },
        };
        if !crate::server::fleet::socket::send_json(&outgoing, &event).await {
            return;
        }
    }
}
