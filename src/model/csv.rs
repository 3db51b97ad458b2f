//! Lines of comma-separated values (RFC 4180) that no spreadsheet takes for formulas.

/// A line with its end. A cell that a spreadsheet would calculate gets an apostrophe in front, which
/// shows there as text.
#[must_use]
pub fn line(cells: &[&str]) -> String {
    let mut line = String::new();
    for (n, cell) in cells.iter().enumerate() {
        if n > 0 {
            line.push(',');
        }
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let is_quoted = cell.contains([',', '"', '\n', '\r']);
        if is_quoted {
            line.push('"');
        }
        if is_formula {
            line.push('\'');
        }
        if is_quoted {
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(cell);
        }
    }
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_never_formulas() {
        assert_eq!(line(&["a", "", "b c", "größer"]), "a,,b c,größer\r\n");
        assert_eq!(line(&["a,b", "say \"x\"", "1\n2"]), "\"a,b\",\"say \"\"x\"\"\",\"1\n2\"\r\n");
        for formula in ["=1+2", "+1", "-1", "@SUM(A1)", "\tx"] {
            assert_eq!(line(&[formula]), format!("'{formula}\r\n"));
        }
        assert_eq!(line(&["\r=1"]), "\"'\r=1\"\r\n");
        assert_eq!(line(&["=HYPERLINK(\"x\",1)"]), "\"'=HYPERLINK(\"\"x\"\",1)\"\r\n");
        assert_eq!(line(&[]), "\r\n");
    }
}
