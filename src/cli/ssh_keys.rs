//! `ssh-keys` and `publickey`: the keys that open workspaces, and the one workspaces show to Git hosts.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::args::people::{PublicKey, SshKeys};
use super::client::Client;
use super::context::Context;
use super::prompt;
use super::table::Table;
use super::times;
use crate::wire::coder::tokens::{CreateSshKey, SshKey};

/// Longest key file read. The longest RSA key in use is 3 KiB.
const MAX_KEY_BYTES: u64 = 16 << 10;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: SshKeys) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        SshKeys::Add { file: Some(file), name } => add(ctx, &client, &file, name).await,
        SshKeys::Add { file: None, name } => {
            let files = own_keys(ctx.around.home.as_deref());
            if files.is_empty() {
                bail!("There is no public key in ~/.ssh. Make one with `ssh-keygen -t ed25519`.");
            }
            for file in files {
                add(ctx, &client, &file, name.clone()).await?;
            }
            Ok(())
        }
        SshKeys::List(how) => {
            let keys = client.ssh_keys().await?;
            ctx.out.list(&how, &keys, || table(&keys))
        }
        SshKeys::Remove { key } => {
            let keys = client.ssh_keys().await?;
            let found = keys
                .iter()
                .find(|k| k.id.to_string() == key || k.name == key || k.fingerprint == key);
            let found = found.with_context(|| {
                format!("There is no key {key:?} on file. `steading ssh-keys list` shows them.")
            })?;
            client.delete_ssh_key(found.id).await?;
            ctx.out.note(&format!("Removed {} ({}).", found.name, found.fingerprint));
            Ok(())
        }
    }
}

/// The public keys of the person on this machine, the best kind first.
#[must_use]
pub fn own_keys(home: Option<&Path>) -> Vec<PathBuf> {
    let Some(home) = home else { return vec![] };
    ["id_ed25519.pub", "id_ed25519_sk.pub", "id_ecdsa.pub", "id_ecdsa_sk.pub", "id_rsa.pub"]
        .iter()
        .map(|name| home.join(".ssh").join(name))
        .filter(|path| path.is_file())
        .collect()
}

async fn add(ctx: &Context, client: &Client, file: &Path, name: String) -> anyhow::Result<()> {
    let public_key = read_key(file)?;
    let key = client
        .add_ssh_key(&CreateSshKey { name, public_key })
        .await
        .with_context(|| format!("Adding {}", file.display()))?;
    ctx.out.note(&format!("Added {} ({}).", key.name, key.fingerprint));
    Ok(())
}

/// Reads a public key's line; a private key is refused before it leaves this machine.
///
/// # Errors
/// When the file cannot be read, or is not a public key.
pub fn read_key(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_KEY_BYTES).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|f| f.take(MAX_KEY_BYTES).read_to_string(&mut text))
    };
    read.with_context(|| format!("Reading the key in {}", file.display()))?;
    if text.contains("PRIVATE KEY") {
        bail!(
            "{} is a private key; it stays here. Give the file that ends in .pub.",
            file.display()
        );
    }
    let line = text.lines().find(|l| !l.trim().is_empty() && !l.starts_with('#'));
    line.map(|l| l.trim().to_owned()).with_context(|| format!("{} holds no key", file.display()))
}

fn table(keys: &[SshKey]) -> Table {
    let mut table = Table::new(&["NAME", "FINGERPRINT", "LAST USED", "ADDED AT", "ID"]);
    for key in keys {
        table.row([
            &key.name,
            &key.fingerprint,
            &times::or_never(key.last_used_at.unwrap_or_default()),
            &times::or_never(key.created_at),
            &key.id.to_string(),
        ]);
    }
    table
}

/// `publickey`
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn publickey(ctx: &Context, args: PublicKey) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let key = if args.reset {
        if !args.yes {
            prompt::confirm("Make a new key? Git hosts that know the old one must be told.")?;
        }
        client.reset_git_ssh_key().await?
    } else {
        client.git_ssh_key().await?
    };
    ctx.out.note("Add this key at your Git host; your workspaces use it over SSH.");
    ctx.out.line(key.public_key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_never_leaves_the_machine() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("id");
        std::fs::write(&file, "-----BEGIN OPENSSH PRIVATE KEY-----\n").unwrap();
        assert!(read_key(&file).unwrap_err().to_string().contains("private key"));
        std::fs::write(&file, "\nssh-ed25519 AAAA ada@x\n").unwrap();
        assert_eq!(read_key(&file).unwrap(), "ssh-ed25519 AAAA ada@x");
    }
}
