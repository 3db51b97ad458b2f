//! The program for Windows, by wine: the command line of someone who sits there, and an agent.
//! Needs `wine` (64 bits) besides what `.ci/platforms` builds.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{greeter, platforms};
use crate::e2e::machine::{Machine, copies_files};
use crate::e2e::ports;
use crate::e2e::said::Said;
use crate::e2e::site::{Ran, STEADING, Site, eventually};
use crate::e2e::updates::{make_newer, newer, renew_server};

/// The program as it lies in the directory of programs.
const FILE: &str = "steading-windows-amd64.exe";
/// What wine before its version 9 lacks of Windows 10: where Rust's standard library takes chance from.
const CHANCE: &str = "#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
  return SystemFunction036(data, (ULONG)length);
}
";
/// What it has of figures, and counts no processor time by.
const FIGURES: &str = "#include <windows.h>
#define NONE(name) __declspec(dllexport) LONG WINAPI name(void) { return 0xC0000BB8; }
NONE(PdhAddEnglishCounterW) NONE(PdhCloseQuery) NONE(PdhCollectQueryData) NONE(PdhEnumObjectsW)
NONE(PdhGetFormattedCounterValue) NONE(PdhOpenQueryW) NONE(PdhRemoveCounter)
";
/// Most that it may weigh, in bytes.
const MOST_BYTES: u64 = 12 << 20;

/// A server, and a machine with Windows: a directory of wine's.
struct Desk {
    site: Site,
    prefix: PathBuf,
    program: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let program = platforms().join(FILE);
        assert!(program.exists(), "{} is missing: run .ci/platforms", program.display());
        let site = Site::new();
        let prefix = PathBuf::from(site.path("wine"));
        // A space, as names of people have there.
        let at = site.path("Program Files");
        std::fs::create_dir(&at).unwrap();
        let desk = Self { program: Path::new(&at).join("steading.exe"), site, prefix };
        std::fs::copy(&program, &desk.program).unwrap();
        desk.wine("wineboot", &["--init"]).ok();
        desk.mend();
        desk
    }

    /// Adds what an old wine lacks.
    fn mend(&self) {
        for (name, text) in [("bcryptprimitives", CHANCE), ("pdh", FIGURES)] {
            let source = self.site.path(&format!("{name}.c"));
            std::fs::write(&source, text).unwrap();
            let made = self.prefix.join(format!("drive_c/windows/system32/{name}.dll"));
            let args = ["-shared", "-o", made.to_str().unwrap(), &source, "-ladvapi32"];
            self.site.run("x86_64-w64-mingw32-gcc", &args).ok();
        }
    }

    /// A command of wine's.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.site.command(program);
        self.settings().iter().for_each(|(name, value)| {
            command.env(name, value);
        });
        command.env_remove("CODER_CONFIG_DIR");
        command
    }

    /// Quiet, and without what it would ask for in a window.
    fn settings(&self) -> [(&'static str, String); 3] {
        [
            ("WINEPREFIX", self.prefix.display().to_string()),
            ("WINEDEBUG", "-all".to_owned()),
            ("WINEDLLOVERRIDES", "mscoree,mshtml=;bcryptprimitives,pdh=n".to_owned()),
        ]
    }

    fn wine(&self, program: &str, args: &[&str]) -> Ran {
        let mut command = self.command("wine");
        Ran::new(command.arg(program).args(args))
    }

    /// Runs the program as its person would.
    fn run(&self, args: &[&str]) -> Ran {
        self.wine(self.program.to_str().unwrap(), args)
    }

    /// A path in the profile of the person.
    fn profile(&self, name: &str) -> PathBuf {
        let users = std::fs::read_dir(self.prefix.join("drive_c/users")).unwrap().flatten();
        let person = users.map(|entry| entry.path()).find(|path| !path.ends_with("Public"));
        person.expect("wine made a profile").join(name)
    }

    fn sign_in(&self) {
        let session = std::fs::read_to_string(self.site.path("cli/session")).unwrap();
        self.run(&["--token", session.trim(), "login", &self.site.url]).ok();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Ends what runs in this directory of wine's, and nothing else.
        let mut command = self.command("wineserver");
        let _ = command.arg("-k").status();
    }
}

