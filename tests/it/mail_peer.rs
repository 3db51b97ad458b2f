//! A mail server that takes mails from who signs in there, and tells what it took.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::e2e::said::Said;
use crate::e2e::site::peers;

/// Who signs in there.
pub const USER: &str = "steading";
/// With which password.
pub const PASSWORD: &str = "kiln-and-clay";

/// The server; it ends with the test.
pub struct MailPeer {
    child: Child,
    said: Said,
    pub port: u16,
}

impl MailPeer {
    /// One on a port of its own: `none`, `starttls` or `tls`, with a certificate and its key.
    pub fn start(mode: &str, cert: &str, key: &str) -> Self {
        let python = peers().join("python");
        assert!(python.join("aiosmtpd").is_dir(), "run .ci/peers first");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/smtp.py");
        let mut child = Command::new("python3")
            .args([script, mode, cert, key])
            .env("PYTHONPATH", python)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = Said::by(child.stdout.take().unwrap());
        let port = said.line().expect("it listens").trim().parse().unwrap();
        Self { child, said, port }
    }

    /// The next mail, once it came.
    #[track_caller]
    pub fn next(&mut self) -> Taken {
        let line = self.said.line().expect("a mail comes");
        let all: Value = serde_json::from_str(&line).unwrap();
        let mail = all["mail"].as_str().unwrap().replace("\r\n", "\n");
        // Soft line ends of what is quoted; nothing else is encoded in what tests write.
        let mail = mail.replace("=\n", "").replace("=3D", "=");
        Taken { mail, all }
    }
}

impl Drop for MailPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A mail that it took.
pub struct Taken {
    /// The whole mail.
    pub mail: String,
    /// How it came.
    pub all: Value,
}

impl Taken {
    /// To whom it went.
    pub fn to(&self) -> &str {
        let to = self.all["to"].as_array().unwrap();
        assert_eq!(to.len(), 1, "{to:?}");
        to[0].as_str().unwrap()
    }

    /// The text of a header; none when it is not there.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.mail.split("\n\n").next().unwrap();
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Its parts hold these words.
    #[track_caller]
    pub fn has(&self, words: &[&str]) {
        for word in words {
            assert!(self.mail.contains(word), "{word:?} is missing:\n{}", self.mail);
        }
    }
}
