//! What is asked of who sets up a way to sign in: the settings of each kind, as a form has them.

use super::provider::ProviderKind;

/// How a setting is written in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A line of text.
    Line,
    /// A line that is never shown again.
    Secret,
    /// Several lines of text.
    Text,
    /// Yes or no, and what it is when nobody says.
    Flag(bool),
    /// One of these words; the first when nobody says.
    Choice(&'static [&'static str]),
    /// Texts, one a line.
    List,
    /// `KEY = VALUE`, one a line.
    Pairs,
    /// `WORD THERE = NAME HERE`, one a line.
    Mapping,
    /// `WORD THERE = NAME HERE, ANOTHER`, one a line.
    Mappings,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its key, as in the file.
    pub key: &'static str,
    /// What a form calls it.
    pub label: &'static str,
    /// What to know before typing.
    pub hint: &'static str,
    /// How it is written.
    pub shape: Shape,
    /// Whether it is needed by everyone; the others are folded away.
    pub needed: bool,
}

const fn needed(
    key: &'static str,
    (label, hint): (&'static str, &'static str),
    shape: Shape,
) -> Field {
    Field { key, label, hint, shape, needed: true }
}

const fn more(
    key: &'static str,
    (label, hint): (&'static str, &'static str),
    shape: Shape,
) -> Field {
    Field { key, label, hint, shape, needed: false }
}

const MAPS: &str = "One a line: WORD THERE = NAME HERE.";
const LISTS: &str = "One a line: WORD THERE = NAME HERE, ANOTHER.";
const CLIENT_ID: (&str, &str) = ("Client ID", "");
const CLIENT_SECRET: (&str, &str) = ("Client secret", "Kept sealed, and never shown again.");
const SIGNUPS: Field = more(
    "allow_signups",
    ("Sign up new people", "Without it only who has an account here comes in."),
    Shape::Flag(true),
);
const LINKS: &str = "Whose account an address leads to that is taken here: nobody's, a member's, or \
                     anyone's but an owner's.";
const LINK: Field = more(
    "link_by_email",
    ("Accounts that are here already", LINKS),
    Shape::Choice(&["members", "none", "all"]),
);
const GROUP_MAPPING: Field =
    more("group_mapping", ("Groups by other names here", MAPS), Shape::Mapping);
const GROUP_FILTER: Field = more(
    "group_regex_filter",
    ("Only groups that match", "A regular expression. Empty for all."),
    Shape::Line,
);
const GROUP_CREATE: Field =
    more("group_auto_create", ("Make groups that are not here yet", ""), Shape::Flag(false));
const ROLE_MAPPING: Field = more("role_mapping", ("Roles on the site", LISTS), Shape::Mappings);
const ROLE_DEFAULT: Field =
    more("role_default", ("Roles of everyone who comes by it", "One a line."), Shape::List);
const ORGANIZATIONS: Field =
    more("organization_mapping", ("Organizations", LISTS), Shape::Mappings);

