//! One signed `POST` of JSON, bounded in size and time, and only to where it may go.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use url::Url;

use crate::net::dial::Dialer;
use crate::server::app::request_notices::Outgoing;

/// Time for a program to take a notice; it answers before it acts.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// Sends a notice.
///
/// # Errors
/// Says why it was not taken.
pub(super) async fn send(dialer: &Dialer, notice: &Outgoing) -> Result<(), String> {
    let place = notice.url.origin().ascii_serialization();
    let sent = tokio::time::timeout(TAKEN_WITHIN, exchange(dialer, notice)).await;
    let late = || format!("{place} did not answer in {} s", TAKEN_WITHIN.as_secs());
    let status = sent.map_err(|_| late())?.map_err(|e| format!("{place}: {e:#}"))?;
    // Where it leads elsewhere, it was not taken.
    if status.is_success() { Ok(()) } else { Err(format!("{place} answered {status}")) }
}

async fn exchange(dialer: &Dialer, notice: &Outgoing) -> anyhow::Result<http::StatusCode> {
    let url = &notice.url;
    let dialled = match notice.is_trusted {
        true => dialer.dial(url).await?,
        false => dialer.dial_public(url).await?,
    };
    let request = request(notice)?;
    let (mut sender, connection) = handshake(TokioIo::new(dialled)).await?;
    // What else it answers is not read.
    let answer = async { anyhow::Ok(sender.send_request(request).await?.status()) };
    let carried = async {
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        answered = answer => answered,
        () = carried => anyhow::bail!("the connection ended"),
    }
}

fn request(notice: &Outgoing) -> anyhow::Result<Request<Full<Bytes>>> {
    let url: &Url = &notice.url;
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let request = Request::builder()
        .method("POST")
        .uri(format!("{}{query}", url.path()))
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("steading/", env!("CARGO_PKG_VERSION")))
        .header("x-steading-signature", &notice.signature);
    Ok(request.body(Full::new(Bytes::from(notice.body.clone())))?)
}
