//! `port-forward`: ports of a workspace on this machine, until it is stopped.

use anyhow::{Context as _, ensure};

use super::args::connect::{NetworkInfo, PortForward, Wait};
use super::context::Context;
use super::reach::Way;
use super::reference::Reference;
use super::ssh::{self, Local};

/// Most ports of one run. Each is a listener here.
const MAX_PORTS: usize = 1_000;

/// Runs the command.
///
/// # Errors
/// When a port here is taken, or the workspace cannot be reached.
pub async fn run(ctx: &Context, args: PortForward) -> anyhow::Result<()> {
    let reference: Reference = args.workspace.parse()?;
    let mut forwards = Vec::new();
    for spec in &args.tcp {
        forwards.extend(read(spec)?);
    }
    ensure!(forwards.len() <= MAX_PORTS, "At most {MAX_PORTS} ports can be forwarded at once.");
    let client = ctx.client()?;
    let way = Way { wait: Wait::No, autostart: !args.disable_autostart, reason: "ssh_connection" };
    let info = NetworkInfo::default();
    let link = ssh::connect(ctx, &client, (&reference, way), (&info, None)).await?;
    for forward in forwards {
        let port = forward.to.1;
        let at = ssh::serve_local(ctx, &link, forward).await?;
        ctx.out.line(&format!("{at} leads to port {port} of {reference}"))?;
    }
    ctx.out.note("Ready. Ctrl-C ends it.");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        why = link.refused() => anyhow::bail!("The connection was ended: {why}"),
    }
}

/// Reads `8080`, `8080:80`, `8080-8082`, `9000-9002:8000-8002`, or an address before the local port.
fn read(spec: &str) -> anyhow::Result<Vec<Local>> {
    let bad = || format!("--tcp {spec:?} is not LOCAL:REMOTE; write 8080:80, 8080 or 8080-8082");
    let (address, ports) = match spec.rsplitn(3, ':').collect::<Vec<_>>()[..] {
        [remote, local, address] => (address, (local, remote)),
        [remote, local] => ("127.0.0.1", (local, remote)),
        [both] => ("127.0.0.1", (both, both)),
        _ => ("", ("", "")),
    };
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let local = range(ports.0).with_context(bad)?;
    let remote = range(ports.1).with_context(bad)?;
    ensure!(local.len() == remote.len(), "--tcp {spec:?}: the two ranges differ in length.");
    Ok(local
        .zip(remote)
        .map(|(local, remote)| Local {
            listen: (address.to_owned(), local),
            to: ("localhost".to_owned(), remote),
        })
        .collect())
}

fn range(text: &str) -> anyhow::Result<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.trim().parse()?..=last.trim().parse()?;
    ensure!(!range.is_empty(), "{text:?} is an empty range");
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_alone_in_pairs_and_in_ranges() {
        let check = |spec: &str, expected: &[(&str, u16, u16)]| {
            let read = read(spec).unwrap();
            let read: Vec<_> =
                read.iter().map(|l| (l.listen.0.as_str(), l.listen.1, l.to.1)).collect();
            assert_eq!(read, expected, "{spec}");
        };
        check("8080", &[("127.0.0.1", 8080, 8080)]);
        check("9000:80", &[("127.0.0.1", 9000, 80)]);
        check("0.0.0.0:9000:80", &[("0.0.0.0", 9000, 80)]);
        check("[::1]:9000:80", &[("::1", 9000, 80)]);
        check("1-2:5-6", &[("127.0.0.1", 1, 5), ("127.0.0.1", 2, 6)]);
        assert!(read("1-2:5").is_err());
        assert!(read("2-1").is_err());
        assert!(read("http").is_err());
    }
}
