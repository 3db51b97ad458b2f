//! The provider that keeps users and groups by SCIM: `[scim]` in the file, and Coder's `CODER_SCIM_AUTH_HEADER`.

use anyhow::Context as _;

use super::super::args::Surroundings;
use super::super::settings::Layers;
use super::files;
use crate::server::identity::oidc;
use crate::server::identity::scim::Settings;
use crate::server::identity::settings::scim::read;

/// The name of the table.
const TABLE: &str = "scim";
/// The setting that Coder's variable holds.
const TOKEN: &str = "token";

/// Reads the settings; none when SCIM is off.
///
/// # Errors
/// Names what is wrong in them.
pub(super) fn settings(
    layers: &mut Layers<'_>,
    around: &Surroundings,
    providers: &[oidc::Settings],
) -> anyhow::Result<Option<Settings>> {
    let mut told = layers.section(TABLE)?.unwrap_or_default();
    if told.is_empty() && around.coder_scim.is_none() {
        return Ok(None);
    }
    files::read(&mut told, TOKEN).context("In [scim]")?;
    let from = if told.contains_key(TOKEN) { "file" } else { "CODER_SCIM_AUTH_HEADER" };
    if let Some(coder) = around.coder_scim.clone().filter(|_| !told.contains_key(TOKEN)) {
        told.insert(TOKEN.to_owned(), coder.into());
    }
    let names = providers.iter().map(|p| p.name.as_str()).collect::<Vec<_>>();
    let read = read(told, &names).context("In [scim]")?;
    layers.note("scim.token".to_owned(), "********".to_owned(), from.to_owned());
    layers.note("scim.provider".to_owned(), read.provider.clone(), "file".to_owned());
    Ok(Some(read))
}
