//! asciicast v3: a recording as lines of JSON that players read. It holds text, so that what is no
//! UTF-8 is shown as a terminal would: the blocks keep the bytes.

use super::Recording;
use super::events::{Event, Picture, What};

/// The type of such a file.
pub const CONTENT_TYPE: &str = "application/x-asciicast";

/// The longest beginning of a character that waits for its end.
const MAX_CARRIED: usize = 3;

/// Writes the lines of one recording, or of a part of it.
#[derive(Clone, Debug)]
pub struct Cast {
    /// A process without a terminal ends its lines with a line feed alone.
    is_plain: bool,
    last_ms: i64,
    carried: Vec<u8>,
    carried_input: Vec<u8>,
}

impl Cast {
    /// Begins with the header and, for a part that begins at `from_ms`, the picture of the screen.
    #[must_use]
    pub fn begin(recording: &Recording, picture: &Picture, from_ms: i64) -> (Self, String) {
        let is_plain = recording.size == (0, 0);
        let (cols, rows) = if is_plain { (80, 24) } else { picture.size };
        let mut header = serde_json::json!({
            "version": 3,
            "term": { "cols": cols, "rows": rows },
            "timestamp": recording.began_at.0.saturating_add(from_ms / 1000),
            "title": format!("{} in {}", recording.user.username, recording.workspace_name),
        });
        if !recording.command.is_empty()
            && let Some(fields) = header.as_object_mut()
        {
            fields.insert("command".to_owned(), recording.command.clone().into());
        }
        let this =
            Self { is_plain, last_ms: from_ms, carried: Vec::new(), carried_input: Vec::new() };
        let mut out = format!("{header}\n");
        if !picture.drawn.is_empty() {
            line(&mut out, 0, 'o', &String::from_utf8_lossy(&picture.drawn));
        }
        (this, out)
    }

    /// Adds an event. One that is earlier than the one before is put at the same time.
    pub fn put(&mut self, out: &mut String, event: &Event) {
        let since = event.at_ms.saturating_sub(self.last_ms).max(0);
        let (code, text) = match &event.what {
            What::Output(bytes) => ('o', self.output(bytes)),
            What::Input(bytes) => ('i', whole(&mut self.carried_input, bytes)),
            What::Resize { cols, rows } => ('r', format!("{cols}x{rows}")),
            What::Marker(text) => ('m', text.clone()),
            What::Exit(code) => ('x', code.to_string()),
        };
        if text.is_empty() && matches!(event.what, What::Output(_) | What::Input(_)) {
            return;
        }
        self.last_ms += since;
        line(out, since, code, &text);
    }

    fn output(&mut self, bytes: &[u8]) -> String {
        let text = whole(&mut self.carried, bytes);
        if self.is_plain { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text }
    }
}

fn line(out: &mut String, since_ms: i64, code: char, text: &str) {
    use std::fmt::Write as _;
    let text = serde_json::Value::from(text);
    let _ = writeln!(out, "[{}.{:03},\"{code}\",{text}]", since_ms / 1000, since_ms % 1000);
}

/// The text of bytes, without the beginning of a character whose end is still to come.
fn whole(carried: &mut Vec<u8>, bytes: &[u8]) -> String {
    let mut all = std::mem::take(carried);
    all.extend_from_slice(bytes);
    let mut text = String::with_capacity(all.len());
    let mut chunks = all.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        let rest = chunk.invalid();
        if chunks.peek().is_none() && is_beginning(rest) {
            rest.clone_into(carried);
        } else if !rest.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// Whether more bytes may make a character of these.
fn is_beginning(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_CARRIED && std::str::from_utf8(bytes).is_err_and(|e| e.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::model::id::{RecordingId, SessionId, UserId, WorkspaceId};
    use crate::model::recording::{Extent, RecordingKind, RecordingReason, RecordingStatus};
    use crate::model::time::Timestamp;
    use crate::model::user::UserRef;

    fn recording(size: (u16, u16)) -> Recording {
        let nil = uuid::Uuid::nil();
        let ada = UserRef { id: UserId(nil), username: "ada".parse().unwrap() };
        Recording {
            id: RecordingId(nil),
            session: SessionId(nil),
            user: ada.clone(),
            workspace_id: WorkspaceId(nil),
            workspace_name: "kiln".to_owned(),
            owner: ada,
            agent_name: "main".to_owned(),
            kind: RecordingKind::Shell,
            command: String::new(),
            size,
            began_at: Timestamp(1_795_000_000),
            ended_at: None,
            status: RecordingStatus::Running,
            reason: RecordingReason::Policy,
            has_input: false,
            extent: Extent::default(),
            exit_code: None,
            hash: [0; 32],
        }
    }

    fn output(at_ms: i64, bytes: &[u8]) -> Event {
        Event { at_ms, what: What::Output(Bytes::copy_from_slice(bytes)) }
    }

    #[test]
    fn a_part_is_a_file_of_its_own() {
        let picture = Picture { size: (100, 30), drawn: b"\x1b[H$ ".to_vec() };
        let (mut cast, mut out) = Cast::begin(&recording((80, 24)), &picture, 61_000);
        cast.put(&mut out, &output(61_250, b"ls\r\n\xe2\x82"));
        cast.put(&mut out, &output(61_251, b"\xac"));
        cast.put(&mut out, &Event { at_ms: 62_300, what: What::Resize { cols: 90, rows: 20 } });
        cast.put(&mut out, &Event { at_ms: 62_300, what: What::Exit(3) });
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].contains("\"version\":3"), "{out}");
        assert!(lines[0].contains("1795000061") && lines[0].contains("ada in kiln"), "{out}");
        assert_eq!(lines[1], "[0.000,\"o\",\"\\u001b[H$ \"]");
        assert_eq!(lines[2], "[0.250,\"o\",\"ls\\r\\n\"]");
        assert_eq!(lines[3], "[0.001,\"o\",\"€\"]");
        assert_eq!(lines[4], "[1.049,\"r\",\"90x20\"]");
        assert_eq!(lines[5], "[0.000,\"x\",\"3\"]");
    }

    #[test]
    fn lines_of_what_has_no_terminal_begin_at_the_left() {
        let (mut cast, mut out) = Cast::begin(&recording((0, 0)), &Picture::default(), 0);
        cast.put(&mut out, &output(1, b"a\nb\r\nc\xff"));
        assert!(out.ends_with("[0.001,\"o\",\"a\\r\\nb\\r\\nc\u{fffd}\"]\n"), "{out}");
    }

    proptest! {
        #[test]
        fn text_survives_any_cut(text in "\\PC{0,60}", cut in 1usize..7) {
            let (mut cast, _) = Cast::begin(&recording((80, 24)), &Picture::default(), 0);
            let mut out = String::new();
            for piece in text.as_bytes().chunks(cut) {
                cast.put(&mut out, &output(0, piece));
            }
            let read = |line: &str| -> (f64, String, String) { serde_json::from_str(line).unwrap() };
            let again: String = out.lines().map(|line| read(line).2).collect();
            prop_assert_eq!(again, text);
        }
    }
}
