//! Secrets: one type to show once, one to store. Neither prints itself.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A token as its holder sees it, `<10 characters>-<22 characters>` (the form Coder's clients expect).
///
/// It begins with [`TOKEN_PREFIX`], and its last [`CHECK_LEN`] characters are a checksum of the rest:
/// the SHA-256 of the text before them, its first bytes written as [`Token::from_random`] writes
/// randomness. So a scanner tells a leaked token from other text without asking a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    public: String,
    secret: String,
}

/// What is stored of a token: enough to check it, not to use it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

/// Characters of the part a token is looked up by.
pub const TOKEN_ID_LEN: usize = 10;
/// Characters of the secret part: 95 random bits and the checksum.
pub const TOKEN_SECRET_LEN: usize = 22;
/// What every token begins with.
pub const TOKEN_PREFIX: &str = "st";
/// Characters of the checksum: one text in 50 billion has it by chance.
pub const CHECK_LEN: usize = 6;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Token {
    /// Makes a token from random bytes.
    #[must_use]
    pub fn from_random(bytes: &[u8; 64]) -> Self {
        let (id, rest) = bytes.split_at(16);
        let public = format!("{TOKEN_PREFIX}{}", letters(id, TOKEN_ID_LEN - TOKEN_PREFIX.len()));
        let mut secret = letters(rest, TOKEN_SECRET_LEN - CHECK_LEN);
        secret.push_str(&checksum(&public, &secret));
        Self { public, secret }
    }

    /// Whether the checksum is that of a token of ours. Older tokens have none, and work.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let (secret, check) = self.secret.split_at(TOKEN_SECRET_LEN - CHECK_LEN);
        self.public.starts_with(TOKEN_PREFIX) && check == checksum(&self.public, secret)
    }

    /// Reads the text a client presents.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (public, secret) = text.split_once('-')?;
        let fits =
            |part: &str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_alphanumeric());
        (fits(public, TOKEN_ID_LEN) && fits(secret, TOKEN_SECRET_LEN))
            .then(|| Self { public: public.to_owned(), secret: secret.to_owned() })
    }

    /// The part a token is looked up by; not secret.
    #[must_use]
    pub fn public_id(&self) -> &str {
        &self.public
    }

    /// The whole text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}-{}", self.public, self.secret)
    }

    /// What to store. A token has enough entropy that a plain hash is safe.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.secret.as_bytes()).into())
    }
}

fn checksum(public: &str, secret: &str) -> String {
    letters(&Sha256::digest(format!("{public}-{secret}")), CHECK_LEN)
}

impl TokenHash {
    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, token: &Token) -> bool {
        self.0.ct_eq(&token.hash().0).into()
    }

    /// The hash of any other secret text (an agent's token).
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({}-…)", self.public)
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// `n` characters out of 62, without bias: bytes of 248 and above are skipped.
fn letters(bytes: &[u8], n: usize) -> String {
    bytes
        .iter()
        .filter(|b| **b < 248)
        .chain(std::iter::repeat(&0))
        .take(n)
        .filter_map(|b| ALPHABET.get(usize::from(*b % 62)))
        .map(|b| char::from(*b))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_matches_only_its_own_hash() {
        let a = Token::from_random(&std::array::from_fn(|i| u8::try_from(i * 3).unwrap()));
        let b = Token::from_random(&std::array::from_fn(|i| u8::try_from(i * 2 + 1).unwrap()));
        let read = Token::parse(&a.expose()).unwrap();
        assert!(a.hash().matches(&read));
        assert!(!a.hash().matches(&b));
        assert!(!format!("{a:?}").contains(&a.secret));
        assert_eq!(Token::parse("short-one"), None);
    }

    #[test]
    fn a_scanner_knows_our_tokens_by_their_checksum() {
        let token = Token::from_random(&std::array::from_fn(|i| u8::try_from(i * 3).unwrap()));
        assert!(token.is_ours() && token.public_id().starts_with(TOKEN_PREFIX));
        let mut wrong = token.expose();
        let last = wrong.pop();
        wrong.push(if last == Some('a') { 'b' } else { 'a' });
        assert!(!Token::parse(&wrong).unwrap().is_ours());
    }
}
