//! Arguments of the commands about people, their sessions, tokens and keys.

use clap::{Args, Subcommand};

use super::Listing;
use super::accepted::Yes;
use super::organizations::{Groups, Organizations};
use super::rotations::Rotations;

/// Commands about people.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in to a server, and keep the session
    Login(Login),
    /// End the session
    Logout(Logout),
    /// Say who is signed in, and where
    Whoami(Listing),
    /// Create, list and remove API tokens
    #[command(subcommand, visible_alias = "token")]
    Tokens(Tokens),
    /// Create, list and change users
    #[command(subcommand, visible_alias = "user")]
    Users(Users),
    /// Create, list and change groups of users
    #[command(subcommand, visible_alias = "group")]
    Groups(Groups),
    /// Organizations, who belongs to them, and the roles there
    #[command(subcommand, visible_aliases = ["organization", "org", "orgs"])]
    Organizations(Organizations),
    /// Who reaches which workspace, and why
    #[command(subcommand)]
    Access(super::access::Access),
    /// Who is on call, and who is instead
    #[command(subcommand, visible_alias = "rotation")]
    Rotations(Rotations),
    /// The public keys that open your workspaces by plain SSH
    #[command(subcommand, visible_alias = "ssh-key")]
    SshKeys(SshKeys),
    /// Print the public key that your workspaces show to Git hosts
    Publickey(PublicKey),
}

/// `login`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Login {
    /// The server's address
    #[arg(value_name = "URL")]
    pub address: Option<String>,
    /// Keep the given token itself, instead of a new session made with it
    #[arg(long)]
    pub use_token_as_session: bool,
    /// Sign in by password as this user
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// The code of your second factor; asked for when it is needed and absent
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// Who becomes the owner of an empty server.
    #[command(flatten)]
    pub first: FirstUser,
    /// `login token`
    #[command(subcommand)]
    pub command: Option<LoginCommand>,
}

/// The first user of an empty server.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The first user of an empty server")]
pub struct FirstUser {
    /// Its name
    #[arg(long, env = "STEADING_FIRST_USER_USERNAME", value_name = "NAME")]
    pub first_user_username: Option<String>,
    /// Its e-mail address
    #[arg(long, env = "STEADING_FIRST_USER_EMAIL", value_name = "ADDRESS")]
    pub first_user_email: Option<String>,
    /// Its full name
    #[arg(long, env = "STEADING_FIRST_USER_FULL_NAME", value_name = "NAME")]
    pub first_user_full_name: Option<String>,
    /// Its password; asked for when absent
    #[arg(
        long,
        env = "STEADING_FIRST_USER_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    pub first_user_password: Option<String>,
    /// Has no effect
    #[arg(long, hide = true, num_args = 0..=1)]
    pub first_user_trial: Option<Option<String>>,
}

/// What `login` does besides signing in.
#[derive(Debug, Subcommand)]
pub enum LoginCommand {
    /// Print the stored session token
    Token,
}

