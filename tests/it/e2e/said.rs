//! What a program prints, read as it comes: a line that never comes fails the test.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use super::site::PATIENCE;

/// The output of a program. It is read on and on, so the program is never held up.
pub struct Said {
    chunks: Receiver<Vec<u8>>,
    held: Vec<u8>,
}

impl Said {
    /// What comes from there.
    pub fn by(mut from: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 8 << 10];
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { chunks, held: vec![] }
    }

    /// Everything up to `mark`, with it.
    #[track_caller]
    pub fn until(&mut self, mark: &str) -> String {
        let found = self.take(mark);
        found.unwrap_or_else(|| panic!("it ended before {mark:?}: {:?}", self.shown()))
    }

    /// The next line without its end; none after the last.
    #[track_caller]
    pub fn line(&mut self) -> Option<String> {
        let line = self.take("\n").or_else(|| {
            let rest = std::mem::take(&mut self.held);
            (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
        })?;
        Some(line.trim_end_matches('\n').to_owned())
    }

    /// Everything up to its end.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        let mut all = String::new();
        while let Some(line) = self.line() {
            all.push_str(&line);
            all.push('\n');
        }
        all
    }

    #[track_caller]
    fn take(&mut self, mark: &str) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "a deadline for real processes")]
        let until = Instant::now() + PATIENCE;
        let (name, mark) = (mark, mark.as_bytes());
        let mut looked_at = 0;
        loop {
            let found = self.held[looked_at..].windows(mark.len()).position(|part| part == mark);
            if let Some(at) = found {
                let end = looked_at + at + mark.len();
                let taken = self.held.drain(..end).collect::<Vec<_>>();
                return Some(String::from_utf8_lossy(&taken).into_owned());
            }
            looked_at = (self.held.len() + 1).saturating_sub(mark.len());
            #[expect(clippy::disallowed_methods, reason = "a deadline for real processes")]
            let left = until.saturating_duration_since(Instant::now());
            match self.chunks.recv_timeout(left) {
                Ok(chunk) => self.held.extend(chunk),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    let secs = PATIENCE.as_secs();
                    panic!("{name:?} did not come in {secs} s: {:?}", self.shown())
                }
            }
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.held).into_owned()
    }
}
