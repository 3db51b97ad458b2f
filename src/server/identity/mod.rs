//! Proof of who asks and that they meant to: keys given by the operator, CSRF.

pub mod csrf;
pub mod master_key;
