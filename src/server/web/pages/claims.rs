//! What providers say of someone.

use super::{Html, Visitor};
use crate::server::html::pages::claims::ClaimsPage;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Page, paths::CLAIMS, claims)
}

async fn claims(state: State, visitor: Visitor, Path(key): Path<String>) -> Answer<Html> {
    let (user, logins) = state.app.login_methods(&visitor.actor, &key).await?;
    Ok(Html::of(&ClaimsPage { visit: visitor.visit, user, logins }))
}
