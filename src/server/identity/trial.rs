//! Trying a provider out for who keeps the settings: bounded in time and number, and on record.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Providers, github, ldap};
use crate::model::provider::Steps;
use crate::model::time::{Timestamp, words};
use crate::server::app::{Actor, Error, Result};

/// Time for all steps of one trial. A person waits for it.
const WITHIN: Duration = Duration::from_secs(10);
/// So many trials are made in [`WHILE`]: each sends a provider some requests.
const AT_MOST: usize = 10;
const WHILE: Duration = Duration::from_mins(1);

/// When trials were made lately; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Trials(Arc<Mutex<VecDeque<Timestamp>>>);

impl Trials {
    /// Counts one.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there were many.
    fn begin(&self, now: Timestamp) -> Result<()> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.retain(|at| now.since(*at) < WHILE);
        if let Some(first) = lately.front().filter(|_| lately.len() >= AT_MOST) {
            let wait = words(WHILE.saturating_sub(now.since(*first)));
            return Err(Error::Conflict(format!(
                "{AT_MOST} tests in {} are enough; try again in {wait}",
                words(WHILE)
            )));
        }
        lately.push_back(now);
        Ok(())
    }
}

impl Providers {
    /// Runs what of a sign-in needs no person, up to the first step that is wrong. A directory also
    /// says what `username` would become.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such provider, [`Error::Denied`] for who may not,
    /// [`Error::Conflict`] after many of them.
    pub async fn try_out(&self, actor: &Actor, name: &str, username: &str) -> Result<Steps> {
        self.app.require_trial(actor)?;
        if !self.is_there(name) {
            return Err(Error::NotFound("provider"));
        }
        self.trials.begin(self.app.clock().now())?;
        let mut steps = Steps::default();
        let tried = async {
            match name {
                github::PROVIDER => self.github.try_out(&mut steps).await,
                ldap::PROVIDER => self.ldap.try_out(username, &mut steps).await,
                oidc => self.oidc.try_out(oidc, &mut steps).await,
            }
        };
        if tokio::time::timeout(WITHIN, tried).await.is_err() {
            let late = format!("the next answer did not come within {} s", WITHIN.as_secs());
            steps.note::<()>("Time", Err(late));
        }
        self.app.provider_tried(actor, name, &steps).await?;
        Ok(steps)
    }

    fn is_there(&self, name: &str) -> bool {
        match name {
            github::PROVIDER => self.github.settings().is_some(),
            ldap::PROVIDER => self.ldap.is_on(),
            oidc => self.oidc.all().any(|settings| settings.name == oidc),
        }
    }
}
