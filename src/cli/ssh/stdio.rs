//! `ssh --stdio`: an SSH server on standard input and output, whose channels go through the tunnel.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::cli::args::connect::NetworkInfo;
use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::reach::Way;
use crate::cli::reference::Reference;
use crate::model::name::UserName;
use crate::model::session::SessionKind;
use crate::model::user::UserRef;
use crate::ssh::keys::{KeyPair, PublicKey};
use crate::ssh::{Auth, Began, Config, Ended, Gate, Link, Say, Who, serve};

/// Serves one connection to its end.
///
/// # Errors
/// When the workspace cannot be reached, or the client breaks the protocol.
pub async fn run(
    ctx: &Context,
    client: &Arc<Client>,
    to: (&Reference, Way<'_>),
    how: (&NetworkInfo, Option<SessionKind>),
) -> anyhow::Result<()> {
    let user = client.user("me").await?;
    let username = UserName::parse(&user.username)
        .map_err(|e| anyhow::anyhow!("The server says you are {:?}, which {e}.", user.username))?;
    let who = Who { user: UserRef { id: user.id.into(), username }, key: None };
    let link = super::connect(ctx, client, to, how).await?;
    let refused = {
        let link = Arc::clone(&link);
        async move { link.refused().await }
    };
    let config = Config::new(
        &KeyPair::generate(&ctx.entropy, ""),
        Auth::Proven(who),
        ctx.clock.clone(),
        ctx.entropy.clone(),
        ctx.tasks.clone(),
    );
    let (input, output) = stdio()?;
    let io = tokio::io::join(input, output);
    tokio::select! {
        done = serve(io, Arc::new(config), Arc::new(OneWay(link))) => done,
        why = refused => anyhow::bail!("The connection was ended: {why}"),
    }
}

/// A gate that leads to one workspace only: the tunnel has proven who one is.
struct OneWay(Arc<dyn Link>);

impl Gate for OneWay {
    async fn authenticate(&self, _: &str, _: &PublicKey) -> Option<Who> {
        None
    }

    async fn link(&self, _: &Who, _: &str, _: Say) -> Result<Arc<dyn Link>, String> {
        Ok(Arc::clone(&self.0))
    }

    fn began(&self, began: &Began) {
        tracing::debug!(session.id = %began.session, kind = %began.kind, "a session began");
    }

    fn ended(&self, ended: &Ended) {
        tracing::debug!(session.id = %ended.session, reason = %ended.reason, "a session ended");
    }
}

type Input = Box<dyn AsyncRead + Send + Unpin>;
type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Standard input and output without a thread between, where they are pipes as SSH clients give them.
#[cfg(unix)]
fn stdio() -> anyhow::Result<(Input, Output)> {
    use std::os::fd::AsFd as _;

    use anyhow::Context as _;
    use tokio::net::unix::pipe;

    let doing = "Taking over standard input and output";
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().context(doing)?;
    let stdout = std::io::stdout().as_fd().try_clone_to_owned().context(doing)?;
    let input: Input = match pipe::Receiver::from_owned_fd(stdin) {
        Ok(pipe) => Box::new(pipe),
        Err(_) => Box::new(tokio::io::stdin()),
    };
    let output: Output = match pipe::Sender::from_owned_fd(stdout) {
        Ok(pipe) => Box::new(pipe),
        Err(_) => Box::new(tokio::io::stdout()),
    };
    Ok((input, output))
}

/// Standard input and output.
#[cfg(not(unix))]
fn stdio() -> anyhow::Result<(Input, Output)> {
    Ok((Box::new(tokio::io::stdin()), Box::new(tokio::io::stdout())))
}
