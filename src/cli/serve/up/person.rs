//! The owner of a server on one's own machine: made at the first start, found again at the next.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::args::serve::Up;
use crate::cli::client::Client;
use crate::cli::config::Config;
use crate::cli::context::{Context, read_url};
use crate::cli::ssh_keys::{own_keys, read_key};
use crate::cli::{prompt, users};
use crate::model::id::TokenId;
use crate::model::name::UserName;
use crate::model::user::{SiteRole, TokenKind, User, UserKind, UserStatus};
use crate::server::Server;
use crate::server::app::users::{CreateUser, UserFilter};
use crate::server::app::{Actor, Caller, Via};
use crate::ssh::keys::KeyPair;
use crate::wire::coder::tokens::CreateSshKey;

/// The name when the one on this machine does not fit.
const NAME: &str = "owner";

/// The owner, signed in.
pub struct Person {
    /// The name.
    pub username: String,
    /// The password that was made, to be shown once.
    pub made_password: Option<String>,
    /// A session.
    pub token: String,
}

impl Person {
    /// The owner there is, else a new one.
    ///
    /// # Errors
    /// When the name or the password does not fit, or the owner cannot be told.
    pub async fn find_or_make(
        ctx: &Context,
        server: &Server,
        (args, data, url): (&Up, &Path, &str),
    ) -> anyhow::Result<Self> {
        let (user, made_password) = if server.app.has_users().await? {
            (owner(server, args).await?, None)
        } else {
            make(ctx, server, args).await?
        };
        let username = user.username.to_string();
        let kept = Config::at(data.join("cli")).session();
        if let Some(token) = kept
            && signed_in(ctx, url, &token).await? == Some(user.id.0)
        {
            return Ok(Self { username, made_password, token });
        }
        let caller = Caller {
            user,
            via: Via::Token(TokenId(uuid::Uuid::nil()), TokenKind::Session),
            ip: "127.0.0.1".to_owned(),
        };
        let token = server.app.create_session(&Actor::User(Box::new(caller))).await?;
        Ok(Self { username, made_password, token: token.expose() })
    }

    /// Stores the session where the CLI looks by itself, unless that is of another server. Gives
    /// where it is otherwise.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store(&self, ctx: &Context, data: &Path, url: &str) -> anyhow::Result<Option<Config>> {
        let own = Config::at(data.join("cli"));
        own.store(url, &self.token)?;
        let usual = &ctx.config;
        let free = usual.session().is_none() || usual.url().as_deref() == Some(url);
        if free && usual.store(url, &self.token).is_ok() {
            return Ok(None);
        }
        Ok(Some(own))
    }
}

async fn make(ctx: &Context, server: &Server, args: &Up) -> anyhow::Result<(User, Option<String>)> {
    let username = match &args.username {
        Some(name) => name.clone(),
        None => ctx
            .around
            .user
            .clone()
            .filter(|name| UserName::parse(name).is_ok())
            .unwrap_or_else(|| NAME.to_owned()),
    };
    let (password, made) = if args.password_stdin {
        (prompt::password_from_stdin()?, None)
    } else {
        let password = users::made_password(ctx);
        (password.clone(), Some(password))
    };
    let user = server
        .app
        .create_first_user(CreateUser {
            email: format!("{username}@localhost"),
            username,
            name: String::new(),
            password: Some(password),
            kind: UserKind::Person,
        })
        .await?;
    Ok((user, made))
}

/// The owner meant: by name, or the only one, or the first.
async fn owner(server: &Server, args: &Up) -> anyhow::Result<User> {
    if let Some(name) = &args.username {
        let user = server.app.user(&Actor::System, name).await;
        return user.with_context(|| format!("This server has no user {name:?}"));
    }
    let filter = UserFilter {
        text: String::new(),
        status: None,
        role: Some(SiteRole::Owner),
        limit: 100,
        offset: 0,
    };
    let (owners, _) = server.app.users(&Actor::System, filter).await?;
    let able = |u: &User| matches!(u.status, UserStatus::Active | UserStatus::Dormant);
    match owners.into_iter().filter(able).min_by_key(|u| u.created_at) {
        Some(owner) => Ok(owner),
        None => bail!("This server has no owner. Name a user with --username."),
    }
}

async fn signed_in(ctx: &Context, url: &str, token: &str) -> anyhow::Result<Option<uuid::Uuid>> {
    let client = ctx.client_for(read_url(url)?, Some(token))?;
    Ok(client.user("me").await.ok().map(|user| user.id))
}

/// Sees that a key of the person's opens workspaces by plain SSH. Gives the file of the private key
/// when it is one that was made here.
///
/// # Errors
/// When a key cannot be made or put on file.
pub async fn ssh_key(
    ctx: &Context,
    client: &Client,
    data: &Path,
) -> anyhow::Result<Option<PathBuf>> {
    let made = data.join("ssh/id_ed25519");
    let made_here = made.is_file();
    if !client.ssh_keys().await?.is_empty() {
        return Ok(made_here.then_some(made));
    }
    let own = own_keys(ctx.around.home.as_deref());
    let mut added = false;
    for file in &own {
        let Ok(public_key) = read_key(file) else { continue };
        let key = CreateSshKey { name: String::new(), public_key };
        match client.add_ssh_key(&key).await {
            Ok(_) => added = true,
            Err(error) => ctx.out.note(&format!("{}: {error:#}", file.display())),
        }
    }
    if added && !made_here {
        return Ok(None);
    }
    let pair = if made_here {
        KeyPair::from_openssh(&std::fs::read_to_string(&made)?)?
    } else {
        let pair = KeyPair::generate(&ctx.entropy, "steading up");
        write_key(&made, &pair).with_context(|| format!("Writing the key {}", made.display()))?;
        pair
    };
    let public_key = pair.public().to_line();
    let key = CreateSshKey { name: "made by steading up".to_owned(), public_key };
    client.add_ssh_key(&key).await?;
    Ok(Some(made))
}

fn write_key(file: &Path, pair: &KeyPair) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut private = options.write(true).create_new(true).mode(0o600).open(file)?;
    private.write_all(pair.to_openssh().as_bytes())?;
    std::fs::write(file.with_extension("pub"), format!("{}\n", pair.public().to_line()))
}
