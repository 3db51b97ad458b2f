//! Recordings, the commands in them and what passed beside them, as the API has them.

use crate::model::recording::transfers::Transfer;
use crate::model::recording::{RanCommand, Recording};
use crate::server::app::recording_search::Found;
use crate::wire::recordings as wire;

/// A recording.
#[must_use]
pub fn shown(one: Recording) -> wire::Recording {
    wire::Recording {
        id: one.id.0,
        session_id: one.session.0,
        user_id: one.user.id.0,
        username: one.user.username.to_string(),
        workspace_id: one.workspace_id.0,
        workspace_name: one.workspace_name,
        workspace_owner_name: one.owner.username.to_string(),
        agent_name: one.agent_name,
        kind: one.kind.to_string(),
        command: one.command,
        cols: one.size.0,
        rows: one.size.1,
        began_at: one.began_at.into(),
        ended_at: one.ended_at.map(Into::into),
        status: one.status.to_string(),
        reason: one.reason.to_string(),
        has_input: one.has_input,
        length_ms: one.extent.length_ms,
        bytes: one.extent.bytes,
        stored_bytes: one.extent.stored_bytes,
        lost_bytes: one.extent.lost_bytes,
        command_count: one.extent.n_commands,
        exit_code: one.exit_code,
        hash: hex::encode(one.hash),
    }
}

/// A command.
#[must_use]
pub fn command(one: RanCommand) -> wire::Command {
    wire::Command {
        recording_id: one.recording.0,
        number: one.number,
        user_id: one.user.id.0,
        username: one.user.username.to_string(),
        workspace_id: one.workspace_id.0,
        workspace_name: one.workspace_name,
        workspace_owner_name: one.owner.username.to_string(),
        command: one.text,
        directory: one.directory,
        began_at: one.began_at.into(),
        at_ms: one.at_ms,
        length_ms: one.length_ms,
        exit_code: one.exit_code,
    }
}

/// What passed.
#[must_use]
pub fn transfer(one: Transfer) -> wire::Transfer {
    wire::Transfer {
        session_id: one.session.0,
        number: one.row.number,
        user_id: one.user.id.0,
        username: one.user.username.to_string(),
        workspace_id: one.workspace_id.0,
        workspace_name: one.workspace_name,
        workspace_owner_name: one.owner.username.to_string(),
        kind: one.row.kind.to_string(),
        name: one.row.name,
        to_name: one.row.to_name,
        count: one.row.n,
        bytes_out: one.row.bytes_out,
        bytes_in: one.row.bytes_in,
        began_at: one.row.began_at.into(),
        ended_at: one.row.ended_at.map(Into::into),
    }
}

/// Where a text is.
#[must_use]
pub fn found(found: Found) -> wire::Found {
    let places = found.places.into_iter();
    wire::Found {
        places: places.map(|p| wire::Place { at_ms: p.at_ms, line: p.line }).collect(),
        next_ms: found.next_ms,
    }
}
