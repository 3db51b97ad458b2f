//! Mails to people: through which server they go, and what one says.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::password::is_email;
use super::text;
use super::user::define_words;

/// The longest name of a server.
const MAX_SERVER: usize = 253;
/// The longest user name, password, and sender.
const MAX_TEXT: usize = 256;
/// The longest subject of a mail, in characters: mail programs show less.
pub const MAX_SUBJECT: usize = 120;
/// What is quoted of a person's words at most, in characters.
pub const MAX_QUOTE: usize = 512;

define_words! {
    /// How the way to the mail server is kept secret.
    MailTls {
        /// The connection becomes secret before anything is said.
        Starttls = "starttls",
        /// It is secret from the first byte.
        Tls = "tls",
        /// It is not: for a server on the same machine or in a network of one's own.
        None = "none",
    }
}

impl MailTls {
    /// The port that is usual for it.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// The server that takes mails from here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailServer {
    /// Its name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the way there is kept secret.
    pub tls: MailTls,
    /// Who signs in there; empty for nobody.
    pub user: String,
    /// With which password.
    pub password: Zeroizing<String>,
    /// Who writes: `ADDRESS`, or `NAME <ADDRESS>`.
    pub from: String,
    /// Who reads the answers, written the same way; empty for who writes.
    pub reply_to: String,
}

impl std::fmt::Debug for MailServer {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailServer")
            .field("server", &self.server)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("user", &self.user)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// A setting that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct BadMailServer {
    /// Which.
    pub field: &'static str,
    /// Why.
    pub why: String,
}

impl MailServer {
    /// Checks that each setting has a meaning, and that no password goes where others read it.
    ///
    /// # Errors
    /// Names the first setting that does not fit.
    pub fn check(&self) -> Result<(), BadMailServer> {
        let wrong = |field, why: &str| Err(BadMailServer { field, why: why.to_owned() });
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        if self.server.is_empty() || !self.server.chars().all(fits) {
            return wrong("server", "must be the name or the address of a mail server");
        }
        if self.server.len() > MAX_SERVER {
            return wrong("server", "is too long");
        }
        if self.port == 0 {
            return wrong("port", "must be 1 to 65535");
        }
        for (field, value) in [("user", self.user.as_str()), ("password", self.password.as_str())] {
            text::check_line(value, MAX_TEXT)
                .map_err(|bad| BadMailServer { field, why: bad.to_string() })?;
        }
        if self.user.is_empty() && !self.password.is_empty() {
            return wrong("user", "is missing, and a password is there");
        }
        if !self.user.is_empty() && self.tls == MailTls::None && !self.is_here() {
            return wrong("tls", "may not be none where someone signs in: others could read how");
        }
        for (field, value) in [("from", &self.from), ("reply_to", &self.reply_to)] {
            let may_lack = field == "reply_to" && value.is_empty();
            if !may_lack && mailbox(value).is_none() {
                return wrong(field, "must be an address, or NAME <ADDRESS>");
            }
        }
        Ok(())
    }

    /// Whether it is on the same machine.
    fn is_here(&self) -> bool {
        let address = self.server.parse::<IpAddr>();
        self.server.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
    }
}

/// Reads `ADDRESS` or `NAME <ADDRESS>`: the name, which may be empty, and the address.
#[must_use]
pub fn mailbox(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"'), address),
        None => ("", text),
    };
    let is_fit = is_email(address) && text::check_line(text, MAX_TEXT).is_ok();
    is_fit.then_some((name, address))
}

/// What a mail says, without whom it is to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// What it is about, in one line.
    pub subject: String,
    /// What it says, a paragraph each.
    pub lines: Vec<String>,
    /// Where its one link leads, below the site's address.
    pub path: String,
    /// What the link says.
    pub label: String,
}

impl Letter {
    /// A letter whose subject is one short line whatever names are in it.
    #[must_use]
    pub fn new(subject: &str, lines: Vec<String>, (path, label): (String, &str)) -> Self {
        let subject = line(subject, MAX_SUBJECT);
        Self { subject, lines, path, label: label.to_owned() }
    }

