//! How clients come: by header, cookie or bearer, with methods and fields that are not asked for.

use axum::body::Body;
use http::{Method, header};
use serde_json::json;

use super::shapes::{GROUP, USER};
use super::{Caller, answered};
use crate::e2e::site::Site;
use crate::harness::{Client, TestServer};

#[tokio::test]
async fn a_token_is_taken_from_where_clients_put_it_and_not_from_an_address() {
    let server = TestServer::start().await;
    let token = server.sign_in("ada").await.token.unwrap();
    let with = |headers: Vec<(&'static str, String)>| Client { headers, ..Client::default() };
    let cookie = format!("other=1; coder_session_token={token}");
    for client in [
        with(vec![("coder-session-token", token.clone())]),
        with(vec![("authorization", format!("Bearer {token}"))]),
        with(vec![("cookie", cookie)]),
    ] {
        let reply = server.get(&client, "/api/v2/users/me").await;
        let me = answered(&reply, "by header", (200, &USER));
        assert_eq!(me["username"], "ada");
    }
    // An address is kept by logs, histories and other sites.
    let anyone = Client::default();
    for name in ["coder_session_token", "access_token"] {
        let path = format!("/api/v2/users/me?{name}={token}");
        server.get(&anyone, &path).await.expect(401);
    }
}

#[tokio::test]
async fn methods_and_fields_nobody_asked_for_do_no_harm() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let path = "/api/v2/users/me";
    let head = server.call(&olga.who, Method::HEAD, path, None).await.expect(200);
    assert!(head.text.is_empty() && head.headers["content-type"] == "application/json");
    let options = server.call(&olga.who, Method::OPTIONS, path, None).await.expect(405);
    assert!(options.headers["allow"].to_str().unwrap().contains("GET"));
    let groups = "/organizations/default/groups";
    let body = json!({ "name": "potters", "colour": "red", "members": [{ "id": 7 }] });
    let made = olga.call((Method::POST, groups), Some(body), (201, &GROUP)).await;
    let patch = format!("/groups/{}", made["id"].as_str().unwrap());
    let same = olga.call((Method::PATCH, &patch), Some(json!({})), (200, &GROUP)).await;
    assert_eq!(same, made);
    for (text, kind) in [("{", "application/json"), ("", "application/json"), ("[]", "text/plain")]
    {
        let request = olga
            .who
            .request(Method::POST, &format!("/api/v2{groups}"))
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(text))
            .unwrap();
        let reply = server.send(request).await;
        answered(&reply, text, (400, &super::shapes::RESPONSE));
    }
}

/// curl over a socket, as a program that asks twice.
#[test]
fn a_connection_is_kept_for_who_asks_again() {
    let site = Site::new();
    let token = site.cli(&["tokens", "create", "--name", "curl"]).ok().trim().to_owned();
    let session = format!("Coder-Session-Token: {token}");
    let url = format!("{}/api/v2/users?limit=1", site.url);
    let written = "%{http_code} %{num_connects}\n";
    let args = ["-s", "--compressed", "-o", "/dev/null", "-w", written, "-H", &session, &url];
    let again = ["-o", "/dev/null", &url];
    let said = site.run("curl", &[&args[..], &again[..]].concat()).ok();
    assert_eq!(said.lines().collect::<Vec<_>>(), ["200 1", "200 0"]);
}
