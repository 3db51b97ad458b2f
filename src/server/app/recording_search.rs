//! A text within one recording: its blocks are read a few at a time, for a bounded time.

use std::time::Duration;

use super::recording_blocks::unpack;
use super::recording_views::find;
use super::{Actor, App, Error, Result};
use crate::model::id::RecordingId;
use crate::model::recording::events::What;
use crate::model::recording::plain::{Place, Search};
use crate::model::recording::{Block, MAX_SEARCH};
use crate::server::db::recording_blocks;

/// Places that one answer names at most.
const MAX_PLACES: usize = 100;
/// Blocks that one step reads.
const STEP: u32 = 4;
/// How long one answer looks. A night's recording takes several.
const WITHIN: Duration = Duration::from_secs(2);
/// Blocks that one answer looks at: 64 MB of what passed, whatever the clock says.
const MAX_BLOCKS: u32 = 256;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The text, whatever its case.
    pub text: String,
    /// From here on, in milliseconds.
    pub from_ms: i64,
    /// At most so many places; 0 for as many as may be.
    pub most: usize,
}

/// Where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The places, first things first.
    pub places: Vec<Place>,
    /// Where to look on; none when all was looked at.
    pub next_ms: Option<i64>,
}

impl App {
    /// Looks for a text in what a recording shows, and tells that in the audit log.
    ///
    /// # Errors
    /// As [`App::recording`], [`Error::Invalid`] for a text that is too short or too long, and when a
    /// block cannot be read.
    pub async fn search_recording(
        &self,
        actor: &Actor,
        id: RecordingId,
        wanted: Wanted,
    ) -> Result<Found> {
        self.recording(actor, id).await?;
        let n_chars = wanted.text.chars().count();
        if !(2..=MAX_SEARCH).contains(&n_chars) {
            return Err(Error::invalid("q", format!("wants 2 to {MAX_SEARCH} characters")));
        }
        self.look(actor, id).await?;
        let from_ms = wanted.from_ms;
        let first = self.db.read(move |tx| recording_blocks::at(tx, id, from_ms)).await?;
        let most = if wanted.most == 0 { MAX_PLACES } else { wanted.most.min(MAX_PLACES) };
        let mut looking = Looking {
            search: Search::new(&wanted.text),
            next: first.unwrap_or_default(),
            from_ms,
            most,
            found: Found::default(),
        };
        let (began, mut n_blocks) = (self.clock.instant(), 0);
        loop {
            let actor = actor.clone();
            let next = looking.next;
            let blocks = self
                .db
                .read_large(move |tx| -> Result<_> {
                    find(tx, &actor, id)?;
                    Ok(recording_blocks::list(tx, id, next, STEP + 1)?)
                })
                .await?;
            // Not where one of the few connections is held meanwhile.
            let looked = tokio::task::spawn_blocking(move || {
                let is_over = looking.through(&blocks)?;
                Result::Ok((looking, is_over))
            });
            let is_over;
            (looking, is_over) = looked.await.map_err(|e| Error::Internal(e.into()))??;
            n_blocks += STEP;
            let is_late = self.clock.instant().saturating_duration_since(began) >= WITHIN;
            if is_over || is_late || n_blocks >= MAX_BLOCKS {
                return Ok(looking.found);
            }
        }
    }
}

/// A search under way.
struct Looking {
    search: Search,
    /// The number of the next block.
    next: i64,
    from_ms: i64,
    most: usize,
    found: Found,
}

impl Looking {
    /// Looks through all of these blocks but the last, which says where to look on. Whether it is over.
    fn through(&mut self, blocks: &[Block]) -> Result<bool> {
        let (now, later) = blocks.split_at(blocks.len().min(STEP as usize));
        for block in now {
            if self.found.places.len() >= self.most {
                self.found.next_ms = Some(block.began_ms);
                return Ok(true);
            }
            let (_, events) = unpack(block)?;
            for event in events {
                if let What::Output(bytes) = event.what {
                    let (from_ms, places) = (self.from_ms, &mut self.found.places);
                    self.search.feed(&bytes, event.at_ms, |place| keep(places, from_ms, place));
                }
            }
            self.next = block.number + 1;
        }
        self.found.next_ms = later.first().map(|block| block.began_ms);
        if later.is_empty() {
            let (from_ms, places) = (self.from_ms, &mut self.found.places);
            self.search.end(|place| keep(places, from_ms, place));
        }
        // What these blocks have beyond the limit is looked at again, but for what one moment has: a
        // search goes on in any case.
        if let [.., last, beyond] = self.found.places.get(..=self.most).unwrap_or_default() {
            self.found.next_ms = Some(beyond.at_ms.max(last.at_ms + 1));
            self.found.places.truncate(self.most);
            return Ok(true);
        }
        Ok(later.is_empty())
    }
}

/// Keeps a place, if it is one that was asked for. One more than an answer names is known of.
fn keep(places: &mut Vec<Place>, from_ms: i64, place: Place) {
    if place.at_ms >= from_ms && places.len() <= MAX_PLACES {
        places.push(place);
    }
}
