//! What SSH clients send: login names, keys, requests on a channel, SFTP packets.

use bytes::BytesMut;
use steading::model::id::SessionId;
use steading::model::name::{UserName, WorkspaceName};
use steading::model::session::SessionKind;
use steading::model::ssh_key::PublicKey as KeyOnFile;
use steading::server::fleet::target::Target;
use steading::ssh::channel::{Answer, Channel, Request};
use steading::ssh::keys::PublicKey;
use steading::ssh::sftp::{self, Ask, Attrs, Code, Name, OnPath, Reply};
use steading::wire::frame::Frame;
use steading::wire::session::{MAX_OPEN_BYTES, Open, Pty};

use super::Bytes;

/// A login name leads to one workspace at most, and a key has one fingerprint.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(target) = Target::parse(&text) {
        assert!(!target.workspace.is_empty() && !target.workspace.contains('.'));
        let owner = target.owner.as_deref().unwrap_or("ada");
        let is_name =
            UserName::parse(owner).is_ok() && WorkspaceName::parse(&target.workspace).is_ok();
        if is_name {
            let agent = target.agent.as_deref().map(|a| format!(".{a}")).unwrap_or_default();
            let whole = format!("{owner}--{}{agent}", target.workspace);
            let read = Target::parse(&whole).expect("a whole name is read");
            assert_eq!((read.workspace, read.agent), (target.workspace, target.agent));
            assert_eq!(read.owner.as_deref(), Some(owner));
        }
    }
    if let (Ok(on_file), Ok(offered)) = (KeyOnFile::parse(&text), PublicKey::parse(&text)) {
        assert_eq!(on_file.fingerprint, offered.fingerprint(), "a key that never matches");
    }
    if let Ok(key) = PublicKey::parse(&text) {
        assert_eq!(PublicKey::parse(&key.to_line()).as_ref(), Ok(&key));
    }
}

/// However a channel is asked, it starts one thing, and what it asks of the agent fits a message.
pub fn commands(data: &[u8]) {
    let (mut input, mut channel, mut started) = (Bytes(data), Channel::default(), false);
    while !input.0.is_empty() {
        let is_shown = matches!(input.0[0] % 8, 6 | 7);
        match channel.request(request(&mut input)) {
            Answer::Start(start) => {
                assert!(!started, "a channel starts one thing");
                started = true;
                let open = Open {
                    session: SessionId(uuid::Uuid::nil()),
                    user: None,
                    recorded_as: start.recorded_as,
                    marks: None,
                    kind: start.kind,
                };
                let json = serde_json::to_vec(&open).expect("a message can be written");
                assert!(json.len() <= MAX_OPEN_BYTES, "{} bytes do not fit", json.len());
                assert_eq!(serde_json::from_slice::<Open>(&json).ok().as_ref(), Some(&open));
                assert!(SessionKind::ALL.contains(&open.recorded_as));
            }
            Answer::Pass(frame) => {
                assert!(
                    started && is_shown && matches!(frame, Frame::Resize { .. } | Frame::Signal(_))
                );
            }
            Answer::Yes | Answer::No => {}
        }
    }
}

fn request(input: &mut Bytes<'_>) -> Request {
    match input.u8() % 8 {
        0 => Request::Pty(Pty {
            term: input.text(),
            cols: input.u16(),
            rows: input.u16(),
            modes: input.piece().iter().map(|mode| (*mode, 1)).collect(),
        }),
        1 => Request::Env { name: input.text(), value: input.text() },
        2 => Request::ForwardAgent,
        3 => Request::Shell,
        // A command may be longer than two bytes can say.
        4 => Request::Exec(input.piece().repeat(usize::from(input.u8()) + 1)),
        5 => Request::Subsystem(input.text()),
        6 => Request::Resize { cols: input.u16(), rows: input.u16() },
        _ => Request::Signal(input.text()),
    }
}

/// Packets are the same however the stream is cut; replies say how long they are.
pub fn sftp(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let whole = read_packets(stream, stream.len());
    assert_eq!(read_packets(stream, usize::from(*cut) + 1), whole, "a cut changes what is read");
    for request in &whole.0 {
        let mut out = BytesMut::new();
        reply(&request.ask).encode(request.id, &mut out);
        let (length, packet) = out.split_first_chunk::<4>().expect("a reply has a length");
        assert_eq!(usize::try_from(u32::from_be_bytes(*length)).ok(), Some(packet.len()));
    }
}

fn read_packets(stream: &[u8], piece: usize) -> (Vec<sftp::Request>, bool) {
    let (mut input, mut packets) = (BytesMut::new(), Vec::new());
    for piece in stream.chunks(piece.max(1)) {
        input.extend_from_slice(piece);
        loop {
            match sftp::Request::decode(&mut input) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(_) => return (packets, true),
            }
        }
    }
    (packets, false)
}

/// A reply that carries what was asked about.
fn reply(ask: &Ask) -> Reply {
    match ask {
        Ask::Init => Reply::Version,
        Ask::Open { attrs, .. } | Ask::Fsetstat { attrs, .. } => Reply::Attrs(*attrs),
        Ask::Write { data, .. } => Reply::Data(data.clone()),
        Ask::Read { handle, .. } => Reply::Handle(*handle),
        Ask::Opendir { path }
        | Ask::On(OnPath::Stat { path, .. } | OnPath::Realpath { path, .. }) => {
            let (name, long) = (path.clone(), path.clone());
            Reply::Names(vec![Name { name, long, attrs: Attrs::default() }])
        }
        Ask::Limits | Ask::Fstatvfs { .. } => Reply::Figures(vec![1, 2, 3]),
        other => Reply::Status(Code::Failure, format!("{other:?}")),
    }
}
