//! A token that someone found: whoever shows it whole has it, and may end it.

use std::net::IpAddr;
use std::sync::Arc;

use super::{App, Request, Result, trail};
use crate::model::audit::{
    AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditSource, AuditTarget, Diff,
};
use crate::model::event::Event;
use crate::model::secret::Token;
use crate::server::db::{WriteTx, audit, invitations, tokens};

impl App {
    /// Ends a token that was found, or an invitation. Whether there was one: nobody is told whose.
    ///
    /// # Errors
    /// [`super::Error::Conflict`] when too many that were none came from this network.
    pub async fn end_leaked(
        &self,
        text: &str,
        (ip, request): (IpAddr, Arc<Request>),
    ) -> Result<bool> {
        self.require_no_wait(ip).await?;
        let known = match Token::parse(text.trim()) {
            Some(token) => {
                let source = AuditSource {
                    ip: ip.to_string(),
                    ..trail::asked(AuditActor::Nobody, Some(&request))
                };
                self.db.write(move |tx| end(tx, &token, &source)).await?
            }
            None => false,
        };
        if !known {
            self.count_guess(ip).await?;
        }
        Ok(known)
    }
}

fn end(tx: &WriteTx<'_>, token: &Token, source: &AuditSource) -> Result<bool> {
    let told = Diff::new().field("leaked", false, true);
    let write = |entry: AuditEntry| {
        audit::insert(tx, source, &trail::with(entry, &told), &AuditOutcome::done())
    };
    let action = AuditAction::Delete;
    if let Some(found) = tokens::present(tx, token.public_id())?
        && found.hash.matches(token)
    {
        let name = format!("{} of {}", token.public_id(), found.user.username);
        tokens::delete(tx, found.id)?;
        write(trail::entry(action, AuditTarget::ApiKey, found.id.0, &name))?;
        tx.emit(Event::User(found.user.id));
        tx.emit(Event::Grants);
        return Ok(true);
    }
    if let Some((hash, invitation)) = invitations::present(tx, token.public_id())?
        && hash.matches(token)
    {
        invitations::delete(tx, invitation.id)?;
        let name = invitation.made_by.username.as_str();
        write(trail::entry(action, AuditTarget::Invitation, invitation.id.0, name))?;
        return Ok(true);
    }
    Ok(false)
}