    /// As plain text; `base` is the site's address.
    #[must_use]
    pub fn plain(&self, base: &str) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(line);
            text.push_str("\n\n");
        }
        text.push_str(&format!("{}:\n{base}{}\n\n-- \n{FOOT}\n", self.label, self.path));
        text
    }
}

/// What stands below each mail.
pub const FOOT: &str = "Sent by Steading. Mails can be switched off in your settings.";

/// A person's words in a mail: in one line, and without an address that a mail program would make a
/// second link of.
#[must_use]
pub fn quoted(words: &str) -> String {
    line(words, MAX_QUOTE).replace("://", ":\u{2009}//")
}

/// A text in one line, cut where it is too long.
fn line(text: &str, max: usize) -> String {
    let shown = text.split(|c: char| c.is_whitespace() || c.is_control());
    let shown = shown.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let shown = text::shown(&shown);
    let cut = shown.char_indices().nth(max).map(|(at, _)| at);
    match cut {
        None => shown.into_owned(),
        Some(at) => format!("{}…", shown.get(..at).unwrap_or_default().trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> MailServer {
        MailServer {
            server: "smtp.example.org".to_owned(),
            port: 587,
            tls: MailTls::Starttls,
            user: "kiln".to_owned(),
            password: Zeroizing::new("a secret".to_owned()),
            from: "Steading <kiln@example.org>".to_owned(),
            reply_to: String::new(),
        }
    }

    #[test]
    fn what_does_not_fit_is_named_and_no_password_goes_in_the_clear() {
        let check = |change: &dyn Fn(&mut MailServer)| {
            let mut one = server();
            change(&mut one);
            one.check().err().map(|bad| bad.field)
        };
        assert_eq!(check(&|_| {}), None);
        assert_eq!(check(&|one| one.server = "smtp example".to_owned()), Some("server"));
        assert_eq!(check(&|one| one.server = String::new()), Some("server"));
        assert_eq!(check(&|one| one.port = 0), Some("port"));
        assert_eq!(check(&|one| one.user = String::new()), Some("user"));
        assert_eq!(check(&|one| one.user = "a\r\nb".to_owned()), Some("user"));
        assert_eq!(check(&|one| one.tls = MailTls::None), Some("tls"));
        let here = |one: &mut MailServer| {
            one.tls = MailTls::None;
            one.server = "127.0.0.1".to_owned();
        };
        assert_eq!(check(&here), None);
        assert_eq!(check(&|one| one.from = "Steading".to_owned()), Some("from"));
        assert_eq!(check(&|one| one.reply_to = "a@b\nBcc: c@d".to_owned()), Some("reply_to"));
        assert!(!format!("{:?}", server()).contains("a secret"));
    }

    #[test]
    fn a_mailbox_has_an_address_and_perhaps_a_name() {
        assert_eq!(mailbox("a@b"), Some(("", "a@b")));
        assert_eq!(mailbox(" Kiln & Co <a@b> "), Some(("Kiln & Co", "a@b")));
        assert_eq!(mailbox("\"Kiln\" <a@b>"), Some(("Kiln", "a@b")));
        for bad in ["", "a", "Kiln <a>", "a@b>", "Kiln\n<a@b>", "<a@b> x"] {
            assert_eq!(mailbox(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn names_and_reasons_make_neither_lines_nor_links() {
        let hostile = "grace\r\nBcc: all@example.org\u{202e}";
        let letter = Letter::new(hostile, vec![quoted(hostile)], ("/x".to_owned(), "Look"));
        assert!(!letter.subject.contains(['\r', '\n', '\u{202e}']), "{:?}", letter.subject);
        let plain = letter.plain("https://kiln.test");
        assert!(!plain.contains("\nBcc"), "{plain}");
        assert!(plain.contains("Look:\nhttps://kiln.test/x\n"), "{plain}");
        assert!(!quoted("see https://evil.test now").contains("https://"));
        assert_eq!(quoted(&"é".repeat(MAX_QUOTE + 9)).chars().count(), MAX_QUOTE + 1);
    }
}
