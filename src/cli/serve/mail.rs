//! The server that mails go through: `[mail]` in the file, and its password also in `STEADING_MAIL_PASSWORD`.

use anyhow::{Context as _, bail};
use toml::Value;
use zeroize::Zeroizing;

use super::super::args::Surroundings;
use super::super::nearest;
use super::super::settings::Layers;
use super::files;
use crate::model::mail::{MailServer, MailTls};

/// The name of the table.
const TABLE: &str = "mail";
/// The setting that may stand in a file of its own, or in the environment.
const PASSWORD: &str = "password";
/// What may stand in it.
const KEYS: [&str; 8] =
    ["server", "port", "tls", "user", PASSWORD, "password_file", "from", "reply_to"];

/// Reads the settings; none when there are none.
///
/// # Errors
/// Names what is wrong in them.
pub(super) fn server(
    layers: &mut Layers<'_>,
    around: &Surroundings,
) -> anyhow::Result<Option<MailServer>> {
    let Some(mut told) = layers.section(TABLE)? else { return Ok(None) };
    files::read(&mut told, PASSWORD).context("In [mail]")?;
    let mut from = "file";
    if let Some(password) = around.mail_password.clone().filter(|_| !told.contains_key(PASSWORD)) {
        told.insert(PASSWORD.to_owned(), password.into());
        from = "STEADING_MAIL_PASSWORD";
    }
    let server = read(&told).context("In [mail]")?;
    for (key, value) in &told {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (shown, from) =
            if key == PASSWORD { ("********".to_owned(), from) } else { (text, "file") };
        layers.note(format!("{TABLE}.{key}"), shown, from.to_owned());
    }
    Ok(Some(server))
}

fn read(told: &toml::Table) -> anyhow::Result<MailServer> {
    for key in told.keys() {
        if !KEYS.contains(&key.as_str()) {
            let hint = nearest::hint(key, KEYS.into_iter());
            bail!("there is no setting {key:?}.{hint}");
        }
    }
    let tls = match text(told, "tls")?.as_str() {
        "" => MailTls::Starttls,
        word => MailTls::from_word(word).context("tls may be \"starttls\", \"tls\" or \"none\"")?,
    };
    let port = match told.get("port") {
        None => tls.port(),
        Some(value) => {
            let port = value.as_integer().and_then(|port| u16::try_from(port).ok());
            port.context("port must be 1 to 65535")?
        }
    };
    let server = MailServer {
        server: text(told, "server")?,
        port,
        tls,
        user: text(told, "user")?,
        password: Zeroizing::new(text(told, PASSWORD)?),
        from: text(told, "from")?,
        reply_to: text(told, "reply_to")?,
    };
    server.check()?;
    Ok(server)
}

fn text(told: &toml::Table, key: &str) -> anyhow::Result<String> {
    match told.get(key) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(_) => bail!("{key} is no text: write it in quotes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_read_and_what_is_wrong_is_named() {
        let read = |text: &str| read(&text.parse::<toml::Table>().unwrap());
        let told = read("server = \"smtp.example.org\"\nfrom = \"Kiln <a@b>\"\n").unwrap();
        assert_eq!((told.port, told.tls, &*told.user), (587, MailTls::Starttls, ""));
        let secret =
            "server = \"x\"\ntls = \"tls\"\nuser = \"u\"\npassword = \"p\"\nfrom = \"a@b\"";
        assert_eq!(read(secret).unwrap().port, 465);
        for (text, why) in [
            ("server = \"x\"", "from must be an address"),
            ("from = \"a@b\"", "server must be"),
            ("server = \"x\"\nfrom = \"a@b\"\ntls = \"ssl\"", "\"starttls\", \"tls\" or \"none\""),
            ("server = \"x\"\nfrom = \"a@b\"\nport = 99999", "1 to 65535"),
            ("server = \"x\"\nfrom = \"a@b\"\nport = \"25\"", "1 to 65535"),
            ("server = 7", "server is no text"),
            ("serve = \"x\"", "server"),
            ("server = \"x\"\nfrom = \"a@b\"\nuser = \"u\"\ntls = \"none\"", "tls may not be none"),
        ] {
            let said = format!("{:#}", read(text).unwrap_err());
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
