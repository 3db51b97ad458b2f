//! The audit log as people look at it: a page, an entry, and the searches they keep.

use serde_json::json;
use steading::model::audit::{
    AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditSource, AuditTarget,
};
use steading::server::app::Actor;
use steading::server::db::{Result, audit};

use crate::harness::{Client, Reply, TestServer};

/// Someone at a browser.
struct Browser<'a> {
    server: &'a TestServer,
    client: Client,
    csrf: String,
}

impl<'a> Browser<'a> {
    async fn of(server: &'a TestServer, name: &str) -> Self {
        let client = server.sign_in(name).await.in_browser(&[("sec-fetch-site", "same-origin")]);
        let page = server.get(&client, "/settings/account").await.expect(200).text;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = csrf.split('"').next().unwrap().to_owned();
        Self { server, client, csrf }
    }

    async fn get(&self, path: &str) -> Reply {
        self.server.get(&self.client, path).await
    }

    async fn see(&self, path: &str) -> String {
        self.get(path).await.expect(200).text
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let all = [&[("csrf", self.csrf.as_str())], fields].concat();
        self.server.form(&self.client, path, &all).await
    }
}

/// Rows of entries on a page.
fn rows(page: &str) -> usize {
    page.matches("<tr role=\"row\" id=\"e-").count()
}

/// Where the first link of an entry leads whose text is this.
fn entry(page: &str, text: &str) -> String {
    let before = page.split(&format!("\">{text}</a>")).next().unwrap();
    assert!(before.len() < page.len(), "no {text:?} in {page}");
    before.rsplit("href=\"").next().unwrap().to_owned()
}

/// Writes entries that nobody made, as many as are asked for.
async fn fill(server: &TestServer, n: usize) {
    server
        .db
        .write(move |tx| -> Result<()> {
            let source = AuditSource::of(AuditActor::System);
            let entry = AuditEntry {
                action: AuditAction::Stop,
                target: AuditTarget::Workspace,
                target_id: uuid::Uuid::from_u128(7),
                target_name: "filler".to_owned(),
                organization: None,
                diff: "{}".to_owned(),
            };
            (0..n).try_for_each(|_| audit::insert(tx, &source, &entry, &AuditOutcome::done()))
        })
        .await
        .unwrap();
}

/// A group is made, an account suspended by a token, and a role refused.
async fn live(server: &TestServer) {
    let olga = server.sign_in("olga").await;
    let path = "/api/v2/organizations/default/groups";
    server.post(&olga, path, json!({ "name": "potters" })).await.expect(201);
    let token = json!({ "token_name": "backup" });
    let token = server.post(&olga, "/api/v2/users/me/keys/tokens", token).await.expect(201).json();
    let bot =
        Client { token: Some(token["key"].as_str().unwrap().to_owned()), ..Client::default() };
    server.put(&bot, "/api/v2/users/ben/status/suspend", json!({})).await.expect(200);
    let ada = server.sign_in("ada").await;
    server.put(&ada, "/api/v2/users/ben/roles", json!({ "roles": ["owner"] })).await.expect(403);
    server.app.write_refusals().await.unwrap();
}

