//! `rotations`: who is on call, and who is instead.

use anyhow::{Context as _, bail};

use super::api::rotations::Found;
use super::args::Format;
use super::args::rotations::{CreateRotation, OverrideShift, Rotations};
use super::client::Client;
use super::context::Context;
use super::table::Table;
use super::times;
use crate::model::duration;
use crate::model::rotation::Zone;
use crate::model::time::Timestamp;
use crate::wire::coder::Time;
use crate::wire::coder::users::MinimalUser;
use crate::wire::rotations::{Layer, PutLayer, PutOverride, PutRotation, Rotation, Shift};

/// Shifts that `show` lists.
const SHOWN: usize = 10;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Rotations) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Rotations::Create(args) => create(ctx, &client, args).await,
        Rotations::List { listing, within } => {
            let all = client.rotations(within.organization()).await?;
            ctx.out.list(&listing, &all, || table(&all))?;
            if all.is_empty() {
                ctx.out.note("There is no rotation. `steading rotations create` makes one.");
            }
            Ok(())
        }
        Rotations::Show { name, listing, within } => {
            let one = client.rotation(within.organization(), &name).await?;
            let shifts = client.shifts(one.id).await?;
            let found = Found { rotation: one, shifts };
            ctx.out.list(&listing, &found, || coming(&found))
        }
        Rotations::Oncall { name, listing, within } => {
            let one = client.rotation(within.organization(), &name).await?;
            let Some(shift) = client.on_call(one.id).await? else {
                bail!("Nobody is on call in {name} now.");
            };
            if listing.output == Format::Json {
                return ctx.out.json(&shift);
            }
            ctx.out.note(&format!("Until {}.", times::or_never(shift.until)));
            ctx.out.line(&shift.user.username)
        }
        Rotations::Override(args) => override_shift(ctx, &client, args).await,
        Rotations::Undo { name, id, within } => {
            let one = client.rotation(within.organization(), &name).await?;
            client.undo_override(one.id, &id).await?;
            ctx.out.note("Undone: it is again whose turn it is.");
            Ok(())
        }
        Rotations::Delete { name, within } => {
            let one = client.rotation(within.organization(), &name).await?;
            client.delete_rotation(one.id).await?;
            ctx.out.note(&format!("Deleted the rotation {}.", one.name));
            Ok(())
        }
    }
}

async fn create(ctx: &Context, client: &Client, args: CreateRotation) -> anyhow::Result<()> {
    let layer = PutLayer {
        members: args.members,
        handoff: args.handoff,
        length: args.length,
        starts_at: None,
        restrictions: args.restrict,
    };
    let new =
        PutRotation { name: Some(args.name), zone: Some(args.zone), layers: Some(vec![layer]) };
    let made = client.create_rotation(args.within.organization(), &new).await?;
    if args.listing.output == Format::Json {
        return ctx.out.json(&made);
    }
    let now = made.on_call.as_ref().map_or("nobody", |user| user.username.as_str());
    ctx.out.note(&format!("Created the rotation {}; {now} is on call.", made.name));
    Ok(())
}

async fn override_shift(ctx: &Context, client: &Client, args: OverrideShift) -> anyhow::Result<()> {
    let one = client.rotation(args.within.organization(), &args.name).await?;
    let now = ctx.clock.now();
    let zone = Zone::parse(&one.zone).ok();
    let from =
        args.from.as_deref().map(|text| time(("--from", text), zone.as_ref())).transpose()?;
    let until = match duration::parse(&args.until) {
        Ok(lasts) => from.unwrap_or(now).plus(lasts),
        Err(_) => time(("--until", &args.until), zone.as_ref())?,
    };
    let new = PutOverride {
        user: args.user,
        from: from.map(Time::from),
        until: until.into(),
        reason: args.reason.unwrap_or_default(),
    };
    let made = client.override_shift(one.id, &new).await?;
    if args.listing.output == Format::Json {
        return ctx.out.json(&made);
    }
    let (who, from) = (&made.user.username, times::or_never(made.from));
    let until = times::or_never(made.until);
    ctx.out.note(&format!("{who} is on call in {} from {from} until {until}.", one.name));
    ctx.out.line(&made.id.to_string())
}

/// A time as it is typed: with an offset, or by the rotation's clocks.
fn time((flag, text): (&str, &str), zone: Option<&Zone>) -> anyhow::Result<Timestamp> {
    let local = || zone.and_then(|zone| zone.read(&text.replace(' ', "T")));
    Timestamp::parse_rfc3339(text).or_else(local).with_context(|| {
        format!("{flag}: {text:?} is not a time such as 2026-11-20T09:00, or 2026-11-20T09:00:00Z")
    })
}

fn names(people: &[MinimalUser]) -> String {
    people.iter().map(|user| user.username.as_str()).collect::<Vec<_>>().join(", ")
}

fn table(all: &[Rotation]) -> Table {
    let heads = ["NAME", "ON CALL", "UNTIL", "NEXT", "MEMBERS", "HANDOFF", "LENGTH", "ZONE"];
    let mut table = Table::new(&heads);
    for one in all {
        let name = |user: Option<&MinimalUser>| user.map(|u| u.username.clone());
        let layer = one.layers.first().cloned().unwrap_or_default();
        let Layer { members, handoff, length, .. } = &layer;
        table.row([
            &one.name,
            &name(one.on_call.as_ref()).unwrap_or_else(|| "nobody".to_owned()),
            &one.on_call_until.map(times::or_never).unwrap_or_default(),
            &name(one.next.as_ref().map(|shift| &shift.user)).unwrap_or_default(),
            &names(members),
            handoff,
            length,
            &one.zone,
        ]);
    }
    table
}

/// The shifts that come next.
fn coming(found: &Found) -> Table {
    let mut table = Table::new(&["FROM", "UNTIL", "USER", "OVERRIDE"]);
    for Shift { user, from, until, is_override } in found.shifts.iter().take(SHOWN) {
        table.row([
            &times::or_never(*from),
            &times::or_never(*until),
            &user.username,
            if *is_override { "yes" } else { "" },
        ]);
    }
    table
}
