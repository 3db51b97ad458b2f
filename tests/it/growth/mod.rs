//! Nothing takes more work because there is more of everything else: counted in steps of SQLite's
//! machine, which are the same on every machine.

mod retention;
mod seed;

use std::collections::BTreeMap;

use crate::harness::{Client, TestServer};
use seed::YEAR;

/// More than a page shows, so that pages are full.
const FEW: u32 = 400;
const MANY: u32 = 4000;

/// Steps for each row that a list counts: a walk through the smallest index.
const COUNTING: u64 = 8;

/// How often each is asked; the least of it counts.
const ASKS: usize = 4;

/// Steps are counted in eights, on each of several connections.
const NOISE: u64 = 32;

/// What an answer counts, and so walks through in an index.
#[derive(Clone, Copy)]
enum Counts {
    Nothing,
    Workspaces,
    Users,
}

impl Counts {
    /// How many more rows of it there are in the larger deployment.
    fn more(self) -> u64 {
        u64::from(match self {
            Self::Nothing => 0,
            Self::Workspaces => MANY - FEW,
            Self::Users => (MANY - FEW) / seed::WORKSPACES_A_USER,
        })
    }
}

/// What an owner and a member ask for every day, and what the answer counts.
const ASKED: [(&str, &str, Counts); 35] = [
    ("olga", "/workspaces", Counts::Nothing),
    ("olga", "/api/v2/workspaces?limit=25", Counts::Workspaces),
    ("olga", "/api/v2/workspaces?q=owner:person000003&limit=25", Counts::Nothing),
    ("olga", "/api/v2/workspaces?q=id:00000000-0006-7000-8000-000000000007", Counts::Nothing),
    ("olga", "/api/v2/workspaces?q=status:pending&limit=25", Counts::Nothing),
    ("olga", "/api/v2/users?limit=25", Counts::Users),
    ("olga", "/people/person000003", Counts::Nothing),
    ("olga", "/templates", Counts::Workspaces),
    ("olga", "/@person000003/work000031", Counts::Nothing),
    ("olga", "/@person000003/work000031/builds", Counts::Nothing),
    ("olga", "/@person000003/work000031/builds/1", Counts::Nothing),
    ("olga", "/api/v2/workspaces/00000000-0006-7000-8000-000000000007", Counts::Nothing),
    (
        "olga",
        "/api/v2/workspaces/00000000-0006-7000-8000-000000000007/builds?limit=5",
        Counts::Nothing,
    ),
    ("olga", "/api/v2/workspacebuilds/00000000-0008-7000-8000-000000000046/logs", Counts::Nothing),
    ("olga", "/api/v2/audit?limit=25", Counts::Nothing),
    ("olga", "/api/v2/audit?limit=25&offset=1000", Counts::Nothing),
    ("olga", "/api/v2/audit?q=username:person000003&limit=25", Counts::Nothing),
    ("olga", "/api/v2/audit?q=action:start&limit=25", Counts::Nothing),
    ("olga", "/api/v2/audit?q=resource_type:workspace_build&limit=25", Counts::Nothing),
    ("olga", "/api/v2/audit?q=resource_target:work000031&limit=25", Counts::Nothing),
    (
        "olga",
        "/api/v2/audit?q=resource_id:00000000-0006-7000-8000-000000000007&limit=25",
        Counts::Nothing,
    ),
    ("olga", "/api/v2/audit?q=build_reason:initiator&limit=25", Counts::Nothing),
    ("olga", "/api/v2/audit?q=organization:default&limit=25", Counts::Nothing),
    ("olga", "/api/v2/audit?q=date_from:2026-01-31+date_to:2026-12-31&limit=25", Counts::Nothing),
    (
        "olga",
        "/api/v2/audit?q=username:person000003+action:start+resource_type:workspace_build&limit=25",
        Counts::Nothing,
    ),
    ("olga", "/api/v2/audit?q=username:person000003+action:delete&limit=25", Counts::Nothing),
    ("olga", "/api/v2/audit?q=result:denied&limit=25", Counts::Nothing),
    ("olga", "/audit", Counts::Nothing),
    ("olga", "/audit?who=person000003&action=start&kind=workspace_build", Counts::Nothing),
    ("olga", "/audit?denied=yes&from=2026-01-31", Counts::Nothing),
    ("olga", "/audit/100", Counts::Nothing),
    ("olga", "/api/v2/users/me/keys/tokens?include_all=true", Counts::Nothing),
    ("olga", "/api/v2/organizations/default/provisionerjobs?limit=25", Counts::Nothing),
    ("ada", "/workspaces", Counts::Nothing),
    ("ada", "/api/v2/workspaces?limit=25", Counts::Nothing),
];

