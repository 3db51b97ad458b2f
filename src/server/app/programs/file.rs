//! A program's file, as it lies and compressed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use crate::wire::program::{Finder, Mark, Platform};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// A program's file.
pub struct Program {
    platform: Platform,
    whole: Part,
    sha1: [u8; 20],
    sha256: [u8; 32],
    /// Where what is compressed is kept.
    dir: PathBuf,
    /// Compressed; none when that failed, which is not tried again.
    packed: OnceCell<Option<Part>>,
}

/// Bytes on the disk. The file is kept open: it may be replaced while the server runs.
#[derive(Clone)]
pub struct Part {
    file: Arc<File>,
    len: u64,
}

impl Part {
    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The next bytes from `at`, before `end`; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, at: u64, end: u64) -> io::Result<Bytes> {
        let most = end.min(self.len).saturating_sub(at);
        let mut part = vec![0; usize::try_from(most).unwrap_or(CHUNK).min(CHUNK)];
        let n = self.file.read_at(&mut part, at)?;
        part.truncate(n);
        Ok(Bytes::from(part))
    }
}

impl Program {
    /// Reads a file to its end, and looks for its mark when it `is_unknown`. What is compressed of
    /// it will be kept in `dir`.
    pub(super) fn read(
        file: File,
        dir: &Path,
        platform: Platform,
        is_unknown: bool,
    ) -> io::Result<(Self, Option<Mark>)> {
        let whole = Part { len: file.metadata()?.len(), file: Arc::new(file) };
        let (mut sha1, mut sha256, mut finder) = (Sha1::new(), Sha256::new(), Finder::default());
        let mut at = 0;
        loop {
            let part = whole.read(at, whole.len)?;
            if part.is_empty() {
                break;
            }
            sha1.update(&part);
            sha256.update(&part);
            if is_unknown {
                finder.feed(&part);
            }
            at += part.len() as u64;
        }
        let (sha1, sha256) = (sha1.finalize().into(), sha256.finalize().into());
        let (dir, packed) = (dir.to_owned(), OnceCell::new());
        Ok((Self { platform, whole, sha1, sha256, dir, packed }, finder.found()))
    }

    /// The machine it is for.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// The file as it lies.
    #[must_use]
    pub fn whole(&self) -> &Part {
        &self.whole
    }

    /// How many bytes it is.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.whole.len
    }

    /// Whether it is empty, which no program is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// The hash by which clients know it, in hex.
    #[must_use]
    pub fn sha1(&self) -> String {
        hex::encode(self.sha1)
    }

    /// The hash by which agents check it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The file as gzip. Who asks first waits until it is made, and others with them; none when it
    /// cannot be kept.
    pub async fn packed(&self) -> Option<&Part> {
        let packed = self.packed.get_or_init(async || {
            let (whole, dir) = (self.whole.clone(), self.dir.clone());
            let Platform { os, arch } = self.platform;
            let (of, hash) = (format!("{os}-{arch}-"), self.sha1());
            let packing = tokio::task::spawn_blocking(move || packed(&whole, &dir, &of, &hash));
            let done = packing.await.map_err(io::Error::other).and_then(|done| done);
            done.inspect_err(|error| {
                tracing::warn!(%error, dir = ?self.dir, "a program is served uncompressed");
            })
            .ok()
        });
        packed.await.as_ref()
    }
}

/// Opens what was compressed before, or does it now and removes what was of an earlier file.
fn packed(whole: &Part, dir: &Path, of: &str, hash: &str) -> io::Result<Part> {
    let at = dir.join(format!("{of}{hash}.gz"));
    if !at.exists() {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(of)) {
                fs::remove_file(entry.path())?;
            }
        }
        let part = at.with_extension("part");
        pack(whole, File::create(&part)?)?;
        fs::rename(&part, &at)?;
    }
    let file = File::open(at)?;
    Ok(Part { len: file.metadata()?.len(), file: Arc::new(file) })
}

fn pack(whole: &Part, to: File) -> io::Result<()> {
    let mut encoder = GzEncoder::new(to, Compression::default());
    let mut at = 0;
    while at < whole.len {
        let bytes = whole.read(at, whole.len)?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        encoder.write_all(&bytes)?;
        at += bytes.len() as u64;
    }
    encoder.finish()?.sync_all()
}
