//! Recordings: what one costs a terminal that prints as fast as it can, what a place in a long one
//! takes to show, what a search over many commands does, and what the list of files costs `sftp`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use rusqlite::{Connection, named_params};
use steading::model::recording::events::{self, Picture, What};
use steading::server::app::recording_blocks::pack;

use super::http::token;
use super::site::{Ran, Site};
use super::table::{Better, Line, Table};
use super::terminal::{Kind, Terminal, agent_id, url};

const LINES: usize = 300_000;
const REPEATS: usize = 5;
/// Four hours.
const LENGTH_MS: i64 = 4 * 3_600_000;
/// A megabyte a second, in blocks of a quarter of one.
const BLOCK_BYTES: usize = 256 << 10;
const BLOCK_MS: i64 = 250;
const COMMANDS: i64 = 10_000;
/// What a page asks for at once.
const PART: usize = 4 << 20;
const ASKED: i64 = 40;
/// A file that takes some seconds.
const FILE_BYTES: usize = 512 << 20;
/// A recording's id, and that of the one whose commands are searched.
const LONG: &str = "00000000-0000-7000-8000-000000000001";

pub fn run(table: &mut Table) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(throughput(table));
    stored(table);
}

/// A server that records, or not.
fn site(settings: &Path, is_on: bool) -> Site {
    let word = if is_on { "on" } else { "off" };
    let file = settings.join(format!("{word}.toml"));
    std::fs::write(&file, format!("[recording]\nsessions = \"{word}\"\n")).unwrap();
    let site = Site::with(&["--config", file.to_str().unwrap()]);
    site.create_here("first");
    site
}

async fn throughput(table: &mut Table) {
    let settings = tempfile::tempdir().unwrap();
    // Workspaces' users read the lines in it.
    std::fs::set_permissions(settings.path(), Permissions::from_mode(0o755)).unwrap();
    let sites = [site(settings.path(), true), site(settings.path(), false)];
    let lines = settings.path().join("lines");
    std::fs::write(&lines, format!("{}\n", "x".repeat(99)).repeat(LINES)).unwrap();
    let feed = format!("cat {}", lines.display());
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..REPEATS {
        for (site, rates) in sites.iter().zip(&mut rates) {
            let agent = agent_id(site, "first");
            let mut open = Terminal::open(Kind::Ours, &url(site, &agent), &token(site)).await;
            rates.push(open.bulk(&feed).await);
        }
    }
    let [ours, without] = rates;
    let (what, reference) = ("terminal output, recorded", ("not recorded", without));
    let better = Better::More;
    table.line(&Line { what, unit: "MB/s", ours, reference, goal: 0.9, better });
    files(table, &sites);
}

/// A file there and back, where files are listed and where they are not.
fn files(table: &mut Table, sites: &[Site; 2]) {
    for (what, does) in [("sftp put, listed", "put big big"), ("sftp get, listed", "get big back")]
    {
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..REPEATS {
            for (site, rates) in sites.iter().zip(&mut rates) {
                std::fs::write(site.path("big"), vec![7_u8; FILE_BYTES]).unwrap();
                std::fs::write(site.path("batch"), format!("{does}\n")).unwrap();
                let mut sftp = site.command("sftp");
                sftp.args(["-F", "none", "-q", "-P", &site.ssh_port.to_string()]);
                sftp.args(site.ssh_options()).args(["-b", &site.path("batch"), "first@127.0.0.1"]);
                let began = Instant::now();
                Ran::new(&mut sftp).ok();
                rates.push(FILE_BYTES as f64 / 1e6 / began.elapsed().as_secs_f64());
            }
        }
        let [ours, without] = rates;
        let (reference, better) = (("not listed", without), Better::More);
        table.line(&Line { what, unit: "MB/s", ours, reference, goal: 0.95, better });
    }
}

