//! How mails are sent, as a page; and whether one wants any.

use axum::response::{IntoResponse, Response};
use zeroize::Zeroizing;

use super::{Html, Visitor, flash, mistake};
use crate::model::mail::{MailServer, MailTls};
use crate::model::policy::{Action as A, Object, ResourceType as R};
use crate::server::app::Error;
use crate::server::html::pages::mail::{Lost, Mail};
use crate::server::html::parts::form::Input;
use crate::server::html::parts::notice::Tone;
use crate::server::html::paths;
use crate::server::outbox;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let change = Access::page_may(R::DeploymentConfig, A::Update);
    routes
        .get(Access::page_may(R::DeploymentConfig, A::Read), paths::MAIL, show)
        .post(change, paths::MAIL, save)
        .post(change, paths::MAIL_TEST, test)
        .post(change, paths::MAIL_REMOVE, remove)
        .post(Access::Page, paths::MY_MAILS, choose)
}

async fn show(state: State, visitor: Visitor) -> Answer<Html> {
    draw(&state, visitor, Input::default()).await
}

async fn draw(state: &State, Visitor { actor, visit }: Visitor, input: Input) -> Answer<Html> {
    let now = state.app.mailing(&actor).await?;
    let given_up = now.given_up.into_iter().map(|one| Lost {
        to: one.to,
        subject: one.subject,
        made_at: one.made_at,
        failure: one.failure,
    });
    Ok(Html::of(&Mail {
        changes: actor.may(visit.now, A::Update, &Object::site(R::DeploymentConfig)),
        server: now.server,
        has_password: now.has_password,
        is_told: now.is_told,
        waiting: now.waiting,
        given_up: given_up.collect(),
        visit,
        input,
    }))
}

fn typed(fields: &Fields) -> Result<MailServer, Error> {
    let text = |name: &str| fields.get(name).unwrap_or_default().trim().to_owned();
    let tls = MailTls::from_word(&text("tls"));
    let tls = tls.ok_or_else(|| Error::invalid("tls", "must be starttls, tls or none"))?;
    let port = match text("port").as_str() {
        "" => tls.port(),
        port => port.parse().map_err(|_| Error::invalid("port", "must be 1 to 65535"))?,
    };
    let password = Zeroizing::new(fields.get("password").unwrap_or_default().to_owned());
    let (server, user) = (text("server"), text("user"));
    let (from, reply_to) = (text("from"), text("reply_to"));
    Ok(MailServer { server, port, tls, user, password, from, reply_to })
}

async fn save(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let done = async { state.app.set_mail_server(&visitor.actor, typed(&fields)?).await };
    match done.await {
        Ok(()) => {
            let text = "Saved. Send a test message to see whether it works.";
            Ok(flash::done(&state.site, paths::MAIL, text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw(&state, visitor, input).await?.into_response())
        }
    }
}

async fn test(state: State, visitor: Visitor) -> Answer<Response> {
    let (server, mail) = state.app.mail_to_try(&visitor.actor).await?;
    let tried = outbox::try_mail(&server, (&mail, state.app.policy.access_url.as_str())).await;
    Ok(match tried {
        Ok(()) => {
            let text = format!("{} took it. Look for it at {}.", server.server, mail.address);
            flash::done(&state.site, paths::MAIL, &text)
        }
        Err(why) => {
            let text = format!("It was not sent: {why}.");
            flash::tell(&state.site, paths::MAIL, Tone::Bad, &text)
        }
    })
}

async fn remove(state: State, visitor: Visitor) -> Answer<Response> {
    state.app.remove_mail_server(&visitor.actor).await?;
    Ok(flash::done(&state.site, paths::MAIL, "No mails are sent any more."))
}

async fn choose(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let wants = fields.get("mails").is_some();
    state.app.set_wants_mails(&visitor.actor, wants).await?;
    let text = if wants { "You get mails." } else { "You get no mails." };
    Ok(flash::done(&state.site, paths::ACCOUNT, text))
}