/// Steps of each answer of [`ASKED`], and of looking for what is due.
async fn measure(server: &TestServer, people: &BTreeMap<&str, Client>) -> Vec<u64> {
    let mut found = Vec::new();
    for (who, path, _) in ASKED {
        // The first time of a connection or a thread, statements are parsed and explained as well.
        let mut least = u64::MAX;
        for _ in 0..ASKS {
            let before = server.db.work();
            server.get(&people[who], path).await.expect(200);
            least = least.min(server.db.work() - before);
        }
        found.push(least);
    }
    assert!(server.app.overdue_workspaces().await.unwrap().is_empty());
    let before = server.db.work();
    assert!(server.app.overdue_workspaces().await.unwrap().is_empty());
    found.push(server.db.work() - before);
    found
}

/// What takes more steps than it may with ten times the rows, after `grown` was done to them.
async fn dearer(grown: impl Fn(&rusqlite::Connection)) -> Vec<String> {
    let server = TestServer::start().await;
    let mut people = BTreeMap::new();
    for name in ["olga", "ada"] {
        let client = server.sign_in(name).await;
        people.insert(name, client);
    }
    let now = server.clock.now().0;
    seed::seed(&server.db_path, &(0..FEW), now, &YEAR);
    let few = measure(&server, &people).await;
    seed::seed(&server.db_path, &(FEW..MANY), now, &YEAR);
    seed::check(&server.db_path);
    grown(&rusqlite::Connection::open(&server.db_path).unwrap());
    let many = measure(&server, &people).await;
    let due = [("clock", "what is due", Counts::Nothing)];
    let mut dearer = Vec::new();
    for (((who, path, counts), few), many) in ASKED.iter().chain(&due).zip(few).zip(many) {
        if many > few * 13 / 10 + counts.more() * COUNTING + NOISE {
            dearer.push(format!("{who} {path}: {few} steps became {many}"));
        }
    }
    dearer
}

#[tokio::test]
async fn pages_and_lists_cost_the_same_with_ten_times_the_rows() {
    let dearer = dearer(|_| {}).await;
    assert!(dearer.is_empty(), "{dearer:#?}");
}

/// An operator may have asked for them.
#[tokio::test]
async fn pages_and_lists_cost_no_more_with_statistics_for_the_planner() {
    let dearer = dearer(|conn| conn.execute_batch("ANALYZE").unwrap()).await;
    assert!(dearer.is_empty(), "{dearer:#?}");
}

#[tokio::test]
async fn what_is_due_is_found_among_all_that_was() {
    let server = TestServer::start().await;
    seed::seed(&server.db_path, &(0..40), server.clock.now().0, &YEAR);
    server.clock.advance(std::time::Duration::from_secs(seed::TTL_S.unsigned_abs()));
    assert_eq!(server.app.overdue_workspaces().await.unwrap().len(), 40);
}

