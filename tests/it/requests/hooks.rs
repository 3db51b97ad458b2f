//! Programs that are told of requests: none waits for another, each is told in order, and where they are is
//! sealed.

use std::time::Duration;

use serde_json::{Value, json};
use steading::net::dial::Dialer;
use steading::server::outbox;
use steading::tasks::{OnPanic, Tasks};

use super::{REQUESTS, World, listener, said};
use crate::harness::Client;
use crate::workspaces::id;

const HOOK: &str = "/api/v2/organizations/default/settings/request-hook";

impl World {
    async fn hook_at(&self, organization: &str, url: &str) {
        let path = format!("/api/v2/organizations/{organization}/settings/request-hook");
        self.all.server.put(&self.all.olga, &path, json!({ "url": url })).await.expect(201);
    }

    fn sql<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        let conn = rusqlite::Connection::open(&self.all.server.db_path).unwrap();
        conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn change(&self, sql: &str) {
        let conn = rusqlite::Connection::open(&self.all.server.db_path).unwrap();
        conn.execute_batch(sql).unwrap();
    }

    /// Asks, takes it back, and so on: something to tell.
    async fn asks(&self, times: usize) -> Vec<String> {
        let mut all = vec![];
        for _ in 0..times {
            let request = self.asked(&self.all.ben).await;
            self.answer(&self.all.ben, &request, "cancel").await.expect(200);
            all.push(request);
        }
        all
    }
}

/// A program that takes what it is sent and never answers.
async fn silent(tasks: &Tasks) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tasks.spawn("silent", OnPanic::Lose, async move {
        let mut kept = vec![];
        while let Ok((socket, _)) = listener.accept().await {
            kept.push(socket);
        }
    });
    url
}

#[tokio::test]
async fn one_that_never_answers_delays_no_other_and_each_is_told_in_order() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    let path = "/api/v2/organizations";
    let made = server.post(olga, path, json!({ "name": "orchard" })).await.expect(201).json();
    let tasks = Tasks::new();
    let (url, mut heard) = listener(&tasks).await;
    world.hook_at("default", &url).await;
    world.hook_at("orchard", &silent(&tasks).await).await;
    // The one that hangs has waited longer.
    world.change(&format!(
        "INSERT INTO request_notices (organization_id, body, tries, next_at)
         VALUES ('{}', '{{}}', 0, 1)",
        id(&made)
    ));
    let asked = world.asks(3).await;
    let dialer = Dialer::default();
    let pass = outbox::pass(&server.app, &dialer);
    let told = async {
        let mut all = vec![];
        while all.len() < 3 {
            all.push(heard.recv().await.unwrap().1["request"].as_str().unwrap().to_owned());
        }
        all
    };
    // Well before the other's time is over.
    let told = tokio::select! {
        told = tokio::time::timeout(Duration::from_secs(8), told) => told.expect("told at once"),
        _ = pass => panic!("it does not wait for who never answers"),
    };
    assert_eq!(told, asked);
}

#[tokio::test]
async fn what_comes_first_is_told_first_also_when_it_has_to_be_told_again() {
    let world = World::new().await;
    let (app, tasks) = (&world.all.server.app, Tasks::new());
    world.hook_at("default", "http://127.0.0.1:1/").await;
    let mut asked = world.asks(2).await;
    let dialer = Dialer::default();
    outbox::pass(app, &dialer).await.unwrap();
    // It is the program that is not there: what comes later waits with the first.
    asked.extend(world.asks(1).await);
    assert!(app.due_notices(9).await.unwrap().is_empty());
    let (url, mut heard) = listener(&tasks).await;
    let place: String = world.sql("SELECT organization_id FROM request_hooks");
    let rows = "CREATE TEMP TABLE kept AS SELECT * FROM request_notices";
    let conn = rusqlite::Connection::open(&world.all.server.db_path).unwrap();
    conn.execute_batch(rows).unwrap();
    world.hook_at("default", &url).await;
    conn.execute_batch("INSERT INTO request_notices SELECT * FROM kept").unwrap();
    assert_eq!(app.next_notice(place.parse().unwrap()).await.unwrap().unwrap().url.as_str(), url);
    world.wait(61);
    outbox::pass(app, &dialer).await.unwrap();
    for request in asked {
        assert_eq!(heard.recv().await.unwrap().1["request"], json!(request));
    }
    assert!(app.due_notices(9).await.unwrap().is_empty());
}

