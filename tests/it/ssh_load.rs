//! Many channels at once, and readers and writers that stop.

use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::ssh_world::{LIMIT, World, output, settled, until};

const MEBI: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_carries_many_sessions() {
    let world = World::start().await;
    let control = world.local("control");
    let mut master = world.client("ssh");
    let _master = master.args(["-M", "-N", "-S"]).arg(&control).arg("ws").spawn().unwrap();
    until("the master listens", || control.exists()).await;
    let runs = (0..40).map(|n| {
        let mut ssh = world.client("ssh");
        ssh.arg("-S").arg(&control).args(["ws", &format!("seq 1 20000 | tail -1; exit {}", n % 7)]);
        async move { (n % 7, output(&mut ssh).await) }
    });
    for (expected, (code, out, err)) in futures_util::future::join_all(runs).await {
        assert_eq!((code, out.as_str()), (expected, "20000\n"), "{err}");
    }
    assert_eq!(world.record.began.lock().unwrap().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stops_costs_a_bounded_buffer() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    let mut ssh = ssh.args(["ws", "yes | head -c 200M"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = ssh.stdout.take().unwrap();
    let mut first = [0; 16];
    out.read_exact(&mut first).await.unwrap();
    let taken = || world.record.from_agent.load(Ordering::Relaxed);
    let last = settled(&world, 1, taken).await;
    // The client's own window and its buffers, and those of the sockets between, are the most of it.
    assert!(last < 16 * MEBI as u64, "{last} bytes taken for a reader that stopped");
    let mut rest = Vec::new();
    tokio::time::timeout(LIMIT, out.read_to_end(&mut rest)).await.expect("in time").unwrap();
    assert_eq!(rest.len() + first.len(), 200 * MEBI);
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_nobody_reads_waits_and_others_go_on() {
    let world = World::start().await;
    let control = world.local("control");
    let mut stuck = world.client("ssh");
    stuck.args(["-M", "-S"]).arg(&control).args(["ws", "sleep 1000"]).stdin(Stdio::piped());
    let mut stuck = stuck.spawn().unwrap();
    let mut input = stuck.stdin.take().unwrap();
    let block = vec![b'x'; MEBI];
    let written = AtomicU64::new(0);
    let fill = async {
        loop {
            let taken = input.write(&block).await.unwrap() as u64;
            let all = written.fetch_add(taken, Ordering::Relaxed) + taken;
            assert!(all < 64 * MEBI as u64, "input is taken without end");
        }
    };
    tokio::select! {
        () = fill => {}
        _ = settled(&world, MEBI as u64, || written.load(Ordering::Relaxed)) => {}
    }
    let other = |script: &str| {
        let mut ssh = world.client("ssh");
        ssh.arg("-S").arg(&control).args(["ws", script]);
        ssh
    };
    assert_eq!(output(&mut other("echo on")).await.1, "on\n");
    let mut upload = other("wc -c");
    let mut upload = upload.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut up = upload.stdin.take().unwrap();
    let send = async {
        for _ in 0..8 {
            up.write_all(&block).await.unwrap();
        }
        drop(up);
    };
    tokio::time::timeout(LIMIT, send).await.expect("another channel goes on");
    let out = tokio::time::timeout(LIMIT, upload.wait_with_output()).await.expect("in time");
    assert_eq!(out.unwrap().stdout, format!("{}\n", 8 * MEBI).as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_echoed_while_it_is_sent_never_locks_up() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    let mut ssh =
        ssh.args(["ws", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut out) = (ssh.stdin.take().unwrap(), ssh.stdout.take().unwrap());
    let size = 64 * MEBI;
    let sent = AtomicU64::new(0);
    let send = async {
        let block = vec![b'y'; 64 << 10];
        while sent.load(Ordering::Relaxed) < size as u64 {
            input.write_all(&block).await.unwrap();
            sent.fetch_add(block.len() as u64, Ordering::Relaxed);
        }
        drop(input);
    };
    let take = async {
        // A reader that is slow at first lets every buffer on the way fill up.
        settled(&world, MEBI as u64, || sent.load(Ordering::Relaxed)).await;
        let mut all = Vec::new();
        out.read_to_end(&mut all).await.unwrap();
        all.len()
    };
    let both = async { tokio::join!(send, take).1 };
    assert_eq!(tokio::time::timeout(LIMIT, both).await.expect("in time"), size);
}
