//! SFTP version 3 with OpenSSH's extensions, as a pure codec for a server: requests in, replies out.

use bytes::{Buf as _, Bytes, BytesMut};

/// Longest packet, without its length. What OpenSSH's own server takes.
pub const MAX_PACKET: usize = 256 << 10;

/// Longest data of one read or write. The rest of a packet is left for its other fields.
pub const MAX_DATA: usize = MAX_PACKET - 1024;

/// What is asked for; paths are bytes, as the file system has them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the protocol's and mean what their names say")]
pub enum Ask {
    /// The first packet.
    Init,
    /// Open a file.
    Open { path: Vec<u8>, flags: u32, attrs: Attrs },
    /// Close a handle.
    Close { handle: u32 },
    /// Read from a file.
    Read { handle: u32, offset: u64, len: u32 },
    /// Write to a file.
    Write { handle: u32, offset: u64, data: Bytes },
    /// Attributes of an open file.
    Fstat { handle: u32 },
    /// Change attributes of an open file.
    Fsetstat { handle: u32, attrs: Attrs },
    /// Open a directory.
    Opendir { path: Vec<u8> },
    /// Some of a directory's entries.
    Readdir { handle: u32 },
    /// Figures of an open file's file system.
    Fstatvfs { handle: u32 },
    /// Put an open file on the disk.
    Fsync { handle: u32 },
    /// What needs no handle.
    On(OnPath),
    /// What this server takes at most.
    Limits,
    /// Something else.
    Unknown,
}

/// What is asked for about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the protocol's and mean what their names say")]
pub enum OnPath {
    /// Attributes, of a link itself when `follow` is not set.
    Stat { path: Vec<u8>, follow: bool },
    /// Change attributes.
    Setstat { path: Vec<u8>, attrs: Attrs },
    /// Remove a file.
    Remove { path: Vec<u8> },
    /// Make a directory.
    Mkdir { path: Vec<u8>, attrs: Attrs },
    /// Remove an empty directory.
    Rmdir { path: Vec<u8> },
    /// The absolute path; `~` is the home directory when `expand` is set.
    Realpath { path: Vec<u8>, expand: bool },
    /// Rename; over an existing file only when `replace` is set.
    Rename { from: Vec<u8>, to: Vec<u8>, replace: bool },
    /// Where a link leads.
    Readlink { path: Vec<u8> },
    /// Make a symbolic link.
    Symlink { target: Vec<u8>, path: Vec<u8> },
    /// Make a hard link.
    Hardlink { from: Vec<u8>, to: Vec<u8> },
    /// Figures of a file system.
    Statvfs { path: Vec<u8> },
}

/// A request and the number its reply carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The number.
    pub id: u32,
    /// What is asked for.
    pub ask: Ask,
}

