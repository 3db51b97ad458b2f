//! What is done with a workspace: eight verbs, sets of them, and the names that sets have.

use super::policy::Action;
use super::user::define_words;

define_words! {
    /// What someone wants to do with a workspace.
    Verb {
        /// Know that it exists, read its builds and logs, see who is in it.
        View = "view",
        /// Look on at a live terminal.
        Watch = "watch",
        /// Open a session in it: SSH, a terminal, apps, ports, files.
        Connect = "connect",
        /// Start tools and agents in it as a program.
        Execute = "execute",
        /// Start, stop, restart, cancel.
        Operate = "operate",
        /// Change its version, parameters, name and schedule.
        Manage = "manage",
        /// Let others do what one may oneself.
        Share = "share",
        /// Remove it.
        Delete = "delete",
    }
    /// A set of verbs by its name.
    Preset {
        /// Looks at its page.
        Viewer = "viewer",
        /// Looks on at terminals, too.
        Observer = "observer",
        /// Starts tools in it and sees what came of it.
        Runner = "runner",
        /// Coder's role: works in it.
        Use = "use",
        /// Coder's role: works in it, keeps it, and shares it.
        Admin = "admin",
    }
}

/// A set of verbs.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Verbs(u8);

impl Verb {
    /// What it is in Coder's words; a token's scope must have one of them.
    #[must_use]
    pub const fn actions(self) -> &'static [Action] {
        match self {
            Self::View => &[Action::Read],
            Self::Connect => &[Action::Ssh, Action::ApplicationConnect],
            Self::Watch | Self::Execute => &[Action::Ssh],
            Self::Operate => &[Action::Start, Action::Stop],
            Self::Manage => &[Action::Update],
            Self::Share => &[Action::Share],
            Self::Delete => &[Action::Delete],
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::View => 1,
            Self::Watch => 2,
            Self::Connect => 4,
            Self::Execute => 8,
            Self::Operate => 16,
            Self::Manage => 32,
            Self::Share => 64,
            Self::Delete => 128,
        }
    }
}

impl Verbs {
    /// The set as it is kept: a bit for each, as the view `workspace_verbs` has them.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of these bits.
    #[must_use]
    pub const fn of_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether a verb is in it.
    #[must_use]
    pub const fn contains(self, verb: Verb) -> bool {
        self.0 & verb.bit() != 0
    }

    /// Whether each of them is in the other.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Those that are not in the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All but one.
    #[must_use]
    pub const fn without(self, verb: Verb) -> Self {
        Self(self.0 & !verb.bit())
    }

    /// How many.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Verb> {
        Verb::ALL.iter().copied().filter(move |verb| self.contains(*verb))
    }

    /// Reads verbs and names of sets by commas. Who may do anything sees what it is done to.
    ///
    /// # Errors
    /// With the word that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut all = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let verbs = match (Preset::from_word(word), Verb::from_word(word)) {
                (Some(preset), _) => preset.verbs(),
                (None, Some(verb)) => Self(verb.bit()),
                (None, None) => return Err(word.to_owned()),
            };
            all = all.and(verbs);
        }
        Ok(if all.is_empty() { all } else { all.and(Self(Verb::View.bit())) })
    }

    /// The role of Coder's that gives no more than these: none for less than its least.
    #[must_use]
    pub fn role(self) -> Option<Preset> {
        [Preset::Admin, Preset::Use].into_iter().find(|role| role.verbs().is_within(self))
    }

    /// The name of exactly this set; none when it has none.
    #[must_use]
    pub fn preset(self) -> Option<Preset> {
        Preset::ALL.iter().copied().find(|preset| preset.verbs() == self)
    }
}

impl FromIterator<Verb> for Verbs {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Self {
        Self(verbs.into_iter().fold(0, |bits, verb| bits | verb.bit()))
    }
}

impl std::fmt::Display for Verbs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, verb) in self.iter().enumerate() {
            write!(f, "{}{verb}", if n == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Verbs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl Preset {
    /// The verbs of the set. Coder's roles as its documentation describes them.
    #[must_use]
    pub fn verbs(self) -> Verbs {
        use Verb as V;
        let verbs: &[Verb] = match self {
            Self::Viewer => &[V::View],
            Self::Observer => &[V::View, V::Watch],
            Self::Runner => &[V::View, V::Execute],
            Self::Use => &[V::View, V::Watch, V::Connect, V::Operate],
            Self::Admin => &[V::View, V::Watch, V::Connect, V::Operate, V::Manage, V::Share],
        };
        verbs.iter().copied().collect()
    }

    /// What it is for, in a few words.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Viewer => "sees its page, builds and logs",
            Self::Observer => "sees its page and looks on at terminals",
            Self::Runner => "sees its page and runs tools in it",
            Self::Use => "works in it, starts and stops it",
            Self::Admin => "works in it, changes it, and shares it",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_and_named() {
        assert_eq!(Verbs::parse("use"), Ok(Preset::Use.verbs()));
        assert_eq!(Verbs::parse("connect").unwrap().to_string(), "view, connect");
        assert_eq!(Verbs::parse("viewer, delete").unwrap().to_string(), "view, delete");
        assert_eq!(Verbs::parse("view,fly"), Err("fly".to_owned()));
        assert!(Verbs::parse(" , ").unwrap().is_empty());
        assert_eq!(Preset::Runner.verbs().role(), None);
        assert_eq!(Verbs::parse("use,delete").unwrap().role(), Some(Preset::Use));
        assert_eq!(Verbs::parse("admin,delete").unwrap().role(), Some(Preset::Admin));
        assert_eq!(Verbs::parse("use,delete").unwrap().preset(), None);
        for preset in Preset::ALL {
            assert_eq!(preset.verbs().preset(), Some(*preset));
            assert!(!preset.verbs().contains(Verb::Delete));
        }
        assert!(!Preset::Use.verbs().contains(Verb::Execute), "connect does not imply it");
    }

    #[test]
    fn each_verb_has_a_bit_of_its_own() {
        let all: Verbs = Verb::ALL.iter().copied().collect();
        assert_eq!((all.bits(), all.len()), (255, 8));
        for verb in Verb::ALL {
            let one: Verbs = [*verb].into_iter().collect();
            assert_eq!(one.iter().collect::<Vec<_>>(), vec![*verb]);
            assert!(!all.without(*verb).contains(*verb));
        }
    }
}
