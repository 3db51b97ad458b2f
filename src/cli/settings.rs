//! The server's settings from three places: flags, then the environment, then a TOML file.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ArgMatches;
use clap::parser::ValueSource;

use super::nearest;
use super::table::Table;

/// Every key, and whether its value is a secret that is masked when it is shown.
const KEYS: &[(&str, bool)] = &[
    ("data", false),
    ("http-address", false),
    ("ssh-address", false),
    ("wireguard-address", false),
    ("access-url", false),
    ("tls-cert-file", false),
    ("tls-key-file", false),
    ("trusted-proxy", false),
    ("terraform", false),
    ("terraform-config", false),
    ("provider-mirror", false),
    ("programs", false),
    ("provisioners", false),
    ("build-time-limit", false),
    ("log-format", false),
    ("log-filter", false),
    ("session-duration", false),
    ("max-token-lifetime", false),
    ("disable-password-auth", false),
    ("disable-workspace-sharing", false),
    ("breached-passwords-file", false),
    ("mfa-required-roles", false),
    ("log-retention", false),
    ("connection-retention", false),
    ("audit-retention", false),
    ("master-key-file", false),
];
/// The table of providers in the file: `[oidc.NAME]`.
const PROVIDERS: &str = "oidc";
/// Every table of the file.
const TABLES: &[&str] = &[PROVIDERS, "github", "ldap", "mail", "recording", "scim"];

/// Where a value comes from that nobody has chosen.
const DEFAULT: &str = "default";
/// Where one comes from that is not there.
const NOT_SET: &str = "not set";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Flag,
    Environment,
    File,
    Default,
}

/// A value that was read.
#[derive(Clone, Debug)]
struct Told {
    key: &'static str,
    value: String,
    source: Source,
}

/// The three places, and what was read from them.
pub struct Layers<'m> {
    matches: &'m ArgMatches,
    file: toml::Table,
    path: Option<PathBuf>,
    told: Vec<Told>,
    /// Settings of providers: key, value, where from.
    noted: Vec<[String; 3]>,
}

impl<'m> Layers<'m> {
    /// Reads the file, if there is one, and checks its keys.
    ///
    /// # Errors
    /// When it cannot be read, or holds a key that there is not.
    pub fn open(matches: &'m ArgMatches, path: Option<&Path>) -> anyhow::Result<Self> {
        let file = match path {
            None => toml::Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("Reading the settings in {}", path.display()))?;
                parse_file(&text).with_context(|| format!("In {}", path.display()))?
            }
        };
        Ok(Self { matches, file, path: path.map(Path::to_owned), told: vec![], noted: vec![] })
    }

    /// A setting's text; none when nothing says it.
    ///
    /// # Errors
    /// When the file holds something that is no text, number or truth.
    pub fn text(&mut self, key: &'static str) -> anyhow::Result<Option<String>> {
        Ok(self.list(key)?.pop())
    }

    /// A setting of several texts.
    ///
    /// # Errors
    /// When the file holds something else.
    pub fn list(&mut self, key: &'static str) -> anyhow::Result<Vec<String>> {
        let typed = self.typed(key);
        let (values, source) = match typed {
            Some(found) => found,
            None => match self.file.get(key) {
                None => return Ok(vec![]),
                Some(value) => (texts(key, value)?, Source::File),
            },
        };
        self.told.push(Told { key, value: values.join(", "), source });
        Ok(values)
    }

    /// The tables `[oidc.NAME]` of the file, by name.
    ///
    /// # Errors
    /// When one of them is no table.
    pub fn providers(&self) -> anyhow::Result<BTreeMap<String, toml::Table>> {
        let all = match self.file.get(PROVIDERS) {
            None => return Ok(BTreeMap::new()),
            Some(toml::Value::Table(all)) => all.clone(),
            Some(_) => bail!("oidc holds providers: write [oidc.NAME]"),
        };
        let one = |(name, value): (String, toml::Value)| match value.as_table() {
            Some(table) => Ok((name, table.clone())),
            None => Err(anyhow::anyhow!("oidc.{name} is no table: write [oidc.NAME]")),
        };
        all.into_iter().map(one).collect()
    }

    /// A table of the file that there is once, its keys written with `_`; none when it is not there.
    ///
    /// # Errors
    /// When it is no table.
    pub fn section(&self, name: &str) -> anyhow::Result<Option<toml::Table>> {
        match self.file.get(name) {
            None => Ok(None),
            Some(toml::Value::Table(table)) => {
                let plain = table.iter().map(|(key, v)| (key.replace('-', "_"), v.clone()));
                Ok(Some(plain.collect()))
            }
            Some(_) => bail!("{name} is no table: write [{name}]"),
        }
    }

    /// Notes a provider's setting, to be shown with the others.
    pub fn note(&mut self, key: String, value: String, from: String) {
        self.noted.push([key, value, from]);
    }

    fn typed(&self, key: &str) -> Option<(Vec<String>, Source)> {
        let source = match self.matches.value_source(key)? {
            ValueSource::CommandLine => Source::Flag,
            ValueSource::EnvVariable => Source::Environment,
            ValueSource::DefaultValue | _ => return None,
        };
        let values = self.matches.get_many::<String>(key)?.cloned().collect();
        Some((values, source))
    }

    /// A setting with its meaning, or the default.
    ///
    /// # Errors
    /// When the text has no such meaning; the error names where it stands.
    pub fn parse<T, E: Display>(
        &mut self,
        key: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> anyhow::Result<T> {
        let text = match self.text(key)? {
            Some(text) => text,
            None => {
                let value = default.to_owned();
                self.told.push(Told { key, value: value.clone(), source: Source::Default });
                value
            }
        };
        parse(&text).map_err(|error| self.wrong(key, &text, &error))
    }

    /// A setting with its meaning, when it is given.
    ///
    /// # Errors
    /// When the text has no such meaning; the error names where it stands.
    pub fn parse_if_given<T, E: Display>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> anyhow::Result<Option<T>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|error| self.wrong(key, &text, &error))
    }

    /// An error about a value, which names where it stands.
    #[must_use]
    pub fn wrong(&self, key: &str, text: &str, why: &dyn Display) -> anyhow::Error {
        let source = self.told.iter().rev().find(|t| t.key == key).map(|t| t.source.clone());
        let place = self.place(key, &source.unwrap_or(Source::Default));
        anyhow::anyhow!("{place} is {text:?}: {why}")
    }

    fn place(&self, key: &str, source: &Source) -> String {
        let file = || self.path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
        match source {
            Source::Flag => format!("--{key}"),
            Source::Environment => self.variable(key),
            Source::File => format!("{key} in {}", file()),
            Source::Default => format!("the default of {key}"),
        }
    }

    /// The name of the variable that is looked at, which is one of two twins.
    fn variable(&self, key: &str) -> String {
        let commands = super::args::command(false);
        let found = commands
            .get_subcommands()
            .find_map(|c| c.get_arguments().find(|a| a.get_id() == key && a.get_env().is_some()))
            .and_then(|a| a.get_env())
            .map(|e| e.to_string_lossy().into_owned());
        found.unwrap_or_else(|| key.to_owned())
    }

    /// Each setting with its value and where it came from; secrets masked.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&["SETTING", "VALUE", "FROM"]);
        for [key, value, from] in &self.rows() {
            table.row([key.as_str(), value, from]);
        }
        table
    }

    /// Each setting that somebody has chosen, with its value and where it came from; secrets masked.
    #[must_use]
    pub fn told(&self) -> Vec<[String; 3]> {
        let mut rows = self.rows();
        rows.retain(|[_, _, from]| from != NOT_SET && from != DEFAULT);
        rows
    }

    fn rows(&self) -> Vec<[String; 3]> {
        let mut rows = Vec::new();
        for (key, secret) in KEYS {
            let (value, from) = match self.told.iter().find(|t| t.key == *key) {
                None => ("", NOT_SET.to_owned()),
                Some(told) if told.source == Source::Default => {
                    (told.value.as_str(), DEFAULT.to_owned())
                }
                Some(told) => (told.value.as_str(), self.place(key, &told.source)),
            };
            let shown = if *secret && !value.is_empty() { "********" } else { value };
            rows.push([(*key).to_owned(), shown.to_owned(), from]);
        }
        rows.extend(self.noted.iter().cloned());
        rows
    }
}

