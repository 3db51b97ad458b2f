//! Small commands: `completion`, `external-auth`, `gitssh`.

use anyhow::{Context as _, bail};

use super::args::connect::{Completion, ExternalAuth, GitSsh};
use super::context::Context;

/// Prints the completion script.
///
/// # Errors
/// When no shell is named, or standard output is gone.
pub fn completion(ctx: &Context, args: &Completion) -> anyhow::Result<()> {
    let shell = args.name.or(args.shell).context(
        "Say for which shell: `steading completion bash`, zsh, fish, elvish, powershell.",
    )?;
    let as_coder = super::args::is_called_coder();
    let mut command = super::args::command(as_coder);
    let name = if as_coder { "coder" } else { "steading" };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    ctx.out.bytes(&script)
}

/// Says that there are no tokens of other services.
///
/// # Errors
/// Always: nothing of the kind is on file.
pub fn external_auth(command: ExternalAuth) -> anyhow::Result<()> {
    let ExternalAuth::AccessToken { id, .. } = command;
    bail!(
        "No login at {id:?} is set up on this server. Use SSH for Git: `steading publickey` shows \
         the key to add there."
    )
}

/// Becomes ssh, with a key that Git hosts know when the agent put one in place.
///
/// # Errors
/// When there is no ssh.
pub fn gitssh(args: GitSsh) -> anyhow::Result<()> {
    let mut ssh = std::process::Command::new("ssh");
    ssh.args(args.words);
    let doing = "Running ssh. Is OpenSSH's client installed?";
    #[cfg(unix)]
    return Err(std::os::unix::process::CommandExt::exec(&mut ssh)).context(doing);
    #[cfg(not(unix))]
    match ssh.status().context(doing)?.code() {
        Some(0) => Ok(()),
        code => Err(super::Exit::Code(code.and_then(|c| c.try_into().ok()).unwrap_or(255)).into()),
    }
}
