//! Mails from a real server process: what the file says, a password from the environment, TLS on the way.

use std::process::Command;

use serde_json::Value;

use super::site::{Ran, Site, eventually};
use crate::mail_peer::{MailPeer, PASSWORD};

/// A certificate for this machine, and its key.
fn certificate(site: &Site) -> (String, String) {
    let (cert, key) = (site.path("mail.pem"), site.path("mail.key"));
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-keyout", &key, "-out", &cert, "-days", "2", "-subj", "/CN=mail.test"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    Ran::new(&mut openssl).ok();
    (cert, key)
}

/// What the API answers Ada.
fn test_message(site: &Site) -> Value {
    let token = site.cli(&["login", "token"]).ok();
    let header = format!("Coder-Session-Token: {}", token.trim());
    let url = format!("{}/api/v2/deployment/mail/test", site.url);
    let json = ["-H", "Content-Type: application/json", "-d", "{}"];
    let asked = [&["-sS", "-X", "POST", "-H", &header][..], &json, &[&url]].concat();
    serde_json::from_str(&site.run("curl", &asked).ok()).unwrap()
}

#[test]
fn mails_go_by_tls_as_the_file_says() {
    let mut site = Site::new();
    let (cert, key) = certificate(&site);
    for mode in ["starttls", "tls"] {
        let mut peer = MailPeer::start(mode, &cert, &key);
        let file = site.path(&format!("{mode}.toml"));
        let settings = format!(
            "[mail]\nserver = \"127.0.0.1\"\nport = {}\ntls = \"{mode}\"\nuser = \"steading\"\n\
             from = \"Steading <steading@example.test>\"\n",
            peer.port
        );
        std::fs::write(&file, settings).unwrap();
        site.extra = vec!["--config".to_owned(), file];
        site.env = vec![("STEADING_MAIL_PASSWORD".to_owned(), PASSWORD.to_owned())];
        site.stop();
        site.start();
        let tried = test_message(&site);
        let problem = tried["problem"].as_str().unwrap();
        assert!(problem.contains("TLS with 127.0.0.1"), "nobody vouches for it: {tried}");

        site.env.push(("SSL_CERT_FILE".to_owned(), cert.clone()));
        site.stop();
        site.start();
        let tried = test_message(&site);
        assert_eq!((&tried["sent"], &tried["problem"]), (&true.into(), &"".into()), "{tried}");
        let mail = peer.next();
        assert_eq!((mail.to(), &mail.all["is_secret"]), ("ada@example.test", &true.into()));
        mail.has(&["Auto-Submitted: auto-generated", "Mails from here arrive."]);

        // What people are told goes the same way, without being asked for.
        let linus = format!("linus-{mode}");
        let email = format!("{linus}@example.test");
        let made = ["users", "create", "-u", &linus, "-e", &email, "-p", "correct horse 7"];
        site.cli(&made).ok();
        let token = ["tokens", "create", "--user", &linus, "--name", "kiln"];
        let token = site.cli(&token).ok();
        let asking =
            ["requests", "create", "ada/kiln", "--reason", "the glaze", "--token", token.trim()];
        if mode == "starttls" {
            site.create_here("kiln");
        }
        site.cli(&asking).ok();
        let mail = peer.next();
        mail.has(&["linus-", "asks for ada/kiln", &format!("{}/requests/", site.url)]);
    }
    let shown = eventually("the settings", || {
        let mut server = site.command(super::site::STEADING);
        server.args(["server", "--print-config"]).args(&site.extra);
        let shown = Ran::new(server.env("STEADING_MAIL_PASSWORD", PASSWORD)).ok();
        Some(shown)
    });
    assert!(shown.contains("mail.password") && !shown.contains(PASSWORD), "{shown}");
}
