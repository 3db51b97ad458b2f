//! The account an agent runs as: its name, home and shell, and how paths of the template are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::env::{expand, one_name};

/// Who the agent is on its machine. Everything it starts runs as this account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name it signs in by.
    pub user: String,
    /// Its home directory.
    pub home: PathBuf,
    /// Its shell.
    pub shell: PathBuf,
    /// The environment the agent was started with.
    pub environment: BTreeMap<String, String>,
    /// A directory with links to this program under the names `coder` and `steading`.
    pub bin_dir: PathBuf,
    /// Where the server is reached from this machine.
    pub url: String,
}

/// The line of `/etc/passwd` for a user.
#[cfg(unix)]
struct Entry<'a> {
    name: &'a str,
    home: &'a str,
    shell: &'a str,
}

impl Account {
    /// Finds out who the agent is, by what its environment says. Its shell is the system's, as for
    /// OpenSSH there, unless `SHELL` names another.
    #[cfg(windows)]
    #[must_use]
    pub fn of_this_process(
        environment: BTreeMap<String, String>,
        bin_dir: PathBuf,
        url: String,
    ) -> Self {
        // Names that begin so are the system's own notes.
        let environment = environment.into_iter().filter(|(name, _)| !name.starts_with('='));
        let environment: BTreeMap<_, _> =
            environment.map(|(name, value)| (one_name(&name), value)).collect();
        let var = |name: &str| environment.get(name).filter(|v| !v.is_empty()).cloned();
        // Git's own shell says `/usr/bin/bash`, which leads nowhere outside of it.
        let shell = var("SHELL").filter(|path| Path::new(path).is_absolute());
        let shell = shell.filter(|path| Path::new(path).is_file());
        Self {
            user: var("USERNAME").unwrap_or_default(),
            home: var("USERPROFILE").unwrap_or_else(|| r"C:\".to_owned()).into(),
            shell: shell.or_else(|| var("COMSPEC")).unwrap_or_else(|| "cmd.exe".to_owned()).into(),
            environment,
            bin_dir,
            url,
        }
    }

    /// Finds out who the agent is: by `/etc/passwd`, then by what its environment says.
    #[cfg(unix)]
    #[must_use]
    pub fn of_this_process(
        environment: BTreeMap<String, String>,
        bin_dir: PathBuf,
        url: String,
    ) -> Self {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let uid = rustix::process::geteuid().as_raw();
        let mut account = Self::from_passwd(&passwd, uid, environment, bin_dir);
        account.url = url;
        if !account.shell.exists() {
            account.shell = "/bin/sh".into();
        }
        account
    }

    #[cfg(unix)]
    fn from_passwd(
        passwd: &str,
        uid: u32,
        environment: BTreeMap<String, String>,
        bin_dir: PathBuf,
    ) -> Self {
        let entry = passwd.lines().filter_map(entry_of).find(|(id, _)| *id == uid).map(|(_, e)| e);
        let var = |name: &str| environment.get(name).filter(|v| !v.is_empty()).cloned();
        let listed = |part: fn(&Entry<'_>) -> String| {
            entry.as_ref().map(part).filter(|text| !text.is_empty())
        };
        // HOME first: whoever starts the agent may give it a home that no file knows.
        let home = var("HOME").or_else(|| listed(|e| e.home.to_owned()));
        let shell = listed(|e| e.shell.to_owned())
            .filter(|s| !is_no_login(s))
            .or_else(|| var("SHELL").filter(|s| !is_no_login(s)));
        let user = listed(|e| e.name.to_owned()).or_else(|| var("USER"));
        Self {
            user: user.unwrap_or_else(|| uid.to_string()),
            home: home.unwrap_or_else(|| "/".to_owned()).into(),
            shell: shell.unwrap_or_else(|| "/bin/sh".to_owned()).into(),
            environment,
            bin_dir,
            url: String::new(),
        }
    }

    /// A path as the template means it: `~` and variables are read, and a relative one starts at
    /// the home directory.
    #[must_use]
    pub fn path(&self, text: &str) -> PathBuf {
        let home = self.home.to_string_lossy();
        let text = match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with(std::path::is_separator) => {
                format!("{home}{rest}")
            }
            Some(_) | None => text.to_owned(),
        };
        let text = expand(&text, &mut |name| match name {
            "HOME" => home.clone().into_owned(),
            "USER" => self.user.clone(),
            other => self.environment.get(&one_name(other)).cloned().unwrap_or_default(),
        });
        if text.is_empty() { self.home.clone() } else { self.home.join(text) }
    }

    /// Where scripts start: the home directory when the template names none, or one that is not
    /// there yet.
    #[must_use]
    pub fn directory(&self, template: &str) -> PathBuf {
        let path = self.path(template);
        if path.is_dir() { path } else { self.home.clone() }
    }
}

#[cfg(unix)]
fn entry_of(line: &str) -> Option<(u32, Entry<'_>)> {
    let mut parts = line.split(':');
    let name = parts.next()?;
    let uid = parts.nth(1)?.parse().ok()?;
    let home = parts.nth(2)?;
    Some((uid, Entry { name, home, shell: parts.next().unwrap_or_default() }))
}

/// The shells of accounts that may not sign in; an agent's account may all the same.
#[cfg(unix)]
fn is_no_login(shell: &str) -> bool {
    let name = Path::new(shell).file_name().and_then(|n| n.to_str());
    matches!(name, Some("nologin" | "false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        www:x:33:33:www:/var/www:/usr/sbin/nologin\nada:x:1000:1000::/home/ada:/bin/zsh\n";

    fn account(uid: u32, env: &[(&str, &str)]) -> Account {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Account::from_passwd(PASSWD, uid, env, PathBuf::from("/state/bin"))
    }

    #[test]
    fn an_account_is_found_even_where_no_file_knows_it() {
        let check = |account: &Account, user: &str, home: &str, shell: &str| {
            assert_eq!(account.user, user);
            assert_eq!(account.home, Path::new(home));
            assert_eq!(account.shell, Path::new(shell));
        };
        check(&account(1000, &[]), "ada", "/home/ada", "/bin/zsh");
        check(&account(33, &[("SHELL", "/bin/dash")]), "www", "/var/www", "/bin/dash");
        check(&account(1000, &[("HOME", "/ws")]), "ada", "/ws", "/bin/zsh");
        check(&account(4242, &[]), "4242", "/", "/bin/sh");
    }

    #[test]
    fn paths_of_the_template_start_at_home() {
        let account = account(1000, &[("WORK", "/work")]);
        let check = |text: &str, path: &str| assert_eq!(account.path(text), Path::new(path));
        check("~", "/home/ada");
        check("~/code", "/home/ada/code");
        check("$HOME/code", "/home/ada/code");
        check("${WORK}/x", "/work/x");
        check("log.txt", "/home/ada/log.txt");
        check("~bob/x", "/home/ada/~bob/x");
        check("/abs", "/abs");
        check("", "/home/ada");
    }
}
