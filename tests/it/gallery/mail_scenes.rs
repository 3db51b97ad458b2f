//! How mails are sent: not at all, through a server, and with what was given up.

use maud::Render as _;
use steading::model::mail::{MailServer, MailTls};
use steading::server::html::pages::mail::{Lost, Mail};
use steading::server::html::parts::form::Input;

use super::fixtures::{ada, before, visit};
use super::{Scene, scene};

fn page(server: Option<MailServer>) -> Mail {
    Mail {
        visit: visit(ada()),
        changes: true,
        has_password: server.is_some(),
        server,
        is_told: false,
        waiting: 0,
        given_up: vec![],
        input: Input::default(),
    }
}

/// Every one of them.
pub fn all() -> Vec<Scene> {
    let server = MailServer {
        server: "smtp.example.org".to_owned(),
        port: 587,
        tls: MailTls::Starttls,
        user: "steading".to_owned(),
        password: String::new().into(),
        from: "Steading <steading@example.org>".to_owned(),
        reply_to: "help@example.org".to_owned(),
    };
    let lost = |to: &str, failure: &str| Lost {
        to: to.to_owned(),
        subject: "linus asks for ada/kiln".to_owned(),
        made_at: before(20_000),
        failure: failure.to_owned(),
    };
    let given_up = vec![
        lost("grace", "mails to grace@example.test are not taken: 550 5.1.1 no such mailbox"),
        lost("ada", "smtp.example.org:587 did not answer in 20 s"),
    ];
    let typed = [("server", "smtp example"), ("tls", "tls")];
    let typed = typed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let why = "Must be the name or the address of a mail server.";
    let wrong = Input::wrong(typed.into(), "server", why);
    let set = || page(Some(server.clone()));
    vec![
        scene("mail", page(None).render()),
        scene("mail-set", set().render()),
        scene("mail-given-up", Mail { waiting: 3, given_up, ..set() }.render()),
        scene("mail-told", Mail { is_told: true, ..set() }.render()),
        scene("mail-reader", Mail { changes: false, ..set() }.render()),
        scene("mail-wrong", Mail { input: wrong, ..page(None) }.render()),
    ]
}