#[tokio::test]
async fn where_it_is_is_sealed_shown_by_its_host_alone_and_in_no_log() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    let url = "https://hooks.example.org:8443/services/T00/very-secret?key=more";
    world.hook_at("default", url).await;
    let shown = server.get(olga, HOOK).await.expect(200).json();
    assert_eq!(shown, json!({ "url": "", "host": "hooks.example.org:8443", "secret": "" }));
    let kept: Vec<u8> = world.sql("SELECT url FROM request_hooks");
    let holds = |bytes: &[u8]| bytes.windows(11).any(|part| part == b"very-secret");
    assert!(!holds(&kept));
    server.delete(olga, HOOK).await.expect(204);
    world.hook_at("default", url).await;
    let log = server.get(olga, "/api/v2/audit?limit=3").await.expect(200).text;
    assert!(log.contains("hooks.example.org:8443") && !log.contains("very-secret"), "{log}");

    // What an older release kept in clear is sealed at the next start, and leads to the same place.
    world.change(&format!("UPDATE request_hooks SET url = CAST('{url}' AS BLOB)"));
    assert_eq!(server.app.seal_hooks().await.unwrap(), 1);
    assert_eq!(server.app.seal_hooks().await.unwrap(), 0);
    let kept: Vec<u8> = world.sql("SELECT url FROM request_hooks");
    assert!(!holds(&kept));
    world.asks(1).await;
    let place: String = world.sql("SELECT organization_id FROM request_hooks");
    let next = server.app.next_notice(place.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(next.url.as_str(), url);
}

#[tokio::test]
async fn a_secret_that_does_not_open_sends_nothing_and_lets_nobody_answer() {
    let world = World::new().await;
    let app = &world.all.server.app;
    let secret = world.set_hook(&world.all.olga).await;
    let request = world.asked(&world.all.ben).await;
    world.change("UPDATE request_hooks SET secret = x'0102030405'");
    let place: String = world.sql("SELECT organization_id FROM request_hooks");
    assert!(app.next_notice(place.parse().unwrap()).await.unwrap().is_none());
    assert!(app.due_notices(9).await.unwrap().is_empty(), "put off as what was not taken");
    let reply = world.brings(&secret, &request, "ada@example.org").await;
    assert!(!reply.status.is_success(), "{}", reply.text);
    assert_eq!(world.sees(&world.all.ben).await, 404);
    // The page of a request and its answer by people go on.
    world.answer(&world.all.ada, &request, "approve").await.expect(200);
    // And nor does a signature by another secret, or by none.
    let other = world.set_hook(&world.all.olga).await;
    assert_ne!(other, secret);
    let request = world.asked(&world.cora).await;
    world.brings(&secret, &request, "ada@example.org").await.expect(401);
    let body: Value =
        json!({ "request": request, "email": "ada@example.org", "verdict": "approve" });
    let path = format!("{REQUESTS}/{request}/webhook");
    let unsigned = world.all.server.post(&Client::default(), &path, body).await.expect(401);
    assert_eq!(said(&unsigned), "The signature does not fit, or nothing here listens.");
}

#[tokio::test]
async fn when_five_hundred_wait_new_requests_are_not_told_and_what_became_of_them_is() {
    let world = World::new().await;
    world.hook_at("default", "http://127.0.0.1:1/").await;
    world.change(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
         INSERT INTO request_notices (organization_id, body, tries, next_at)
         SELECT organization_id, '{}', 0, 1 FROM request_hooks, n",
    );
    let count = || world.sql::<i64>("SELECT count(*) FROM request_notices");
    let request = world.asked(&world.all.ben).await;
    assert_eq!(count(), 500);
    world.answer(&world.all.ada, &request, "approve").await.expect(200);
    assert_eq!(count(), 501);
    let last: String = world.sql("SELECT body FROM request_notices ORDER BY seq DESC LIMIT 1");
    assert!(last.contains("\"approved\""), "{last}");
}
