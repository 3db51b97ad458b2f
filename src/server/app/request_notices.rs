//! Sending what programs are told of requests: to each in the order of what happened, signed with the secret
//! that is shared with it, and later where it does not take what comes first.

use std::time::Duration;

use ring::hmac;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::request_hooks::{address, secret_at};
use super::{App, Error, Result};
use crate::model::id::OrganizationId;
use crate::server::db::request_hooks::{self as rows, Kept, Notice};
use crate::server::db::seal::Seal;

/// How often a notice is tried before it is given up: over about four hours.
const MAX_TRIES: u32 = 8;
/// How long after the first failure a program is tried again; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_mins(1);

/// A notice as it is sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its number.
    pub seq: i64,
    /// Where to.
    pub url: Url,
    /// It may lie in a private network: an owner of the site has named it.
    pub is_trusted: bool,
    /// `v1=` and the HMAC-SHA256 of the body in hexadecimal.
    pub signature: String,
    /// What is told, as JSON.
    pub body: String,
}

impl App {
    /// Organizations whose program is to be told something now, at most so many, the one that has waited
    /// longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_notices(&self, most: usize) -> Result<Vec<OrganizationId>> {
        self.db.read(move |tx| Ok(rows::due(tx, most)?)).await
    }

    /// What a program is to be told next; none when there is nothing, or it cannot be sent: that is put off
    /// as what was not taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_notice(&self, to: OrganizationId) -> Result<Option<Outgoing>> {
        let (seal, base) = (self.seal.clone(), self.policy.access_url.clone());
        let next = self
            .db
            .read(move |tx| {
                let Some(notice) = rows::next(tx, to)? else { return Ok(None) };
                let kept = rows::find(tx, to)?;
                Ok::<_, Error>(kept.map(|kept| outgoing(&seal, &base, (&notice, &kept))))
            })
            .await?;
        match next {
            Some(Ok(notice)) => Ok(Some(notice)),
            Some(Err(error)) => {
                tracing::error!(%error, organization.id = %to, "a notice cannot be sent");
                self.notice_failed(to).await?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Writes that a notice was taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notice_taken(&self, seq: i64) -> Result<()> {
        self.db.write(move |tx| Ok(rows::done(tx, seq)?)).await
    }

    /// Writes that a program did not take what comes first: all that waits for it is put off, longer each
    /// time, and given up at last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notice_failed(&self, to: OrganizationId) -> Result<()> {
        self.db
            .write(move |tx| {
                let Some(first) = rows::next(tx, to)? else { return Ok(()) };
                let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(first.tries));
                let given_up = rows::put_off(tx, to, (tx.now.plus(wait), MAX_TRIES))?;
                if given_up > 0 {
                    tracing::warn!(organization.id = %to, n = given_up, "notices were given up");
                }
                Ok(())
            })
            .await
    }
}

/// A notice, signed as the program knows it.
fn outgoing(seal: &Seal, base: &str, (notice, kept): (&Notice, &Kept)) -> Result<Outgoing> {
    let row = notice.organization.to_string();
    let secret = Zeroizing::new(seal.open(secret_at(&row), &kept.secret)?);
    let url = address(seal, notice.organization, kept)?;
    let body = completed(&notice.body, base);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let signature = format!("v1={}", hex::encode(hmac::sign(&key, body.as_bytes())));
    Ok(Outgoing { seq: notice.seq, url, is_trusted: kept.is_trusted, signature, body })
}

/// A notice with where people find what it tells of.
fn completed(body: &str, base: &str) -> String {
    let Ok(Value::Object(mut all)) = serde_json::from_str(body) else { return body.to_owned() };
    if let Some(Value::String(path)) = all.remove("path") {
        all.insert("url".to_owned(), Value::String(format!("{base}{path}")));
    }
    Value::Object(all).to_string()
}
