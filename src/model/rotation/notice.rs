//! What other programs send when someone goes on call there: payloads as PagerDuty's webhooks
//! (version 3) and as Opsgenie's on-calls have them.

use serde::Deserialize;
use serde_json::Value;

use crate::model::time::Timestamp;

/// Characters of an address or of an event's id at most.
const MAX_TEXT: usize = 254;
/// On-calls of one notice that are looked at.
const MAX_ENTRIES: usize = 100;

/// Kinds of PagerDuty's events that say who is on call; what ended leaves that to what began.
const STARTED: [&str; 3] = ["oncall.started", "on_call.started", "on-call.started"];

/// Who is on call now, as another program has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What names the event there.
    pub event: String,
    /// When it happened there.
    pub at: Timestamp,
    /// The e-mail address of who is on call.
    pub email: String,
    /// Until when, if it says so.
    pub until: Option<Timestamp>,
}

/// Why a body tells nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNotice {
    /// It has another form.
    #[error("the body must be JSON as PagerDuty's webhooks or Opsgenie's on-calls have it")]
    Form,
    /// It does not say when.
    #[error("the body does not say when it was: event.occurred_at, or timestamp")]
    NoTime,
    /// It names nobody.
    #[error("the body does not give the e-mail address of who is on call")]
    Nobody,
}

/// What a body tells of. Data of other events have forms of their own.
#[derive(Deserialize)]
struct Kind {
    event: Option<KindOfEvent>,
}

#[derive(Deserialize)]
struct KindOfEvent {
    event_type: Option<String>,
}

fn is_start(kind: &str) -> bool {
    STARTED.iter().any(|known| known.eq_ignore_ascii_case(kind.trim()))
}

#[derive(Deserialize)]
struct Envelope {
    event: Option<Event>,
    data: Option<OpsgenieData>,
    #[serde(rename = "requestId", default)]
    request_id: String,
    timestamp: Option<Value>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    id: String,
    #[serde(default)]
    occurred_at: String,
    data: Option<PagerData>,
}

/// One on-call, or a list of them.
#[derive(Deserialize)]
struct PagerData {
    #[serde(default)]
    oncalls: Vec<OnCall>,
    #[serde(flatten)]
    one: OnCall,
}

#[derive(Deserialize)]
struct OnCall {
    user: Option<PagerUser>,
    end: Option<String>,
    #[serde(default)]
    escalation_level: u32,
}

