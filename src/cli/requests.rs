//! `requests` and `break-glass`: asking for access, answering, and letting oneself in.

use std::time::Duration;

use super::args::requests::{BreakGlass, CreateRequest, Requests, Rules};
use super::args::{Format, Listing};
use super::context::Context;
use super::reference::Reference;
use super::table::Table;
use super::times;
use crate::model::time::words;
use crate::wire::requests::{
    AnswerRequest, BreakTheGlass, CreateRequest as Asked, Request, RequestRules,
};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Requests) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Requests::Create(args) => create(ctx, args).await,
        Requests::List { mine: _, to_decide, listing } => {
            let all = client.requests(to_decide).await?;
            ctx.out.list(&listing, &all, || table(&all))?;
            if all.is_empty() {
                ctx.out.note(if to_decide {
                    "No request waits for you."
                } else {
                    "You have asked for nothing."
                });
            }
            Ok(())
        }
        Requests::Approve { id, note, lasts, listing } => {
            let answer = AnswerRequest { note, lasts };
            let now = client.answer_request((id, "approve"), &answer).await?;
            tell(ctx, &listing, &now)
        }
        Requests::Deny { id, note, listing } => {
            let answer = AnswerRequest { note, ..AnswerRequest::default() };
            let now = client.answer_request((id, "deny"), &answer).await?;
            tell(ctx, &listing, &now)
        }
        Requests::Cancel { id, listing } => tell(ctx, &listing, &client.cancel_request(id).await?),
        Requests::Link { id } => ctx.out.line(&client.link_request(id).await?.url),
        Requests::Rules(args) => rules(ctx, args).await,
    }
}

/// Lets oneself into a workspace.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn break_glass(ctx: &Context, args: BreakGlass) -> anyhow::Result<()> {
    let body = BreakTheGlass { workspace: place(&args.workspace)?, reason: args.reason };
    let taken = ctx.client()?.break_glass(&body).await?;
    if args.listing.output == Format::Json {
        return ctx.out.json(&taken);
    }
    let until = times::or_never(taken.until);
    ctx.out.note(&format!(
        "You are let into {} until {until}. What you do is recorded; its owner and the auditors are told.",
        taken.workspace
    ));
    ctx.out.line(&taken.id.to_string())
}

/// Owner and name, as the server reads them.
fn place(text: &str) -> anyhow::Result<String> {
    let named: Reference = text.parse()?;
    Ok(format!("{}/{}", named.owner, named.workspace))
}

async fn create(ctx: &Context, args: CreateRequest) -> anyhow::Result<()> {
    let verbs = match args.role {
        Some(role) => vec![role],
        None => args.verbs,
    };
    let new = Asked {
        workspace: place(&args.workspace)?,
        verbs,
        reason: args.reason,
        from: args.from,
        lasts: args.lasts,
        wait: args.wait,
    };
    let made = ctx.client()?.ask_access(&new).await?;
    if args.listing.output == Format::Json {
        return ctx.out.json(&made);
    }
    say(ctx, &made);
    ctx.out.line(&made.id.to_string())
}

/// A request as it is now: in words, or as JSON.
fn tell(ctx: &Context, listing: &Listing, request: &Request) -> anyhow::Result<()> {
    match listing.output {
        Format::Json => ctx.out.json(request),
        Format::Table => {
            say(ctx, request);
            Ok(())
        }
    }
}

/// Says what became of a request.
fn say(ctx: &Context, request: &Request) {
    let (who, place) = (&request.requester.username, &request.workspace);
    let said = match (request.state.as_str(), request.until) {
        ("pending", _) => match request.approvals_needed {
            Some(needed) if !request.answers.is_empty() => {
                let n = request.answers.len();
                format!("{n} of {needed} have said yes to {who} for {place}.")
            }
            Some(_) | None => {
                let until = times::or_never(request.expires_at);
                format!("{place} is asked for; it waits for an answer until {until}.")
            }
        },
        ("approved", Some(until)) => {
            format!("{who} may work in {place} until {}.", times::or_never(until))
        }
        (state, _) => format!("The request of {who} for {place} is {state}."),
    };
    ctx.out.note(&said);
}

async fn rules(ctx: &Context, args: Rules) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = client.workspace(&args.workspace.parse()?).await?;
    let now = client.request_rules(workspace.id).await?;
    let is_set = args.approvals.is_some()
        || args.group.is_some()
        || args.on_call.is_some()
        || args.auto_on_call.is_some();
    let held = if args.unset {
        client.unset_request_rules(workspace.id).await?
    } else if is_set {
        let new = RequestRules {
            approvals: args.approvals.unwrap_or(now.approvals),
            group: args.group.unwrap_or(now.group),
            on_call: args.on_call.unwrap_or(now.on_call),
            auto_on_call: args.auto_on_call.unwrap_or(now.auto_on_call),
            ..RequestRules::default()
        };
        client.set_request_rules(workspace.id, &new).await?
    } else {
        now
    };
    ctx.out.list(&args.listing, &held, || {
        let mut table = Table::new(&["APPROVALS", "GROUP", "ON CALL", "AT ONCE", "SET BY"]);
        let by = held.set_by.as_ref().map(|user| user.username.clone()).unwrap_or_default();
        let approvals = held.approvals.to_string();
        table.row([&approvals, &held.group, &held.on_call, &held.auto_on_call, &by]);
        table
    })
}

fn table(all: &[Request]) -> Table {
    let heads =
        ["ID", "STATE", "WHO", "WORKSPACE", "MAY", "FOR", "ANSWERS", "EXPIRES", "UNTIL", "REASON"];
    let mut table = Table::new(&heads);
    for one in all {
        let may = if one.preset.is_empty() { one.verbs.join(",") } else { one.preset.clone() };
        let answers = match one.approvals_needed {
            Some(needed) => format!("{} of {needed}", one.answers.len()),
            None => String::new(),
        };
        table.row([
            &one.id.to_string(),
            &one.state,
            &one.requester.username,
            &one.workspace,
            &may,
            &words(Duration::from_secs(one.for_seconds)),
            &answers,
            &times::or_never(one.expires_at),
            &one.until.map(times::or_never).unwrap_or_default(),
            &one.reason,
        ]);
    }
    table
}
