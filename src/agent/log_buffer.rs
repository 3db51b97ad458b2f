//! Log lines until the server has stored them, as a pure queue: bounded, in order, one batch on its way.

use std::collections::VecDeque;

use crate::model::log::{LogLevel, MAX_AGENT_LOG_BYTES};
use crate::wire::agent::{AgentLine, FromAgent, OWN_LOG_SOURCE};

/// Most bytes kept while the server is away: as much as it would keep of them.
const MAX_WAITING_BYTES: usize = MAX_AGENT_LOG_BYTES;
/// Most bytes of text in a batch. Text that JSON escapes grows sixfold, and has to fit a control message.
const MAX_BATCH_BYTES: usize = 128 << 10;
/// Most lines in a batch, as the server expects.
const MAX_BATCH_LINES: usize = 1000;
/// A batch without an answer for this long is sent again: the server may not have been able to store it.
const ANSWER_WITHIN_MS: i64 = 30_000;
/// What a line costs beside its text.
const LINE_OVERHEAD: usize = 64;

/// The lines. While one batch is on its way the next gathers, so that a flood is few messages.
#[derive(Debug, Default)]
pub struct LogBuffer {
    waiting: VecDeque<AgentLine>,
    bytes: usize,
    dropped: u64,
    last_seq: u64,
    on_its_way: Option<Batch>,
}

#[derive(Debug)]
struct Batch {
    seq: u64,
    lines: Vec<AgentLine>,
    /// When it was sent on this connection, in milliseconds since the epoch.
    sent_ms: Option<i64>,
}

impl LogBuffer {
    /// Takes a line; the oldest go when there are too many.
    pub fn push(&mut self, line: AgentLine) {
        self.bytes += cost(&line);
        self.waiting.push_back(line);
        while self.bytes > MAX_WAITING_BYTES {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.bytes -= cost(&oldest);
            self.dropped += 1;
        }
    }

    /// What to send now, if anything.
    pub fn next(&mut self, now_ms: i64) -> Option<FromAgent> {
        if self.on_its_way.is_none() && !(self.waiting.is_empty() && self.dropped == 0) {
            let lines = self.take_batch(now_ms);
            self.last_seq += 1;
            self.on_its_way = Some(Batch { seq: self.last_seq, lines, sent_ms: None });
        }
        let batch = self.on_its_way.as_mut()?;
        // The absolute value: a clock that was set back must not hold a batch for ever.
        if batch.sent_ms.is_some_and(|sent| now_ms.abs_diff(sent) < ANSWER_WITHIN_MS.unsigned_abs())
        {
            return None;
        }
        batch.sent_ms = Some(now_ms);
        Some(FromAgent::Logs { seq: batch.seq, lines: batch.lines.clone() })
    }

    /// The server stored everything up to this batch.
    pub fn stored(&mut self, seq: u64) {
        if self.on_its_way.as_ref().is_some_and(|b| b.seq <= seq) {
            self.on_its_way = None;
        }
    }

    /// A new connection: what was on its way is sent again.
    pub fn reconnected(&mut self) {
        if let Some(batch) = &mut self.on_its_way {
            batch.sent_ms = None;
        }
    }

    /// Whether everything was stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.on_its_way.is_none()
    }

    fn take_batch(&mut self, now_ms: i64) -> Vec<AgentLine> {
        let mut lines = vec![];
        if self.dropped > 0 {
            let output =
                format!("{} lines were dropped: more came than could be sent.", self.dropped);
            let at_ms = self.waiting.front().map_or(now_ms, |l| l.at_ms);
            lines.push(AgentLine { at_ms, level: LogLevel::Warn, source: OWN_LOG_SOURCE, output });
            self.dropped = 0;
        }
        let mut bytes = 0;
        while lines.len() < MAX_BATCH_LINES
            && let Some(line) = self.waiting.front()
            && (bytes == 0 || bytes + line.output.len() <= MAX_BATCH_BYTES)
            && let Some(line) = self.waiting.pop_front()
        {
            bytes += line.output.len();
            self.bytes -= cost(&line);
            lines.push(line);
        }
        lines
    }
}

