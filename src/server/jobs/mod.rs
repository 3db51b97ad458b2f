//! One pass each, on a schedule.
