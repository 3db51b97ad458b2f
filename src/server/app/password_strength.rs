//! How hard a new password is to guess: what is refused, and what a form shows while one is typed.

use std::sync::Arc;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;
use zxcvbn::feedback::{Feedback, Suggestion, Warning};

use super::breached::Breached;
use super::{App, Error, Result};
use crate::model::password::{self, ENOUGH, Strength};
use crate::model::user::User;

/// Characters that are judged: more make it only harder to guess, and the work grows with them.
const JUDGED: usize = 64;
/// Characters of a text about the user that are looked at.
const MAX_TEXT: usize = 128;
/// Words about the user that are compared.
const MAX_WORDS: usize = 24;
/// A shorter word is in too many passwords to say anything.
const LEAST_WORD: usize = 3;
/// Callers that may wait while one is judged.
const WAITING: usize = 32;
/// Of these, those that only look: whoever is not signed in may, and keeps nobody from setting a
/// password by it. A form asks again with the next letter.
const LOOKING: usize = 4;

/// Judges one password at a time: whoever is not signed in may ask, too.
pub(super) struct Judge {
    room: Semaphore,
    looking: Semaphore,
    turn: Semaphore,
}

impl Default for Judge {
    fn default() -> Self {
        let [room, looking, turn] = [WAITING, LOOKING, 1].map(Semaphore::new);
        Self { room, looking, turn }
    }
}

/// A password that someone chooses.
#[derive(Clone, Copy)]
pub struct NewPassword<'a> {
    /// The password.
    pub password: &'a str,
    /// Their user name; empty when it is not known.
    pub username: &'a str,
    /// Their address; empty when it is not known.
    pub email: &'a str,
}

impl<'a> NewPassword<'a> {
    /// One that a user chooses, or is given.
    pub(super) fn of(user: &'a User, password: &'a str) -> Self {
        Self { password, username: user.username.as_str(), email: &user.email }
    }
}

impl App {
    /// How strong a password would be, for someone whose full name is `name`. Of the answer nothing is
    /// kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many ask, or the list of leaked passwords cannot be read.
    pub async fn judge_password(&self, new: NewPassword<'_>, name: &str) -> Result<Strength> {
        let _place = self.judge.looking.try_acquire().map_err(|_| busy())?;
        self.strength_of(new, name).await
    }

    async fn strength_of(&self, new: NewPassword<'_>, name: &str) -> Result<Strength> {
        let checked = password::check(new.password, new.username, new.email);
        let about = [new.username, new.email, name, "steading"];
        let words: Vec<String> = about.into_iter().flat_map(words).take(MAX_WORDS).collect();
        let text = Zeroizing::new(new.password.chars().take(password::MAX_PASSWORD).collect());
        let strength = self.judged(text, words).await?;
        match checked {
            Ok(()) => Ok(strength),
            Err(why) => Ok(Strength { refused: Some(why.to_string()), ..strength }),
        }
    }

    /// Asks for a password that is hard to guess.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the field `password` says what to do; as [`App::judge_password`].
    pub(super) async fn require_strong(&self, new: NewPassword<'_>, name: &str) -> Result<()> {
        // What needs no work is said first: nobody waits for it.
        password::check(new.password, new.username, new.email)
            .map_err(|why| Error::invalid("password", why))?;
        match self.strength_of(new, name).await?.refused {
            None => Ok(()),
            Some(why) => Err(Error::invalid("password", why)),
        }
    }

    async fn judged(&self, text: Zeroizing<String>, words: Vec<String>) -> Result<Strength> {
        let _room = self.judge.room.try_acquire().map_err(|_| busy())?;
        let _turn = self.judge.turn.acquire().await.map_err(|_| busy())?;
        let breached = self.policy.breached.clone();
        let work = move || judge(&text, &words, breached.as_ref());
        let judged = tokio::task::spawn_blocking(work).await;
        judged.map_err(|e| Error::Internal(e.into()))?.map_err(|error| {
            tracing::error!(%error, "the list of leaked passwords cannot be read");
            let why = "the list of leaked passwords cannot be read; the server's log says why";
            Error::Unavailable(why.to_owned())
        })
    }
}

fn busy() -> Error {
    Error::Unavailable("too many passwords are judged; try again".to_owned())
}

/// A text about the user, whole and in its words.
fn words(text: &str) -> Vec<String> {
    let text: String = text.chars().take(MAX_TEXT).collect();
    let parts = text.split(|c: char| !c.is_alphanumeric());
    let parts = parts.filter(|part| part.chars().count() >= LEAST_WORD && *part != text);
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    std::iter::once(text).chain(parts).filter(|word| !word.is_empty()).collect()
}

