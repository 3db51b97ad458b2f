//! Blocks of recordings: packed to be written, and unpacked to be shown.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::Error;
use crate::model::recording::events::{self, Event, Picture};
use crate::model::recording::{Block, Hash, chained};
use crate::server::db::{self, recording_blocks};

/// The most that a block may unpack to: a picture of the largest terminal and the events of a block.
const MAX_PLAIN: u64 = 64 << 20;

/// Packs what [`events`] made into a block behind the one with the hash `before`.
#[must_use]
pub fn pack(before: &Hash, number: i64, (began_ms, ended_ms): (i64, i64), plain: &[u8]) -> Block {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(plain);
    let data = encoder.finish().unwrap_or_default();
    let hash = chained(before, number, (began_ms, ended_ms), &data);
    Block { number, began_ms, ended_ms, hash, data }
}

/// Whether the database refused what was to be written, as it will each time.
#[must_use]
pub fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Internal(why)
        if why.downcast_ref::<db::Error>().is_some_and(recording_blocks::is_refusal))
}

/// What a block holds.
///
/// # Errors
/// When it is none.
pub fn unpack(block: &Block) -> Result<(Picture, Vec<Event>), Error> {
    let mut plain = Vec::new();
    let mut decoder = DeflateDecoder::new(block.data.as_slice()).take(MAX_PLAIN);
    decoder.read_to_end(&mut plain).map_err(|e| Error::Internal(e.into()))?;
    events::read(plain, block.began_ms).map_err(|e| Error::Internal(e.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recording::events::What;

    #[test]
    fn a_block_is_packed_and_read_again() {
        let picture = Picture { size: (80, 24), drawn: vec![b'x'; 5000] };
        let mut plain = events::begin(&picture);
        let what = What::Output(vec![b'y'; 100_000].into());
        events::put(&mut plain, 3, &what);
        let block = pack(&[0; 32], 4, (1000, 1003), &plain);
        assert!(block.data.len() < 2000, "{}", block.data.len());
        let (again, events) = unpack(&block).unwrap();
        assert_eq!((again, events), (picture, vec![Event { at_ms: 1003, what }]));
        let cut = Block { data: block.data[..100].to_vec(), ..block };
        assert!(unpack(&cut).is_err());
    }
}
