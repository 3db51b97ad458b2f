//! `reset-password`: a new password, set on the server's own machine for who has lost theirs.

use anyhow::{Context as _, ensure};

use super::args::serve::ResetPassword;
use super::context::Context;
use super::prompt;
use super::serve::default_data;
use crate::model::factor::MfaRoles;
use crate::server::app::retention::Retention;
use crate::server::app::{Actor, App, Error, Policy, settings::load_seal};
use crate::server::db::Db;
use crate::server::{DATABASE, identity};

/// Runs the command.
///
/// # Errors
/// When there is no such database or user, or the password does not fit.
pub async fn run(ctx: &Context, args: ResetPassword) -> anyhow::Result<()> {
    let data = args.data.unwrap_or_else(|| default_data(&ctx.around).into());
    let file = data.join(DATABASE);
    ensure!(
        file.is_file(),
        "{} is not there. Name the server's data directory with --data.",
        file.display()
    );
    let password = if args.password_stdin {
        prompt::password_from_stdin()?
    } else {
        let password = prompt::secret("The new password", "--password-stdin")?;
        let again = prompt::secret("The password again", "--password-stdin")?;
        ensure!(password == again, "The two passwords differ. Try again.");
        password
    };
    let db = Db::open(&file, ctx.clock.clone(), ctx.entropy.clone())
        .with_context(|| format!("Opening {}", file.display()))?;
    let key = args.master_key_file.as_deref().map(identity::master_key::read).transpose()?;
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
    };
    let app = App::new(db, ctx.clock.clone(), ctx.entropy.clone(), seal, policy);
    app.reset_password(&args.username, &password)
        .await
        .with_context(|| format!("Setting the password of {:?}", args.username))?;
    ctx.out.note(&format!("{} has a new password; their sessions have ended.", args.username));
    if args.remove_factors {
        match app.remove_factors(&Actor::System, &args.username).await {
            Ok(_) => ctx.out.note("Their second factors are removed."),
            Err(Error::Conflict(why)) => ctx.out.note(&format!("{why}.")),
            Err(other) => return Err(other).context("Removing the second factors"),
        }
    }
    Ok(())
}
