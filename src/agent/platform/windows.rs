//! A machine with Windows.

use std::ffi::OsString;
use std::io;
use std::os::windows::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

/// Between the directories in `PATH`.
pub const BETWEEN_PATHS: char = ';';
/// Where programs are when the machine's environment does not say.
pub const DEFAULT_PATH: &str = r"C:\Windows\system32;C:\Windows";

/// What the machine calls itself.
#[must_use]
pub fn host() -> String {
    sysinfo::System::host_name().unwrap_or_default()
}

/// The system asks this process to end: a key, or the end of its console or of the machine.
pub struct Ends {
    interrupt: CtrlC,
    broken: CtrlBreak,
    closed: CtrlClose,
    shut_down: CtrlShutdown,
}

impl Ends {
    /// From now on.
    ///
    /// # Errors
    /// When the system does not tell us.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            broken: ctrl_break()?,
            closed: ctrl_close()?,
            shut_down: ctrl_shutdown()?,
        })
    }

    /// The next time.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.broken.recv() => {}
            _ = self.closed.recv() => {}
            _ = self.shut_down.recv() => {}
        }
    }
}

/// Nothing: each account has a directory for what is passing, which no other one enters.
#[must_use]
pub fn account() -> String {
    "own".to_owned()
}

/// Makes a directory in that one.
///
/// # Errors
/// When it cannot be made.
pub fn own_dir(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Makes a program callable by a name in a directory. Not by a link, which would be in the way when the
/// program is replaced while it runs, and needs a right that most people do not have.
///
/// # Errors
/// When the directory cannot be written.
pub fn name_program(program: &Path, dir: &Path, name: &str) -> io::Result<()> {
    // The shell reads a percent sign twice.
    let program = program.display().to_string().replace('%', "%%");
    std::fs::write(dir.join(name).with_extension("cmd"), format!("@\"{program}\" %*\r\n"))
}

/// Whether files can be put into a directory.
#[must_use]
pub fn is_writable(dir: &Path) -> bool {
    let probe = dir.join(format!(".steading-{}", std::process::id()));
    let made = std::fs::write(&probe, "").is_ok();
    made && std::fs::remove_file(probe).is_ok()
}

/// How a shell reads a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `cmd.exe`.
    Cmd,
    /// PowerShell, of either kind.
    PowerShell,
    /// One like those of POSIX.
    Posix,
}

impl Shell {
    /// By a program's name.
    #[must_use]
    pub fn of(program: &Path) -> Self {
        let name = program.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match name.as_str() {
            "cmd" => Self::Cmd,
            "powershell" | "pwsh" => Self::PowerShell,
            _ => Self::Posix,
        }
    }
}

/// Adds arguments to a command, as they stand: programs read their line each in its own way.
pub fn add_arguments(command: &mut Command, arguments: &[OsString]) {
    for argument in arguments {
        command.raw_arg(argument);
    }
}

/// A path as an argument.
#[must_use]
pub fn argument(path: &Path) -> OsString {
    quoted(&path.to_string_lossy()).into()
}

/// The arguments by which a shell reads a command line, each as it stands in the line that starts it.
#[must_use]
pub fn shell_arguments(shell: &Path, line: &str) -> Vec<OsString> {
    let words = match Shell::of(shell) {
        // It takes one quotation mark off each end, and reads the rest as it is.
        Shell::Cmd => {
            vec!["/d".to_owned(), "/s".to_owned(), "/c".to_owned(), format!("\"{line}\"")]
        }
        Shell::PowerShell => ["-NoLogo", "-NonInteractive", "-Command"]
            .map(str::to_owned)
            .into_iter()
            .chain([quoted(line)])
            .collect(),
        Shell::Posix => vec!["-c".to_owned(), quoted(line)],
    };
    words.into_iter().map(OsString::from).collect()
}

/// A shell that reads a command line, or a login shell with these arguments.
pub fn shell(
    program: &Path,
    line: Option<&str>,
    login: impl Iterator<Item = &'static str>,
) -> Command {
    let mut command = Command::new(program);
    match (line, Shell::of(program)) {
        (Some(line), _) => add_arguments(&mut command, &shell_arguments(program, line)),
        (None, Shell::Cmd) => {}
        (None, Shell::PowerShell) => {
            command.arg("-NoLogo");
        }
        (None, Shell::Posix) => {
            command.arg("--login").args(login);
        }
    }
    command
}

/// A word as programs read it out of the line that starts them: between quotation marks, where those
/// within, and backslashes before them, stand behind a backslash.
#[must_use]
pub fn quoted(word: &str) -> String {
    let mut out = String::from("\"");
    let mut backslashes = 0;
    for c in word.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                out.push_str(&"\\".repeat(backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        out.push(c);
    }
    out.push_str(&"\\".repeat(backslashes));
    out.push('"');
    out
}

/// The arguments by which a program reads a script.
#[must_use]
pub fn file_arguments(program: &Path, script: &Path) -> Vec<OsString> {
    let script = argument(script);
    match Shell::of(program) {
        Shell::Cmd => {
            // Quotation marks around what is in quotation marks: one is taken off each end.
            let quoted = script.to_string_lossy();
            vec!["/d".into(), "/q".into(), "/s".into(), "/c".into(), format!("\"{quoted}\"").into()]
        }
        Shell::PowerShell => {
            let words = ["-NoLogo", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"];
            words.into_iter().map(OsString::from).chain([script]).collect()
        }
        Shell::Posix => vec![script],
    }
}

/// The program that a script's first line names, `/usr/bin/pwsh` too: it is looked for here.
#[must_use]
pub fn named_program(name: &str) -> PathBuf {
    let last = name.rsplit('/').next().unwrap_or(name);
    if name.contains('\\') { name.into() } else { last.into() }
}

/// What the name of a script for this program ends with: some run nothing else.
#[must_use]
pub fn script_ending(program: &Path) -> &'static str {
    match Shell::of(program) {
        Shell::Cmd => "cmd",
        Shell::PowerShell => "ps1",
        Shell::Posix => "",
    }
}
