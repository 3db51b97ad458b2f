//! Invitations: the list of open ones, and where their links lead.

use std::net::IpAddr;
use std::time::Duration;

use axum::response::{IntoResponse, Response};

use super::doors::signed_in;
use super::{Html, Visitor, flash, mistake};
use crate::model::id::InvitationId;
use crate::model::policy::{Action, ResourceType};
use crate::model::user::SiteRole;
use crate::server::app::Error;
use crate::server::app::invitations::{Guest, Invite};
use crate::server::app::sessions::Login;
use crate::server::html::layout::Csrf;
use crate::server::html::pages::invitations::Invitations;
use crate::server::html::pages::invite::Invite as InvitePage;
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::address::ClientAddress;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::outer::Within;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// Seconds of a day.
const DAY: u64 = 86_400;

pub(super) fn routes(routes: Routes) -> Routes {
    let may = Access::page_may(ResourceType::User, Action::Create);
    routes
        .get(may, paths::INVITATIONS, list)
        .post(may, paths::INVITATIONS, make)
        .post(may, "/invitations/{id}/revoke", revoke)
        .get(Access::SignIn, "/invite/{token}", invited)
        .post(Access::SignIn, "/invite/{token}", accept)
}

async fn list(state: State, visitor: Visitor) -> Answer<Html> {
    show(&state, visitor, (None, Input::default()), &Fields::default()).await
}

async fn show(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (made, input): (Option<String>, Input),
    typed: &Fields,
) -> Answer<Html> {
    let open = state.app.invitations(&actor).await?;
    let (groups, is_more) = state.app.groups_to_give(&actor).await?;
    let chosen = |name: &str| typed.all(name).map(str::to_owned).collect::<Vec<_>>();
    let (chosen, roles) = (chosen("group"), chosen("role"));
    Ok(Html::of(&Invitations { visit, open, made, groups, is_more, chosen, roles, input }))
}

/// The page after it is not led to: the link is shown once, in this answer.
async fn make(state: State, visitor: Visitor, fields: Fields) -> Answer<Html> {
    let field = |name| fields.get(name).unwrap_or_default().trim();
    let Ok(days) = field("days").parse::<u64>() else {
        let input = mistake(&fields, Error::invalid("days", "is not a number of days"))?;
        return show(&state, visitor, (None, input), &fields).await;
    };
    let typed = field("groups").split(',').map(str::trim).filter(|name| !name.is_empty());
    let groups = fields.all("group").chain(typed);
    let cmd = Invite {
        email: field("email").to_owned(),
        roles: fields.all("role").filter_map(SiteRole::from_word).collect(),
        groups: groups.map(str::to_owned).collect(),
        lifetime: Some(Duration::from_secs(days.saturating_mul(DAY))),
    };
    match state.app.invite(&visitor.actor, cmd).await {
        Ok((token, _)) => {
            let link = format!("{}{}", state.site.access_url(), paths::invite(&token.expose()));
            show(&state, visitor, (Some(link), Input::default()), &Fields::default()).await
        }
        Err(error) => {
            let days = |field| if field == "lifetime" { "days".to_owned() } else { field };
            let input = mistake(&fields, error.map_field(days))?;
            show(&state, visitor, (None, input), &fields).await
        }
    }
}

async fn revoke(state: State, visitor: Visitor, Path(id): Path<InvitationId>) -> Answer<Response> {
    state.app.revoke_invitation(&visitor.actor, id).await?;
    Ok(flash::done(&state.site, paths::INVITATIONS, "The invitation is revoked."))
}

async fn invited(
    state: State,
    Path(token): Path<String>,
    ClientAddress(ip): ClientAddress,
) -> Answer<Html> {
    page(&state, &token, (ip, Input::default())).await
}

async fn page(state: &State, token: &str, (ip, input): (IpAddr, Input)) -> Answer<Html> {
    let found = state.app.invitation(token, ip).await?;
    Ok(Html::of(&InvitePage {
        csrf: Csrf(String::new()),
        action: paths::invite(token),
        host: state.site.access_url.host_str().unwrap_or_default().to_owned(),
        made_by: found.made_by.username.to_string(),
        email: found.email,
        input,
    }))
}

async fn accept(
    state: State,
    Path(token): Path<String>,
    ClientAddress(ip): ClientAddress,
    Within(request): Within,
    fields: Fields,
) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    let guest = Guest {
        token: token.clone(),
        ip,
        username: field("username"),
        name: field("name"),
        password: field("password"),
    };
    let user = match state.app.accept_invitation(guest).await {
        Ok(user) => user,
        Err(error) => {
            let input = mistake(&fields, error)?;
            return Ok(page(&state, &token, (ip, input)).await?.into_response());
        }
    };
    let login = user.username.to_string();
    let (password, request) = (field("password"), Some(request));
    let login = Login { login, password, code: None, ip, request };
    signed_in(&state, (state.app.login(login).await?, ip)).await
}
