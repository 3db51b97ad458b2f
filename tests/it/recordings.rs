//! Recordings over HTTP: who sees which, what a search finds, what a look leaves, and what goes when.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use steading::model::id::{AgentId, RecordingId, SessionId, UserId, WorkspaceId};
use steading::model::recording::events::{self, Picture, What};
use steading::model::recording::ledger::Change;
use steading::model::recording::transfers::{Row, TransferKind, Whose};
use steading::model::recording::{
    Block, Extent, NewRecording, Recording, RecordingKind, RecordingReason, chained,
};
use steading::server::app::recording_blocks::pack;
use steading::server::app::recordings::Growth;
use steading::server::app::retention::Old;
use steading::server::db::recording_blocks;

use crate::harness::{Client, TestServer};
use crate::workspaces::{World, id, made, uuid};

const ALL: &str = "/api/v2/recordings";

/// Begins a recording of the owner of a workspace whose build is done.
async fn begun(server: &TestServer, workspace: &Value) -> Recording {
    let part = |value: &Value| value.as_str().unwrap().parse::<uuid::Uuid>().unwrap();
    let agent = &workspace["latest_build"]["resources"][0]["agents"][0]["id"];
    let new = NewRecording {
        id: RecordingId(uuid()),
        session: SessionId(uuid()),
        user: UserId(part(&workspace["owner_id"])),
        workspace: WorkspaceId(part(&workspace["id"])),
        agent: AgentId(part(agent)),
        kind: RecordingKind::Shell,
        command: String::new(),
        size: (80, 24),
        reason: RecordingReason::Policy,
        has_input: false,
    };
    server.app.begin_recording(new).await.unwrap()
}

/// Blocks of ten seconds each, that say so, and one command in each.
fn growth(n_blocks: i64, command: &str) -> Growth {
    let (mut blocks, mut changes, mut before): (Vec<Block>, _, _) = (vec![], vec![], [0; 32]);
    for number in 0..n_blocks {
        let began = number * 10_000;
        let drawn = format!("screen {number} ").into_bytes();
        let mut plain = events::begin(&Picture { size: (80, 24), drawn });
        let text = format!("block {number}\r\n");
        events::put(&mut plain, 0, &What::Output(Bytes::from(text)));
        events::put(&mut plain, 9_000, &What::Output(Bytes::from_static(b"end\r\n")));
        let block = pack(&before, number, (began, began + 9_000), &plain);
        before = block.hash;
        blocks.push(block);
        let text = format!("{command} {number}");
        changes.push(Change::Began { number, text, directory: "/srv".to_owned(), at_ms: began });
        changes.push(Change::Ended {
            number,
            length_ms: 9_000,
            code: Some(u32::from(number == 1)),
        });
    }
    let stored: usize = blocks.iter().map(|block| block.data.len()).sum();
    let extent = Extent {
        length_ms: n_blocks * 10_000 - 1_000,
        bytes: n_blocks * 12,
        stored_bytes: i64::try_from(stored).unwrap(),
        lost_bytes: 0,
        n_commands: n_blocks,
    };
    Growth { blocks, changes, extent, hash: before }
}

/// A finished recording of the owner of a workspace.
pub async fn recorded(server: &TestServer, workspace: &Value) -> Recording {
    let recording = begun(server, workspace).await;
    server.app.end_recording(&recording, growth(3, "make test"), Some(0)).await.unwrap();
    recording
}

