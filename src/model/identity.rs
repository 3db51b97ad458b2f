//! Who a provider says someone is: what is read from its claims, and whether they may come in.

use serde_json::{Map, Value};

use super::group_sync::GroupSync;
use super::id::{IdentityId, UserId};
use super::name::UserName;
use super::password::is_email;
use super::sync::{OrganizationSync, RoleSync};
use super::text;
use super::time::Timestamp;
use super::user::{SiteRole, User, define_words};

/// Longest subject: `OpenID` Connect Core, section 2.
pub const MAX_SUBJECT: usize = 255;
/// Most bytes of claims that are kept of a person.
pub const MAX_CLAIMS: usize = 16 << 10;
/// The longest full name, as people may choose it.
const MAX_NAME: usize = 128;
/// Values of one claim that are read.
const MAX_VALUES: usize = 1000;

define_words! {
    /// Whose account someone at a provider may take over who has its e-mail address.
    LinkByEmail {
        /// Nobody's: an owner has to remove the account first.
        None = "none",
        /// That of members without a role.
        Members = "members",
        /// Anyone's, also an owner's.
        All = "all",
    }
}

/// Who a person is at a provider, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// Who it is here.
    pub user_id: UserId,
    /// The name of the provider's settings it last came by.
    pub provider: String,
    /// The provider.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// The address it last came with.
    pub email: String,
    /// What was last said of it, JSON.
    pub claims: String,
    /// When it first signed in.
    pub created_at: Timestamp,
    /// When it last signed in.
    pub last_used_at: Timestamp,
}

/// What a provider says of a person: the claims of its ID token, and of its userinfo endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims(pub Map<String, Value>);

impl Claims {
    /// A text, trimmed; empty when there is none.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default().trim()
    }

    /// Whether it is said to be so, with JSON's own word: the text `"true"` says nothing, since who
    /// can choose a text may not be who can vouch for it.
    #[must_use]
    pub fn is_true(&self, field: &str) -> bool {
        self.0.get(field) == Some(&Value::Bool(true))
    }

    /// The texts of a list, or the one text.
    #[must_use]
    pub fn list(&self, field: &str) -> Vec<String> {
        match self.0.get(field) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).take(MAX_VALUES).map(str::to_owned).collect()
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
                vec![]
            }
        }
    }

    /// These claims with those of userinfo over them. An address there is vouched for by what stands
    /// beside it, never by the ID token.
    #[must_use]
    pub fn merged(mut self, userinfo: Self) -> Self {
        if userinfo.0.contains_key("email") {
            self.0.remove("email_verified");
        }
        self.0.extend(userinfo.0);
        self
    }

    /// As it is kept: JSON without what concerns only the exchange; nothing when it is too much.
    #[must_use]
    pub fn to_kept(&self) -> String {
        const OF_THE_EXCHANGE: [&str; 11] = [
            "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "sid", "at_hash", "c_hash", "s_hash",
        ];
        let mut kept = self.0.clone();
        kept.retain(|name, _| !OF_THE_EXCHANGE.contains(&name.as_str()));
        leave_out_secrets(&mut kept);
        let json = Value::Object(kept).to_string();
        if json.len() <= MAX_CLAIMS { json } else { NOTHING_KEPT.to_owned() }
    }

    /// What [`Claims::to_kept`] made; none when it was too much to be kept.
    #[must_use]
    pub fn from_kept(json: &str) -> Option<Self> {
        let mut kept: Map<String, Value> = serde_json::from_str(json).ok()?;
        // An earlier version kept what it was told.
        leave_out_secrets(&mut kept);
        (!kept.is_empty()).then_some(Self(kept))
    }

    /// Each claim as text, by name: a text as it is, anything else as JSON.
    #[must_use]
    pub fn texts(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.0.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }
}

/// What is kept of claims that are too much.
const NOTHING_KEPT: &str = "{}";

/// Leaves out what by its name may be a secret, which no provider should send as a claim.
fn leave_out_secrets(claims: &mut Map<String, Value>) {
    claims.retain(|name, _| {
        let name = name.to_ascii_lowercase();
        !name.ends_with("token") && !name.contains("password") && !name.contains("secret")
    });
    for value in claims.values_mut() {
        if let Some(inner) = value.as_object_mut() {
            leave_out_secrets(inner);
        }
    }
}