#[derive(Deserialize)]
struct PagerUser {
    #[serde(default)]
    email: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpsgenieData {
    #[serde(default)]
    on_call_recipients: Vec<String>,
    #[serde(default)]
    on_call_participants: Vec<Participant>,
    end: Option<String>,
}

#[derive(Deserialize)]
struct Participant {
    #[serde(default)]
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
}

impl Notice {
    /// Reads a body; none for one that tells of something else than that someone went on call.
    ///
    /// # Errors
    /// Says what is missing in it.
    pub fn parse(body: &[u8]) -> Result<Option<Self>, BadNotice> {
        let read: Kind = serde_json::from_slice(body).map_err(|_| BadNotice::Form)?;
        if read.event.and_then(|e| e.event_type).is_some_and(|kind| !is_start(&kind)) {
            return Ok(None);
        }
        let read: Envelope = serde_json::from_slice(body).map_err(|_| BadNotice::Form)?;
        let notice = match (read.event, read.data) {
            (Some(event), _) => of_pager(event)?,
            (None, Some(data)) => of_opsgenie(data, read.request_id, read.timestamp.as_ref())?,
            (None, None) => return Err(BadNotice::Form),
        };
        let fits = |text: &str| !text.is_empty() && text.chars().count() <= MAX_TEXT;
        if !fits(&notice.event) {
            return Err(BadNotice::Form);
        }
        if fits(&notice.email) { Ok(Some(notice)) } else { Err(BadNotice::Nobody) }
    }
}

fn of_pager(event: Event) -> Result<Notice, BadNotice> {
    let at = Timestamp::parse_rfc3339(&event.occurred_at).ok_or(BadNotice::NoTime)?;
    let data = event.data.ok_or(BadNotice::Nobody)?;
    let all = std::iter::once(data.one).chain(data.oncalls).take(MAX_ENTRIES);
    // Who is asked first is on call; the levels after are for when they do not answer.
    let named = all.filter(|o| o.user.as_ref().is_some_and(|u| !u.email.is_empty()));
    let first = named.min_by_key(|o| o.escalation_level).ok_or(BadNotice::Nobody)?;
    Ok(Notice {
        event: event.id,
        at,
        email: first.user.map(|u| u.email).unwrap_or_default(),
        until: first.end.as_deref().and_then(Timestamp::parse_rfc3339),
    })
}

fn of_opsgenie(
    data: OpsgenieData,
    event: String,
    timestamp: Option<&Value>,
) -> Result<Notice, BadNotice> {
    let at = match timestamp {
        Some(Value::Number(ms)) => ms.as_i64().map(|ms| Timestamp(ms.div_euclid(1_000))),
        Some(Value::String(text)) => Timestamp::parse_rfc3339(text),
        Some(_) | None => None,
    };
    let people = data.on_call_participants.into_iter().filter(|p| p.kind == "user");
    let mut emails = data.on_call_recipients.into_iter().chain(people.map(|p| p.name));
    Ok(Notice {
        event,
        at: at.ok_or(BadNotice::NoTime)?,
        email: emails.next().ok_or(BadNotice::Nobody)?,
        until: data.end.as_deref().and_then(Timestamp::parse_rfc3339),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &Value) -> Result<Notice, BadNotice> {
        Notice::parse(body.to_string().as_bytes()).map(|notice| notice.expect("one is told"))
    }

    fn time(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn an_on_call_of_pagerduty_is_read() {
        let on_call = serde_json::json!({ "user": { "type": "user", "email": "ada@example.org" },
            "start": "2026-11-20T09:00:00Z", "end": "2026-11-27T10:00:00+01:00" });
        let event = |data: Value| {
            serde_json::json!({ "event": { "id": "01BX", "event_type": "oncall.started",
                "occurred_at": "2026-11-20T09:00:00.123Z", "data": data } })
        };
        let read = parse(&event(on_call.clone())).unwrap();
        assert_eq!((read.event.as_str(), read.email.as_str()), ("01BX", "ada@example.org"));
        assert_eq!(read.at, time("2026-11-20T09:00:00Z"));
        assert_eq!(read.until, Some(time("2026-11-27T09:00:00Z")));
        let later = serde_json::json!({ "user": { "email": "ben@example.org" },
            "escalation_level": 2, "end": null });
        let both = serde_json::json!({ "oncalls": [later, on_call] });
        assert_eq!(parse(&event(both)).unwrap().email, "ada@example.org");
        assert_eq!(parse(&event(serde_json::json!({}))), Err(BadNotice::Nobody));
    }

    #[test]
    fn only_who_went_on_call_is_heard_of() {
        let of = |kind: Value| {
            let body = serde_json::json!({ "event": { "id": "1", "event_type": kind,
                "occurred_at": "2026-11-20T09:00:00Z", "data": { "user": { "email": "a@b.c" } } } });
            Notice::parse(body.to_string().as_bytes()).unwrap()
        };
        for kind in ["oncall.started", "on_call.started", "OnCall.Started"] {
            assert!(of(kind.into()).is_some(), "{kind}");
        }
        assert!(of(Value::Null).is_some());
        for kind in ["oncall.ended", "incident.triggered", "pagey.ping", ""] {
            assert_eq!(of(kind.into()), None, "{kind}");
        }
        // Others have other forms.
        let ping = br#"{"event":{"event_type":"pagey.ping","data":{"user":7,"oncalls":"none"}}}"#;
        assert_eq!(Notice::parse(ping), Ok(None));
    }

    #[test]
    fn who_is_on_call_at_opsgenie_is_read() {
        let body = |data: Value| serde_json::json!({ "requestId": "r-1", "timestamp": 1_795_185_000_123_i64, "data": data });
        let flat = parse(&body(serde_json::json!({ "onCallRecipients": ["ada@example.org"] })));
        let flat = flat.unwrap();
        assert_eq!((flat.at, flat.until), (Timestamp(1_795_185_000), None));
        let nested = serde_json::json!({ "onCallParticipants": [
            { "id": "t", "name": "a-team", "type": "team" },
            { "id": "u", "name": "ada@example.org", "type": "user" } ] });
        assert_eq!(parse(&body(nested)).unwrap().email, "ada@example.org");
        assert_eq!(parse(&body(serde_json::json!({}))), Err(BadNotice::Nobody));
    }

    #[test]
    fn what_lacks_something_is_refused() {
        let check = |body: &[u8], why| assert_eq!(Notice::parse(body), Err(why));
        check(b"", BadNotice::Form);
        check(b"[]", BadNotice::Form);
        check(b"{}", BadNotice::Form);
        check(br#"{"event":{"id":"1"}}"#, BadNotice::NoTime);
        check(br#"{"event":{"occurred_at":"2026-11-20T09:00:00Z"}}"#, BadNotice::Nobody);
        check(br#"{"requestId":"1","data":{"onCallRecipients":["a@b"]}}"#, BadNotice::NoTime);
        let no_id = br#"{"timestamp":1,"data":{"onCallRecipients":["a@b"]}}"#;
        check(no_id, BadNotice::Form);
    }
}
