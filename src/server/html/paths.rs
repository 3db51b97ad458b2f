//! Every URL that a page links to or posts to.

mod access_review;
mod audit;
mod organizations;
mod people;
mod place;
mod recordings;
mod requests;
mod rotations;
mod sharing;
mod sign_in;
mod templates;

use crate::model::id::{InvitationId, PasskeyId};

pub use access_review::{ACCESS_REVIEW, ACCESS_REVOKE, ACCESS_SIGN_OFF, access_review};
pub use audit::{
    AUDIT, AUDIT_FILTERS, audit_entry, audit_export, audit_filter, audit_where, delete_audit_filter,
};
pub use organizations::{
    CHARTER, GROUPS, Home, MEMBERS, ORGANIZATION, ORGANIZATION_DELETE, ORGANIZATIONS, REQUEST_HOOK,
    REQUEST_HOOK_REMOVE, REQUEST_RULES, REQUEST_RULES_UNSET, ROLES, SHARING_MODE, SHARING_RESTORE,
    SYNC, charter, delete_organization, organization, remove_request_hook, request_hook,
    request_rules, restore_sharing, sharing_mode, sync,
};
pub use people::{claims, end_their_session, person, person_action, revoke_their_token};
pub use place::Place;
pub use recordings::{
    COMMANDS, RECORDINGS, TRANSFERS, cast, recording, recording_at, recordings_in, search,
    transfers_of,
};
pub use requests::{
    BREAK_GLASS, NEW_REQUEST, REQUEST_LINK, REQUESTS, ask_for, request, request_action,
    request_link, review_break_glass,
};
pub use rotations::{CALENDAR, ROTATIONS, calendar, rotation_webhook};
pub use sign_in::{
    PASSWORD_STRENGTH, PROVIDER, PROVIDER_ADD, PROVIDER_ADD_TRY, PROVIDER_REMOVE, PROVIDER_TEST,
    PROVIDER_TRY, PROVIDERS, SECOND_FACTORS, WAY_IN_REMOVE, WAYS_IN, provider, provider_add,
    provider_add_try, provider_remove, provider_test, provider_try, way_in_remove,
};
pub use templates::{
    archive, create, delete_template, permissions, promote, template, template_at, template_of,
    version, version_at, version_live, version_of,
};

/// The list of workspaces; `/` leads here.
pub const WORKSPACES: &str = "/workspaces";
/// The live stream of the list.
pub const WORKSPACES_LIVE: &str = "/workspaces/live";
/// The list of templates.
pub const TEMPLATES: &str = "/templates";
/// The templates that come with the program.
pub const STARTER_TEMPLATES: &str = "/starter-templates";
/// How mails are sent.
pub const MAIL: &str = "/deployment/mail";
/// Sending a test message.
pub const MAIL_TEST: &str = "/deployment/mail/test";
/// Sending no mails any more.
pub const MAIL_REMOVE: &str = "/deployment/mail/remove";
/// Whether one gets mails.
pub const MY_MAILS: &str = "/settings/mails";
/// The list of people.
pub const PEOPLE: &str = "/people";
/// What providers say of someone.
pub const CLAIMS: &str = "/people/{user}/claims";
/// Service accounts.
pub const SERVICE_ACCOUNTS: &str = "/service-accounts";
/// Open invitations.
pub const INVITATIONS: &str = "/invitations";
/// Where share codes are redeemed.
pub const REDEEM: &str = "/redeem";
/// Where a token that leaked is ended.
pub const LEAKED_TOKEN: &str = "/leaked-token";
/// One's own names.
pub const ACCOUNT: &str = "/settings/account";
/// One's own password and signed-in browsers.
pub const SECURITY: &str = "/settings/security";
/// Setting up an app that shows codes.
pub const TOTP: &str = "/settings/security/totp";
/// The first code of it.
pub const TOTP_CONFIRM: &str = "/settings/security/totp/confirm";
/// Removing it.
pub const TOTP_REMOVE: &str = "/settings/security/totp/remove";
/// Adding a passkey.
pub const PASSKEYS: &str = "/settings/security/passkeys";
/// Another name for a passkey.
pub const PASSKEY: &str = "/settings/security/passkeys/{passkey}";
/// Removing a passkey.
pub const PASSKEY_REMOVE: &str = "/settings/security/passkeys/{passkey}/remove";
/// New recovery codes.
pub const RECOVERY_CODES: &str = "/settings/security/recovery-codes";
/// Ending every other session of one's own.
pub const OTHER_SESSIONS: &str = "/settings/security/sessions/end";
/// Giving a second factor again.
pub const CONFIRM: &str = "/settings/confirm";
/// One's own tokens.
pub const TOKENS: &str = "/settings/tokens";
/// One's own SSH keys.
pub const SSH_KEYS: &str = "/settings/ssh-keys";
/// Where a CLI sends people for a token.
pub const CLI_AUTH: &str = "/cli-auth";
/// The first user.
pub const SETUP: &str = "/setup";
/// Signing in.
pub const LOGIN: &str = "/login";
/// The second step of signing in.
pub const LOGIN_SECOND: &str = "/login/second";
/// Signing in by a passkey alone.
pub const LOGIN_PASSKEY: &str = "/login/passkey";
/// Signing in at a provider, and back from it.
pub const LOGIN_OIDC: &str = "/login/oidc/{name}";
/// Where a provider leads back to.
pub const LOGIN_OIDC_CALLBACK: &str = "/login/oidc/{name}/callback";
/// Where a provider says that someone left there.
pub const LOGIN_OIDC_LOGOUT: &str = "/login/oidc/{name}/backchannel-logout";
/// Signing in at GitHub, and back from it.
pub const LOGIN_GITHUB: &str = "/login/github";
/// Where people wait until they have entered their code at GitHub.
pub const LOGIN_GITHUB_WAIT: &str = "/login/github/wait";
/// Signing out.
pub const LOGOUT: &str = "/logout";
/// The command palette's form.
pub const FIND: &str = "/find";

