//! Forwarded ports, sockets and agents through stock OpenSSH.

use std::path::Path;
use std::process::Stdio;

use steading::model::session::SessionKind;
use steading::tasks::{OnPanic, Tasks};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::process::{Child, Command};

use crate::e2e::ports;
use crate::ssh_world::{LIMIT, World, output, until};

/// Answers each connection with what it got, turned to upper case, once it got all of it.
async fn shouter(tasks: &Tasks) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let spawner = tasks.clone();
    tasks.spawn("shouter", OnPanic::Lose, async move {
        while let Ok((socket, _)) = listener.accept().await {
            spawner.spawn("shout", OnPanic::Lose, async move { shout(socket).await });
        }
    });
    port
}

fn unix_shouter(tasks: &Tasks, path: &Path) {
    let listener = UnixListener::bind(path).unwrap();
    let spawner = tasks.clone();
    tasks.spawn("shouter", OnPanic::Lose, async move {
        while let Ok((socket, _)) = listener.accept().await {
            spawner.spawn("shout", OnPanic::Lose, async move { shout(socket).await });
        }
    });
}

async fn shout<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(mut socket: S) {
    let mut all = Vec::new();
    let _ = socket.read_to_end(&mut all).await;
    let _ = socket.write_all(&all.to_ascii_uppercase()).await;
    let _ = socket.shutdown().await;
}

