//! How strong a password would be, for forms in which one is typed.

use axum::response::Response;
use maud::html;

use super::document;
use crate::server::app::Error;
use crate::server::app::password_strength::NewPassword;
use crate::server::html::parts::password::strength;
use crate::server::html::paths;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(Access::Public, paths::PASSWORD_STRENGTH, judge)
}

/// A part of a page. Nobody is kept from a form by it: who types too fast sees nothing for a moment.
async fn judge(state: State, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default();
    let (password, username) = (field("password"), field("username"));
    if password.is_empty() {
        return Ok(document(html! {}));
    }
    let new = NewPassword { password, username, email: field("email") };
    match state.app.judge_password(new, field("name")).await {
        Ok(found) => Ok(document(strength(&found))),
        Err(Error::Unavailable(_)) => Ok(document(html! {})),
        Err(other) => Err(other.into()),
    }
}
