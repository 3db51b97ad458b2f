//! Names of entries (RFC 4514): writing values into them, comparing them, reading a group's name.

/// A value as it stands in a name: it can end no part and begin no other.
#[must_use]
pub fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let edge = c == ' ' && (at == 0 || at == last);
        if c.is_control() {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("\\{byte:02x}"));
            }
            continue;
        }
        if edge || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A name as it is compared: its parts, without regard to case, spaces around them and how they are
/// escaped. None when it is no name.
#[must_use]
pub fn parts(dn: &str) -> Option<Vec<String>> {
    if dn.trim().is_empty() {
        return Some(vec![]);
    }
    split(dn)?
        .into_iter()
        .map(|part| Some(format!("{}={}", part.0, part.1.to_lowercase())))
        .collect()
}

/// Whether an entry is another, or below it. What is no name is below nothing.
#[must_use]
pub fn is_below(dn: &str, base: &str) -> bool {
    match (parts(dn), parts(base)) {
        (Some(dn), Some(base)) => dn.ends_with(&base),
        (_, _) => false,
    }
}

/// Whether two names are of one entry.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    parts(one).is_some_and(|one| parts(other).is_some_and(|other| one == other))
}

/// The value of a name's first part: what a group is called.
#[must_use]
pub fn first_value(dn: &str) -> Option<String> {
    split(dn)?.into_iter().next().map(|(_, value)| value)
}

/// Attribute, in small letters, and value of each part. A part of several values is one value here.
fn split(dn: &str) -> Option<Vec<(String, String)>> {
    let mut found = vec![];
    let mut bytes = dn.bytes().peekable();
    let (mut attribute, mut value, mut in_value) = (String::new(), Vec::new(), false);
    // Spaces at the end of a value count only when they are escaped.
    let mut kept = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_value => {
                let first = bytes.next()?;
                value.push(match (hex(first), bytes.peek().copied().and_then(hex)) {
                    (Some(high), Some(low)) => {
                        bytes.next();
                        high << 4 | low
                    }
                    (_, _) => first,
                });
                kept = value.len();
            }
            b',' | b';' if in_value => {
                value.truncate(kept);
                found.push(part(&attribute, std::mem::take(&mut value))?);
                (attribute, in_value, kept) = (String::new(), false, 0);
            }
            b'=' if !in_value => in_value = true,
            b' ' if in_value && value.is_empty() => {}
            byte if in_value => {
                value.push(byte);
                kept = if byte == b' ' { kept } else { value.len() };
            }
            byte => attribute.push(char::from(byte)),
        }
    }
    value.truncate(kept);
    if !in_value {
        return None;
    }
    found.push(part(&attribute, value)?);
    Some(found)
}

fn part(attribute: &str, value: Vec<u8>) -> Option<(String, String)> {
    let attribute = attribute.trim().to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let is_one = !attribute.is_empty() && attribute.chars().all(fits);
    is_one.then_some((attribute, String::from_utf8(value).ok()?))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_value() {
        for (value, written) in [
            ("ada", "ada"),
            ("a,ou=admins", "a\\,ou\\=admins"),
            ("a+b", "a\\+b"),
            (" a b ", "\\ a b\\ "),
            ("#1", "\\#1"),
            ("a\"\\<>;", "a\\\"\\\\\\<\\>\\;"),
            ("a\0", "a\\00"),
            ("żar", "żar"),
        ] {
            assert_eq!(escaped(value), written);
            let dn = format!("uid={written},dc=x");
            assert_eq!(first_value(&dn).as_deref(), Some(value), "{dn}");
            assert_eq!(parts(&dn).unwrap().len(), 2, "{dn}");
        }
    }

    #[test]
    fn names_are_compared_as_they_are_meant() {
        assert!(is_same("CN=Potters, OU=Groups,dc=x", "cn=potters,ou=groups,DC=x"));
        assert!(is_same("cn=a\\2cb,dc=x", "cn=a\\,b,dc=x"));
        assert!(!is_same("cn=a,dc=x", "cn=a,dc=y"));
        assert!(is_below("cn=a,ou=groups,dc=x", "ou=Groups, dc=x"));
        assert!(is_below("cn=a,dc=x", ""));
        assert!(!is_below("cn=a\\,ou\\=groups,dc=x", "ou=groups,dc=x"));
        assert!(!is_below("cn=a,xou=groups,dc=x", "ou=groups,dc=x"));
        for none in ["", "potters", "=a", "cn=a,", "cn=a,b", "cn=\\"] {
            assert_eq!(first_value(none), None, "{none}");
        }
    }
}