/// `logout`
#[derive(Debug, Args)]
pub struct Logout {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `tokens`
#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// Create a token and print it, once
    Create {
        /// A name for it
        #[arg(long, short, default_value = "", value_name = "NAME")]
        name: String,
        /// How long it works, such as 30d or 720h; the server's default when absent
        #[arg(long, value_name = "DURATION")]
        lifetime: Option<String>,
        /// Whose it is; only an owner may create tokens for others
        #[arg(long, short, default_value = "me", value_name = "USER")]
        user: String,
        /// What it may do, such as workspace:read or template:*; everything that you may when absent
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
        /// A thing it is limited to, such as workspace:ID
        #[arg(long, value_name = "TYPE:ID")]
        allow: Vec<String>,
        /// A network it may be used from, such as 192.168.4.0/24; anywhere when absent
        #[arg(long, value_name = "CIDR")]
        allow_cidr: Vec<String>,
    },
    /// List tokens
    #[command(visible_alias = "ls")]
    List {
        /// Those of everyone
        #[arg(long, short)]
        all: bool,
        /// Those that have ended too
        #[arg(long)]
        include_expired: bool,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a token's entry
    View {
        /// Its name or id
        #[arg(value_name = "TOKEN")]
        entry: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Remove a token; what uses it stops working
    #[command(visible_aliases = ["rm", "delete"])]
    Remove {
        /// Its name or id
        #[arg(value_name = "TOKEN")]
        entry: String,
        /// Has no effect: it is always deleted
        #[arg(long, hide = true)]
        delete: bool,
    },
}

/// `users`
#[derive(Debug, Subcommand)]
pub enum Users {
    /// Create a user
    Create(CreateUser),
    /// List users
    #[command(visible_alias = "ls")]
    List {
        /// Words to look for
        #[arg(long, default_value = "", value_name = "TEXT")]
        search: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Show a user
    Show {
        /// Name or id; `me` for yourself
        user: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Let a suspended user sign in again
    Activate {
        /// Name or id
        user: String,
        /// Has no effect: no table is printed
        #[arg(long, short, hide = true, value_name = "COLUMN")]
        column: Vec<String>,
    },
    /// Keep a user from signing in; its sessions end at once
    Suspend {
        /// Name or id
        user: String,
        /// Has no effect: no table is printed
        #[arg(long, short, hide = true, value_name = "COLUMN")]
        column: Vec<String>,
    },
    /// Delete a user without workspaces
    #[command(visible_alias = "rm")]
    Delete {
        /// Name or id
        user: String,
    },
    /// Remove the second factors of a user who has lost them
    RemoveFactors {
        /// Name or id
        user: String,
    },
    /// Show what your provider last said of you
    OidcClaims {
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Make a link by which someone makes an account, and print it, once
    Invite(Invite),
    /// List and revoke invitations
    #[command(subcommand, visible_alias = "invitation")]
    Invitations(Invitations),
    /// Set a user's site roles
    EditRoles {
        /// Name or id
        user: String,
        /// The roles it shall have, all of them: owner, user-admin, template-admin, auditor
        #[arg(long, value_delimiter = ',', value_name = "ROLE")]
        roles: Vec<String>,
        /// Taken for the sake of scripts.
        #[command(flatten)]
        accepted: Yes,
    },
}

/// `users create`
#[derive(Debug, Args)]
pub struct CreateUser {
    /// Its name
    #[arg(long, short, value_name = "NAME")]
    pub username: String,
    /// Its e-mail address; asked for when absent
    #[arg(long, short, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Its full name
    #[arg(long, short = 'n', default_value = "", value_name = "NAME")]
    pub full_name: String,
    /// Its password; made and printed when neither this nor --password-stdin is given
    #[arg(long, short, value_name = "PASSWORD")]
    pub password: Option<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password")]
    pub password_stdin: bool,
    /// How it signs in: password, none, or at a provider that knows the address: oidc, github, ldap
    #[arg(long, default_value = "password", value_name = "TYPE")]
    pub login_type: String,
    /// The same as --login-type none
    #[arg(long, hide = true)]
    pub disable_login: bool,
    /// A program's account, with tokens and no password
    #[arg(long)]
    pub service_account: bool,
    /// Who answers for a service account; you when it is not said
    #[arg(long, requires = "service_account", value_name = "USER")]
    pub responsible: Option<String>,
    /// Where it belongs, by name or id; may be repeated. The organization of the start when absent
    #[arg(
        id = "organization",
        long,
        alias = "org",
        short = 'O',
        env = "STEADING_ORGANIZATION",
        value_name = "ORGANIZATION",
        value_delimiter = ','
    )]
    pub organizations: Vec<String>,
}

/// `users invite`
#[derive(Debug, Args)]
pub struct Invite {
    /// The address that the account will have
    #[arg(long, short, value_name = "ADDRESS")]
    pub email: String,
    /// A role on the whole site that comes with it: owner, user-admin, template-admin, auditor
    #[arg(long = "role", short, value_delimiter = ',', value_name = "ROLE")]
    pub roles: Vec<String>,
    /// A group that comes with it, by name or id
    #[arg(long = "group", short, value_delimiter = ',', value_name = "GROUP")]
    pub groups: Vec<String>,
    /// How long the link works, such as 3d or 12h, at most 30d; a week when absent
    #[arg(long, value_name = "DURATION")]
    pub lifetime: Option<String>,
}

/// `users invitations`
#[derive(Debug, Subcommand)]
pub enum Invitations {
    /// List open invitations, what ends first coming first
    #[command(visible_alias = "ls")]
    List(Listing),
    /// End an invitation; its link leads nowhere any more
    #[command(visible_aliases = ["rm", "delete"])]
    Revoke {
        /// Its id, or the address it is for
        #[arg(value_name = "INVITATION")]
        invitation: String,
        /// How to write what was revoked.
        #[command(flatten)]
        listing: Listing,
    },
}

/// `ssh-keys`
#[derive(Debug, Subcommand)]
pub enum SshKeys {
    /// Add a public key; the ones in ~/.ssh when no file is named
    Add {
        /// The file; `-` for standard input
        file: Option<std::path::PathBuf>,
        /// A name for it; the key's comment when absent
        #[arg(long, short, default_value = "", value_name = "NAME")]
        name: String,
    },
    /// List them
    #[command(visible_alias = "ls")]
    List(Listing),
    /// Remove one
    #[command(visible_aliases = ["rm", "delete"])]
    Remove {
        /// Its id, name or fingerprint
        key: String,
    },
}

/// `publickey`
#[derive(Debug, Args)]
pub struct PublicKey {
    /// Make a new one
    #[arg(long)]
    pub reset: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}