/// Ada's workspace, built, as the API has it.
async fn kiln(world: &World) -> Value {
    let workspace = world.adas("kiln").await;
    world.done(made("agent-of-ada", 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    world.server.get(&world.ada, &path).await.expect(200).json()
}

async fn found(server: &TestServer, who: &Client, path: &str) -> Vec<Value> {
    server.get(who, path).await.expect(200).json().as_array().unwrap().clone()
}

#[tokio::test]
async fn the_owner_auditors_and_owners_of_the_site_see_it_and_nobody_else() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let recording = recorded(&world.server, &workspace).await;
    let aude = world.server.sign_in("aude").await;
    let one = format!("{ALL}/{}", recording.id);
    for who in [&world.ada, &world.olga, &aude] {
        let shown = world.server.get(who, &one).await.expect(200).json();
        assert_eq!((&shown["username"], &shown["status"]), (&json!("ada"), &json!("complete")));
        assert_eq!(found(&world.server, who, ALL).await.len(), 1);
        assert_eq!(found(&world.server, who, &format!("{ALL}/commands")).await.len(), 3);
        assert_eq!(found(&world.server, who, &format!("{one}/commands")).await.len(), 3);
        world.server.get(who, &format!("{one}/cast")).await.expect(200);
    }
    for path in [one.clone(), format!("{one}/commands"), format!("{one}/cast")] {
        world.server.get(&world.ben, &path).await.expect(404);
        world.server.get(&Client::default(), &path).await.expect(401);
    }
    assert!(found(&world.server, &world.ben, ALL).await.is_empty());
    assert!(found(&world.server, &world.ben, &format!("{ALL}/commands")).await.is_empty());
    let theirs = format!("{ALL}?workspace=ada/kiln");
    world.server.get(&world.ben, &theirs).await.expect(404);
    let page = format!("/recordings/{}", recording.id);
    let browser = [("sec-fetch-site", "same-origin")];
    let shown = world.server.get(&world.ada.in_browser(&browser), &page).await.expect(200);
    assert!(shown.text.contains("make test 1") && shown.text.contains("exit 1"), "{}", shown.text);
    let policy = shown.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("'wasm-unsafe-eval'") && !policy.contains("unsafe-inline"), "{policy}");
    world.server.get(&world.ben.in_browser(&browser), &page).await.expect(404);
}

#[tokio::test]
async fn a_part_begins_with_the_screen_and_says_where_the_next_one_does() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let recording = recorded(&world.server, &workspace).await;
    let cast = format!("{ALL}/{}/cast", recording.id);
    let whole = world.server.get(&world.ada, &cast).await.expect(200);
    assert_eq!(whole.headers["content-type"], "application/x-asciicast");
    let lines: Vec<&str> = whole.text.lines().collect();
    let header: Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!((&header["version"], &header["term"]["cols"]), (&json!(3), &json!(80)));
    assert_eq!(lines[2], "[0.000,\"o\",\"block 0\\r\\n\"]");
    assert_eq!(lines[3], "[9.000,\"o\",\"end\\r\\n\"]");
    assert_eq!(lines[4], "[1.000,\"o\",\"block 1\\r\\n\"]", "times go on over blocks");
    assert!(!whole.text.contains("# next"), "{}", whole.text);
    let part = world.server.get(&world.ada, &format!("{cast}?from=12.5&most=1")).await.expect(200);
    let lines: Vec<&str> = part.text.lines().collect();
    assert_eq!(lines[1], "[0.000,\"o\",\"screen 1 \"]");
    assert_eq!(lines[2], "[0.000,\"o\",\"block 1\\r\\n\"]", "what was before is there at once");
    assert_eq!(lines[3], "[6.500,\"o\",\"end\\r\\n\"]");
    assert_eq!(lines[4], "# next 20.000");
    let last = world.server.get(&world.ada, &format!("{cast}?from=99999")).await.expect(200);
    assert!(last.text.contains("screen 2") && last.text.lines().count() == 4, "{}", last.text);
    world.server.get(&world.ada, &format!("{cast}?from=-1")).await.expect(400);
    world.server.get(&world.ada, &format!("{cast}?from=NaN")).await.expect(400);
    let empty = begun(&world.server, &workspace).await;
    let path = format!("{ALL}/{}/cast", empty.id);
    let nothing = world.server.get(&world.ada, &path).await.expect(200);
    assert_eq!(nothing.text.lines().count(), 1, "{}", nothing.text);
}

#[tokio::test]
async fn commands_are_found_by_any_part_of_their_text() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let recording = begun(&world.server, &workspace).await;
    let grown = growth(2, "kubectl delete \"pod\" 100%_x");
    world.server.app.grow_recording(&recording, grown).await.unwrap();
    let commands = |query: &str| format!("{ALL}/commands?{query}");
    for text in ["delete", "CTL%20DEL", "%22pod%22", "100%25_x", "x%200"] {
        let path = commands(&format!("search={text}"));
        assert!(!found(&world.server, &world.ada, &path).await.is_empty(), "{text}");
    }
    for text in ["nothing", "delete%20*", "kubectl%20OR%20rm"] {
        let path = commands(&format!("search={text}"));
        assert!(found(&world.server, &world.ada, &path).await.is_empty(), "{text}");
    }
    let one = found(&world.server, &world.ada, &commands("search=x%201&user=ada")).await.remove(0);
    assert_eq!((&one["exit_code"], &one["length_ms"]), (&json!(1), &json!(9_000)));
    assert_eq!((&one["directory"], &one["at_ms"]), (&json!("/srv"), &json!(10_000)));
    assert_eq!(
        found(&world.server, &world.ada, &commands("user=me&workspace=kiln")).await.len(),
        2
    );
    for (query, n) in [("user=ben", 0), ("user=nobody-here", 0), ("until=2020-01-01", 0)] {
        assert_eq!(found(&world.server, &world.ada, &commands(query)).await.len(), n, "{query}");
    }
    world.server.get(&world.ada, &commands("search=ab")).await.expect(400);
    world.server.get(&world.ada, &commands("from=yesterday")).await.expect(400);
    let with = found(&world.server, &world.ada, &format!("{ALL}?search=delete")).await;
    assert_eq!(with.len(), 1);
    assert!(found(&world.server, &world.ada, &format!("{ALL}?search=nothing")).await.is_empty());
}

