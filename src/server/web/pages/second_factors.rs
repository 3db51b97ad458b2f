//! Who must have a second factor: the roles, and who of their holders has none.

use axum::response::{IntoResponse, Response};

use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, Object, ResourceType as R};
use crate::server::html::pages::second_factors::SecondFactors;
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Query;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::page_may(R::DeploymentConfig, A::Read), paths::SECOND_FACTORS, show).post(
        Access::page_may(R::DeploymentConfig, A::Update),
        paths::SECOND_FACTORS,
        save,
    )
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Place {
    offset: i64,
}

async fn show(state: State, visitor: Visitor, Query(place): Query<Place>) -> Answer<Html> {
    draw(&state, visitor, (place.offset.max(0), Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (offset, input): (i64, Input),
) -> Answer<Html> {
    let standing = state.app.mfa_standing(&actor, offset).await?;
    let (told, added) = (standing.told, standing.added);
    Ok(Html::of(&SecondFactors {
        changes: actor.may(visit.now, A::Update, &Object::site(R::DeploymentConfig)),
        from: state.providers.now().told_by("mfa-required-roles"),
        lacking: standing.lacking,
        total: standing.total,
        visit,
        told,
        added,
        offset,
        input,
    }))
}

async fn save(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let names: Vec<String> = fields.all("role").map(str::to_owned).collect();
    match state.app.set_mfa_roles(&visitor.actor, &names).await {
        Ok(()) => {
            let text = "Saved. Whoever holds one of these roles is asked from now on.";
            Ok(flash::done(&state.site, paths::SECOND_FACTORS, text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw(&state, visitor, (0, input)).await?.into_response())
        }
    }
}
