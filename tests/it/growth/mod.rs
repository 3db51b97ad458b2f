//! Nothing takes more work because there is more of everything else: counted in steps of SQLite's
//! machine, which are the same on every machine.

mod retention;
mod seed;

use std::collections::BTreeMap;

use crate::harness::{Client, TestServer};

/// More than a page shows, so that pages are full.
const FEW: u32 = 400;
const MANY: u32 = 4000;

/// Steps for each row that a list counts: a walk through the smallest index.
const COUNTING: u64 = 8;

/// What an owner and a member ask for every day, and the rows that the answer counts.
const ASKED: [(&str, &str, Option<&str>); 10] = [
    ("olga", "/workspaces", None),
    ("olga", "/api/v2/workspaces?limit=25", Some("workspaces")),
    ("olga", "/api/v2/workspaces?q=owner:person000003&limit=25", None),
    ("olga", "/api/v2/workspaces?q=id:00000000-0006-7000-8000-000000000007", None),
    ("olga", "/api/v2/users?limit=25", Some("users")),
    ("olga", "/people/person000003", None),
    ("olga", "/@person000003/work000031", None),
    ("olga", "/api/v2/workspaces/00000000-0006-7000-8000-000000000007/builds?limit=5", None),
    ("ada", "/workspaces", None),
    ("ada", "/api/v2/workspaces?limit=25", None),
];

async fn measure(server: &TestServer, people: &BTreeMap<&str, Client>) -> Vec<u64> {
    let mut found = Vec::new();
    for (who, path, _) in ASKED {
        // The first time connections are opened and statements are parsed.
        server.get(&people[who], path).await.expect(200);
        let before = server.db.work();
        server.get(&people[who], path).await.expect(200);
        found.push(server.db.work() - before);
    }
    found
}

#[tokio::test]
async fn pages_and_lists_cost_the_same_with_ten_times_the_rows() {
    let server = TestServer::start().await;
    let mut people = BTreeMap::new();
    for name in ["olga", "ada"] {
        let client = server.sign_in(name).await;
        people.insert(name, client);
    }
    let now = server.clock.now().0;
    seed::seed(&server.db_path, &(0..FEW), now);
    seed::check(&server.db_path);
    let few = measure(&server, &people).await;
    seed::seed(&server.db_path, &(FEW..MANY), now);
    seed::check(&server.db_path);
    let many = measure(&server, &people).await;
    let mut dearer = Vec::new();
    for (((who, path, counts), few), many) in ASKED.iter().zip(few).zip(many) {
        let more = match counts {
            Some("workspaces") => MANY - FEW,
            Some(_) => (MANY - FEW) / seed::WORKSPACES_A_USER,
            None => 0,
        };
        if many > few * 13 / 10 + u64::from(more) * COUNTING {
            dearer.push(format!("{who} {path}: {few} steps became {many}"));
        }
    }
    assert!(dearer.is_empty(), "{dearer:#?}");
}

#[tokio::test]
async fn every_search_finds_the_same_as_a_look_at_each_workspace() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    seed::seed(&server.db_path, &(0..40), server.clock.now().0);
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
        ("status:running", 40),
        ("status:stopped", 0),
        ("status:failed", 0),
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
    seed::seed(&server.db_path, &(0..40), server.clock.now().0);
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
