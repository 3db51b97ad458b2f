//! Whole pages, one struct each.
