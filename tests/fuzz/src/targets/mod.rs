//! Every target: it takes any bytes, calls the product's own reader and asserts what must hold.

pub mod agent;
pub mod identity;
pub mod names;
pub mod overlay;
pub mod provision;
pub mod scim;
pub mod ssh;
pub mod text;
pub mod web;

/// A target's name, which its corpus has too, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: &[Target] = &[
    ("agent_frames", agent::frames),
    ("agent_messages", agent::messages),
    ("cookies_tokens", web::cookies_and_tokens),
    ("headers", web::headers),
    ("ldap_messages", identity::ldap_messages),
    ("markdown", text::markdown),
    ("plan_state", provision::plan_and_state),
    ("relay_frames", overlay::relay),
    ("requests", text::requests),
    ("scim", scim::scim),
    ("search", names::search),
    ("sftp_packets", ssh::sftp),
    ("ssh_commands", ssh::commands),
    ("ssh_names", ssh::names),
    ("tar_import", provision::archive),
    ("template", provision::template),
    ("times", names::times),
    ("values", provision::values),
];

/// Takes numbers and texts off the front of an input; an empty one gives zeros.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// One byte.
    pub fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from(self.u8()) << 8 | u16::from(self.u8())
    }

    /// At most `n` bytes.
    pub fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// As many bytes as the next two say.
    pub fn piece(&mut self) -> &'a [u8] {
        let n = self.u16();
        self.take(usize::from(n))
    }

    /// The same as text.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.piece()).into_owned()
    }
}