#[tokio::test]
async fn the_page_tells_who_did_what_and_narrows_by_what_is_chosen() {
    let server = TestServer::start().await;
    live(&server).await;
    let aude = Browser::of(&server, "aude").await;
    let page = aude.see("/audit").await;
    for shown in [
        ">made group</a>",
        "<a href=\"/groups/potters\">potters</a>",
        "by token backup",
        "<a href=\"/people/ben\">ben</a>",
        "the server",
        "Denied</span>",
        ">change account</a>",
        "<code>192.0.2.10</code>",
        "format=csv&amp;q=\"",
        "Nothing is signed yet",
    ] {
        assert!(page.contains(shown), "no {shown} in {page}");
    }
    assert!(page.contains("href=\"/audit\" aria-current=\"page\""), "{page}");
    for (query, n) in [
        ("who=olga&action=create&kind=group", 1),
        ("who=OLGA&action=delete", 0),
        ("denied=yes", 1),
        ("denied=yes&who=olga", 0),
        ("denied=yes&who=ada&q=ben", 1),
        ("q=result:done+action:write+username:olga", 1),
        ("q=ip:192.0.2.10+resource_type:group", 1),
        ("q=ip:192.0.2.1", 0),
        ("from=2020-01-01&to=2020-01-31", 0),
        ("from=2020-01-01&kind=group", 1),
        ("q=potters", 1),
    ] {
        let page = aude.see(&format!("/audit?{query}")).await;
        assert_eq!(rows(&page), n, "{query}: {page}");
        assert_eq!(page.contains("No entry fits this search."), n == 0, "{query}");
    }
    // What is chosen goes on: to files, to the form, and to what is kept.
    let page = aude.see("/audit?q=potters&who=olga&denied=yes").await;
    let query = "username%3Aolga%20result%3Adenied%20potters";
    assert!(page.contains(&format!("/api/v2/audit/export?format=jsonl&amp;q={query}")), "{page}");
    assert!(page.contains("name=\"denied\" value=\"yes\" checked"), "{page}");
    let file =
        aude.get("/api/v2/audit/export?format=csv&q=resource_type%3Agroup").await.expect(200);
    assert_eq!(file.text.lines().count(), 2, "{}", file.text);

    let wrong = aude.see("/audit?q=potters++colour:red").await;
    assert!(wrong.contains("At character 10: &quot;colour&quot; is not a key"), "{wrong}");
    assert!(wrong.contains("role=\"alert\"") && rows(&wrong) == 0, "{wrong}");
    let wrong = aude.see("/audit?from=yesterday").await;
    assert!(wrong.contains("date_from wants a day"), "{wrong}");
    // A part of the page is the list alone.
    let mut part = aude.client.clone();
    part.headers.push(("hx-request-type", "partial".to_owned()));
    let part = server.get(&part, "/audit?q=potters").await.expect(200).text;
    assert!(part.starts_with("<div id=\"entries\"") && rows(&part) == 1, "{part}");

    let ada = Browser::of(&server, "ada").await;
    ada.get("/audit").await.expect(403);
    assert!(!ada.see("/workspaces").await.contains("Audit log"));
}

#[tokio::test]
async fn pages_of_a_long_log_follow_each_other_and_what_is_many_is_not_counted() {
    let server = TestServer::start().await;
    let olga = Browser::of(&server, "olga").await;
    let before = rows(&olga.see("/audit?q=-").await);
    fill(&server, 1_100).await;
    let page = olga.see("/audit").await;
    let all = 1_100 + i64::try_from(before).unwrap();
    assert!(page.contains(&format!("1 to 25 of 1,{}", all - 1_000)), "{page}");
    assert!(page.contains("href=\"/audit?offset=25\"") && !page.contains(">Newer<"), "{page}");
    let page = olga.see("/audit?q=filler&kind=workspace&offset=25").await;
    assert!(page.contains("26 to 50 of 1,000 or more"), "{page}");
    assert!(page.contains("href=\"/audit?q=filler&amp;kind=workspace\""), "{page}");
    assert!(page.contains("href=\"/audit?q=filler&amp;kind=workspace&amp;offset=50\""), "{page}");
    let page = olga.see("/audit?q=filler&offset=1075").await;
    assert!(rows(&page) == 25 && !page.contains(">Older<"), "{page}");
    let page = olga.see("/audit?q=filler&offset=999999999").await;
    assert_eq!(rows(&page), 0);
}

#[tokio::test]
async fn an_entry_shows_what_changed_and_how_it_hangs_in_the_chain() {
    let server = TestServer::start().await;
    let olga = Browser::of(&server, "olga").await;
    let by = server.sign_in("olga").await;
    let named = Client { headers: vec![("user-agent", "Firefox/146 (Linux)".to_owned())], ..by };
    server.put(&named, "/api/v2/users/ben/status/suspend", json!({})).await.expect(200);
    server.put(&named, "/api/v2/users/ben/status/activate", json!({})).await.expect(200);
    let list = olga.see("/audit?q=ben").await;
    let last = entry(&list, "changed account");
    let page = olga.see(&last).await;
    for shown in [
        "<h1>Changed account",
        "<del>suspended</del>",
        "<ins>active</ins>",
        "Firefox on Linux",
        "This request",
        "none yet: the log is signed every hour",
        "Holds</span>",
        "a session",
    ] {
        assert!(page.contains(shown), "no {shown} in {page}");
    }
    assert!(!page.contains("Next on this"), "{page}");
    let before = page.split("href=\"").find(|part| part.contains("Before on this")).unwrap();
    let page = olga.see(before.split('"').next().unwrap()).await;
    assert!(page.contains("<ins>suspended</ins>") && page.contains("Next on this"), "{page}");
    // By its number, and signed by now.
    assert!(server.app.checkpoint_pass(true).await.unwrap());
    let first = olga.see("/audit/1").await;
    assert!(first.contains("none: this is the first entry"), "{first}");
    assert!(first.contains(" for entries up to "), "{first}");
    assert!(olga.see("/audit").await.contains("Signed up to entry"));
    for nothing in
        ["/audit/0", "/audit/99999", "/audit/x", &format!("/audit/{}", uuid::Uuid::nil())]
    {
        olga.get(nothing).await.expect(404);
    }
    // Someone changes the log behind the server's back.
    let conn = rusqlite::Connection::open(&server.db_path).unwrap();
    conn.execute("UPDATE audit SET target_name = 'grace' WHERE seq = 2", []).unwrap();
    let page = olga.see("/audit/2").await;
    assert!(page.contains("Does not hold") && page.contains("one of them was changed"), "{page}");
    Browser::of(&server, "urs").await.get("/audit/2").await.expect(403);
}

