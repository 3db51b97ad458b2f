//! A real browser on a real server: a person's whole path, and the picture in the README.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::site::{Ran, STEADING, Site};

/// Larger than this, the README is slow to open.
const MOST_BYTES_OF_A_PICTURE: u64 = 150_000;

pub(super) fn script(name: &str) -> String {
    format!("{}/tests/it/browser/{name}", env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn node(site: &Site, args: &[&str]) -> Command {
    let mut command = site.command("node");
    command.args(args);
    command
}

#[test]
fn the_first_person_s_whole_path_works() {
    let mut site = Site::empty();
    let (url, shots) = (site.url.clone(), site.path("shots"));
    let mut child = node(&site, &[&script("path.mjs"), &url, &shots])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = child.stdin.take().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        match line.strip_prefix("ask ").map(|ask| ask.split_once(' ').unwrap_or((ask, ""))) {
            // The token itself: a session made by it would end with the password's change.
            Some(("token", token)) => {
                let args = ["login", &url, "--token", token, "--use-token-as-session"];
                site.cli(&args).ok();
            }
            Some(("restart", _)) => {
                site.kill();
                site.start();
            }
            Some((other, _)) => panic!("the path asks for {other}"),
            None => {
                said.push(line);
                continue;
            }
        }
        writeln!(answers).unwrap();
    }
    let ended = child.wait().unwrap();
    assert!(ended.success() && said.iter().any(|l| l.contains("the path works")), "{said:#?}");
    site.cli(&["delete", "kiln", "--yes"]).ok();
}

#[test]
fn passkeys_sign_people_in() {
    let mut site = Site::empty();
    site.stop();
    // Browsers make no passkeys for an address without a name.
    let named = site.url.replace("127.0.0.1", "localhost");
    site.extra = vec!["--access-url".to_owned(), named.clone()];
    site.start();
    let ran = Ran::new(&mut node(&site, &[&script("passkeys.mjs"), &named, &site.path("shots")]));
    let said = ran.ok();
    assert!(said.contains("the passkeys work"), "{said}");
    let code = said.lines().find_map(|line| line.strip_prefix("code ")).unwrap();
    the_command_line_asks_too(&site, code);
}

/// With a recovery code that is left, and after the machine's owner has removed what was lost.
fn the_command_line_asks_too(site: &Site, code: &str) {
    std::fs::write(site.path("password"), "correct horse 7\n").unwrap();
    let run = |args: &[&str]| {
        let password = std::fs::File::open(site.path("password")).unwrap();
        Ran::new(site.command(STEADING).args(args).args(["--password-stdin"]).stdin(password))
    };
    let login = ["login", &site.url.replace("localhost", "127.0.0.1"), "--username", "ada"];
    let refused = run(&login);
    assert!(refused.code != Some(0) && refused.err.contains("Give --code"), "{}", refused.err);
    let wrong = run(&[&login[..], &["--code", "000000"]].concat());
    assert!(wrong.code != Some(0) && wrong.err.contains("The code is wrong"), "{}", wrong.err);
    run(&[&login[..], &["--code", code]].concat()).ok();
    site.cli(&["whoami"]).ok();
    run(&["reset-password", "ada", "--data", &site.path("data"), "--remove-factors"]).ok();
    run(&login).ok();
}

#[test]
fn the_audit_log_is_searched_as_one_types() {
    let site = Site::new();
    site.cli(&["groups", "create", "potters"]).ok();
    let (script, shots) = (script("audit.mjs"), site.path("shots"));
    let args = [&*script, &site.url, &shots, "ada", "correct horse 7"];
    let said = Ran::new(&mut node(&site, &args)).ok();
    assert!(said.contains("the audit log works"), "{said}");
}

#[test]
fn the_picture_in_the_readme_is_of_a_running_server() {
    let site = Site::new();
    site.create_here("kiln");
    let inside = site.ssh_command("kiln").arg("sleep 600").stdout(Stdio::null()).spawn();
    let mut inside = inside.unwrap();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshot.png");
    let (script, file_name) = (script("screenshot.mjs"), file.display().to_string());
    let ran =
        Ran::new(&mut node(&site, &[&script, &site.url, "ada", "correct horse 7", &file_name]));
    inside.kill().unwrap();
    inside.wait().unwrap();
    ran.ok();
    let len = std::fs::metadata(&file).unwrap().len();
    assert!((20_000..MOST_BYTES_OF_A_PICTURE).contains(&len), "{len} bytes");
}
