//! Charters: the reviewed word on who may at most what, against which a review holds what was granted. A
//! charter reports and closes nothing.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::duration;
use super::grant::Grant;
use super::time::{Timestamp, words};
use super::verb::Verbs;

/// Bytes of a charter at most.
pub const MAX_TEXT: usize = 16 << 10;
/// Rules of a charter at most.
pub const MAX_RULES: usize = 200;
/// The longest name in a rule.
const MAX_NAME: usize = 64;

/// A charter as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charter {
    /// Whether every grant has to have an end.
    pub ends: bool,
    /// How long any grant may last at most.
    pub longest: Option<Duration>,
    /// Who may what. Without any rule nobody is limited in that.
    pub rules: Vec<Rule>,
}

/// Who may at most what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whom it is about.
    pub who: Who,
    /// What they may.
    pub verbs: Verbs,
    /// How long a grant by this rule lasts at most.
    pub longest: Option<Duration>,
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everyone in the organization.
    Everyone,
    /// A person or a service account, by name.
    User(String),
    /// A group, by name.
    Group(String),
    /// Whoever is on call in a rotation, by its name.
    Rotation(String),
}

/// To whom a grant is, as a charter looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whom {
    /// To whom.
    pub who: Who,
    /// The groups that they are in, for a person.
    pub groups: Vec<String>,
}

/// What is wrong with the text of a charter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadCharter {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    ends: bool,
    longest: Option<Spanned<String>>,
    #[serde(default)]
    may: Vec<Spanned<WrittenRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    #[serde(default)]
    everyone: bool,
    user: Option<String>,
    group: Option<String>,
    rotation: Option<String>,
    verbs: Spanned<Vec<String>>,
    longest: Option<Spanned<String>>,
}