/// Attributes of a file; none of those that are not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attrs {
    /// Bytes.
    pub size: Option<u64>,
    /// User and group.
    pub owner: Option<(u32, u32)>,
    /// Type and permissions.
    pub mode: Option<u32>,
    /// Last access and last change, in seconds since 1970.
    pub times: Option<(u32, u32)>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its name.
    pub name: Vec<u8>,
    /// As `ls -l` prints it.
    pub long: Vec<u8>,
    /// Its attributes.
    pub attrs: Attrs,
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Code {
    /// Well.
    Ok = 0,
    /// Nothing more.
    Eof = 1,
    /// Not there.
    NoSuchFile = 2,
    /// Not allowed.
    PermissionDenied = 3,
    /// Otherwise not.
    Failure = 4,
    /// Not offered.
    Unsupported = 8,
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Ask::Init`].
    Version,
    /// How it went.
    Status(Code, String),
    /// A handle.
    Handle(u32),
    /// What was read.
    Data(Bytes),
    /// Paths or entries.
    Names(Vec<Name>),
    /// Attributes.
    Attrs(Attrs),
    /// Figures of an extension.
    Figures(Vec<u64>),
}

/// Bytes that are no packet; the stream is to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an SFTP packet")]
pub struct BadPacket;

impl Request {
    /// Takes one packet off the front of `input`; none when more bytes are needed.
    ///
    /// # Errors
    /// When the bytes are no packet.
    pub fn decode(input: &mut BytesMut) -> Result<Option<Self>, BadPacket> {
        let Some(len) = input.first_chunk::<4>() else { return Ok(None) };
        let len = u32::from_be_bytes(*len) as usize;
        if len == 0 || len > MAX_PACKET {
            return Err(BadPacket);
        }
        if input.len() < 4 + len {
            return Ok(None);
        }
        input.advance(4);
        let mut packet = input.split_to(len).freeze();
        let kind = packet.try_get_u8().map_err(|_| BadPacket)?;
        let id = packet.try_get_u32().map_err(|_| BadPacket)?;
        // The first packet carries the version where others carry their number.
        let ask = if kind == 1 { Ask::Init } else { Fields(packet).ask(kind)? };
        Ok(Some(Self { id, ask }))
    }
}

/// The fields of a packet that are still to be read.
struct Fields(Bytes);

impl Fields {
    fn ask(&mut self, kind: u8) -> Result<Ask, BadPacket> {
        Ok(match kind {
            3 => Ask::Open { path: self.text()?, flags: self.u32()?, attrs: self.attrs()? },
            4 => Ask::Close { handle: self.handle()? },
            5 => Ask::Read { handle: self.handle()?, offset: self.u64()?, len: self.u32()? },
            6 => Ask::Write { handle: self.handle()?, offset: self.u64()?, data: self.bytes()? },
            7 => Ask::On(OnPath::Stat { path: self.text()?, follow: false }),
            8 => Ask::Fstat { handle: self.handle()? },
            9 => Ask::On(OnPath::Setstat { path: self.text()?, attrs: self.attrs()? }),
            10 => Ask::Fsetstat { handle: self.handle()?, attrs: self.attrs()? },
            11 => Ask::Opendir { path: self.text()? },
            12 => Ask::Readdir { handle: self.handle()? },
            13 => Ask::On(OnPath::Remove { path: self.text()? }),
            14 => Ask::On(OnPath::Mkdir { path: self.text()?, attrs: self.attrs()? }),
            15 => Ask::On(OnPath::Rmdir { path: self.text()? }),
            16 => Ask::On(OnPath::Realpath { path: self.text()?, expand: false }),
            17 => Ask::On(OnPath::Stat { path: self.text()?, follow: true }),
            18 => Ask::On(OnPath::Rename { from: self.text()?, to: self.text()?, replace: false }),
            19 => Ask::On(OnPath::Readlink { path: self.text()? }),
            // OpenSSH sends the target first, against the draft; everyone follows it.
            20 => Ask::On(OnPath::Symlink { target: self.text()?, path: self.text()? }),
            200 => self.extended()?,
            _ => Ask::Unknown,
        })
    }

    fn extended(&mut self) -> Result<Ask, BadPacket> {
        Ok(match self.text()?.as_slice() {
            b"posix-rename@openssh.com" => {
                Ask::On(OnPath::Rename { from: self.text()?, to: self.text()?, replace: true })
            }
            b"statvfs@openssh.com" => Ask::On(OnPath::Statvfs { path: self.text()? }),
            b"fstatvfs@openssh.com" => Ask::Fstatvfs { handle: self.handle()? },
            b"hardlink@openssh.com" => {
                Ask::On(OnPath::Hardlink { from: self.text()?, to: self.text()? })
            }
            b"fsync@openssh.com" => Ask::Fsync { handle: self.handle()? },
            b"limits@openssh.com" => Ask::Limits,
            b"expand-path@openssh.com" => {
                Ask::On(OnPath::Realpath { path: self.text()?, expand: true })
            }
            _ => Ask::Unknown,
        })
    }

    fn u32(&mut self) -> Result<u32, BadPacket> {
        self.0.try_get_u32().map_err(|_| BadPacket)
    }

    fn u64(&mut self) -> Result<u64, BadPacket> {
        self.0.try_get_u64().map_err(|_| BadPacket)
    }

    fn bytes(&mut self) -> Result<Bytes, BadPacket> {
        let len = self.u32()? as usize;
        if len > self.0.len() { Err(BadPacket) } else { Ok(self.0.split_to(len)) }
    }

    fn text(&mut self) -> Result<Vec<u8>, BadPacket> {
        Ok(self.bytes()?.to_vec())
    }

    /// A handle of ours; of anyone else's making it is one that is never there.
    fn handle(&mut self) -> Result<u32, BadPacket> {
        let bytes = self.bytes()?;
        Ok(<[u8; 4]>::try_from(bytes.as_ref()).map_or(u32::MAX, u32::from_be_bytes))
    }

    fn attrs(&mut self) -> Result<Attrs, BadPacket> {
        let flags = self.u32()?;
        let mut attrs = Attrs::default();
        if flags & 1 != 0 {
            attrs.size = Some(self.u64()?);
        }
        if flags & 2 != 0 {
            attrs.owner = Some((self.u32()?, self.u32()?));
        }
        if flags & 4 != 0 {
            attrs.mode = Some(self.u32()?);
        }
        if flags & 8 != 0 {
            attrs.times = Some((self.u32()?, self.u32()?));
        }
        Ok(attrs)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BufMut as _;
    use proptest::prelude::*;

    use super::*;
    use crate::ssh::sftp_reply::{len32, put_bytes, put_head};

    fn packet(kind: u8, rest: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        out.put_u32(len32(5 + rest.len()));
        put_head(&mut out, kind, 9);
        out.put_slice(rest);
        out
    }

    #[test]
    fn a_write_is_read_whole_and_only_when_it_is_there() {
        let mut rest = BytesMut::new();
        put_bytes(&mut rest, &7u32.to_be_bytes());
        rest.put_u64(1 << 40);
        put_bytes(&mut rest, b"data");
        let mut whole = packet(6, &rest);
        for cut in 0..whole.len() {
            let mut part = BytesMut::from(whole.get(..cut).unwrap());
            assert_eq!(Request::decode(&mut part), Ok(None));
        }
        let ask = Ask::Write { handle: 7, offset: 1 << 40, data: Bytes::from_static(b"data") };
        assert_eq!(Request::decode(&mut whole), Ok(Some(Request { id: 9, ask })));
    }

    #[test]
    fn what_is_not_offered_is_not_an_error() {
        let mut rest = BytesMut::new();
        put_bytes(&mut rest, b"copy-data");
        let got = Request::decode(&mut packet(200, &rest)).unwrap().unwrap();
        assert_eq!(got.ask, Ask::Unknown);
        assert_eq!(Request::decode(&mut packet(16, &[0, 0, 0, 9, b'x'])), Err(BadPacket));
        assert_eq!(Request::decode(&mut BytesMut::from(&[255; 8][..])), Err(BadPacket));
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(kind: u8, rest in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Request::decode(&mut packet(kind, &rest));
            let mut raw = BytesMut::from(&rest[..]);
            while let Ok(Some(_)) = Request::decode(&mut raw) {}
        }
    }
}
