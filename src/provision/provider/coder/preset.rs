//! `coder_workspace_preset`: the schedules of its prebuilt workspaces.

use super::cron::Hours;
use crate::model::cron::is_zone;
use crate::provision::provider::proto::Diagnostic;
use crate::provision::provider::value::Value;

/// Checks the preset and gives it its id.
pub(super) fn read(config: &Value, out: &mut Value) -> Result<(), Diagnostic> {
    for prebuilds in config.get("prebuilds").list() {
        for scheduling in prebuilds.get("scheduling").list() {
            check_scheduling(scheduling)
                .map_err(|why| Diagnostic::error("Invalid prebuilds schedule", why))?;
        }
    }
    out.set("id", config.get("name").clone());
    Ok(())
}

fn check_scheduling(scheduling: &Value) -> Result<(), String> {
    let zone = scheduling.get("timezone").text();
    if !is_zone(zone) {
        return Err(format!("{zone:?} is not a time zone such as \"Europe/Berlin\" or \"UTC\""));
    }
    let crons: Vec<&str> =
        scheduling.get("schedule").list().iter().map(|s| s.get("cron").text()).collect();
    let hours = crons.iter().map(|cron| Hours::parse(cron)).collect::<Result<Vec<_>, _>>()?;
    let all: Vec<_> = crons.iter().zip(&hours).collect();
    for (i, (cron, hours)) in all.iter().enumerate() {
        if let Some((other, _)) = all.iter().skip(i + 1).find(|(_, other)| hours.overlaps(other)) {
            return Err(format!("schedules overlap: {cron:?} and {other:?} share an hour"));
        }
    }
    Ok(())
}
