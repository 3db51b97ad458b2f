//! Pages as a browser asks for them: by cookie, by form, and with what is wrong said in place.

use steading::server::html::layout::Csrf;

use crate::harness::{Client, PASSWORD, TestServer, URL};

/// A browser on the site's own pages, signed in or not.
fn browser(cookie: Option<String>) -> Client {
    let headers = [("origin", URL), ("accept", "text/html"), ("sec-fetch-site", "same-origin")];
    Client {
        cookie,
        headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        ..Client::default()
    }
}

async fn signed_in(server: &TestServer, name: &str) -> Client {
    let fields = [("username", name), ("password", PASSWORD), ("next", "/templates")];
    let reply = server.form(&browser(None), "/login", &fields).await.expect(303);
    assert_eq!(reply.headers["location"], "/templates");
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    browser(Some(cookie.split(';').next().unwrap().to_owned()))
}

/// The token that the forms of a page carry.
fn csrf(page: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{}\" value=\"", Csrf::FIELD)).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_person_sets_the_server_up_and_is_signed_in() {
    let server = TestServer::empty().await;
    let nobody = browser(None);
    let home = server.get(&nobody, "/").await.expect(303);
    assert_eq!(home.headers["location"], "/setup");
    server.get(&nobody, "/setup").await.expect(200);
    let short = [("username", "ada"), ("email", "ada@example.org"), ("password", "short")];
    let again = server.form(&nobody, "/setup", &short).await.expect(200);
    assert!(again.text.contains("value=\"ada\"") && again.text.contains("aria-invalid"));
    let good = [("username", "ada"), ("email", "ada@example.org"), ("password", PASSWORD)];
    let done = server.form(&nobody, "/setup", &good).await.expect(303);
    assert_eq!(done.headers["location"], "/workspaces");
    assert!(done.headers.contains_key("set-cookie"));
    let over = server.get(&nobody, "/setup").await.expect(303);
    assert_eq!(over.headers["location"], "/login");
}

#[tokio::test]
async fn a_wrong_password_is_said_in_place_and_signing_in_leads_nowhere_else() {
    let server = TestServer::start().await;
    let wrong = [("username", "ada"), ("password", "not-hers-at-all")];
    let again = server.form(&browser(None), "/login", &wrong).await.expect(200);
    assert!(again.text.contains("User name or password is wrong."));
    assert!(!again.text.contains("not-hers-at-all"));
    let away = [("username", "ada"), ("password", PASSWORD), ("next", "//evil.test/")];
    let reply = server.form(&browser(None), "/login", &away).await.expect(303);
    assert_eq!(reply.headers["location"], "/workspaces");
}

#[tokio::test]
async fn every_page_opens_for_the_owner() {
    let server = TestServer::start().await;
    let olga = signed_in(&server, "olga").await;
    for path in [
        "/workspaces",
        "/templates",
        "/starter-templates",
        "/people",
        "/people/ada",
        "/deployment/sign-in",
        "/settings/account",
        "/settings/security",
        "/settings/tokens",
        "/settings/ssh-keys",
        "/cli-auth",
        "/find?q=a",
    ] {
        let page = server.get(&olga, path).await.expect(200);
        assert!(page.text.starts_with("<!doctype html>"), "{path}");
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("'none'"));
    }
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let server = TestServer::start().await;
    let ada = signed_in(&server, "ada").await;
    server.form(&ada, "/settings/account", &[("username", "eve")]).await.expect(403);
    let page = server.get(&ada, "/settings/account").await.expect(200);
    let token = csrf(&page.text);
    let fields = [("csrf", token.as_str()), ("username", "eve"), ("name", "Eve")];
    let done = server.form(&ada, "/settings/account", &fields).await.expect(303);
    assert_eq!(done.headers["location"], "/settings/account");
    let flash = done.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let cookie = format!("{}; {flash}", ada.cookie.clone().unwrap());
    let shown = server.get(&Client { cookie: Some(cookie), ..ada }, "/settings/account").await;
    assert!(shown.text.contains("Names saved.") && shown.text.contains("value=\"eve\""));
}

#[tokio::test]
async fn a_token_is_shown_once_and_revoked_by_its_button() {
    let server = TestServer::start().await;
    let ada = signed_in(&server, "ada").await;
    let token = csrf(&server.get(&ada, "/settings/tokens").await.text);
    let wrong = [("csrf", token.as_str()), ("name", "laptop"), ("days", "9000")];
    let again = server.form(&ada, "/settings/tokens", &wrong).await.expect(200);
    assert!(again.text.contains("value=\"laptop\"") && again.text.contains("aria-invalid"));
    let fields = [("csrf", token.as_str()), ("name", "laptop"), ("days", "1")];
    let made = server.form(&ada, "/settings/tokens", &fields).await.expect(200);
    let (_, rest) = made.text.split_once("id=\"made\">").unwrap();
    let secret = rest.split('<').next().unwrap().to_owned();
    let by_token = Client { token: Some(secret.clone()), ..Client::default() };
    server.get(&by_token, "/api/v2/users/me").await.expect(200);
    let list = server.get(&ada, "/settings/tokens").await;
    assert!(list.text.contains("laptop") && !list.text.contains(&secret));
    let public = secret.split('-').next().unwrap();
    let path = format!("/settings/tokens/{public}/revoke");
    server.form(&ada, &path, &[("csrf", &token)]).await.expect(303);
    server.get(&by_token, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn what_is_not_there_is_a_page_with_the_request_s_number() {
    let server = TestServer::start().await;
    let ada = signed_in(&server, "ada").await;
    let page = server.get(&ada, "/@olga/secret").await.expect(404);
    assert!(page.text.contains("Nothing here that you may see"));
    let number = page.headers["x-request-id"].to_str().unwrap();
    assert!(page.text.contains(number));
    assert!(!page.text.contains("People"), "a member has no link to the list of people");
    server.get(&ada, "/people").await.expect(403);
}

#[tokio::test]
async fn assets_are_sent_as_the_browser_likes_and_kept_for_ever() {
    let server = TestServer::start().await;
    let path = steading::server::html::assets::STYLE_CSS;
    let mut client = browser(None);
    client.headers.push(("accept-encoding", "gzip, br".to_owned()));
    let reply = server.get(&client, path).await.expect(200);
    assert_eq!(reply.headers["content-encoding"], "br");
    assert!(reply.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let etag = reply.headers["etag"].to_str().unwrap().to_owned();
    client.headers.push(("if-none-match", etag));
    server.get(&client, path).await.expect(304);
    server.get(&browser(None), "/assets/0/style.css").await.expect(404);
}
