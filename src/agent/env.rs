//! The environment of sessions and scripts: a pure function of the machine's and the manifest's.

use std::collections::BTreeMap;
use std::path::Path;

use crate::wire::agent::Manifest;

use super::account::Account;
use super::platform::{BETWEEN_PATHS, DEFAULT_PATH};

/// Variables of the agent's own process that nothing it starts inherits: how it was told to
/// connect. Scripts get the token again on purpose, sessions do not: whoever has a session would
/// otherwise be able to speak as the agent. (Coder hands it to both.)
const PRIVATE: &[&str] = &[
    "CODER_AGENT_TOKEN",
    "CODER_AGENT_TOKEN_FILE",
    "CODER_AGENT_AUTH",
    "STEADING_AGENT_TOKEN",
    "STEADING_AGENT_TOKEN_FILE",
    #[cfg(windows)]
    super::update::next::VARIABLE,
];

/// What a script gets on top of a session's environment.
#[derive(Clone, Copy, Debug)]
pub struct ScriptEnv<'a> {
    /// The agent's token.
    pub token: &'a str,
    /// A directory of the script's own that is kept between its runs.
    pub data_dir: &'a Path,
}

/// The directory beside [`Account::bin_dir`] in which scripts wait for each other.
pub const SYNC_DIR: &str = "sync";

/// The environment of a person's shell, command or terminal.
#[must_use]
pub fn for_sessions(account: &Account, manifest: &Manifest) -> BTreeMap<String, String> {
    let mut env = machine(account);
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut set = |name: &str, value: &str| {
        env.insert(name.to_owned(), value.to_owned());
    };
    set("USER", &account.user);
    set("LOGNAME", &account.user);
    set("HOME", &text(&account.home));
    set("SHELL", &text(&account.shell));
    set("CODER", "true");
    set("CODER_AGENT_URL", &account.url);
    set("CODER_WORKSPACE_NAME", &manifest.workspace_name);
    set("CODER_WORKSPACE_OWNER_NAME", &manifest.owner_name);
    set("CODER_WORKSPACE_AGENT_NAME", &manifest.agent_name);
    if let Some(state_dir) = account.bin_dir.parent() {
        set("STEADING_AGENT_SYNC_DIR", &text(&state_dir.join(SYNC_DIR)));
    }
    let full_name = match manifest.owner_full_name.as_str() {
        "" => manifest.owner_name.as_str(),
        name => name,
    };
    set("GIT_AUTHOR_NAME", full_name);
    set("GIT_COMMITTER_NAME", full_name);
    if !manifest.owner_email.is_empty() {
        set("GIT_AUTHOR_EMAIL", &manifest.owner_email);
        set("GIT_COMMITTER_EMAIL", &manifest.owner_email);
    }
    let path = env.get("PATH").map_or(DEFAULT_PATH, String::as_str);
    let path = format!("{path}{BETWEEN_PATHS}{}", text(&account.bin_dir));
    env.insert("PATH".to_owned(), path);
    let own = overlay(&env, &manifest.env);
    env.extend(own);
    env
}

/// The environment of a script of the template.
#[must_use]
pub fn for_scripts(
    account: &Account,
    manifest: &Manifest,
    script: ScriptEnv<'_>,
) -> BTreeMap<String, String> {
    let mut env = for_sessions(account, manifest);
    let text = |path: &Path| path.to_string_lossy().into_owned();
    env.insert("CODER_AGENT_TOKEN".to_owned(), script.token.to_owned());
    env.insert("CODER_SCRIPT_DATA_DIR".to_owned(), text(script.data_dir));
    env.insert("CODER_SCRIPT_BIN_DIR".to_owned(), text(&account.bin_dir));
    env
}

fn machine(account: &Account) -> BTreeMap<String, String> {
    let mut env = account.environment.clone();
    env.retain(|name, _| !PRIVATE.contains(&name.as_str()));
    env
}

