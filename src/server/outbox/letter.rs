//! A letter as a mail: plain text and simple HTML, which say the same.

use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use maud::{DOCTYPE, html};

use crate::model::mail::{FOOT, Letter, MailServer, mailbox};
use crate::server::app::mails::Outgoing;

/// Says to programs that answer by themselves that nobody wrote it.
const AUTOMATIC: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Makes the mail; `base` is the site's address.
///
/// # Errors
/// Says which address cannot be written to, or from.
pub(super) fn message(
    server: &MailServer,
    (mail, base): (&Outgoing, &str),
) -> Result<Message, String> {
    let from = read(&server.from).ok_or("the sender's address is none")?;
    let domain = from.email.domain().to_owned();
    let to: Address = mail.address.parse().map_err(|e| format!("{}: {e}", mail.address))?;
    let at = u64::try_from(mail.made_at.0).unwrap_or_default();
    let mut builder = Message::builder()
        .from(from)
        .to(Mailbox::new(named(&mail.name), to))
        .subject(mail.letter.subject.clone())
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(at))
        .raw_header(HeaderValue::new(AUTOMATIC, "auto-generated".to_owned()));
    // The same at each try: who got it already can tell.
    builder = builder.message_id(Some(format!("<steading-{}-{at}@{domain}>", mail.seq)));
    if let Some(reply_to) = read(&server.reply_to) {
        builder = builder.reply_to(reply_to);
    }
    let parts =
        MultiPart::alternative_plain_html(mail.letter.plain(base), page(&mail.letter, base));
    builder.multipart(parts).map_err(|e| format!("the mail cannot be made: {e}"))
}

fn read(text: &str) -> Option<Mailbox> {
    let (name, address) = mailbox(text)?;
    Some(Mailbox::new(named(name), address.parse().ok()?))
}

/// A name as a header bears it: what would end a line in it cannot be written, and is left out.
fn named(name: &str) -> Option<String> {
    let plain: String = name.chars().filter(|c| !c.is_control()).collect();
    Some(plain.trim().to_owned()).filter(|name| !name.is_empty())
}

fn page(letter: &Letter, base: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (letter.subject) } }
            body {
                @for line in &letter.lines { p { (line) } }
                p { a href={ (base) (letter.path) } { (letter.label) } }
                hr;
                p { small { (FOOT) } }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::model::mail::MailTls;
    use crate::model::time::Timestamp;

    #[test]
    fn names_bring_no_headers_and_no_markup() {
        let server = MailServer {
            server: "smtp.test".to_owned(),
            port: 25,
            tls: MailTls::None,
            user: String::new(),
            password: Zeroizing::default(),
            from: "Öfen & Co <kiln@example.test>".to_owned(),
            reply_to: "help@example.test".to_owned(),
        };
        let hostile = "Ada\r\nBcc: all@example.test\r\n\r\n<script>";
        let lines = vec!["<img src=x> & more".to_owned()];
        let letter = Letter::new(hostile, lines, ("/requests/1".to_owned(), "Answer it"));
        let mail = Outgoing {
            seq: 7,
            tries: 0,
            made_at: Timestamp(1_795_000_000),
            name: hostile.to_owned(),
            address: "ada@example.test".to_owned(),
            letter,
        };
        let made = message(&server, (&mail, "https://kiln.test")).unwrap();
        let text = String::from_utf8(made.formatted()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| !line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        for part in ["Auto-Submitted: auto-generated", "Reply-To: help@example.test", "steading-7-"]
        {
            assert!(head.contains(part), "{part}: {head}");
        }
        assert!(body.contains("text/plain") && body.contains("text/html"), "{body}");
        assert!(
            body.contains("&lt;img") && body.contains("https://kiln.test/requests/1"),
            "{body}"
        );
        assert_eq!(made.envelope().to().len(), 1);
        let lost = Outgoing { address: "nobody".to_owned(), ..mail };
        assert!(message(&server, (&lost, "https://kiln.test")).is_err());
    }
}
