//! How people sign in at providers: what each says of them, and what the rules make of that.

use super::people::{self, require_account};
use super::provider_rules::AllRules;
use super::{Actor, App, Result, organizations, role_sync, sync};
use crate::model::id::OrganizationId;
use crate::model::identity::{Claims, Identity};
use crate::model::login_method::{LoginMethod, LoginMethods, Reading};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::sync::Synced;
use crate::model::user::User;
use crate::server::db::{ReadTx, identities};

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
                    methods.push(method(tx, &rules, (identity, &user))?);
                }
                let keeper = role_sync::keeper(tx, &rules, user.id)?;
                Ok((user, LoginMethods { methods, keeper }))
            })
            .await
    }

    /// The claims that providers sent of anyone, or of an organization's members.
    ///
    /// # Errors
    /// [`super::Error::Denied`] for who may not see how providers are followed there,
    /// [`super::Error::NotFound`] for an organization that the actor may not see.
    pub async fn claim_fields(
        &self,
        actor: &Actor,
        organization: Option<String>,
    ) -> Result<Vec<String>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let place = place(tx, &actor, organization.as_deref())?;
                Ok(identities::claim_fields(tx, place, MAX_LIST)?)
            })
            .await
    }

    /// The texts that a claim had of anyone, or of an organization's members.
    ///
    /// # Errors
    /// As [`App::claim_fields`].
    pub async fn claim_values(
        &self,
        actor: &Actor,
        organization: Option<String>,
        field: &str,
    ) -> Result<Vec<String>> {
        let (actor, field) = (actor.clone(), field.to_owned());
        self.db
            .read(move |tx| {
                let place = place(tx, &actor, organization.as_deref())?;
                Ok(identities::claim_values(tx, (&field, place), MAX_LIST)?)
            })
            .await
    }
}

/// Claims, and values of one, in a list at most.
const MAX_LIST: i64 = 1000;

/// Providers' settings as a decision looks at them: they are the whole site's.
fn settings() -> Object {
    Object::site(ResourceType::IdpsyncSettings)
}

/// The organization whose members are meant, if the actor may see how providers are followed there;
/// none for the whole site.
fn place(tx: &ReadTx<'_>, actor: &Actor, key: Option<&str>) -> Result<Option<OrganizationId>> {
    let place = match key {
        Some(key) => Some(organizations::find(tx, actor, key)?.id),
        None => None,
    };
    let object = place.map_or(settings(), |place| settings().within(place));
    actor.require(tx.now, Action::Read, &object)?;
    Ok(place)
}

fn require(tx: &ReadTx<'_>, actor: &Actor, user: &User) -> Result<()> {
    if actor.may(tx.now, Action::Read, &settings()) {
        return Ok(());
    }
    require_account(tx, actor, Action::ReadPersonal, user)
}

fn method(
    tx: &ReadTx<'_>,
    rules: &AllRules,
    (identity, user): (Identity, &User),
) -> Result<LoginMethod> {
    let Some(claims) = Claims::from_kept(&identity.claims) else {
        return Ok(LoginMethod { identity, claims: Claims::default(), reading: Reading::TooMuch });
    };
    let reading = match rules.get(&identity.provider) {
        Some(rules) => {
            let mut outcome = sync::outcome(tx, (&identity.provider, rules), &claims)?;
            // Where they are not and will not be, nothing is of interest.
            let (becomes, belongs) = (outcome.organizations.clone(), &user.organizations);
            let becomes: Vec<_> = becomes.iter().flat_map(Synced::given).map(|o| o.id).collect();
            outcome.places.retain(|place| {
                let organization = &place.organization;
                let is_theirs = belongs.contains(&organization.id);
                is_theirs || organization.is_default || becomes.contains(&organization.id)
            });
            Reading::Made(Box::new(outcome))
        }
        None => Reading::NoProvider,
    };
    Ok(LoginMethod { identity, claims, reading })
}