#[tokio::test]
async fn the_audit_log_tells_of_ends_and_looks() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let recording = recorded(&world.server, &workspace).await;
    let hash = hex::encode(growth(3, "make test").hash);
    let audit = "/api/v2/audit?q=resource_type:recording";
    let entries = world.server.get(&world.olga, audit).await.expect(200).json();
    let made = &entries["audit_logs"][0];
    assert_eq!((&made["action"], &made["diff"]["hash"]["new"]), (&json!("create"), &json!(hash)));
    let cast = format!("{ALL}/{}/cast?most=1", recording.id);
    for _ in 0..3 {
        world.server.get(&world.ada, &cast).await.expect(200);
    }
    world.server.get(&world.olga, &cast).await.expect(200);
    let looks = "/api/v2/audit?q=resource_type:recording%20action:open";
    let all = world.server.get(&world.olga, looks).await.expect(200).json();
    let who: Vec<&str> = all["audit_logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["user"]["username"].as_str().unwrap())
        .collect();
    assert_eq!(who, ["olga", "ada"], "several parts are one look");
    world.server.clock.advance(Duration::from_mins(11));
    world.server.get(&world.ada, &cast).await.expect(200);
    let all = world.server.get(&world.olga, looks).await.expect(200).json();
    assert_eq!(all["count"], 3, "{all}");
    let verified = world.server.get(&world.olga, "/api/v2/audit/verify").await.expect(200);
    assert!(!verified.text.contains("\"broken\":true"), "{}", verified.text);
}

#[tokio::test]
async fn what_was_written_stands_when_the_server_was_killed() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let recording = begun(&world.server, &workspace).await;
    let grown = growth(2, "make test");
    world.server.app.grow_recording(&recording, grown.clone()).await.unwrap();
    let again = world.server.copy().await;
    assert_eq!(again.app.end_left_recordings().await.unwrap(), 1);
    assert_eq!(again.app.end_left_recordings().await.unwrap(), 0);
    let shown = again.get(&world.ada, &format!("{ALL}/{}", recording.id)).await.expect(200).json();
    assert_eq!((&shown["status"], &shown["length_ms"]), (&json!("interrupted"), &json!(19_000)));
    assert_eq!(shown["hash"], json!(hex::encode(grown.hash)));
    let late = again.app.grow_recording(&recording, grown).await;
    assert!(late.is_err(), "what is over does not grow");
    let id = recording.id;
    let blocks = again.db.read(move |tx| recording_blocks::list(tx, id, 0, 10)).await.unwrap();
    let mut before = [0; 32];
    for block in blocks {
        let places = (block.began_ms, block.ended_ms);
        assert_eq!(block.hash, chained(&before, block.number, places, &block.data));
        before = block.hash;
    }
}

