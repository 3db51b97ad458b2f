//! The search in the audit log in Coder's words: `username:me action:delete date_from:2026-01-31 kiln`.

use uuid::Uuid;

use super::{AuditAction, AuditResult, AuditTarget};
use crate::model::build::BuildReason;
use crate::model::filter::{BadFilter, MAX, narrow, words};
use crate::model::time::Timestamp;

/// What a search asks for; every given part has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSearch {
    /// What was done.
    pub action: Option<AuditAction>,
    /// To what kind of thing.
    pub target: Option<AuditTarget>,
    /// To this thing.
    pub target_id: Option<Uuid>,
    /// To a thing that had this name then.
    pub target_name: Option<String>,
    /// The name of who did it, `me` for who asks.
    pub username: Option<String>,
    /// The e-mail address of who did it.
    pub email: Option<String>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub before: Option<Timestamp>,
    /// Why a build was made.
    pub build_reason: Option<BuildReason>,
    /// The name or id of the organization it was done in.
    pub organization: Option<String>,
    /// In this request.
    pub request: Option<Uuid>,
    /// With this token.
    pub token: Option<Uuid>,
    /// From this address.
    pub ip: Option<String>,
    /// What came of it.
    pub result: Option<AuditResult>,
    /// Words in the name of the thing or of who did it, in lower case.
    pub words: Vec<String>,
    /// Asks for what no entry is: two actions at once.
    pub nothing: bool,
}

/// The keys a search may hold.
const KEYS: &str = "resource_type, resource_id, resource_target, action, username, email, \
    date_from, date_to, build_reason, organization, request_id, token_id, ip, result";

/// A day, in seconds.
const DAY_S: i64 = 86_400;

impl AuditSearch {
    /// Reads a search. Words without a key are looked for in names.
    ///
    /// # Errors
    /// Names the key or value that cannot be read.
    pub fn parse(query: &str) -> Result<Self, BadFilter> {
        if query.len() > MAX {
            return Err(BadFilter::new(format!("is longer than {MAX} bytes")));
        }
        let mut search = Self::default();
        for word in words(query) {
            match word.split_once(':') {
                Some((key, value)) => {
                    search.add(key, value.trim_matches('"')).map_err(|e| e.at(query, word))?;
                }
                None => search.words.extend(parts(word)),
            }
        }
        Ok(search)
    }

    fn add(&mut self, key: &str, value: &str) -> Result<(), BadFilter> {
        let lower = value.to_lowercase();
        let fits = match key {
            "action" => {
                let action = AuditAction::from_word(&lower);
                narrow(&mut self.action, action.ok_or_else(|| none_of(key, value, &actions()))?)
            }
            "resource_type" => {
                let target = AuditTarget::from_word(&lower);
                narrow(&mut self.target, target.ok_or_else(|| none_of(key, value, &targets()))?)
            }
            "build_reason" => {
                let reason = BuildReason::from_word(&lower);
                let reason = reason.ok_or_else(|| none_of(key, value, &reasons()))?;
                narrow(&mut self.build_reason, reason)
            }
            "resource_id" => narrow(&mut self.target_id, id(key, value)?),
            "request_id" => narrow(&mut self.request, id(key, value)?),
            "token_id" => narrow(&mut self.token, id(key, value)?),
            "ip" => narrow(&mut self.ip, lower),
            "result" => {
                let result = AuditResult::from_word(&lower);
                narrow(&mut self.result, result.ok_or_else(|| none_of(key, value, &results()))?)
            }
            "resource_target" => narrow(&mut self.target_name, lower),
            "username" => narrow(&mut self.username, lower),
            "email" => narrow(&mut self.email, lower),
            "organization" => narrow(&mut self.organization, lower),
            "date_from" => {
                let at = day(key, value)?;
                self.from = Some(self.from.map_or(at, |t| t.max(at)));
                true
            }
            "date_to" => {
                let at = Timestamp(day(key, value)?.0 + DAY_S);
                self.before = Some(self.before.map_or(at, |t| t.min(at)));
                true
            }
            _ => return Err(BadFilter::new(format!("{key:?} is not a key; there are {KEYS}"))),
        };
        self.nothing |= !fits;
        Ok(())
    }
}

