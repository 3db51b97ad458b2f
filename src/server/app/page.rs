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

impl Default for Page {
    fn default() -> Self {
        Self::new(0, 0)
    }
}