const OIDC: &[Field] = &[
    needed(
        "issuer",
        ("Issuer", "Its address, such as https://auth.example.org/realms/home."),
        Shape::Line,
    ),
    needed("client_id", CLIENT_ID, Shape::Line),
    needed("client_secret", CLIENT_SECRET, Shape::Secret),
    more("sign_in_text", ("Text of the button", "Empty for Continue with its name."), Shape::Line),
    more("icon_url", ("Address of a picture", "For clients that show one."), Shape::Line),
    more("scopes", ("Scopes", "One a line. Empty for openid, profile and email."), Shape::List),
    more("email_domain", ("Domains", "One a line: who else comes is refused."), Shape::List),
    SIGNUPS,
    LINK,
    more(
        "groups_field",
        ("Claim with groups", "Such as groups. Empty to leave groups alone."),
        Shape::Line,
    ),
    more("allowed_groups", ("Only these groups", "One a line, as they are there."), Shape::List),
    GROUP_MAPPING,
    GROUP_FILTER,
    GROUP_CREATE,
    more("role_field", ("Claim with roles", "Empty to give roles here."), Shape::Line),
    ROLE_MAPPING,
    ROLE_DEFAULT,
    more("organization_field", ("Claim with organizations", ""), Shape::Line),
    ORGANIZATIONS,
    more(
        "organization_assign_default",
        ("Everyone belongs to the first organization, too", ""),
        Shape::Flag(true),
    ),
    more("email_field", ("Claim with the address", "Empty for email."), Shape::Line),
    more(
        "username_field",
        ("Claim with the user name", "Empty for preferred_username."),
        Shape::Line,
    ),
    more("name_field", ("Claim with the full name", "Empty for name."), Shape::Line),
    more(
        "ignore_email_verified",
        ("Take addresses that it does not vouch for", "Only where nobody writes their own."),
        Shape::Flag(false),
    ),
    more("ignore_user_info", ("Ask for nothing besides the ID token", ""), Shape::Flag(false)),
    more(
        "acr_values",
        (
            "How strongly people have to sign in there",
            "Its words for it, one a line, the best first.",
        ),
        Shape::List,
    ),
    more("trust_amr", ("A second factor given there counts here", ""), Shape::Flag(false)),
    more("auth_url_params", ("Added to its address", "One a line: KEY = VALUE."), Shape::Pairs),
    more(
        "trusted_hosts",
        ("Hosts of your own network", "One a line. They may be private, or without HTTPS."),
        Shape::List,
    ),
];

const GITHUB: &[Field] = &[
    needed("client_id", CLIENT_ID, Shape::Line),
    needed("client_secret", CLIENT_SECRET, Shape::Secret),
    needed("allowed_orgs", ("Organizations", "One a line: their members may come."), Shape::List),
    more("allowed_teams", ("Only these teams", "One a line: org/team."), Shape::List),
    more(
        "allow_everyone",
        ("Everyone with an account there", "Then name no organization."),
        Shape::Flag(false),
    ),
    SIGNUPS,
    LINK,
    GROUP_MAPPING,
    GROUP_FILTER,
    GROUP_CREATE,
    ROLE_MAPPING,
    ROLE_DEFAULT,
    ORGANIZATIONS,
    more(
        "enterprise_base_url",
        ("Address of your GitHub Enterprise", "Empty for https://github.com."),
        Shape::Line,
    ),
    more(
        "device_flow",
        ("People enter a code there", "Instead of being led there and back."),
        Shape::Flag(false),
    ),
];

const LDAP: &[Field] = &[
    needed("url", ("Address", "Such as ldap://ldap.example.org."), Shape::Line),
    needed("base", ("Where people are", "Such as ou=people,dc=example,dc=org."), Shape::Line),
    needed("bind_dn", ("Who asks", "An entry's name. Empty for nobody."), Shape::Line),
    needed(
        "bind_password",
        ("Their password", "Kept sealed, and never shown again."),
        Shape::Secret,
    ),
    more(
        "start_tls",
        ("StartTLS with ldap://", "Without it passwords can be read on the way."),
        Shape::Flag(true),
    ),
    more(
        "ca",
        ("Authority of its certificate", "PEM. Empty for those that this machine trusts."),
        Shape::Text,
    ),
    more("filter", ("Filter", "Such as (uid={username})."), Shape::Line),
    more(
        "dn_template",
        ("Name of people's entries", "Instead of a search, such as uid={username},ou=people,dc=x."),
        Shape::Line,
    ),
    more("username_attribute", ("Attribute with the user name", "Empty for uid."), Shape::Line),
    more("email_attribute", ("Attribute with the address", "Empty for mail."), Shape::Line),
    more("name_attribute", ("Attribute with the full name", "Empty for cn."), Shape::Line),
    more("id_attribute", ("Attribute that never changes", "Empty for entryUUID."), Shape::Line),
    more("groups_attribute", ("Attribute with groups", "Empty for memberOf."), Shape::Line),
    more("group_base", ("Where groups are", "Empty for where people are."), Shape::Line),
    more(
        "group_filter",
        ("Filter of groups", "Where people's entries do not name them, such as (member={dn})."),
        Shape::Line,
    ),
    more("group_name_attribute", ("Attribute with a group's name", "Empty for cn."), Shape::Line),
    more("allowed_groups", ("Only these groups", "One a line, as they are there."), Shape::List),
    more("group_sync", ("Groups here follow those there", ""), Shape::Flag(true)),
    GROUP_MAPPING,
    GROUP_FILTER,
    GROUP_CREATE,
    ROLE_MAPPING,
    ROLE_DEFAULT,
    ORGANIZATIONS,
    SIGNUPS,
    more(
        "link_by_email",
        ("Accounts that are here already", LINKS),
        Shape::Choice(&["none", "members", "all"]),
    ),
    more("check_every", ("Look again every", "From 15s to 5m. Empty for 1m."), Shape::Line),
];

