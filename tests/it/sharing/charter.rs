//! Charters: who writes them, what is wrong with one, and what goes beyond it.

use serde_json::{Value, json};

use super::World;
use crate::harness::{Client, Reply};

const PLACE: &str = "/api/v2/organizations/default/charter";

impl World {
    async fn charter(&self, by: &Client, path: &str, text: &str) -> Reply {
        self.all.server.put(by, path, json!({ "text": text })).await
    }

    /// Whom a review finds with more than was foreseen, and in what.
    async fn wider(&self) -> Vec<(String, String)> {
        let path = "/api/v2/access-review?show=wider";
        let found = self.all.server.get(&self.all.olga, path).await.expect(200).json();
        let all = found["grants"].as_array().unwrap();
        assert_eq!(found["wider"], all.len(), "{found}");
        let said = |one: &Value| {
            let why = one["wider"].as_array().unwrap().iter().map(|w| w.as_str().unwrap());
            let name = one["grant"]["subject"]["name"].as_str().unwrap().to_owned();
            (name, why.collect::<Vec<_>>().join("; "))
        };
        all.iter().map(said).collect()
    }
}

fn is(name: &str, why: &str) -> (String, String) {
    (name.to_owned(), why.to_owned())
}

#[tokio::test]
async fn a_review_finds_what_goes_beyond_a_charter() {
    let world = World::new().await;
    let (server, ada, olga) = (&world.all.server, &world.all.ada, &world.all.olga);
    world.group("potters", &["cora"]).await;
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["use"], "until": "8h" })).await;
    world.granted(ada, json!({ "users": ["cora"], "verbs": ["use"], "until": "90d" })).await;
    world.granted(ada, json!({ "users": ["dora"], "verbs": ["admin"] })).await;
    assert!(world.wider().await.is_empty(), "nothing is foreseen yet");
    let text = "ends = true\nlongest = \"30d\"\n";
    world.charter(olga, PLACE, text).await.expect(200);
    let (long, endless) = (is("cora", "lasts longer than 30 d"), is("dora", "has to have an end"));
    assert_eq!(world.wider().await, [long.clone(), endless.clone()]);
    // A workspace's own holds besides its organization's.
    let own = "[[may]]\ngroup = \"potters\"\nverbs = [\"use\"]\n\n\
               [[may]]\nuser = \"dora\"\nverbs = [\"use\"]\n";
    let path = world.path("/charter");
    let said = world.charter(ada, &path, own).await.expect(200).json();
    assert_eq!((&said["set_by"], &said["above"]), (&json!("ada"), &json!(text)));
    let nothing = is("ben", "nothing is foreseen for them");
    let more = is("dora", "gives more: manage, share; has to have an end");
    assert_eq!(world.wider().await, [nothing, long.clone(), more]);
    // It reports, and closes nothing.
    world.get(&world.all.ben, "").await.expect(200);
    let shown = server.get(olga, "/access?show=wider").await.expect(200).text;
    assert!(shown.contains("nothing is foreseen for them"), "{shown}");
    let path = "/api/v2/audit?q=resource_type%3Aworkspace+action%3Awrite&limit=1";
    let log = server.get(olga, path).await.expect(200).json();
    assert_eq!(log["audit_logs"][0]["diff"]["charter"]["new"], own);
    let hash = log["audit_logs"][0]["diff"]["charter_sha256"]["new"].as_str().unwrap();
    assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
    world.charter(ada, &world.path("/charter"), " \n").await.expect(200);
    assert_eq!(world.wider().await, [long, endless]);
}

#[tokio::test]
async fn who_has_a_share_writes_no_charter_and_a_wrong_line_is_named() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    let path = world.path("/charter");
    server.get(ben, &path).await.expect(404);
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["admin"] })).await;
    server.get(ben, &path).await.expect(200);
    let refused = world.charter(ben, &path, "ends = true").await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("by a share"), "{refused}");
    world.charter(ada, PLACE, "ends = true").await.expect(403);
    server.get(ada, PLACE).await.expect(403);
    let bad = "ends = true\n\n[[may]]\nuser = \"ben\"\nverbs = [\"fly\"]";
    let refused = world.charter(ada, &path, bad).await.expect(400).json();
    let detail = refused["validations"][0]["detail"].as_str().unwrap();
    assert_eq!(detail, "line 5: there is no verb \"fly\"");
    // On its page the text stays as it was typed.
    let page = "/@ada/kiln/charter";
    let shown = server.form(ada, page, &[("text", bad)]).await.expect(200).text;
    assert!(shown.contains("Line 5: there is no verb") && shown.contains("[[may]]"), "{shown}");
    let crlf = [("text", "ends = true\r\nlongest = \"8h\"\r\n")];
    server.form(ada, page, &crlf).await.expect(303);
    let kept = server.get(ada, &path).await.expect(200).json();
    assert_eq!(kept["text"], "ends = true\nlongest = \"8h\"\n");
}

