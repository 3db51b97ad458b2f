//! Who may see and try the ways to sign in, and how many people come by each.

use uuid::Uuid;

use super::access::record;
use super::{Actor, App, Result, trail};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::provider::{Listed, ProviderKind, Steps};
use crate::model::user::LoginType;
use crate::server::db::{identities, users};

impl App {
    /// The ways to sign in with how many people come by each, for who may see the settings.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not.
    ///
    /// [`Error::Denied`]: super::Error::Denied
    pub async fn sign_in_settings(
        &self,
        actor: &Actor,
        mut listed: Vec<Listed>,
    ) -> Result<Vec<Listed>> {
        actor.require(self.clock.now(), Action::Read, &settings())?;
        self.db
            .read(move |tx| {
                for one in &mut listed {
                    one.people = match one.kind {
                        ProviderKind::Password => {
                            Some(users::count_of_login_type(tx, LoginType::Password)?)
                        }
                        ProviderKind::Oidc | ProviderKind::Github | ProviderKind::Ldap => {
                            Some(identities::count_of_provider(tx, &one.name)?)
                        }
                        ProviderKind::Scim => None,
                    };
                }
                Ok(listed)
            })
            .await
    }

    /// Asks for the right to try a provider out: it sends requests to where the settings say.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not.
    ///
    /// [`Error::Denied`]: super::Error::Denied
    pub fn require_trial(&self, actor: &Actor) -> Result<()> {
        actor.require_own()?;
        actor.require(self.clock.now(), Action::Update, &settings())
    }

    /// Whether someone may try providers out.
    #[must_use]
    pub fn may_try(&self, actor: &Actor) -> bool {
        self.require_trial(actor).is_ok()
    }

    /// Notes that a provider was tried, and what came of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn provider_tried(&self, actor: &Actor, name: &str, steps: &Steps) -> Result<()> {
        let found = steps.wrong().map_or_else(
            || "nothing is wrong".to_owned(),
            |step| format!("{}: {}", step.what, step.said),
        );
        let diff = Diff::new().field("test", "", found.as_str());
        let (actor, entry) = (actor.clone(), entry(AuditAction::Write, name, &diff));
        self.db.write(move |tx| record(tx, &actor, &entry)).await
    }
}

/// What the log says of a change of a way to sign in.
pub(super) fn entry(action: AuditAction, name: &str, diff: &Diff) -> AuditEntry {
    let target = format!("sign-in by {name}");
    trail::with(trail::entry(action, AuditTarget::Setting, Uuid::nil(), &target), diff)
}

/// The settings of the whole site, not of an organization.
pub(super) fn settings() -> Object {
    Object::site(ResourceType::IdpsyncSettings)
}
