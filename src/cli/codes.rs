//! `codes`: texts by which someone gets into a workspace for some time.

use std::time::Duration;

use super::args::Format;
use super::args::codes::{Codes, CreateCode as Create};
use super::context::Context;
use super::table::Table;
use super::{prompt, times};
use crate::model::time::words;
use crate::wire::codes::{Code, CodeOffer, CreateCode, RedeemCode};

/// Bytes of a code on standard input, with what may stand around it.
const MAX_TEXT: u64 = 1 << 10;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Codes) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Codes::Create(args) => create(ctx, args).await,
        Codes::Redeem { code, yes, listing } => {
            let code = match code {
                Some(code) => code,
                None if prompt::is_interactive() => prompt::secret("Code", "CODE")?,
                None => prompt::text_from_stdin(MAX_TEXT)?,
            };
            let code = RedeemCode { code };
            if !yes && prompt::is_interactive() {
                let offer = client.offer_of_code(&code).await?;
                let by = &offer.made_by;
                prompt::confirm(&format!("{by} lets you {}. Take it?", said(&offer)))?;
            }
            let given = client.redeem_code(&code).await?;
            if listing.output == Format::Json {
                return ctx.out.json(&given);
            }
            ctx.out.note(&format!("You may {}.", said(&given)));
            Ok(())
        }
        Codes::List { workspace, listing } => {
            let workspace = client.workspace(&workspace.parse()?).await?;
            let all = client.codes(workspace.id).await?;
            ctx.out.list(&listing, &all, || table(&all))?;
            if all.is_empty() {
                ctx.out.note("It has no codes. `steading codes create` makes one.");
            }
            Ok(())
        }
        Codes::Revoke { id, grants } => {
            client.revoke_code(id, grants).await?;
            let what = if grants { "the code and what came by it" } else { "the code" };
            ctx.out.note(&format!("Took back {what}."));
            Ok(())
        }
    }
}

async fn create(ctx: &Context, args: Create) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = client.workspace(&args.workspace.parse()?).await?;
    let new = CreateCode {
        verbs: args.verbs,
        lasts: args.lasts,
        until: args.until,
        uses: args.uses,
        record: args.record,
        reason: args.reason,
    };
    let made = client.create_code(workspace.id, &new).await?;
    if args.listing.output == Format::Json {
        return ctx.out.json(&made);
    }
    let until = times::at(made.expires_at);
    ctx.out.note(&format!("It is shown this once, and can be redeemed until {until}:"));
    ctx.out.note(&made.url);
    ctx.out.line(&made.code)
}

/// What a code gives, after "may".
fn said(offer: &CodeOffer) -> String {
    let recorded = if offer.record { ", recorded" } else { "" };
    let verbs = offer.verbs.join(", ");
    format!("{verbs} {} until {}{recorded}", offer.workspace, times::at(offer.until))
}

fn table(all: &[Code]) -> Table {
    let heads = ["ID", "MAY", "FOR", "USES", "UNTIL", "STATE", "GRANTS", "MADE BY", "REASON"];
    let mut table = Table::new(&heads);
    for code in all {
        let may = if code.preset.is_empty() { code.verbs.join(",") } else { code.preset.clone() };
        let may = if code.record { format!("{may}, recorded") } else { may };
        let state = match (code.state.as_str(), code.holds) {
            ("open", false) => "its maker may no more",
            ("used_up", _) => "used up",
            (state, _) => state,
        };
        table.row([
            &code.id.to_string(),
            &may,
            &words(Duration::from_secs(code.for_seconds)),
            &format!("{} of {}", code.uses, code.max_uses),
            &times::at(code.expires_at),
            state,
            &code.grants.to_string(),
            &code.made_by.username,
            &code.reason,
        ]);
    }
    table
}
