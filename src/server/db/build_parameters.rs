//! The table `build_parameters`: the values of a build's parameters.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::id::BuildId;
use crate::model::parameter::ParameterValue;

/// Stores the values of a build.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, build: BuildId, values: &[ParameterValue]) -> Result<()> {
    for v in values {
        tx.execute(
            "INSERT INTO build_parameters (build_id, name, value) VALUES (:build, :name, :value)",
            named_params! { ":build": build, ":name": v.name, ":value": v.value },
        )?;
    }
    Ok(())
}

/// The values of a build by name.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, build: BuildId) -> Result<Vec<ParameterValue>> {
    tx.list(
        "SELECT name, value FROM build_parameters WHERE build_id = :build ORDER BY name",
        named_params! { ":build": build },
        |row| Ok(ParameterValue { name: row.get("name")?, value: row.get("value")? }),
    )
}
