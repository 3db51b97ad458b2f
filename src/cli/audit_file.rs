//! `audit verify --data`: the log of a data directory, without its server.

use std::path::Path;

use anyhow::ensure;

use super::args::audit::Verify;
use super::audit::Known;
use super::context::Context;
use crate::server::app::audit_chain::{Offline, verify_file};
use crate::server::{DATABASE, identity};

/// Runs the command.
///
/// # Errors
/// When there is no such database, or something is wrong with the log.
pub fn verify(ctx: &Context, args: &Verify, data: &Path) -> anyhow::Result<()> {
    // A directory, or a copy of the one file.
    let file = if data.is_file() { data.to_owned() } else { data.join(DATABASE) };
    ensure!(
        file.is_file(),
        "{} is not there. Name the server's data directory with --data.",
        file.display()
    );
    let known = Known::read(args)?;
    let master_key = args.master_key_file.as_deref().map(identity::master_key::read).transpose()?;
    let how = Offline { key: known.key, master_key, anchor: known.anchor };
    let verified = verify_file(&file, (&ctx.clock, ctx.entropy.clone()), &how)?;
    known.tell(ctx, args, verified.told(known.anchor.is_some()))
}
