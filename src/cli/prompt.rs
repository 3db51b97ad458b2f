//! Questions to the person at the terminal. Without one, each says which flag answers it.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::{Context as _, bail};

use super::console::Silent;

/// Longest answer read. A parameter's value at most.
const MAX_ANSWER: u64 = 64 << 10;

/// Whether there is a person to ask.
#[must_use]
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a line of text; an empty answer takes the default.
///
/// # Errors
/// When there is nobody to ask; `flag` is what to give instead.
pub fn text(question: &str, default: &str, flag: &str) -> anyhow::Result<String> {
    if !is_interactive() {
        bail!("{question} needs an answer and there is no terminal to ask at. Give {flag}.");
    }
    let hint = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    ask(&format!("{question}{hint}: "))?;
    let answer = read_line()?;
    Ok(if answer.is_empty() { default.to_owned() } else { answer })
}

/// Asks whether to go on.
///
/// # Errors
/// When the answer is no, or there is nobody to ask.
pub fn confirm(question: &str) -> anyhow::Result<()> {
    let answer = text(&format!("{question} (yes/no)"), "no", "--yes")?;
    if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(super::Exit::Declined.into())
}

/// Asks for one of several.
///
/// # Errors
/// When there is nobody to ask; `flag` is what to give instead.
pub fn choose(question: &str, options: &[String], flag: &str) -> anyhow::Result<usize> {
    if !is_interactive() {
        bail!(
            "{question}: there are {}, and no terminal to ask at. Give {flag}.",
            options.join(", ")
        );
    }
    let lines = options.iter().enumerate().map(|(i, o)| format!("  {}. {o}\n", i + 1));
    ask(&format!("{question}\n{}", lines.collect::<String>()))?;
    loop {
        let answer = text("Number", "1", flag)?;
        let by_name = options.iter().position(|o| *o == answer);
        let by_number = answer.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        match by_name.or(by_number).filter(|at| *at < options.len()) {
            Some(at) => return Ok(at),
            None => ask(&format!("Give a number from 1 to {}.\n", options.len()))?,
        }
    }
}

/// Asks for a secret; what is typed is not shown.
///
/// # Errors
/// When there is nobody to ask; `flag` is what to give instead.
pub fn secret(question: &str, flag: &str) -> anyhow::Result<String> {
    if !is_interactive() {
        bail!("{question} is needed and there is no terminal to ask at. Give {flag}.");
    }
    ask(&format!("{question}: "))?;
    let silent = Silent::enter().context("Hiding what is typed")?;
    let answer = read_line();
    drop(silent);
    ask("\n")?;
    answer
}

/// A password from standard input: its first line.
///
/// # Errors
/// When there is none.
pub fn password_from_stdin() -> anyhow::Result<String> {
    let password = read_line()?;
    if password.is_empty() {
        bail!("Standard input holds no password.");
    }
    Ok(password)
}

/// All of standard input, at most so many bytes of text.
///
/// # Errors
/// When it is longer or no text.
pub fn text_from_stdin(max: u64) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(max + 1).read_to_string(&mut text);
    if read.context("Reading standard input")? as u64 > max {
        bail!("Standard input holds more than {} KiB.", max >> 10);
    }
    Ok(text)
}

fn ask(text: &str) -> anyhow::Result<()> {
    let mut err = std::io::stderr().lock();
    err.write_all(text.as_bytes()).and_then(|()| err.flush()).context("Asking")
}

fn read_line() -> anyhow::Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(MAX_ANSWER).read_line(&mut line);
    if read.context("Reading the answer")? == 0 {
        bail!("Standard input ended before an answer came.");
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
