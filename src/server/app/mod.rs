//! Use cases: who may, then one transaction. One file a noun.

pub mod access;
pub mod access_review;
mod accounts;
pub mod actor;
pub mod agent_reports;
pub mod agents;
mod asked_again;
pub mod attempts;
pub mod audit;
pub mod audit_chain;
pub mod audit_filters;
pub mod audit_page;
mod audit_things;
pub mod autofill;
pub mod breached;
pub mod break_glass;
pub mod build_requests;
pub mod builds;
pub mod calendar_feeds;
pub mod charters;
mod checks;
pub mod codes;
pub mod connection_log;
pub mod connections;
pub mod error;
pub mod external_agents;
pub mod factors;
pub mod favorites;
pub mod files;
mod grant_rows;
mod group_sync;
mod group_views;
pub mod groups;
mod guesses;
pub mod handover;
mod hashing;
pub mod health;
pub mod health_views;
pub mod identities;
pub mod identity_grants;
pub mod idp_syncs;
pub mod invitations;
mod job_ends;
pub mod job_views;
pub mod jobs;
pub mod joining;
mod known_providers;
pub mod leaked;
pub mod letters;
pub mod login_methods;
pub mod logs;
pub mod mail_servers;
pub mod mails;
pub mod members;
pub mod mfa_roles;
mod nameable;
mod new_users;
pub mod organizations;
pub mod page;
pub mod passkeys;
pub mod password;
mod password_changes;
pub mod password_sign_in;
pub mod password_strength;
pub mod people;
mod place_roles;
pub mod programs;
pub mod provider_changes;
mod provider_rules;
pub mod providers;
pub mod quotas;
pub mod recipients;
pub mod recording_blocks;
pub mod recording_search;
pub mod recording_views;
pub mod recordings;
pub mod refusals;
mod request_answers;
pub mod request_decisions;
pub mod request_hooks;
pub mod request_notices;
mod request_rights;
pub mod request_rules;
pub mod request_views;
pub mod requests;
pub mod retention;
mod role_sync;
pub mod roles;
pub mod rotation_layers;
pub mod rotation_overrides;
pub mod rotation_webhook;
pub mod rotations;
pub mod scim;
pub mod scim_groups;
pub mod scim_users;
pub mod second_factor;
pub mod service_accounts;
pub mod sessions;
pub mod settings;
pub mod sharing;
pub mod sharing_modes;
mod sharing_rights;
mod sharing_trail;
mod shift_ends;
pub mod shifts;
pub mod ssh_keys;
pub mod stats;
mod sync;
mod sync_rules;
pub mod sync_trial;
mod sync_words;
pub mod template_acl;
mod template_rights;
pub mod templates;
pub mod terminals;
pub mod their_sessions;
mod token_cache;
pub mod token_ends;
pub mod tokens;
mod trail;
pub mod transfers;
mod trial;
pub mod users;
pub mod uses;
pub mod versions;
pub mod waking;
pub mod what_if;
pub mod workspace_search;
pub mod workspaces;

use std::sync::Arc;
use std::time::Duration;

pub use actor::{Actor, Caller, Keeper, Program, Request, Via};
pub use error::{Error, Result};
pub use page::Page;
use tokio::sync::Semaphore;

use crate::clock::{Clock, Entropy};
use crate::model::event::Event;
use crate::model::factor::MfaRoles;
use crate::model::mail::MailServer;
use crate::model::recording;
use crate::server::db::Db;
use crate::server::db::seal::Seal;

/// The use cases; clones share everything.
#[derive(Clone)]
pub struct App {
    pub(in crate::server) db: Db,
    pub(in crate::server) clock: Clock,
    pub(in crate::server) entropy: Entropy,
    pub(in crate::server) seal: Seal,
    passwords: Arc<password::Hasher>,
    judge: Arc<password_strength::Judge>,
    uses: Arc<uses::Uses>,
    refusals: Arc<refusals::Refusals>,
    /// Room for one verification of the audit log.
    verifying: Arc<Semaphore>,
    token_cache: Arc<token_cache::TokenCache<tokens::Known>>,
    provider_rules: Arc<provider_rules::ProviderRules>,
    mfa_required: Arc<mfa_roles::Required>,
    asked_again: Arc<asked_again::AskedAgain>,
    looks: Arc<recording_views::Looks>,
    /// What the operator chose.
    pub policy: Arc<Policy>,
}

/// What the operator chose and use cases must know.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Where the server is reached, without a slash at the end.
    pub access_url: String,
    /// How long a session lasts without use.
    pub session_duration: Duration,
    /// The longest life of an API token.
    pub max_token_lifetime: Duration,
    /// Whether people may sign in by password; owners always may.
    pub password_auth: bool,
    /// Passwords that are known to have leaked, which nobody may choose.
    pub breached: Option<Arc<breached::Breached>>,
    /// Roles whose holders must have a second factor, besides those that owners add.
    pub mfa_roles: MfaRoles,
    /// How long what happened is kept.
    pub retention: retention::Retention,
    /// Which sessions are recorded, and how.
    pub recording: recording::Policy,
    /// This program, for other machines.
    pub programs: programs::Programs,
    /// The server that mails go through; the one that owners set when absent.
    pub mail: Option<MailServer>,
}

impl App {
    /// Puts the use cases over a database.
    #[must_use]
    pub fn new(db: Db, clock: Clock, entropy: Entropy, seal: Seal, policy: Policy) -> Self {
        let passwords = Arc::new(password::Hasher::new(entropy.clone()));
        let mfa_required = Arc::new(mfa_roles::Required::new(&policy.mfa_roles));
        let (uses, token_cache, policy) = (Arc::default(), Arc::default(), Arc::new(policy));
        let (refusals, verifying) = (Arc::default(), Arc::new(Semaphore::new(1)));
        Self {
            db,
            clock,
            entropy,
            seal,
            passwords,
            judge: Arc::default(),
            uses,
            refusals,
            verifying,
            token_cache,
            provider_rules: Arc::default(),
            mfa_required,
            asked_again: Arc::default(),
            looks: Arc::default(),
            policy,
        }
    }

    /// What commits announce from now on. A listener that lagged re-reads everything.
    #[must_use]
    pub fn events(&self) -> tokio::sync::broadcast::Receiver<Event> {
        self.db.events()
    }

    /// The chance that use cases draw.
    #[must_use]
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// The clock that use cases read.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
