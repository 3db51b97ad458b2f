//! API tokens and SSH keys.

use uuid::Uuid;

use super::{Time, null_is_default, shapes};

/// Reads things in either spelling, and `null` as none.
fn things<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Thing {
        Word(String),
        Fields { r#type: String, id: String },
    }
    let list = <Option<Vec<Thing>> as serde::Deserialize>::deserialize(from)?.unwrap_or_default();
    let word = |thing| match thing {
        Thing::Word(word) => word,
        Thing::Fields { r#type, id } => format!("{type}:{id}"),
    };
    Ok(list.into_iter().map(word).collect())
}

shapes! {
    /// `POST /users/{user}/keys/tokens`.
    pub struct CreateToken {
        /// Nanoseconds; 0 for the server's default.
        pub lifetime: i64,
        #[serde(deserialize_with = "null_is_default")]
        pub scope: String,
        #[serde(deserialize_with = "null_is_default")]
        pub scopes: Vec<String>,
        #[serde(deserialize_with = "null_is_default")]
        pub token_name: String,
        /// Things it is limited to, as `workspace:<id>` or as Coder's documentation has it in two
        /// fields; none for all.
        #[serde(deserialize_with = "things")]
        pub allow_list: Vec<String>,
        /// Networks it may be used from (ours); none for anywhere.
        #[serde(deserialize_with = "null_is_default")]
        pub allow_cidrs: Vec<String>,
    }

    /// The answer to it, and to `POST /users/{user}/keys`: the only time the secret is seen.
    pub struct NewKey {
        pub key: String,
    }

    /// A token as it is listed.
    pub struct ApiKey {
        /// The part of the token before its hyphen.
        pub id: String,
        pub user_id: Uuid,
        /// The owner's name.
        pub username: String,
        pub last_used: Time,
        pub expires_at: Time,
        pub created_at: Time,
        pub updated_at: Time,
        pub login_type: String,
        pub scope: String,
        pub scopes: Vec<String>,
        pub token_name: String,
        pub lifetime_seconds: i64,
        pub allow_list: Vec<String>,
        /// Networks it may be used from (ours); none for anywhere.
        pub allow_cidrs: Vec<String>,
        /// From where it was last used (ours).
        pub last_used_ip: String,
    }

    /// `GET /users/{user}/keys/tokens/tokenconfig`.
    pub struct TokenConfig {
        /// Nanoseconds.
        pub max_token_lifetime: i64,
    }

    /// `GET /users/{user}/gitsshkey`: the key that workspaces use towards Git hosts.
    pub struct GitSshKey {
        pub user_id: Uuid,
        pub created_at: Time,
        pub updated_at: Time,
        pub public_key: String,
    }

    /// `POST /users/{user}/ssh-keys` (ours): a key that opens workspaces by plain SSH.
    pub struct CreateSshKey {
        /// Empty for the key's comment.
        #[serde(deserialize_with = "null_is_default")]
        pub name: String,
        pub public_key: String,
    }

    /// One of `GET /users/{user}/ssh-keys` (ours).
    pub struct SshKey {
        pub id: Uuid,
        pub user_id: Uuid,
        pub name: String,
        pub public_key: String,
        pub fingerprint: String,
        pub created_at: Time,
        pub last_used_at: Option<Time>,
    }
}