fn stored(table: &mut Table) {
    let mut site = Site::new();
    site.create_here("first");
    site.stop();
    write(&site.dir.path().join("data/steading.db"));
    site.start();
    let token = format!("Coder-Session-Token: {}", token(&site));
    let ask = |path: &str| {
        let url = format!("{}{path}", site.url);
        let args = ["-sf", "-o", "/dev/null", "-H", &token, "-w", "%{time_total}", &url];
        site.run("curl", &args).ok().parse::<f64>().unwrap() * 1000.0
    };
    let places: Vec<f64> = (0..ASKED)
        .map(|n| {
            let at = n * (LENGTH_MS / 1000) / ASKED;
            ask(&format!("/api/v2/recordings/{LONG}/cast?from={at}&most=1"))
        })
        .collect();
    goal(table, "a place in 4 h at 1 MB/s: screen and what follows", places, 200.0);
    let from = LENGTH_MS / 2000;
    let part = (0..ASKED / 4)
        .map(|_| ask(&format!("/api/v2/recordings/{LONG}/cast?from={from}&most={PART}")))
        .collect::<Vec<_>>();
    table.figure("a part as the page asks for it, 4 MiB", "ms", &part);
    let inside = format!("/api/v2/recordings/{LONG}/search?q=nothing-like-it");
    let looked = (0..ASKED / 4).map(|_| ask(&inside)).collect::<Vec<_>>();
    table.figure("search within it: what one answer looks at", "ms", &looked);
    for (what, query) in [
        ("search over 10,000 commands: one found", "search=namespace-07321"),
        ("search over 10,000 commands: all found", "search=kubectl%20delete"),
        ("search over 10,000 commands: none found", "search=nothing-like-it"),
    ] {
        let path = format!("/api/v2/recordings/commands?limit=50&{query}");
        goal(table, what, (0..ASKED).map(|_| ask(&path)).collect(), 100.0);
    }
}

fn goal(table: &mut Table, what: &str, ours: Vec<f64>, most: f64) {
    let reference = ("asked for", vec![most]);
    table.line(&Line { what, unit: "ms", ours, reference, goal: 1.0, better: Better::Less });
}

/// A long recording, and many commands in it.
fn write(path: &Path) {
    let mut conn = Connection::open(path).unwrap();
    let tx = conn.transaction().unwrap();
    tx.execute(
        "INSERT INTO recordings (id, session_id, user_id, workspace_id, agent_name, kind, command,
             cols, rows, reason, has_input, began_at, ended_at, status, length_ms, bytes,
             stored_bytes, lost_bytes, n_commands, hash)
         SELECT :id, :id, owner_id, id, 'main', 'shell', '', 100, 30, 'policy', 0,
             unixepoch() - 14400, unixepoch(), 'complete', :length, 0, 0, 0, :n, zeroblob(32)
         FROM workspaces LIMIT 1",
        named_params! { ":id": LONG, ":length": LENGTH_MS, ":n": COMMANDS },
    )
    .unwrap();
    let text: Vec<u8> = (0..BLOCK_BYTES)
        .map(|n| if n % 100 == 99 { b'\n' } else { b'a' + u8::try_from(n * 7 % 23).unwrap() })
        .collect();
    let mut plain = events::begin(&Picture { size: (100, 30), drawn: text[..3000].to_vec() });
    for piece in text.chunks(4096) {
        events::put(&mut plain, 3, &What::Output(Bytes::copy_from_slice(piece)));
    }
    let block = pack(&[0; 32], 0, (0, BLOCK_MS), &plain);
    for number in 0..LENGTH_MS / BLOCK_MS {
        let began = number * BLOCK_MS;
        tx.execute(
            "INSERT INTO recording_blocks VALUES (:id, :number, :began, :ended, :hash, :data)",
            named_params! {
                ":id": LONG, ":number": number, ":began": began, ":ended": began + BLOCK_MS - 1,
                ":hash": block.hash, ":data": block.data,
            },
        )
        .unwrap();
    }
    for n in 0..COMMANDS {
        let text = format!("kubectl delete pod worker-{n} --namespace namespace-{n:05}");
        tx.execute(
            "INSERT INTO commands SELECT NULL, id, :n, user_id, workspace_id, :text, '/srv',
                 began_at, :n, 5, 0 FROM recordings WHERE id = :id",
            named_params! { ":n": n, ":text": text, ":id": LONG },
        )
        .unwrap();
        let sql = "INSERT INTO command_words (rowid, text) VALUES (last_insert_rowid(), :text)";
        tx.execute(sql, named_params! { ":text": text }).unwrap();
    }
    tx.commit().unwrap();
}
