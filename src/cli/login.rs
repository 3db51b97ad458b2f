//! `login`, `logout`, `whoami`: the session this program keeps.

use anyhow::bail;
use http::StatusCode;

use super::args::Listing;
use super::args::people::{FirstUser, Login, LoginCommand, Logout};
use super::client::{Client, detail_of, status_of};
use super::context::{Context, read_url};
use super::prompt;
use super::table::Table;
use crate::model::factor::Ask;
use crate::model::name::UserName;
use crate::wire::coder::error::{CODE_REQUIRED, CODE_WRONG};
use crate::wire::coder::users::{FirstUser as NewFirstUser, Login as Credentials};

/// Times that a code is asked for.
const TRIES: usize = 3;

/// Signs in and stores the session.
///
/// # Errors
/// When the server cannot be reached, or does not take the credentials.
pub async fn login(ctx: &Context, args: Login) -> anyhow::Result<()> {
    match args.command {
        Some(LoginCommand::Token) => return ctx.out.line(&ctx.token()?),
        None => {}
    }
    let url = match &args.address {
        Some(address) => read_url(address)?,
        None if ctx.knows_server() => ctx.url()?,
        None => bail!("Say which server: `steading login URL`."),
    };
    let anonymous = ctx.client_for(url.clone(), None)?;
    anonymous.build_info().await?;
    let token = obtain(ctx, &anonymous, args).await?;
    let client = ctx.client_for(url, Some(&token))?;
    let user = client.user("me").await.map_err(|error| match status_of(&error) {
        Some(StatusCode::UNAUTHORIZED) => anyhow::anyhow!(
            "{} does not take this token. Copy a fresh one from {}/cli-auth.",
            client.server_text(),
            client.server_text()
        ),
        _ => error,
    })?;
    ctx.config.store(client.server_text(), &token)?;
    ctx.out.note(&format!("Signed in to {} as {}.", client.server_text(), user.username));
    Ok(())
}

/// The token to store: given, of the first user, by password, or typed by the person.
async fn obtain(ctx: &Context, client: &Client, args: Login) -> anyhow::Result<String> {
    if let Some(token) = &ctx.globals.token {
        if args.use_token_as_session {
            return Ok(token.clone());
        }
        let own = ctx.client_for(client.server().clone(), Some(token))?;
        return own.create_session().await.or_else(|error| match status_of(&error) {
            Some(StatusCode::UNAUTHORIZED) | None => Err(error),
            Some(_) => Ok(token.clone()),
        });
    }
    if !client.has_first_user().await? {
        return create_first_user(ctx, client, args.first).await;
    }
    if let Some(username) = args.username {
        let password = if args.password_stdin {
            prompt::password_from_stdin()?
        } else {
            prompt::secret("Password", "--password-stdin")?
        };
        let code = args.code.unwrap_or_default();
        return by_password(client, Credentials { email: username, password, code }).await;
    }
    if !prompt::is_interactive() {
        bail!("There is no terminal to ask at. Give --token, or --username with --password-stdin.");
    }
    ctx.out.note(&format!(
        "Open {}/cli-auth in a browser, sign in, and copy the token it shows.",
        client.server_text()
    ));
    prompt::secret("Paste the token", "--token")
}

async fn create_first_user(
    ctx: &Context,
    client: &Client,
    first: FirstUser,
) -> anyhow::Result<String> {
    ctx.out
        .note(&format!("{} is new: it has no users. You become its owner.", client.server_text()));
    let username = match first.first_user_username {
        Some(name) => name,
        None => prompt::text("Your name there", "", "--first-user-username")?,
    };
    UserName::parse(&username).map_err(|e| anyhow::anyhow!("The name {username:?} {e}."))?;
    let email = match first.first_user_email {
        Some(email) => email,
        None => prompt::text("Your e-mail address", "", "--first-user-email")?,
    };
    let password = match first.first_user_password {
        Some(password) => password,
        None => chosen_password()?,
    };
    let user = NewFirstUser {
        email: email.clone(),
        username: username.clone(),
        name: first.first_user_full_name.unwrap_or_default(),
        password: password.clone(),
        trial: false,
    };
    client.create_first_user(&user).await?;
    let email = if email.is_empty() { username } else { email };
    client.login(&Credentials { email, password, code: String::new() }).await
}

/// Signs in, and asks for the code of a second factor where one is needed.
async fn by_password(client: &Client, mut credentials: Credentials) -> anyhow::Result<String> {
    for _ in 1..TRIES {
        match client.login(&credentials).await {
            Err(error) if wants_code(&error) => credentials.code = code_of_factor()?,
            signed_in => return signed_in,
        }
    }
    client.login(&credentials).await
}

fn wants_code(error: &anyhow::Error) -> bool {
    let detail = detail_of(error);
    detail == Some(CODE_REQUIRED) || (detail == Some(CODE_WRONG) && prompt::is_interactive())
}

/// Asks for the code of a second factor.
fn code_of_factor() -> anyhow::Result<String> {
    prompt::text("The code of your app, or a recovery code", "", "--code")
}

/// Gives a second factor where a command was refused for want of one. Whether it may run again.
///
/// # Errors
/// When the server does not take it.
pub async fn confirm(ctx: &Context, error: &anyhow::Error) -> anyhow::Result<bool> {
    let asked = detail_of(error) == Some(Ask::Factor.code());
    if !asked || ctx.globals.token.is_some() || !prompt::is_interactive() {
        return Ok(false);
    }
    let client = ctx.client()?;
    ctx.out.note("This needs your second factor.");
    let token = client.confirm(&code_of_factor()?).await?;
    ctx.config.store(client.server_text(), &token)?;
    Ok(true)
}

fn chosen_password() -> anyhow::Result<String> {
    let password = prompt::secret("Choose a password", "--first-user-password")?;
    let again = prompt::secret("The password again", "--first-user-password")?;
    anyhow::ensure!(password == again, "The two passwords differ. Try again.");
    Ok(password)
}

/// Ends the session, there and here.
///
/// # Errors
/// When the stored session cannot be removed.
pub async fn logout(ctx: &Context, args: Logout) -> anyhow::Result<()> {
    let client = ctx.client()?;
    if !args.yes {
        prompt::confirm(&format!("Sign out of {}?", client.server_text()))?;
    }
    if let Err(error) = client.logout().await
        && status_of(&error) != Some(StatusCode::UNAUTHORIZED)
    {
        ctx.out.note(&format!("The server could not be told: {error:#}"));
    }
    ctx.config.forget()?;
    ctx.out.note(&format!("Signed out of {}.", client.server_text()));
    Ok(())
}

/// Says who is signed in.
///
/// # Errors
/// When nobody is.
pub async fn whoami(ctx: &Context, how: &Listing) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let user = client.user("me").await?;
    let roles: Vec<&str> = user.roles.iter().map(|r| r.name.as_str()).collect();
    let shown = serde_json::json!([{
        "url": client.server_text(),
        "username": user.username,
        "id": user.id,
        "orgs": user.organization_ids,
        "roles": roles,
    }]);
    ctx.out.list(how, &shown, || {
        let mut table = Table::new(&["URL", "USERNAME", "ID", "ROLES"]);
        let roles = roles.join(", ");
        table.row([client.server_text(), &user.username, &user.id.to_string(), &roles]);
        table
    })
}
