//! The search for templates in Coder's words: `author:me deprecated:false docker`.

use super::filter::{BadFilter, MAX, narrow, words};
use super::template::Template;

/// What a search asks for; every given part has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateFilter {
    /// Parts of the name or of the name shown, in lower case.
    pub parts: Vec<String>,
    /// The name, in lower case.
    pub exact: Option<String>,
    /// A part of the name shown, in lower case.
    pub display_name: Option<String>,
    /// Where it belongs, by id or name, in lower case.
    pub organization: Option<String>,
    /// Who made it: a name or an id in lower case, `me` for who asks.
    pub author: Option<String>,
    /// Whether it should not be used any more.
    pub deprecated: Option<bool>,
    /// Whether someone else runs the machines of its workspaces.
    pub external: Option<bool>,
    /// Asks for what no template here is: for tasks, two names at once.
    pub nothing: bool,
}

/// The keys a search may hold.
const KEYS: &str = "name, exact_name, display_name, organization, author, author_id, deprecated, \
    has-ai-task, has_external_agent, search";

impl TemplateFilter {
    /// Reads a search. Words without a key are parts of the name.
    ///
    /// # Errors
    /// Names the key or value that cannot be read.
    pub fn parse(query: &str) -> Result<Self, BadFilter> {
        if query.len() > MAX {
            return Err(BadFilter::new(format!("is longer than {MAX} bytes")));
        }
        let mut filter = Self::default();
        for word in words(query) {
            match word.split_once(':') {
                Some((key, value)) => filter.add(key, &value.trim_matches('"').to_lowercase())?,
                None => filter.parts.push(word.trim_matches('"').to_lowercase()),
            }
        }
        Ok(filter)
    }

    fn add(&mut self, key: &str, value: &str) -> Result<(), BadFilter> {
        let yes = || {
            let bad = |_| BadFilter::new(format!("{key} wants true or false, not {value:?}"));
            value.parse::<bool>().map_err(bad)
        };
        let fits = match key {
            "name" | "search" => {
                self.parts.push(value.to_owned());
                true
            }
            "exact_name" => narrow(&mut self.exact, value.to_owned()),
            "display_name" => narrow(&mut self.display_name, value.to_owned()),
            "organization" => narrow(&mut self.organization, value.to_owned()),
            "author" | "author_id" => narrow(&mut self.author, value.to_owned()),
            "deprecated" => narrow(&mut self.deprecated, yes()?),
            "has_external_agent" | "has-external-agent" => narrow(&mut self.external, yes()?),
            "has-ai-task" => !yes()?,
            _ => return Err(BadFilter::new(format!("{key:?} is not a key; there are {KEYS}"))),
        };
        self.nothing |= !fits;
        Ok(())
    }

    /// Whether a template is looked for by who is called `me`, as far as it tells itself; `home` is the
    /// name of where it belongs.
    #[must_use]
    pub fn fits(&self, t: &Template, (me, home): (&str, &str)) -> bool {
        let is = |wanted: &str, id: uuid::Uuid, name: &str| {
            wanted == id.to_string() || wanted.eq_ignore_ascii_case(name)
        };
        let author = |wanted: &str| {
            let wanted = if wanted == "me" { me } else { wanted };
            is(wanted, t.created_by.id.0, t.created_by.username.as_str())
        };
        let (name, shown) = (t.name.as_str().to_lowercase(), t.display_name.to_lowercase());
        let organization = |wanted: &str| {
            is(wanted, t.organization_id.0, home) || (wanted == "default" && t.home.is_empty())
        };
        !self.nothing
            && self.parts.iter().all(|part| name.contains(part) || shown.contains(part))
            && self.exact.as_ref().is_none_or(|wanted| *wanted == name)
            && self.display_name.as_ref().is_none_or(|wanted| shown.contains(wanted))
            && self.organization.as_deref().is_none_or(organization)
            && self.author.as_deref().is_none_or(author)
            && self.deprecated.is_none_or(|wanted| wanted != t.deprecation.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_read_in_coders_words() {
        let parse = |query| TemplateFilter::parse(query).unwrap();
        assert_eq!(parse(""), TemplateFilter::default());
        assert_eq!(parse("Docker name:\"a b\"").parts, ["docker", "a b"]);
        let found = parse("author:me deprecated:true exact_name:X has-ai-task:false");
        assert_eq!((found.author.as_deref(), found.deprecated), (Some("me"), Some(true)));
        assert_eq!((found.exact.as_deref(), found.nothing), (Some("x"), false));
        assert!(parse("has-ai-task:true").nothing && parse("author:a author:b").nothing);
        for (query, named) in [("colour:red", "exact_name"), ("deprecated:perhaps", "perhaps")] {
            let error = TemplateFilter::parse(query).unwrap_err().to_string();
            assert!(error.contains(named), "{query}: {error}");
        }
    }
}