async fn ask<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    mut socket: S,
    text: &str,
) -> String {
    let mut answer = String::new();
    let asking = async {
        socket.write_all(text.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
        socket.read_to_string(&mut answer).await.unwrap();
    };
    tokio::time::timeout(LIMIT, asking).await.expect("in time");
    answer
}

/// `ssh` with these options, once it says that it is in.
async fn forwarding(world: &World, args: &[&str]) -> Child {
    let mut ssh = world.client("ssh");
    ssh.args(["-o", "ExitOnForwardFailure=yes"]).args(args).args(["ws", "echo in; sleep 1000"]);
    let mut ssh = ssh.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(ssh.stdout.take().unwrap());
    tokio::time::timeout(LIMIT, out.read_line(&mut line)).await.expect("in time").unwrap();
    assert_eq!(line, "in\n");
    ssh
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_port_leads_into_the_workspace() {
    let world = World::start().await;
    let (far, near) = (shouter(&world.tasks).await, ports::free());
    let ssh = forwarding(&world, &["-L", &format!("{near}:127.0.0.1:{far}")]).await;
    for n in 0..20 {
        let socket = TcpStream::connect(("127.0.0.1", near)).await.unwrap();
        assert_eq!(ask(socket, &format!("hello {n}")).await, format!("HELLO {n}"));
    }
    let kinds = world.record.began.lock().unwrap().iter().map(|b| b.kind).collect::<Vec<_>>();
    assert_eq!(kinds, [SessionKind::Ssh, SessionKind::Forward], "all forwards are one session");
    drop(ssh);
    until("both are recorded", || world.record.ended.lock().unwrap().len() == 2).await;
    let ended = world.record.ended.lock().unwrap();
    assert!(ended.iter().any(|e| e.bytes_in == 150 && e.bytes_out == 150), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_closed_is_told() {
    let world = World::start().await;
    let (code, _, err) = output(world.client("ssh").args(["-v", "-W", "127.0.0.1:1", "ws"])).await;
    assert_eq!(code, 255);
    assert!(err.contains("127.0.0.1:1: Connection refused"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_leads_anywhere() {
    let world = World::start().await;
    let (far, near) = (shouter(&world.tasks).await, ports::free());
    let _ssh = forwarding(&world, &["-D", &near.to_string()]).await;
    let mut socket = TcpStream::connect(("127.0.0.1", near)).await.unwrap();
    socket.write_all(&[5, 1, 0]).await.unwrap();
    let mut chosen = [0; 2];
    socket.read_exact(&mut chosen).await.unwrap();
    assert_eq!(chosen, [5, 0]);
    let [high, low] = far.to_be_bytes();
    socket.write_all(&[5, 1, 0, 1, 127, 0, 0, 1, high, low]).await.unwrap();
    let mut reply = [0; 10];
    socket.read_exact(&mut reply).await.unwrap();
    assert_eq!(reply[..2], [5, 0]);
    assert_eq!(ask(socket, "socks").await, "SOCKS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_the_workspace_leads_here() {
    let world = World::start().await;
    let (here, there) = (shouter(&world.tasks).await, ports::free());
    let ssh = forwarding(&world, &["-R", &format!("{there}:127.0.0.1:{here}")]).await;
    let socket = TcpStream::connect(("127.0.0.1", there)).await.unwrap();
    assert_eq!(ask(socket, "back").await, "BACK");
    let taken = ["-o", "ExitOnForwardFailure=yes", "-R"];
    let (code, _, err) = output(
        world
            .client("ssh")
            .args(taken)
            .arg(format!("{there}:127.0.0.1:{here}"))
            .args(["ws", "true"]),
    )
    .await;
    assert_eq!(code, 255);
    assert!(err.contains("remote port forwarding failed"), "{err}");
    drop(ssh);
    until("the port is free", || std::net::TcpListener::bind(("127.0.0.1", there)).is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_port_of_the_workspace_may_be_given_and_taken_back() {
    let world = World::start().await;
    let here = shouter(&world.tasks).await;
    let control = world.local("control");
    let master = ["-M", "-S", control.to_str().unwrap()];
    let _ssh = forwarding(&world, &master).await;
    let ask_master = |what: &'static str| {
        let mut ssh = world.client("ssh");
        ssh.arg("-S")
            .arg(&control)
            .args(["-O", what, "-R"])
            .arg(format!("0:127.0.0.1:{here}"))
            .arg("ws");
        ssh
    };
    let (code, out, err) = output(&mut ask_master("forward")).await;
    assert_eq!(code, 0, "{err}");
    let port: u16 = out.trim().parse().expect("the port that was given");
    let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert_eq!(ask(socket, "any").await, "ANY");
    let mut cancel = world.client("ssh");
    cancel
        .arg("-S")
        .arg(&control)
        .args(["-O", "cancel", "-R"])
        .arg(format!("{port}:127.0.0.1:{here}"))
        .arg("ws");
    let _ = output(&mut cancel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_lead_both_ways() {
    let world = World::start().await;
    let paths = ["far", "near", "here", "there"].map(|name| world.local(name));
    let [far, near, here, there] = &paths;
    unix_shouter(&world.tasks, far);
    unix_shouter(&world.tasks, here);
    let local = format!("{}:{}", near.display(), far.display());
    let remote = format!("{}:{}", there.display(), here.display());
    let ssh = forwarding(&world, &["-L", &local, "-R", &remote]).await;
    assert_eq!(ask(UnixStream::connect(near).await.unwrap(), "in").await, "IN");
    assert_eq!(ask(UnixStream::connect(there).await.unwrap(), "out").await, "OUT");
    drop(ssh);
    until("the socket is gone", || !there.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_persons_agent_signs_from_within() {
    let world = World::start().await;
    let socket = world.local("agent");
    let mut agent = Command::new("ssh-agent");
    let agent = agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).kill_on_drop(true);
    let _agent = agent.spawn().unwrap();
    until("the agent listens", || socket.exists()).await;
    let mut add = Command::new("ssh-add");
    let (code, _, err) = output(add.env("SSH_AUTH_SOCK", &socket).arg(world.local("id"))).await;
    assert_eq!(code, 0, "{err}");
    let mut ssh = world.client("ssh");
    ssh.env("SSH_AUTH_SOCK", &socket).args(["-A", "ws", "ssh-add -l; ls -l $SSH_AUTH_SOCK"]);
    let (code, out, err) = output(&mut ssh).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("ada@laptop (ED25519)"), "{out}");
    assert!(out.contains("srw"), "{out}");
    until("the socket is removed", || {
        std::fs::read_dir(world.local("run")).unwrap().next().is_none()
    })
    .await;
    let (_, out, _) = world.ssh(&["echo [$SSH_AUTH_SOCK]"]).await;
    assert_eq!(out, "[]\n");
}
