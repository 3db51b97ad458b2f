//! The account that the service runs as: one of its own, or one that is there.

use anyhow::{Context as _, bail};

use super::STATE_DIR;
use super::files::Tree;
use super::launchd;

/// The name of an account of its own. Not the program's: a server may run as that.
const OWN: &str = "steading-agent";

/// An account.
pub(super) struct Account {
    /// Its name.
    pub(super) name: String,
    /// Its home directory.
    pub(super) home: String,
    /// Whether it was there before.
    is_known: bool,
}

impl Account {
    /// The one that is asked for, which has to be there; else one of its own.
    pub(super) fn choose(tree: &Tree, wanted: Option<&str>) -> anyhow::Result<Self> {
        let known = tree.read("etc/passwd")?.unwrap_or_default();
        let is_mac = tree.is_live && tree.has(launchd::SYSTEM);
        let entry = |name: &str| {
            let listed = known.lines().find_map(|line| entry(line, name));
            listed.or_else(|| if is_mac { launchd::account(tree, name) } else { None })
        };
        let Some(name) = wanted else {
            let home = format!("/{STATE_DIR}");
            let there = entry(OWN);
            if there.as_ref().is_some_and(|(_, theirs)| *theirs != home) {
                bail!("There is an account {OWN} that is not the agent's. Name one with --user.");
            }
            return Ok(Self { name: OWN.to_owned(), home, is_known: there.is_some() });
        };
        let found = entry(name).with_context(|| format!("There is no account {name:?} here."))?;
        let (uid, home) = found;
        if uid == "0" || home.is_empty() || !home.starts_with('/') || home == "/" {
            bail!("The agent is not run as {name}: it serves whoever may enter the workspace.");
        }
        Ok(Self { name: name.to_owned(), home, is_known: true })
    }

    /// One that was there before.
    #[cfg(test)]
    pub(super) fn known(name: &str, home: &str) -> Self {
        Self { name: name.to_owned(), home: home.to_owned(), is_known: true }
    }

    /// Whether it was made for the service.
    pub(super) fn is_own(&self) -> bool {
        self.home == format!("/{STATE_DIR}")
    }

    /// Makes it where it is not there yet. Says its name then.
    pub(super) fn make(&self, tree: &Tree) -> anyhow::Result<Option<String>> {
        if self.is_known || !tree.is_live {
            return Ok(None);
        }
        let shell = if tree.has("bin/bash") { "/bin/bash" } else { "/bin/sh" };
        let made = if tree.has(launchd::SYSTEM) {
            launchd::make_account(tree, self)
        } else if tree.has("usr/sbin/useradd") {
            let home = ["--home-dir", &self.home, "--no-create-home", "--shell", shell];
            let args = [&["--system", "--user-group"], &home[..], &[&self.name]].concat();
            tree.run("/usr/sbin/useradd", &args)
        } else {
            // That of busybox.
            let args = ["-S", "-D", "-H", "-h", &self.home, "-s", shell, &self.name];
            tree.run("adduser", &args)
        };
        made.with_context(|| format!("Making the account {}", self.name))?;
        Ok(Some(format!("{}\n", self.name)))
    }
}

/// Removes an account that was made for the service.
pub(super) fn remove(tree: &Tree, name: &str) -> anyhow::Result<()> {
    // Nothing but our own is ever noted; the file could be another's all the same.
    if name != OWN {
        return Ok(());
    }
    if tree.has(launchd::SYSTEM) {
        return launchd::remove_account(tree, name);
    }
    let program = if tree.has("usr/sbin/userdel") { "/usr/sbin/userdel" } else { "deluser" };
    tree.run(program, &[name]).with_context(|| format!("Removing the account {name}"))
}

/// The number and the home directory in a line of `/etc/passwd`, if it is that of `name`.
fn entry(line: &str, name: &str) -> Option<(String, String)> {
    let mut fields = line.split(':');
    if fields.next() != Some(name) {
        return None;
    }
    let uid = fields.nth(1).unwrap_or_default().to_owned();
    Some((uid, fields.nth(2).unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_is_asked_for_has_to_be_there_and_not_be_root() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::at(Some(dir.path()));
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        let passwd = "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/home/toor:/bin/sh\npi:x:1000:1000::/home/pi:/bin/bash\nno:x:9:9::/:/bin/false\n";
        std::fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
        let pi = Account::choose(&tree, Some("pi")).unwrap();
        assert_eq!((&*pi.home, pi.is_own()), ("/home/pi", false));
        for bad in ["root", "toor", "no", "nobody"] {
            assert!(Account::choose(&tree, Some(bad)).is_err(), "{bad}");
        }
        assert!(Account::choose(&tree, None).unwrap().is_own());
        let others = format!("{passwd}{OWN}:x:5:5::/srv:/bin/sh\n");
        std::fs::write(dir.path().join("etc/passwd"), others).unwrap();
        assert!(Account::choose(&tree, None).is_err(), "another's account is not taken over");
    }
}
