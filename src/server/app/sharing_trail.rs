//! Sharing in the words of the audit log.

use super::sharing::name_of;
use super::{Actor, Result, access, trail, workspaces as cases};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::grant::{Grant, Recipient, Via};
use crate::model::id::WorkspaceId;
use crate::server::db::{ReadTx, WriteTx, grants};

/// Bytes of each list in an entry of the log, whose four lists have 64 KiB.
const MAX_SAID: usize = 12 << 10;

/// The grants on a workspace in the words of the audit log: those to users, and those to groups.
pub(super) type Words = (Vec<String>, Vec<String>);

pub(super) fn words(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<Words> {
    let (mut of_users, mut of_groups) = Words::default();
    for grant in grants::list(tx, id)? {
        let name = name_of(tx, grant.to)?;
        let text = format!("{name}: {}", said_of(&grant));
        match grant.to {
            Recipient::User(_) => of_users.push(text),
            Recipient::Group(_) | Recipient::Rotation(_) | Recipient::Everyone => {
                of_groups.push(text);
            }
        }
    }
    Ok((of_users, of_groups))
}

/// What is in one list and not in the other, and the other way around: the log says what changed, and of
/// much that it is much.
fn differ(before: &[String], after: &[String]) -> (Vec<String>, Vec<String>) {
    let without = |all: &[String], others: &[String]| {
        let mut others: Vec<&String> = others.iter().collect();
        let mut left = vec![];
        for one in all {
            match others.iter().position(|other| *other == one) {
                Some(place) => drop(others.swap_remove(place)),
                None => left.push(one.clone()),
            }
        }
        shortened(left)
    };
    (without(before, after), without(after, before))
}

/// The first of many lines, and how many more there are.
pub(super) fn shortened(mut lines: Vec<String>) -> Vec<String> {
    let mut said = 0;
    let fits = |line: &&String| {
        said += line.len();
        said <= MAX_SAID
    };
    let n = lines.iter().take_while(fits).count();
    if n < lines.len() {
        let more = lines.len() - n;
        lines.truncate(n);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// What a grant gives and when, in one line.
pub(super) fn said_of(grant: &Grant) -> String {
    let limits = &grant.limits;
    let mut text = grant.verbs.preset().map_or(grant.verbs.to_string(), |p| p.to_string());
    if limits.from > grant.granted_at {
        text.push_str(&format!(" from {}", limits.from.rfc3339()));
    }
    if let Some(until) = limits.until {
        text.push_str(&format!(" until {}", until.rfc3339()));
    }
    let networks: Vec<String> = limits.networks.iter().map(ToString::to_string).collect();
    for more in [limits.hours.clone(), networks.join(" ")] {
        if !more.is_empty() {
            text.push_str(&format!(", {more}"));
        }
    }
    for (is_so, word) in [(limits.needs_mfa, "second factor"), (limits.is_recorded, "recorded")] {
        if is_so {
            text.push_str(&format!(", {word}"));
        }
    }
    if grant.via == Via::Code {
        text.push_str(", by a share code");
    }
    text
}

/// Records what became of the grants on a workspace, and lets what stands on them be looked at.
pub(super) fn record(
    tx: &WriteTx<'_>,
    actor: &Actor,
    id: WorkspaceId,
    before: &Words,
) -> Result<()> {
    let after = words(tx, id)?;
    let (old_users, users) = differ(&before.0, &after.0);
    let (old_groups, groups) = differ(&before.1, &after.1);
    let diff =
        Diff::new().field("user_acl", &old_users, &users).field("group_acl", &old_groups, &groups);
    if diff.is_empty() {
        return Ok(());
    }
    let workspace = cases::load(tx, id)?;
    let target = AuditTarget::Workspace;
    let entry = trail::entry(AuditAction::Write, target, id.0, workspace.name.as_str());
    access::record(tx, actor, &trail::with(entry, &diff))?;
    tx.emit(Event::Workspace(id));
    tx.emit(Event::Grants);
    Ok(())
}
