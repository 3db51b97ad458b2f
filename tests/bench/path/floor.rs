//! The floor: axum over SQLite with nothing of ours, a process of its own like the server.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use axum::Router;
use axum::extract::{Path as Part, State};
use axum::routing::{get, post};
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

const USERS: i64 = 1000;
const BATCH: usize = 64;

/// A floor that runs.
pub struct Floor {
    pub url: String,
    pub child: Child,
}

impl Floor {
    /// Starts one over the database in `dir`; it is made when it is not there.
    pub fn start(dir: &Path) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program)
            .arg("floor")
            .arg(dir.join("floor.db"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { url: line.trim().to_owned(), child }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The process itself: `floor DATABASE`.
pub fn main(args: &[String]) {
    let path = args[0].clone();
    fill(&open(&path));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async move {
        let app = Router::new()
            .route("/hello", get(|| async { "hello" }))
            .route("/user/{id}", get(user))
            .route("/users", get(users))
            .route("/write", post(write))
            .with_state((path.clone(), writer(path)));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        std::io::stdout().flush().unwrap();
        axum::serve(listener, app).await.unwrap();
    });
}

fn open(path: &str) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
         CREATE TABLE IF NOT EXISTS user (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL,
           email TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 0);",
    )
    .unwrap();
    conn
}

fn fill(conn: &Connection) {
    let tx = conn.unchecked_transaction().unwrap();
    for i in 0..USERS {
        tx.execute(
            "INSERT OR IGNORE INTO user (id, name, email) VALUES (?1, ?2, ?3)",
            params![i, format!("user{i}"), format!("user{i}@example.test")],
        )
        .unwrap();
    }
    tx.commit().unwrap();
}

type Writer = mpsc::Sender<oneshot::Sender<()>>;
type Shared = (String, Writer);

fn writer(path: String) -> Writer {
    let (sender, receiver) = mpsc::channel::<oneshot::Sender<()>>();
    std::thread::spawn(move || {
        let conn = open(&path);
        let mut update = conn.prepare("UPDATE user SET seen = seen + 1 WHERE id = ?1").unwrap();
        while let Ok(first) = receiver.recv() {
            let jobs: Vec<_> =
                std::iter::once(first).chain(receiver.try_iter().take(BATCH - 1)).collect();
            let tx = conn.unchecked_transaction().unwrap();
            for id in (0_i64..).take(jobs.len()) {
                update.execute([id]).unwrap();
            }
            tx.commit().unwrap();
            for job in jobs {
                let _ = job.send(());
            }
        }
    });
    sender
}

thread_local!(static READER: RefCell<Option<Connection>> = const { RefCell::new(None) });

fn read<T>(path: &str, work: impl FnOnce(&Connection) -> T) -> T {
    READER.with(|reader| work(reader.borrow_mut().get_or_insert_with(|| open(path))))
}

async fn user(State((path, _)): State<Shared>, Part(id): Part<i64>) -> String {
    read(&path, |conn| {
        let mut find = conn.prepare_cached("SELECT name, email FROM user WHERE id = ?1").unwrap();
        let (name, email): (String, String) =
            find.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        format!(r#"{{"name":"{name}","email":"{email}"}}"#)
    })
}

async fn users(State((path, _)): State<Shared>) -> String {
    read(&path, |conn| {
        let mut list =
            conn.prepare_cached("SELECT id, name, email FROM user ORDER BY id LIMIT 100").unwrap();
        let one = |row: &rusqlite::Row<'_>| {
            let (id, name, email): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!(r#"{{"id":{id},"name":"{name}","email":"{email}"}}"#))
        };
        let all: Vec<String> = list.query_map([], one).unwrap().map(Result::unwrap).collect();
        format!("[{}]", all.join(","))
    })
}

async fn write(State((_, writer)): State<Shared>) -> &'static str {
    let (tell, told) = oneshot::channel();
    writer.send(tell).unwrap();
    told.await.unwrap();
    "ok"
}
