//! What starts services on this machine: systemd, `OpenRC` or launchd.

use anyhow::bail;

use super::STATE_DIR;
use super::account::Account;
use super::files::Tree;
use super::launchd;

const UNIT: &str = "etc/systemd/system/steading-agent.service";
/// What `systemctl edit` makes.
const UNIT_EDITS: &str = "etc/systemd/system/steading-agent.service.d";
/// What `systemctl enable` makes.
const UNIT_WANTED: &str = "etc/systemd/system/multi-user.target.wants/steading-agent.service";
/// What has the account made where there is none yet.
const ACCOUNTS: &str = "etc/sysusers.d/steading-agent.conf";
const SCRIPT: &str = "etc/init.d/steading-agent";
/// What `rc-update add` makes.
const SCRIPT_WANTED: &str = "etc/runlevels/default/steading-agent";
const SCRIPT_LOG: &str = "var/log/steading-agent.log";
const NAME: &str = "steading-agent";

/// The manager of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Init {
    /// Most distributions.
    Systemd,
    /// Alpine, Gentoo.
    OpenRc,
    /// macOS.
    Launchd,
}

impl Init {
    /// The one that runs.
    pub(super) fn of(tree: &Tree) -> anyhow::Result<Self> {
        if tree.has("run/systemd/system") {
            return Ok(Self::Systemd);
        }
        if tree.has("run/openrc") || tree.has("sbin/openrc-run") {
            return Ok(Self::OpenRc);
        }
        if tree.has(launchd::SYSTEM) {
            return Ok(Self::Launchd);
        }
        bail!(
            "This machine has neither systemd nor OpenRC nor launchd. Let what starts its services run \
             `steading agent`, with STEADING_AGENT_URL and STEADING_AGENT_TOKEN in its environment."
        )
    }

    /// Writes the service.
    pub(super) fn write(self, tree: &Tree, account: &Account) -> anyhow::Result<()> {
        match self {
            Self::Systemd => tree.write(UNIT, &unit(account), 0o644),
            Self::OpenRc => tree.write(SCRIPT, &script(account), 0o755),
            Self::Launchd => launchd::write(tree, account),
        }
    }

    /// Has it start with a machine that does not run now: of an image. There is nobody yet who could make
    /// the account.
    pub(super) fn prepare(self, tree: &Tree, account: &Account) -> anyhow::Result<()> {
        match self {
            Self::Systemd => {
                if account.is_own() {
                    let line = format!("u {} - - /{STATE_DIR} /bin/sh\n", account.name);
                    tree.write(ACCOUNTS, &line, 0o644)?;
                }
                tree.link(UNIT_WANTED, &format!("/{UNIT}"))
            }
            Self::OpenRc => tree.link(SCRIPT_WANTED, &format!("/{SCRIPT}")),
            // It starts what lies there.
            Self::Launchd => Ok(()),
        }
    }

    /// Has it start with the machine, and now.
    pub(super) fn start(self, tree: &Tree) -> anyhow::Result<()> {
        match self {
            Self::Systemd => {
                tree.run("systemctl", &["daemon-reload"])?;
                tree.run("systemctl", &["enable", NAME])?;
                // One that runs already takes the new program and settings.
                tree.run("systemctl", &["restart", NAME])
            }
            Self::OpenRc => {
                tree.run("rc-update", &["add", NAME, "default"])?;
                tree.run("rc-service", &[NAME, "restart"])
            }
            Self::Launchd => launchd::start(tree),
        }
    }

    /// Ends it, where it is there.
    pub(super) fn stop(self, tree: &Tree) -> anyhow::Result<()> {
        match self {
            Self::Systemd if tree.has(UNIT) => {
                tree.run("systemctl", &["disable", "--now", NAME])?;
                // One that never ran has nothing to reset.
                let _ = tree.run("systemctl", &["reset-failed", NAME]);
                Ok(())
            }
            Self::OpenRc if tree.has(SCRIPT) => {
                tree.run("rc-service", &["--ifstarted", NAME, "stop"])?;
                tree.run("rc-update", &["--all", "delete", NAME])
            }
            Self::Systemd | Self::OpenRc => Ok(()),
            Self::Launchd => launchd::stop(tree),
        }
    }

    /// Removes what was written, and what came of it.
    pub(super) fn remove(self, tree: &Tree) -> anyhow::Result<()> {
        match self {
            Self::Systemd => {
                tree.remove(UNIT_WANTED)?;
                tree.remove(ACCOUNTS)?;
                tree.remove_dir(UNIT_EDITS)?;
                tree.remove(UNIT)?;
                tree.run("systemctl", &["daemon-reload"])
            }
            Self::OpenRc => {
                tree.remove(SCRIPT_LOG)?;
                tree.remove(SCRIPT_WANTED)?;
                tree.remove(SCRIPT)
            }
            Self::Launchd => launchd::remove(tree),
        }
    }

    /// Shows its log.
    pub(super) const fn log_command(self) -> &'static str {
        match self {
            Self::Systemd => "journalctl -u steading-agent",
            Self::OpenRc | Self::Launchd => "cat /var/log/steading-agent.log",
        }
    }
}

fn unit(account: &Account) -> String {
    // Other people's homes are not seen.
    let homes = if account.is_own() {
        "ProtectHome=yes".to_owned()
    } else {
        format!("ProtectHome=tmpfs\nBindPaths={}", account.home)
    };
    let text = include_str!("steading-agent.service").replace("@HOMES@", &homes);
    text.replace("@USER@", &account.name).replace("@HOME@", &account.home)
}

fn script(account: &Account) -> String {
    let text = include_str!("steading-agent.openrc");
    text.replace("@USER@", &account.name).replace("@HOME@", &account.home)
}
