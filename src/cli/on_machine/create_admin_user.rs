//! `create-admin-user`: another owner, made on the server's own machine when none can sign in.

use anyhow::Context as _;

use super::{new_password, open};
use crate::cli::args::Format;
use crate::cli::args::serve::CreateAdminUser;
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::server::app::users::CreateUser;
use crate::server::web::api::convert::people as convert;

/// Runs the command.
///
/// # Errors
/// When there is no such database, or the name, the address or the password does not fit.
pub async fn run(ctx: &Context, args: CreateAdminUser) -> anyhow::Result<()> {
    let app = open(ctx, args.place).await?;
    let asked = |given: Option<String>, question, flag| match given {
        Some(given) => Ok(given),
        None => prompt::text(question, "", flag),
    };
    let username = asked(args.username, "The owner's name", "--username")?;
    let email = asked(args.email, "The owner's e-mail address", "--email")?;
    let password = match args.password {
        Some(password) => password,
        None => new_password(args.password_stdin, "The owner's password")?,
    };
    let cmd = CreateUser {
        username,
        email,
        name: args.full_name,
        password: Some(password),
        ..CreateUser::default()
    };
    let user = app.create_owner(cmd).await.context("Creating an owner")?;
    match args.output {
        Format::Json => ctx.out.json(&convert::user(&user)),
        Format::Table => {
            ctx.out.note(&format!("Created {}, who is an owner.", user.username));
            Ok(())
        }
    }
}
