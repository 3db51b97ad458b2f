//! The last builds of a workspace, in a card.

use maud::{Markup, html};

use super::WorkspacePage;
use crate::model::build::{Build, BuildReason};
use crate::model::time::Timestamp;
use crate::server::html::parts::{badge, time};
use crate::server::html::paths::Place;

impl WorkspacePage {
    /// The card with the last builds.
    #[must_use]
    pub fn builds_card(&self) -> Markup {
        card(&self.place(), &self.builds, self.workspace.latest_build.number, self.visit.now)
    }
}

/// The last builds, the last one first, and how many there are.
#[must_use]
pub fn card(place: &Place, builds: &[Build], count: i64, now: Timestamp) -> Markup {
    html! {
        section class="card" id="builds-card" aria-labelledby="builds" {
            header { h2 id="builds" { "Builds" } a class="note" href=(place.builds()) { "All " (count) } }
            ul class="rows" {
                @for build in builds {
                    li {
                        span class="main" {
                            a class="name" href=(place.build(build.number)) { (build.number) " " (badge::deed(build.transition)) }
                            small class="note" {
                                (why(build)) ", " (time::at(build.job.created_at, now))
                                @if build.daily_cost > 0 { ", " (build.daily_cost) " credits" }
                            }
                        }
                        (badge::build(build, now))
                    }
                }
            }
        }
    }
}

/// Who or what asked for a build.
#[must_use]
pub fn why(build: &Build) -> String {
    let who = &build.initiator.username;
    match build.reason {
        BuildReason::Initiator | BuildReason::Dashboard => who.to_string(),
        BuildReason::Autostart | BuildReason::Autostop => "schedule".to_owned(),
        BuildReason::Cli => format!("{who} by the CLI"),
        BuildReason::SshConnection => format!("{who} by SSH"),
        BuildReason::VscodeConnection => format!("{who} by VS Code"),
        BuildReason::JetbrainsConnection => format!("{who} by JetBrains"),
    }
}
