//! Trying a provider out for who keeps the settings: bounded in time and number, and on record.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::settings::Read;
use super::{InForce, github, ldap};
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

impl InForce {
    /// Runs what of a sign-in needs no person, up to the first step that is wrong. A directory also
    /// says what `username` would become.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such provider, [`Error::Denied`] for who may not,
    /// [`Error::Conflict`] after many of them.
    pub async fn try_out(&self, actor: &Actor, name: &str, username: &str) -> Result<Steps> {
        self.app.require_trial(actor)?;
        if !self.names().contains(name) {
            return Err(Error::NotFound("provider"));
        }
        self.begin_trial()?;
        let mut steps = Steps::default();
        let run = async {
            match name {
                github::PROVIDER => self.github.try_out(&mut steps).await,
                ldap::PROVIDER => self.ldap.try_out(username, &mut steps).await,
                oidc => self.oidc.try_out(oidc, &mut steps).await,
            }
        };
        let in_time = tokio::time::timeout(WITHIN, run).await.is_ok();
        self.end_trial(actor, name, (steps, in_time)).await
    }

    /// The same with settings that are not in force.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] after many of them.
    pub(super) async fn try_draft(
        &self,
        actor: &Actor,
        (name, read): (&str, Read),
        username: &str,
    ) -> Result<Steps> {
        self.begin_trial()?;
        let mut steps = Steps::default();
        let run = async {
            match read {
                Read::Oidc(settings) => self.oidc.try_draft(*settings, &mut steps).await,
                Read::Github(settings) => {
                    self.github.with(Some(*settings)).try_out(&mut steps).await
                }
                Read::Ldap(settings) => match self.ldap.with(Some(*settings)) {
                    Ok(ldap) => ldap.try_out(username, &mut steps).await,
                    Err(why) => steps.note("Authority", Err(why.to_string())),
                },
                Read::Scim(_) => None,
            }
        };
        let in_time = tokio::time::timeout(WITHIN, run).await.is_ok();
        self.end_trial(actor, name, (steps, in_time)).await
    }

    fn begin_trial(&self) -> Result<()> {
        self.trials.begin(self.app.clock().now())
    }

    async fn end_trial(
        &self,
        actor: &Actor,
        name: &str,
        (mut steps, in_time): (Steps, bool),
    ) -> Result<Steps> {
        if !in_time {
            let late = format!("the next answer did not come within {} s", WITHIN.as_secs());
            steps.note::<()>("Time", Err(late));
        }
        self.app.provider_tried(actor, name, &steps).await?;
        Ok(steps)
    }
}
