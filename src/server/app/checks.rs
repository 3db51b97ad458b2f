//! What second factors are checked with, and what is asked of whom.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::Result;
use super::passkeys::{Answer, Purpose, Question};
use super::second_factor::{Asked, Proof};
use crate::model::factor::{FactorKind, Factors, RecoveryCode};
use crate::model::id::UserId;
use crate::model::secret::TokenHash;
use crate::model::time::Timestamp;
use crate::model::totp;
use crate::model::user::User;
use crate::model::webauthn::Rp;
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{
    ReadTx, WriteTx, passkeys, passwords, recovery_codes, totp_factors, users,
};

/// How long someone has for the second step.
const STEP_LASTS: Duration = Duration::from_mins(5);
/// The longest ticket that is read.
const MAX_TICKET: usize = 1024;

/// What was found out about what someone gave.
pub(super) enum Verdict {
    /// It is theirs.
    Right(FactorKind),
    /// It is not, and why.
    Wrong(String),
}

/// What second factors are checked with.
#[derive(Clone)]
pub(super) struct Checks {
    pub(super) seal: Seal,
    pub(super) rp: Option<Rp>,
}

/// What leads the second step back to the first. Sealed: only this server makes and reads one.
#[derive(serde::Serialize, serde::Deserialize)]
struct Ticket {
    user: UserId,
    /// Of the hash of the password that was given: another one voids it.
    password: String,
    ends_at: Timestamp,
}

const TICKET: Place<'static> = Place { column: "sign_in.ticket", row: "" };

impl Checks {
    /// What is asked of someone whose password was right.
    pub(super) fn ask(
        &self,
        tx: &WriteTx<'_>,
        user: &User,
        factors: &Factors,
        hash: &str,
    ) -> Result<Asked> {
        let ends_at = tx.now.plus(STEP_LASTS);
        let ticket = Ticket { user: user.id, password: fingerprint(hash), ends_at };
        let plain = serde_json::to_vec(&ticket).unwrap_or_default();
        let ticket = URL_SAFE_NO_PAD.encode(self.seal.seal(TICKET, &plain));
        let question = Question::new(Purpose::Second, Some(user.id), None, tx.now);
        Ok(Asked { ticket, ..self.asked(tx, (user.id, factors), &question)? })
    }

    /// What is asked of someone.
    pub(super) fn asked(
        &self,
        tx: &ReadTx<'_>,
        (user, factors): (UserId, &Factors),
        question: &Question,
    ) -> Result<Asked> {
        let passkey = match &self.rp {
            Some(rp) if !factors.passkeys.is_empty() => {
                let ids = passkeys::credentials_of(tx, user)?;
                Some(self.request(rp, question, &ids))
            }
            Some(_) | None => None,
        };
        Ok(Asked { ticket: String::new(), totp: factors.totp.is_some(), passkey, wrong: None })
    }

    /// What a browser is to ask of a passkey.
    pub(super) fn request(&self, rp: &Rp, question: &Question, ids: &[Vec<u8>]) -> String {
        let verification =
            if question.purpose == Purpose::SignIn { "required" } else { "preferred" };
        let ids = descriptors(ids);
        json!({
            "challenge": URL_SAFE_NO_PAD.encode(question.seal(&self.seal)),
            "rpId": rp.id,
            "timeout": STEP_LASTS.as_millis(),
            "userVerification": verification,
            "allowCredentials": ids,
        })
        .to_string()
    }

    /// Who gave a password before, if that still holds.
    pub(super) fn opened(&self, tx: &ReadTx<'_>, ticket: &str) -> Result<Option<(User, String)>> {
        let sealed = URL_SAFE_NO_PAD.decode(ticket.get(..MAX_TICKET).unwrap_or(ticket));
        let plain = sealed.ok().and_then(|sealed| self.seal.open(TICKET, &sealed).ok());
        let read = plain.and_then(|plain| serde_json::from_slice::<Ticket>(&plain).ok());
        let Some(ticket) = read.filter(|ticket| tx.now < ticket.ends_at) else { return Ok(None) };
        let Some(hash) = passwords::find(tx, ticket.user)? else { return Ok(None) };
        let user = users::find(tx, ticket.user)?.filter(|_| fingerprint(&hash) == ticket.password);
        Ok(user.map(|user| (user, hash)))
    }

    /// Checks what someone gives.
    pub(super) fn proof(
        &self,
        tx: &WriteTx<'_>,
        proof: &Proof,
        question: &Question,
    ) -> Result<Verdict> {
        match (proof, question.user) {
            (Proof::Code(code), Some(user)) => self.code(tx, user, code),
            (Proof::Code(_), None) => Ok(Verdict::Wrong("there is no code for this".to_owned())),
            (Proof::Passkey(answer), _) => match Answer::read(answer, question).check(self, tx)? {
                Ok(_) => Ok(Verdict::Right(FactorKind::Passkey)),
                Err(why) => Ok(Verdict::Wrong(why)),
            },
        }
    }

    /// Checks a code, of an app or of the recovery list.
    pub(super) fn code(&self, tx: &WriteTx<'_>, user: UserId, code: &str) -> Result<Verdict> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).take(32).collect();
        if let Some(row) = totp_factors::find(tx, user)?.filter(|row| row.confirmed_at.is_some()) {
            let secret = self.seal.open(totp_place(&user.to_string()), &row.secret)?;
            if let Some(step) = totp::matching_step(&secret, &digits, tx.now, row.last_step) {
                totp_factors::used(tx, user, step)?;
                return Ok(Verdict::Right(FactorKind::Totp));
            }
        }
        if let Some(code) = RecoveryCode::parse(code)
            && recovery_codes::spend(tx, user, code.hash())?
        {
            return Ok(Verdict::Right(FactorKind::Recovery));
        }
        Ok(Verdict::Wrong("the code is wrong, or was used before".to_owned()))
    }
}

/// Where the secret of an app stands.
pub(super) fn totp_place(user: &str) -> Place<'_> {
    Place { column: "totp_factors.secret", row: user }
}

fn fingerprint(hash: &str) -> String {
    hex::encode(TokenHash::of(hash).0)
}

/// Passkeys as a browser is told of them.
pub(super) fn descriptors(ids: &[Vec<u8>]) -> Vec<serde_json::Value> {
    let told = |id: &Vec<u8>| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id) });
    ids.iter().map(told).collect()
}
