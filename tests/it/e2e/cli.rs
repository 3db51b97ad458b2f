//! The command line as its users meet it: slips, pipes, interrupts, shells, certificates.

use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::said::Said;
use super::site::{Ran, STEADING, Site, eventually};

/// A template whose build takes longer than any test.
const SLOW: &str = r#"
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
resource "terraform_data" "slow" {
  count = data.coder_workspace.me.start_count
  provisioner "local-exec" {
    command = "sleep 600"
  }
}
"#;

/// What a shell says of a command that wrote into a closed pipe.
const CLOSED_PIPE: i32 = 141;

#[track_caller]
fn fails(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert_eq!(ran.out, "", "{ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is missing: {ran:?}");
    }
}

#[test]
fn slips_are_met_with_what_was_meant() {
    let site = Site::new();
    site.create_here("kiln");
    let check = |args: &[&str], meant: &str| fails(&site.cli(args), 1, &["Did you mean", meant]);
    check(&["show", "kilm"], "\"kiln\"");
    check(&["show", "ada/kilm"], "\"kiln\"");
    check(&["ssh", "kilm", "--", "true"], "\"kiln\"");
    check(&["templates", "pull", "this-machin"], "\"this-machine\"");
    check(&["templates", "versions", "list", "this-machin"], "\"this-machine\"");
    check(&["create", "x", "--template", "this-machin", "--yes"], "\"this-machine\"");
    check(&["templates", "init", "--id", "dcker", "x"], "\"docker\"");
    check(&["users", "show", "adda"], "\"ada\"");
    check(&["users", "suspend", "adda"], "\"ada\"");
    fails(&site.cli(&["lst"]), 2, &["list"]);
    fails(&site.cli(&["list", "--serch", "x"]), 2, &["--search"]);
    fails(&site.cli(&["list", "-c", "nam"]), 1, &["no column", "workspace, template"]);
    let versions = ["templates", "pull", "this-machine", "--version", "v2", "--tar"];
    fails(&site.cli(&versions), 1, &["no version", "\"v1\""]);
    let unnamed = site.cli(&["users", "create", "-u", "grace"]);
    fails(&unnamed, 1, &["e-mail", "--email"]);
    let badly = site.cli(&["users", "create", "-u", "grace", "-e", "nothing"]);
    fails(&badly, 1, &["email: must be an e-mail address"]);
    assert_eq!(badly.err.matches("must be an e-mail address").count(), 1, "{}", badly.err);
    let id: serde_json::Value =
        serde_json::from_str(&site.cli(&["list", "-o", "json"]).ok()).unwrap();
    let by_id = site.cli(&["show", id[0]["id"].as_str().unwrap()]).ok();
    assert!(by_id.contains("ada/kiln is running"), "{by_id}");
}

#[test]
fn who_is_not_signed_in_is_told_how() {
    let mut site = Site::new();
    let url = site.url.clone();
    let nobody = |args: &[&str]| {
        let mut cli = site.command(STEADING);
        Ran::new(cli.env("CODER_CONFIG_DIR", site.path("nobody")).args(args))
    };
    fails(&nobody(&["list"]), 1, &["No server is known", "steading login URL"]);
    fails(&nobody(&["login"]), 1, &["Say which server: `steading login URL`."]);
    fails(&nobody(&["list", "--url", &url]), 1, &["not signed in", &url]);
    fails(&nobody(&["list", "--url", &url, "--token", "bad"]), 1, &["Sign in again"]);
    let bare = url.trim_start_matches("http://");
    fails(&nobody(&["login", bare]), 1, &["no terminal to ask at", "--password-stdin"]);
    let wrong = format!("printf wrong | {STEADING} login {url} --username ada --password-stdin");
    let wrong = site.run("sh", &["-c", &wrong]);
    fails(&wrong, 1, &["The name or the password is wrong"]);
    assert!(!wrong.err.contains("Sign in again"), "{}", wrong.err);
    let token = site.cli(&["login", "token"]).ok();
    for twin in ["CODER", "STEADING"] {
        let mut cli = site.command(STEADING);
        cli.env_remove("CODER_CONFIG_DIR").env("HOME", site.path("elsewhere"));
        cli.env(format!("{twin}_URL"), &url).env(format!("{twin}_SESSION_TOKEN"), token.trim());
        let who = Ran::new(cli.args(["whoami", "-c", "username,roles"])).ok();
        assert_eq!(who, "USERNAME  ROLES\nada       owner\n");
    }
    site.kill();
    fails(&site.cli(&["list"]), 1, &["cannot be reached", "Is the server running there?"]);
    fails(&site.cli(&["stop", "kiln", "--yes"]), 1, &["cannot be reached"]);
}

