//! `config-ssh`: a marked block in the SSH configuration, through which every SSH client reaches
//! workspaces by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::args::connect::{ConfigSsh, Wait};
use super::context::Context;
use super::prompt;
use crate::files;
use crate::wire::coder::deployment::SshConfig;

/// Around our block. A block of Coder's own CLI has other marks and is left alone.
const BEGIN: &str = "# --- begin steading: written by `steading config-ssh`, do not edit ---";
const END: &str = "# --- end steading ---";
/// Options that a server may set on this machine: none of them runs a program, opens a way back, or
/// gives away what is here. Others are the user's to set, by `--ssh-option`.
const FROM_SERVER: [&str; 6] = [
    "compression",
    "ipqos",
    "rekeylimit",
    "serveralivecountmax",
    "serveraliveinterval",
    "tcpkeepalive",
];
/// Longest value that a server may give.
const MAX_VALUE: usize = 64;

/// Runs the command.
///
/// # Errors
/// When the server cannot be asked, or the file cannot be read or written.
pub async fn run(ctx: &Context, args: ConfigSsh) -> anyhow::Result<()> {
    let path = expand(&args.ssh_config_file, ctx.around.home.as_deref())?;
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("Reading {}", path.display()));
        }
    };
    let block = if args.remove { None } else { Some(wanted_block(ctx, &args).await?) };
    let after = with_block(&before, block.as_deref())?;
    if after == before {
        ctx.out.note(&format!("{} is as it should be.", path.display()));
        return Ok(());
    }
    if args.dry_run {
        ctx.out.note(&format!("{} would change to this:", path.display()));
        return ctx.out.bytes(after.as_bytes());
    }
    if !args.yes && prompt::is_interactive() {
        let verb = if args.remove { "Take our block out of" } else { "Write our block into" };
        prompt::confirm(&format!("{verb} {}?", path.display()))?;
    }
    write(&path, &after)?;
    if let Some(block) = &block {
        let names: Vec<&str> = block
            .lines()
            .filter_map(|l| l.strip_prefix("Host "))
            .flat_map(str::split_whitespace)
            .collect();
        ctx.out.note(&format!(
            "Wrote {}. Now `ssh {}` works, with a workspace's name for the star.",
            path.display(),
            names.first().copied().unwrap_or_default()
        ));
    } else {
        ctx.out.note(&format!("Took our block out of {}.", path.display()));
    }
    Ok(())
}

async fn wanted_block(ctx: &Context, args: &ConfigSsh) -> anyhow::Result<String> {
    let client = ctx.client()?;
    let mut from_server = client.ssh_config().await?;
    for name in take_out(&mut from_server) {
        ctx.out.note(&format!(
            "The server asks for the SSH option {name:?}, which is left out; --ssh-option sets it."
        ));
    }
    let binary = match &args.coder_binary_path {
        Some(path) => path.clone(),
        None => std::env::current_exe().context("Finding this program")?,
    };
    let mut command = vec![quoted(&binary.to_string_lossy())];
    let stored = ctx.config.url().is_some_and(|u| u.trim_end_matches('/') == client.server_text());
    command.push("--global-config".to_owned());
    command.push(quoted(&ctx.config.dir().to_string_lossy()));
    if !stored {
        command.extend(["--url".to_owned(), quoted(client.server_text())]);
    }
    for header in &ctx.globals.header {
        command.extend(["--header".to_owned(), quoted(header)]);
    }
    if let Some(header_command) = &ctx.globals.header_command {
        command.extend(["--header-command".to_owned(), quoted(header_command)]);
    }
    command.push("ssh --stdio".to_owned());
    match args.wait {
        Wait::Yes => command.push("--wait=yes".to_owned()),
        Wait::No => command.push("--wait=no".to_owned()),
        Wait::Auto => {}
    }
    if args.disable_autostart {
        command.push("--disable-autostart".to_owned());
    }
    Ok(block(&names(args, &from_server), &command.join(" "), &options(args, &from_server)))
}

/// Takes out what the server may not say here; the names of its options that are left out.
fn take_out(server: &mut SshConfig) -> Vec<String> {
    let is_plain = |text: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        text.len() <= MAX_VALUE && text.bytes().all(fits)
    };
    for name in [&mut server.hostname_prefix, &mut server.hostname_suffix] {
        if !is_plain(name) {
            name.clear();
        }
    }
    let is_known = |name: &str| FROM_SERVER.contains(&name.to_ascii_lowercase().as_str());
    let all = std::mem::take(&mut server.ssh_config_options);
    let (kept, left_out) =
        all.into_iter().partition(|(name, value)| is_known(name) && is_plain(value));
    server.ssh_config_options = kept;
    BTreeMap::into_keys(left_out).collect()
}