/// The words that are looked for in names: letters and digits, in lower case.
fn parts(word: &str) -> impl Iterator<Item = String> {
    let parts = word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase)
}

fn id(key: &str, value: &str) -> Result<Uuid, BadFilter> {
    value.parse().map_err(|_| BadFilter::new(format!("{key} wants a UUID, not {value:?}")))
}

/// The beginning of a day, in UTC.
fn day(key: &str, value: &str) -> Result<Timestamp, BadFilter> {
    let form = value.len() == "2026-01-31".len();
    let at = Timestamp::parse_rfc3339(&format!("{value}T00:00:00Z")).filter(|_| form);
    at.ok_or_else(|| BadFilter::new(format!("{key} wants a day such as 2026-01-31, not {value:?}")))
}

fn none_of(key: &str, value: &str, words: &[&str]) -> BadFilter {
    BadFilter::new(format!("{key} cannot be {value:?}; there are {}", words.join(", ")))
}

fn actions() -> Vec<&'static str> {
    AuditAction::ALL.iter().map(|word| word.as_str()).collect()
}

fn targets() -> Vec<&'static str> {
    AuditTarget::ALL.iter().map(|word| word.as_str()).collect()
}

fn results() -> Vec<&'static str> {
    AuditResult::ALL.iter().map(|word| word.as_str()).collect()
}

fn reasons() -> Vec<&'static str> {
    BuildReason::ALL.iter().map(|word| word.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_read_in_coders_words() {
        let parse = |query| AuditSearch::parse(query).unwrap();
        assert_eq!(parse("  "), AuditSearch::default());
        let found = parse("username:me action:delete resource_type:workspace \"blue kiln\"");
        assert_eq!(found.username.as_deref(), Some("me"));
        assert_eq!(found.action, Some(AuditAction::Delete));
        assert_eq!(found.target, Some(AuditTarget::Workspace));
        assert_eq!(found.words, ["blue", "kiln"]);
        let found = parse("resource_target:\"ada/kiln #3\" Ada/Größe");
        assert_eq!(found.target_name.as_deref(), Some("ada/kiln #3"));
        assert_eq!(found.words, ["ada", "größe"]);
        let day = parse("date_from:2026-11-20 date_to:2026-11-20");
        assert_eq!(day.before.unwrap().0 - day.from.unwrap().0, DAY_S);
        assert_eq!(day.from.unwrap().rfc3339(), "2026-11-20T00:00:00Z");
        let found = parse("result:denied ip:192.168.4.20");
        assert_eq!(found.result, Some(AuditResult::Denied));
        assert_eq!(found.ip.as_deref(), Some("192.168.4.20"));
        assert!(parse("action:start action:stop").nothing);
        assert!(!parse("action:start action:START").nothing);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let check = |query: &str, key: &str| {
            let error = AuditSearch::parse(query).unwrap_err().to_string();
            assert!(error.contains(key), "{query}: {error}");
        };
        check("colour:red", "\"colour\" is not a key");
        check("größe username:me  colour:red", "at character 20: \"colour\"");
        check("result:maybe", "result cannot be \"maybe\"; there are done, denied");
        check("token_id:x", "token_id wants a UUID");
        check("action:fly", "action cannot be \"fly\"; there are create");
        check("resource_type:tree", "resource_type");
        check("build_reason:because", "build_reason");
        check("resource_id:7", "resource_id wants a UUID");
        check("request_id:", "request_id");
        check("date_from:yesterday", "date_from wants a day");
        check("date_to:2026-02-30", "date_to");
        check("date_to:2026-02-03T00:00:00Z", "date_to");
        check(&"x".repeat(2000), "longer");
    }
}
