//! In the same process.

use std::path::Path;

use crate::agent::Agent;

/// Makes this process the other program's.
///
/// # Errors
/// Always: else it does not return.
pub(in crate::agent) async fn run(program: &Path, _: Agent) -> std::io::Result<u8> {
    Err(crate::spawn::become_other(program))
}
