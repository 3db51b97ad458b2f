//! Calls about recordings.

use crate::cli::args::recordings::Sought;
use crate::cli::client::Client;
use crate::wire::recordings::{Command, Recording};

impl Client {
    /// Recordings, newest first.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn recordings(
        &self,
        workspace: &str,
        sought: &Sought,
    ) -> anyhow::Result<Vec<Recording>> {
        self.sought("/api/v2/recordings", workspace, sought).await
    }

    /// Commands in recorded sessions, newest first.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn commands(&self, workspace: &str, sought: &Sought) -> anyhow::Result<Vec<Command>> {
        self.sought("/api/v2/recordings/commands", workspace, sought).await
    }

    async fn sought<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        workspace: &str,
        sought: &Sought,
    ) -> anyhow::Result<T> {
        let (limit, offset) = (sought.limit.to_string(), sought.offset.to_string());
        let query = [
            ("workspace", workspace),
            ("user", &*sought.user),
            ("search", &*sought.search),
            ("from", &*sought.from),
            ("until", &*sought.until),
            ("limit", &*limit),
            ("offset", &*offset),
        ];
        self.query(path, &query).await
    }
}
