//! Settings that stand in files of their own: secrets and certificates, each as `KEY` or `KEY_file`.

use anyhow::{Context as _, bail};

/// Puts what stands in the file that `KEY_file` names where `KEY` would be, without the ends of its
/// last line.
///
/// # Errors
/// When both are told, or the file cannot be read.
pub(super) fn read(table: &mut toml::Table, key: &str) -> anyhow::Result<()> {
    let named = format!("{key}_file");
    let Some(path) = table.remove(&named) else { return Ok(()) };
    if table.contains_key(key) {
        bail!("{key} and {named}: one of them is enough");
    }
    let path = path.as_str().with_context(|| format!("{named} is no text: write a path"))?;
    let text = std::fs::read_to_string(path).with_context(|| format!("Reading {named} {path}"))?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    table.insert(key.to_owned(), toml::Value::String(text));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stands_in_the_settings_or_in_a_file_of_its_own() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " a secret\r\n").unwrap();
        let told = |text: String| {
            let mut table: toml::Table = text.parse().unwrap();
            read(&mut table, "token").map(|()| table)
        };
        let table = told(format!("token_file = {:?}", file.path())).unwrap();
        assert_eq!((table.len(), table["token"].as_str()), (1, Some(" a secret")));
        assert_eq!(told("token = \"a\"".to_owned()).unwrap()["token"].as_str(), Some("a"));
        for (text, why) in [
            ("token = \"a\"\ntoken_file = \"b\"", "one of them"),
            ("token_file = \"/nowhere/at/all\"", "/nowhere/at/all"),
            ("token_file = 7", "write a path"),
        ] {
            let said = format!("{:#}", told(text.to_owned()).unwrap_err());
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
