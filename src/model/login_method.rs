//! How someone signs in at a provider, with what it says of them and what that makes of them here.

use super::identity::{Claims, Identity};
use super::sync::Outcome;

/// How someone signs in at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginMethod {
    /// Who they are there.
    pub identity: Identity,
    /// What the provider last said of them, without what may be a secret.
    pub claims: Claims,
    /// What that makes of them.
    pub reading: Reading,
}

/// What a provider's words make of someone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// By the rules of now.
    Made(Box<Outcome>),
    /// They were too much to be kept, so that only the next sign-in can tell.
    TooMuch,
    /// Nothing: people do not sign in there any more.
    NoProvider,
}

/// How someone signs in at providers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginMethods {
    /// Each way, oldest first.
    pub methods: Vec<LoginMethod>,
    /// The provider that keeps their roles on the site; none when they are given here.
    pub keeper: Option<String>,
}
