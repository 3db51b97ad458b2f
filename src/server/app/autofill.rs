//! What someone answered last when they made a workspace from a template.

use super::{Actor, App, Error, Result, people, templates};
use crate::model::id::TemplateId;
use crate::model::parameter::ParameterValue;
use crate::model::policy::Action;
use crate::server::db::{build_parameters, builds, versions};

impl App {
    /// The answers of the last build of someone's workspaces from a template; none when they have none.
    /// Answers that hold for one build only are left out.
    ///
    /// # Errors
    /// When there is no such user or template that the actor may see, or it is about another's answers
    /// than those of who asks.
    pub async fn last_answers(
        &self,
        actor: &Actor,
        user: &str,
        template: TemplateId,
    ) -> Result<Vec<ParameterValue>> {
        let (actor, key) = (actor.clone(), user.to_owned());
        self.db
            .read(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                actor.require(tx.now, Action::ReadPersonal, &people::account(&user))?;
                templates::find(tx, &actor, template)?;
                let Some(last) = builds::last_of(tx, user.id, template)? else { return Ok(vec![]) };
                let build = builds::find(tx, last)?.ok_or(Error::NotFound("build"))?;
                let asked =
                    versions::imported(tx, build.version_id)?.unwrap_or_default().parameters;
                let passes =
                    |v: &ParameterValue| asked.iter().any(|p| p.name == v.name && p.ephemeral);
                let mut values = build_parameters::list(tx, last)?;
                values.retain(|value| !passes(value));
                Ok(values)
            })
            .await
    }
}
