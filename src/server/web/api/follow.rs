//! Logs as they grow: all there is in one answer, or a WebSocket that goes on until the log ends.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::convert::{agents, jobs};
use crate::model::event::Event;
use crate::model::id::{AgentId, BuildId, VersionId};
use crate::server::app::logs::LogOf;
use crate::server::app::{self, Actor, App};
use crate::server::fleet::socket::{Message, Socket};
use crate::server::web::{Answer, Problem, State, sockets};
use crate::tasks::Tasks;

/// Lines read at once while following.
const PAGE: u32 = 500;
/// Most lines in one answer: a log within its limit has no more.
const ALL: u32 = 600_000;

/// How a log is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct FollowQuery {
    follow: Option<String>,
    after: i64,
}

/// A WebSocket, if one was asked for.
pub(super) struct MaybeSocket(pub(super) Option<WebSocketUpgrade>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeSocket {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self(WebSocketUpgrade::from_request_parts(parts, state).await.ok()))
    }
}

/// Whose log it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A build's: one line a message.
    Build(BuildId),
    /// An import's: one line a message.
    Version(VersionId),
    /// An agent's: a list of lines a message.
    Agent(AgentId),
}

/// Lines in Coder's words.
struct Lines {
    list: Vec<Value>,
    /// The id of the last one.
    last: i64,
}

/// Answers with the log.
pub(super) async fn answer(
    state: State,
    actor: Actor,
    source: Source,
    (query, upgrade): (FollowQuery, Option<WebSocketUpgrade>),
) -> Answer<Response> {
    let follows = query.follow.as_deref().is_some_and(|f| f != "false");
    let Some(upgrade) = upgrade.filter(|_| follows) else {
        let all = source.read(&state.app, &actor, (query.after, ALL)).await?;
        return Ok(axum::Json(all.list).into_response());
    };
    source.read(&state.app, &actor, (query.after, 1)).await?;
    let permit = state.streams.open(&actor)?;
    let (app, tasks): (App, Tasks) = (state.app.clone(), state.tasks.clone());
    Ok(sockets::bounded(upgrade).on_upgrade(move |socket| {
        sockets::run(socket, tasks, move |s| async move {
            follow(&app, actor, (source, query.after), s).await;
            drop(permit);
        })
    }))
}

/// Sends lines until the log ends, the client leaves, or they may not see it any more.
async fn follow(
    app: &App,
    mut actor: Actor,
    (source, mut after): (Source, i64),
    mut socket: Socket,
) {
    let mut events = app.events();
    loop {
        let Ok(Some(again)) = app.authenticate_again(&actor).await else { return };
        actor = again;
        // Asked first, so that lines written before the end are not missed.
        let Ok(over) = source.is_over(app, &actor).await else { return };
        let Ok(page) = source.read(app, &actor, (after, PAGE)).await else { return };
        let full = page.list.len() >= PAGE as usize;
        after = page.last.max(after);
        for text in source.messages(page.list) {
            if socket.outgoing.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
        if full {
            continue;
        }
        if over {
            let close = Message::Close { code: 1000, why: "the log ended".to_owned() };
            // The client may have left already.
            let _ = socket.outgoing.send(close).await;
            return;
        }
        tokio::select! {
            () = source.changed(&mut events) => {}
            () = left(&mut socket) => return,
        }
    }
}

/// Returns when the other end has left; what it says meanwhile means nothing.
pub(super) async fn left(socket: &mut Socket) {
    while socket.incoming.recv().await.is_some() {}
}

impl Source {
    async fn read(self, app: &App, actor: &Actor, part: (i64, u32)) -> app::Result<Lines> {
        let json = |v: serde_json::Result<Value>| v.unwrap_or_default();
        let (list, last): (Vec<Value>, _) = match self {
            Self::Build(id) => {
                let lines = app.log_lines(actor, LogOf::Build(id), part).await?;
                let list = lines.iter().map(|l| json(serde_json::to_value(jobs::log(l))));
                (list.collect(), lines.last().map(|l| l.id))
            }
            Self::Version(id) => {
                let lines = app.log_lines(actor, LogOf::Version(id), part).await?;
                let list = lines.iter().map(|l| json(serde_json::to_value(jobs::log(l))));
                (list.collect(), lines.last().map(|l| l.id))
            }
            Self::Agent(id) => {
                let lines = app.agent_log_lines(actor, id, part).await?;
                let list = lines.iter().map(|l| json(serde_json::to_value(agents::log(l))));
                (list.collect(), lines.last().map(|l| l.id))
            }
        };
        Ok(Lines { list, last: last.unwrap_or_default() })
    }

    fn messages(self, list: Vec<Value>) -> Vec<String> {
        match self {
            Self::Agent(_) if list.is_empty() => vec![],
            Self::Agent(_) => vec![Value::Array(list).to_string()],
            Self::Build(_) | Self::Version(_) => list.iter().map(Value::to_string).collect(),
        }
    }

    async fn is_over(self, app: &App, actor: &Actor) -> app::Result<bool> {
        match self {
            Self::Build(id) => Ok(!app.build(actor, id).await?.job.status.is_active()),
            Self::Version(id) => Ok(!app.version(actor, id).await?.job.status.is_active()),
            Self::Agent(id) => Ok(!app.agent_is_current(id).await?),
        }
    }

    /// Returns when there may be more, or less right to see it.
    async fn changed(self, events: &mut Receiver<Event>) {
        loop {
            let concerns = match events.recv().await {
                Ok(Event::BuildLog(id)) => matches!(self, Self::Build(of) if of == id),
                Ok(Event::VersionLog(id) | Event::Version(id)) => {
                    matches!(self, Self::Version(of) if of == id)
                }
                Ok(Event::AgentLog(id)) => matches!(self, Self::Agent(of) if of == id),
                Ok(Event::Workspace(_)) => matches!(self, Self::Build(_) | Self::Agent(_)),
                Ok(Event::Grants | Event::User(_)) | Err(RecvError::Lagged(_)) => true,
                Ok(
                    Event::Template(_)
                    | Event::Queue
                    | Event::Agent(..)
                    | Event::AgentMetadata(_)
                    | Event::AgentHealth(_)
                    | Event::Session(..)
                    | Event::Providers,
                ) => false,
                Err(RecvError::Closed) => std::future::pending().await,
            };
            if concerns {
                return;
            }
        }
    }
}

/// A route that is only a WebSocket was asked without one.
pub(super) fn upgrade_needed() -> Problem {
    Problem::new(http::StatusCode::UPGRADE_REQUIRED, "This address speaks WebSocket only.")
}
