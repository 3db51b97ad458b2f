//! `/connectionlog`: who was in which workspace.

use super::convert::names::Names;
use crate::model::connection_filter::word;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::session::{PastSession, SessionKind};
use crate::model::user::UserRef;
use crate::server::app::connection_log::{MAX_LIST, MOST_COUNTED};
use crate::server::web::extract::{Json, ListQuery, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::audit::MinimalOrganization;
use crate::wire::coder::connections as wire;
use crate::wire::coder::users::MinimalUser;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::may(R::ConnectionLog, A::Read), "/api/v2/connectionlog", list)
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(query): Query<ListQuery>,
) -> Answer<Json<wire::ConnectionLogResponse>> {
    let part = (query.limit(MAX_LIST), query.offset());
    let (found, count) = state.app.connection_log(&actor, &query.q, part).await?;
    let names = Names::load(&state, &actor).await?;
    let connection_logs = found.iter().map(|one| entry(one, &names)).collect();
    Ok(Json(wire::ConnectionLogResponse { connection_logs, count, count_cap: MOST_COUNTED }))
}

fn entry(past: &PastSession, names: &Names) -> wire::ConnectionLog {
    let PastSession { session, organization, owner } = past;
    let called = names.organization(*organization);
    let web_info = || wire::WebInfo {
        user_agent: session.client.clone(),
        user: Some(minimal(&session.user)),
        slug_or_port: "terminal".to_owned(),
        status_code: 101,
    };
    let ssh_info = || wire::SshInfo {
        connection_id: session.id.0,
        disconnect_time: session.ended_at.map(Into::into),
        disconnect_reason: session.end_reason.map(|why| why.to_string()).unwrap_or_default(),
        exit_code: None,
    };
    let is_web = matches!(session.kind, SessionKind::Terminal | SessionKind::App);
    wire::ConnectionLog {
        id: session.id.0,
        connect_time: session.began_at.into(),
        organization: MinimalOrganization {
            id: organization.0,
            name: called.name,
            display_name: called.display_name,
            icon: String::new(),
        },
        workspace_owner_id: owner.id.0,
        workspace_owner_username: owner.username.to_string(),
        workspace_id: session.workspace_id.0,
        workspace_name: session.workspace_name.clone(),
        agent_name: session.agent_name.clone(),
        ip: session.address.clone(),
        r#type: word(session.kind).to_owned(),
        web_info: is_web.then(web_info),
        ssh_info: (!is_web).then(ssh_info),
        user: minimal(&session.user),
    }
}

fn minimal(user: &UserRef) -> MinimalUser {
    MinimalUser { id: user.id.0, username: user.username.to_string(), ..MinimalUser::default() }
}
