//! A token that leaked: anyone who has it may end it here.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::Html;
use crate::server::app::Error;
use crate::server::html::layout::Csrf;
use crate::server::html::pages::leaked_token::{LeakedToken, Told};
use crate::server::html::paths;
use crate::server::web::address::ClientAddress;
use crate::server::web::form::Fields;
use crate::server::web::outer::Within;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// Bytes of the form: a token and the names of fields.
const MAX_FORM: usize = 4096;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Public, paths::LEAKED_TOKEN, show).up_to(MAX_FORM).post(
        Access::Public,
        paths::LEAKED_TOKEN,
        end,
    )
}

fn page(told: Option<Told>) -> Html {
    Html::of(&LeakedToken { csrf: Csrf(String::new()), told })
}

async fn show() -> Html {
    page(None)
}

async fn end(
    state: State,
    ClientAddress(ip): ClientAddress,
    Within(request): Within,
    fields: Fields,
) -> Answer<Response> {
    let token = fields.get("token").unwrap_or_default();
    Ok(match state.app.end_leaked(token, (ip, request)).await {
        Ok(true) => page(Some(Told::Ended)).into_response(),
        Ok(false) => page(Some(Told::Unknown)).into_response(),
        Err(Error::Conflict(why)) => {
            let told = Told::Later(super::sentence(&why));
            (StatusCode::TOO_MANY_REQUESTS, page(Some(told))).into_response()
        }
        Err(other) => return Err(other.into()),
    })
}
