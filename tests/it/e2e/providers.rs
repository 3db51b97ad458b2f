//! People of an `OpenID` provider and of GitHub at work in terminals, until they are removed there.

use super::at_work::AtWork;
use super::site::Site;
use crate::days::clock::Stepped;
use crate::identity::peer::{Browser, Peer};

/// Longer than people are not asked after, in seconds.
const LATER: i64 = 6 * 60;

/// A server that is told of a provider which knows it by its address.
fn told(mut site: Site, settings: &str) -> Stepped {
    let path = site.path("providers.toml");
    std::fs::write(&path, settings).unwrap();
    site.extra = vec!["--config".to_owned(), path];
    let stepped = Stepped::from(site);
    stepped.0.push_starter("this-machine");
    stepped
}

fn openid(peer: &Peer) -> String {
    format!(
        "[oidc.sso]\nissuer = {:?}\nclient_id = \"steading\"\n\
         client_secret = \"a secret for tests\"\n",
        peer.issuer.as_str()
    )
}

fn ada() -> serde_json::Value {
    serde_json::json!({
        "email": "lovelace@example.org", "email_verified": true, "preferred_username": "lovelace",
    })
}

/// Waits for the end of what is open; the workspace is deleted whatever came of it.
async fn is_cut(site: &Site, at_work: &mut AtWork) {
    let is_cut = at_work.is_cut().await;
    site.cli(&["delete", "lovelace/kiln", "--yes"]).ok();
    assert!(is_cut, "the terminal stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_terminal_is_cut_when_its_person_is_removed_at_the_openid_provider() {
    let site = Site::new();
    let peer = Peer::start(&site.url, &["authorization_code", "refresh_token"]).await;
    peer.put("ada", ada()).await;
    let stepped = told(site, &openid(&peer));
    let site = &stepped.0;
    let token = Browser::default().arrive(&site.url, "/login/oidc/sso", "ada").await;
    let mut at_work = AtWork::begin(site, &token).await;
    peer.remove("ada").await;
    stepped.set(LATER);
    is_cut(site, &mut at_work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_terminal_is_cut_when_its_person_signs_out_at_the_openid_provider() {
    let site = Site::new();
    let peer = Peer::start(&site.url, &["authorization_code", "refresh_token"]).await;
    peer.put("ada", ada()).await;
    let stepped = told(site, &openid(&peer));
    let mut browser = Browser::default();
    let site = &stepped.0;
    let token = browser.arrive(&site.url, "/login/oidc/sso", "ada").await;
    let mut at_work = AtWork::begin(site, &token).await;
    browser.sign_out(&peer).await;
    is_cut(site, &mut at_work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_terminal_is_cut_when_its_person_is_removed_at_github() {
    let site = Site::new();
    let peer = Peer::github(&site.url).await;
    let email = serde_json::json!({
        "email": "lovelace@example.org", "primary": true, "verified": true, "visibility": null,
    });
    let person = serde_json::json!({
        "user": { "id": 1815, "login": "lovelace", "name": "Ada Lovelace", "email": null },
        "emails": [email], "orgs": [], "teams": [],
    });
    peer.put("ada", person).await;
    let settings = format!(
        "[github]\nclient_id = \"steading\"\nclient_secret = \"a secret for tests\"\n\
         allow_everyone = true\nenterprise_base_url = {:?}\n",
        peer.issuer.as_str()
    );
    let stepped = told(site, &settings);
    let site = &stepped.0;
    let token = Browser::default().arrive(&site.url, "/login/github", "ada").await;
    let mut at_work = AtWork::begin(site, &token).await;
    peer.remove("ada").await;
    stepped.set(LATER);
    is_cut(site, &mut at_work).await;
}
