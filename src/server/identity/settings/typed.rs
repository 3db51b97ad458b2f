//! Settings as a form has them: texts that become a table as the file has it, and back.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Wrong;
use crate::model::provider::ProviderKind;
use crate::model::provider_field::{Field, Shape, fields};

/// The longest text of a setting.
const MAX_TEXT: usize = 16 << 10;
/// What a box sends that is ticked.
pub const YES: &str = "yes";

/// The settings that were typed, without those that are as when nobody says, and without the secret.
///
/// # Errors
/// Names the setting that cannot be read.
pub fn read(kind: ProviderKind, typed: &BTreeMap<String, String>) -> Result<Table, Wrong> {
    let mut table = Table::new();
    for field in fields(kind) {
        let text = typed.get(field.key).map_or("", |text| text.trim());
        if text.len() > MAX_TEXT {
            let why = format!("{} has more than {MAX_TEXT} characters", field.key);
            return Err(Wrong::new(field.key, why));
        }
        if let Some(value) = value(field, text)? {
            table.insert(field.key.to_owned(), value);
        }
    }
    Ok(table)
}

fn value(field: &Field, text: &str) -> Result<Option<Value>, Wrong> {
    let some = |text: &str| Some(Value::String(text.to_owned())).filter(|_| !text.is_empty());
    let one = |text: &str| Value::from(text);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(match field.shape {
        Shape::Secret => None,
        Shape::Line | Shape::Text => some(text),
        Shape::Flag(usual) => {
            let is_so = text == YES;
            (is_so != usual).then_some(Value::Boolean(is_so))
        }
        Shape::Choice(words) => {
            let is_usual = words.first().is_some_and(|first| *first == text);
            some(text).filter(|_| !is_usual)
        }
        Shape::List => {
            let all: Vec<Value> = lines().map(Value::from).collect();
            (!all.is_empty()).then_some(Value::Array(all))
        }
        Shape::Pairs => pairs(field, lines().map(|line| (line, line.split_once('='))), one)?,
        // The name of an entry in a directory has such a sign in it; what it leads to has none.
        Shape::Mapping => pairs(field, lines().map(|line| (line, line.rsplit_once('='))), one)?,
        Shape::Mappings => {
            let many = |names: &str| {
                let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
                Value::Array(names.map(Value::from).collect())
            };
            pairs(field, lines().map(|line| (line, line.rsplit_once('='))), many)?
        }
    })
}

fn pairs<'a>(
    field: &Field,
    all: impl Iterator<Item = (&'a str, Option<(&'a str, &'a str)>)>,
    read: impl Fn(&str) -> Value,
) -> Result<Option<Value>, Wrong> {
    let mut table = Table::new();
    for (line, parts) in all {
        let parts = parts.map(|(word, name)| (word.trim(), name.trim()));
        let found = parts.filter(|(word, name)| !word.is_empty() && !name.is_empty());
        let Some((word, name)) = found else {
            let why = format!("{} has {line:?} in it: write WORD = NAME", field.key);
            return Err(Wrong::new(field.key, why));
        };
        if table.insert(word.to_owned(), read(name)).is_some() {
            let why = format!("{} has {word:?} in it twice", field.key);
            return Err(Wrong::new(field.key, why));
        }
    }
    Ok((!table.is_empty()).then_some(Value::Table(table)))
}

/// Settings as a form shows them: each has a text, whether it was said or not.
#[must_use]
pub fn shown(kind: ProviderKind, table: &Table) -> BTreeMap<String, String> {
    let one = |field: &Field| {
        let text = match (table.get(field.key), field.shape) {
            (Some(Value::Boolean(is_so)), _) => flag(*is_so),
            (Some(value), _) => text(value),
            (None, Shape::Flag(usual)) => flag(usual),
            (None, Shape::Choice(words)) => words.first().copied().unwrap_or_default().to_owned(),
            (None, _) => String::new(),
        };
        (field.key.to_owned(), text)
    };
    fields(kind).iter().filter(|field| field.shape != Shape::Secret).map(one).collect()
}

fn flag(is_so: bool) -> String {
    if is_so { YES.to_owned() } else { String::new() }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join("\n"),
        Value::Table(table) => {
            let names = |value: &Value| text(value).replace('\n', ", ");
            let line = |(word, value): (&String, &Value)| format!("{word} = {}", names(value));
            table.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::Datetime(_) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::identity::settings::{github, ldap, oidc, scim};

    fn typed(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn what_was_typed_is_read_as_the_file_has_it_and_shown_again_as_it_was() {
        let mut all = shown(ProviderKind::Oidc, &Table::new());
        assert_eq!(
            (all["allow_signups"].as_str(), all["link_by_email"].as_str()),
            ("yes", "members")
        );
        assert!(read(ProviderKind::Oidc, &all).unwrap().is_empty(), "what nobody says is not kept");
        all.extend(typed(&[
            ("issuer", " https://sso.test "),
            ("client_id", "steading"),
            ("allow_signups", ""),
            ("groups_field", "groups"),
            ("scopes", "openid\n\n email \n"),
            ("group_mapping", "cn=a,dc=x = potters\nb=kiln"),
            ("role_field", "roles"),
            ("role_mapping", "admins = owner, auditor"),
            ("auth_url_params", "access_type = a=b"),
        ]));
        let table = read(ProviderKind::Oidc, &all).unwrap();
        let settings = oidc::read("sso", table.clone()).unwrap();
        assert!(!settings.rules.allow_signups);
        assert_eq!(settings.scopes, ["openid", "email"]);
        assert_eq!(settings.auth_url_params["access_type"], "a=b");
        assert_eq!(settings.rules.groups.as_ref().unwrap().mapping["cn=a,dc=x"], ["potters"]);
        let roles = settings.rules.roles.as_ref().unwrap();
        assert_eq!(roles.mapping["admins"], ["owner", "auditor"]);
        let again = shown(ProviderKind::Oidc, &table);
        assert_eq!(read(ProviderKind::Oidc, &again).unwrap(), table);
        for (key, text) in
            [("group_mapping", "a"), ("group_mapping", "a = "), ("role_mapping", "=b")]
        {
            let wrong = read(ProviderKind::Oidc, &typed(&[(key, text)])).unwrap_err();
            assert_eq!(wrong.field, key, "{wrong}");
        }
        let twice = read(ProviderKind::Oidc, &typed(&[("group_mapping", "a=b\na=c")])).unwrap_err();
        assert!(twice.why.contains("twice"), "{twice}");
    }

    /// What every form asks for is known where settings are read: an unknown key would be told.
    #[test]
    fn every_field_is_a_setting() {
        for kind in ProviderKind::ALL {
            let mut table = Table::new();
            for field in fields(*kind) {
                let value = match field.shape {
                    Shape::Line | Shape::Secret | Shape::Text | Shape::Choice(_) => "x".into(),
                    Shape::Flag(usual) => usual.into(),
                    Shape::List => Value::Array(vec![]),
                    Shape::Pairs | Shape::Mapping | Shape::Mappings => Value::Table(Table::new()),
                };
                table.insert(field.key.to_owned(), value);
            }
            let wrong = match kind {
                ProviderKind::Password => continue,
                ProviderKind::Oidc => oidc::read("sso", table).unwrap_err(),
                ProviderKind::Github => github::read(table).unwrap_err(),
                ProviderKind::Ldap => ldap::read(table).unwrap_err(),
                ProviderKind::Scim => scim::read(table, &[]).unwrap_err(),
            };
            assert!(!wrong.field.is_empty(), "{kind}: {wrong}");
        }
    }
}
