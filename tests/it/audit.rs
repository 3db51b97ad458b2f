//! The audit log: what is in it, how it is searched and exported, and that nobody changes it unseen.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use steading::clock::{Clock, Entropy};
use steading::server::app::audit_chain::{Offline, verify_file};
use steading::server::app::refusals::A_MINUTE;
use steading::server::app::retention::{Old, Retention};
use steading::server::db::Db;

use crate::harness::{Client, PASSWORD, TestServer, person};

const DAY: Duration = Duration::from_hours(24);

async fn search(server: &TestServer, who: &Client, query: &str) -> Vec<Value> {
    let query = serde_urlencoded::to_string([("q", query), ("limit", "200")]).unwrap();
    let found = server.get(who, &format!("/api/v2/audit?{query}")).await.expect(200).json();
    found["audit_logs"].as_array().unwrap().clone()
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|e| e["resource_target"].as_str().unwrap()).collect()
}

async fn verify(server: &TestServer, who: &Client) -> Value {
    server.get(who, "/api/v2/audit/verify").await.expect(200).json()
}

/// Changes the log behind the server's back.
fn change(server: &TestServer, sql: &str) {
    let conn = Connection::open(&server.db_path).unwrap();
    assert!(conn.execute(sql, []).unwrap() > 0, "{sql}");
}

#[tokio::test]
async fn an_entry_says_who_from_where_with_what_and_in_which_request() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let named = Client {
        headers: vec![("user-agent", "kiln/1.0".to_owned()), ("x-request-id", "forged".to_owned())],
        ..olga.clone()
    };
    let reply = server.put(&named, "/api/v2/users/ada/status/suspend", json!({})).await.expect(200);
    let request = reply.headers["x-request-id"].to_str().unwrap().to_owned();
    let found = search(&server, &olga, &format!("request_id:{request}")).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let entry = &found[0];
    assert_eq!(entry["request_id"], request);
    assert_eq!((&entry["action"], &entry["resource_type"]), (&json!("write"), &json!("user")));
    assert_eq!((&entry["user"]["username"], &entry["ip"]), (&json!("olga"), &json!("192.0.2.10")));
    assert_eq!((&entry["user_agent"], &entry["status_code"]), (&json!("kiln/1.0"), &json!(200)));
    assert_eq!(entry["diff"]["status"]["new"], "suspended");
    assert_eq!(entry["additional_fields"]["actor"], "user");
    assert!(entry["additional_fields"]["token_id"].is_string(), "{entry:#}");
    // What the program does by itself is marked as its own.
    let made = search(&server, &olga, "action:create resource_target:ada").await;
    assert_eq!(made[0]["additional_fields"]["actor"], "system");
    assert_eq!(made[0]["user"], Value::Null);
    // What belongs to an organization names it.
    let path = "/api/v2/organizations/default/groups";
    server.post(&olga, path, json!({"name": "potters"})).await.expect(201);
    let group = &search(&server, &olga, "resource_type:group organization:default").await[0];
    assert_eq!(group["organization"]["name"], "default");
    assert_eq!(group["organization"]["id"], group["organization_id"]);
    // So does what was done to someone's part in it, which no row tells later.
    let roles = "/api/v2/organizations/default/members/ada/roles";
    let auditor = json!({ "roles": ["organization-auditor"] });
    server.put(&olga, roles, auditor).await.expect(200);
    server.delete(&olga, "/api/v2/organizations/default/members/ada").await.expect(204);
    let found = "resource_type:organization_member organization:default";
    assert_eq!(search(&server, &olga, found).await.len(), 2);
}