#[tokio::test]
async fn searches_are_kept_shared_renamed_and_deleted_by_who_made_them() {
    let server = TestServer::start().await;
    let olga = Browser::of(&server, "olga").await;
    let aude = Browser::of(&server, "aude").await;
    let mine = [("name", "Refused"), ("q", "result:denied")];
    let saved = olga.send("/audit/filters", &mine).await.expect(303);
    assert_eq!(saved.headers["location"], "/audit?q=result%3Adenied");
    let shared = [("name", "Deleted"), ("q", "action:delete"), ("shared", "yes")];
    olga.send("/audit/filters", &shared).await.expect(303);
    let page = olga.see("/audit?denied=yes").await;
    assert!(page.contains("aria-current=\"true\">Refused</a>"), "{page}");
    let page = aude.see("/audit").await;
    assert!(page.contains(">Deleted <small>by olga</small></a>"), "{page}");
    assert!(!page.contains("Refused"), "{page}");
    // What cannot be kept is told beside what was typed.
    for (name, query, why) in [
        ("refused", "action:start", "You keep a search named refused."),
        ("", "action:start", "Is needed"),
        ("Red", "colour:red", "At character 1"),
        ("Nothing", " ", "Is empty"),
    ] {
        let page = olga.send("/audit/filters", &[("name", name), ("q", query)]).await.expect(200);
        assert!(page.text.contains(why), "{why}: {}", page.text);
    }
    let page = olga.see("/audit/filters").await;
    let of = |name: &str| {
        let form = page.split("<section").find(|part| part.contains(name)).unwrap();
        let action = form.split("/delete\"").next().unwrap().rsplit("action=\"").next().unwrap();
        action.to_owned()
    };
    let (refused, deleted) = (of(">Refused</a>"), of(">Deleted</a>"));
    let renamed = [("name", "Denied"), ("q", "result:denied username:me"), ("shared", "yes")];
    aude.send(&deleted, &renamed).await.expect(404);
    aude.send(&format!("{deleted}/delete"), &[]).await.expect(404);
    olga.send(&refused, &renamed).await.expect(303);
    let again = olga.send(&refused, &[("name", "Deleted"), ("q", "kiln")]).await.expect(200).text;
    assert!(
        again.contains("You keep a search named Deleted.") && again.contains("value=\"kiln\""),
        "{again}"
    );
    assert!(aude.see("/audit").await.contains(">Denied <small>by olga</small></a>"));
    olga.send(&format!("{deleted}/delete"), &[]).await.expect(303);
    assert!(!aude.see("/audit").await.contains(">Deleted <"));
    // Each change is in the log.
    let page = olga.see("/audit?who=olga&action=write&kind=user").await;
    assert_eq!(rows(&page), 4, "{page}");
    let page = olga.see(&entry(&page, "changed account")).await;
    assert!(
        page.contains("audit_filter_query") && page.contains("<del>action:delete</del>"),
        "{page}"
    );
    // With an account its searches go.
    aude.send("/audit/filters", &[("name", "Mine"), ("q", "kiln"), ("shared", "yes")])
        .await
        .expect(303);
    assert!(olga.see("/audit").await.contains("by aude"));
    server.app.delete_user(&Actor::System, "aude").await.unwrap();
    assert!(!olga.see("/audit").await.contains("by aude"));
    Browser::of(&server, "ada").await.send("/audit/filters", &mine).await.expect(403);
}

#[tokio::test]
async fn nobody_keeps_more_searches_than_they_find_again() {
    let server = TestServer::start().await;
    let aude = Browser::of(&server, "aude").await;
    for n in 0..40 {
        let name = format!("search {n}");
        aude.send("/audit/filters", &[("name", &name), ("q", "kiln")]).await.expect(303);
    }
    let page = aude.send("/audit/filters", &[("name", "more"), ("q", "kiln")]).await.expect(200);
    assert!(page.text.contains("You keep 40 searches; delete one first."), "{}", page.text);
}