#[tokio::test]
async fn the_audit_log_is_read_in_parts_by_whom_and_what() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let log = async |query: &str| {
        let path = format!("/api/v2/audit?{query}");
        server.get(&olga, &path).await.expect(200).json()
    };
    seed::seed(&server.db_path, &(0..40), server.clock.now().0, &YEAR);
    // What went past the server is entered for searches with its next write.
    server.sign_in("olga").await;
    let all = log("limit=1").await["count"].as_u64().unwrap();
    assert!(all > 400);
    // Parts follow each other: nothing is left out or told twice.
    let mut ids = std::collections::BTreeSet::new();
    for offset in (0..all).step_by(100) {
        let part = log(&format!("limit=100&offset={offset}")).await;
        for entry in part["audit_logs"].as_array().unwrap() {
            assert!(ids.insert(entry["id"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(ids.len() as u64, all);
    for (query, expected) in [
        ("q=username:person000001", 100),
        ("q=username:person000001+action:start", 100),
        ("q=username:person000001+action:stop", 0),
        ("q=username:person000001+resource_type:workspace_build+action:start", 100),
        ("q=resource_type:workspace_build", 400),
        ("q=resource_type:workspace_build+action:start", 400),
        ("q=resource_type:workspace_build+action:delete", 0),
        ("q=action:start", 400),
        ("q=username:nobody", 0),
    ] {
        let found = log(&format!("{query}&limit=30&offset=20")).await;
        let shown = found["audit_logs"].as_array().unwrap().len();
        assert_eq!(found["count"], expected, "{query}");
        assert_eq!(shown, if expected == 0 { 0 } else { 30 }, "{query}");
    }
}

#[tokio::test]
async fn every_search_finds_the_same_as_a_look_at_each_workspace() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    seed::seed(&server.db_path, &(0..40), server.clock.now().0, &YEAR);
    // The last build of the sixth workspace, and one of the seventh that others followed.
    rusqlite::Connection::open(&server.db_path)
        .unwrap()
        .execute_batch(
            "UPDATE jobs SET status = 'failed' WHERE id IN (
                 '00000000-0007-7000-8000-00000000003b', '00000000-0007-7000-8000-00000000003e')",
        )
        .unwrap();
    let count = async |query: &str| {
        let path = format!("/api/v2/workspaces?limit=3&q={}", query.replace(' ', "+"));
        let found = server.get(&olga, &path).await.expect(200).json();
        let shown = found["workspaces"].as_array().unwrap().len();
        assert_eq!(shown as u64, found["count"].as_u64().unwrap().min(3), "{query}");
        found["count"].as_u64().unwrap()
    };
    for (query, expected) in [
        ("", 40),
        ("owner:person000001", 10),
        ("owner:person000001 owner:PERSON000001", 10),
        ("owner:person000001 owner:person000002", 0),
        ("owner:me", 0),
        ("owner:nobody", 0),
        ("work00001", 10),
        ("work 7", 4),
        ("person000000/work000003", 1),
        ("name:WORK000003", 1),
        ("template:GROWN", 40),
        ("template:grown owner:person000001", 10),
        ("template:other", 0),
        // The last of ten builds is a start.
        ("status:running", 39),
        ("status:stopped", 0),
        ("status:failed", 1),
        ("status:failed owner:person000001", 0),
        ("status:pending", 0),
        ("status:running work00001", 10),
        ("id:00000000-0006-7000-8000-000000000007", 1),
        ("id:00000000-0006-7000-8000-000000000007 status:stopped", 0),
        ("organization:default", 40),
        ("organization:elsewhere", 0),
        ("outdated:false", 40),
        ("outdated:true", 0),
        ("has-agent:connecting", 40),
        ("has-agent:connected", 0),
        ("dormant:false", 40),
        ("dormant:true", 0),
        ("last_used_after:2020-01-01T00:00:00Z", 40),
        ("last_used_before:2020-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
    let ada = server.sign_in("ada").await;
    let none = server.get(&ada, "/api/v2/workspaces?q=status:running").await.expect(200).json();
    assert_eq!(none["count"], 0);
}

#[tokio::test]
async fn pages_of_a_list_follow_each_other_by_owner_and_name() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    seed::seed(&server.db_path, &(0..40), server.clock.now().0, &YEAR);
    let mut names = Vec::new();
    for offset in [0, 15, 30, 45] {
        let path = format!("/api/v2/workspaces?limit=15&offset={offset}");
        let found = server.get(&olga, &path).await.expect(200).json();
        assert_eq!(found["count"], 40);
        let part = found["workspaces"].as_array().unwrap().iter();
        names.extend(part.map(|w| w["name"].as_str().unwrap().to_owned()));
    }
    let expected: Vec<String> = (0..40).map(|n| format!("work{n:06}")).collect();
    assert_eq!(names, expected);
    let found = server.get(&olga, "/api/v2/users?limit=3&offset=8").await.expect(200).json();
    assert_eq!(found["count"], 10);
    let last: Vec<&str> = found["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| u["username"].as_str().unwrap())
        .collect();
    assert_eq!(last, ["tess", "urs"]);
    assert_eq!(found["users"][1]["roles"][0]["name"], "user-admin");
    assert_eq!(found["users"][1]["organization_ids"].as_array().unwrap().len(), 1);
}