/// Which claims say what.
#[derive(Clone, Debug)]
pub struct Fields {
    /// The e-mail address.
    pub email: String,
    /// The user name.
    pub username: String,
    /// The full name.
    pub name: String,
}

/// Who may come in by a provider, and as whom.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Which claims say what.
    pub fields: Fields,
    /// Domains of e-mail addresses, whole; empty for all.
    pub domains: Vec<String>,
    /// Whether someone new is let in though the provider does not vouch for their address.
    pub ignore_email_verified: bool,
    /// Whether someone new gets an account.
    pub allow_signups: bool,
    /// Whose account is linked by its e-mail address.
    pub link_by_email: LinkByEmail,
    /// How groups follow; none when they do not.
    pub groups: Option<GroupSync>,
    /// How roles on the site follow; none when they are given here.
    pub roles: Option<RoleSync>,
    /// How organizations follow; none when people are put in here.
    pub organizations: Option<OrganizationSync>,
    /// Groups of which one has to be theirs; none when all may come in.
    pub allowed: Option<AllowedGroups>,
}

/// Groups of which one has to be someone's.
#[derive(Clone, Debug)]
pub struct AllowedGroups {
    /// The claim with the names of groups.
    pub field: String,
    /// Their names there, or here.
    pub names: Vec<String>,
}

/// The provider of who signs in by a directory's password, as grants and identities have it.
pub const DIRECTORY: &str = "ldap";
/// The directory, as identities had it while there was one, wherever it was.
pub const ANY_DIRECTORY: &str = "ldap";
/// The provider of who signs in at GitHub.
pub const GITHUB: &str = "github";

/// Someone who signed in at a provider.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The provider's name here.
    pub provider: String,
    /// The provider.
    pub issuer: String,
    /// Who they are there; never given to someone else.
    pub subject: String,
    /// What is said of them; none of it when the provider was not asked.
    pub claims: Claims,
}

/// Issuers whose claim `oid` is the id that they also give to others.
const ENTRA: &str = "https://login.microsoftonline.com/";

impl Arrival {
    /// Whether the provider calls them by this id: by the subject, or by Entra's id of the object.
    #[must_use]
    pub fn is_called(&self, id: &str) -> bool {
        let object = self.issuer.starts_with(ENTRA) && self.claims.text("oid") == id;
        !id.is_empty() && (self.subject == id || object)
    }

    /// Whether an identity is someone at the same provider. One from before directories were told apart
    /// is of the directory of today, unless that took the place of another one since.
    #[must_use]
    pub fn is_beside(&self, identity: &Identity) -> bool {
        let untold = identity.issuer == ANY_DIRECTORY && identity.provider == DIRECTORY;
        identity.issuer == self.issuer || (untold && self.provider == DIRECTORY)
    }

    /// Whether it is this very identity.
    #[must_use]
    pub fn is_of(&self, identity: &Identity) -> bool {
        self.is_beside(identity) && identity.subject == self.subject
    }
}

/// Why someone does not come in, to be shown to them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No address that is one.
    #[error("the provider sent no e-mail address (claim {0:?})")]
    NoEmail(String),
    /// The address may be anyone's.
    #[error(
        "the provider does not say that {0} is your address (claim \"email_verified\" is not true)"
    )]
    Unverified(String),
    /// Another domain than those that may.
    #[error("people with addresses of {0} may not sign in here")]
    Domain(String),
    /// In no group of those that may.
    #[error("you are in none of the groups that may sign in here")]
    NoGroup,
    /// New people are not let in.
    #[error("you have no account here; an owner makes one")]
    NoSignups,
    /// Someone here has the address.
    #[error(
        "an account here has your e-mail address already, and the provider may not take it over; \
         sign in as before, or ask an owner"
    )]
    EmailTaken,
    /// Signed in less strongly than is asked for.
    #[error(
        "the provider signed you in without what is asked for here, such as a second factor; sign \
         out there, and try again"
    )]
    Weak,
    /// No user name could be made.
    #[error("no user name is free that is like yours; ask an owner for an account")]
    NoName,
}