/// The prefix and the suffix of host names.
fn names(args: &ConfigSsh, server: &SshConfig) -> (String, String) {
    let prefix = args.ssh_host_prefix.clone().unwrap_or_else(|| server.hostname_prefix.clone());
    let suffix = args.hostname_suffix.clone().unwrap_or_else(|| server.hostname_suffix.clone());
    match (&*prefix, &*suffix) {
        ("", "") => (String::new(), "coder".to_owned()),
        _ => (prefix, suffix.trim_start_matches('.').to_owned()),
    }
}

/// Options of the server, then those given, `Name value` each.
fn options(args: &ConfigSsh, server: &SshConfig) -> Vec<String> {
    let from_server = server.ssh_config_options.iter().map(|(k, v)| format!("{k} {v}"));
    from_server.chain(args.ssh_option.iter().map(|o| o.replacen('=', " ", 1))).collect()
}

/// The block's text.
fn block((prefix, suffix): &(String, String), command: &str, options: &[String]) -> String {
    let mut text = format!("{BEGIN}\n");
    let mut host = |pattern: String, flag: String| {
        text.push_str(&format!("Host {pattern}\n"));
        for option in options {
            text.push_str(&format!("  {option}\n"));
        }
        // The tunnel proves both ends; the key behind it is made anew by each program.
        text.push_str("  ConnectTimeout 0\n  StrictHostKeyChecking no\n");
        text.push_str("  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n");
        text.push_str(&format!("  ProxyCommand {command} {flag} %h\n"));
    };
    if !prefix.is_empty() {
        host(format!("{prefix}*"), format!("--ssh-host-prefix {prefix}"));
    }
    if !suffix.is_empty() {
        host(format!("*.{suffix}"), format!("--hostname-suffix {suffix}"));
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// The file with our block in place of the one there, at its end, or without one.
///
/// # Errors
/// When the marks in the file are not a pair.
fn with_block(before: &str, block: Option<&str>) -> anyhow::Result<String> {
    let marks = |mark: &str| before.lines().filter(|l| l.trim_end() == mark).count();
    let (begins, ends) = (marks(BEGIN), marks(END));
    if begins > 1 || begins != ends {
        bail!(
            "The file holds {begins} lines that begin our block and {ends} that end it. Take them \
             out by hand, then run this again."
        );
    }
    let mut out = String::new();
    let mut inside = false;
    let mut placed = false;
    for line in before.split_inclusive('\n') {
        if line.trim_end() == BEGIN {
            inside = true;
        }
        if !inside {
            out.push_str(line);
        }
        if line.trim_end() == END && inside {
            inside = false;
            placed = true;
            out.push_str(block.unwrap_or_default());
        }
    }
    if let (Some(block), false) = (block, placed) {
        if !out.is_empty() {
            let gap = if out.ends_with('\n') { "\n" } else { "\n\n" };
            out.push_str(gap);
        }
        out.push_str(block);
    }
    if block.is_none() && placed {
        let kept = out.trim_end().len();
        out.truncate(kept);
        if !out.is_empty() {
            out.push('\n');
        }
    }
    Ok(out)
}

/// A word for the shell that OpenSSH gives the command to; its own `%` signs are doubled.
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    let quote = if cfg!(windows) { quoted_for_windows } else { quoted_for_posix };
    quote(&word)
}

fn quoted_for_posix(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Both OpenSSH of Windows, which starts a program by a command line, and that of Git, which has a
/// POSIX shell, read this: backslashes before letters are themselves between double quotation marks.
fn quoted_for_windows(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\\\""))
}

