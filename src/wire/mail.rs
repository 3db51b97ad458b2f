//! How mails are sent, as the API has it.

use serde::{Deserialize, Serialize};

use super::coder::Time;

/// `GET` and `PUT /deployment/mail`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mail {
    /// The server's name or address; empty where no mails are sent.
    pub server: String,
    /// Its port; 0 to be set to what is usual for `tls`.
    pub port: u16,
    /// `starttls`, `tls` or `none`.
    pub tls: String,
    /// Who signs in there; empty for nobody.
    pub user: String,
    /// To be set: with which password. Empty keeps the one there is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// Whether there is a password.
    pub has_password: bool,
    /// Who writes: `ADDRESS`, or `NAME <ADDRESS>`.
    pub from: String,
    /// Who reads the answers; empty for who writes.
    pub reply_to: String,
    /// The operator's settings name it: it is changed there.
    pub is_told: bool,
    /// How many mails wait to be sent.
    pub waiting: usize,
    /// The last ones that were given up.
    pub given_up: Vec<MailGivenUp>,
}

impl std::fmt::Debug for Mail {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("server", &self.server)
            .field("port", &self.port)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A mail that was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailGivenUp {
    /// To whom.
    pub to: String,
    /// What it was about.
    pub subject: String,
    /// When it was written.
    pub made_at: Time,
    /// Why it was not taken.
    pub failure: String,
}

/// `POST /deployment/mail/test`: a message to who asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailTest {
    /// To which address.
    pub to: String,
    /// Whether the server took it.
    pub sent: bool,
    /// The first thing that is wrong; empty when nothing is.
    pub problem: String,
}