impl Rules {
    /// The address someone comes with, when they may come in at all.
    ///
    /// # Errors
    /// Says why not.
    pub fn admit(&self, arrival: &Arrival) -> Result<String, Refusal> {
        let email = arrival.claims.text(&self.fields.email);
        if !is_email(email) {
            return Err(Refusal::NoEmail(self.fields.email.clone()));
        }
        if !self.is_vouched_for(arrival, email) && !self.ignore_email_verified {
            return Err(Refusal::Unverified(email.to_owned()));
        }
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        if !self.domains.is_empty() && !self.domains.iter().any(|d| d.eq_ignore_ascii_case(domain))
        {
            return Err(Refusal::Domain(domain.to_owned()));
        }
        if !self.is_in_allowed_group(&arrival.claims) {
            return Err(Refusal::NoGroup);
        }
        Ok(email.to_owned())
    }

    /// Whether one of the groups that may come in is theirs, by its name there or its name here.
    fn is_in_allowed_group(&self, claims: &Claims) -> bool {
        let Some(allowed) = &self.allowed else { return true };
        let mapped = |name: &String| self.groups.as_ref().and_then(|sync| sync.mapping.get(name));
        let fits = |name: &String| {
            allowed.names.contains(name)
                || mapped(name).is_some_and(|all| all.iter().any(|h| allowed.names.contains(h)))
        };
        claims.list(&allowed.field).iter().any(fits)
    }

    /// Whether anything follows from people's groups there.
    #[must_use]
    pub fn asks_for_groups(&self) -> bool {
        let syncs = self.groups.is_some() || self.roles.is_some() || self.organizations.is_some();
        syncs || self.allowed.is_some()
    }

    /// Whether the provider says of this very address that it is theirs.
    #[must_use]
    pub fn is_vouched_for(&self, arrival: &Arrival, email: &str) -> bool {
        let vouched = arrival.claims.text("email");
        arrival.claims.is_true("email_verified") && vouched.eq_ignore_ascii_case(email)
    }

    /// Whether someone who comes with a user's address becomes that user. An address that nobody
    /// vouches for gives away no account, whatever else is ignored.
    #[must_use]
    pub fn may_link(&self, arrival: &Arrival, user: &User) -> bool {
        let vouched = self.is_vouched_for(arrival, &user.email);
        let open = match self.link_by_email {
            LinkByEmail::None => false,
            LinkByEmail::Members => !SiteRole::ALL.iter().any(|role| user.has(*role)),
            LinkByEmail::All => true,
        };
        vouched && open
    }

    /// The full name someone comes with; empty when it is none that people may have here.
    #[must_use]
    pub fn full_name(&self, arrival: &Arrival) -> String {
        let name = arrival.claims.text(&self.fields.name);
        if text::check_line(name, MAX_NAME).is_ok() { name.to_owned() } else { String::new() }
    }

    /// User names for someone new, the best first.
    pub fn user_names(
        &self,
        arrival: &Arrival,
        email: &str,
    ) -> impl Iterator<Item = UserName> + use<> {
        let wanted = clean(arrival.claims.text(&self.fields.username));
        user_names_like(if wanted.is_empty() { email } else { &wanted })
    }
}

/// User names for someone new who is called `text` elsewhere, the best first.
pub fn user_names_like(text: &str) -> impl Iterator<Item = UserName> + use<> {
    let base = clean(text);
    let base = if base.is_empty() { "user".to_owned() } else { base };
    let numbered = (2..=MAX_NUMBER).map({
        let base = base.clone();
        move |n| with_number(&base, n)
    });
    std::iter::once(base).chain(numbered).filter_map(|name| UserName::parse(&name).ok())
}

/// Names that are tried for someone new.
const MAX_NUMBER: u32 = 99;

/// What of a text may stand in a user name, up to an `@`.
fn clean(text: &str) -> String {
    let local = text.split('@').next().unwrap_or_default();
    let words = local.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined: String = words.collect::<Vec<_>>().join("-").chars().take(UserName::MAX).collect();
    joined.trim_end_matches('-').to_owned()
}

fn with_number(base: &str, n: u32) -> String {
    let number = format!("-{n}");
    let short: String = base.chars().take(UserName::MAX - number.len()).collect();
    format!("{}{number}", short.trim_end_matches('-'))
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
