//! The message of the day, shown before an interactive shell.

use tokio::io::AsyncReadExt as _;

use super::Settings;
use crate::wire::frame::Frame;

/// Longest message. More than a screen is not read by anyone.
const MAX_BYTES: u64 = 32 << 10;

/// The message as it is written to a terminal; none when there is none or the person wants none.
pub(crate) async fn of(settings: &Settings) -> Option<Frame> {
    let path = settings.motd_file.as_ref()?;
    let home = settings.env.get("HOME").map_or("/", String::as_str);
    if tokio::fs::try_exists(format!("{home}/.hushlogin")).await.unwrap_or(false) {
        return None;
    }
    let file = tokio::fs::File::open(path).await.ok()?;
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text).await.ok()?;
    Some(Frame::Stdout(with_returns(&String::from_utf8_lossy(&text)).into()))
}

fn with_returns(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        out.push_str(line);
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_shown_unless_hushed() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("motd");
        std::fs::write(&file, "Hello\nthere\n").unwrap();
        let mut settings = Settings { motd_file: Some(file), ..Settings::default() };
        settings.env.insert("HOME".into(), home.path().to_str().unwrap().into());
        assert_eq!(of(&settings).await, Some(Frame::Stdout("Hello\r\nthere\r\n".into())));
        std::fs::write(home.path().join(".hushlogin"), "").unwrap();
        assert_eq!(of(&settings).await, None);
    }
}
