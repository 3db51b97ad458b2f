//! Errors: what went wrong, why, and which fields were wrong.

use super::{null_is_default, shapes};

/// The `detail` of a sign-in that lacks the code of a second factor.
pub const CODE_REQUIRED: &str = "mfa_code_required";
/// The `detail` of a sign-in with a wrong one.
pub const CODE_WRONG: &str = "mfa_code_wrong";

shapes! {
    /// The body of every answer that is not a success.
    pub struct Error {
        pub message: String,
        /// More, for who looks after the server; absent when there is no more.
        #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
        pub detail: String,
        #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
        pub validations: Vec<Validation>,
    }

    /// A field of the request that was wrong.
    pub struct Validation {
        pub field: String,
        pub detail: String,
    }

    /// The body of a success that has nothing else to say.
    pub struct Message {
        pub message: String,
    }
}
