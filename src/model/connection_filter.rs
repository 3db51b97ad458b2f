//! The search in the log of connections, in Coder's words: `type:ssh username:ada status:ongoing`.

use uuid::Uuid;

use super::filter::{BadFilter, MAX, narrow, words};
use super::session::SessionKind;
use super::time::Timestamp;

/// What a search asks for; every given part has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// Where the workspace belongs, by id or name.
    pub organization: Option<String>,
    /// Whose workspace it is: a name or an id, `me` for who asks.
    pub owner: Option<String>,
    /// Who came: a name or an id, `me` for who asks.
    pub user: Option<String>,
    /// The e-mail address of who came.
    pub email: Option<String>,
    /// Through one of these; through any when absent.
    pub kinds: Option<Vec<SessionKind>>,
    /// Began then or later.
    pub after: Option<Timestamp>,
    /// Began then or before.
    pub before: Option<Timestamp>,
    /// In this workspace.
    pub workspace: Option<Uuid>,
    /// This session.
    pub session: Option<Uuid>,
    /// Whether it lasts.
    pub ongoing: Option<bool>,
    /// Asks for two things at once.
    pub nothing: bool,
}

/// The keys a search may hold.
const KEYS: &str = "organization, workspace_owner, type, username, user_email, connected_after, \
    connected_before, workspace_id, connection_id, status";

/// Coder's word for a kind.
#[must_use]
pub const fn word(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Terminal => "reconnecting_pty",
        SessionKind::Ssh | SessionKind::Sftp | SessionKind::Tunnel => "ssh",
        SessionKind::Forward => "port_forwarding",
        SessionKind::App => "workspace_app",
        SessionKind::Vscode => "vscode",
        SessionKind::Jetbrains => "jetbrains",
    }
}

impl ConnectionFilter {
    /// Reads a search.
    ///
    /// # Errors
    /// Names the key or value that cannot be read.
    pub fn parse(query: &str) -> Result<Self, BadFilter> {
        if query.len() > MAX {
            return Err(BadFilter::new(format!("is longer than {MAX} bytes")));
        }
        let mut filter = Self::default();
        for part in words(query) {
            let (key, value) = part.split_once(':').unwrap_or(("username", part));
            filter.add(key, value.trim_matches('"'))?;
        }
        Ok(filter)
    }

    fn add(&mut self, key: &str, value: &str) -> Result<(), BadFilter> {
        let time = || {
            Timestamp::parse_rfc3339(value).ok_or_else(|| {
                BadFilter::new(format!("{key} wants a time such as 2026-01-31T09:00:00Z"))
            })
        };
        let id = || {
            let bad = |_| BadFilter::new(format!("{key} wants a UUID, not {value:?}"));
            value.parse::<Uuid>().map_err(bad)
        };
        let text = value.to_ascii_lowercase();
        let fits = match key {
            "organization" => narrow(&mut self.organization, text),
            "workspace_owner" => narrow(&mut self.owner, text),
            "username" => narrow(&mut self.user, text),
            "user_email" => narrow(&mut self.email, text),
            "type" => {
                let of = SessionKind::ALL.iter().copied().filter(|kind| word(*kind) == text);
                let kinds: Vec<_> = of.collect();
                if kinds.is_empty() {
                    return Err(BadFilter::new(format!("{value:?} is no {key}")));
                }
                narrow(&mut self.kinds, kinds)
            }
            "connected_after" => narrow(&mut self.after, time()?),
            "connected_before" => narrow(&mut self.before, time()?),
            "workspace_id" => narrow(&mut self.workspace, id()?),
            "connection_id" => narrow(&mut self.session, id()?),
            "status" => match text.as_str() {
                "ongoing" => narrow(&mut self.ongoing, true),
                "completed" => narrow(&mut self.ongoing, false),
                _ => return Err(BadFilter::new(format!("{value:?} is no {key}"))),
            },
            _ => return Err(BadFilter::new(format!("{key:?} is not a key; there are {KEYS}"))),
        };
        self.nothing |= !fits;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_read_in_coders_words() {
        let parse = ConnectionFilter::parse;
        let found = parse("type:ssh username:me status:ongoing").unwrap();
        let by_ssh = vec![SessionKind::Ssh, SessionKind::Sftp, SessionKind::Tunnel];
        assert_eq!(found.kinds, Some(by_ssh));
        assert!(parse("type:ssh type:vscode").unwrap().nothing);
        assert_eq!((found.user.as_deref(), found.ongoing), (Some("me"), Some(true)));
        assert!(parse("status:ongoing status:completed").unwrap().nothing);
        for wrong in [
            "type:walk",
            "type:ssh type:walk",
            "status:perhaps",
            "workspace_id:7",
            "connected_after:july",
            "a:b",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
