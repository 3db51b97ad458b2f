//! Replies of SFTP, written as packets.

use bytes::{BufMut as _, BytesMut};

use super::sftp::{Attrs, Reply};

/// What the version packet names: extension and its version.
const EXTENSIONS: &[(&str, &str)] = &[
    ("posix-rename@openssh.com", "1"),
    ("statvfs@openssh.com", "2"),
    ("fstatvfs@openssh.com", "2"),
    ("hardlink@openssh.com", "1"),
    ("fsync@openssh.com", "1"),
    ("limits@openssh.com", "1"),
    ("expand-path@openssh.com", "1"),
];

impl Reply {
    /// Appends the reply to request `id` to `out`.
    pub fn encode(&self, id: u32, out: &mut BytesMut) {
        let start = out.len();
        out.put_u32(0);
        match self {
            Self::Version => {
                out.put_u8(2);
                out.put_u32(3);
                for (name, version) in EXTENSIONS {
                    put_bytes(out, name.as_bytes());
                    put_bytes(out, version.as_bytes());
                }
            }
            Self::Status(code, message) => {
                put_head(out, 101, id);
                out.put_u32(*code as u32);
                put_bytes(out, message.as_bytes());
                put_bytes(out, b"");
            }
            Self::Handle(handle) => {
                put_head(out, 102, id);
                put_bytes(out, &handle.to_be_bytes());
            }
            Self::Data(data) => {
                put_head(out, 103, id);
                put_bytes(out, data);
            }
            Self::Names(names) => {
                put_head(out, 104, id);
                out.put_u32(len32(names.len()));
                for name in names {
                    put_bytes(out, &name.name);
                    put_bytes(out, &name.long);
                    put_attrs(out, &name.attrs);
                }
            }
            Self::Attrs(attrs) => {
                put_head(out, 105, id);
                put_attrs(out, attrs);
            }
            Self::Figures(figures) => {
                put_head(out, 201, id);
                figures.iter().for_each(|figure| out.put_u64(*figure));
            }
        }
        let len = len32(out.len() - start - 4);
        if let Some(head) = out.get_mut(start..start + 4) {
            head.copy_from_slice(&len.to_be_bytes());
        }
    }
}

pub(super) fn put_head(out: &mut BytesMut, kind: u8, id: u32) {
    out.put_u8(kind);
    out.put_u32(id);
}

pub(super) fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32(len32(bytes.len()));
    out.put_slice(bytes);
}

fn put_attrs(out: &mut BytesMut, attrs: &Attrs) {
    let flag = |is_there: bool, bit: u32| if is_there { bit } else { 0 };
    out.put_u32(
        flag(attrs.size.is_some(), 1)
            | flag(attrs.owner.is_some(), 2)
            | flag(attrs.mode.is_some(), 4)
            | flag(attrs.times.is_some(), 8),
    );
    if let Some(size) = attrs.size {
        out.put_u64(size);
    }
    let pairs = |out: &mut BytesMut, (a, b): (u32, u32)| {
        out.put_u32(a);
        out.put_u32(b);
    };
    if let Some(owner) = attrs.owner {
        pairs(out, owner);
    }
    if let Some(mode) = attrs.mode {
        out.put_u32(mode);
    }
    if let Some(times) = attrs.times {
        pairs(out, times);
    }
}

pub(super) fn len32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::sftp::Code;

    #[test]
    fn a_reply_tells_its_length() {
        let mut out = BytesMut::new();
        Reply::Status(Code::NoSuchFile, "no".into()).encode(3, &mut out);
        assert_eq!(&out[..], b"\0\0\0\x13\x65\0\0\0\x03\0\0\0\x02\0\0\0\x02no\0\0\0\0");
    }
}
