//! Ways to sign in, as their page shows them, and what was found when one was tried.

use super::time::Timestamp;
use super::user::define_words;

define_words! {
    /// What kind of way to sign in.
    ProviderKind {
        /// By a password that is kept here.
        Password = "password",
        /// At a provider that speaks `OpenID` Connect.
        Oidc = "oidc",
        /// At GitHub.
        Github = "github",
        /// By the password of a directory.
        Ldap = "ldap",
        /// No way in: a provider that keeps people and groups here.
        Scim = "scim",
    }
}

/// Where a setting comes from that nobody has chosen.
pub const DEFAULT: &str = "default";

/// A setting as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its key.
    pub key: String,
    /// Its value; of a secret only whether it is set.
    pub value: String,
    /// Where it comes from.
    pub from: String,
}

/// Where the settings of a way to sign in are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the settings' file or the environment.
    Elsewhere,
    /// There, and stored here, too: what is stored is not in force.
    Both,
    /// Here.
    Here(Changed),
    /// Here, and they cannot be used, for this reason.
    Broken(Changed, String),
}

/// Who comes by a way to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comers {
    /// How many people came by it.
    pub people: i64,
    /// How many of them have no other way in.
    pub stranded: i64,
}

/// Who changed what is stored, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Their user name; may be empty.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A way to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What kind.
    pub kind: ProviderKind,
    /// Its name, as identities have it.
    pub name: String,
    /// What people know it by.
    pub title: String,
    /// Its settings.
    pub facts: Vec<Fact>,
    /// Addresses that are to be told there, and what they are.
    pub addresses: Vec<(&'static str, String)>,
    /// How many people come by it; none where nobody does.
    pub people: Option<i64>,
    /// Where its settings are kept.
    pub kept: Kept,
}

/// One step of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was looked at.
    pub what: &'static str,
    /// What was found, or what is wrong and what to do.
    pub said: String,
    /// Whether it is right.
    pub is_ok: bool,
}

/// The longest text of a step: what is elsewhere may be of any length.
const MAX_SAID: usize = 600;

/// The steps of a trial, up to the first that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps(pub Vec<Step>);

impl Steps {
    /// Notes a step. What it gives, when it is right.
    pub fn note<T>(
        &mut self,
        what: &'static str,
        outcome: Result<(String, T), String>,
    ) -> Option<T> {
        let (said, given) = match outcome {
            Ok((said, given)) => (said, Some(given)),
            Err(why) => (why, None),
        };
        let said = said.chars().filter(|c| !c.is_control()).take(MAX_SAID).collect();
        self.0.push(Step { what, said, is_ok: given.is_some() });
        given
    }

    /// What is wrong, with the step it was found in.
    #[must_use]
    pub fn wrong(&self) -> Option<&Step> {
        self.0.iter().find(|step| !step.is_ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_kept_in_bounds_and_ends_a_trial() {
        let mut steps = Steps::default();
        assert_eq!(steps.note("Keys", Ok(("2 keys".to_owned(), 2))), Some(2));
        assert_eq!(steps.wrong(), None);
        let long = format!("it says\n{}", "x".repeat(5_000));
        assert_eq!(steps.note::<()>("Client", Err(long)), None);
        let wrong = steps.wrong().unwrap();
        assert_eq!((wrong.what, wrong.said.chars().count()), ("Client", MAX_SAID));
        assert!(wrong.said.starts_with("it saysxx"));
    }
}
