//! The SSH server that the front door and `ssh --stdio` share, and what an agent needs to serve its sessions.
//!
//! A connection is served by [`serve`]; who may enter and where a login name leads is asked of a
//! [`Gate`]. Each channel becomes a stream to the agent over a [`Link`], speaking
//! [`crate::wire::session`].

pub mod channel;
pub mod config;
pub mod frames;
pub mod gate;
mod handler;
mod inbox;
mod inboxes;
pub mod keys;
mod many;
pub mod opening;
mod pump;
pub mod queries;
mod record;
mod remote;
pub mod screen;
mod session;
pub mod sftp;
pub mod sftp_reply;
pub mod sftp_watch;
mod signal;
pub mod stream;
mod transport;
pub mod view;
pub mod watched;

pub use channel::{is_variable, may_set};
pub use config::{Auth, Config};
pub use gate::{Began, Ended, Gate, Link, Opening, Say, Who};
pub use session::serve;
pub use stream::{AsyncReadWrite, BoxFuture, BoxStream};