#[tokio::test]
async fn every_key_of_a_search_narrows_it_alone_and_with_others() {
    let server = TestServer::start().await;
    server.sign_in("olga").await;
    let ada = server.sign_in("ada").await;
    server.put(&ada, "/api/v2/users/me/profile", json!({"username": "ada", "name": "Ada L"})).await;
    server.clock.advance(3 * DAY);
    let olga2 = server.sign_in("olga").await;
    server.post(&olga2, "/api/v2/organizations/default/groups", json!({"name": "blue-kiln"})).await;
    let today = server.clock.now().rfc3339();
    let today = today.get(..10).unwrap();
    let before = steading::model::time::Timestamp(server.clock.now().0 - 3 * 86_400).rfc3339();
    let before = before.get(..10).unwrap();
    let me = server.get(&olga2, "/api/v2/users/ada").await.expect(200).json();
    let id = me["id"].as_str().unwrap();
    let all = search(&server, &olga2, "").await.len();
    for (query, expected) in [
        ("username:ada", 2),
        ("username:ADA action:login", 1),
        ("email:ada@example.org action:write", 1),
        ("email:ada@example.org username:olga", 0),
        ("username:me action:create", 1),
        ("username:nobody", 0),
        (&format!("resource_id:{id} action:create"), 1),
        (&format!("resource_id:{id} username:ada"), 2),
        ("resource_target:ada resource_type:user action:register", 0),
        ("resource_target:OLGA action:register", 1),
        ("resource_target:\"blue-kiln\"", 1),
        ("resource_type:group", 1),
        ("organization:default", 1),
        ("organization:elsewhere", 0),
        ("build_reason:autostop", 0),
        ("kiln", 1),
        ("blue kil", 0),
        ("blue kiln", 1),
        ("kiln action:create resource_type:group username:olga", 1),
        ("kiln action:delete", 0),
        ("Blue-Kiln username:olga", 1),
        ("lue", 0),
        ("olga kiln", 1),
        ("kiln username:ada", 0),
        ("ada action:login", 1),
        (&format!("date_from:{today}"), 2),
        (&format!("date_from:{today} action:login"), 1),
        (&format!("date_to:{before}"), all - 2),
        (&format!("date_from:{before} date_to:{today}"), all),
        (&format!("date_from:{today} date_to:{before}"), 0),
        (&format!("kiln date_to:{before}"), 0),
        ("action:create action:delete", 0),
    ] {
        let found = search(&server, &olga2, query).await;
        assert_eq!(found.len(), expected, "{query}: {:?}", names(&found));
    }
}

