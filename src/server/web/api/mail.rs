//! How mails are sent, and a test of it.

use http::StatusCode;
use zeroize::Zeroizing;

use crate::model::mail::{MailServer, MailTls};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Error;
use crate::server::app::mail_servers::Mailing;
use crate::server::outbox;
use crate::server::web::extract::Json;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::mail as wire;

const MAIL: &str = "/api/v2/deployment/mail";

pub(super) fn routes(routes: Routes) -> Routes {
    let change = Access::may(R::DeploymentConfig, A::Update);
    routes
        .get(Access::may(R::DeploymentConfig, A::Read), MAIL, show)
        .put(change, MAIL, set)
        .delete(change, MAIL, remove)
        .post(change, "/api/v2/deployment/mail/test", test)
}

async fn show(state: State, Who(actor): Who) -> Answer<Json<wire::Mail>> {
    Ok(Json(said(state.app.mailing(&actor).await?)))
}

async fn set(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::Mail>,
) -> Answer<Json<wire::Mail>> {
    state.app.set_mail_server(&actor, server(body)?).await?;
    Ok(Json(said(state.app.mailing(&actor).await?)))
}

async fn remove(state: State, Who(actor): Who) -> Answer<StatusCode> {
    state.app.remove_mail_server(&actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn test(state: State, Who(actor): Who) -> Answer<Json<wire::MailTest>> {
    let (server, mail) = state.app.mail_to_try(&actor).await?;
    let tried = outbox::try_mail(&server, (&mail, state.app.policy.access_url.as_str())).await;
    let problem = tried.err().unwrap_or_default();
    Ok(Json(wire::MailTest { to: mail.address, sent: problem.is_empty(), problem }))
}

/// The server that someone asks for.
fn server(asked: wire::Mail) -> Result<MailServer, Error> {
    let tls = match asked.tls.as_str() {
        "" => MailTls::Starttls,
        word => MailTls::from_word(word)
            .ok_or_else(|| Error::invalid("tls", "must be starttls, tls or none"))?,
    };
    let text = |text: &str| text.trim().to_owned();
    Ok(MailServer {
        server: text(&asked.server),
        port: if asked.port == 0 { tls.port() } else { asked.port },
        tls,
        user: text(&asked.user),
        password: Zeroizing::new(asked.password),
        from: text(&asked.from),
        reply_to: text(&asked.reply_to),
    })
}

fn said(now: Mailing) -> wire::Mail {
    let given_up = now.given_up.into_iter().map(|one| wire::MailGivenUp {
        to: one.to,
        subject: one.subject,
        made_at: one.made_at.into(),
        failure: one.failure,
    });
    let rest = wire::Mail {
        has_password: now.has_password,
        is_told: now.is_told,
        waiting: now.waiting,
        given_up: given_up.collect(),
        ..wire::Mail::default()
    };
    let Some(server) = now.server else { return rest };
    wire::Mail {
        server: server.server,
        port: server.port,
        tls: server.tls.to_string(),
        user: server.user,
        from: server.from,
        reply_to: server.reply_to,
        ..rest
    }
}
