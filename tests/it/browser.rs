//! What a browser may be made to do: cookies, other sites, forwarded addresses, headers.

use serde_json::json;

use crate::harness::{Client, PASSWORD, TestServer, URL};

#[tokio::test]
async fn another_site_cannot_use_a_cookie() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let body = json!({"token_name": "x"});
    let tries = async |headers: &[(&'static str, &str)]| {
        let client = ada.in_browser(headers);
        server.post(&client, "/api/v2/users/me/keys/tokens", body.clone()).await.status.as_u16()
    };
    assert_eq!(tries(&[("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(tries(&[("sec-fetch-site", "same-site")]).await, 403);
    assert_eq!(tries(&[("origin", "https://evil.example")]).await, 403);
    assert_eq!(tries(&[("origin", "null")]).await, 403);
    assert_eq!(tries(&[]).await, 403);
    assert_eq!(tries(&[("origin", URL)]).await, 201);
    let read = ada.in_browser(&[("sec-fetch-site", "cross-site")]);
    server.get(&read, "/api/v2/users/me").await.expect(200);
    let socket = ada.in_browser(&[("origin", "https://evil.example"), ("upgrade", "websocket")]);
    server.get(&socket, "/api/v2/users/me").await.expect(403);
}

#[tokio::test]
async fn another_site_cannot_sign_someone_in() {
    let server = TestServer::start().await;
    let login = json!({"email": "ada", "password": PASSWORD});
    let client =
        Client { headers: vec![("sec-fetch-site", "cross-site".to_owned())], ..Client::default() };
    server.post(&client, "/api/v2/users/login", login).await.expect(403);
}

#[tokio::test]
async fn tokens_come_by_header_bearer_or_cookie() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let token = ada.token.clone().unwrap();
    let by = |name: &'static str, value: String| Client {
        headers: vec![(name, value)],
        ..Client::default()
    };
    for client in [
        by("coder-session-token", token.clone()),
        by("authorization", format!("Bearer {token}")),
        by("cookie", format!("coder_session_token={token}")),
        by("cookie", format!("other=1; __Host-steading_session={token}")),
    ] {
        server.get(&client, "/api/v2/users/me").await.expect(200);
    }
    let mut bad = by("cookie", format!("coder_session_token={token}"));
    bad.token = Some("0123456789-0123456789012345678901".to_owned());
    server.get(&bad, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let server =
        TestServer::with(|_| {}, |c| c.access_url = Some("https://dev.example.org".into())).await;
    server.app.create_first_user(crate::harness::person("olga")).await.unwrap();
    let login = json!({"email": "olga", "password": PASSWORD});
    let reply = server.post(&Client::default(), "/api/v2/users/login", login).await.expect(201);
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-steading_session="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(reply.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_forged_address_does_not_slip_past_the_lockout() {
    let server = TestServer::start().await;
    for n in 0..13 {
        let client = Client {
            headers: vec![("x-forwarded-for", format!("198.51.100.{n}"))],
            ..Client::default()
        };
        let login = json!({"email": format!("user{n}"), "password": "wrong"});
        let status = server.post(&client, "/api/v2/users/login", login).await.status.as_u16();
        assert_eq!(status, if n < 10 { 401 } else { 429 }, "attempt {n}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_guard_a_browser() {
    let server = TestServer::start().await;
    for path in ["/api/v2/buildinfo", "/api/v2/users/me", "/nowhere"] {
        let reply = server.get(&Client::default(), path).await;
        let has = |name: &str| reply.headers.get(name).map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(has("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
        assert!(has("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert!(has("x-request-id").is_some());
    }
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let large = json!({"token_name": "x".repeat(2 << 20)});
    server.post(&ada, "/api/v2/users/me/keys/tokens", large).await.expect(413);
    let reply = server.get(&ada, "/api/v2/nothing/here").await.expect(404);
    assert!(reply.json()["message"].is_string());
    server.delete(&ada, "/api/v2/buildinfo").await.expect(405);
}

#[tokio::test]
async fn a_form_must_come_from_a_page_of_this_session() {
    let server = TestServer::start().await;
    let own = [("sec-fetch-site", "same-origin"), ("accept", "text/html")];
    let ada = server.sign_in("ada").await.in_browser(&own);
    let ben = server.sign_in("ben").await.in_browser(&own);
    let token = async |client: &Client| {
        let page = server.get(client, "/settings/account").await.expect(200).text;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("the form has a token");
        rest.split('"').next().unwrap().to_owned()
    };
    let (hers, his) = (token(&ada).await, token(&ben).await);
    let save = async |csrf: Option<&str>| {
        let mut fields = vec![("username", "ada"), ("name", "Ada L")];
        fields.extend(csrf.map(|token| ("csrf", token)));
        server.form(&ada, "/settings/account", &fields).await.status.as_u16()
    };
    assert_eq!(save(None).await, 403);
    assert_eq!(save(Some("")).await, 403);
    assert_eq!(save(Some(&his)).await, 403);
    assert_eq!(save(Some(&hers)).await, 303);
    let me = server.get(&ada, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(me["name"], "Ada L");
}

#[tokio::test]
async fn a_form_with_files_must_come_from_such_a_page_too() {
    let server = TestServer::start().await;
    let own = [("sec-fetch-site", "same-origin"), ("accept", "text/html")];
    let ada = server.sign_in("ada").await.in_browser(&own);
    let page = server.get(&ada, "/settings/account").await.expect(200).text;
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("the form has a token");
    let send = async |csrf: &str| {
        let head = "--b7\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n";
        let request = ada
            .request(http::Method::POST, "/settings/account")
            .header("content-type", "multipart/form-data; boundary=b7");
        let body = axum::body::Body::from(format!("{head}{csrf}\r\n--b7--\r\n"));
        server.send(request.body(body).unwrap()).await.status.as_u16()
    };
    assert_eq!(send("").await, 403);
    assert_eq!(send("AAAA").await, 403);
    // It is let through to the form, which finds no field in it that it knows.
    assert_eq!(send(rest.split('"').next().unwrap()).await, 200);
}

#[tokio::test]
async fn what_was_typed_outlives_its_session() {
    let server = TestServer::start().await;
    let own = [("sec-fetch-site", "same-origin"), ("accept", "text/html")];
    let headers = |pairs: &[(&'static str, &str)]| {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let nobody = Client { headers: headers(&own), ..Client::default() };
    let typed = [("username", "ada"), ("name", "Ada \"L\""), ("password", "not to be kept")];
    let asked = server.form(&nobody, "/settings/account", &typed).await.expect(200).text;
    assert!(asked.contains("What you typed is kept") && !asked.contains("not+to+be+kept"));
    let kept = "username=ada&name=Ada+%22L%22";
    assert!(asked.contains(&kept.replace('&', "&amp;")), "{asked}");
    let login = [("username", "ada"), ("password", PASSWORD), ("kept_to", "/settings/account")];
    let login = [login.as_slice(), &[("kept", kept)]].concat();
    let resumed = server.form(&nobody, "/login", &login).await.expect(200);
    assert!(resumed.text.contains("Ada &quot;L&quot;"), "{}", resumed.text);
    let cookie = resumed.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let ada = Client { cookie: Some(cookie.to_owned()), ..nobody.clone() };
    let (_, rest) = resumed.text.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = ("csrf", rest.split('"').next().unwrap());
    let saved = server.form(&ada, "/settings/account", &[&typed[..2], &[csrf]].concat()).await;
    saved.expect(303);
    // Another site cannot have its own words kept, and no page leads away from here.
    let foreign =
        Client { headers: headers(&[("sec-fetch-site", "cross-site")]), ..nobody.clone() };
    server.form(&foreign, "/settings/account", &typed).await.expect(303);
    let away = [("username", "ada"), ("password", PASSWORD), ("kept_to", "//evil.test/")];
    server.form(&nobody, "/login", &away).await.expect(303);
    // htmx takes the whole page along.
    let part = Client { headers: headers(&[("hx-request", "true"), own[1]]), ..nobody };
    let reply = server.get(&part, "/workspaces").await.expect(401);
    assert!(reply.headers["hx-redirect"].to_str().unwrap().starts_with("/login"));
}

#[tokio::test]
async fn pages_lead_people_to_where_they_can_go_on() {
    let server = TestServer::empty().await;
    let anyone = Client { headers: vec![("accept", "text/html".to_owned())], ..Client::default() };
    let leads = async |path: &str| {
        let reply = server.get(&anyone, path).await.expect(303);
        reply.headers["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(leads("/workspaces").await, "/setup");
    assert_eq!(leads("/login").await, "/setup");
    let fields = [("username", "olga"), ("email", "olga@example.org"), ("password", PASSWORD)];
    let made = server.form(&anyone, "/setup", &fields).await.expect(303);
    assert!(made.headers["set-cookie"].to_str().unwrap().starts_with("coder_session_token="));
    assert_eq!(leads("/setup").await, "/login");
    assert_eq!(leads("/workspaces?q=x").await, "/login?next=%2Fworkspaces%3Fq%3Dx");
    let lost = server.get(&anyone, "/nowhere").await.expect(404);
    assert!(lost.text.starts_with("<!doctype html>"), "{}", lost.text);
    let olga = server.sign_in("olga").await.in_browser(&[("accept", "text/html")]);
    assert_eq!(server.get(&olga, "/login").await.expect(303).headers["location"], "/");
}
