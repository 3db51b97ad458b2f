//! What a terminal says when a program asks it: once, whoever looks at it.

use crate::ssh::queries::Query;

/// The colours of the terminal page: of text, behind it, and of the cursor.
const COLORS: [&str; 3] = ["e5e5/e4e4/dfdf", "0d0d/1313/1717", "f0f0/bdbd/4545"];

/// The answer; none where silence is one.
pub(super) fn answer(query: Query, screen: &vt100::Screen) -> Option<String> {
    let (rows, cols) = screen.size();
    let (row, col) = screen.cursor_position();
    let at = (row + 1, (col + 1).min(cols));
    Some(match query {
        // A VT220 with colours.
        Query::Attributes => "\x1b[?62;22c".to_owned(),
        Query::Second => "\x1b[>1;276;0c".to_owned(),
        Query::Version => {
            concat!("\x1bP>|Steading(", env!("CARGO_PKG_VERSION"), ")\x1b\\").to_owned()
        }
        Query::Status => "\x1b[0n".to_owned(),
        Query::Cursor { is_private: false } => format!("\x1b[{};{}R", at.0, at.1),
        Query::Cursor { is_private: true } => format!("\x1b[?{};{}R", at.0, at.1),
        Query::Mode { is_private, number } => {
            let (mark, state) =
                (if is_private { "?" } else { "" }, mode(is_private, number, screen));
            format!("\x1b[{mark}{number};{state}$y")
        }
        Query::Color(number) => {
            let color = COLORS.get(usize::from(number.checked_sub(10)?))?;
            format!("\x1b]{number};rgb:{color}\x1b\\")
        }
        Query::Setting => "\x1bP0$r\x1b\\".to_owned(),
        Query::Capability => "\x1bP0+r\x1b\\".to_owned(),
        Query::Size => format!("\x1b[8;{rows};{cols}t"),
        Query::Other => return None,
    })
}

/// 1 for set, 2 for not set, 0 for a mode that is not known.
fn mode(is_private: bool, number: u16, screen: &vt100::Screen) -> u8 {
    let is_set = match (is_private, number) {
        (true, 1) => screen.application_cursor(),
        (true, 25) => !screen.hide_cursor(),
        (true, 47 | 1047 | 1049) => screen.alternate_screen(),
        (true, 2004) => screen.bracketed_paste(),
        _ => return 0,
    };
    if is_set { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_the_cursor_is_and_what_is_set() {
        let mut parser = vt100::Parser::new(24, 80, 0);
        parser.process(b"\x1b[?2004h\x1b[3;5H");
        let says = |query| answer(query, parser.screen());
        let cursor = |is_private| says(Query::Cursor { is_private }).unwrap();
        assert_eq!((cursor(false), cursor(true)), ("\x1b[3;5R".into(), "\x1b[?3;5R".into()));
        let mode = |number| says(Query::Mode { is_private: true, number }).unwrap();
        assert_eq!((mode(2004), mode(25)), ("\x1b[?2004;1$y".into(), "\x1b[?25;1$y".into()));
        assert_eq!((mode(1049), mode(2026)), ("\x1b[?1049;2$y".into(), "\x1b[?2026;0$y".into()));
        assert_eq!(says(Query::Size).unwrap(), "\x1b[8;24;80t");
        assert_eq!(says(Query::Color(11)).unwrap(), "\x1b]11;rgb:0d0d/1313/1717\x1b\\");
        assert_eq!((says(Query::Other), says(Query::Color(9))), (None, None));
    }
}
