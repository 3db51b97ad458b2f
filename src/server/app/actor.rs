//! Whoever asks. Only `web::access` makes one from a request; only `jobs` and `fleet` use the program itself.

use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;

use super::error::{Error, Result};
use crate::model::factor::{Ask, FRESH, Mfa};
use crate::model::id::{AgentId, IdentityGrantId, SshKeyId, TokenId, UserId, WorkspaceId};
use crate::model::policy::{self, Action, Because, Context, Denied, Object, Permission, Subject};
use crate::model::session::{Proof, Shown};
use crate::model::time::Timestamp;
use crate::model::user::{TokenKind, User, UserKind};

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
    /// An identity provider that keeps users and groups by SCIM.
    Scim(Arc<Keeper>),
    /// A program that brings what people answer, signed with its organization's secret.
    Program(Arc<Program>),
    /// The program itself.
    System,
}

/// A program that brings answers, as the log has it.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its address.
    pub ip: String,
    /// The request it came with.
    pub request: Option<Arc<Request>>,
}

/// An identity provider that asks by SCIM.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The settings by which its people sign in; empty for none.
    pub provider: String,
    /// Its address.
    pub ip: String,
    /// The request it came with.
    pub request: Option<Arc<Request>>,
}

/// A signed-in user and how they came.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who, as of this request.
    pub user: User,
    /// What they showed.
    pub via: Via,
    /// What a provider granted for it: what they begin ends with that.
    pub identity_grant: Option<IdentityGrantId>,
    /// Their address.
    pub ip: String,
    /// What their roles and what they showed let them do.
    pub subject: Subject,
    /// What is known of second factors.
    pub mfa: Mfa,
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

    /// Whether they came by a session, of a browser or a command line.
    #[must_use]
    pub fn is_session(&self) -> bool {
        matches!(self.via, Via::Token(_, TokenKind::Session))
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
            Self::Scim(mut keeper) => {
                Arc::make_mut(&mut keeper).request = Some(request);
                Self::Scim(keeper)
            }
            Self::Agent { .. } | Self::Program(_) | Self::System => self,
        }
    }

    /// The user who asks.
    ///
    /// # Errors
    /// When it is no user.
    pub fn caller(&self) -> Result<&Caller> {
        match self {
            Self::User(caller) => Ok(caller),
            Self::Agent { .. } | Self::Scim(_) | Self::Program(_) | Self::System => {
                Err(Error::denied("this is for users"))
            }
        }
    }

    /// The identity provider that asks by SCIM.
    ///
    /// # Errors
    /// When it is none.
    pub fn keeper(&self) -> Result<&Keeper> {
        match self {
            Self::Scim(keeper) => Ok(keeper),
            Self::User(_) | Self::Agent { .. } | Self::Program(_) | Self::System => {
                Err(Error::denied("this is for an identity provider"))
            }
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
            Self::Agent { .. } | Self::Scim(_) | Self::Program(_) | Self::System => Ok(()),
        }
    }

    /// Asks for a second factor given lately, of who has one and comes by a session: before what is
    /// dangerous, and cannot be taken back. Programs come by tokens, which have limits instead.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`] otherwise.
    pub fn require_fresh(&self, now: Timestamp) -> Result<()> {
        match self {
            Self::User(caller) if caller.is_session() && caller.mfa.has_factor => {
                let fresh = caller.mfa.is_fresh(now, FRESH);
                if fresh { Ok(()) } else { Err(Error::Unconfirmed(Ask::Factor)) }
            }
            Self::User(_)
            | Self::Agent { .. }
            | Self::Scim(_)
            | Self::Program(_)
            | Self::System => Ok(()),
        }
    }

    /// The id of the user who asks, if it is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User(caller) => Some(caller.user.id),
            Self::Agent { .. } | Self::Scim(_) | Self::Program(_) | Self::System => None,
        }
    }

    /// What a provider granted for whoever asks: what they begin ends with that.
    #[must_use]
    pub fn identity_grant(&self) -> Option<IdentityGrantId> {
        match self {
            Self::User(caller) => caller.identity_grant,
            Self::Agent { .. } | Self::Scim(_) | Self::Program(_) | Self::System => None,
        }
    }

    /// What whoever asks had shown, from this address.
    #[must_use]
    pub fn shown(&self, ip: Option<IpAddr>) -> Shown {
        let mfa_at = self.context(Timestamp::default()).mfa_at;
        let by = self.caller().ok().map(|caller| match caller.via {
            Via::Token(id, _) => Proof::Token(id),
            Via::Key(id) => Proof::Key(id),
        });
        Shown { identity_grant: self.identity_grant(), by, ip, mfa_at }
    }

    /// The address the request came from; empty for the program itself.
    #[must_use]
    pub fn ip(&self) -> &str {
        match self {
            Self::User(caller) => &caller.ip,
            Self::Scim(keeper) => &keeper.ip,
            Self::Program(program) => &program.ip,
            Self::Agent { .. } | Self::System => "",
        }
    }

    /// What is known of whoever asks besides who it is.
    #[must_use]
    pub fn context(&self, now: Timestamp) -> Context<'static> {
        let mfa_at = match self {
            Self::User(caller) => caller.mfa.at,
            Self::Agent { .. } | Self::Scim(_) | Self::Program(_) | Self::System => None,
        };
        Context { now, ip: self.ip().parse().ok(), mfa_at, conditions: &[] }
    }

    /// Whether the actor may do something at `now`, and which rule says so.
    ///
    /// # Errors
    /// With the rule that is against it.
    pub fn decide(
        &self,
        now: Timestamp,
        action: Action,
        object: &Object,
    ) -> std::result::Result<Because, Denied> {
        match self {
            Self::User(caller) => {
                policy::decide(&caller.subject, action, object, &self.context(now))
            }
            // What a provider keeps has use cases of its own.
            Self::Agent { .. } | Self::Scim(_) | Self::Program(_) => {
                Err(Denied::NotHeld(Permission(object.kind, action)))
            }
            Self::System => Ok(Because::Site),
        }
    }

    /// Whether the actor may do something at `now`.
    #[must_use]
    pub fn may(&self, now: Timestamp, action: Action, object: &Object) -> bool {
        self.decide(now, action, object).is_ok()
    }

    /// Asks for the right to do something at `now`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the actor may not know of the thing, [`Error::Denied`] with the rule
    /// that is against it otherwise.
    pub fn require(&self, now: Timestamp, action: Action, object: &Object) -> Result<()> {
        let Err(denied) = self.decide(now, action, object) else { return Ok(()) };
        let seen = object.id.is_none() || self.may(now, Action::Read, object);
        match denied {
            Denied::Thing(kind) => Err(Error::NotFound(kind.noun())),
            Denied::Scope(_) => Err(Error::Denied(denied.to_string())),
            Denied::NotHeld(_) | Denied::TakenAway(_) | Denied::Unmet(_) if seen => {
                Err(Error::Denied(denied.to_string()))
            }
            Denied::NotHeld(_) | Denied::TakenAway(_) | Denied::Unmet(_) => {
                Err(Error::NotFound(object.kind.noun()))
            }
        }
    }

    /// Asks for a person, and for what is not limited to a scope: pages do more than one thing.
    ///
    /// # Errors
    /// [`Error::Denied`] for a token with limits, and for a service account.
    pub fn require_whole(&self) -> Result<()> {
        match self {
            Self::User(caller) if caller.user.kind == UserKind::Service => {
                Err(Error::denied("a service account uses the API"))
            }
            Self::User(caller) if !caller.subject.scope.is_all() => {
                Err(Error::denied("this token is for the API"))
            }
            Self::User(_)
            | Self::Agent { .. }
            | Self::Scim(_)
            | Self::Program(_)
            | Self::System => Ok(()),
        }
    }

    /// Asks whether there may be anything on which the actor has a permission.
    ///
    /// # Errors
    /// [`Error::Denied`] when there is nothing.
    pub fn require_ever(&self, permission: Permission) -> Result<()> {
        match self {
            Self::User(caller) => {
                caller.subject.may_ever(permission).map_err(|d| Error::Denied(d.to_string()))
            }
            Self::Agent { .. } | Self::Scim(_) | Self::Program(_) => {
                Err(Error::denied("this is for users"))
            }
            Self::System => Ok(()),
        }
    }
}
