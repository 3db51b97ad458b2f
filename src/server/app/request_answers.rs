//! Programs that answer requests for people: each signs what it sends with the secret by which it knows
//! what it is told.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::request_decisions::{Decision, decide_as};
use super::request_hooks::sealed_at;
use super::request_rights::absent;
use super::request_views::load;
use super::rotation_webhook::{Delivery, is_signed};
use super::{Actor, App, Error, Result};
use crate::model::id::RequestId;
use crate::model::request::{RequestState, Verdict};
use crate::model::verb::Verb;
use crate::server::db::{request_hooks as rows, requests, users, workspaces};

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
    /// does not fit, or there is no such request, or none that programs answer. It counts as much as that
    /// person's own, as long as they may answer; said again, it changes nothing.
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
                Ok::<_, Error>(hook.map(|(_, sealed)| (place.to_string(), sealed)))
            })
            .await?;
        let Some((row, sealed)) = known else { return Ok(None) };
        let secret = Zeroizing::new(self.seal.open(sealed_at(&row), &sealed)?);
        if !is_signed(&secret, &delivery) {
            return Ok(None);
        }
        let said: Said =
            serde_json::from_slice(&delivery.body).map_err(|e| Error::invalid("body", e))?;
        if said.request != id {
            return Err(Error::invalid("body", "is signed for another request"));
        }
        self.db
            .write(move |tx| {
                let user = users::find_by_email(tx, &said.email)?;
                let none = || Error::invalid("body", format!("nobody here has {}", said.email));
                let user = user.filter(|user| user.status.may_act()).ok_or_else(none)?;
                let request = load(tx, id)?;
                if request.verbs.contains(Verb::Share) || request.verbs.contains(Verb::Delete) {
                    return Err(Error::denied("what shares or deletes is answered by people here"));
                }
                let decision =
                    Decision { verdict: said.verdict, note: said.note.clone(), lasts: None };
                let by = (user.id, absent(tx));
                decide_as(tx, &Actor::System, by, (&request, &decision))?;
                Ok(Some(load(tx, id)?.state))
            })
            .await
    }
}
