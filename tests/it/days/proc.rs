//! Processes of this machine, as `/proc` has them.

use rustix::process::{Pid, Signal, kill_process};

/// A process.
#[derive(Clone, Debug)]
pub struct Proc {
    pub pid: i32,
    pub parent: i32,
    pub uid: u32,
    pub command: String,
    environment: String,
}

impl Proc {
    fn read(pid: i32) -> Option<Self> {
        let at = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).ok();
        let text = |name: &str| Some(String::from_utf8_lossy(&at(name)?).replace('\0', " "));
        let status = text("status")?;
        let field = |key: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(key))?;
            line.split_whitespace().next()?.parse::<u32>().ok()
        };
        // What has ended and is not waited for runs no more.
        if status.contains("State:\tZ") {
            return None;
        }
        Some(Self {
            pid,
            parent: field("PPid:")?.try_into().ok()?,
            uid: field("Uid:")?,
            command: text("cmdline")?,
            environment: text("environ").unwrap_or_default(),
        })
    }

    /// Whether the text is in its command line or its environment.
    pub fn mentions(&self, text: &str) -> bool {
        self.command.contains(text) || self.environment.contains(text)
    }

    /// Ends it as a power cut would.
    pub fn kill(&self) {
        if let Some(pid) = Pid::from_raw(self.pid) {
            // It may have been faster.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Every process that fits.
pub fn all(fits: impl Fn(&Proc) -> bool) -> Vec<Proc> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse().ok());
    pids.filter_map(Proc::read).filter(|p| fits(p)).collect()
}
