//! Someone from a directory at work in a terminal, until the directory lets them go.

use super::at_work::AtWork;
use super::site::Site;
use crate::identity::slapd::Slapd;

fn sign_in(site: &Site, name: &str, password: &str) -> Option<String> {
    let body = serde_json::json!({ "email": name, "password": password }).to_string();
    let url = format!("{}/api/v2/users/login", site.url);
    let kind = "Content-Type: application/json";
    let said = site.run("curl", &["-s", "-H", kind, "-d", &body, &url]).ok();
    let said: serde_json::Value = serde_json::from_str(&said).ok()?;
    said["session_token"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_terminal_is_cut_when_the_directory_lets_its_person_go() {
    let slapd = Slapd::start();
    let settings = tempfile::NamedTempFile::new().unwrap();
    let table = slapd.table() + "allowed_groups = [\"potters\"]\ncheck_every = \"15s\"\n";
    std::fs::write(settings.path(), table).unwrap();
    let site = Site::with(&["--config", settings.path().to_str().unwrap()]);
    site.push_starter("this-machine");
    let token = sign_in(&site, "lin", "lin's password").expect("Lin is let in");
    let mut at_work = AtWork::begin(&site, &token).await;

    slapd.member("add", "potters", "max");
    slapd.member("delete", "potters", "lin");
    let is_cut = at_work.is_cut().await;
    let deleted = site.cli(&["delete", "lin/kiln", "--yes"]);
    assert!(is_cut, "the terminal stays open");
    assert!(sign_in(&site, "lin", "lin's password").is_none());
    deleted.ok();
}
