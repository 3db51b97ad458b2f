//! Shifts as a calendar that other programs follow (RFC 5545).

use super::Rotation;
use crate::model::name::UserName;
use crate::model::time::Timestamp;

/// Octets of a line at most, without its end.
const LINE: usize = 75;

/// When a shift begins and ends, and whose it is.
pub type Entry = (Timestamp, Timestamp, UserName);

/// Writes a rotation's shifts. `host` makes what names them unique in the world.
#[must_use]
pub fn write(rotation: &Rotation, shifts: &[Entry], (host, now): (&str, Timestamp)) -> String {
    let mut out = String::new();
    for text in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Steading//Rotations//EN"] {
        line(&mut out, text);
    }
    line(&mut out, "CALSCALE:GREGORIAN");
    line(&mut out, "METHOD:PUBLISH");
    line(&mut out, &format!("X-WR-CALNAME:{}", escaped(rotation.name.as_str())));
    for (from, until, user) in shifts {
        line(&mut out, "BEGIN:VEVENT");
        // A shift is told by when it begins: whoever takes it over, it stays the same entry.
        line(&mut out, &format!("UID:{}-{}@{host}", rotation.id, from.0));
        line(&mut out, &format!("DTSTAMP:{}", moment(now)));
        line(&mut out, &format!("DTSTART:{}", moment(*from)));
        line(&mut out, &format!("DTEND:{}", moment(*until)));
        let summary = format!("{user}: {}", rotation.name);
        line(&mut out, &format!("SUMMARY:{}", escaped(&summary)));
        line(&mut out, "TRANSP:TRANSPARENT");
        line(&mut out, "END:VEVENT");
    }
    line(&mut out, "END:VCALENDAR");
    out
}

/// Adds a line, folded where it is too long: never within a character.
fn line(out: &mut String, text: &str) {
    let mut rest = text;
    let mut room = LINE;
    while rest.len() > room {
        let (head, tail) = rest.split_at(rest.floor_char_boundary(room));
        out.push_str(head);
        out.push_str("\r\n ");
        // The space before it counts.
        (rest, room) = (tail, LINE - 1);
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn moment(at: Timestamp) -> String {
    at.rfc3339().replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_within_no_character() {
        let mut out = String::new();
        line(&mut out, &format!("SUMMARY:{}", "ä".repeat(100)));
        let lines: Vec<&str> = out.split_terminator("\r\n").collect();
        assert!(lines.len() == 3 && lines.iter().all(|l| l.len() <= LINE), "{lines:?}");
        assert!(lines[1..].iter().all(|l| l.starts_with(' ')));
        assert_eq!(out.replace("\r\n ", ""), format!("SUMMARY:{}\r\n", "ä".repeat(100)));
    }

    #[test]
    fn what_has_a_meaning_in_calendars_is_escaped() {
        assert_eq!(escaped("a;b,c\\d\ne\rf"), "a\\;b\\,c\\\\d\\nef");
        assert_eq!(moment(Timestamp(1_795_185_000)), "20261120T143000Z");
    }
}
