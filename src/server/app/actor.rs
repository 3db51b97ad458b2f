//! Whoever asks. Only `web::access` makes one from a request; only `jobs` and `fleet` use the program itself.

use std::sync::Arc;

use uuid::Uuid;

use super::error::{Error, Result};
use crate::model::id::{AgentId, SshKeyId, TokenId, UserId, WorkspaceId};
use crate::model::user::{SiteRole, TokenKind, User};

/// Whoever asks.
#[derive(Clone, Debug)]
pub enum Actor {
    /// Someone signed in, or a program with their token. Shared: a request hands it on many times.
    User(Arc<Caller>),
    /// An agent with its token.
    Agent {
        /// Which.
        agent: AgentId,
        /// Its workspace.
        workspace: WorkspaceId,
    },
    /// The program itself.
    System,
}

/// A signed-in user and how they came.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who, as of this request.
    pub user: User,
    /// What they showed.
    pub via: Via,
    /// Their address.
    pub ip: String,
    /// The request they came with; none where they came otherwise.
    pub request: Option<Arc<Request>>,
}

/// What the audit log says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number, as the server's log and the answer have it.
    pub id: Uuid,
    /// What the client calls itself; may be empty.
    pub user_agent: String,
}

/// What a user showed to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A token.
    Token(TokenId, TokenKind),
    /// An SSH key at the front door.
    Key(SshKeyId),
}

impl Caller {
    /// The token they came with, if it was one.
    #[must_use]
    pub fn token(&self) -> Option<TokenId> {
        match self.via {
            Via::Token(id, _) => Some(id),
            Via::Key(_) => None,
        }
    }
}

impl Actor {
    /// The same, in a request.
    #[must_use]
    pub fn within(self, request: Arc<Request>) -> Self {
        match self {
            Self::User(mut caller) => {
                Arc::make_mut(&mut caller).request = Some(request);
                Self::User(caller)
            }
            Self::Agent { .. } | Self::System => self,
        }
    }

    /// The user who asks.
    ///
    /// # Errors
    /// When it is no user.
    pub fn caller(&self) -> Result<&Caller> {
        match self {
            Self::User(caller) => Ok(caller),
            Self::Agent { .. } | Self::System => Err(Error::denied("this is for users")),
        }
    }

    /// Asks for more than a token lent to a workspace: what makes or changes a lasting way in.
    ///
    /// # Errors
    /// [`Error::Denied`] for such a token.
    pub fn require_own(&self) -> Result<()> {
        match self {
            Self::User(caller) => match caller.via {
                Via::Token(_, TokenKind::Workspace) => {
                    Err(Error::denied("a workspace's token cannot change accounts, tokens or keys"))
                }
                Via::Token(_, TokenKind::Session | TokenKind::Api) | Via::Key(_) => Ok(()),
            },
            Self::Agent { .. } | Self::System => Ok(()),
        }
    }

    /// The id of the user who asks, if it is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User(caller) => Some(caller.user.id),
            Self::Agent { .. } | Self::System => None,
        }
    }

    /// The address the request came from; empty for the program itself.
    #[must_use]
    pub fn ip(&self) -> &str {
        match self {
            Self::User(caller) => &caller.ip,
            Self::Agent { .. } | Self::System => "",
        }
    }

    /// Whether the actor has a site role, or is the program itself.
    #[must_use]
    pub fn has(&self, role: SiteRole) -> bool {
        match self {
            Self::User(caller) => caller.user.has(role),
            Self::Agent { .. } => false,
            Self::System => true,
        }
    }

    /// Asks for one of some site roles.
    ///
    /// # Errors
    /// [`Error::Denied`] when the actor has none of them.
    pub fn require_role(&self, roles: &[SiteRole]) -> Result<()> {
        if roles.iter().any(|r| self.has(*r)) {
            return Ok(());
        }
        let names: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
        Err(Error::Denied(format!("this needs the role {}", names.join(" or "))))
    }
}