/// A process that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs what .ci/platforms builds, and wine"]
fn windows_has_a_command_line() {
    let desk = Desk::new();
    let bytes = std::fs::metadata(&desk.program).unwrap().len();
    assert!(bytes < MOST_BYTES, "{bytes}");
    assert!(desk.run(&["version"]).ok().contains(env!("CARGO_PKG_VERSION")));
    assert!(desk.run(&["--help"]).ok().contains("Usage"));
    assert_eq!(desk.run(&["nonsense"]).code, Some(2));

    // Coder's plug-ins look for its directory in the same one.
    desk.sign_in();
    let settings = desk.profile("AppData/Roaming/steading");
    let stored = std::fs::read_to_string(settings.join("url")).unwrap();
    assert_eq!(stored.trim_end_matches('/'), desk.site.url);
    assert!(settings.join("session").exists());
    assert!(desk.run(&["whoami"]).ok().contains("ada"));

    desk.site.create_here("first");
    let listed: serde_json::Value =
        serde_json::from_str(&desk.run(&["list", "-o", "json"]).ok()).unwrap();
    assert_eq!(listed[0]["name"], "first");
    assert!(desk.run(&["show", "first"]).ok().contains("main"));
    assert_eq!(desk.run(&["ssh", "first", "--", "echo hi"]).ok(), "hi\n");
    assert_eq!(desk.run(&["ssh", "first", "--", "exit 7"]).code, Some(7));
    let failed = desk.run(&["ssh", "nowhere", "--", "true"]);
    assert!(failed.code == Some(1) && failed.err.contains("nowhere"), "{failed:?}");

    is_a_proxy(&desk);
    forwards_a_port(&desk);
    desk.run(&["logout", "--yes"]).ok();
    assert!(!settings.join("session").exists());
}