/// Reads a charter.
///
/// # Errors
/// With the first thing that is wrong, and its line.
pub fn parse(text: &str) -> Result<Charter, BadCharter> {
    let at = |span: Range<usize>, why: String| BadCharter { line: line_of(text, span.start), why };
    if text.len() > MAX_TEXT {
        let why = format!("the text is longer than {} KiB", MAX_TEXT >> 10);
        return Err(BadCharter { line: 1, why });
    }
    let written: Written = toml::from_str(text)
        .map_err(|bad| at(bad.span().unwrap_or_default(), first_line(bad.message())))?;
    let length = |asked: Option<Spanned<String>>| -> Result<Option<Duration>, BadCharter> {
        let Some(asked) = asked else { return Ok(None) };
        let read = duration::parse(asked.get_ref());
        let read = read.map_err(|bad| at(asked.span(), bad.to_string()))?;
        if read.is_zero() {
            return Err(at(asked.span(), "wants more than nothing, such as 8h".to_owned()));
        }
        Ok(Some(read))
    };
    if let Some(over) = written.may.get(MAX_RULES) {
        return Err(at(over.span(), format!("there are more than {MAX_RULES} rules")));
    }
    let mut rules = Vec::with_capacity(written.may.len());
    for rule in written.may {
        let span = rule.span();
        let WrittenRule { everyone, user, group, rotation, verbs, longest } = rule.into_inner();
        let named = [user.map(Who::User), group.map(Who::Group), rotation.map(Who::Rotation)];
        let mut all = named.into_iter().flatten().chain(everyone.then_some(Who::Everyone));
        let (Some(who), None) = (all.next(), all.next()) else {
            let why = "name one of user, group and rotation, or everyone = true";
            return Err(at(span, why.to_owned()));
        };
        if !who.has_name() {
            return Err(at(span, format!("a name has 1 to {MAX_NAME} characters")));
        }
        let read = Verbs::parse(&verbs.get_ref().join(","))
            .map_err(|word| at(verbs.span(), format!("there is no verb {word:?}")))?;
        if read.is_empty() {
            return Err(at(verbs.span(), "name at least one verb".to_owned()));
        }
        rules.push(Rule { who, verbs: read, longest: length(longest)? });
    }
    Ok(Charter { ends: written.ends, longest: length(written.longest)?, rules })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

impl Who {
    fn has_name(&self) -> bool {
        match self {
            Self::Everyone => true,
            Self::User(name) | Self::Group(name) | Self::Rotation(name) => {
                (1..=MAX_NAME).contains(&name.chars().count())
            }
        }
    }
}

impl Charter {
    /// In what a grant goes beyond it, a few words each; none when it does not.
    #[must_use]
    pub fn exceeded(&self, grant: &Grant, whom: &Whom) -> Vec<String> {
        let begins = grant.limits.from.max(grant.granted_at);
        let lasts = grant.limits.until.map(|until: Timestamp| until.since(begins));
        let mut all = vec![];
        if self.ends && lasts.is_none() {
            all.push("has to have an end".to_owned());
        }
        // Of what has no end that is said, where it has to have one.
        let too_long = |most: Duration| {
            let is_over = lasts.map_or(!self.ends, |lasts| lasts > most);
            is_over.then(|| format!("lasts longer than {}", words(most)))
        };
        all.extend(self.longest.and_then(too_long));
        if self.rules.is_empty() {
            return all;
        }
        let fitting: Vec<&Rule> = self.rules.iter().filter(|rule| rule.is_about(whom)).collect();
        let may = fitting.iter().fold(Verbs::default(), |may, rule| may.and(rule.verbs));
        if fitting.is_empty() {
            all.push("nothing is foreseen for them".to_owned());
            return all;
        }
        let more = grant.verbs.minus(may);
        if !more.is_empty() {
            all.push(format!("gives more: {more}"));
        }
        // By the most generous of the rules that are about them and give something of it.
        let giving = fitting.iter().filter(|rule| rule.verbs.minus(grant.verbs) != rule.verbs);
        let lengths: Option<Vec<Duration>> = giving.map(|rule| rule.longest).collect();
        let most = lengths.and_then(|lengths| lengths.into_iter().max());
        all.extend(most.and_then(too_long));
        all
    }
}

impl Rule {
    fn is_about(&self, whom: &Whom) -> bool {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        match (&self.who, &whom.who) {
            // A rule for everyone is for whoever it is.
            (Who::Everyone, _) => true,
            (Who::User(rule), Who::User(name))
            | (Who::Group(rule), Who::Group(name))
            | (Who::Rotation(rule), Who::Rotation(name)) => same(rule, name),
            (Who::Group(rule), Who::User(_)) => whom.groups.iter().any(|group| same(rule, group)),
            (Who::User(_) | Who::Group(_) | Who::Rotation(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::grant::{Limits, Recipient, Via};

    const TEXT: &str = "\
# Who works here.
ends = true
longest = \"30d\"

[[may]]
group = \"potters\"
verbs = [\"use\"]

[[may]]
user = \"ada\"
verbs = [\"admin\", \"delete\"]
longest = \"8h\"
";

    fn grant(verbs: &str, hours: Option<i64>) -> Grant {
        Grant {
            id: uuid::Uuid::nil().into(),
            workspace_id: uuid::Uuid::nil().into(),
            to: Recipient::Everyone,
            verbs: Verbs::parse(verbs).unwrap(),
            limits: Limits {
                until: hours.map(|hours| Timestamp(hours * 3_600)),
                ..Limits::default()
            },
            reason: String::new(),
            granted_by: None,
            granted_at: Timestamp(0),
            via: Via::Direct,
            under: None,
            ended: None,
        }
    }

    fn whom(name: &str, groups: &[&str]) -> Whom {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Whom { who: Who::User(name.to_owned()), groups }
    }

    #[test]
    fn a_grant_is_held_against_what_is_foreseen() {
        let charter = parse(TEXT).unwrap();
        let said =
            |verbs, hours, whom: &Whom| charter.exceeded(&grant(verbs, hours), whom).join("; ");
        let (ben, ada) = (whom("ben", &["Potters"]), whom("Ada", &[]));
        assert_eq!(said("use", Some(24), &ben), "");
        assert_eq!(said("use", None, &ben), "has to have an end");
        assert_eq!(said("use,execute", Some(1), &ben), "gives more: execute");
        assert_eq!(said("view", Some(1), &whom("cora", &[])), "nothing is foreseen for them");
        assert_eq!(said("admin", Some(8), &ada), "");
        assert_eq!(said("admin", Some(9), &ada), "lasts longer than 8 h");
        let both = whom("ada", &["potters"]);
        assert_eq!(said("admin", Some(9), &both), "", "the other rule has no length");
        assert_eq!(parse("").unwrap(), Charter::default());
        assert!(Charter::default().exceeded(&grant("admin", None), &ben).is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let bad = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            bad("ends = true\nlongest = \"soon\""),
            "line 2: \"soon\" is not a duration; write it as 90s, 8h, 1h30m or 30d"
        );
        assert_eq!(bad("\nlongest = \"0\""), "line 2: wants more than nothing, such as 8h");
        assert!(bad("ends = true\n\nfoo = 1").starts_with("line 3: unknown field `foo`"));
        assert!(bad("ends = yes").starts_with("line 1: "));
        assert_eq!(
            bad("[[may]]\nuser = \"a\"\nverbs = [\"fly\"]"),
            "line 3: there is no verb \"fly\""
        );
        let why = "name one of user, group and rotation, or everyone = true";
        assert_eq!(bad("\n[[may]]\nverbs = [\"view\"]"), format!("line 2: {why}"));
        assert!(bad("[[may]]\nuser = \"a\"\ngroup = \"b\"\nverbs = [\"view\"]").ends_with(why));
        assert!(bad("[[may]]\nuser = \"\"\nverbs = [\"view\"]").contains("1 to 64 characters"));
        assert!(bad("[[may]]\neveryone = true\nverbs = []").contains("at least one verb"));
        assert!(bad(&"#".repeat(MAX_TEXT + 1)).contains("longer than 16 KiB"));
        let many = "[[may]]\neveryone = true\nverbs = [\"view\"]\n".repeat(MAX_RULES + 1);
        assert_eq!(
            bad(&many),
            format!("line {}: there are more than 200 rules", MAX_RULES * 3 + 1)
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[\\[\\]a-z =\"\n0-9.]{0,200}") {
            let _ = parse(&text);
        }

        /// More verbs never come to fit, nor a later end.
        #[test]
        fn a_wider_grant_fits_no_better(bits in 1_u8.., more in any::<u8>(), hours in 1_i64..900) {
            let charter = parse(TEXT).unwrap();
            let ben = whom("ben", &["potters"]);
            let narrow = Grant { verbs: Verbs::of_bits(bits), ..grant("view", Some(hours)) };
            let wide = Grant { verbs: Verbs::of_bits(bits | more), ..grant("view", Some(hours + 9)) };
            if charter.exceeded(&wide, &ben).is_empty() {
                prop_assert!(charter.exceeded(&narrow, &ben).is_empty());
            }
        }
    }
}