fn cost(line: &AgentLine) -> usize {
    line.output.len() + LINE_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> AgentLine {
        let source = uuid::Uuid::from_u128(7).into();
        AgentLine { at_ms: 1, level: LogLevel::Info, source, output: text.to_owned() }
    }

    fn batch(buffer: &mut LogBuffer) -> Option<(u64, Vec<String>)> {
        let FromAgent::Logs { seq, lines } = buffer.next(5)? else { panic!("not a batch") };
        Some((seq, lines.into_iter().map(|l| l.output).collect()))
    }

    #[test]
    fn what_was_not_stored_is_sent_again_and_nothing_twice() {
        let mut buffer = LogBuffer::default();
        buffer.push(line("a"));
        assert_eq!(batch(&mut buffer), Some((1, vec!["a".into()])));
        buffer.push(line("b"));
        buffer.push(line("c"));
        assert_eq!(batch(&mut buffer), None, "one batch is on its way");
        buffer.reconnected();
        assert_eq!(batch(&mut buffer), Some((1, vec!["a".into()])));
        buffer.stored(1);
        assert_eq!(batch(&mut buffer), Some((2, vec!["b".into(), "c".into()])));
        buffer.stored(1);
        assert!(!buffer.is_empty());
        buffer.stored(2);
        assert!(buffer.is_empty());
        assert_eq!(batch(&mut buffer), None);
    }

    #[test]
    fn a_batch_without_an_answer_is_sent_again_after_a_while() {
        let mut buffer = LogBuffer::default();
        buffer.push(line("a"));
        assert!(buffer.next(0).is_some());
        assert!(buffer.next(ANSWER_WITHIN_MS - 1).is_none());
        assert!(buffer.next(ANSWER_WITHIN_MS).is_some());
        assert!(buffer.next(ANSWER_WITHIN_MS).is_none());
    }

    #[test]
    fn a_long_absence_drops_the_oldest_and_says_how_many() {
        let mut buffer = LogBuffer::default();
        let text = "x".repeat(LINE_OVERHEAD * 15);
        let fits = MAX_WAITING_BYTES / (text.len() + LINE_OVERHEAD);
        (0..fits + 3).for_each(|_| buffer.push(line(&text)));
        let (_, lines) = batch(&mut buffer).unwrap();
        assert_eq!(lines[0], "3 lines were dropped: more came than could be sent.");
        assert!(buffer.bytes <= MAX_WAITING_BYTES);
    }

    #[test]
    fn the_worst_batch_fits_a_control_message() {
        let mut buffer = LogBuffer::default();
        (0..2000).for_each(|_| buffer.push(line(&"\u{1}".repeat(500))));
        let message = buffer.next(0).unwrap();
        let json = serde_json::to_string(&message).unwrap();
        assert!(json.len() <= crate::wire::MAX_CONTROL_BYTES, "{}", json.len());
        let mut buffer = LogBuffer::default();
        (0..2000).for_each(|_| buffer.push(line("\u{1}")));
        let json = serde_json::to_string(&buffer.next(0).unwrap()).unwrap();
        assert!(json.len() <= crate::wire::MAX_CONTROL_BYTES, "{}", json.len());
    }

    proptest::proptest! {
        #[test]
        fn every_line_arrives_once_and_in_order(
            steps in proptest::collection::vec(0u8..4, 0..200)
        ) {
            let (mut buffer, mut pushed, mut stored, mut seen) = (LogBuffer::default(), 0, vec![], None);
            for step in steps {
                match step {
                    0 => {
                        buffer.push(line(&pushed.to_string()));
                        pushed += 1;
                    }
                    1 => seen = batch(&mut buffer).or(seen),
                    2 => buffer.reconnected(),
                    _ => if let Some((seq, lines)) = seen.take() {
                        stored.extend(lines);
                        buffer.stored(seq);
                    },
                }
                // The server keeps a batch's number: the same batch again is not stored again.
                if seen.as_ref().is_some_and(|(seq, _)| buffer.on_its_way.as_ref().is_none_or(|b| b.seq != *seq)) {
                    seen = None;
                }
            }
            let expected: Vec<_> = (0..stored.len()).map(|n| n.to_string()).collect();
            proptest::prop_assert_eq!(stored, expected);
        }
    }
}
