//! The agent as a service: what is written, how far it is shut in, and that nothing of it stays.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

const STEADING: &str = env!("CARGO_BIN_EXE_steading");

/// What `systemd-analyze security` may say of the unit: nothing of it is unsafe (0 is best, 10 worst).
const EXPOSED: f64 = 1.8;

/// A machine's root, with what its system has there before.
fn machine(init: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let common = ["etc", "usr/local/bin", "usr/local/lib", "var/lib", "var/log"];
    let own = match init {
        "systemd" => {
            ["run/systemd/system", "etc/systemd/system/multi-user.target.wants", "etc/sysusers.d"]
        }
        "launchd" => ["System/Library/LaunchDaemons", "Library/LaunchDaemons", "usr/bin"],
        _ => ["run/openrc", "etc/init.d", "etc/runlevels/default"],
    };
    for path in common.iter().chain(&own) {
        std::fs::create_dir_all(dir.path().join(path)).unwrap();
    }
    let passwd = "root:x:0:0:root:/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/bash\n";
    std::fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
    dir
}

/// Of files from this size on, which are programs, the size has to do.
const LARGE: u64 = 1 << 20;

/// Every path below with its mode and what it holds.
fn all(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let there = path.symlink_metadata().unwrap();
            let held = match there.len() {
                _ if !there.is_file() => vec![],
                LARGE.. => there.len().to_string().into_bytes(),
                _ => std::fs::read(&path).unwrap(),
            };
            let name = path.strip_prefix(root).unwrap().display().to_string();
            found.insert(name, (there.permissions().mode() & 0o7777, held));
            if there.is_dir() {
                dirs.push(path);
            }
        }
    }
    found
}

fn agent(root: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(STEADING);
    command.arg("agent").args(args).arg("--root").arg(root).env_clear();
    command.env("CODER_AGENT_URL", "https://steading.example/under");
    command.env("CODER_AGENT_TOKEN", "agent-secret").env("https_proxy", "http://proxy:3128");
    command.output().unwrap()
}

#[track_caller]
fn ok(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn what_is_installed_goes_without_a_trace() {
    for (init, service, starts) in [
        (
            "systemd",
            "etc/systemd/system/steading-agent.service",
            "etc/systemd/system/multi-user.target.wants/steading-agent.service",
        ),
        ("openrc", "etc/init.d/steading-agent", "etc/runlevels/default/steading-agent"),
    ] {
        let root = machine(init);
        let before = all(root.path());
        for _ in 0..2 {
            let said = ok(&agent(root.path(), &["install"]));
            assert!(said.contains("agent runs as steading-agent"), "{said}");
        }
        let made = all(root.path());
        let program = &made["usr/local/lib/steading-agent/steading"];
        let size = std::fs::metadata(STEADING).unwrap().len().to_string();
        assert_eq!(program, &(0o755, size.into_bytes()));
        let (mode, settings) = &made["etc/steading-agent/environment"];
        assert_eq!(*mode, 0o600, "only root reads the token");
        assert_eq!(
            String::from_utf8_lossy(settings),
            "STEADING_AGENT_URL=\"https://steading.example/under\"\n\
             STEADING_AGENT_TOKEN=\"agent-secret\"\nhttps_proxy=\"http://proxy:3128\"\n"
        );
        assert!(made.contains_key(service), "{init}");
        // An image's system does all of it by itself at its first start, but for an account on Alpine.
        let leads = std::fs::read_link(root.path().join(starts)).unwrap();
        assert_eq!(leads, Path::new("/").join(service));
        if init == "systemd" {
            let (_, account) = &made["etc/sysusers.d/steading-agent.conf"];
            let line = "u steading-agent - - /var/lib/steading-agent /bin/sh\n";
            assert_eq!(String::from_utf8_lossy(account), line);
        }
        let secrets =
            made.iter().filter(|(_, (_, held))| held.windows(12).any(|w| w == b"agent-secret"));
        let names: Vec<_> = secrets.map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["etc/steading-agent/environment"]);
        ok(&agent(root.path(), &["uninstall", "--yes"]));
        assert_eq!(all(root.path()), before, "{init}");
        let again = agent(root.path(), &["uninstall", "--yes"]);
        assert!(!again.status.success());
    }
}

/// A property list as Python's own reader has it.
fn read_plist(path: &Path) -> serde_json::Value {
    let script =
        "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let read = Command::new("python3").args(["-c", script]).arg(path).output();
    let read = read.expect("python3 is installed");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}

