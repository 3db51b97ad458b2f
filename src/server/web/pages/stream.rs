//! A stream of parts of a page: what to send is asked when something was committed.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderName, HeaderValue};
use maud::Markup;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc};

use crate::model::event::Event;
use crate::model::text;
use crate::server::web::{Answer, State};
use crate::tasks::OnPanic;

/// Proxies and browsers see that the stream lives.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// Commits that come together are shown together.
const GATHER: Duration = Duration::from_millis(120);
/// Messages that wait for a slow browser; then the stream waits too, and gathers.
const WAITING: usize = 8;

/// What was committed since the last message.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// The events that matter to the page.
    pub events: Vec<Event>,
    /// Some were missed: everything may be old.
    pub missed: bool,
}

/// What a page's stream knows and how it makes messages.
pub trait Feed: Send + Sync + 'static {
    /// Whether an event may change what the page shows.
    fn wants(&self, event: Event) -> bool;

    /// The parts that changed, and the id from which a new stream goes on; none when nothing did.
    fn next(&mut self, news: News)
    -> impl Future<Output = Answer<Option<(Markup, String)>>> + Send;
}

/// Answers with the stream of a feed. It ends when its page may not be seen any more.
pub fn serve(state: &State, feed: impl Feed) -> Response {
    let (messages, waiting) = mpsc::channel(WAITING);
    let events = state.app.events();
    state.tasks.spawn("live", OnPanic::Lose, pump(feed, events, messages));
    let parts = stream::unfold(waiting, |mut waiting| async move {
        let event = waiting.recv().await?;
        Some((Ok::<sse::Event, Infallible>(event), waiting))
    });
    let keep = KeepAlive::new().interval(COMMENT_EVERY);
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    ([unbuffered], Sse::new(parts).keep_alive(keep)).into_response()
}

async fn pump(
    mut feed: impl Feed,
    mut events: broadcast::Receiver<Event>,
    messages: mpsc::Sender<sse::Event>,
) {
    let mut news = News { missed: true, ..News::default() };
    loop {
        match feed.next(std::mem::take(&mut news)).await {
            Ok(Some((parts, id))) => {
                // A carriage return would end a line of the stream.
                let text = text::shown_page(parts.into_string()).replace('\r', "");
                let event = sse::Event::default().id(id).data(text);
                if messages.send(event).await.is_err() {
                    return;
                }
            }
            Ok(None) => {}
            Err(_) => return,
        }
        news = tokio::select! {
            () = messages.closed() => return,
            gathered = gather(&feed, &mut events) => match gathered {
                Some(news) => news,
                None => return,
            },
        };
    }
}

/// Waits for an event that the feed wants, and takes those that follow soon after.
async fn gather(feed: &impl Feed, events: &mut broadcast::Receiver<Event>) -> Option<News> {
    let mut news = News::default();
    while news.events.is_empty() && !news.missed {
        match events.recv().await {
            Ok(event) if feed.wants(event) => news.events.push(event),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => news.missed = true,
            Err(RecvError::Closed) => return None,
        }
    }
    tokio::time::sleep(GATHER).await;
    loop {
        match events.try_recv() {
            Ok(event) if feed.wants(event) && !news.events.contains(&event) => {
                news.events.push(event);
            }
            Ok(_) => {}
            Err(TryRecvError::Lagged(_)) => news.missed = true,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(news),
        }
    }
}
