//! Newer programs for agents whose machines nobody else keeps up to date.

use super::Fleet;
use super::socket::Control;
use crate::wire::agent::{ToAgent, Update};
use crate::wire::program::{self, Platform};

impl Fleet {
    /// Offers an older agent this server's program, when it wants one for its machine. Other agents
    /// than external ones fetch it at each start.
    pub(super) async fn offer_update(
        &self,
        (wanted, its_version): (Option<Platform>, &str),
        control: &Control,
    ) {
        let Some(platform) = wanted else { return };
        if !program::is_newer(program::version(), its_version) {
            return;
        }
        let Ok(Ok(found)) = self.0.app.policy.programs.find(platform).await else {
            return tracing::info!(%platform, "an older agent stays as it is: no program for it");
        };
        let update = Update {
            version: program::version().to_owned(),
            path: format!("/bin/{}", platform.file()),
            bytes: found.len(),
            sha256: hex::encode(found.sha256()),
        };
        control.say(&ToAgent::Update { update });
    }
}
