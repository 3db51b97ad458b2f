//! Programs that answer requests for people: each signs what it sends with the secret by which it knows
//! what it is told.

use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::request_decisions::{Decision, Voice, decide_as};
use super::request_hooks::secret_at;
use super::request_rights::{Asked, absent};
use super::request_views::load;
use super::rotation_webhook::{Delivery, is_signed};
use super::{Actor, App, Error, Program, Result};
use crate::model::id::{OrganizationId, RequestId, UserId};
use crate::model::request::{RequestState, Verdict};
use crate::model::verb::Verb;
use crate::server::db::request_hooks::{self as rows, Kept};
use crate::server::db::{ReadTx, WriteTx, requests, users, workspaces};

/// What a program sends. It names the request again, so that what was signed for one answers no other.
#[derive(Debug, Deserialize)]
struct Said {
    request: RequestId,
    /// Whose answer it is.
    email: String,
    verdict: Verdict,
    #[serde(default)]
    note: String,
}

impl App {
    /// Hears the answer of someone from a program that their organization named; none when its signature
    /// does not fit, or there is no such request, or none that programs answer. It counts as that person's
    /// own, as long as they may answer, and who set the program could have answered as much themselves; all
    /// that it brings counts as one answer.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what cannot be read, [`Error::Denied`] for who may not answer, and for what
    /// takes more than anyone's word, [`Error::Conflict`] for a request that is decided.
    pub async fn hear_answer(
        &self,
        id: RequestId,
        delivery: Delivery,
    ) -> Result<Option<RequestState>> {
        let known = self
            .db
            .read(move |tx| {
                let request = requests::find(tx, id)?;
                let workspace = request.and_then(|request| request.workspace_id);
                let place =
                    workspace.map(|id| workspaces::belonging(tx, id)).transpose()?.flatten();
                let Some((_, place)) = place else { return Ok(None) };
                let hook = rows::find(tx, place)?;
                Ok::<_, Error>(hook.map(|kept| (place, kept.secret)))
            })
            .await?;
        let Some((place, sealed)) = known else { return Ok(None) };
        let secret = Zeroizing::new(self.seal.open(secret_at(&place.to_string()), &sealed)?);
        if !is_signed(&secret, &delivery) {
            return Ok(None);
        }
        let said: Said =
            serde_json::from_slice(&delivery.body).map_err(|e| Error::invalid("body", e))?;
        if said.request != id {
            return Err(Error::invalid("body", "is signed for another request"));
        }
        let actor = Actor::Program(Arc::new(Program {
            ip: delivery.ip.to_string(),
            request: delivery.request.clone(),
        }));
        self.db
            .write(move |tx| {
                // Another secret may have been set meanwhile, or another program.
                let hook = rows::find(tx, place)?.filter(|now| now.secret == sealed);
                let Some(hook) = hook else { return Ok(None) };
                take(tx, &actor, (&hook, place), &said)
            })
            .await
    }
}

/// Takes what a program said that is the one of `place` now; none when the workspace is elsewhere since.
fn take(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (hook, place): (&Kept, OrganizationId),
    said: &Said,
) -> Result<Option<RequestState>> {
    let request = load(tx, said.request)?;
    let asked = Asked::of(tx, &request)?.filter(|asked| asked.organization == place);
    let Some(asked) = asked else { return Ok(None) };
    if request.verbs.contains(Verb::Share) || request.verbs.contains(Verb::Delete) {
        return Err(Error::denied("what shares or deletes is answered by people here"));
    }
    let user = speaker(tx, &asked, (hook, &said.email))?;
    let decision = Decision { verdict: said.verdict, note: said.note.clone(), lasts: None };
    let voice = Voice { user, context: absent(tx), hook_by: Some(hook.set_by) };
    decide_as(tx, actor, voice, (&request, &decision))?;
    Ok(Some(load(tx, said.request)?.state))
}

/// Whom a program speaks for, if it may. What is refused does not tell who is here.
fn speaker(tx: &ReadTx<'_>, asked: &Asked<'_>, (hook, email): (&Kept, &str)) -> Result<UserId> {
    if !asked.hears(tx, hook.set_by)? {
        let why = "who set this program may not answer the request, and so it brings no answers";
        return Err(Error::denied(why));
    }
    let none = || Error::denied("nobody with that address may answer the request");
    let user = users::find_by_email(tx, email)?.ok_or_else(none)?.id;
    let right = asked.right_of(tx, user, &absent(tx))?;
    right.map(|_| user).ok_or_else(none)
}
