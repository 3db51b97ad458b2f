//! `users`: who may sign in.

use super::args::people::{CreateUser, Users};
use super::context::Context;
use super::invitations;
use super::prompt;
use super::table::Table;
use super::times;
use crate::wire::coder::idpsync::OidcClaims;
use crate::wire::coder::users::{CreateUser as NewUser, User};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Users) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Users::Create(args) => create(ctx, args).await,
        Users::List { search, listing } => {
            let users = client.users(&search).await?;
            ctx.out.list(&listing, &users, || table(&users))
        }
        Users::Show { user, listing } => {
            let user = client.user(&user).await?;
            ctx.out.list(&listing, &user, || table(std::slice::from_ref(&user)))
        }
        Users::Activate { user, .. } => {
            client.set_user_status(&user, "activate").await?;
            ctx.out.note(&format!("{user} may sign in."));
            Ok(())
        }
        Users::Suspend { user, .. } => {
            client.set_user_status(&user, "suspend").await?;
            ctx.out.note(&format!("{user} may not sign in any more."));
            Ok(())
        }
        Users::Delete { user } => {
            client.delete_user(&user).await?;
            ctx.out.note(&format!("Deleted {user}."));
            Ok(())
        }
        Users::RemoveFactors { user } => {
            client.remove_factors(&user).await?;
            ctx.out.note(&format!("{user} signs in by password alone now."));
            Ok(())
        }
        Users::OidcClaims { listing } => {
            let said = client.oidc_claims().await?;
            ctx.out.list(&listing, &said, || claims(&said))
        }
        Users::Invite(args) => invitations::invite(ctx, args).await,
        Users::Invitations(command) => invitations::run(ctx, command).await,
        Users::EditRoles { user, roles, .. } => {
            let user = client.set_roles(&user, roles).await?;
            ctx.out.note(&format!("{} is now: {}.", user.username, role_names(&user)));
            Ok(())
        }
    }
}

async fn create(ctx: &Context, args: CreateUser) -> anyhow::Result<()> {
    let no_login = args.service_account || args.disable_login;
    let login_type = if no_login { "none".to_owned() } else { args.login_type };
    let needs_password = login_type == "password";
    let (password, made) = match args.password {
        Some(password) => (password, false),
        None if args.password_stdin => (prompt::password_from_stdin()?, false),
        None if needs_password => (made_password(ctx), true),
        None => (String::new(), false),
    };
    let email = match args.email {
        Some(email) => email,
        None if args.service_account => String::new(),
        None => prompt::text("Their e-mail address", "", "--email")?,
    };
    let client = ctx.client()?;
    let mut organization_ids = Vec::new();
    for name in &args.organizations {
        organization_ids.push(client.organization_named(name).await?.id);
    }
    let user = client
        .create_user(&NewUser {
            email,
            username: args.username,
            name: args.full_name,
            password: password.clone(),
            login_type,
            user_status: String::new(),
            organization_ids,
            organization_id: None,
            service_account: args.service_account,
            responsible: args.responsible.unwrap_or_default(),
        })
        .await?;
    ctx.out.note(&said(&user, client.server_text()));
    if made {
        ctx.out.note("The password, shown this once:");
        return ctx.out.line(&password);
    }
    Ok(())
}

/// What there is to say of a new user.
fn said(user: &User, server: &str) -> String {
    let name = &user.username;
    if let Some(who) = &user.responsible {
        return format!("Created {name}. {} answers for it.", who.username);
    }
    match &*user.login_type {
        "password" => format!("Created {name}. Sign in at {server}."),
        "none" => format!("Created {name}, who has no way to sign in."),
        _ => format!("Created {name}. They sign in as {} at {server}.", user.email),
    }
}

/// A password to begin with: 20 letters and digits without the ones that look alike, 114 bits.
#[must_use]
pub fn made_password(ctx: &Context) -> String {
    const LETTERS: &[u8; 52] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456";
    let bytes = ctx.entropy.bytes::<64>();
    let fair = bytes.iter().filter(|b| **b < 208);
    fair.filter_map(|b| LETTERS.get(usize::from(*b % 52)))
        .take(20)
        .map(|b| char::from(*b))
        .collect()
}

fn role_names(user: &User) -> String {
    let names: Vec<&str> = user.roles.iter().map(|r| r.name.as_str()).collect();
    if names.is_empty() { "member".to_owned() } else { names.join(", ") }
}

fn claims(said: &OidcClaims) -> Table {
    let mut table = Table::new(&["KEY", "VALUE"]);
    for (name, value) in &said.claims {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        table.row([name, &text]);
    }
    table
}

fn table(users: &[User]) -> Table {
    let usual = ["USERNAME", "NAME", "EMAIL", "STATUS", "ROLES", "LAST SEEN", "CREATED AT"];
    let mut table = Table::with_more(&usual, &["ID", "UPDATED AT", "LOGIN TYPE"]);
    for user in users {
        table.row([
            &user.username,
            &user.name,
            &user.email,
            &user.status,
            &role_names(user),
            &times::or_never(user.last_seen_at),
            &times::or_never(user.created_at),
            &user.id.to_string(),
            &times::or_never(user.updated_at),
            &user.login_type,
        ]);
    }
    table
}
