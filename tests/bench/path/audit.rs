//! A log of a million entries: what a page of each search takes, and all of it.

use std::time::{Duration, Instant};

use steading::clock::{Clock, Entropy};
use steading::model::audit::{
    AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditSource, AuditTarget,
};
use steading::model::id::UserId;
use steading::model::time::Timestamp;
use steading::server::db::{self, Db, audit};

use super::http::{token, wrk};
use super::seed::{self, Each};
use super::site::Site;
use super::table::{Better, Line, Table};

const ENTRIES: u32 = 1_000_000;
/// In one transaction.
const PART: u32 = 2000;
/// A hundred people.
const WORKSPACES: u32 = 1000;
/// Without lines, of which the seed makes entries that are not chained.
const EACH: Each = Each { builds: 10, sessions: 2, lines: 0 };
/// Milliseconds that a page may take.
const GOAL: f64 = 50.0;
/// A year, an entry every half minute.
const BEGAN: i64 = 1_763_000_000;

pub fn run(table: &mut Table) {
    let mut site = Site::new();
    site.stop();
    let path = site.dir.path().join("data/steading.db");
    seed::seed(&path, &(0..WORKSPACES), BEGAN, &EACH);
    let began = Instant::now();
    write(&path);
    let each = began.elapsed().as_secs_f64() * 1e6 / f64::from(ENTRIES);
    table.figure("writing an entry, thousands in one commit", "us", &[each]);
    site.start();
    for query in [
        "",
        "username:person000003",
        "email:person000003@example.org",
        "action:start",
        "action:register",
        "resource_type:template",
        "resource_type:workspace_build",
        "resource_target:person000003%2Fwork000031",
        "resource_id:00000000-0006-7000-8000-000000000007",
        "build_reason:initiator",
        "build_reason:autostop",
        "organization:default",
        "date_from:2026-03-01",
        "date_from:2026-03-01+date_to:2026-03-01",
        "request_id:00000000-0006-7000-8000-000000000007",
        "work000031",
        "person000003",
        "nothing",
        "username:person000003+action:delete",
        "username:person000003+resource_type:template",
        "username:person000003+work000007",
        "action:start+resource_type:workspace",
        "action:stop+resource_type:workspace_build",
        "action:delete+organization:default",
        "action:login+work000031",
        "resource_type:workspace+person000003",
        "organization:default+person000003",
        "resource_type:user+date_to:2025-12-01",
        "person000003+username:person000007",
        "username:person000003+build_reason:initiator",
    ] {
        let what = format!("25 of 1,000,000: {query}");
        ask(table, &site, &what, &format!("/api/v2/audit?limit=25&q={query}"));
    }
    pages(table, &site);
    let mut took = |what: &str, args: &[&str]| {
        let began = Instant::now();
        site.cli(args).ok();
        table.figure(what, "s", &[began.elapsed().as_secs_f64()]);
    };
    took("verifying 1,000,000 entries", &["audit", "verify"]);
    took("exporting them", &["audit", "export"]);
    let data = site.path("data");
    took("verifying the file and its indices", &["audit", "verify", "--data", &data]);
    site.kill();
}

/// What people look at.
fn pages(table: &mut Table, site: &Site) {
    for path in [
        "/audit",
        "/audit?who=person000003&action=start",
        "/audit?q=ip:192.0.2.1&offset=10000",
        "/audit?denied=yes&who=person000003",
        "/audit/500000",
    ] {
        ask(table, site, &format!("a page of 1,000,000: {path}"), path);
    }
}

fn ask(table: &mut Table, site: &Site, what: &str, path: &str) {
    let load = wrk(&format!("{}{path}", site.url), Some(&token(site)), "", 1);
    let (reference, unit, better) = (("asked for", vec![GOAL]), "ms p99", Better::Less);
    table.line(&Line { what, unit, ours: vec![load.p99], reference, goal: 1.0, better });
}

fn write(path: &std::path::Path) {
    let clock = Clock::manual(Timestamp(BEGAN));
    let db = Db::open(path, clock.clone(), Entropy::machine()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for from in (0..ENTRIES).step_by(PART as usize) {
            clock.advance(Duration::from_secs(u64::from(PART) * 30));
            let written = db.write(move |tx| {
                for n in from..from + PART {
                    let (source, entry) = entry(n);
                    audit::insert(tx, &source, &entry, &AuditOutcome::done())?;
                }
                Ok::<_, db::Error>(())
            });
            written.await.unwrap();
        }
    });
}

/// An entry of some day: mostly builds, then sign-ins and changes, few of the rest.
fn entry(n: u32) -> (AuditSource, AuditEntry) {
    let mixed = n.wrapping_mul(2_654_435_761) >> 7;
    let workspace = mixed % WORKSPACES;
    let person = workspace / seed::WORKSPACES_A_USER;
    let id = |kind: &str, n: u32| format!("00000000-{kind}-7000-8000-{n:012x}").parse().unwrap();
    let (username, name) = (format!("person{person:06}"), format!("work{workspace:06}"));
    let of = format!("{username}/{name}");
    let (action, target, target_id, target_name) = match mixed % 100 {
        0..30 => {
            let build = format!("{of} #{}", n % 10 + 1);
            (
                AuditAction::Start,
                AuditTarget::WorkspaceBuild,
                id("0008", workspace * 10 + n % 10),
                build,
            )
        }
        30..60 => {
            let build = format!("{of} #{}", n % 10 + 1);
            (
                AuditAction::Stop,
                AuditTarget::WorkspaceBuild,
                id("0008", workspace * 10 + n % 10),
                build,
            )
        }
        60..85 => (AuditAction::Login, AuditTarget::User, id("0005", person), username),
        85..97 => (AuditAction::Write, AuditTarget::Workspace, id("0006", workspace), of),
        97 => (AuditAction::Create, AuditTarget::ApiKey, id("0001", n), format!("token-{n}")),
        98 => (AuditAction::Delete, AuditTarget::Workspace, id("0006", workspace), of),
        _ => (AuditAction::Write, AuditTarget::Template, id("0003", 0), "grown".to_owned()),
    };
    let source = AuditSource {
        user_id: Some(UserId(id("0005", person))),
        ip: "192.0.2.1".to_owned(),
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
            .to_owned(),
        request_id: Some(id("000d", n)),
        ..AuditSource::of(AuditActor::User)
    };
    let diff = r#"{"ttl_ms":{"new":28800000,"old":3600000,"secret":false}}"#.to_owned();
    (source, AuditEntry { action, target, target_id, target_name, organization: None, diff })
}
