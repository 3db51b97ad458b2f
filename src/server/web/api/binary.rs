//! `/bin`: this program, for agents and for editors' machines.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::sync::{OnceCell, Semaphore, mpsc};

use crate::server::web::extract::Path;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem};

/// The size before compression, for progress bars of editors.
const ORIGINAL_LENGTH: &str = "x-original-content-length";
/// After a program's name: its hash, as `sha256sum` writes it, for scripts that check a download.
const SUM: &str = ".sha256";
/// Bytes read from the file at once.
const CHUNK: usize = 64 << 10;
/// Chunks that may wait for a slow reader.
const CHUNKS: usize = 8;
/// Downloads that are compressed at once: each costs a core; further ones go as they are.
const COMPRESSING: usize = 2;

static PROGRAM: OnceCell<Program> = OnceCell::const_new();
static COMPRESSORS: Semaphore = Semaphore::const_new(COMPRESSING);

/// This program's file.
#[derive(Clone)]
struct Program {
    /// Kept open: the file may be replaced while the server runs.
    file: Arc<std::fs::File>,
    len: u64,
    etag: HeaderValue,
    sha256: Arc<str>,
}

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Public, "/bin/{name}", download)
}

async fn download(Path(name): Path<String>, headers: HeaderMap) -> Answer<Response> {
    if let Some(of) = name.strip_suffix(SUM).filter(|of| is_ours(of)) {
        let program = PROGRAM.get_or_try_init(open).await.map_err(|e| unreadable(&e))?;
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((kind, format!("{}  {of}\n", program.sha256)).into_response());
    }
    if !is_ours(&name) {
        return Err(Problem::new(StatusCode::NOT_FOUND, "There is no program for this platform."));
    }
    let program = PROGRAM.get_or_try_init(open).await.map_err(|e| unreadable(&e))?.clone();
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let etag = program.etag.clone();
    if text(header::IF_NONE_MATCH).is_some_and(|known| etag.to_str().is_ok_and(|e| e == known)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let accepts_gzip = text(header::ACCEPT_ENCODING).is_some_and(|a| a.contains("gzip"));
    let permit = if accepts_gzip { COMPRESSORS.try_acquire().ok() } else { None };
    Ok(send(program, permit))
}

/// `coder-linux-amd64` and `steading-linux-amd64` on such a machine.
fn is_ours(name: &str) -> bool {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "armv7",
        other => other,
    };
    let platform = name.strip_prefix("coder-").or_else(|| name.strip_prefix("steading-"));
    platform == Some(format!("{os}-{arch}{}", std::env::consts::EXE_SUFFIX).as_str())
}

fn unreadable(error: &io::Error) -> Problem {
    tracing::error!(%error, "this program's file cannot be read");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The program's file cannot be read.")
}

/// Opens and hashes the file, once.
async fn open() -> io::Result<Program> {
    tokio::task::spawn_blocking(|| {
        // On Linux this link opens the program that runs, also when its file was replaced.
        let link = PathBuf::from("/proc/self/exe");
        let path = if link.exists() { link } else { std::env::current_exe()? };
        let mut file = std::fs::File::open(path)?;
        let mut hashes = Hashes::default();
        let len = io::copy(&mut file, &mut hashes)?;
        let Hashes(hash, sha256) = hashes;
        let sha256 = hex::encode(sha256.finalize()).into();
        let etag = HeaderValue::try_from(format!("\"{}\"", hex::encode(hash.finalize())))
            .map_err(io::Error::other)?;
        Ok(Program { file: Arc::new(file), len, etag, sha256 })
    })
    .await
    .map_err(io::Error::other)?
}

/// Editors name a program by the one hash, scripts check it by the other.
#[derive(Default)]
struct Hashes(Sha1, Sha256);

impl Write for Hashes {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0.update(part);
        self.1.update(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn send(program: Program, permit: Option<tokio::sync::SemaphorePermit<'static>>) -> Response {
    let (len, etag, gzip) = (program.len, program.etag.clone(), permit.is_some());
    let body = match permit {
        Some(permit) => compressed(program, permit),
        None => plain(program),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ETAG, etag);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(ORIGINAL_LENGTH, HeaderValue::from(len));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    } else {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    }
    response
}

/// The file as it is. No thread waits for a slow reader: there may be many.
fn plain(program: Program) -> Body {
    Body::from_stream(futures_util::stream::try_unfold(0, move |at| {
        let program = program.clone();
        async move {
            let read = tokio::task::spawn_blocking(move || read(&program, at));
            let part = read.await.map_err(io::Error::other)??;
            let next = at + part.len() as u64;
            Ok::<_, io::Error>((!part.is_empty()).then_some((part, next)))
        }
    }))
}

/// The file compressed, by a thread of its own that waits for the reader.
fn compressed(program: Program, permit: tokio::sync::SemaphorePermit<'static>) -> Body {
    let (chunks, ready) = mpsc::channel::<io::Result<Bytes>>(CHUNKS);
    // Ends with the file or with the client, whichever is first.
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let out = io::BufWriter::with_capacity(CHUNK, Chunks(chunks.clone()));
        let mut encoder = GzEncoder::new(out, Compression::fast());
        let copied = copy(&program, &mut encoder).and_then(|()| encoder.finish()?.flush());
        if let Err(error) = copied {
            // The client sees a broken transfer, unless it left before.
            let _ = chunks.blocking_send(Err(error));
        }
    });
    Body::from_stream(futures_util::stream::unfold(ready, |mut ready| async move {
        ready.recv().await.map(|chunk| (chunk, ready))
    }))
}

/// A part of the file; each download has its own place in it. None is left at the end.
fn read(program: &Program, at: u64) -> io::Result<Bytes> {
    use std::os::unix::fs::FileExt as _;
    let mut part = vec![0; CHUNK];
    let n = program.file.read_at(&mut part, at)?;
    part.truncate(n);
    Ok(Bytes::from(part))
}

fn copy(program: &Program, out: &mut impl Write) -> io::Result<()> {
    let mut at = 0;
    loop {
        let part = read(program, at)?;
        if part.is_empty() {
            return Ok(());
        }
        out.write_all(&part)?;
        at += part.len() as u64;
    }
}

/// Hands what is written to the response; waits for a slow reader.
struct Chunks(mpsc::Sender<io::Result<Bytes>>);

impl Write for Chunks {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(part)))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_platform_is_served_and_no_signature() {
        let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
        let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
        assert!(is_ours(&format!("coder-{os}-{arch}")));
        assert!(is_ours(&format!("steading-{os}-{arch}")));
        assert!(!is_ours(&format!("coder-{os}-{arch}.asc")));
        assert!(!is_ours("coder-plan9-mips"));
    }
}
