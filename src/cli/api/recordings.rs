//! Calls about recordings.

use uuid::Uuid;

use crate::cli::args::recordings::{Search, Sought};
use crate::cli::client::Client;
use crate::wire::recordings::{Command, Found, Recording, Transfer};

/// A recording with what is told beside it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Shown {
    /// The recording.
    #[serde(flatten)]
    pub recording: Recording,
    /// What was run in it.
    pub commands: Vec<Command>,
    /// What its person moved meanwhile.
    pub transfers: Vec<Transfer>,
}

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

    /// What passed recorded sessions beside the recordings, newest first.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn transfers(
        &self,
        workspace: &str,
        sought: &Sought,
    ) -> anyhow::Result<Vec<Transfer>> {
        self.sought("/api/v2/recordings/transfers", workspace, sought).await
    }

    /// A recording with its commands and what passed meanwhile.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn recording(&self, id: Uuid) -> anyhow::Result<Shown> {
        let path = format!("/api/v2/recordings/{id}");
        Ok(Shown {
            recording: self.get(&path).await?,
            commands: self.get(&format!("{path}/commands")).await?,
            transfers: self.get(&format!("{path}/transfers")).await?,
        })
    }

    /// Where a text is in a recording.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn search_recording(&self, wanted: &Search) -> anyhow::Result<Found> {
        let path = format!("/api/v2/recordings/{}/search", wanted.id);
        let (from, limit) = (wanted.from.to_string(), wanted.limit.to_string());
        self.query(&path, &[("q", &*wanted.text), ("from", &*from), ("limit", &*limit)]).await
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
