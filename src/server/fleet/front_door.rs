//! The SSH front door: plain `ssh` with a key on file, no client needed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::Fleet;
use super::link::{AgentLink, Waiting};
use crate::model::user::UserRef;
use crate::net::accept;
use crate::server::app::{Actor, Via};
use crate::ssh::keys::{KeyPair, PublicKey};
use crate::ssh::{self, Auth, Began, Config, Ended, Gate, Link, Say, Who};
use crate::tasks::{OnPanic, Tasks};

/// SSH connections at once; more wait for one to end. Each costs some hundred kilobytes.
const MAX_CONNECTIONS: usize = 1024;

/// One connection's view of the fleet.
struct Door {
    fleet: Fleet,
    address: SocketAddr,
    /// Who the last accepted key stands for.
    actor: Mutex<Option<Actor>>,
    /// Sessions that began while it was not known yet where the login name leads.
    waiting: Arc<Waiting>,
    tasks: Tasks,
}

/// Listens for SSH. Who comes waits until the door is opened.
///
/// # Errors
/// When the address cannot be bound.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    accept::listen(address).with_context(|| format!("Listening for SSH on {address}"))
}

impl Fleet {
    /// Lets in who comes by SSH. Gives the address.
    ///
    /// # Errors
    /// When the listener has none.
    pub fn open_front_door(
        &self,
        listener: TcpListener,
        host_key: &KeyPair,
    ) -> anyhow::Result<SocketAddr> {
        let bound = listener.local_addr()?;
        let inner = &self.0;
        let config = Arc::new(Config::new(
            host_key,
            Auth::PublicKey,
            inner.clock.clone(),
            inner.entropy.clone(),
            inner.tasks.clone(),
        ));
        let fleet = self.clone();
        self.0.tasks.spawn("front-door", OnPanic::Stop, async move {
            fleet.accept_ssh(listener, config).await;
        });
        Ok(bound)
    }

    async fn accept_ssh(&self, listener: TcpListener, config: Arc<Config>) {
        let mut door = accept::Door::new(listener, MAX_CONNECTIONS, "SSH");
        loop {
            let (mut guest, address) = door.next().await;
            guest.hurry();
            let door = Arc::new(Door {
                fleet: self.clone(),
                address,
                actor: Mutex::default(),
                waiting: Arc::default(),
                tasks: self.0.tasks.clone(),
            });
            let config = Arc::clone(&config);
            self.0.tasks.spawn("ssh-connection", OnPanic::Lose, async move {
                if let Err(error) = ssh::serve(guest, config, door).await {
                    tracing::debug!(client.address = %address, %error, "an SSH connection ended early");
                }
            });
        }
    }
}

impl Gate for Door {
    async fn authenticate(&self, _: &str, key: &PublicKey) -> Option<Who> {
        let ip = self.address.ip().to_string();
        let found = self.fleet.0.app.authenticate_key(&key.fingerprint(), &ip).await;
        let actor = match found {
            Ok(found) => found?,
            Err(error) => {
                tracing::error!(%error, "an SSH key could not be looked up");
                return None;
            }
        };
        let caller = actor.caller().ok()?;
        let user = UserRef { id: caller.user.id, username: caller.user.username.clone() };
        let key = match caller.via {
            Via::Key(key) => Some(key),
            Via::Token(..) => None,
        };
        *super::lock(&self.actor) = Some(actor);
        Some(Who { user, key })
    }

    async fn link(&self, who: &Who, login: &str, say: Say) -> Result<Arc<dyn Link>, String> {
        let Some(actor) = super::lock(&self.actor).clone() else {
            return Err("you are not signed in".to_owned());
        };
        let (workspace, agent) = self.fleet.reach(&actor, login, &say).await?;
        Ok(Arc::new(AgentLink {
            fleet: self.fleet.clone(),
            workspace: workspace.id,
            agent: agent.id,
            user: who.user.clone(),
            actor: actor.clone(),
            address: self.address.ip().to_string(),
            waiting: Arc::clone(&self.waiting),
        }))
    }

    fn began(&self, began: &Began) {
        super::lock(&self.waiting.0).insert(began.session, began.clone());
    }

    fn ended(&self, ended: &Ended) {
        super::lock(&self.waiting.0).remove(&ended.session);
        let (fleet, ended) = (self.fleet.clone(), *ended);
        self.tasks.spawn_graceful("ssh-session-end", OnPanic::Lose, async move {
            fleet.end(ended.session, ended.reason).await;
        });
    }
}
