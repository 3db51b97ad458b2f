//! `agent install` and `agent uninstall`: the agent as a service that is there after a restart of its
//! machine, runs without privileges, and leaves nothing behind when it is removed.

mod account;
mod files;
mod init;
mod launchd;

use std::path::Path;

use anyhow::{Context as _, bail};

use self::account::Account;
use self::files::Tree;
use self::init::Init;
use super::args::agent::{Agent, Install, Uninstall};
use super::context::Context;
use super::prompt;

/// The program that the service runs: a copy, for the one that installs is in a directory for what is
/// passing.
const PROGRAM: &str = "usr/local/lib/steading-agent/steading";
/// The directory of that.
const PROGRAM_DIR: &str = "usr/local/lib/steading-agent";
/// The copy that the service replaces by the server's newer ones.
const COPY_DIR: &str = "var/lib/steading-agent/program";
/// The program by a name that shells find.
const LINK: &str = "usr/local/bin/steading";
/// Where the server is, and the token: root reads it, and hands it to the service. On macOS the
/// service's account has it.
const SETTINGS: &str = "etc/steading-agent/environment";
/// The account that was made for the service.
const MADE: &str = "etc/steading-agent/account";
/// The directory of both.
const SETTINGS_DIR: &str = "etc/steading-agent";
/// What the agent keeps, and the home of an account of its own.
const STATE_DIR: &str = "var/lib/steading-agent";

/// Variables that lead the agent out through a proxy, as they are when it is installed.
const PROXIES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// Makes the agent a service and starts it.
///
/// # Errors
/// When it is not root's call, the machine has no service manager that is known, or a step fails.
pub fn install(ctx: &Context, agent: Agent, args: &Install) -> anyhow::Result<()> {
    let tree = tree(args.root.as_deref(), "install")?;
    let init = Init::of(&tree)?;
    let settings = settings(ctx, agent)?;
    let account = Account::choose(&tree, args.user.as_deref())?;
    if let Some(made) = account.make(&tree)? {
        tree.write(MADE, &made, 0o644)?;
    }
    let program = std::env::current_exe().context("Finding this program")?;
    tree.copy(&program, PROGRAM)?;
    tree.link(LINK, &format!("/{PROGRAM}"))?;
    tree.write(SETTINGS, &settings, 0o600)?;
    init.write(&tree, &account)?;
    if !tree.is_live {
        init.prepare(&tree, &account)?;
        let makes = match (init, account.is_own()) {
            (Init::OpenRc, true) => {
                let name = &account.name;
                format!(
                    " Make that account there: `adduser -S -D -H -h /{STATE_DIR} -s /bin/sh {name}`."
                )
            }
            (Init::Launchd, true) => format!(
                " Make that account there, with the home /{STATE_DIR}, and give it that and /{SETTINGS}."
            ),
            (Init::Launchd, false) => format!(" Give /{STATE_DIR} and /{SETTINGS} to it there."),
            (Init::Systemd, true) => " The first start makes that account.".to_owned(),
            (Init::Systemd | Init::OpenRc, false) => String::new(),
        };
        ctx.out.note(&format!(
            "The agent runs as {} from the next start of this system on.{makes}",
            account.name
        ));
        return Ok(());
    }
    init.start(&tree)?;
    ctx.out.note(&format!(
        "The agent runs as {} and starts with this machine. Its log: `{}`. `sudo steading agent \
         uninstall` removes all of it.",
        account.name,
        init.log_command(),
    ));
    Ok(())
}

/// Stops the service and removes all that [`install`] made.
///
/// # Errors
/// When it is not root's call, or something cannot be removed.
pub fn uninstall(ctx: &Context, args: &Uninstall) -> anyhow::Result<()> {
    let tree = tree(args.root.as_deref(), "uninstall")?;
    if !tree.has(PROGRAM_DIR) && !tree.has(SETTINGS_DIR) {
        bail!("The agent is no service of this machine.");
    }
    let own = tree.read(MADE)?;
    if !args.yes && !args.keep_home {
        let home = own.as_deref().map_or(String::new(), |account| {
            format!(" The account {} and its home /{STATE_DIR} go, too.", account.trim())
        });
        prompt::confirm(&format!("Remove the agent's service from this machine?{home}"))?;
    }
    let init = Init::of(&tree)?;
    init.stop(&tree)?;
    init.remove(&tree)?;
    tree.unlink(LINK, &format!("/{PROGRAM}"))?;
    let keeps = args.keep_home && own.is_some();
    for directory in [PROGRAM_DIR, SETTINGS_DIR, COPY_DIR] {
        tree.remove_dir(directory)?;
    }
    if keeps {
        ctx.out.note(&format!("Its home /{STATE_DIR} and its account are kept."));
    } else {
        tree.remove_dir(STATE_DIR)?;
        if let Some(account) = own {
            account::remove(&tree, account.trim())?;
        }
    }
    ctx.out.note("The agent's service is removed. To end its token, delete the workspace.");
    Ok(())
}

fn tree(root: Option<&Path>, deed: &str) -> anyhow::Result<Tree> {
    if root.is_none() && !rustix::process::geteuid().is_root() {
        bail!("To {deed} a service needs root. Run this with sudo.");
    }
    Ok(Tree::at(root))
}

/// The environment that the service is given, one `NAME="value"` a line.
fn settings(ctx: &Context, agent: Agent) -> anyhow::Result<String> {
    let (url, token) = super::agent::credentials(ctx, agent)?;
    let given = [("STEADING_AGENT_URL", url.as_str()), ("STEADING_AGENT_TOKEN", &*token)];
    let around = &ctx.around.for_terraform;
    let proxies =
        around.iter().filter(|(name, _)| PROXIES.contains(&name.to_ascii_uppercase().as_str()));
    let all = given.into_iter().chain(proxies.map(|(name, value)| (&**name, &**value)));
    let mut text = String::new();
    for (name, value) in all {
        text.push_str(&line(name, value)?);
    }
    Ok(text)
}

/// A line that systemd and a shell read alike.
fn line(name: &str, value: &str) -> anyhow::Result<String> {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '$' | '`');
    if !value.chars().all(is_plain) {
        bail!("{name} holds a character that cannot stand in a service's environment.");
    }
    Ok(format!("{name}=\"{value}\"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_cannot_become_another() {
        assert_eq!(line("A", "https://s.example/?x=1").unwrap(), "A=\"https://s.example/?x=1\"\n");
        for bad in ["a\"\nB=\"c", "$(id)", "`id`", "a\\", "a b", "ä"] {
            assert!(line("A", bad).is_err(), "{bad:?}");
        }
    }
}
