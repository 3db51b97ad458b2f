//! Which organization a page is about: shown only where there are several.

use maud::{Markup, html};

use crate::model::user::Organization;
use crate::server::html::layout::Section;
use crate::server::html::paths::{self, Home};

/// The organization that a page is about.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which.
    pub organization: Organization,
    /// Whether the one who looks may see others besides.
    pub is_one_of_many: bool,
    /// Whether they may see there what follows providers.
    pub syncs: bool,
}

/// A page of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Who belongs to it.
    Members,
    /// Its groups.
    Groups,
    /// Its roles.
    Roles,
    /// Its rotations.
    Rotations,
    /// What follows providers.
    Sync,
    /// Its names.
    Settings,
}

impl Place {
    /// Where its pages begin.
    #[must_use]
    pub fn home(&self) -> Home {
        Home::of(&self.organization)
    }

    /// The entry of the way round that is lit: `alone` where there is one organization.
    #[must_use]
    pub const fn section(&self, alone: Section) -> Section {
        if self.is_one_of_many { Section::Organizations } else { alone }
    }

    /// The way to its other pages, above a page's head; nothing where there is one organization.
    #[must_use]
    pub fn tabs(&self, here: Tab) -> Markup {
        let home = self.home();
        let own = paths::organization(&self.organization.name);
        let tabs = [
            (Tab::Members, home.members(), "Members"),
            (Tab::Groups, home.groups(), "Groups"),
            (Tab::Roles, home.roles(), "Roles"),
            (Tab::Rotations, home.rotations(), "Rotations"),
            (Tab::Sync, paths::sync(&self.organization.name, "groups", ""), "Sync"),
            (Tab::Settings, own, "Settings"),
        ];
        let shown = |tab: Tab| match tab {
            Tab::Sync => self.syncs,
            Tab::Members | Tab::Groups | Tab::Roles | Tab::Rotations | Tab::Settings => true,
        };
        html! {
            @if self.is_one_of_many {
                nav class="crumbs" aria-label="Breadcrumb" {
                    ol { li { a href=(paths::ORGANIZATIONS) { "Organizations" } } li { (self.organization.label()) } }
                }
                nav class="tabs" aria-label={ "Pages of " (self.organization.label()) } {
                    @for (tab, href, text) in tabs.into_iter().filter(|(tab, ..)| shown(*tab)) { a href=(href) aria-current=[(tab == here).then_some("page")] { (text) } }
                }
            }
        }
    }
}
