//! The directory whose people sign in here: `[ldap]` in the file.

use anyhow::Context as _;

use super::super::settings::Layers;
use super::files;
use super::oidc::shown;
use crate::server::identity::ldap::Settings;
use crate::server::identity::settings::ldap::read;

/// The name of the table.
const TABLE: &str = "ldap";

/// Reads the directory, if there is one.
///
/// # Errors
/// Says what is wrong in it.
pub(super) fn directory(layers: &mut Layers<'_>) -> anyhow::Result<Option<Settings>> {
    let Some(mut table) = layers.section(TABLE)? else { return Ok(None) };
    for (key, value) in &table {
        layers.note(format!("{TABLE}.{key}"), shown(key, value), "file".to_owned());
    }
    for key in ["bind_password", "ca"] {
        files::read(&mut table, key).context("In [ldap]")?;
    }
    read(table).context("In [ldap]").map(Some)
}
