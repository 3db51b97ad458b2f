//! One process with everything it starts: a session of its own, a time limit, an end for the whole group.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::platform;

/// What a process gets to tidy up between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// What to run.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, as [`platform::add_arguments`] takes them.
    pub args: Vec<OsString>,
    /// All of its environment.
    pub env: BTreeMap<String, String>,
    /// Where it starts.
    pub directory: PathBuf,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code; -1 when it was killed.
    pub code: i32,
    /// Whether it took too long.
    pub timed_out: bool,
}

/// A running process and its group.
pub struct Process(Group);

impl Command {
    /// Starts it with output to be read and no input.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(&self) -> std::io::Result<(Process, ChildStdout, ChildStderr)> {
        let mut command = std::process::Command::new(&self.program);
        platform::add_arguments(&mut command, &self.args);
        command.env_clear().envs(&self.env).current_dir(&self.directory);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::start(command)?;
        let (_, stdout, stderr) = group.pipes();
        let stdout = stdout.expect("standard output is piped");
        let stderr = stderr.expect("standard error is piped");
        Ok((Process(group), stdout, stderr))
    }
}

impl Process {
    /// Waits for its end; ends the whole group when `limit` (zero for none) is over or `stop` is
    /// cancelled. What it started and left behind is not touched when it ends by itself: a start
    /// script may start servers.
    ///
    /// # Errors
    /// When its end cannot be learnt.
    pub async fn end(
        mut self,
        limit: Duration,
        stop: &CancellationToken,
    ) -> std::io::Result<Ended> {
        let over = async {
            if limit.is_zero() { std::future::pending().await } else { sleep(limit).await }
        };
        let timed_out = tokio::select! {
            status = self.0.wait() => return status.map(|s| ended(s, false)),
            () = over => true,
            () = stop.cancelled() => false,
        };
        self.0.ask();
        let status = match timeout(GRACE, self.0.wait()).await {
            Ok(status) => status,
            Err(_) => {
                self.0.end();
                self.0.wait().await
            }
        };
        // Its own end may leave the rest of the group behind.
        self.0.end();
        status.map(|s| ended(s, timed_out))
    }
}

fn ended(status: ExitStatus, timed_out: bool) -> Ended {
    let code = if timed_out { -1 } else { status.code().unwrap_or(-1) };
    Ended { code, timed_out }
}

/// Reads at most `limit` bytes and throws the rest away, so that whoever writes never waits.
pub async fn read_at_most(mut from: impl AsyncRead + Unpin, limit: usize) -> Vec<u8> {
    let (mut out, mut buffer) = (vec![], [0; 1024]);
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let room = limit.saturating_sub(out.len()).min(n);
        out.extend_from_slice(buffer.get(..room).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str) -> Command {
        Command {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), text.into()],
            env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            directory: "/".into(),
        }
    }

    async fn run(text: &str, limit: Duration) -> (Ended, String) {
        let (process, out, _err) = shell(text).start().unwrap();
        let stop = CancellationToken::new();
        let (ended, out) = tokio::join!(process.end(limit, &stop), read_at_most(out, 64));
        (ended.unwrap(), String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn exit_codes_and_output_are_told() {
        let (ended, out) = run("echo hello; exit 3", Duration::ZERO).await;
        assert_eq!(ended, Ended { code: 3, timed_out: false });
        assert_eq!(out, "hello\n");
        let (ended, _) = run("kill -9 $$", Duration::ZERO).await;
        assert_eq!(ended, Ended { code: -1, timed_out: false });
        let (_, out) = run("yes | head -c 100000", Duration::ZERO).await;
        assert_eq!(out.len(), 64);
    }

    #[tokio::test]
    async fn a_time_limit_ends_the_whole_group() {
        // The output ends only when the child in the background is gone as well.
        let text = "sleep 1000 & exec sleep 1000";
        let (ended, _) = run(text, Duration::from_millis(50)).await;
        assert_eq!(ended, Ended { code: -1, timed_out: true });
    }

    #[tokio::test]
    async fn it_can_be_stopped() {
        let (process, _out, _err) = shell("exec sleep 1000").start().unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        let ended = process.end(Duration::ZERO, &stop).await.unwrap();
        assert_eq!(ended, Ended { code: -1, timed_out: false });
    }
}
