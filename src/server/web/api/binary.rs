//! `/bin`: this program, for agents and for editors' machines.

use std::io;
use std::ops::Range;

use axum::body::Body;
use axum::response::{Html, IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::Render as _;

use crate::server::app::programs::{Lack, Part, Program};
use crate::server::html::pages::no_program::NoProgram;
use crate::server::web::extract::Path;
use crate::server::web::packed::takes_gzip;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State};
use crate::wire::program::{Platform, version};

/// The size before compression, for progress bars of editors.
const ORIGINAL_LENGTH: &str = "x-original-content-length";
/// After a program's name: its hash, as `sha256sum` writes it, for scripts that check a download.
const SUM: &str = ".sha256";

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Public, "/bin/{name}", download)
}

/// What is asked for besides has no signature: nobody but Coder has the key that would fit.
async fn download(state: State, Path(name): Path<String>, headers: HeaderMap) -> Answer<Response> {
    let (file, is_sum) = match name.strip_suffix(SUM) {
        Some(file) => (file, true),
        None => (name.as_str(), false),
    };
    let Some(platform) = Platform::of_file(file) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "There is no program of this name."));
    };
    let found = state.app.policy.programs.find(platform).await;
    match found.map_err(|error| unreadable(platform, &error))? {
        Ok(program) if is_sum => {
            let sum = format!("{}  {file}\n", hex::encode(program.sha256()));
            Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], sum).into_response())
        }
        Ok(program) => send(&program, &headers).await,
        Err(lack) => missing(platform, &lack, &headers),
    }
}

fn unreadable(platform: Platform, error: &io::Error) -> Problem {
    tracing::error!(%error, %platform, "a program's file cannot be read");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The program's file cannot be read.")
}

/// A page for who looks, and the same in short for programs.
fn missing(platform: Platform, lack: &Lack, headers: &HeaderMap) -> Answer<Response> {
    let other = match lack {
        Lack::Missing => None,
        Lack::Version(_) | Lack::Platform(_) | Lack::Unknown => Some(lack.to_string()),
    };
    let accepted = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let page = NoProgram {
        platform: platform.to_string(),
        file: platform.file(),
        version: version(),
        other,
    };
    if accepted.contains("text/html") {
        let page = Html(page.render().into_string());
        return Ok((StatusCode::NOT_FOUND, page).into_response());
    }
    let message = format!("This server has no program for {platform}.");
    Err(Problem { detail: page.says(), ..Problem::new(StatusCode::NOT_FOUND, message) })
}

async fn send(program: &Program, headers: &HeaderMap) -> Answer<Response> {
    let told = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let etag = format!("\"{}\"", program.sha1());
    let kept = [(header::ETAG, etag.clone()), (header::VARY, "accept-encoding".to_owned())];
    if told(header::IF_NONE_MATCH).is_some_and(|known| is_among(&etag, known)) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    // A part is one of the file as it lies; of another file than they have a part of, they get all. So
    // does who takes it packed: the part that they have may be of that.
    let is_same = told(header::IF_RANGE).is_none_or(|of| of == etag) && !takes_gzip(headers);
    let asked = told(header::RANGE).filter(|_| is_same);
    let part = asked.and_then(|asked| range(asked, program.len()));
    let coding = match part {
        None if takes_gzip(headers) => program.packed().await,
        None | Some(_) => None,
    };
    let len = program.len();
    let mut response = match (part, coding) {
        (Some(Err(())), _) => {
            let all = [(header::CONTENT_RANGE, format!("bytes */{len}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, kept, all).into_response());
        }
        (Some(Ok(part)), _) => {
            let place = format!("bytes {}-{}/{len}", part.start, part.end - 1);
            let place = [(header::CONTENT_RANGE, place)];
            (StatusCode::PARTIAL_CONTENT, place, body(program.whole(), part)).into_response()
        }
        (None, Some(packed)) => {
            let coding = [(header::CONTENT_ENCODING, "gzip")];
            (coding, body(packed, 0..packed.len())).into_response()
        }
        (None, None) => body(program.whole(), 0..len).into_response(),
    };
    let fixed = HeaderValue::from_static;
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, fixed("application/octet-stream"));
    out.insert(header::ACCEPT_RANGES, fixed("bytes"));
    out.insert(ORIGINAL_LENGTH, HeaderValue::from(len));
    Ok((kept, response).into_response())
}

/// Whether a list of tags, as `If-None-Match` has it, names this one.
fn is_among(etag: &str, known: &str) -> bool {
    known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == etag)
}

/// The one range that is asked for; an error when there is nothing in it. What asks for several, or
/// makes no sense, is not heard.
fn range(asked: &str, len: u64) -> Option<Result<Range<u64>, ()>> {
    let (from, to) = asked.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>();
    let part = match (from.trim(), to.trim()) {
        ("", last) => len.saturating_sub(number(last).ok()?)..len,
        (from, "") => number(from).ok()?..len,
        (from, to) => {
            let (from, to) = (number(from).ok()?, number(to).ok()?);
            if to < from {
                return None;
            }
            from..to.saturating_add(1).min(len)
        }
    };
    Some(if part.is_empty() { Err(()) } else { Ok(part) })
}

/// A part of a file as it is read. No thread waits for a slow reader: there may be many.
fn body(of: &Part, range: Range<u64>) -> ([(header::HeaderName, HeaderValue); 1], Body) {
    let length = [(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start))];
    let (of, end) = (of.clone(), range.end);
    let body = Body::from_stream(futures_util::stream::try_unfold(range.start, move |at| {
        let of = of.clone();
        async move {
            let read = tokio::task::spawn_blocking(move || of.read(at, end));
            let part = read.await.map_err(io::Error::other)??;
            if part.is_empty() && at < end {
                // Someone cut the file: the length that was told does not hold.
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let next = at + part.len() as u64;
            Ok::<_, io::Error>((!part.is_empty()).then_some((part, next)))
        }
    }));
    (length, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_those_that_a_client_has() {
        let check = |known, found| assert_eq!(is_among("\"ab\"", known), found, "{known}");
        check("\"ab\"", true);
        check("\"\"", false);
        check("W/\"ab\"", true);
        check("\"cd\", \"ab\"", true);
        check("*", true);
        check("ab", false);
    }

    #[test]
    fn ranges_are_read_as_clients_write_them() {
        let check = |asked, part| assert_eq!(range(asked, 100), part, "{asked}");
        check("bytes=0-9", Some(Ok(0..10)));
        check("bytes=90-", Some(Ok(90..100)));
        check("bytes=-10", Some(Ok(90..100)));
        check("bytes=-1000", Some(Ok(0..100)));
        check("bytes=50-1000", Some(Ok(50..100)));
        check("bytes=50-18446744073709551615", Some(Ok(50..100)));
        check("bytes=100-", Some(Err(())));
        check("bytes=-0", Some(Err(())));
        check("bytes=9-0", None);
        check("bytes=0-1,5-6", None);
        check("bytes=-", None);
        check("lines=0-1", None);
    }
}
