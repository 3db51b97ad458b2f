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

use super::Visitor;
use crate::model::event::Event;
use crate::model::text;
use crate::server::app::App;
use crate::server::web::streams::Permit;
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
    /// The page may not be seen any more: what is sent about that is the last.
    is_last: bool,
}

impl News {
    /// Whether nothing can have changed but what these events name.
    pub fn only(&self, named: impl Fn(&Event) -> bool) -> bool {
        !self.missed && self.events.iter().all(named)
    }
}

/// What is sent at once.
pub struct Message {
    /// The parts that changed.
    pub parts: Markup,
    /// From which a new stream goes on.
    pub id: String,
    /// There is more, whatever is committed meanwhile.
    pub more: bool,
}

/// What a page's stream knows and how it makes messages.
pub trait Feed: Send + Sync + 'static {
    /// Who looks at the page.
    fn visitor(&mut self) -> &mut Visitor;

    /// Whether an event may change what the page shows.
    fn wants(&self, event: Event) -> bool;

    /// Waits until the right to see the page ends, which needs no commit to end.
    fn over(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// The message about the news; none when they change nothing.
    fn next(&mut self, news: News) -> impl Future<Output = Answer<Option<Message>>> + Send;
}

/// Answers with the stream of a feed. It ends when its page may not be seen any more.
///
/// # Errors
/// When whoever looks has too many streams open.
pub fn serve(state: &State, mut feed: impl Feed) -> Answer<Response> {
    let permit = state.streams.open(&feed.visitor().actor)?;
    let (messages, waiting) = mpsc::channel(WAITING);
    let (app, events) = (state.app.clone(), state.app.events());
    let pump = Pump { app, feed, events, messages, _permit: permit };
    state.tasks.spawn("live", OnPanic::Lose, pump.run());
    let parts = stream::unfold(waiting, |mut waiting| async move {
        let event = waiting.recv().await?;
        Some((Ok::<sse::Event, Infallible>(event), waiting))
    });
    let keep = KeepAlive::new().interval(COMMENT_EVERY);
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(([unbuffered], Sse::new(parts).keep_alive(keep)).into_response())
}

struct Pump<F> {
    app: App,
    feed: F,
    events: broadcast::Receiver<Event>,
    messages: mpsc::Sender<sse::Event>,
    _permit: Permit,
}

impl<F: Feed> Pump<F> {
    async fn run(mut self) {
        let mut news = News { missed: true, ..News::default() };
        let mut more = false;
        loop {
            let Some(changed) = self.look_again().await else { return };
            news.missed |= changed;
            let is_last = news.is_last;
            if more || news.missed || !news.events.is_empty() {
                match self.feed.next(std::mem::take(&mut news)).await {
                    Ok(Some(message)) => {
                        more = message.more;
                        if !self.send(message).await {
                            return;
                        }
                    }
                    Ok(None) => more = false,
                    Err(_) => return,
                }
            }
            if is_last {
                return;
            }
            let messages = self.messages.clone();
            let gathered = tokio::select! {
                () = messages.closed() => None,
                gathered = self.gather(more) => gathered,
            };
            let Some(gathered) = gathered else { return };
            news = gathered;
        }
    }

    /// Takes the one who looks as they are now: whether their rights changed, or none when their
    /// session is over.
    async fn look_again(&mut self) -> Option<bool> {
        let visitor = self.feed.visitor();
        let again = self.app.authenticate_again(&visitor.actor).await.ok().flatten()?;
        let user = again.caller().ok()?.user.clone();
        let old = std::mem::replace(&mut visitor.visit.user, user);
        let new = &visitor.visit.user;
        let changed = (&old.roles, &old.organizations) != (&new.roles, &new.organizations);
        visitor.visit.now = self.app.clock().now();
        visitor.actor = again;
        Some(changed)
    }

    async fn send(&self, message: Message) -> bool {
        // A carriage return would end a line of the stream.
        let text = text::shown_page(message.parts.into_string()).replace('\r', "");
        let event = sse::Event::default().id(message.id).data(text);
        self.messages.send(event).await.is_ok()
    }

    /// Waits for an event that matters, unless there is more to send anyway, and takes those that
    /// follow soon after.
    async fn gather(&mut self, more: bool) -> Option<News> {
        let mut news = News::default();
        let me = self.feed.visitor().actor.user_id();
        let rights =
            |event: Event| event == Event::Grants || me.is_some_and(|me| event == Event::User(me));
        let mut waits = !more;
        while waits {
            let received = tokio::select! {
                received = self.events.recv() => received,
                () = self.feed.over() => {
                    return Some(News { missed: true, is_last: true, ..news });
                }
            };
            match received {
                Ok(event) => {
                    let wanted = self.feed.wants(event);
                    news.events.extend(wanted.then_some(event));
                    waits = !wanted && !rights(event);
                }
                Err(RecvError::Lagged(_)) => (news.missed, waits) = (true, false),
                Err(RecvError::Closed) => return None,
            }
        }
        if !more {
            tokio::time::sleep(GATHER).await;
        }
        loop {
            match self.events.try_recv() {
                Ok(event) if self.feed.wants(event) && !news.events.contains(&event) => {
                    news.events.push(event);
                }
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => news.missed = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(news),
            }
        }
    }
}
