//! Signals that a client sends (RFC 4254, 6.9). Stock OpenSSH sends none: russh is the client here.

use std::path::Path;
use std::sync::Arc;

use russh::client::{Handle, Msg, connect};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh::{Channel, ChannelMsg, Sig};

use crate::ssh_world::{LIMIT, World, until};

struct AnyServer;

impl russh::client::Handler for AnyServer {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// What came back until the channel closed.
#[derive(Debug, Default)]
struct End {
    out: String,
    code: Option<u32>,
    signal: Option<String>,
}

async fn client(world: &World) -> Handle<AnyServer> {
    let key = std::fs::read_to_string(world.local("id")).unwrap();
    let key = Arc::new(decode_secret_key(&key, None).unwrap());
    let mut client = connect(Arc::default(), world.address, AnyServer).await.unwrap();
    let key = PrivateKeyWithHashAlg::new(key, None);
    assert!(client.authenticate_publickey("ws", key).await.unwrap().success());
    client
}

/// A command that has said `on` and the process ids of its group.
async fn started(client: &Handle<AnyServer>, command: &str) -> (Channel<Msg>, Vec<String>) {
    let mut channel = client.channel_open_session().await.unwrap();
    channel.exec(true, command).await.unwrap();
    let mut said = String::new();
    let hearing = async {
        while !said.ends_with('\n') {
            if let ChannelMsg::Data { data } = channel.wait().await.expect("it is on") {
                said.push_str(std::str::from_utf8(&data).unwrap());
            }
        }
    };
    tokio::time::timeout(LIMIT, hearing).await.expect("in time");
    let pids = said.strip_prefix("on").unwrap().split_whitespace().map(str::to_owned).collect();
    (channel, pids)
}

async fn end(mut channel: Channel<Msg>) -> End {
    let mut end = End::default();
    let hearing = async {
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => end.out.push_str(std::str::from_utf8(&data).unwrap()),
                ChannelMsg::ExitStatus { exit_status } => end.code = Some(exit_status),
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    end.signal = Some(format!("{signal_name:?}"));
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(LIMIT, hearing).await.expect("in time");
    end
}

async fn all_gone(pids: &[String]) {
    until("every process is gone", || {
        pids.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reaches_the_whole_group_and_comes_back_as_the_end() {
    let world = World::start().await;
    let client = client(&world).await;
    for signal in [Sig::TERM, Sig::HUP, Sig::INT, Sig::USR1, Sig::KILL] {
        let command = "sh -c 'echo on $PPID $$; exec sleep 1000'; true";
        let (channel, pids) = started(&client, command).await;
        assert_eq!(pids.len(), 2);
        channel.signal(signal.clone()).await.unwrap();
        let end = end(channel).await;
        assert_eq!((end.signal, end.code), (Some(format!("{signal:?}")), None));
        all_gone(&pids).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_may_take_a_signal_and_end_as_it_likes() {
    let world = World::start().await;
    let client = client(&world).await;
    for (signal, name) in [(Sig::TERM, "TERM"), (Sig::INT, "INT"), (Sig::HUP, "HUP")] {
        let command =
            format!("trap 'echo took {name}; exit 7' {name}; echo on; while :; do sleep 0.1; done");
        let (channel, _) = started(&client, &command).await;
        channel.signal(signal).await.unwrap();
        let end = end(channel).await;
        assert_eq!(
            (end.out.trim(), end.code, end.signal),
            (&*format!("took {name}"), Some(7), None)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_terminal_a_signal_reaches_what_runs_in_front() {
    let world = World::start().await;
    let client = client(&world).await;
    let mut channel = client.channel_open_session().await.unwrap();
    channel.request_pty(true, "xterm", 80, 24, 0, 0, &[]).await.unwrap();
    channel.request_shell(true).await.unwrap();
    let typed = "PS1=; sh -c 'echo in-$((40+2)); exec sleep 1000'; echo code-$?; exit 4\n";
    channel.data_bytes(typed).await.unwrap();
    let mut screen = String::new();
    let hearing = async {
        while !screen.contains("in-42") {
            if let ChannelMsg::Data { data } = channel.wait().await.expect("it is on") {
                screen.push_str(&String::from_utf8_lossy(&data));
            }
        }
    };
    tokio::time::timeout(LIMIT, hearing).await.expect("in time");
    channel.signal(Sig::TERM).await.unwrap();
    let end = end(channel).await;
    assert!(end.out.contains("code-143"), "{screen}{end:?}");
    assert_eq!(end.code, Some(4));
}
