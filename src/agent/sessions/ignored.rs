//! Signals this process ignores because its parent did: started processes would ignore them, too.

use tokio::signal::unix::{SignalKind, signal};

/// Handled or left as they are by the runtime and the standard library, or not to be handled.
const LEFT_ALONE: &[i32] = &[4, 8, 9, 11, 13, 17, 19];

/// Makes ignored signals default for processes that are started from now on. An agent started in
/// the background of a script ignores Ctrl-C, under `nohup` hanging up: its shells must not. A
/// handler that does nothing changes nothing here and does not outlive `exec`.
pub(super) fn undo() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for number in ignored(&status).filter(|n| !LEFT_ALONE.contains(n)) {
        if let Err(error) = signal(SignalKind::from_raw(number)) {
            tracing::warn!(%error, signal = number, "started processes will ignore a signal");
        }
    }
}

fn ignored(status: &str) -> impl Iterator<Item = i32> {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    (1..=31).filter(move |number| mask & (1 << (number - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_read() {
        let status = "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001006\n";
        assert_eq!(ignored(status).collect::<Vec<_>>(), [2, 3, 13]);
        assert_eq!(ignored("").count(), 0);
    }
}
