//! Which part of a list is asked for.

/// A part of a list: every list is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most entries wanted.
    pub limit: u32,
    /// Entries to pass over.
    pub offset: u32,
}

/// Most entries in one answer.
pub const MAX_LIMIT: u32 = 1000;

impl Page {
    /// A part within the limit; 0 entries stands for as many as may be.
    #[must_use]
    pub fn new(limit: u32, offset: u32) -> Self {
        let limit = if limit == 0 { MAX_LIMIT } else { limit.min(MAX_LIMIT) };
        Self { limit, offset }
    }

    pub(super) fn pair(self) -> (u32, u32) {
        (self.limit, self.offset)
    }
}

/// How many there are in all, where a part of a list shows it by not being full.
pub(super) fn total(found: usize, limit: i64, offset: i64) -> Option<i64> {
    let found = i64::try_from(found).ok()?;
    let is_end = found < limit && (found > 0 || offset == 0);
    is_end.then(|| offset.saturating_add(found))
}

impl Default for Page {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_last_part_of_a_list_tells_how_many_there_are() {
        assert_eq!(total(3, 10, 0), Some(3));
        assert_eq!(total(3, 10, 20), Some(23));
        assert_eq!(total(0, 10, 0), Some(0));
        // Nothing after an offset may be far beyond the end.
        assert_eq!(total(0, 10, 20), None);
        assert_eq!(total(10, 10, 0), None);
    }
}