#[tokio::test]
async fn recordings_go_by_age_and_by_room_the_oldest_first() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let old = recorded(&world.server, &workspace).await;
    world.server.clock.advance(Duration::from_hours(24 * 60));
    let newer = recorded(&world.server, &workspace).await;
    world.server.clock.advance(Duration::from_secs(1));
    let lasting = begun(&world.server, &workspace).await;
    world.server.clock.advance(Duration::from_hours(24 * 40));
    while world.server.app.forget_step(Old::Recordings).await.unwrap() {}
    let left = |all: &[Value]| all.iter().map(id).collect::<Vec<_>>();
    let olga = world.server.sign_in("olga").await;
    let all = found(&world.server, &olga, ALL).await;
    assert_eq!(left(&all), [lasting.id.to_string(), newer.id.to_string()]);
    let n = found(&world.server, &olga, &format!("{ALL}/commands?search=make")).await.len();
    assert_eq!(n, 3, "its commands went with it");
    let gone = "/api/v2/audit?q=resource_type:recording%20action:delete";
    let told = world.server.get(&olga, gone).await.expect(200).json();
    assert_eq!(told["audit_logs"][0]["resource_id"], json!(old.id.to_string()));

    let full = world.server.copy_under(|policy| policy.recording.keep_bytes = 1).await;
    let conn = rusqlite::Connection::open(&full.db_path).unwrap();
    let taken =
        "INSERT INTO break_glass (id, workspace_id, user_id, reason, taken_at, until_at, note)
        VALUES ('g', ?1, ?2, 'the alarm', 1, 2, '')";
    let (workspace, user) = (newer.workspace_id.to_string(), newer.user.id.to_string());
    conn.execute(taken, [&workspace, &user]).unwrap();
    while full.app.forget_step(Old::Recordings).await.unwrap() {}
    let all = found(&full, &olga, ALL).await;
    let both = [lasting.id.to_string(), newer.id.to_string()];
    assert_eq!(left(&all), both, "what nobody has looked into yet is kept");
    conn.execute("DELETE FROM break_glass", []).unwrap();
    while full.app.forget_step(Old::Recordings).await.unwrap() {}
    let all = found(&full, &olga, ALL).await;
    assert_eq!(left(&all), [lasting.id.to_string()], "what lasts is kept");
}

/// What Ada moved in a session of her own.
async fn moved(server: &TestServer, recording: &Recording, rows: &[(TransferKind, &str)]) {
    let (user, workspace) = (recording.user.id, recording.workspace_id);
    let whose = Whose { session: SessionId(uuid()), user, workspace };
    let now = server.clock.now();
    let row = |(number, (kind, name)): (i64, &(TransferKind, &str))| Row {
        number,
        kind: *kind,
        name: (*name).to_owned(),
        to_name: String::new(),
        n: 1,
        bytes_out: 10 * number,
        bytes_in: 7,
        began_at: now,
        ended_at: Some(now),
    };
    let rows = (0..).zip(rows).map(row).collect();
    server.app.put_transfers(whose, rows).await.unwrap();
}

#[tokio::test]
async fn what_passed_beside_is_listed_for_who_may_see_recordings() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let (server, ada) = (&world.server, &world.ada);
    let recording = begun(server, &workspace).await;
    let rows = [
        (TransferKind::Upload, "/srv/fix.sql"),
        (TransferKind::Download, "/srv/ledger.db"),
        (TransferKind::Port, "127.0.0.1:5432"),
    ];
    moved(server, &recording, &rows).await;
    let list = format!("{ALL}/transfers");
    let beside = format!("{ALL}/{}/transfers", recording.id);
    for path in [&list, &beside] {
        assert_eq!(found(server, ada, path).await.len(), 3, "{path}");
        assert_eq!(found(server, &world.olga, path).await.len(), 3, "{path}");
    }
    let names = |all: &[Value]| all.iter().map(|t| t["name"].clone()).collect::<Vec<_>>();
    let all = found(server, ada, &beside).await;
    assert_eq!(names(&all), ["/srv/fix.sql", "/srv/ledger.db", "127.0.0.1:5432"]);
    assert_eq!((&all[1]["kind"], &all[1]["bytes_out"]), (&json!("download"), &json!(10)));
    let one = found(server, ada, &format!("{list}?search=LEDGER&user=ada&workspace=kiln")).await;
    assert_eq!(names(&one), ["/srv/ledger.db"]);
    assert!(found(server, ada, &format!("{list}?search=nothing")).await.is_empty());
    assert!(found(server, &world.ben, &list).await.is_empty());
    server.get(&world.ben, &beside).await.expect(404);
    let looks = "/api/v2/audit?q=resource_type:recording%20action:open";
    let told = server.get(&world.olga, looks).await.expect(200).text;
    assert!(told.contains("transfers"), "{told}");

    // A row that grows is one row, and goes with its time.
    let browser = [("sec-fetch-site", "same-origin")];
    let page = format!("/recordings/{}", recording.id);
    let shown = server.get(&ada.in_browser(&browser), &page).await.expect(200).text;
    assert!(shown.contains("/srv/ledger.db") && shown.contains("Files and ports"), "{shown}");
    let shown = server.get(&ada.in_browser(&browser), "/recordings/transfers").await.expect(200);
    assert!(shown.text.contains("127.0.0.1:5432"), "{}", shown.text);
    server.clock.advance(Duration::from_hours(24 * 91));
    while server.app.forget_step(Old::Transfers).await.unwrap() {}
    let olga = server.sign_in("olga").await;
    assert!(found(server, &olga, &list).await.is_empty());
}

