//! Commands and shells through stock OpenSSH.

use std::process::Stdio;

use steading::model::session::{EndReason, SessionKind};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use crate::ssh_world::{LIMIT, World, output, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gives_its_output_and_its_exit_code() {
    let world = World::start().await;
    let (code, out, err) = world.ssh(&["echo out; echo err >&2; exit 42"]).await;
    assert_eq!((code, out.as_str(), err.as_str()), (42, "out\n", "err\n"));
    let (code, out, _) = world.ssh(&["pwd; echo $FROM_MANIFEST $HOME"]).await;
    let home = world.home();
    assert_eq!((code, out), (0, format!("{0}\nyes {0}\n", home.display())));
}

#[tokio::test(flavor = "multi_thread")]
async fn input_reaches_the_command_and_ends() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    let mut ssh = ssh
        .args(["ws", "sort; echo done"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    ssh.stdin.take().unwrap().write_all(b"b\na\n").await.unwrap();
    let out = ssh.wait_with_output().await.unwrap();
    assert_eq!(out.stdout, b"a\nb\ndone\n");
    until("the record", || world.record.ended.lock().unwrap().len() == 1).await;
    let (began, ended) = (world.record.began.lock().unwrap(), world.record.ended.lock().unwrap());
    assert_eq!((began[0].kind, began[0].login.as_str()), (SessionKind::Ssh, "ws"));
    assert!(began[0].client.starts_with("SSH-2.0-OpenSSH"));
    assert_eq!((ended[0].bytes_in, ended[0].bytes_out), (4, 9));
    assert_eq!((ended[0].session, ended[0].reason), (began[0].session, EndReason::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_killed_by_a_signal_says_so() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    let (code, _, err) = output(ssh.args(["-v", "ws", "kill -TERM $$"])).await;
    assert_eq!(code, 255);
    assert!(err.contains("exit-signal") && err.contains("TERM"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn some_variables_may_be_set() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    ssh.args([
        "-o",
        "SetEnv=LC_TEST=a GIT_TEST=b LD_TEST=c",
        "ws",
        "echo $LC_TEST$GIT_TEST$LD_TEST",
    ]);
    assert_eq!(output(&mut ssh).await.1, "ab\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_a_size_and_a_name_and_ends_with_its_shell() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    ssh.env("TERM", "xterm-256color").args(["-tt", "ws", "stty size; tty; echo $TERM; exit 3"]);
    let (code, out, _) = output(&mut ssh).await;
    assert_eq!(code, 3);
    let lines = out.lines().map(str::trim_end).collect::<Vec<_>>();
    assert!(lines[0].split(' ').count() == 2, "{out}");
    assert!(lines[1].starts_with("/dev/pts/"), "{out}");
    assert_eq!(lines[2], "xterm-256color");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_shell_takes_what_is_typed() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    let mut ssh =
        ssh.args(["-tt", "ws"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut keys = ssh.stdin.take().unwrap();
    let mut screen = BufReader::new(ssh.stdout.take().unwrap());
    keys.write_all(b"PS1=; trap 'echo caught; exit 5' INT; echo shell:$0:$((40+2)); read line\n")
        .await
        .unwrap();
    let mut line = String::new();
    while !line.contains("shell:-bash:42") {
        line.clear();
        let read = tokio::time::timeout(LIMIT, screen.read_line(&mut line)).await;
        assert!(read.expect("in time").unwrap() > 0);
    }
    // Ctrl-C becomes a signal in the terminal.
    keys.write_all(&[3]).await.unwrap();
    let mut rest = String::new();
    tokio::time::timeout(LIMIT, screen.read_to_string(&mut rest)).await.expect("in time").unwrap();
    assert!(rest.contains("caught"), "{rest}");
    assert_eq!(ssh.wait().await.unwrap().code(), Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_end_when_their_client_is_gone() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    let command = "echo $$; sleep 1000 & sleep 1000";
    let mut ssh = ssh.args(["ws", command]).stdout(Stdio::piped()).spawn().unwrap();
    let mut pid = String::new();
    BufReader::new(ssh.stdout.take().unwrap()).read_line(&mut pid).await.unwrap();
    let proc = format!("/proc/{}", pid.trim());
    assert!(std::path::Path::new(&proc).exists());
    ssh.kill().await.unwrap();
    until("the process is gone", || !std::path::Path::new(&proc).exists()).await;
    until("the record", || world.record.ended.lock().unwrap().len() == 1).await;
    assert_eq!(world.record.ended.lock().unwrap()[0].reason, EndReason::Lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_cut_at_once() {
    let world = World::start().await;
    let mut ssh = world.client("ssh");
    let mut ssh = ssh.args(["ws", "echo on; sleep 1000"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(ssh.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    assert_eq!(world.sessions.counts().sessions, 1);
    let session = world.record.began.lock().unwrap()[0].session;
    world.sessions.cut(session);
    let status = tokio::time::timeout(LIMIT, ssh.wait()).await.expect("in time").unwrap();
    assert_eq!(status.code(), Some(255));
    until("nobody left", || world.sessions.counts().sessions == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_why_they_wait_and_why_not() {
    let world = World::start().await;
    let (code, out, err) =
        output(world.client("ssh").args(["-l", "stopped", "ws", "echo in"])).await;
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (0, "in\n", "Starting the workspace stopped …\r\n")
    );
    let (code, _, err) = output(world.client("ssh").args(["-l", "missing", "ws", "true"])).await;
    assert_eq!((code, err.as_str()), (255, "There is no workspace missing.\r\n"));
    let (code, _, err) = output(world.client("ssh").args(["-l", "nobody", "ws", "true"])).await;
    assert_eq!(code, 255);
    assert!(err.contains("Permission denied (publickey)"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_kind_open_the_door() {
    let world = World::start().await;
    for (kind, bits) in [("rsa", "2048"), ("ecdsa", "256"), ("ed25519", "256")] {
        let file = world.local(kind);
        let mut make = tokio::process::Command::new("ssh-keygen");
        make.args(["-q", "-t", kind, "-b", bits, "-N", "", "-f"]).arg(&file);
        assert_eq!(output(&mut make).await.0, 0);
        world.allow(&std::fs::read_to_string(file.with_extension("pub")).unwrap());
        let mut ssh = world.client("ssh");
        ssh.args(["-o", "IdentityFile=none", "-i"]).arg(&file).args(["ws", "echo in"]);
        let (code, out, err) = output(&mut ssh).await;
        assert_eq!((code, out.as_str()), (0, "in\n"), "{kind}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_tunnel_nothing_more_is_asked() {
    let world = World::start().await;
    let port = world.tunnel_door().await.to_string();
    let mut ssh = world.client("ssh");
    ssh.args(["-p", &port, "-o", "IdentityFile=none", "-o", "StrictHostKeyChecking=no"]);
    let (code, out, err) = output(ssh.args(["ws", "echo in"])).await;
    assert_eq!((code, out.as_str()), (0, "in\n"), "{err}");
}
