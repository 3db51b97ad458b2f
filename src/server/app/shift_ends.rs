//! Whoever was let in at once for being on call is out when they no longer are: when the plan changes, what
//! they have ends with the shift that they have then.

use super::sharing_trail::{record, words};
use super::{Actor, Result};
use crate::model::grant::{EndedWhy, Recipient};
use crate::model::id::{RotationId, UserId};
use crate::model::time::Timestamp;
use crate::server::db::{ReadTx, WriteTx, grants, shifts};

/// Shifts of one person, each beginning with the end of the one before, that are looked at as one: the
/// longest access spans as many days.
const MAX_IN_A_ROW: usize = 32;

/// Ends what was given at once for a shift of this rotation that is another's now, and shortens what outlasts
/// it.
///
/// # Errors
/// When the database fails.
pub(super) fn follow(tx: &WriteTx<'_>, rotation: RotationId) -> Result<()> {
    for grant in grants::of_shifts(tx, rotation)? {
        let Recipient::User(user) = grant.to else { continue };
        let until = until(tx, rotation, (user, grant.limits.from.max(tx.now)))?;
        if until.is_some_and(|until| grant.limits.until.is_some_and(|end| end <= until)) {
            continue;
        }
        let before = words(tx, grant.workspace_id)?;
        match until {
            Some(until) => grants::shorten(tx, grant.id, until)?,
            None => grants::end(tx, grant.id, None, EndedWhy::Shift)?,
        }
        record(tx, &Actor::System, grant.workspace_id, &before)?;
    }
    Ok(())
}

/// Until when someone is on call without a break who is at a time; none for who is not.
fn until(
    tx: &ReadTx<'_>,
    rotation: RotationId,
    (user, at): (UserId, Timestamp),
) -> Result<Option<Timestamp>> {
    let mut until = None;
    for _ in 0..MAX_IN_A_ROW {
        let next = shifts::at(tx, rotation, until.unwrap_or(at))?;
        match next.filter(|shift| shift.user == user) {
            Some(shift) => until = Some(shift.until_at),
            None => break,
        }
    }
    Ok(until)
}