const SCIM: &[Field] = &[
    needed(
        "token",
        ("Token", "32 characters or more, such as openssl rand -hex 32 makes. Never shown again."),
        Shape::Secret,
    ),
    needed(
        "provider",
        ("Its people sign in by", "The name of an OpenID provider here. Empty for the only one."),
        Shape::Line,
    ),
];

/// The settings of a kind, what everyone needs first.
#[must_use]
pub const fn fields(kind: ProviderKind) -> &'static [Field] {
    match kind {
        ProviderKind::Password => &[],
        ProviderKind::Oidc => OIDC,
        ProviderKind::Github => GITHUB,
        ProviderKind::Ldap => LDAP,
        ProviderKind::Scim => SCIM,
    }
}

/// The key of the secret of a kind.
#[must_use]
pub fn secret(kind: ProviderKind) -> Option<&'static str> {
    fields(kind).iter().find(|field| field.shape == Shape::Secret).map(|field| field.key)
}

/// Settings that put out nobody who came in before, whatever becomes of them: what a way in looks like,
/// who is new, and what follows from it here.
const PUT_NOBODY_OUT: &[&str] = &[
    "sign_in_text",
    "icon_url",
    "allow_signups",
    "link_by_email",
    "name_field",
    "username_field",
    "name_attribute",
    "group_sync",
    "group_regex_filter",
    "group_auto_create",
    "role_field",
    "role_mapping",
    "role_default",
    "organization_field",
    "organization_mapping",
    "organization_assign_default",
    "trust_amr",
    "device_flow",
    "check_every",
];

/// Settings that say which groups someone is in there: they put out nobody where anyone may come in,
/// whatever their groups.
const SAY_GROUPS: &[&str] = &[
    "groups_field",
    "group_mapping",
    "groups_attribute",
    "group_base",
    "group_filter",
    "group_name_attribute",
];

/// Whether another value of a setting may put out who came in before; `by_groups` where only some groups
/// may come in. Of a setting that nothing is known of it is taken to be so.
#[must_use]
pub fn may_put_out(key: &str, by_groups: bool) -> bool {
    let is_idle = !by_groups && SAY_GROUPS.contains(&key);
    !is_idle && !PUT_NOBODY_OUT.contains(&key)
}

/// The settings of a kind that say where a secret is sent. With another of them it is typed again:
/// it is not sent to where somebody else waits for it.
#[must_use]
pub const fn places(kind: ProviderKind) -> &'static [&'static str] {
    match kind {
        ProviderKind::Oidc => &["issuer"],
        ProviderKind::Github => &["enterprise_base_url"],
        ProviderKind::Ldap => &["url", "start_tls", "ca"],
        ProviderKind::Password | ProviderKind::Scim => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_put_someone_out_is_all_that_is_not_known_to_be_harmless() {
        for key in ["allowed_groups", "email_domain", "url", "filter", "client_id", "of tomorrow"] {
            assert!(may_put_out(key, false) && may_put_out(key, true), "{key}");
        }
        assert!(!may_put_out("group_mapping", false) && may_put_out("group_mapping", true));
        let kinds = [ProviderKind::Oidc, ProviderKind::Github, ProviderKind::Ldap];
        let known: Vec<&str> =
            kinds.iter().flat_map(|kind| fields(*kind)).map(|field| field.key).collect();
        for key in PUT_NOBODY_OUT.iter().chain(SAY_GROUPS) {
            assert!(known.contains(key), "{key} is a setting no more");
        }
    }
}
