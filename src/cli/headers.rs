//! The headers of each request: the session, and those of `--header` and `--header-command`.

use anyhow::Context as _;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::args::Globals;

/// The header of a session or API token.
pub const TOKEN: HeaderName = HeaderName::from_static("coder-session-token");

/// Collects them.
///
/// # Errors
/// When one cannot be sent, or the command that prints them fails.
pub fn collect(globals: &Globals, token: Option<&str>) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in &globals.header {
        add(&mut headers, pair).with_context(|| format!("--header {pair:?}"))?;
    }
    if let Some(command) = &globals.header_command {
        for line in printed_by(command)?.lines().filter(|l| !l.trim().is_empty()) {
            add(&mut headers, line).context("A line that --header-command printed")?;
        }
    }
    if let Some(token) = token {
        let mut value =
            HeaderValue::from_str(token.trim()).context("The session token is not one")?;
        value.set_sensitive(true);
        headers.insert(TOKEN, value);
    }
    Ok(headers)
}

fn add(headers: &mut HeaderMap, pair: &str) -> anyhow::Result<()> {
    let (name, value) = pair.split_once('=').context("is not KEY=VALUE")?;
    let name: HeaderName = name.trim().parse().context("its name cannot be sent")?;
    headers.append(name, value.trim().parse().context("its value cannot be sent")?);
    Ok(())
}

fn printed_by(command: &str) -> anyhow::Result<String> {
    let output = by_shell(command).output().context("Running --header-command")?;
    anyhow::ensure!(
        output.status.success(),
        "--header-command ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).context("--header-command did not print text")
}

/// A command line as the system's shell reads it.
#[cfg(unix)]
fn by_shell(line: &str) -> std::process::Command {
    let mut shell = std::process::Command::new("/bin/sh");
    shell.arg("-c").arg(line);
    shell
}

/// A command line as the system's shell reads it: it takes one quotation mark off each end.
#[cfg(windows)]
fn by_shell(line: &str) -> std::process::Command {
    use std::os::windows::process::CommandExt as _;

    let mut shell = std::process::Command::new("cmd.exe");
    shell.args(["/d", "/s", "/c"]).raw_arg(format!("\"{line}\""));
    shell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_from_flags_the_command_and_the_session() {
        let globals = Globals {
            header: vec!["x-a=1".into()],
            header_command: Some("echo X-B=2=3".into()),
            ..Globals::default()
        };
        let headers = collect(&globals, Some("a-b")).unwrap();
        assert_eq!(headers["x-a"], "1");
        assert_eq!(headers["x-b"], "2=3");
        assert_eq!(headers[TOKEN], "a-b");
        assert!(!format!("{headers:?}").contains("a-b"));
        let bad = Globals { header: vec!["nonsense".into()], ..Globals::default() };
        assert!(collect(&bad, None).is_err());
    }
}