/// Another name for one of one's own passkeys.
#[must_use]
pub fn passkey(id: PasskeyId) -> String {
    PASSKEY.replace("{passkey}", &id.to_string())
}

/// Where one of one's own passkeys is removed.
#[must_use]
pub fn passkey_remove(id: PasskeyId) -> String {
    PASSKEY_REMOVE.replace("{passkey}", &id.to_string())
}

/// Giving a second factor again, and then on to `next`.
#[must_use]
pub fn confirm(next: &str) -> String {
    format!("{CONFIRM}?{}", serde_urlencoded::to_string([("next", next)]).unwrap_or_default())
}

/// Adds a starter template.
#[must_use]
pub fn add_starter(id: &str) -> String {
    format!("{STARTER_TEMPLATES}/{}", segment(id))
}

/// Where the link of an invitation leads.
#[must_use]
pub fn invite(token: &str) -> String {
    format!("/invite/{}", segment(token))
}

/// Where a share code is redeemed, with the code where it reaches no server's log: in the fragment.
#[must_use]
pub fn redeem(code: &str) -> String {
    format!("{REDEEM}#{code}")
}

/// Ends an invitation.
#[must_use]
pub fn revoke_invitation(id: InvitationId) -> String {
    format!("{INVITATIONS}/{id}/revoke")
}

/// Ends one of one's own tokens or signed-in browsers.
#[must_use]
pub fn revoke_token(id: &str) -> String {
    format!("{TOKENS}/{}/revoke", segment(id))
}

/// Removes one of one's own SSH keys.
#[must_use]
pub fn remove_ssh_key(id: &str) -> String {
    format!("{SSH_KEYS}/{}/remove", segment(id))
}

/// The list of workspaces, filtered.
#[must_use]
pub fn workspaces_where(filter: &str) -> String {
    format!("{WORKSPACES}?q={}", segment(filter))
}

/// Signing in, to come back to `next`.
#[must_use]
pub fn login_to(next: &str) -> String {
    format!("{LOGIN}?next={}", segment(next))
}

/// A text as one segment of a path or one value of a query.
#[must_use]
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Signs in at a provider, and leads on to `next`, which may be empty.
#[must_use]
pub fn login_oidc(name: &str, next: &str) -> String {
    leading_on(LOGIN_OIDC.replace("{name}", name), next)
}

/// Signs in at GitHub, and leads on to `next`, which may be empty.
#[must_use]
pub fn login_github(next: &str) -> String {
    leading_on(LOGIN_GITHUB.to_owned(), next)
}

fn leading_on(path: String, next: &str) -> String {
    if next.is_empty() {
        return path;
    }
    let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::{UserName, WorkspaceName};

    #[test]
    fn what_people_wrote_is_escaped_in_paths() {
        let owner = UserName::parse("ada").unwrap();
        let place = Place::new(&owner, &WorkspaceName::parse("kiln").unwrap());
        assert_eq!(place.build(31), "/@ada/kiln/builds/31");
        assert_eq!(place.agent_terminal("a/b"), "/@ada/kiln.a%2Fb/terminal");
        assert_eq!(login_to("/@ada/kiln?x=1"), "/login?next=%2F%40ada%2Fkiln%3Fx%3D1");
    }
}
