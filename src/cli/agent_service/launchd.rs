//! launchd, which starts services on macOS, and accounts as its directory keeps them.

use anyhow::Context as _;

use super::account::Account;
use super::files::Tree;
use super::{SETTINGS, STATE_DIR};

/// What macOS itself has it start: there on each.
pub(super) const SYSTEM: &str = "System/Library/LaunchDaemons";
/// The service.
const PLIST: &str = "Library/LaunchDaemons/steading-agent.plist";
const TARGET: &str = "system/steading-agent";
const LOG: &str = "var/log/steading-agent.log";
/// Numbers of accounts that no person has; those of macOS itself grow from below.
const IDS: std::ops::RangeInclusive<u32> = 350..=499;
/// Tries to load the service, while its former life ends.
const TRIES: u32 = 10;

/// Writes the service. What it reads and writes is its account's: launchd hands nothing over, as
/// systemd does.
pub(super) fn write(tree: &Tree, account: &Account) -> anyhow::Result<()> {
    tree.write(PLIST, &plist(account), 0o644)?;
    tree.make_dir(STATE_DIR, 0o750)?;
    if !tree.is_live {
        return Ok(());
    }
    let owner = [number(tree, "-u", account)?, number(tree, "-g", account)?];
    tree.own(SETTINGS, owner)?;
    tree.own(STATE_DIR, owner)
}

/// Has it start with the machine, and now.
pub(super) fn start(tree: &Tree) -> anyhow::Result<()> {
    // One that runs already ends before the new one begins; whether there was one does not matter.
    let _ = tree.run("launchctl", &["bootout", TARGET]);
    tree.run("launchctl", &["enable", TARGET])?;
    let path = format!("/{PLIST}");
    let load = || tree.run("launchctl", &["bootstrap", "system", &path]);
    for _ in 1..TRIES {
        if load().is_ok() {
            return Ok(());
        }
        std::thread::park_timeout(std::time::Duration::from_secs(1));
    }
    load()
}

/// Ends it, where it is there.
pub(super) fn stop(tree: &Tree) -> anyhow::Result<()> {
    if tree.has(PLIST) && tree.run("launchctl", &["print", TARGET]).is_ok() {
        tree.run("launchctl", &["bootout", TARGET])?;
    }
    Ok(())
}

/// Removes what was written, and what came of it.
pub(super) fn remove(tree: &Tree) -> anyhow::Result<()> {
    tree.remove(LOG)?;
    tree.remove(PLIST)
}

fn plist(account: &Account) -> String {
    let text = include_str!("steading-agent.plist");
    text.replace("@USER@", &escaped(&account.name)).replace("@HOME@", &escaped(&account.home))
}

/// Text that ends no element of XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn number(tree: &Tree, which: &str, account: &Account) -> anyhow::Result<u32> {
    let told = tree.ask("id", &[which, &account.name])?;
    told.trim().parse().with_context(|| format!("Asking who {} is", account.name))
}

/// The number and the home directory of an account that macOS knows: people's are in no file of its
/// root's.
pub(super) fn account(tree: &Tree, name: &str) -> Option<(String, String)> {
    let path = format!("/Users/{name}");
    let told = tree.ask("dscl", &[".", "-read", &path, "UniqueID", "NFSHomeDirectory"]).ok()?;
    Some((value(&told, "UniqueID")?, value(&told, "NFSHomeDirectory")?))
}

/// A value as `dscl` writes it: behind its key, or, when a blank is in it, in the next line.
fn value(told: &str, key: &str) -> Option<String> {
    let mut lines = told.lines();
    let rest = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let text = if rest.trim().is_empty() { lines.next()?.trim() } else { rest.trim() };
    (!text.is_empty()).then(|| text.to_owned())
}

/// Makes an account that nobody signs in as.
pub(super) fn make_account(tree: &Tree, account: &Account) -> anyhow::Result<()> {
    let users = tree.ask("dscl", &[".", "-list", "/Users", "UniqueID"])?;
    let groups = tree.ask("dscl", &[".", "-list", "/Groups", "PrimaryGroupID"])?;
    let id = free_id(&[&users, &groups]).context("No number is free for an account")?;
    for (path, key, value) in records(account, &id.to_string()) {
        tree.run("dscl", &[".", "-create", &path, key, &value])?;
    }
    Ok(())
}

/// What makes an account and its group: path, key and value, in order.
fn records(account: &Account, id: &str) -> Vec<(String, &'static str, String)> {
    let (user, group) = (format!("/Users/{}", account.name), format!("/Groups/{}", account.name));
    let of = |path: &str, key, value: &str| (path.to_owned(), key, value.to_owned());
    vec![
        of(&group, "PrimaryGroupID", id),
        of(&user, "NFSHomeDirectory", &account.home),
        of(&user, "UniqueID", id),
        of(&user, "PrimaryGroupID", id),
        of(&user, "UserShell", "/bin/zsh"),
        of(&user, "RealName", "Steading agent"),
        of(&user, "Password", "*"),
        of(&user, "IsHidden", "1"),
    ]
}

/// The highest number that neither an account nor a group has.
fn free_id(lists: &[&str]) -> Option<u32> {
    let taken: Vec<u32> = lists
        .iter()
        .flat_map(|list| list.lines())
        .filter_map(|line| line.split_whitespace().last()?.parse().ok())
        .collect();
    IDS.rev().find(|id| !taken.contains(id))
}

/// Removes an account that was made here.
pub(super) fn remove_account(tree: &Tree, name: &str) -> anyhow::Result<()> {
    tree.run("dscl", &[".", "-delete", &format!("/Users/{name}")])?;
    tree.run("dscl", &[".", "-delete", &format!("/Groups/{name}")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_directory_says_is_read() {
        let told = "NFSHomeDirectory: /Users/ada\nUniqueID: 501\n";
        assert_eq!(value(told, "UniqueID").as_deref(), Some("501"));
        assert_eq!(value(told, "NFSHomeDirectory").as_deref(), Some("/Users/ada"));
        let blank = "NFSHomeDirectory:\n /Volumes/Other Disk/ada\nUniqueID: 501\n";
        assert_eq!(value(blank, "NFSHomeDirectory").as_deref(), Some("/Volumes/Other Disk/ada"));
        assert_eq!(value("No such key: UniqueID\n", "UniqueID"), None);
    }

    #[test]
    fn an_account_gets_a_number_that_nobody_has() {
        let users = "_uucp    4\nada      501\n_other   499\nnobody   -2\n";
        let groups = "staff    20\n_third   498\n";
        assert_eq!(free_id(&[users, groups]), Some(497));
        assert_eq!(free_id(&[]), Some(499));
        let all: String = (350..500).map(|n| format!("u{n} {n}\n")).collect();
        assert_eq!(free_id(&[&all]), None);
    }

    #[test]
    fn an_accounts_name_ends_no_element() {
        let account = Account::known("ada", "/Users/a&b<c>");
        let text = plist(&account);
        assert!(text.contains("<string>/Users/a&amp;b&lt;c&gt;</string>"), "{text}");
        assert!(text.contains("<string>ada</string>") && !text.contains('@'), "{text}");
        let all = records(&account, "499");
        assert!(all.iter().all(|(path, ..)| path.ends_with("/ada")), "{all:?}");
        assert_eq!(all.iter().filter(|(_, _, value)| value == "499").count(), 3);
    }
}
