//! How large a request may be.

/// Bodies of most routes: forms and JSON.
pub const BODY: usize = 1 << 20;
/// What another program tells: who is on call.
pub const WEBHOOK: usize = 64 << 10;
/// Uploads: an archive of 100 MiB with room for the envelope of a form.
pub const UPLOAD: usize = 101 << 20;
