//! Which passwords are good enough, and the shape of an e-mail address.

/// Fewer characters can be guessed.
pub const MIN_PASSWORD: usize = 8;
/// More cost time to hash and protect nothing.
pub const MAX_PASSWORD: usize = 128;
/// The longest address that mail can be sent to.
pub const MAX_EMAIL: usize = 254;

/// The least strength that is taken: about a million guesses. Fewer are made in minutes, also where
/// each is slow.
pub const ENOUGH: u8 = 2;
/// The most strength there is.
pub const MAX_STRENGTH: u8 = 4;

/// How strong a password is, and why it is refused, if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// From 0, which is guessed at once, to [`MAX_STRENGTH`].
    pub score: u8,
    /// What is wrong with it, to follow "the password"; none when it is taken.
    pub refused: Option<String>,
}

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// Too few characters.
    #[error("must have at least {MIN_PASSWORD} characters")]
    Short,
    /// Too many.
    #[error("may have at most {MAX_PASSWORD} characters")]
    Long,
    /// It is the user's name or address.
    #[error("must not be your name or e-mail address")]
    Name,
}

/// Checks a new password for a user.
///
/// # Errors
/// Says what is wrong with it.
pub fn check(password: &str, username: &str, email: &str) -> Result<(), BadPassword> {
    let n = password.chars().count();
    if n < MIN_PASSWORD {
        return Err(BadPassword::Short);
    }
    if n > MAX_PASSWORD {
        return Err(BadPassword::Long);
    }
    let lower = password.to_lowercase();
    let same = |other: &str| !other.is_empty() && lower == other.to_lowercase();
    if same(username) || same(email) || email.split('@').next().is_some_and(same) {
        return Err(BadPassword::Name);
    }
    Ok(())
}

/// Whether a text has the shape of an e-mail address. Only a mail that arrives proves one.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\",;:\\()[]".contains(c);
    text.len() <= MAX_EMAIL
        && !local.is_empty()
        && !local.contains('@')
        && !domain.is_empty()
        && text.chars().all(plain)
        && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_enough_and_not_the_user_s_name() {
        let check = |password: &str| check(password, "Maria", "maria.k@example.org");
        assert_eq!(check("kiln-and-clay"), Ok(()));
        assert_eq!(check("kiln"), Err(BadPassword::Short));
        assert_eq!(check(&"x-".repeat(65)), Err(BadPassword::Long));
        assert_eq!(check("Maria.K@example.org"), Err(BadPassword::Name));
    }

    #[test]
    fn addresses_have_one_at_and_a_domain() {
        for good in ["a@b", "ada@example.org", "a.b+c@sub.example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "ada", "@b", "a@", "a@b@c", "a b@c.org", "a@b..c", "<a@b>"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
