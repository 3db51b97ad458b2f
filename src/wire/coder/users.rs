//! Users: who they are, how they sign in, what they may do.

use std::borrow::Cow;
use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Time, null_is_default, shapes};

shapes! {
    /// A user in passing.
    pub struct MinimalUser {
        pub id: Uuid,
        pub username: String,
        pub name: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub avatar_url: String,
    }

    /// A user without roles and organizations, as a group lists its members.
    pub struct ReducedUser {
        pub id: Uuid,
        pub username: String,
        pub name: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub avatar_url: String,
        pub email: String,
        pub created_at: Time,
        pub updated_at: Time,
        pub last_seen_at: Time,
        pub status: String,
        pub login_type: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub theme_preference: String,
        pub is_service_account: bool,
    }

    /// A user.
    pub struct User {
        pub id: Uuid,
        pub username: String,
        pub name: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub avatar_url: String,
        pub email: String,
        pub created_at: Time,
        pub updated_at: Time,
        pub last_seen_at: Time,
        pub status: Cow<'static, str>,
        pub login_type: Cow<'static, str>,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub theme_preference: String,
        pub organization_ids: Vec<Uuid>,
        pub roles: Vec<Role>,
        pub is_service_account: bool,
        /// Nobody has one here; Coder's clients look for it.
        pub has_ai_seat: bool,
        /// Who answers for a service account; Coder has nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub responsible: Option<MinimalUser>,
    }

    /// A role by its names.
    pub struct Role {
        pub name: String,
        pub display_name: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub organization_id: String,
    }

    /// `GET /users`.
    pub struct UsersResponse {
        pub users: Vec<User>,
        pub count: i64,
    }

    /// `POST /users`.
    pub struct CreateUser {
        pub email: String,
        pub username: String,
        #[serde(deserialize_with = "null_is_default")]
        pub name: String,
        #[serde(deserialize_with = "null_is_default")]
        pub password: String,
        /// `password`, `oidc`, `github`, `ldap` or `none`; empty for the first of them.
        #[serde(deserialize_with = "null_is_default")]
        pub login_type: String,
        #[serde(deserialize_with = "null_is_default")]
        pub user_status: String,
        #[serde(deserialize_with = "null_is_default")]
        pub organization_ids: Vec<Uuid>,
        /// The one organization, as older clients say it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub organization_id: Option<Uuid>,
        pub service_account: bool,
        /// Who answers for a service account; whoever makes it when empty.
        #[serde(deserialize_with = "null_is_default")]
        pub responsible: String,
    }

    /// `PUT /users/{user}/responsible`: by id or name.
    pub struct Responsible {
        pub responsible: String,
    }

    /// `POST /users/first`.
    pub struct FirstUser {
        pub email: String,
        pub username: String,
        #[serde(deserialize_with = "null_is_default")]
        pub name: String,
        pub password: String,
        pub trial: bool,
    }

    /// The answer to it.
    pub struct FirstUserResponse {
        pub user_id: Uuid,
        pub organization_id: Uuid,
    }

    /// `POST /users/login`. The e-mail address or the name.
    pub struct Login {
        pub email: String,
        pub password: String,
        /// Ours: a code of a second factor, or a recovery code.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub code: String,
    }

    /// `POST /users/confirm`, ours: a second factor, given in a session. The answer is
    /// [`LoginResponse`], with the session's new token.
    pub struct Confirm {
        pub code: String,
    }

    /// The answer to it.
    pub struct LoginResponse {
        pub session_token: String,
    }

    /// `GET /users/{user}/factors`, ours.
    pub struct Factors {
        pub totp: bool,
        pub passkeys: Vec<Passkey>,
        pub recovery_codes_left: i64,
    }

    /// A passkey of someone's.
    pub struct Passkey {
        pub id: Uuid,
        pub name: String,
        pub created_at: Time,
        pub last_used_at: Option<Time>,
    }

    /// `POST /users/validate-password`.
    pub struct ValidatePassword {
        pub password: String,
    }

    /// The answer to it.
    pub struct ValidatePasswordResponse {
        pub valid: bool,
        pub details: String,
    }

    /// `PUT /users/{user}/profile`.
    pub struct UpdateProfile {
        pub username: String,
        #[serde(deserialize_with = "null_is_default")]
        pub name: String,
    }

    /// `PUT /users/{user}/password`. The old one is not needed by who may set it for others.
    pub struct UpdatePassword {
        #[serde(deserialize_with = "null_is_default")]
        pub old_password: String,
        pub password: String,
    }

    /// `PUT /users/{user}/roles`, and the same for a member of an organization.
    pub struct UpdateRoles {
        #[serde(deserialize_with = "null_is_default")]
        pub roles: Vec<String>,
    }

    /// `GET /users/{user}/roles`.
    pub struct UserRoles {
        pub roles: Vec<String>,
        pub organization_roles: BTreeMap<Uuid, Vec<String>>,
    }

    /// `GET /users/{user}/login-type`.
    pub struct UserLoginType {
        pub login_type: String,
    }

    /// `POST /users/{user}/convert-login`: here the provider is added, and the password stays.
    pub struct ConvertLogin {
        /// `oidc`, `github`, or the name of a provider.
        pub to_type: String,
        pub password: String,
    }

    /// The answer to it. A browser with the session goes to the provider's callback with it as
    /// `oidc_merge_state`.
    pub struct ConvertLoginResponse {
        pub state_string: String,
        pub expires_at: Time,
        pub to_type: String,
        pub user_id: Uuid,
    }

    /// `GET /users/authmethods`.
    pub struct AuthMethods {
        #[serde(skip_serializing_if = "String::is_empty")]
        pub terms_of_service_url: String,
        pub password: AuthMethod,
        pub github: GithubAuthMethod,
        pub oidc: OidcAuthMethod,
    }

    /// Whether one way to sign in is on.
    pub struct AuthMethod {
        pub enabled: bool,
    }

    /// GitHub as a way to sign in.
    pub struct GithubAuthMethod {
        pub enabled: bool,
        pub default_provider_configured: bool,
    }

    /// `OpenID` Connect as a way to sign in; Coder names two of its fields in another manner.
    pub struct OidcAuthMethod {
        pub enabled: bool,
        #[serde(rename = "signInText")]
        pub sign_in_text: String,
        #[serde(rename = "iconUrl")]
        pub icon_url: String,
    }

    /// `GET /users/oauth2/github/device`: a code that a person is to enter at GitHub.
    pub struct DeviceCode {
        pub device_code: String,
        pub user_code: String,
        pub verification_uri: String,
        pub expires_in: u32,
        pub interval: u32,
    }

    /// The code was entered: where to go on to.
    pub struct DeviceDone {
        pub redirect_url: String,
    }

    /// `POST /authcheck`: questions by a name of the client's.
    pub struct AuthCheck {
        pub checks: BTreeMap<String, AuthQuestion>,
    }

    /// May the caller do this?
    pub struct AuthQuestion {
        pub object: AuthObject,
        pub action: String,
    }

    /// What a question is about.
    pub struct AuthObject {
        pub resource_type: String,
        #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
        pub owner_id: String,
        #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
        pub organization_id: String,
        #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
        pub resource_id: String,
        pub any_org: bool,
    }
}

/// The answer to an [`AuthCheck`].
pub type AuthCheckResponse = BTreeMap<String, bool>;
