//! Text of people and machines: what a name may hold, and how anything is shown so that it moves no cursor and hides nothing.

use std::borrow::Cow;

/// Why a text is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// More characters than the limit.
    #[error("may have at most {0} characters")]
    TooLong(usize),
    /// A line break, an escape, or what cannot be seen.
    #[error("may not hold the character U+{0:04X}, which is a control character or is not seen")]
    Hidden(u32),
}

/// Whether a character turns the text around it the other way round.
const fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character is a mark of direction, as text from right to left has them.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
}

/// Whether a character joins or parts its neighbours, as scripts and emoji need it.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a character is drawn as nothing, or does something instead of being drawn.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || turns(c)
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'
                | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
                | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Whether a hidden character may begin with this byte. Most text has few of them.
const fn may_begin(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | 0x7f | 0xc2 | 0xcd | 0xe1..=0xe3 | 0xef | 0xf3)
}

/// The characters that are not seen, with where they are; joiners are for what is not ASCII.
fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> {
    let begins = text.bytes().enumerate().filter(|(_, byte)| may_begin(*byte));
    let whole = begins.filter_map(|(at, _)| Some((at, text.get(at..)?.chars().next()?)));
    whole.filter(|(at, c)| {
        let before = at.checked_sub(1).and_then(|i| text.as_bytes().get(i)).copied();
        is_hidden(*c) || (is_joiner(*c) && before.is_none_or(|b| b.is_ascii()))
    })
}

/// Checks a name or another text of one line.
///
/// # Errors
/// When it is too long or holds what is not seen.
pub fn check_line(text: &str, max: usize) -> Result<(), BadText> {
    check_length(text, max)?;
    let first = hidden(text).map(|(_, c)| c).next();
    first
        .or_else(|| text.chars().find(|c| is_mark(*c)))
        .map_or(Ok(()), |c| Err(BadText::Hidden(c.into())))
}

/// Checks a text of several lines.
///
/// # Errors
/// When it is too long or holds what is not seen.
pub fn check_lines(text: &str, max: usize) -> Result<(), BadText> {
    check_length(text, max)?;
    let first = hidden(text).map(|(_, c)| c).find(|c| !matches!(c, '\n' | '\r' | '\t'));
    first.map_or(Ok(()), |c| Err(BadText::Hidden(c.into())))
}

fn check_length(text: &str, max: usize) -> Result<(), BadText> {
    if text.chars().count() > max { Err(BadText::TooLong(max)) } else { Ok(()) }
}

/// The text as it may be shown: what would not be seen is written out as `\u{202e}`. Lines and tabs
/// stay as they are.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    written_out(text, |c| matches!(c, '\n' | '\t'), |c, out| out.extend(c.escape_unicode()))
}

/// A page as it may be sent: as [`shown`], with line ends as forms have them.
#[must_use]
pub fn shown_page(html: String) -> String {
    let breaks = |c| matches!(c, '\n' | '\t' | '\r');
    match written_out(&html, breaks, |c, out| out.extend(c.escape_unicode())) {
        Cow::Borrowed(_) => html,
        Cow::Owned(changed) => changed,
    }
}

/// JSON with the same meaning that may be shown: what would not be seen is escaped.
#[must_use]
pub fn shown_json(json: &str) -> Cow<'_, str> {
    written_out(
        json,
        |c| c == '\n',
        |c, out| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        },
    )
}

fn written_out(
    text: &str,
    is_allowed: impl Fn(char) -> bool,
    write: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for (at, c) in hidden(text).filter(|(_, c)| !is_allowed(*c)) {
        out.push_str(text.get(done..at).unwrap_or_default());
        write(c, &mut out);
        done = at + c.len_utf8();
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_what_is_seen() {
        for good in ["Ada Lovelace", "Ĝéñ 女 مريم", "👩\u{200d}💻", "نامه\u{200c}ای", ""]
        {
            assert_eq!(check_line(good, 128), Ok(()), "{good}");
        }
        let bad = ["a\nb", "a\u{1b}[2J", "a\u{202e}b", "a\u{200b}b", "a\u{200d}b", "a\u{9b}2J"];
        for bad in bad.into_iter().chain(["\u{feff}a", "a\u{200f}", "\u{e0041}", "a\u{2028}b"]) {
            assert!(matches!(check_line(bad, 128), Err(BadText::Hidden(_))), "{bad:?}");
        }
        assert_eq!(check_line("abc", 2), Err(BadText::TooLong(2)));
        let why = check_line("\u{202e}", 9).unwrap_err().to_string();
        assert!(why.contains("U+202E"), "{why}");
        assert_eq!(check_lines("a\r\n\tb \u{200f}", 99), Ok(()));
        assert!(check_lines("a\u{2066}", 99).is_err());
    }

    #[test]
    fn what_is_not_seen_is_written_out() {
        assert!(matches!(shown("plain · größer\n\t女"), Cow::Borrowed(_)));
        assert_eq!(shown("a\u{1b}[2J\u{202e}b\r"), r"a\u{1b}[2J\u{202e}b\u{d}");
        assert_eq!(shown("\u{9b}2J\u{200b}👩\u{200d}💻"), "\\u{9b}2J\\u{200b}👩\u{200d}💻");
        assert_eq!(shown_page("<p>\r\n\u{7f}".to_owned()), "<p>\r\n\\u{7f}");
        assert_eq!(shown_json("{\"a\": \"\u{9b}\u{e0041}\"}"), r#"{"a": "\u009b\udb40\udc41"}"#);
        let value: serde_json::Value =
            serde_json::from_str(&shown_json("\"\u{202e}\u{e0041}\"")).unwrap();
        assert_eq!(value, "\u{202e}\u{e0041}");
    }

    #[test]
    fn nothing_hidden_gets_past_the_look_at_first_bytes() {
        for c in (0..=0x0010_ffff).filter_map(char::from_u32).filter(|c| is_hidden(*c)) {
            assert_eq!(hidden(&format!("é{c}")).next(), Some((2, c)));
        }
        assert_eq!(hidden("a\u{200d}").next(), Some((1, '\u{200d}')));
    }
}
