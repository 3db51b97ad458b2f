//! `dotfiles`: fetches a person's repository of dotfiles, and installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::args::inside::Dotfiles;
use super::context::Context;
use super::prompt;
use crate::files;

/// Names of a program in the repository that installs it; the first that is there is run.
const INSTALLERS: [&str; 8] = [
    "install.sh",
    "install",
    "bootstrap.sh",
    "bootstrap",
    "script/bootstrap",
    "setup.sh",
    "setup",
    "script/setup",
];

/// Fetches the repository, then runs its installer, or links its dotfiles.
///
/// # Errors
/// When the repository cannot be fetched, or its installer fails.
pub fn run(ctx: &Context, args: &Dotfiles) -> anyhow::Result<()> {
    let repo = ctx.config.dir().join(&args.repo_dir);
    if !args.yes {
        let text = format!("Fetch {} into {} and install it?", args.repository, repo.display());
        prompt::confirm(&text)?;
    }
    fetch(ctx, args, &repo)?;
    if let Some(installer) = INSTALLERS.iter().find(|name| repo.join(name).is_file()) {
        return install(ctx, args, &repo, installer);
    }
    let home = args.symlink_dir.clone().or_else(|| ctx.around.home.clone());
    let linked = link_all(&repo, &home.context("There is no home directory. Set HOME.")?)?;
    ctx.out.note(&format!("{linked} files are linked from {}", repo.display()));
    Ok(())
}

fn git(dir: Option<&Path>, words: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("git");
    if let Some(dir) = dir {
        command.arg("-C").arg(dir);
    }
    let status = command.args(words).status().context("Running git. Is it installed?")?;
    if status.success() {
        return Ok(());
    }
    bail!("git {} ended with {status}", words.first().copied().unwrap_or_default())
}

/// Clones the repository, or brings the clone that is there up to date.
fn fetch(ctx: &Context, args: &Dotfiles, repo: &Path) -> anyhow::Result<()> {
    if repo.join(".git").exists() {
        if origin_of(repo).is_some_and(|origin| origin == args.repository) {
            return update(ctx, args, repo);
        }
        let aside = free_name(repo);
        std::fs::rename(repo, &aside).context("Putting another repository aside")?;
        ctx.out.note(&format!("The repository that was there is now {}", aside.display()));
    }
    let parent = repo.parent().unwrap_or(repo);
    std::fs::create_dir_all(parent).with_context(|| format!("Making {}", parent.display()))?;
    let path = repo.to_string_lossy();
    let mut words = vec!["clone"];
    if let Some(branch) = &args.branch {
        words.extend(["--branch", branch]);
    }
    words.extend(["--", &args.repository, &path]);
    git(None, &words)
}

fn update(ctx: &Context, args: &Dotfiles, repo: &Path) -> anyhow::Result<()> {
    if let Some(branch) = &args.branch {
        git(Some(repo), &["fetch", "origin", branch])?;
        git(Some(repo), &["checkout", branch, "--"])?;
    }
    // What is there still serves when its host cannot be reached, or it was changed here.
    if let Err(error) = git(Some(repo), &["pull", "--ff-only"]) {
        ctx.out.note(&format!("The repository is not brought up to date: {error}"));
    }
    Ok(())
}

fn origin_of(repo: &Path) -> Option<String> {
    let words = ["remote", "get-url", "origin"];
    let output = Command::new("git").arg("-C").arg(repo).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn install(ctx: &Context, args: &Dotfiles, repo: &Path, installer: &str) -> anyhow::Result<()> {
    ctx.out.note(&format!("Running {installer}"));
    let path = repo.join(installer);
    let is_program = files::is_executable(&path);
    let mut command = if is_program { Command::new(&path) } else { Command::new("sh") };
    if !is_program {
        command.arg(&path);
    }
    if let Some(dir) = &args.symlink_dir {
        command.env("HOME", dir);
    }
    let status = command.current_dir(repo).status();
    let status = status.with_context(|| format!("Running {}", path.display()))?;
    if status.success() {
        return Ok(());
    }
    bail!("{installer} ended with {status}")
}

/// Links every dotfile of the repository into `home`. What is in the way is kept under another name.
fn link_all(repo: &Path, home: &Path) -> anyhow::Result<usize> {
    std::fs::create_dir_all(home).with_context(|| format!("Making {}", home.display()))?;
    let entries = std::fs::read_dir(repo).context("Reading the repository")?;
    let mut linked = 0;
    for entry in entries {
        let entry = entry.context("Reading the repository")?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if !text.starts_with('.') || matches!(text.as_ref(), ".git" | ".github" | ".gitignore") {
            continue;
        }
        link(&entry.path(), &home.join(&name))
            .with_context(|| format!("Linking {}", home.join(&name).display()))?;
        linked += 1;
    }
    Ok(linked)
}

fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    match to.symlink_metadata() {
        Ok(_) if std::fs::read_link(to).is_ok_and(|there| there == from) => return Ok(()),
        Ok(_) => std::fs::rename(to, free_name(to))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    files::link(from, to)
}

/// A name beside this one that nothing has.
fn free_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let numbered = (1_u32..).map(|n| match n {
        1 => path.with_file_name(format!("{name}.bak")),
        n => path.with_file_name(format!("{name}.bak{n}")),
    });
    let mut free = numbered.filter(|path| path.symlink_metadata().is_err());
    free.next().expect("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotfiles_are_linked_and_what_was_there_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (repo, home) = (dir.path().join("repo"), dir.path().join("home"));
        std::fs::create_dir_all(repo.join(".git")).unwrap();
        std::fs::create_dir_all(&home).unwrap();
        for name in [".bashrc", ".vimrc", "README.md", ".gitignore"] {
            std::fs::write(repo.join(name), name).unwrap();
        }
        std::fs::write(home.join(".bashrc"), "old").unwrap();
        assert_eq!(link_all(&repo, &home).unwrap(), 2);
        assert_eq!(link_all(&repo, &home).unwrap(), 2);
        let read = |name: &str| std::fs::read_to_string(home.join(name)).unwrap();
        assert_eq!((read(".bashrc"), read(".bashrc.bak")), (".bashrc".into(), "old".into()));
        assert_eq!(read(".vimrc"), ".vimrc");
        assert!(!home.join(".bashrc.bak2").exists() && !home.join(".git").exists());
        std::fs::remove_file(home.join(".vimrc")).unwrap();
        std::os::unix::fs::symlink("elsewhere", home.join(".vimrc")).unwrap();
        assert_eq!(link_all(&repo, &home).unwrap(), 2);
        assert_eq!(std::fs::read_link(home.join(".vimrc.bak")).unwrap(), Path::new("elsewhere"));
        assert!(!home.join("README.md").exists());
    }
}
