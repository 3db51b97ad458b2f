//! How people sign in at providers: what each says of them, and what the rules make of that.

use super::people::{self, require_account};
use super::provider_rules::AllRules;
use super::users::default_organization;
use super::{Actor, App, Result, role_sync, sync};
use crate::model::identity::{Claims, Identity};
use crate::model::login_method::{LoginMethod, LoginMethods, Reading};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::sync::OrganizationSync;
use crate::model::user::User;
use crate::server::db::{ReadTx, identities, organizations};

impl App {
    /// How someone signs in at providers, to themselves, to who keeps their account and to who may
    /// see how providers are set up. What their words make of them is what the next sync would do.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] for a user the actor may not see, [`super::Error::Denied`] for
    /// others than these.
    pub async fn login_methods(&self, actor: &Actor, key: &str) -> Result<(User, LoginMethods)> {
        let (actor, key, rules) = (actor.clone(), key.to_owned(), self.rules());
        self.db
            .read(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                require(tx, &actor, &user)?;
                let mut methods = Vec::new();
                for identity in identities::list_of(tx, user.id)? {
                    methods.push(method(tx, &rules, identity)?);
                }
                let keeper = role_sync::keeper(tx, &rules, user.id)?;
                let takes_groups = user.organizations.contains(&default_organization(tx)?);
                Ok((user, LoginMethods { methods, keeper, takes_groups }))
            })
            .await
    }

    /// The claims that providers sent of anyone.
    ///
    /// # Errors
    /// [`super::Error::Denied`] for who may not see how providers are set up.
    pub async fn claim_fields(&self, actor: &Actor) -> Result<Vec<String>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                actor.require(tx.now, Action::Read, &settings())?;
                Ok(identities::claim_fields(tx, MAX_LIST)?)
            })
            .await
    }

    /// The texts that a claim had of anyone.
    ///
    /// # Errors
    /// As [`App::claim_fields`].
    pub async fn claim_values(&self, actor: &Actor, field: &str) -> Result<Vec<String>> {
        let (actor, field) = (actor.clone(), field.to_owned());
        self.db
            .read(move |tx| {
                actor.require(tx.now, Action::Read, &settings())?;
                Ok(identities::claim_values(tx, &field, MAX_LIST)?)
            })
            .await
    }

    /// How organizations follow Coder's provider, or the only one that they follow, with the ids of
    /// those that are here.
    ///
    /// # Errors
    /// As [`App::claim_fields`].
    pub async fn organization_sync(&self, actor: &Actor) -> Result<OrganizationSync> {
        let (actor, rules) = (actor.clone(), self.rules());
        self.db
            .read(move |tx| {
                actor.require(tx.now, Action::Read, &settings())?;
                let Some(mut sync) = shown_to_coder(&rules) else {
                    return Ok(OrganizationSync { assign_default: true, ..Default::default() });
                };
                let there = organizations::list(tx)?;
                let only = OrganizationSync { assign_default: false, ..sync.clone() };
                for (word, ids) in &mut sync.mapping {
                    let mapped = only.map(std::slice::from_ref(word), &there);
                    let found = mapped.into_iter().filter_map(|m| m.became.ok());
                    *ids = found.map(|organization| organization.id.to_string()).collect();
                }
                Ok(sync)
            })
            .await
    }
}

/// Coder knows one provider.
fn shown_to_coder(all: &AllRules) -> Option<OrganizationSync> {
    let mut followed = all.values().filter_map(|rules| rules.organizations.as_ref());
    let only = match (followed.next(), followed.next()) {
        (Some(only), None) => Some(only),
        (None | Some(_), _) => all.get(CODER_PROVIDER)?.organizations.as_ref(),
    };
    only.cloned()
}

/// The provider of Coder's settings.
const CODER_PROVIDER: &str = "oidc";
/// Claims, and values of one, in a list at most.
const MAX_LIST: i64 = 1000;

/// Providers' settings as a decision looks at them: they are the whole site's.
fn settings() -> Object {
    Object::site(ResourceType::IdpsyncSettings)
}

fn require(tx: &ReadTx<'_>, actor: &Actor, user: &User) -> Result<()> {
    if actor.may(tx.now, Action::Read, &settings()) {
        return Ok(());
    }
    require_account(tx, actor, Action::ReadPersonal, user)
}

fn method(tx: &ReadTx<'_>, rules: &AllRules, identity: Identity) -> Result<LoginMethod> {
    let Some(claims) = Claims::from_kept(&identity.claims) else {
        return Ok(LoginMethod { identity, claims: Claims::default(), reading: Reading::TooMuch });
    };
    let reading = match rules.get(&identity.provider) {
        Some(rules) => Reading::Made(Box::new(sync::outcome(tx, rules, &claims)?)),
        None => Reading::NoProvider,
    };
    Ok(LoginMethod { identity, claims, reading })
}