/// What `config-ssh` writes is what OpenSSH would run, here with wine before it.
fn is_a_proxy(desk: &Desk) {
    desk.run(&["config-ssh", "--yes"]).ok();
    let config = std::fs::read_to_string(desk.profile(".ssh/config")).unwrap();
    let line = config.lines().find_map(|line| line.trim().strip_prefix("ProxyCommand ")).unwrap();
    assert!(line.starts_with("\"Z:\\") && line.contains("steading.exe\" "), "{line}");
    assert!(line.contains("\\AppData\\Roaming\\steading"), "{line}");

    // A POSIX shell reads the same line, as that of Git for Windows does.
    let settings = desk.settings().map(|(name, value)| format!("{name}='{value}'")).join(" ");
    let line = line.replace("%h", "coder.first");
    let mut command = desk.site.command("ssh");
    command.args(["-F", "none", "-o", &format!("ProxyCommand env {settings} wine {line}")]);
    command.args(desk.site.ssh_options()).args(["coder.first", "cat; exit 3"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut ssh = command.spawn().unwrap();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let mut stdin = ssh.stdin.take().unwrap();
    let sent = bytes.clone();
    let sending = std::thread::spawn(move || stdin.write_all(&sent).unwrap());
    let mut back = vec![];
    ssh.stdout.take().unwrap().read_to_end(&mut back).unwrap();
    sending.join().unwrap();
    assert_eq!(ssh.wait().unwrap().code(), Some(3));
    assert!(back == bytes, "{} bytes came back", back.len());
}

fn forwards_a_port(desk: &Desk) {
    let (here, there) = (ports::free(), greeter());
    let mut command = desk.command("wine");
    command.arg(&desk.program).args(["port-forward", "first", "--tcp", &format!("{here}:{there}")]);
    let _forward = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let line = eventually("the port is here", || {
        let stream = TcpStream::connect(("127.0.0.1", here)).ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        Some(line).filter(|line| !line.is_empty())
    });
    assert_eq!(line, "hello from a port\n");
}

/// Starts the agent of a workspace on the desk's machine.
fn agent(desk: &Desk, name: &str) -> Machine {
    let token =
        desk.site.external_on(name, ("windows", "amd64"), "echo started>%USERPROFILE%\\\\started");
    let settings = desk.settings().map(|(name, value)| format!("{name}={value}"));
    let run: Vec<&str> =
        std::iter::once("env").chain(settings.iter().map(String::as_str)).chain(["wine"]).collect();
    Machine::start(&desk.site, name, &token, &desk.program, &run)
}

#[test]
#[ignore = "needs what .ci/platforms builds, and wine"]
fn windows_is_an_agent() {
    let mut desk = Desk::new();
    let mut machine = agent(&desk, "pc");
    let site = &desk.site;
    assert_eq!(site.agent_version("pc"), env!("CARGO_PKG_VERSION"));
    assert_eq!(site.ssh("pc", "cmd /c echo hi").ok().trim_end(), "hi");
    assert_eq!(site.ssh("pc", "echo %CODER_WORKSPACE_NAME% & exit 7").code, Some(7));
    assert_eq!(site.ssh("pc", "echo %CODER_WORKSPACE_NAME%").ok().trim_end(), "pc");
    assert_eq!(site.ssh("pc", "echo \"a b\" 1>&2").err.trim_end(), "\"a b\"");
    assert!(site.ssh("pc", "coder version").ok().contains(env!("CARGO_PKG_VERSION")));
    eventually("the start script ran", || desk.profile("started").exists().then_some(()));

    has_a_terminal(site, "pc");
    copies_files(site, "pc");
    let mut forward = site.command("ssh");
    forward.args(["-F", "none", "-p", &site.ssh_port.to_string()]).args(site.ssh_options());
    forward.args(["-W", &format!("127.0.0.1:{}", greeter()), "pc@127.0.0.1"]);
    assert_eq!(Ran::new(&mut forward).ok(), "hello from a port\n");

    // Somebody stays while the server is replaced.
    let mut command = site.command(STEADING);
    command.args(["ssh", "pc", "--", "echo in& set /p word=& call echo %^word%"]);
    let mut session = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = Said::by(session.stdout.take().unwrap());
    assert_eq!(said.line().as_deref().map(str::trim_end), Some("in"));
    desk.site.stop();
    desk.site.start();
    eventually("the agent is back", || (desk.site.ssh("pc", "exit").code == Some(0)).then_some(()));
    session.stdin.as_mut().unwrap().write_all(b"still\r\n").unwrap();
    assert_eq!(said.line().as_deref().map(str::trim_end), Some("still"));
    assert!(session.wait().unwrap().success());
    machine.assert_runs();

    is_replaced(&mut desk, &mut machine);
}

/// What is typed is run, and what ends is told. Wine gives a process in a pseudo-console nothing to read
/// and write by unless that is named.
fn has_a_terminal(site: &Site, name: &str) {
    let mut terminal = site.ssh_command(name);
    terminal.arg("-tt").arg("echo in a terminal of %CODER_WORKSPACE_NAME% >CON");
    let shown = Ran::new(&mut terminal).ok();
    assert!(shown.contains(&format!("in a terminal of {name}")), "{shown:?}");

    let mut shell = site.ssh_command(name);
    shell.arg("-tt").arg("cmd <CON >CON 2>CON").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    stdin.write_all(b"echo typed-%OS%\r").unwrap();
    let mut shown = String::new();
    let mut stdout = shell.stdout.take().unwrap();
    let mut buffer = [0; 4096];
    while !shown.contains("typed-Windows_NT") {
        let read = stdout.read(&mut buffer).unwrap();
        assert!(read > 0, "it ended: {shown:?}");
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    stdin.write_all(b"exit 5\r").unwrap();
    std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    assert_eq!(shell.wait().unwrap().code(), Some(5));
}

/// The server has a newer program, twice: each takes the place of the one that runs.
fn is_replaced(desk: &mut Desk, machine: &mut Machine) {
    let site = &mut desk.site;
    std::fs::create_dir_all(site.path("data/programs")).unwrap();
    make_newer(&desk.program, site.path(&format!("data/programs/{FILE}")).as_ref());
    renew_server(site);
    eventually("the agent is newer", || (site.agent_version("pc") == newer()).then_some(()));
    machine.assert_runs();
    assert!(site.ssh("pc", "coder version").ok().contains(&newer()));
    assert!(!machine.beside(".new").exists());
}
