//! `tokens`: API tokens, of one's own and, for an owner, of others.

use anyhow::Context as _;

use super::args::people::Tokens;
use super::client::Client;
use super::context::Context;
use super::table::Table;
use super::times;
use crate::model::duration;
use crate::wire::coder::tokens::{ApiKey, CreateToken};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Tokens) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Tokens::Create { name, lifetime, user, scope, allow, allow_cidr } => {
            let lifetime = lifetime.as_deref().map(duration::parse).transpose()?;
            let nanos = lifetime.map_or(0, |l| i64::try_from(l.as_nanos()).unwrap_or(i64::MAX));
            let token = CreateToken {
                lifetime: nanos,
                scope: String::new(),
                scopes: scope,
                token_name: name,
                allow_list: allow,
                allow_cidrs: allow_cidr,
            };
            ctx.out.line(&client.create_token(&user, &token).await?)
        }
        Tokens::List { all, include_expired, listing } => {
            let tokens = client.tokens(all, include_expired).await?;
            ctx.out.list(&listing, &tokens, || table(&tokens))
        }
        Tokens::View { entry, listing } => {
            let token = named(&client, &entry).await?;
            ctx.out.list(&listing, &token, || table(std::slice::from_ref(&token)))
        }
        Tokens::Remove { entry, .. } => {
            let token = named(&client, &entry).await?;
            client.delete_token(&token.id).await?;
            ctx.out.note(&format!("Removed the token {entry}."));
            Ok(())
        }
    }
}

/// A token of one's own, or else of anyone for who may see those.
async fn named(client: &Client, wanted: &str) -> anyhow::Result<ApiKey> {
    let own = client.tokens(false, false).await?;
    let found = find(&own, wanted).cloned();
    match found {
        Ok(token) => Ok(token),
        Err(missing) => match client.tokens(true, false).await {
            Ok(all) => find(&all, wanted).cloned(),
            Err(_) => Err(missing),
        },
    }
}

fn find<'t>(tokens: &'t [ApiKey], wanted: &str) -> anyhow::Result<&'t ApiKey> {
    // The whole token is taken too: people have it at hand.
    let id = wanted.split_once('-').map_or(wanted, |(id, _)| id);
    tokens.iter().find(|t| t.token_name == wanted || t.id == wanted || t.id == id).with_context(
        || format!("There is no token {wanted:?}. `steading tokens list` shows yours."),
    )
}

fn table(tokens: &[ApiKey]) -> Table {
    let usual = ["ID", "NAME", "OWNER", "SCOPE", "LAST USED", "EXPIRES AT", "CREATED AT"];
    let mut table = Table::with_more(&usual, &["SCOPES", "ALLOW LIST"]);
    for token in tokens {
        table.row([
            &token.id,
            &token.token_name,
            &token.username,
            &token.scopes.join(" "),
            &times::or_never(token.last_used),
            &times::or_never(token.expires_at),
            &times::or_never(token.created_at),
            &token.scopes.join(" "),
            &token.allow_list.join(" "),
        ]);
    }
    table
}