#[test]
fn a_reader_that_has_enough_ends_a_command_quietly() {
    let site = Site::new();
    site.create_here("kiln");
    let piped = |command: &str| {
        let line = format!("{STEADING} {command} | head -c 2; exit ${{PIPESTATUS[0]}}");
        site.run("bash", &["-c", &line])
    };
    // Its agent is there from now on.
    site.cli(&["ssh", "kiln", "--", "true"]).ok();
    // A workspace that is slow to answer is waited for, and that is said.
    let is_quiet = |ran: &Ran| !ran.err.contains("error:") && !ran.err.contains("broke");
    let endless = piped("ssh kiln -- yes");
    assert_eq!((endless.code, &*endless.out), (Some(CLOSED_PIPE), "y\n"), "{endless:?}");
    assert!(is_quiet(&endless), "{endless:?}");
    let finite = piped("ssh kiln -- 'seq 1 9; exit 3'");
    assert_eq!(finite.out, "1\n");
    assert!(is_quiet(&finite), "{finite:?}");
    let line = format!("{STEADING} completion bash | true; exit ${{PIPESTATUS[0]}}");
    let script = site.run("bash", &["-c", &line]);
    assert_eq!(script.err, "");
    let full = site.run("sh", &["-c", &format!("{STEADING} list > /dev/full")]);
    fails(&full, 1, &["Writing to standard output", "No space left"]);
}

#[test]
fn ctrl_c_cancels_the_build_it_waits_for() {
    let site = Site::new();
    std::fs::create_dir(site.path("slow")).unwrap();
    std::fs::write(site.path("slow/main.tf"), SLOW).unwrap();
    site.cli(&["templates", "push", "slow", "-d", &site.path("slow"), "--yes"]).ok();
    let mut create = site.command(STEADING);
    create.args(["create", "kiln", "--template", "slow", "--yes"]).stderr(Stdio::piped());
    let mut create = create.spawn().unwrap();
    let mut said = Said::by(create.stderr.take().unwrap());
    said.until("Provisioning with 'local-exec'");
    kill_process(Pid::from_child(&create), Signal::INT).unwrap();
    let rest = said.rest();
    assert!(rest.lines().any(|line| line.starts_with("Cancelling")), "{rest}");
    assert_eq!(create.wait().unwrap().code(), Some(1), "{rest}");
    let shown = site.cli(&["list", "-c", "workspace,status"]).ok();
    assert!(shown.contains("ada/kiln   canceled"), "{shown}");
    site.cli(&["delete", "kiln", "--yes"]).ok();
}

#[test]
fn a_workspace_keeps_to_its_schedule() {
    let site = Site::new();
    site.create_here("kiln");
    site.cli(&["schedule", "start", "kiln", "9:30AM", "Mon-Fri", "Europe/Dublin"]).ok();
    site.cli(&["schedule", "stop", "kiln", "8h"]).ok();
    site.cli(&["autoupdate", "kiln", "always"]).ok();
    let shown = site.cli(&["schedule", "show", "-c", "workspace,starts_at,stops_after"]).ok();
    assert!(shown.contains("CRON_TZ=Europe/Dublin 30 9 * * Mon-Fri  8 h"), "{shown}");
    let extended = site.cli(&["schedule", "extend", "kiln", "3h"]);
    assert!(extended.err.contains("kiln stops at 20"), "{extended:?}");
    let told: serde_json::Value =
        serde_json::from_str(&site.cli(&["show", "kiln", "-o", "json"]).ok()).unwrap();
    assert_eq!(told["automatic_updates"], "always");
    assert!(told["latest_build"]["deadline"].is_string(), "{told}");
    site.cli(&["schedule", "start", "kiln", "manual"]).ok();
    site.cli(&["schedule", "stop", "kiln", "manual"]).ok();
    let shown = site.cli(&["schedule", "show", "kiln", "-c", "starts_at,stops_after"]).ok();
    assert_eq!(shown.lines().nth(1), Some(""), "{shown}");
    fails(&site.cli(&["schedule", "start", "kiln", "noon"]), 1, &["not a time of day"]);
}

#[test]
fn an_environment_is_given_to_a_command() {
    let site = Site::new();
    site.create_here("kiln");
    let given = ["ssh", "kiln", "-e", "KILN_HEAT=9", "--env", "B=a b", "--", "echo $KILN_HEAT:$B"];
    assert_eq!(site.cli(&given).ok(), "9:a b\n");
    fails(&site.cli(&["ssh", "kiln", "-e", "KILN", "--", "true"]), 1, &["not NAME=VALUE"]);
    let kept = ["ssh", "kiln", "-e", "CODER_WORKSPACE_NAME=x", "--", "echo $CODER_WORKSPACE_NAME"];
    assert_eq!(site.cli(&kept).ok(), "kiln\n");
}

