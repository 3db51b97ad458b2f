//! LDAP: people sign in by the password that a directory keeps, and go when it lets them go.

pub mod ber;
mod connection;
mod directory;
pub mod dn;
pub mod filter;
pub mod message;
pub mod settings;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use self::connection::Trouble;
pub use self::directory::GROUPS;
use self::directory::{Directory, Line, within};
pub use self::settings::Settings;
use crate::model::identity::{Arrival, DIRECTORY};
use crate::model::provider::Steps;
use crate::model::time::Timestamp;
use crate::model::user::LoginType;
use crate::server::app::identities::{ProviderSignIn, Strength};
use crate::server::app::identity_grants::{Due, Granted, LEAD};
use crate::server::app::password_sign_in::Try;
use crate::server::app::sessions::{Login, SignIn};
use crate::server::app::{self, App, Error};

/// The name of the directory's settings, as grants have it.
pub const PROVIDER: &str = DIRECTORY;
/// Sign-ins that ask a directory at once; more would wait longer than people do.
const AT_ONCE: usize = 16;
/// How long one pass asks again for people; whom it does not come to is first in the next one.
const PASS_WITHIN: Duration = Duration::from_secs(30);
/// The longest user name that is asked for.
const MAX_USERNAME: usize = 256;
/// The longest password that is sent.
const MAX_PASSWORD: usize = 1024;

/// The directory, if there is one; clones share everything.
#[derive(Clone)]
pub struct Ldap(Arc<Inner>);

struct Inner {
    app: App,
    directory: Option<Directory>,
    turns: Arc<Semaphore>,
}

impl Ldap {
    /// The directory of these settings. It is not asked for anything before it is needed.
    ///
    /// # Errors
    /// When there is no certificate in what they have of an authority.
    pub fn new(app: App, settings: Option<Settings>) -> std::io::Result<Self> {
        let directory = settings.map(Directory::new).transpose()?;
        Ok(Self(Arc::new(Inner { app, directory, turns: Arc::new(Semaphore::new(AT_ONCE)) })))
    }

    /// The same with other settings.
    ///
    /// # Errors
    /// When there is no certificate in what they have of an authority.
    pub fn with(&self, settings: Option<Settings>) -> std::io::Result<Self> {
        let directory = settings.map(Directory::new).transpose()?;
        let (app, turns) = (self.0.app.clone(), Arc::clone(&self.0.turns));
        Ok(Self(Arc::new(Inner { app, directory, turns })))
    }

    /// Whether there is a directory.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.directory.is_some()
    }

    /// Its settings, if there is a directory.
    #[must_use]
    pub fn settings(&self) -> Option<&Settings> {
        self.0.directory.as_ref().map(|directory| &directory.settings)
    }

    /// Tries it out with a person's name, which may be empty; none when there is no directory.
    pub async fn try_out(&self, username: &str, steps: &mut Steps) -> Option<()> {
        let directory = self.0.directory.as_ref()?;
        let username: String = username.trim().chars().take(MAX_USERNAME).collect();
        directory.try_out(&username, steps).await;
        Some(())
    }

    /// Signs in by password: with the directory's whom it signed up and who is not known here, with
    /// ours everyone else.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many people are signing in.
    pub async fn login(&self, login: Login) -> app::Result<SignIn> {
        let app = &self.0.app;
        let attempt = match app.begin_login(login).await? {
            Ok(attempt) => attempt,
            Err(wait) => return Ok(SignIn::Locked(wait)),
        };
        match &self.0.directory {
            Some(directory) if attempt.is_for_directory() => self.ask(directory, attempt).await,
            Some(_) | None => app.check_password(attempt).await,
        }
    }

    async fn ask(&self, directory: &Directory, attempt: Try) -> app::Result<SignIn> {
        let app = &self.0.app;
        let busy = || Error::Unavailable("too many people are signing in; try again".to_owned());
        let Ok(_turn) = self.0.turns.try_acquire() else {
            app.attempt_unanswered(attempt).await?;
            return Err(busy());
        };
        let login = attempt.login();
        let (username, password) = (login.login.trim(), &login.password);
        if username.len() > MAX_USERNAME || password.len() > MAX_PASSWORD {
            app.attempt_failed(&attempt, "the name or the password is too long");
            return Ok(SignIn::Wrong);
        }
        let password = Zeroizing::new(password.clone());
        let arrival = match directory.sign_in(username, &password).await {
            Ok(Some(arrival)) => arrival,
            Ok(None) => {
                app.attempt_failed(&attempt, "the directory does not know the name and password");
                return Ok(SignIn::Wrong);
            }
            Err(trouble) => {
                tracing::error!(why = %trouble, "the directory cannot be asked");
                app.attempt_unanswered(attempt).await?;
                return Ok(SignIn::NoDirectory);
            }
        };
        let came = ProviderSignIn {
            arrival,
            rules: Arc::clone(&directory.settings.rules),
            granted: granted(&directory.settings, username, app.clock().now()),
            login_type: LoginType::Ldap,
            strength: Strength::UNSAID,
            came: login.came(),
        };
        app.sign_in_by_directory(attempt, came).await
    }

    /// Asks again for everyone whose grant is due, over one connection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew(&self, due: &[Due]) -> app::Result<()> {
        let Some(directory) = &self.0.directory else { return self.unanswered(due).await };
        let (mut line, began) = (None, self.0.app.clock().instant());
        for (at, one) in due.iter().enumerate() {
            if self.0.app.clock().instant().duration_since(began) > PASS_WITHIN {
                break;
            }
            match look_again(directory, &mut line, &one.refresh_token).await {
                Ok(arrival) => self.answered(directory, one, arrival).await?,
                Err(trouble) => {
                    tracing::warn!(why = %trouble, "the directory cannot be asked again");
                    // One person's entry may be the trouble, which is no reason to ask for nobody.
                    if line.take().is_none() {
                        return self.unanswered(due.get(at..).unwrap_or_default()).await;
                    }
                    self.0.app.grant_unanswered(one).await?;
                }
            }
        }
        if let Some(line) = line {
            line.hang_up().await;
        }
        Ok(())
    }

    async fn answered(
        &self,
        directory: &Directory,
        due: &Due,
        arrival: Option<Arrival>,
    ) -> app::Result<()> {
        let app = &self.0.app;
        match arrival.filter(|now| now.is_of(&due.identity)) {
            Some(now) => {
                let granted = granted(&directory.settings, &due.refresh_token, app.clock().now());
                let rules = Arc::clone(&directory.settings.rules);
                app.grant_renewed(due, granted, Some(now.claims), rules).await
            }
            None => app.grant_ended(due).await,
        }
    }

    async fn unanswered(&self, due: &[Due]) -> app::Result<()> {
        for one in due {
            self.0.app.grant_unanswered(one).await?;
        }
        Ok(())
    }
}

/// Who someone is now, over the line that is there, or a new one.
async fn look_again<'a>(
    directory: &'a Directory,
    line: &mut Option<Line<'a>>,
    username: &str,
) -> Result<Option<Arrival>, Trouble> {
    within(async {
        if line.is_none() {
            *line = Some(directory.call().await?);
        }
        match line {
            Some(line) => line.look_up(username).await,
            None => Ok(None),
        }
    })
    .await
}

/// What a sign-in grants: it holds while the same question has the same answer, which is asked again.
fn granted(settings: &Settings, username: &str, now: Timestamp) -> Granted {
    Granted {
        sid: String::new(),
        refresh_token: Some(Zeroizing::new(username.to_owned())),
        ends_at: now.plus(settings.check_every).plus(LEAD),
    }
}
