//! The master key that the operator keeps outside the database: 32 bytes in a file.

use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;

/// Reads the key from a file; none when no file is named.
///
/// # Errors
/// Names the file that cannot be read or holds no key, and how to make one.
pub fn read(file: Option<&Path>) -> anyhow::Result<Option<[u8; 32]>> {
    let Some(file) = file else { return Ok(None) };
    let name = file.display();
    let text = std::fs::read(file).with_context(|| format!("Reading the master key in {name}"))?;
    match parse(&text) {
        Some(key) => Ok(Some(key)),
        None => bail!("{name} holds no master key; make one with: openssl rand -hex 32 > {name}"),
    }
}

/// 32 raw bytes, or the same in hex or base64, white space around them ignored.
fn parse(bytes: &[u8]) -> Option<[u8; 32]> {
    if let Ok(raw) = bytes.try_into() {
        return Some(raw);
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let decoded = hex::decode(text)
        .or_else(|_| base64::engine::general_purpose::STANDARD.decode(text))
        .ok()?;
    decoded.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_three_forms_and_nothing_else() {
        let key = [7; 32];
        let base64 = base64::engine::general_purpose::STANDARD.encode(key);
        assert_eq!(parse(&key), Some(key));
        assert_eq!(parse(format!("{}\n", hex::encode(key)).as_bytes()), Some(key));
        assert_eq!(parse(base64.as_bytes()), Some(key));
        assert_eq!(parse(b"short"), None);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Some(Path::new("/nowhere/key"))).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/key"));
    }
}