#[test]
fn shells_complete_what_is_typed() {
    let site = Site::new();
    let coder = site.path("coder");
    std::os::unix::fs::symlink(STEADING, &coder).unwrap();
    for (program, name) in [(STEADING, "steading"), (&*coder, "coder")] {
        for shell in ["bash", "zsh", "fish"] {
            let script = site.run(program, &["completion", shell]).ok();
            std::fs::write(site.path(&format!("{name}.{shell}")), script).unwrap();
        }
        let bash = format!(
            "source {name}.bash; COMP_WORDS=({name} templates pu); COMP_CWORD=2; \
             $(complete -p {name} | grep -o '_[a-z]*') {name} pu templates; echo ${{COMPREPLY[@]}}"
        );
        assert_eq!(site.run("bash", &["--norc", "-c", &bash]).ok().trim(), "push pull");
        let fish = format!("source {name}.fish; complete -C '{name} templates pu'");
        let offered = site.run("fish", &["-c", &fish]).ok();
        assert!(offered.contains("push\t") && offered.contains("pull\t"), "{offered}");
        let zsh = format!(
            "autoload -Uz compinit; compinit -D -u; source ./{name}.zsh; echo $_comps[{name}]"
        );
        assert_eq!(site.run("zsh", &["-fc", &zsh]).ok().trim(), format!("_{name}"));
    }
}

#[test]
fn an_ssh_configuration_is_written_once_and_taken_back() {
    let site = Site::new();
    site.create_here("kiln");
    std::fs::create_dir(site.path(".ssh")).unwrap();
    let file = site.path(".ssh/config");
    let before = "Host kept\n  HostName example.test\n";
    std::fs::write(&file, before).unwrap();
    site.cli(&["config-ssh", "--yes"]).ok();
    let once = std::fs::read_to_string(&file).unwrap();
    assert!(once.starts_with(before), "{once}");
    site.cli(&["config-ssh", "--yes"]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), once);
    for host in ["coder.kiln", "kiln.coder", "coder.kiln.main"] {
        let said = site.run("ssh", &["-F", &file, host, "echo over $CODER_WORKSPACE_NAME"]);
        assert_eq!(said.ok(), "over kiln\n", "{host}");
    }
    site.cli(&["config-ssh", "--remove", "--yes"]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn a_certificate_is_trusted_when_its_authority_is_named() {
    let pem = tempfile::tempdir().unwrap();
    let of = |name: &str| pem.path().join(name).display().to_string();
    let (cert, key) = (of("cert.pem"), of("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args([
        "-nodes",
        "-keyout",
        &key,
        "-out",
        &cert,
        "-days",
        "2",
        "-subj",
        "/CN=kiln.test",
    ]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
    Ran::new(openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"])).ok();
    let site = Site::new();
    let mut server = site.command(STEADING);
    server.args(["server", "--data", &site.path("tls"), "--http-address", "127.0.0.1:0"]);
    server.args(["--ssh-address", "127.0.0.1:0", "--wireguard-address", "127.0.0.1:0"]);
    server.args(["--tls-cert-file", &cert, "--tls-key-file", &key]);
    let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = Said::by(server.stdout.take().unwrap());
    let line = lines.line().unwrap();
    let url = line.split_whitespace().nth(1).unwrap();
    assert!(url.starts_with("https://127.0.0.1:"), "{line}");
    let login = |trust: Option<&str>| {
        let mut login = site.command(STEADING);
        login.env_remove("SSL_CERT_DIR").env("CODER_CONFIG_DIR", site.path("secure"));
        match trust {
            Some(file) => login.env("SSL_CERT_FILE", file),
            None => login.env_remove("SSL_CERT_FILE"),
        };
        login.args(["login", url, "--first-user-username", "ada"]);
        login.args(["--first-user-email", "ada@example.test"]);
        Ran::new(login.args(["--first-user-password", "correct horse 7"]))
    };
    let stranger = login(None);
    let trusted = login(Some(&cert));
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    fails(&stranger, 1, &["certificate of 127.0.0.1", "SSL_CERT_FILE"]);
    trusted.ok();
}

#[test]
fn ports_come_here_until_it_is_stopped() {
    let site = Site::new();
    site.create_here("kiln");
    let mut serving = site.ssh_command("kiln");
    let script = "import socket\ns = socket.create_server((\"127.0.0.1\", 0))\n\
                  print(s.getsockname()[1], flush=True)\n\
                  while True: c, _ = s.accept(); c.sendall(b\"from kiln\"); c.close()";
    serving.arg(format!("exec python3 -c '{script}'")).stdout(Stdio::piped());
    let mut serving = serving.spawn().unwrap();
    let port = Said::by(serving.stdout.take().unwrap()).line().unwrap();
    let mut forward = site.command(STEADING);
    forward.args(["port-forward", "kiln", "--tcp", &format!("0:{}", port.trim())]);
    let mut forward = forward.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let at = Said::by(forward.stdout.take().unwrap()).line().unwrap();
    let at = at.split_whitespace().next().unwrap().to_owned();
    let said = eventually("an answer through the port", || {
        let mut stream = std::net::TcpStream::connect(&at).ok()?;
        let mut all = String::new();
        std::io::Read::read_to_string(&mut stream, &mut all).ok()?;
        (!all.is_empty()).then_some(all)
    });
    kill_process(Pid::from_child(&forward), Signal::INT).unwrap();
    let code = forward.wait().unwrap().code();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert_eq!((said.as_str(), code), ("from kiln", Some(0)));
}
