//! `netcheck`: what this machine's network allows, as JSON in the form that plug-ins show.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};

use super::context::Context;
use crate::net::{Overlay, OverlayConfig};

/// How long the node is given to look around.
const LOOK: Duration = Duration::from_millis(200);

/// Runs the command.
///
/// # Errors
/// When no server is known.
pub async fn run(ctx: &Context) -> anyhow::Result<()> {
    let client = ctx.client_for(ctx.url()?, ctx.token().ok().as_deref())?;
    let began = ctx.clock.instant();
    let answer = client.build_info().await;
    let took = ctx.clock.instant().duration_since(began);
    let (endpoints, udp_error) = endpoints(ctx).await;
    let mut warnings = Vec::new();
    if let Err(error) = &answer {
        warnings.push(json!({ "code": "EACS01", "message": format!("{error:#}") }));
    }
    if let Some(error) = &udp_error {
        warnings.push(json!({ "code": "EUDP01", "message": error }));
    }
    let severity = match (&answer, &udp_error) {
        (Err(_), _) => "error",
        (Ok(_), Some(_)) => "warning",
        (Ok(_), None) => "ok",
    };
    let report: Value = json!({
        "derp": {
            "healthy": answer.is_ok(),
            "severity": severity,
            "warnings": warnings,
            "dismissed": false,
            "regions": {},
            "netcheck": {
                "UDP": udp_error.is_none(),
                "IPv4": endpoints.iter().any(SocketAddr::is_ipv4),
                "IPv6": endpoints.iter().any(SocketAddr::is_ipv6),
            },
            "netcheck_err": udp_error,
            "netcheck_logs": [],
        },
        "interfaces": {
            "severity": "ok",
            "warnings": [],
            "dismissed": false,
            "interfaces": [],
        },
        "server": {
            "url": client.server_text(),
            "version": answer.as_ref().ok().map(|b| b.version.clone()),
            "answered_ms": took.as_secs_f64() * 1000.0,
            "reachable": answer.is_ok(),
        },
        "endpoints": endpoints,
    });
    ctx.out.json(&report)
}

/// Where this machine could be reached by UDP.
async fn endpoints(ctx: &Context) -> (Vec<SocketAddr>, Option<String>) {
    let config = OverlayConfig {
        secret: ctx.entropy.bytes(),
        bind: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        address: Ipv6Addr::UNSPECIFIED,
    };
    let started = Overlay::start(config, ctx.clock.clone(), ctx.entropy.clone(), &ctx.tasks).await;
    match started {
        Ok(overlay) => {
            tokio::time::sleep(LOOK).await;
            (overlay.endpoints(), None)
        }
        Err(error) => (vec![], Some(format!("{error:#}"))),
    }
}