fn parse_file(text: &str) -> anyhow::Result<toml::Table> {
    let table: toml::Table = text.parse()?;
    let mut out = toml::Table::new();
    for (key, value) in table {
        let plain = key.replace('_', "-");
        if !TABLES.contains(&plain.as_str()) && !KEYS.iter().any(|(known, _)| *known == plain) {
            let hint = nearest::hint(&plain, KEYS.iter().map(|(known, _)| *known));
            bail!("There is no setting {key:?}.{hint}");
        }
        out.insert(plain, value);
    }
    Ok(out)
}

fn texts(key: &str, value: &toml::Value) -> anyhow::Result<Vec<String>> {
    let one = |value: &toml::Value| match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(truth) => Ok(truth.to_string()),
        toml::Value::Float(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => Err(anyhow::anyhow!("{key} is neither text nor a number")),
    };
    match value.as_array() {
        Some(items) => items.iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;

    fn matches(words: &[&str]) -> ArgMatches {
        let all = ["steading", "server"].iter().chain(words).map(std::ffi::OsString::from);
        let (_, matches) = args::parse(&all.collect::<Vec<_>>()).unwrap();
        matches.subcommand_matches("server").unwrap().clone()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = file("http_address = \"127.0.0.1:1\"\nprovisioners = 5\n");
        let typed = matches(&["--http-address", "127.0.0.1:2"]);
        let mut layers = Layers::open(&typed, Some(file.path())).unwrap();
        assert_eq!(layers.text("http-address").unwrap().as_deref(), Some("127.0.0.1:2"));
        assert_eq!(layers.parse("provisioners", "2", str::parse::<usize>).unwrap(), 5);
        assert_eq!(
            layers.parse("log-format", "text", |t| Ok::<_, &str>(t.to_owned())).unwrap(),
            "text"
        );
        let shown = layers.table().render(str::to_owned);
        assert!(shown.contains("--http-address") && shown.contains("provisioners in "), "{shown}");
        assert!(shown.contains("default") && shown.contains("not set"), "{shown}");
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let file = file("http-adress = \"x\"\n");
        let error = Layers::open(&matches(&[]), Some(file.path())).err().unwrap();
        let said = format!("{error:#}");
        assert!(
            said.ends_with("There is no setting \"http-adress\". Did you mean \"http-address\"?"),
            "{said}"
        );
    }

    #[test]
    fn a_wrong_value_is_told_with_its_place() {
        let typed = matches(&["--provisioners", "many"]);
        let mut layers = Layers::open(&typed, None).unwrap();
        let error = layers.parse("provisioners", "2", str::parse::<usize>).unwrap_err();
        assert_eq!(error.to_string(), "--provisioners is \"many\": invalid digit found in string");
    }

    #[test]
    fn every_flag_is_a_key() {
        let command = args::command(false);
        let server = command.find_subcommand("server").unwrap();
        for (key, _) in KEYS {
            assert!(server.get_arguments().any(|a| a.get_id() == key), "{key}");
        }
    }
}