fn judge(
    password: &str,
    words: &[String],
    breached: Option<&Arc<Breached>>,
) -> std::io::Result<Strength> {
    let judged = Zeroizing::new(password.chars().take(JUDGED).collect::<String>());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let found = zxcvbn::zxcvbn(&judged, &words);
    let score = u8::from(found.score());
    if breached.map_or(Ok(false), |list| list.holds(password))? {
        let why = "has leaked somewhere and is tried first; choose one that you use nowhere else";
        return Ok(Strength { score: 0, refused: Some(why.to_owned()) });
    }
    let refused = (score < ENOUGH).then(|| match found.feedback() {
        Some(feedback) => format!("is easy to guess: {}", advice(feedback)),
        None => "is easy to guess; add another word or two".to_owned(),
    });
    Ok(Strength { score, refused })
}

/// What makes it easy, and what to do.
fn advice(feedback: &Feedback) -> String {
    let why = feedback.warning().map(reason);
    let mut tips = feedback.suggestions().iter().map(|tip| self::tip(*tip));
    let tip = tips.next().unwrap_or("add another word or two");
    match why {
        Some(why) => format!("{why}; {tip}"),
        None => tip.to_owned(),
    }
}

const fn reason(warning: Warning) -> &'static str {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess => "rows of keys are tried early",
        Warning::ShortKeyboardPatternsAreEasyToGuess => "short figures on the keys are tried early",
        Warning::RepeatsLikeAaaAreEasyToGuess => "a letter many times counts as one",
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => {
            "something many times counts little more than once"
        }
        Warning::ThisIsATop10Password
        | Warning::ThisIsATop100Password
        | Warning::ThisIsACommonPassword => "it is one of the most common passwords",
        Warning::ThisIsSimilarToACommonlyUsedPassword => "it is like a common password",
        Warning::SequencesLikeAbcAreEasyToGuess => "sequences such as abc or 6543 are tried early",
        Warning::RecentYearsAreEasyToGuess => "years are tried early",
        Warning::AWordByItselfIsEasyToGuess => "it is one word",
        Warning::DatesAreOftenEasyToGuess => "dates are tried early",
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
        | Warning::CommonNamesAndSurnamesAreEasyToGuess => "names are tried early",
    }
}

const fn tip(suggestion: Suggestion) -> &'static str {
    match suggestion {
        Suggestion::UseAFewWordsAvoidCommonPhrases
        | Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => {
            "take a few words that do not belong together; signs and digits are not needed"
        }
        Suggestion::AddAnotherWordOrTwo => "add another word or two, rare ones",
        Suggestion::CapitalizationDoesntHelpVeryMuch
        | Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => {
            "capital letters help little: add words"
        }
        Suggestion::ReversedWordsArentMuchHarderToGuess => "backwards is hardly harder: add words",
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => {
            "signs in the place of letters help little: add words"
        }
        Suggestion::UseALongerKeyboardPatternWithMoreTurns => "take words instead of keys in a row",
        Suggestion::AvoidRepeatedWordsAndCharacters => "do not repeat words or letters",
        Suggestion::AvoidSequences => "leave out sequences",
        Suggestion::AvoidRecentYears
        | Suggestion::AvoidYearsThatAreAssociatedWithYou
        | Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => "leave out dates and years",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(password: &str) -> Strength {
        judge(password, &["ada".to_owned(), "ada@example.org".to_owned()], None).unwrap()
    }

    #[test]
    fn what_guessers_try_first_is_refused_with_advice() {
        for (weak, why) in [
            ("password1", "common"),
            ("zzzzzzzzzzzz", "many times"),
            ("qwertyuiop", "common"),
            ("abcdefgh", "sequences"),
            ("abcabcabcabc", "many times"),
            ("P@ssw0rd", "common"),
        ] {
            let judged = of(weak);
            let refused = judged.refused.unwrap_or_default();
            assert!(judged.score < ENOUGH && refused.contains(why), "{weak}: {refused}");
        }
        for good in ["kiln-and-clay", "glaze-and-ash", "fxwzr-qjkea-bdqlo", "łąka zimą o świcie"]
        {
            let judged = of(good);
            assert_eq!(judged.refused, None, "{good}");
            assert!(judged.score >= ENOUGH, "{good}");
        }
    }

    #[test]
    fn a_person_s_names_are_taken_apart() {
        let name = words("Augusta Ada  King");
        assert_eq!(name, ["Augusta Ada  King", "Augusta", "Ada", "King"]);
        assert_eq!(words("ada@x.org"), ["ada@x.org", "ada", "org"]);
        assert_eq!((words("ada"), words("")), (vec!["ada".to_owned()], vec![]));
    }

    #[test]
    fn what_is_long_costs_no_more_than_what_is_looked_at() {
        let long = "ab1-".repeat(10_000);
        assert!(of(&long).score <= 4);
    }
}