/// The template's variables with what they name filled in. A value may name a variable of `base` (`/x:$PATH`),
/// or one of its own kind that `base` does not have.
fn overlay(
    base: &BTreeMap<String, String>,
    own: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    own.iter()
        .map(|(name, value)| (one_name(name), resolve(value, base, own, &mut vec![name.as_str()])))
        .collect()
}

/// A variable's name in one way of writing, where the system knows several of the same.
#[must_use]
pub fn one_name(name: &str) -> String {
    if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() }
}

fn resolve<'a>(
    value: &str,
    base: &BTreeMap<String, String>,
    own: &'a BTreeMap<String, String>,
    seen: &mut Vec<&'a str>,
) -> String {
    expand(value, &mut |name| {
        if let Some(known) = base.get(&one_name(name)) {
            return known.clone();
        }
        // A variable that leads back to itself is empty, like an unknown one.
        match own.get_key_value(name) {
            Some((key, value)) if !seen.contains(&key.as_str()) => {
                seen.push(key);
                let text = resolve(value, base, own, seen);
                seen.pop();
                text
            }
            Some(_) | None => String::new(),
        }
    })
}

/// Replaces `$NAME` and `${NAME}`. A `$` before anything else stays as it is.
pub fn expand(text: &str, lookup: &mut dyn FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some((name, tail)) = after.strip_prefix('{').and_then(|t| t.split_once('}'))
            && is_name(name)
        {
            out.push_str(&lookup(name));
            rest = tail;
            continue;
        }
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, tail) = after.split_at(end.unwrap_or(after.len()));
        if is_name(name) {
            out.push_str(&lookup(name));
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{account, manifest};

    fn with(env: &[(&str, &str)]) -> Manifest {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Manifest { env, ..manifest() }
    }

    #[test]
    fn values_may_name_what_is_there_already() {
        let manifest = with(&[
            ("PATH", "/opt/x:$PATH"),
            ("A", "${HOME}/a"),
            ("B", "$A and $NOWHERE."),
            ("C", "5$ $$ ${not a name} ${"),
            ("LOOP", "<$LOOP2>"),
            ("LOOP2", "<$LOOP>"),
        ]);
        let env = for_sessions(&account(), &manifest);
        let check = |name: &str, value: &str| assert_eq!(env[name], value);
        check("PATH", "/opt/x:/usr/bin:/state/bin");
        check("A", "/home/ada/a");
        check("B", "/home/ada/a and .");
        check("C", "5$ $$ ${not a name} ${");
        check("LOOP", "<<>>");
    }

    #[test]
    fn the_template_has_the_last_word_and_the_owner_commits() {
        let env = for_sessions(&account(), &with(&[("GIT_AUTHOR_NAME", "Bot")]));
        assert_eq!(env["GIT_AUTHOR_NAME"], "Bot");
        assert_eq!(env["GIT_COMMITTER_NAME"], "Ada Lovelace");
        assert_eq!(env["GIT_COMMITTER_EMAIL"], "ada@example.com");
        assert_eq!(env["CODER_WORKSPACE_NAME"], "kiln");
        assert_eq!(env["LANG"], "C.UTF-8");
    }

    #[test]
    fn only_scripts_get_the_agents_token() {
        let sessions = for_sessions(&account(), &manifest());
        assert_eq!(sessions.get("CODER_AGENT_TOKEN"), None);
        let script = ScriptEnv { token: "secret", data_dir: Path::new("/state/data/1") };
        let scripts = for_scripts(&account(), &manifest(), script);
        assert_eq!(scripts["CODER_AGENT_TOKEN"], "secret");
        assert_eq!(scripts["CODER_SCRIPT_DATA_DIR"], "/state/data/1");
        assert_eq!(scripts["CODER_SCRIPT_BIN_DIR"], "/state/bin");
    }

    proptest::proptest! {
        #[test]
        fn text_without_a_dollar_is_left_alone(text in "[^$]{0,60}") {
            proptest::prop_assert_eq!(expand(&text, &mut |_| "x".to_owned()), text);
        }
    }
}
