//! Arguments of the commands about what runners do.

use clap::Subcommand;

use super::Listing;
use super::organizations::Within;

/// `provisioner`
#[derive(Debug, Subcommand)]
pub enum Provisioner {
    /// What they did and do
    #[command(subcommand, visible_alias = "job")]
    Jobs(Jobs),
}

/// `provisioner jobs`
#[derive(Debug, Subcommand)]
pub enum Jobs {
    /// List the last jobs of an organization
    #[command(visible_alias = "ls")]
    List {
        /// Only those in these states: pending, running, succeeded, canceling, canceled, failed
        #[arg(
            long,
            short,
            env = "STEADING_PROVISIONER_JOB_LIST_STATUS",
            value_delimiter = ',',
            value_name = "STATUS,…"
        )]
        status: Vec<String>,
        /// At most so many
        #[arg(
            long,
            short,
            env = "STEADING_PROVISIONER_JOB_LIST_LIMIT",
            default_value_t = 50,
            value_name = "N"
        )]
        limit: u32,
        /// Where.
        #[command(flatten)]
        within: Within,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Cancel a job
    Cancel {
        /// Its id
        job: uuid::Uuid,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
}

/// `features`
#[derive(Debug, Subcommand)]
pub enum Features {
    /// List them
    #[command(visible_alias = "ls")]
    List(Listing),
}