fn expand(path: &str, home: Option<&Path>) -> anyhow::Result<PathBuf> {
    let rest =
        path.strip_prefix("~/").or_else(|| path.strip_prefix(r"~\").filter(|_| cfg!(windows)));
    match rest {
        Some(rest) => {
            let home = home.context("There is no home directory. Give --ssh-config-file.")?;
            Ok(home.join(rest.split('/').collect::<PathBuf>()))
        }
        None => Ok(PathBuf::from(path)),
    }
}

/// Writes beside the file and renames, so that no SSH client reads half of it. A link stays one.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let doing = || format!("Writing {}", path.display());
    let directory = path.parent().unwrap_or(Path::new("."));
    if !directory.exists() {
        files::private_dir(directory).with_context(doing)?;
    }
    let part = directory.join(format!(".steading-ssh-config.{}", std::process::id()));
    std::fs::write(&part, text).with_context(doing)?;
    files::same_mode(&path, &part).with_context(doing)?;
    std::fs::rename(&part, &path).with_context(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(command: &str) -> String {
        block(&("coder.".into(), "coder".into()), command, &["ForwardAgent yes".into()])
    }

    #[test]
    fn the_block_names_its_hosts() {
        expect_test::expect![[r"
            # --- begin steading: written by `steading config-ssh`, do not edit ---
            Host coder.*
              ForwardAgent yes
              ConnectTimeout 0
              StrictHostKeyChecking no
              UserKnownHostsFile /dev/null
              LogLevel ERROR
              ProxyCommand /bin/steading ssh --stdio --ssh-host-prefix coder. %h
            Host *.coder
              ForwardAgent yes
              ConnectTimeout 0
              StrictHostKeyChecking no
              UserKnownHostsFile /dev/null
              LogLevel ERROR
              ProxyCommand /bin/steading ssh --stdio --hostname-suffix coder %h
            # --- end steading ---
        "]]
        .assert_eq(&ours("/bin/steading ssh --stdio"));
    }

    #[test]
    fn writing_twice_changes_nothing_and_removing_gives_the_file_back() {
        let check = |before: &str| {
            let once = with_block(before, Some(&ours("a"))).unwrap();
            assert_eq!(with_block(&once, Some(&ours("a"))).unwrap(), once, "{before:?}");
            let other = with_block(&once, Some(&ours("b"))).unwrap();
            assert_eq!(other, once.replace("Command a", "Command b"));
            let removed = with_block(&once, None).unwrap();
            assert_eq!(removed.trim_end(), before.trim_end());
        };
        check("");
        check("Host x\n  Port 22\n");
        check("Host x\n  Port 22");
        let middle = format!("A\n{}B\n", ours("a"));
        let changed = with_block(&middle, Some(&ours("b"))).unwrap();
        assert!(changed.starts_with("A\n") && changed.ends_with("B\n"));
    }

    #[test]
    fn a_torn_block_is_left_alone() {
        assert!(with_block(&format!("{BEGIN}\nHost x\n"), None).is_err());
    }

    /// Coder's #26154: a server put options into the file that ran its programs here.
    #[test]
    fn a_server_says_nothing_that_runs_here() {
        let mut server = SshConfig {
            hostname_prefix: "coder. $(id)".into(),
            hostname_suffix: "coder\n  LocalCommand id".into(),
            ssh_config_options: [
                ("ServerAliveInterval", "15"),
                ("ProxyCommand", "id"),
                ("LocalCommand", "id"),
                ("Compression", "yes\n  PermitLocalCommand yes"),
                ("ForwardAgent", "yes"),
                ("IPQoS\n  LocalCommand id", "none"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            ..SshConfig::default()
        };
        let left_out = take_out(&mut server);
        assert_eq!(left_out.len(), 5, "{left_out:?}");
        let name = (server.hostname_prefix.clone(), server.hostname_suffix.clone());
        assert_eq!(name, (String::new(), String::new()));
        let options: Vec<String> =
            server.ssh_config_options.iter().map(|(k, v)| format!("{k} {v}")).collect();
        let block = block(&("coder.".into(), String::new()), "/bin/steading", &options);
        assert!(block.contains("ServerAliveInterval 15"), "{block}");
        for word in ["id", "LocalCommand", "ForwardAgent", "PermitLocalCommand"] {
            assert!(!block.split_whitespace().any(|w| w == word), "{word} in {block}");
        }
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quoted("/usr/bin/steading"), "/usr/bin/steading");
        assert_eq!(quoted("a b'c"), r"'a b'\''c'");
        assert_eq!(quoted("50%"), "50%%");
        let path = r"C:\Users\Ada Lovelace\steading.exe";
        assert_eq!(quoted_for_windows(path), format!("\"{path}\""));
        assert_eq!(quoted_for_windows(r#"print "a""#), r#""print \"a\"""#);
    }
}
