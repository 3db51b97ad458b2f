//! A workspace's settings: name, answers, hours.

use axum::response::{IntoResponse, Response};

use super::create::{answers, at_field, typed};
use super::workspace::{At, find};
use super::{Html, Visitor, flash, mistake};
use crate::model::build::{BuildReason, Transition};
use crate::model::name::WorkspaceName;
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::app::build_requests::BuildRequest;
use crate::server::app::workspaces::{TTL_S, UpdateWorkspace};
use crate::server::app::{self, Actor};
use crate::server::html::layout::Visit;
use crate::server::html::pages::workspace_settings::WorkspaceSettings;
use crate::server::html::parts::form::Input;
use crate::server::html::paths::Place;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, "/@{owner}/{name}/settings", page)
        .post(Access::Page, "/@{owner}/{name}/settings", rename)
        .post(Access::Page, "/@{owner}/{name}/settings/parameters", answer)
        .post(Access::Page, "/@{owner}/{name}/settings/schedule", schedule)
}

async fn page(state: State, visitor: Visitor, at: At) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    state.app.may(&visitor.actor, workspace.id, Verb::Manage).await?;
    show(&state, &visitor.actor, visitor.visit, (workspace, Input::default())).await
}

/// The page, with what was typed into one of its forms.
pub(super) async fn show(
    state: &State,
    actor: &Actor,
    visit: Visit,
    (workspace, input): (Workspace, Input),
) -> Answer<Html> {
    let build = &workspace.latest_build;
    let parameters = state.app.build_questions(actor, build.id).await?;
    let last = state.app.build_parameters(actor, build.id).await?;
    let value = |name: &str, fallback: &str| {
        last.iter().find(|v| v.name == name).map_or(fallback, |v| v.value.as_str()).to_owned()
    };
    let values = parameters.iter().map(|p| value(&p.name, &p.default_value)).collect();
    let may = state.app.allowed(actor, vec![workspace.id]).await?.remove(&workspace.id);
    let gives = may.is_some_and(|may| may.contains(&Verb::Delete));
    Ok(Html::of(&WorkspaceSettings { visit, workspace, parameters, values, input, gives }))
}

async fn rename(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Response> {
    let name = WorkspaceName::parse(fields.get("name").unwrap_or_default().trim());
    let cmd = name
        .map(|name| UpdateWorkspace { name: Some(name), ..UpdateWorkspace::default() })
        .map_err(|e| app::Error::invalid("name", e));
    change(&state, visitor, &at, (cmd, &fields)).await
}

async fn schedule(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Response> {
    let cmd = hours(fields.get("ttl_h").unwrap_or_default()).map(|ttl_s| UpdateWorkspace {
        autostart_schedule: Some(fields.get("autostart").unwrap_or_default().trim().to_owned()),
        ttl_s: Some(ttl_s),
        automatic_updates: Some(fields.get("automatic_updates") == Some("true")),
        ..UpdateWorkspace::default()
    });
    change(&state, visitor, &at, (cmd, &fields)).await
}

/// Hours as seconds; empty for no end, which is 0.
fn hours(text: &str) -> app::Result<i64> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    let hours: f64 = text.parse().map_err(|_| app::Error::invalid("ttl_h", "is not a number"))?;
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit is out of bounds too")]
    let seconds = (hours * 3600.0).round() as i64;
    if hours == 0.0 || (hours > 0.0 && TTL_S.contains(&seconds)) {
        return Ok(seconds);
    }
    let most = TTL_S.end() / 3600;
    Err(app::Error::invalid("ttl_h", format!("wants a minute to {most} hours, or 0 for no end")))
}

async fn change(
    state: &State,
    visitor: Visitor,
    at: &At,
    (cmd, fields): (app::Result<UpdateWorkspace>, &Fields),
) -> Answer<Response> {
    let workspace = find(state, &visitor.actor, at).await?;
    let changed = match cmd {
        Ok(cmd) => state.app.update_workspace(&visitor.actor, workspace.id, cmd).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(changed) => {
            Ok(flash::done(&state.site, &Place::of(&changed).settings(), "Settings saved."))
        }
        Err(error) => {
            let input = mistake(fields, own_field(error))?;
            let page = show(state, &visitor.actor, visitor.visit, (workspace, input)).await?;
            Ok(page.into_response())
        }
    }
}

/// The API's names of fields as the form's; a name that is taken is said beside the name.
fn own_field(error: app::Error) -> app::Error {
    if let app::Error::Conflict(why) = error {
        return app::Error::invalid("name", why);
    }
    error.map_field(|field| match field.as_str() {
        "schedule" => "autostart".to_owned(),
        "ttl_ms" => "ttl_h".to_owned(),
        _ => field,
    })
}

async fn answer(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    state.app.may(&visitor.actor, workspace.id, Verb::Manage).await?;
    let asked = state.app.build_questions(&visitor.actor, workspace.latest_build.id).await?;
    let request = BuildRequest {
        parameters: answers(&asked, &fields),
        ..BuildRequest::new(Transition::Start, BuildReason::Dashboard)
    };
    match state.app.create_build(&visitor.actor, workspace.id, request).await {
        Ok(build) => {
            let text = format!("Build {} applies the answers.", build.number);
            Ok(flash::done(&state.site, Place::of(&workspace).page(), &text))
        }
        Err(error) => {
            let mut input = mistake(&fields, at_field(error, &asked))?;
            input.values.extend(typed(&asked, &fields));
            let page = show(&state, &visitor.actor, visitor.visit, (workspace, input)).await?;
            Ok(page.into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TTL_S, hours};

    #[test]
    fn hours_are_read_as_seconds() {
        assert_eq!(hours("").unwrap(), 0);
        assert_eq!(hours("1.5").unwrap(), 5400);
        assert_eq!(hours("1.3333").unwrap(), 4800);
        assert_eq!(hours("0").unwrap(), 0);
        assert_eq!(hours("720").unwrap(), *TTL_S.end());
        for far in ["720.1", "0.001", "0.00001", "1e300", "inf"] {
            let error = hours(far).unwrap_err().to_string();
            assert_eq!(error, "ttl_h: wants a minute to 720 hours, or 0 for no end", "{far}");
        }
        assert!(hours("-1").is_err());
        assert!(hours("NaN").is_err());
        assert!(hours("long").is_err());
    }
}
