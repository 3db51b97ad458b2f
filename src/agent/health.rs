//! Health checks of apps: a request on an interval, and a verdict after enough of the same answers.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::model::app::AppHealth;
use crate::net::dial::Dialer;
use crate::tasks::OnPanic;
use crate::wire::agent::{AppCheck, Manifest};

use super::base::Base;

/// The interval when the template gives none.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// What is known of an app, as a pure machine.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    failures: u32,
    threshold: u32,
    health: AppHealth,
}

impl Verdict {
    fn new(threshold: u32) -> Self {
        Self { failures: 0, threshold: threshold.max(1), health: AppHealth::Initializing }
    }

    /// Takes one answer; gives the health when it changed by it.
    fn take(&mut self, well: bool) -> Option<AppHealth> {
        self.failures = if well { 0 } else { self.failures.saturating_add(1) };
        let health = match (well, self.failures >= self.threshold) {
            (true, _) => AppHealth::Healthy,
            (false, true) => AppHealth::Unhealthy,
            (false, false) => self.health,
        };
        let changed = health != self.health;
        self.health = health;
        changed.then_some(health)
    }
}

/// Starts a task for each app with a check; they end when `stop` is cancelled.
pub fn watch_all(base: &Base, manifest: &Arc<Manifest>, stop: &CancellationToken) {
    for app in &manifest.apps {
        base.reports.health(app.id, AppHealth::Initializing);
        let (base, app, stop) = (base.clone(), app.clone(), stop.clone());
        base.tasks.clone().spawn("app health", OnPanic::Lose, async move {
            tokio::select! {
                () = watch(&base, &app) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

async fn watch(base: &Base, app: &AppCheck) {
    let Ok(url) = app.healthcheck.url.parse::<url::Url>() else {
        let text = format!("{} is not a URL for a health check.", app.healthcheck.url);
        base.reports.own_line(crate::model::log::LogLevel::Error, &text);
        return base.reports.health(app.id, AppHealth::Unhealthy);
    };
    let interval = match app.healthcheck.interval_s {
        0 => DEFAULT_INTERVAL,
        secs => Duration::from_secs(secs.into()),
    };
    let mut verdict = Verdict::new(app.healthcheck.threshold);
    loop {
        let began = base.clock.instant();
        let well = matches!(timeout(interval, ask(&url)).await, Ok(Ok(status)) if status < 500);
        if let Some(health) = verdict.take(well) {
            base.reports.health(app.id, health);
        }
        let taken = base.clock.instant().saturating_duration_since(began);
        sleep(interval.saturating_sub(taken)).await;
    }
}

/// Asks once and gives the status. Redirects are not followed: an app that sends people to its login is well.
async fn ask(url: &url::Url) -> anyhow::Result<u16> {
    let io = TokioIo::new(Dialer::default().dial(url).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let request = http::Request::get(path)
        .header(http::header::HOST, host)
        .header(http::header::USER_AGENT, "steading-agent")
        .body(Empty::<bytes::Bytes>::new())?;
    let mut answer = std::pin::pin!(sender.send_request(request));
    let answer = tokio::select! {
        answer = &mut answer => answer?,
        // A server may answer and close at once: then the answer is there already.
        ended = connection => {
            ended?;
            answer.await?
        }
    };
    Ok(answer.status().as_u16())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::agent::testing::{manifest, place};
    use crate::model::app::HealthCheck;
    use crate::wire::agent::FromAgent;

    #[test]
    fn an_app_is_unhealthy_only_after_enough_failures() {
        let mut verdict = Verdict::new(3);
        let answers = [false, false, true, false, false, false, false, true];
        let told: Vec<_> = answers.iter().map(|well| verdict.take(*well)).collect();
        let (healthy, unhealthy) = (Some(AppHealth::Healthy), Some(AppHealth::Unhealthy));
        assert_eq!(told, [None, None, healthy, None, None, unhealthy, None, healthy]);
        assert_eq!(Verdict::new(0).take(false), unhealthy);
    }

    async fn answering(status: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        crate::tasks::Tasks::new().spawn("app", OnPanic::Lose, async move {
            while let Ok((mut io, _)) = listener.accept().await {
                let _ = io.read(&mut [0; 1024]).await;
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                io.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        format!("http://{address}/healthz?deep=1")
    }

    async fn found(url: String) -> AppHealth {
        let place = place();
        let id = uuid::Uuid::from_u128(5).into();
        let healthcheck = HealthCheck { url, interval_s: 1, threshold: 1 };
        let apps = vec![AppCheck { id, healthcheck }];
        let manifest = Arc::new(Manifest { apps, ..manifest() });
        watch_all(&place.base, &manifest, &CancellationToken::new());
        loop {
            let FromAgent::AppHealth { apps } = place.base.reports.next().await else { continue };
            match apps[&id] {
                AppHealth::Initializing => {}
                health @ (AppHealth::Healthy | AppHealth::Unhealthy | AppHealth::Disabled) => {
                    return health;
                }
            }
        }
    }

    #[tokio::test]
    async fn every_status_below_500_is_well() {
        assert_eq!(found(answering("200 OK").await).await, AppHealth::Healthy);
        assert_eq!(found(answering("404 Not Found").await).await, AppHealth::Healthy);
        assert_eq!(found(answering("503 Unavailable").await).await, AppHealth::Unhealthy);
        assert_eq!(found("http://127.0.0.1:1/".to_owned()).await, AppHealth::Unhealthy);
        assert_eq!(found("nonsense".to_owned()).await, AppHealth::Unhealthy);
    }
}