#[tokio::test]
async fn what_a_change_would_give_and_take_is_exact_and_changes_nothing() {
    let world = World::new().await;
    let (server, ada, olga) = (&world.all.server, &world.all.ada, &world.all.olga);
    world.group("potters", &["cora"]).await;
    world.granted(ada, json!({ "groups": ["potters"], "verbs": ["use"] })).await;
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["viewer"] })).await;
    let path = "/api/v2/access/what-if";
    let look = |body: Value| async { server.post(olga, path, body).await.expect(200).json() };
    let group = json!({ "group": "potters", "add_users": ["ben"], "remove_users": ["cora"] });
    let found = look(group).await;
    assert_eq!(
        found["changes"],
        json!([
            { "user": "ben", "workspace": "ada/kiln", "gained": ["watch", "connect", "operate"],
              "lost": [] },
            { "user": "cora", "workspace": "ada/kiln", "gained": [],
              "lost": ["view", "watch", "connect", "operate"] },
        ])
    );
    // Nothing was done.
    world.get(&world.cora, "").await.expect(200);
    assert_eq!(world.get(&world.all.ben, "").await.json()["name"], "kiln");
    let found = look(json!({ "user": "ben", "roles": ["owner"] })).await;
    let all = ["watch", "connect", "execute", "operate", "manage", "share", "delete"];
    assert_eq!(found["changes"][0]["gained"], json!(all));
    let place =
        json!({ "user": "ben", "organization": "default", "roles": ["organization-admin"] });
    let found = look(place).await;
    assert_eq!(found["changes"][0]["gained"], json!(["operate", "manage", "share", "delete"]));
    let log = server.get(olga, "/api/v2/audit?limit=1").await.expect(200).text;
    assert!(!log.contains("organization-admin"), "{log}");
    // Who may not make the change may not look ahead, and what one may not know is counted.
    server.post(ada, path, json!({ "user": "ben", "roles": ["owner"] })).await.expect(403);
    let body = json!({ "roles": ["organization-user-admin"] });
    let roles = "/api/v2/organizations/default/members/dora/roles";
    server.put(olga, roles, body).await.expect(200);
    let dora = server.sign_in("dora").await;
    let body = json!({ "group": "potters", "add_users": ["ben"] });
    let found = server.post(&dora, path, body).await.expect(200).json();
    assert_eq!(found, json!({ "changes": [], "more": 0, "hidden": 1 }));
    // The page shows it first, and its form does it.
    let fields = [("add", "ben"), ("look", "yes")];
    let page = server.form(olga, "/groups/potters/members", &fields).await.expect(200).text;
    assert!(page.contains("watch, connect, operate") && page.contains("Change it"), "{page}");
    server.form(olga, "/groups/potters/members", &fields[..1]).await.expect(303);
    let fields = [("role", "owner"), ("look", "yes")];
    let page = server.form(olga, "/people/cora/roles", &fields).await.expect(200).text;
    assert!(page.contains("ada/kiln") && page.contains("execute"), "{page}");
}

/// What someone was given by a person whom a change takes their own share from ends with it.
#[tokio::test]
async fn a_look_ahead_tells_of_what_was_given_under_a_share() {
    let world = World::new().await;
    let (server, ada, ben, olga) =
        (&world.all.server, &world.all.ada, &world.all.ben, &world.all.olga);
    world.group("potters", &["ben"]).await;
    world.granted(ada, json!({ "groups": ["potters"], "verbs": ["admin"] })).await;
    world.granted(ben, json!({ "users": ["cora"], "verbs": ["viewer"] })).await;
    world.get(&world.cora, "").await.expect(200);
    // Someone who is named twice is looked at once.
    let body = json!({ "group": "potters", "remove_users": ["ben", "ben"] });
    let found = server.post(olga, "/api/v2/access/what-if", body).await.expect(200).json();
    let changes = found["changes"].as_array().unwrap();
    let who: Vec<&str> = changes.iter().map(|one| one["user"].as_str().unwrap()).collect();
    assert_eq!(who, ["ben", "cora"], "{found}");
    assert_eq!((&changes[1]["lost"], &changes[1]["gained"]), (&json!(["view"]), &json!([])));
    // Nothing was done; and it is what becomes of it.
    world.get(&world.cora, "").await.expect(200);
    let form = [("remove", "ben")];
    server.form(olga, "/groups/potters/members", &form).await.expect(303);
    world.get(&world.cora, "").await.expect(404);
}

/// Nobody saves one, but an older release may have read what this one does not.
#[tokio::test]
async fn under_a_charter_that_cannot_be_read_each_grant_is_found_and_why() {
    let world = World::new().await;
    let (server, ada, olga) = (&world.all.server, &world.all.ada, &world.all.olga);
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["use"], "until": "8h" })).await;
    world.charter(olga, PLACE, "ends = true").await.expect(200);
    assert!(world.wider().await.is_empty());
    let conn = rusqlite::Connection::open(&server.db_path).unwrap();
    conn.execute("UPDATE charters SET text = 'ends = [perhaps'", []).unwrap();
    let why = "the charter cannot be read any more: save it again";
    assert_eq!(world.wider().await, [is("ben", why)]);
    let page = server.get(olga, "/access?show=wider").await.expect(200).text;
    assert!(page.contains(why), "{page}");
    // It closes nothing, is shown as it is, and is put right by saving another.
    world.get(&world.all.ben, "").await.expect(200);
    let shown = server.get(olga, PLACE).await.expect(200).json();
    assert_eq!(shown["text"], "ends = [perhaps");
    world.charter(olga, PLACE, "ends = true").await.expect(200);
    assert!(world.wider().await.is_empty());
}
