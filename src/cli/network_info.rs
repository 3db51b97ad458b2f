//! The file that editors' plug-ins read to show how a connection fares: `<parent's pid>.json`.

use std::path::Path as FilePath;
use std::time::Duration;

use super::args::connect::NetworkInfo;
use super::context::Context;
use super::tunnel::Tunnel;
use crate::model::duration;
use crate::net::{Path, PeerStatus};
use crate::tasks::OnPanic;

/// What plug-ins read; the names are theirs.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
struct Written {
    p2p: bool,
    latency: f64,
    preferred_derp: &'static str,
    derp_latency: std::collections::BTreeMap<&'static str, f64>,
    upload_bytes_sec: u64,
    download_bytes_sec: u64,
    using_coder_connect: bool,
}

/// How the relay is called where plug-ins show a region.
const RELAY: &str = "Steading";

/// Keeps the file, when one is asked for.
///
/// # Errors
/// When the interval is not one.
pub fn keep(ctx: &Context, args: &NetworkInfo, tunnel: &Tunnel) -> anyhow::Result<()> {
    let Some(directory) = args.network_info_dir.clone() else { return Ok(()) };
    let every = duration::parse(&args.network_info_interval)?.max(Duration::from_millis(200));
    // The `ssh` that runs us as its ProxyCommand, perhaps through a shell that became us.
    let Some(parent) = parent() else { return Ok(()) };
    let file = directory.join(format!("{parent}.json"));
    let tunnel = tunnel.clone();
    ctx.tasks.spawn("network info", OnPanic::Lose, async move {
        let mut tick = tokio::time::interval(every);
        let mut before = (0, 0);
        loop {
            tick.tick().await;
            let Some(status) = tunnel.status() else { continue };
            let now = (status.tx_bytes, status.rx_bytes);
            if let Err(error) = write(&file, &describe(&status, before, every)) {
                tracing::debug!(%error, "the network info cannot be written");
            }
            before = now;
        }
    });
    Ok(())
}

#[cfg(unix)]
fn parent() -> Option<u32> {
    Some(std::os::unix::process::parent_id())
}

#[cfg(windows)]
fn parent() -> Option<u32> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

    let own = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    let (which, what) = (ProcessesToUpdate::Some(&[own]), ProcessRefreshKind::nothing());
    system.refresh_processes_specifics(which, false, what);
    Some(system.process(own)?.parent()?.as_u32())
}

fn describe(status: &PeerStatus, (tx, rx): (u64, u64), every: Duration) -> Written {
    let latency = status.rtt.map_or(0.0, |rtt| rtt.as_secs_f64() * 1000.0);
    let per_second = |bytes: u64| {
        let ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).max(1);
        bytes.saturating_mul(1000) / ms
    };
    Written {
        p2p: matches!(status.path, Some(Path::Direct(_))),
        latency,
        preferred_derp: RELAY,
        derp_latency: [(RELAY, latency)].into(),
        upload_bytes_sec: per_second(status.tx_bytes.saturating_sub(tx)),
        download_bytes_sec: per_second(status.rx_bytes.saturating_sub(rx)),
        using_coder_connect: false,
    }
}

fn write(file: &FilePath, info: &Written) -> std::io::Result<()> {
    let part = file.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&part, serde_json::to_vec(info)?)?;
    std::fs::rename(part, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_bytes_a_second() {
        let status = PeerStatus {
            path: Some(Path::Relay),
            rtt: Some(Duration::from_millis(12)),
            tx_bytes: 1_500,
            rx_bytes: 20_000,
            last_handshake: None,
        };
        let info = describe(&status, (500, 0), Duration::from_secs(5));
        assert_eq!((info.upload_bytes_sec, info.download_bytes_sec), (200, 4_000));
        let json = serde_json::to_value(&info).unwrap();
        assert_eq!(json["p2p"], false);
        assert_eq!(json["latency"], 12.0);
        assert_eq!(json["preferred_derp"], "Steading");
    }
}
