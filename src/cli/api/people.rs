//! Calls about users, sessions, tokens and keys.

use http::{Method, StatusCode};
use serde_json::json;

use crate::cli::client::{Client, retold, segment, status_of};
use crate::cli::nearest;
use crate::wire::coder::deployment::{BuildInfo, SshConfig};
use crate::wire::coder::idpsync::OidcClaims;
use crate::wire::coder::tokens::{ApiKey, CreateSshKey, CreateToken, GitSshKey, NewKey, SshKey};
use crate::wire::coder::users::{
    AuthMethods, Confirm, CreateUser, FirstUser, FirstUserResponse, Login, LoginResponse,
    UpdateRoles, User, UsersResponse,
};

/// Tokens that are asked for at once: as many as a server gives.
const PAGE: usize = 1000;

impl Client {
    /// What the server is.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn build_info(&self) -> anyhow::Result<BuildInfo> {
        self.get("/api/v2/buildinfo").await
    }

    /// What clients put into their SSH configuration.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn ssh_config(&self) -> anyhow::Result<SshConfig> {
        self.get("/api/v2/deployment/ssh").await
    }

    /// Whether anyone has set the server up.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn has_first_user(&self) -> anyhow::Result<bool> {
        match self.bytes("/api/v2/users/first").await {
            Ok(_) => Ok(true),
            Err(error) if status_of(&error) == Some(StatusCode::NOT_FOUND) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the first user.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_first_user(&self, user: &FirstUser) -> anyhow::Result<FirstUserResponse> {
        self.call(Method::POST, "/api/v2/users/first", user).await
    }

    /// Which ways to sign in there are.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn auth_methods(&self) -> anyhow::Result<AuthMethods> {
        self.get("/api/v2/users/authmethods").await
    }

    /// Signs in by password; gives the session token.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn login(&self, login: &Login) -> anyhow::Result<String> {
        let answer: LoginResponse = self.call(Method::POST, "/api/v2/users/login", login).await?;
        Ok(answer.session_token)
    }

    /// What a provider last said of the one who asks.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn oidc_claims(&self) -> anyhow::Result<OidcClaims> {
        self.get("/api/v2/users/oidc-claims").await
    }

    /// Gives a second factor in the session; gives its new token.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn confirm(&self, code: &str) -> anyhow::Result<String> {
        let body = Confirm { code: code.to_owned() };
        let answer: LoginResponse = self.call(Method::POST, "/api/v2/users/confirm", &body).await?;
        Ok(answer.session_token)
    }

    /// Removes every second factor of a user.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn remove_factors(&self, user: &str) -> anyhow::Result<()> {
        self.delete(&of_user(user, "/factors")).await
    }

    /// Ends the session.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn logout(&self) -> anyhow::Result<()> {
        self.tell(Method::POST, "/api/v2/users/logout", &json!({})).await
    }

    /// A user by name or id; `me` for the caller.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn user(&self, name: &str) -> anyhow::Result<User> {
        let found = self.get(&of_user(name, "")).await;
        self.or_no_user(name, found).await
    }

    /// What was asked about a user, or who else may have been meant.
    async fn or_no_user<T>(&self, name: &str, found: anyhow::Result<T>) -> anyhow::Result<T> {
        match found {
            Err(error) if status_of(&error) == Some(StatusCode::NOT_FOUND) => {
                let all = self.users("").await.unwrap_or_default();
                let hint = nearest::hint(name, all.iter().map(|u| u.username.as_str()));
                Err(retold(error, format!("There is no user {name:?} that you may see.{hint}")))
            }
            found => found,
        }
    }

    /// Users that a search finds.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn users(&self, search: &str) -> anyhow::Result<Vec<User>> {
        let answer: UsersResponse = self.query("/api/v2/users", &[("q", search)]).await?;
        Ok(answer.users)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_user(&self, user: &CreateUser) -> anyhow::Result<User> {
        self.call(Method::POST, "/api/v2/users", user).await
    }

    /// `activate` or `suspend`.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_user_status(&self, name: &str, verb: &str) -> anyhow::Result<User> {
        let path = of_user(name, &format!("/status/{verb}"));
        let done = self.call(Method::PUT, &path, &json!({})).await;
        self.or_no_user(name, done).await
    }

    /// Deletes a user.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete_user(&self, name: &str) -> anyhow::Result<()> {
        let done = self.delete(&of_user(name, "")).await;
        self.or_no_user(name, done).await
    }

    /// Sets a user's site roles, all of them.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_roles(&self, name: &str, roles: Vec<String>) -> anyhow::Result<User> {
        let done = self.call(Method::PUT, &of_user(name, "/roles"), &UpdateRoles { roles }).await;
        self.or_no_user(name, done).await
    }

    /// Makes a session of its own for this program.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_session(&self) -> anyhow::Result<String> {
        let key: NewKey = self.call(Method::POST, &of_user("me", "/keys"), &json!({})).await?;
        Ok(key.key)
    }

    /// Makes an API token.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_token(&self, user: &str, token: &CreateToken) -> anyhow::Result<String> {
        let key: NewKey = self.call(Method::POST, &of_user(user, "/keys/tokens"), token).await?;
        Ok(key.key)
    }

    /// The caller's API tokens, or everyone's, all parts of them.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn tokens(&self, all: bool, ended: bool) -> anyhow::Result<Vec<ApiKey>> {
        let path = of_user("me", "/keys/tokens");
        let (all, ended) = (all.to_string(), ended.to_string());
        let mut found: Vec<ApiKey> = Vec::new();
        loop {
            let (limit, offset) = (PAGE.to_string(), found.len().to_string());
            let query = [
                ("include_all", &*all),
                ("include_expired", &*ended),
                ("limit", &*limit),
                ("offset", &*offset),
            ];
            let part: Vec<ApiKey> = self.query(&path, &query).await?;
            let is_full = part.len() == PAGE;
            // Coder's server gives all of them, whatever part is asked for.
            let again = part.first().is_some_and(|first| found.iter().any(|f| f.id == first.id));
            if !again {
                found.extend(part);
            }
            if again || !is_full {
                return Ok(found);
            }
        }
    }

    /// Removes a token by its id.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete_token(&self, id: &str) -> anyhow::Result<()> {
        self.delete(&of_user("me", &format!("/keys/{}", segment(id)))).await
    }

    /// The key that workspaces use towards Git hosts.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn git_ssh_key(&self) -> anyhow::Result<GitSshKey> {
        self.get(&of_user("me", "/gitsshkey")).await
    }

    /// Makes that key anew.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn reset_git_ssh_key(&self) -> anyhow::Result<GitSshKey> {
        self.call(Method::PUT, &of_user("me", "/gitsshkey"), &json!({})).await
    }

    /// The public keys on file.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn ssh_keys(&self) -> anyhow::Result<Vec<SshKey>> {
        self.get(&of_user("me", "/ssh-keys")).await
    }

    /// Puts a public key on file.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn add_ssh_key(&self, key: &CreateSshKey) -> anyhow::Result<SshKey> {
        self.call(Method::POST, &of_user("me", "/ssh-keys"), key).await
    }

    /// Takes a public key off.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete_ssh_key(&self, id: uuid::Uuid) -> anyhow::Result<()> {
        self.delete(&of_user("me", &format!("/ssh-keys/{id}"))).await
    }
}

/// A path below a user.
pub(super) fn of_user(name: &str, rest: &str) -> String {
    format!("/api/v2/users/{}{rest}", segment(name))
}
