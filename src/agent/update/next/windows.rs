//! As a child: a process cannot be another program's here. The first program waits for as long as
//! there are others, so that whoever started it sees no end; each of them ends to make room, and is
//! not the parent of the next.

use std::io;
use std::path::Path;

use process_wrap::tokio::{CommandWrap, JobObject, KillOnDrop};

use crate::agent::{Agent, LAST_WORDS};

/// Set for a program that the first one waits for.
pub const VARIABLE: &str = "STEADING_AGENT_FOLLOWS";
/// What such a program ends with to be run again.
const AGAIN: u8 = 75;

/// Ends what this program does and has the other run, until that ends for good. Gives its exit code.
///
/// # Errors
/// When it cannot be started.
pub(in crate::agent) async fn run(program: &Path, agent: Agent) -> io::Result<u8> {
    let follows = agent.base.account.environment.contains_key(VARIABLE);
    let tasks = agent.base.tasks.clone();
    // The server refuses the next while this one is connected.
    drop(agent);
    tasks.stop(LAST_WORDS).await;
    if follows {
        return Ok(AGAIN);
    }
    loop {
        let mut command = tokio::process::Command::new(program);
        command.args(std::env::args_os().skip(1)).env(VARIABLE, "1");
        // With this one's end all of them end.
        let mut child = CommandWrap::from(command).wrap(KillOnDrop).wrap(JobObject).spawn()?;
        let code = child.inner_mut().wait().await?.code();
        let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
        if code != AGAIN {
            return Ok(code);
        }
    }
}