#[tokio::test]
async fn a_text_is_found_in_what_a_recording_shows() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let recording = recorded(&world.server, &workspace).await;
    let search = |query: &str| format!("{ALL}/{}/search?{query}", recording.id);
    let at = async |query: &str| {
        let found = world.server.get(&world.ada, &search(query)).await.expect(200).json();
        let places = found["places"].as_array().unwrap().clone();
        let at = places.iter().map(|p| p["at_ms"].as_i64().unwrap()).collect::<Vec<_>>();
        (at, found["next_ms"].clone())
    };
    assert_eq!(at("q=BLOCK%201").await, (vec![10_000], Value::Null));
    assert_eq!(at("q=block").await, (vec![0, 10_000, 20_000], Value::Null));
    assert_eq!(at("q=block&from=10.001").await, (vec![20_000], Value::Null));
    let (places, next) = at("q=end&limit=2").await;
    assert_eq!((places, next), (vec![9_000, 19_000], json!(20_000)));
    assert_eq!(at("q=end&from=20&limit=2").await, (vec![29_000], Value::Null));
    assert_eq!(at("q=screen").await.0, Vec::<i64>::new(), "a picture was not shown by anyone");
    for wrong in ["q=x", "q=", "q=block&from=-1", &format!("q={}", "x".repeat(201))] {
        world.server.get(&world.ada, &search(wrong)).await.expect(400);
    }
    world.server.get(&world.ben, &search("q=block")).await.expect(404);
}

#[tokio::test]
async fn a_search_in_a_long_recording_goes_on_where_it_stopped() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let recording = begun(&world.server, &workspace).await;
    let grown = growth(600, "make test");
    world.server.app.end_recording(&recording, grown, Some(0)).await.unwrap();
    let (mut from, mut asked, mut places) = (0i64, 0, Vec::new());
    loop {
        let from_s = format!("{}.{:03}", from / 1000, from % 1000);
        let path = format!("{ALL}/{}/search?q=end&from={from_s}", recording.id);
        let found = world.server.get(&world.ada, &path).await.expect(200).json();
        let at = found["places"].as_array().unwrap().iter();
        places.extend(at.map(|place| place["at_ms"].as_i64().unwrap()));
        asked += 1;
        match found["next_ms"].as_i64() {
            Some(next) => from = next,
            None => break,
        }
    }
    let expected: Vec<i64> = (0..600).map(|n| n * 10_000 + 9_000).collect();
    assert_eq!(places, expected);
    assert!(asked > 5, "an answer is bounded: {asked}");
}

#[tokio::test]
async fn where_recordings_are_kept_while_there_is_room_so_is_what_passed_beside_them() {
    let world = World::new().await;
    let workspace = kiln(&world).await;
    let server = &world.server;
    let lasting = begun(server, &workspace).await;
    moved(server, &lasting, &[(TransferKind::Upload, "/a"), (TransferKind::Port, ":1")]).await;
    server.clock.advance(Duration::from_secs(1));
    recorded(server, &workspace).await;
    server.clock.advance(Duration::from_secs(1));
    moved(server, &lasting, &[(TransferKind::Upload, "/b")]).await;
    let names = |server: &TestServer| -> Vec<String> {
        let conn = rusqlite::Connection::open(&server.db_path).unwrap();
        let mut all = conn.prepare("SELECT name FROM transfers ORDER BY seq").unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let kept = async |keep_bytes: u64, old: Old| {
        let server = server
            .copy_under(|policy| {
                policy.recording.keep = Duration::ZERO;
                policy.recording.keep_bytes = keep_bytes;
            })
            .await;
        server.clock.advance(Duration::from_hours(24 * 9000));
        while server.app.forget_step(old).await.unwrap() {}
        names(&server)
    };
    assert_eq!(kept(10 << 30, Old::Transfers).await, ["/a", ":1", "/b"], "there is room");
    assert_eq!(kept(0, Old::Transfers).await, ["/a", ":1", "/b"], "for ever");
    // Rows have a tenth of the room; and where a recording goes, what passed there before goes with it.
    assert_eq!(kept(2 * 512 * 10, Old::Transfers).await, [":1", "/b"]);
    assert_eq!(kept(1, Old::Recordings).await, ["/b"]);
    assert!(kept(1, Old::Transfers).await.is_empty());
}
