//! What passed recorded sessions beside the recordings: files, ports and sockets in words.

use maud::{Markup, html};

use crate::model::recording::transfers::{Transfer, TransferKind};
use crate::server::html::parts::quantity::{bytes, grouped};

/// What was done, and to what.
#[must_use]
pub fn what(one: &Transfer) -> Markup {
    let row = &one.row;
    let word = match row.kind {
        TransferKind::Download => "Read",
        TransferKind::Upload => "Wrote",
        TransferKind::Remove => "Removed",
        TransferKind::Rename => "Renamed",
        TransferKind::Port => "Port",
        TransferKind::Socket => "Socket",
        TransferKind::Listener => "Listened on",
        TransferKind::Rest => "More than is listed",
    };
    html! {
        (word) " "
        @if !row.name.is_empty() { code { (row.name) } }
        @if !row.to_name.is_empty() { " to " code { (row.to_name) } }
    }
}

/// How much, which way, and how often.
#[must_use]
pub fn moved(one: &Transfer) -> Markup {
    let row = &one.row;
    let is_counted = !matches!(row.kind, TransferKind::Remove | TransferKind::Rename);
    let is_often = matches!(row.kind, TransferKind::Rest) || row.n > 1;
    html! {
        @if is_counted {
            (bytes(row.bytes_out)) " out, " (bytes(row.bytes_in)) " in"
        } @else { "done" }
        @if is_often { ", " (grouped(row.n)) " times" }
        @if row.ended_at.is_none() { ", lasting" }
    }
}