#[tokio::test]
async fn parts_of_a_search_follow_each_other_and_bad_ones_are_explained() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    // Newest first, in parts that follow each other.
    let parts = async |offset: usize| {
        let path = format!("/api/v2/audit?q=resource_type:user&limit=3&offset={offset}");
        server.get(&olga, &path).await.expect(200).json()
    };
    let count = parts(0).await["count"].as_u64().unwrap();
    let mut seen = BTreeSet::new();
    for offset in (0..count).step_by(3) {
        for entry in parts(usize::try_from(offset).unwrap()).await["audit_logs"].as_array().unwrap()
        {
            assert!(seen.insert(entry["id"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(seen.len() as u64, count);
    for query in ["colour:red", "action:fly", "date_from:soon", "resource_id:7"] {
        let reply = server.get(&olga, &format!("/api/v2/audit?q={query}")).await.expect(400);
        let (key, _) = query.split_once(':').unwrap();
        assert!(reply.text.contains(key), "{}", reply.text);
    }
}

#[tokio::test]
async fn one_changed_byte_is_found_and_its_entry_named() {
    let server = TestServer::start().await;
    let (olga, aude) = (server.sign_in("olga").await, server.sign_in("aude").await);
    assert!(server.app.checkpoint_pass(true).await.unwrap());
    assert!(!server.app.checkpoint_pass(true).await.unwrap(), "there is nothing new");
    let whole = verify(&server, &aude).await;
    assert_eq!((&whole["ok"], &whole["first"]), (&json!(true), &json!(1)), "{whole:#}");
    assert_eq!(whole["checkpoints"], 1);
    let n = whole["last"].as_i64().unwrap();
    let conn = Connection::open(&server.db_path).unwrap();
    for (column, damaged) in [
        ("at", "at + 1"),
        ("actor", "iif(actor = 'user', 'agent', 'user')"),
        ("user_id", "'x' || coalesce(user_id, '')"),
        ("agent_id", "'x'"),
        ("token_id", "iif(token_id IS NULL, 'x', NULL)"),
        ("ip", "ip || ' '"),
        ("user_agent", "'x'"),
        ("request_id", "iif(request_id IS NULL, 'x', NULL)"),
        ("action", "iif(action = 'stop', 'start', 'stop')"),
        ("target", "'group'"),
        ("target_id", "upper(target_id) || 'x'"),
        ("target_name", "upper(target_name)"),
        ("organization_id", "'x'"),
        ("build_reason", "'x'"),
        ("status", "status + 1"),
        ("reason", "'x'"),
        ("diff", "diff || ' '"),
        ("id", "upper(id) || 'x'"),
        ("form", "form + 1"),
        ("hash", "zeroblob(32)"),
    ] {
        for seq in [1, n / 2, n] {
            conn.execute_batch("CREATE TEMP TABLE IF NOT EXISTS kept AS SELECT * FROM audit")
                .unwrap();
            let changed = format!("UPDATE audit SET {column} = {damaged} WHERE seq = {seq}");
            assert_eq!(conn.execute(&changed, []).unwrap(), 1);
            let found = verify(&server, &olga).await;
            assert_eq!(found["ok"], false, "{column} of {seq}");
            assert_eq!(found["finding"]["number"], seq, "{column}: {found:#}");
            let back = format!(
                "UPDATE audit SET {column} = (SELECT {column} FROM kept WHERE seq = {seq})
                 WHERE seq = {seq}"
            );
            conn.execute(&back, []).unwrap();
        }
    }
    assert_eq!(verify(&server, &olga).await["ok"], true);
    let found = {
        change(&server, "UPDATE audit SET target_name = 'grace' WHERE seq = 2");
        verify(&server, &olga).await["finding"].clone()
    };
    let what = found["what"].as_str().unwrap();
    assert!(what.starts_with("entry 2 (id ") && what.contains("\"grace\", 20"), "{what}");
    assert_eq!(found["why"], "its content does not match its hash");
}

#[tokio::test]
async fn removed_forged_and_rewritten_entries_are_found() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    server.app.checkpoint_pass(true).await.unwrap();
    let finding = async || verify(&server, &olga).await["finding"].clone();
    let backup = server.db_path.with_extension("kept");
    let conn = Connection::open(&server.db_path).unwrap();
    conn.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    let restore = || {
        let path = backup.to_str().unwrap();
        conn.execute("ATTACH ?1 AS kept", [path]).unwrap();
        conn.execute_batch(
            "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept.audit;
             DELETE FROM audit_checkpoints;
             INSERT INTO audit_checkpoints SELECT * FROM kept.audit_checkpoints;
             DETACH kept",
        )
        .unwrap();
    };
    change(&server, "DELETE FROM audit WHERE seq = 3");
    assert_eq!(
        (&finding().await["number"], &finding().await["why"]),
        (&json!(3), &json!("is missing"))
    );
    restore();
    // The end is cut off: the checkpoint knows better.
    change(&server, "DELETE FROM audit WHERE seq >= 5");
    assert_eq!(finding().await["number"], 5);
    restore();
    // All of it is cut off.
    change(&server, "DELETE FROM audit");
    assert_eq!(finding().await["number"], 1);
    restore();
    for (damaged, why) in [
        ("signature = zeroblob(64)", "signature is wrong"),
        ("n_entries = n_entries + 1", "signature is wrong"),
        ("seq = seq - 1", "signature is wrong"),
        ("made_at = 0", "signature is wrong"),
        ("public_key = zeroblob(32)", "another key"),
        ("number = 2", "is missing"),
        ("kind = 'cut'", "signature is wrong"),
    ] {
        change(&server, &format!("UPDATE audit_checkpoints SET {damaged}"));
        let found = finding().await;
        assert_eq!(found["what"], "checkpoint 1", "{damaged}");
        assert!(found["why"].as_str().unwrap().contains(why), "{damaged}: {found}");
        restore();
    }
    assert_eq!(verify(&server, &olga).await["ok"], true);
}

#[tokio::test]
async fn a_file_is_verified_without_its_server_and_against_a_checkpoint_kept_elsewhere() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    server.app.checkpoint_pass(true).await.unwrap();
    let kept = server.get(&olga, "/api/v2/audit/checkpoints").await.expect(200).json();
    assert_eq!(kept.as_array().unwrap().len(), 1);
    let seq = kept[0]["seq"].as_i64().unwrap();
    let hash = kept[0]["hash"].as_str().unwrap();
    let anchored = format!("/api/v2/audit/verify?seq={seq}&hash={hash}");
    assert_eq!(server.get(&olga, &anchored).await.expect(200).json()["anchored"], true);
    let offline = |how: &Offline| {
        verify_file(&server.db_path, (&Clock::machine(), Entropy::machine()), how).unwrap()
    };
    let good = offline(&Offline::default());
    let key = good.key.unwrap();
    assert_eq!(hex::encode(key), kept[0]["public_key"].as_str().unwrap());
    assert!(good.log.is_ok());
    assert!(offline(&Offline { key: Some([1; 32]), ..Offline::default() }).log.is_err());
    // Someone with the key writes the log anew, and all in it fits.
    let other = format!("/api/v2/audit/verify?seq={seq}&hash={}", "00".repeat(32));
    let found = server.get(&olga, &other).await.expect(200).json();
    assert_eq!(found["finding"]["number"], seq, "{found:#}");
    let later = format!("/api/v2/audit/verify?seq={}&hash={hash}", seq + 1000);
    let found = server.get(&olga, &later).await.expect(200).json();
    assert!(found["finding"]["why"].as_str().unwrap().contains("goes further"), "{found:#}");
    server.get(&olga, "/api/v2/audit/verify?seq=1&hash=xyz").await.expect(400);
    let ada = server.sign_in("ada").await;
    for path in ["verify", "checkpoints", "export"] {
        server.get(&ada, &format!("/api/v2/audit/{path}")).await.expect(403);
    }
}

#[tokio::test]
async fn what_searches_go_by_is_verified_too() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    // A search brings the index up to the last entry.
    server.get(&olga, "/api/v2/audit?q=action:login").await.expect(200);
    let verify = || {
        let how = Offline::default();
        verify_file(&server.db_path, (&Clock::machine(), Entropy::machine()), &how).unwrap().log
    };
    assert!(verify().is_ok());
    change(&server, "UPDATE audit_words_data SET block = zeroblob(length(block)) WHERE id > 10");
    let found = verify().unwrap_err();
    assert_eq!(found.what, "an index of the log");
    assert!(found.why.contains("searches miss entries"), "{}", found.why);
}

#[tokio::test]
async fn any_byte_of_the_file_that_holds_an_entry_can_be_damaged() {
    let server = TestServer::start().await;
    server.sign_in("olga").await;
    server.app.checkpoint_pass(true).await.unwrap();
    let copy = server.db_path.with_extension("copy");
    let conn = Connection::open(&server.db_path).unwrap();
    conn.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    let bytes = std::fs::read(&copy).unwrap();
    // Where an entry's content stands in the file: its reason to be there at all.
    let conn = Connection::open(&copy).unwrap();
    let entry: (i64, String, Vec<u8>) = conn
        .query_row("SELECT seq, id, hash FROM audit WHERE seq = 4", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    drop(conn);
    let find = |part: &[u8]| bytes.windows(part.len()).position(|window| window == part).unwrap();
    let at = find(&entry.2);
    let how = Offline::default();
    let verify = || verify_file(&copy, (&Clock::machine(), Entropy::machine()), &how);
    assert!(verify().unwrap().log.is_ok());
    let mut named = 0;
    for place in at..at + 32 + 36 {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x41;
        std::fs::write(&copy, &damaged).unwrap();
        let found = verify().unwrap().log.unwrap_err();
        assert_eq!(found.number, entry.0, "byte {place}: {found}");
        named += 1;
    }
    assert_eq!(named, 68);
    // The row's own head: its length, its number, the kinds of its values.
    for place in at - 30..at {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x41;
        std::fs::write(&copy, &damaged).unwrap();
        let verified = verify();
        assert!(verified.is_err() || verified.unwrap().log.is_err(), "byte {place}");
    }
}

#[tokio::test]
async fn what_is_too_old_goes_and_leaves_a_signed_cut() {
    let kept = Retention { audit: 30 * DAY, ..Retention::default() };
    let server = TestServer::with(|policy| policy.retention = kept, |_| {}).await;
    server.app.create_first_user(person("olga")).await.unwrap();
    for _ in 0..120 {
        server.sign_in("olga").await;
    }
    server.app.checkpoint_pass(true).await.unwrap();
    let forget = async || {
        let mut steps = 0;
        while server.app.forget_step(Old::Audit).await.unwrap() {
            steps += 1;
        }
        steps
    };
    server.clock.advance(29 * DAY);
    assert_eq!(forget().await, 0);
    let olga = server.sign_in("olga").await;
    assert_eq!(verify(&server, &olga).await["first"], 1);
    server.clock.advance(3 * DAY);
    assert_eq!(forget().await, 2);
    let olga = server.sign_in("olga").await;
    let found = verify(&server, &olga).await;
    assert_eq!((&found["ok"], &found["first"]), (&json!(true), &json!(122)), "{found:#}");
    // Many steps are one cut.
    let list = server.get(&olga, "/api/v2/audit/checkpoints").await.expect(200).json();
    let kinds: Vec<_> =
        list.as_array().unwrap().iter().map(|c| (&c["kind"], &c["n_entries"])).collect();
    assert_eq!(
        kinds,
        [(&json!("mark"), &json!(121)), (&json!("cut"), &json!(121)), (&json!("mark"), &json!(2))]
    );
    // A checkpoint kept elsewhere that is older than the log says nothing, and does not fail.
    let hash = list[0]["hash"].as_str().unwrap();
    let anchored = server.get(&olga, &format!("/api/v2/audit/verify?seq=60&hash={hash}")).await;
    assert_eq!(anchored.expect(200).json()["anchored"], false);
    assert_eq!(search(&server, &olga, "").await.len(), 2);
    assert_eq!(search(&server, &olga, "olga").await.len(), 2);
    // The first that is left cannot go unseen, and the last never goes.
    change(&server, "DELETE FROM audit WHERE seq = 122");
    assert_eq!(verify(&server, &olga).await["finding"]["number"], 122);
    server.clock.advance(300 * DAY);
    forget().await;
    assert_eq!(
        Connection::open(&server.db_path)
            .unwrap()
            .query_row("SELECT count(*) FROM audit", [], |row| row.get::<_, i64>(0))
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn exports_hold_every_entry_in_order_and_no_formula() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    for _ in 0..250 {
        server.sign_in("ada").await;
    }
    let evil = json!({"username": "ben", "name": "=HYPERLINK(\"http://x\",\"y\"), really"});
    server.put(&olga, "/api/v2/users/ben/profile", evil).await.expect(200);
    let export = async |query: &str| {
        server.get(&olga, &format!("/api/v2/audit/export?{query}")).await.expect(200)
    };
    let reply = export("").await;
    assert_eq!(reply.headers["content-type"], "application/x-ndjson");
    let lines: Vec<Value> =
        reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<i64> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len().try_into().unwrap()).collect::<Vec<i64>>());
    assert_eq!(lines.len() as u64, verify(&server, &olga).await["last"].as_u64().unwrap());
    assert_eq!(lines[9]["hash"].as_str().unwrap().len(), 64);
    let few = export("q=action:create").await.text;
    assert_eq!(few.lines().count(), 5);
    assert_eq!(export("since=2999-01-01").await.text, "");
    assert_eq!(export("until=2999-01-01").await.text.lines().count(), lines.len());
    let agent = Client { headers: vec![("user-agent", "=1+1".to_owned())], ..olga.clone() };
    server.put(&agent, "/api/v2/users/ada/status/suspend", json!({})).await.expect(200);
    let csv = export("format=csv&q=action:write").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(csv.text.starts_with("seq,id,time,actor,"), "{}", csv.text);
    assert!(csv.text.contains(",'=1+1,"), "{}", csv.text);
    assert!(csv.text.contains("\"{\"\"name\"\":"), "{}", csv.text);
    server.get(&olga, "/api/v2/audit/export?format=xml").await.expect(400);
    server.get(&olga, "/api/v2/audit/export?since=soon").await.expect(400);
    server.get(&olga, "/api/v2/audit/export?q=colour:red").await.expect(400);
}

#[tokio::test]
async fn what_was_denied_is_in_the_log_and_a_flood_of_it_is_not() {
    let server = TestServer::start().await;
    let (olga, ada) = (server.sign_in("olga").await, server.sign_in("ada").await);
    let before = search(&server, &olga, "").await.len();
    let path = "/api/v2/organizations/default/groups";
    for _ in 0..30 {
        server.post(&ada, path, json!({"name": "potters"})).await.expect(403);
    }
    server.get(&ada, "/api/v2/audit").await.expect(403);
    server.put(&ada, "/api/v2/users/ben/status/suspend", json!({})).await.expect(403);
    server.app.write_refusals().await.unwrap();
    let found = search(&server, &olga, "username:ada resource_type:group").await;
    assert_eq!(found.len(), A_MINUTE as usize);
    let entry = &found[0];
    assert_eq!((&entry["status_code"], &entry["action"]), (&json!(403), &json!("create")));
    assert!(entry["additional_fields"]["reason"].as_str().unwrap().contains("owner"), "{entry:#}");
    assert!(entry["description"].as_str().unwrap().contains("denied"), "{entry:#}");
    server.clock.advance(Duration::from_secs(60));
    server.app.write_refusals().await.unwrap();
    let found = search(&server, &olga, "username:ada").await;
    let reason = found[0]["additional_fields"]["reason"].as_str().unwrap();
    assert!(reason.contains("21 times in that minute"), "{reason}");
    assert_eq!(search(&server, &olga, "").await.len(), before + A_MINUTE as usize + 1);
    assert_eq!(verify(&server, &olga).await["ok"], true);
}

#[tokio::test]
async fn failed_sign_ins_are_in_the_log_for_who_is_known() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let attempt = async |name: &str, password: &str| {
        let body = json!({"email": name, "password": password});
        let client = Client { headers: vec![("user-agent", "guess".into())], ..Client::default() };
        server.post(&client, "/api/v2/users/login", body).await.status.as_u16()
    };
    assert_eq!(attempt("ada", "wrong").await, 401);
    assert_eq!(attempt("nobody-here", "wrong").await, 401);
    server.put(&olga, "/api/v2/users/ben/status/suspend", json!({})).await.expect(200);
    assert_eq!(attempt("ben", PASSWORD).await, 401);
    server.app.write_refusals().await.unwrap();
    let found = search(&server, &olga, "action:login").await;
    let failed: Vec<&Value> = found.iter().filter(|e| e["status_code"] == 401).collect();
    assert_eq!(failed.len(), 2, "{failed:#?}");
    assert!(failed.iter().all(|e| e["user"].is_null() && e["user_agent"] == "guess"));
    let reasons: Vec<&str> =
        failed.iter().map(|e| e["additional_fields"]["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["the account is suspended", "the password was wrong"]);
    assert_eq!(failed[1]["resource_target"], "ada");
    assert_eq!(failed[1]["additional_fields"]["actor"], "nobody");
}

#[tokio::test]
async fn a_database_from_before_the_chain_is_chained() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("steading.db");
    let conn = Connection::open(&path).unwrap();
    let (_, first) = steading::server::db::schema::MIGRATIONS[0];
    conn.execute_batch(first).unwrap();
    conn.execute_batch(
        "PRAGMA application_id = 0x53746467; PRAGMA user_version = 1;
         INSERT INTO users (id, username, name, email, kind, status, login_type, created_at, updated_at)
         VALUES ('01890000-0000-7000-8000-000000000001', 'grace', '', '', 'person', 'active', 'none', 1, 1);
         INSERT INTO audit (place, id, at, user_id, ip, action, target, target_id, target_name, diff)
         VALUES (1, '01890000-0000-7000-8000-000000000003', 5, '01890000-0000-7000-8000-000000000001',
                 '192.0.2.1', 'login', 'user', '01890000-0000-7000-8000-000000000001', 'grace', '{}'),
                (2, '01890000-0000-7000-8000-000000000004', 6, NULL, '', 'write', 'organization',
                 '01890000-0000-7000-8000-000000000009', 'default', '{\"name\":1}')",
    )
    .unwrap();
    drop(conn);
    let db = Db::open(&path, Clock::machine(), Entropy::machine()).unwrap();
    let verified =
        verify_file(&path, (&Clock::machine(), Entropy::machine()), &Offline::default()).unwrap();
    assert_eq!(verified.log.unwrap().head.seq, 2);
    let rows = db
        .read(|tx| {
            let narrow = steading::server::db::audit_search::Narrow {
                words: vec!["grace".to_owned()],
                ..Default::default()
            };
            steading::server::db::audit_search::list(tx, &narrow, 10, 0)
        })
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].source.actor.as_str(), "user");
}