#[test]
fn a_mac_starts_it_without_privileges_and_keeps_it_alive() {
    let list = "Library/LaunchDaemons/steading-agent.plist";
    for (user, name, home) in [
        (&[][..], "steading-agent", "/var/lib/steading-agent"),
        (&["--user", "pi"], "pi", "/home/pi"),
    ] {
        let root = machine("launchd");
        let before = all(root.path());
        for _ in 0..2 {
            let said = ok(&agent(root.path(), &[&["install"][..], user].concat()));
            assert!(said.contains(&format!("agent runs as {name}")), "{said}");
        }
        let made = all(root.path());
        assert_eq!(made[list].0, 0o644, "launchd takes no list that others may write");
        assert_eq!(made["etc/steading-agent/environment"].0, 0o600);
        assert_eq!(made["var/lib/steading-agent"].0, 0o750);
        assert_eq!(made["usr/local/lib/steading-agent/steading"].0, 0o755);
        let secrets =
            made.iter().filter(|(_, (_, held))| held.windows(12).any(|w| w == b"agent-secret"));
        let names: Vec<_> = secrets.map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["etc/steading-agent/environment"]);
        let read = read_plist(&root.path().join(list));
        assert_eq!(read["Label"], "steading-agent");
        assert_eq!((&read["UserName"], &read["WorkingDirectory"]), (&name.into(), &home.into()));
        for key in ["RunAtLoad", "KeepAlive"] {
            assert_eq!(read[key], true, "{key}");
        }
        for key in ["StandardOutPath", "StandardErrorPath"] {
            assert_eq!(read[key], "/var/log/steading-agent.log", "{key}");
        }
        assert_eq!(read["Umask"], 0o077);
        assert_eq!(read["EnvironmentVariables"]["HOME"], home);
        runs_the_agent_with_its_settings(root.path(), &read);
        ok(&agent(root.path(), &["uninstall", "--yes"]));
        assert_eq!(all(root.path()), before);
    }
}

/// What launchd would start, with the machine's root put before each path, and a program that says what
/// it is given in place of the agent.
fn runs_the_agent_with_its_settings(root: &Path, list: &serde_json::Value) {
    let root = root.display().to_string();
    let program = format!("{root}/usr/local/lib/steading-agent/steading");
    std::fs::remove_file(&program).unwrap();
    std::fs::write(
        &program,
        "#!/bin/sh\necho \"$@\" \"$STEADING_AGENT_URL\" \"$STEADING_AGENT_TOKEN\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let words = list["ProgramArguments"].as_array().unwrap().iter().map(|w| w.as_str().unwrap());
    let words: Vec<String> = words
        .map(|word| word.replace(" /etc/", &format!(" {root}/etc/")))
        .map(|word| word.replace(" /usr/local/", &format!(" {root}/usr/local/")))
        .collect();
    let ran = Command::new(&words[0]).args(&words[1..]).env_clear().output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(said, "agent https://steading.example/under agent-secret\n", "{ran:?}");
}

#[test]
fn the_unit_is_shut_in_and_sound() {
    let own: &[&str] = &[];
    for user in [own, &["--user", "pi"]] {
        let root = machine("systemd");
        ok(&agent(root.path(), &[&["install"][..], user].concat()));
        let unit = root.path().join("etc/systemd/system/steading-agent.service");
        let text = std::fs::read_to_string(&unit).unwrap();
        assert!(!text.lines().any(|l| l.contains('@') && !l.contains("@system-service")), "{text}");
        let home = if user.is_empty() { "ProtectHome=yes" } else { "BindPaths=/home/pi" };
        assert!(text.contains(home), "{text}");
        let analyze = |args: &[&str]| {
            let ran = Command::new("systemd-analyze").args(args).arg(&unit).output();
            ran.expect("systemd-analyze is installed")
        };
        let judged = analyze(&["security", "--offline=true", "--no-pager"]);
        let judged = String::from_utf8_lossy(&judged.stdout).into_owned();
        let (_, level) = judged.rsplit_once("steading-agent.service: ").expect("a level");
        let level: f64 = level.split_whitespace().next().unwrap().parse().unwrap();
        assert!(level <= EXPOSED, "{level}\n{judged}");
        let verified = analyze(&["verify"]);
        let complaints = String::from_utf8_lossy(&verified.stderr).into_owned();
        // The program is below another root.
        let complaints: Vec<_> = complaints
            .lines()
            .filter(|l| l.contains("steading") && !l.contains("not executable"))
            .collect();
        assert_eq!(complaints, Vec::<&str>::new());
    }
}

#[test]
fn what_cannot_be_installed_says_why() {
    let bare = tempfile::tempdir().unwrap();
    let said = agent(bare.path(), &["install"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("neither systemd nor OpenRC"), "{said}");
    let root = machine("systemd");
    for (user, why) in [("root", "not run as root"), ("nobody", "no account \"nobody\"")] {
        let refused = agent(root.path(), &["install", "--user", user]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(why), "{said}");
    }
    let asked = agent(root.path(), &["uninstall"]);
    assert!(!asked.status.success());
}
