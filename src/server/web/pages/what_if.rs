//! What a form would change, as a page before it is done.

use axum::response::{IntoResponse as _, Response};

use super::{Html, Visitor};
use crate::model::what_if::Outlook;
use crate::server::html::layout::{Csrf, Section};
use crate::server::html::pages::what_if::{LOOK, WhatIf};
use crate::server::web::form::Fields;

/// Where a look ahead was asked for.
pub(super) struct Asked {
    /// The part of the site that it belongs to.
    pub(super) section: Section,
    /// What would be changed, in a sentence.
    pub(super) said: String,
    /// The page of the thing, by its name.
    pub(super) back: (String, String),
    /// Where the form goes that makes the change.
    pub(super) action: String,
}

/// Whether someone wants to look before a form does what it does.
pub(super) fn is_look(fields: &Fields) -> bool {
    fields.get(LOOK).is_some()
}

/// The page, which sends the same form again.
pub(super) fn page(
    visitor: Visitor,
    asked: Asked,
    (fields, outlook): (Fields, Outlook),
) -> Response {
    let Asked { section, said, back, action } = asked;
    let mut fields = fields.0;
    fields.retain(|(name, _)| name != LOOK && name != Csrf::FIELD);
    let visit = visitor.visit;
    Html::of(&WhatIf { visit, section, said, back, action, fields, outlook }).into_response()
}
