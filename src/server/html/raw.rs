//! The only text that goes into a page without being escaped.

#[expect(clippy::disallowed_types, reason = "this file holds the exceptions")]
use maud::PreEscaped;

/// The document type, which has no user's text in it.
#[expect(clippy::disallowed_types, reason = "this file holds the exceptions")]
pub(super) const DOCTYPE: PreEscaped<&'static str> = PreEscaped("<!doctype html>");
