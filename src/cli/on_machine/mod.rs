//! What is done to accounts on the server's own machine, by who has its data in their hands.

pub mod create_admin_user;
pub mod reset_password;

use anyhow::{Context as _, ensure};

use super::args::serve::Place;
use super::context::Context;
use super::prompt;
use super::serve::default_data;
use crate::model::factor::MfaRoles;
use crate::server::app::programs::Programs;
use crate::server::app::retention::Retention;
use crate::server::app::{App, Policy, settings::load_seal};
use crate::server::db::Db;
use crate::server::{DATABASE, identity};

/// The use cases over a server's data, whether the server runs or not.
///
/// # Errors
/// When there is no such database, or its key cannot be read.
async fn open(ctx: &Context, place: Place) -> anyhow::Result<App> {
    let data = place.data.unwrap_or_else(|| default_data(&ctx.around).into());
    let file = data.join(DATABASE);
    ensure!(
        file.is_file(),
        "{} is not there. Name the server's data directory with --data.",
        file.display()
    );
    let db = Db::open(&file, ctx.clock.clone(), ctx.entropy.clone())
        .with_context(|| format!("Opening {}", file.display()))?;
    let key = place.master_key_file.as_deref().map(identity::master_key::read).transpose()?;
    let seal = load_seal(&db, key, ctx.entropy.clone()).await?;
    // Nothing of the policy matters here: no session and no token is made.
    let policy = Policy {
        access_url: String::new(),
        session_duration: std::time::Duration::ZERO,
        max_token_lifetime: std::time::Duration::ZERO,
        password_auth: true,
        breached: None,
        mfa_roles: MfaRoles::default(),
        retention: Retention::default(),
        recording: crate::model::recording::Policy::default(),
        programs: Programs::new(data.join("programs"), data.join("packed")),
        mail: None,
    };
    Ok(App::new(db, ctx.clock.clone(), ctx.entropy.clone(), seal, policy))
}

/// The password that is to be set, from standard input or typed twice.
fn new_password(from_stdin: bool, question: &str) -> anyhow::Result<String> {
    if from_stdin {
        return prompt::password_from_stdin();
    }
    let password = prompt::secret(question, "--password-stdin")?;
    let again = prompt::secret("The password again", "--password-stdin")?;
    ensure!(password == again, "The two passwords differ. Try again.");
    Ok(password)
}
