//! What a token is limited to: some permissions, on some things.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::permission::{Action, Permission, Permissions, ResourceType};

/// Words of a scope at most, and things at most.
pub const MAX_ENTRIES: usize = 128;
/// The word for every permission.
const ALL: &str = "all";
/// Words that stand for what one task needs, and the older words for two of them.
pub const WORDS: [&str; 11] = [
    ALL,
    "application_connect",
    "coder:all",
    "coder:application_connect",
    "coder:apikeys.manage_self",
    "coder:templates.author",
    "coder:templates.build",
    "coder:workspaces.access",
    "coder:workspaces.create",
    "coder:workspaces.delete",
    "coder:workspaces.operate",
];

/// What a token is limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    permissions: Permissions,
    things: Things,
}

/// Which things a scope reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Things {
    Every,
    /// Of each kind those that are named; of a kind without an id all.
    These(BTreeSet<(ResourceType, Option<Uuid>)>),
}

impl Scope {
    /// No limit.
    pub const ALL: Self = Self { permissions: Permissions::ALL, things: Things::Every };

    /// Reads words as `all`, `workspace:start`, `workspace:*`, and things as `workspace:<id>`,
    /// `workspace:*`, `*:*`. No words are the scope of the session that asks, no things are all.
    ///
    /// # Errors
    /// With the word that is none, or that there are too many.
    pub fn parse<S: AsRef<str>>(words: &[S], things: &[S]) -> Result<Self, String> {
        if words.len() > MAX_ENTRIES || things.len() > MAX_ENTRIES {
            return Err(format!("has more than {MAX_ENTRIES} entries"));
        }
        let permissions = words.iter().try_fold(Permissions::EMPTY, |all, word| {
            let word = word.as_ref();
            parse_word(word).map(|p| all.union(p)).ok_or_else(|| format!("{word:?} is no scope"))
        })?;
        let permissions = if words.is_empty() { Permissions::ALL } else { permissions };
        let mut these = BTreeSet::new();
        for thing in things.iter().map(AsRef::as_ref) {
            match parse_thing(thing).ok_or_else(|| format!("{thing:?} names no thing"))? {
                Some(thing) => these.insert(thing),
                None => return Ok(Self { permissions, things: Things::Every }),
            };
        }
        let things = if these.is_empty() { Things::Every } else { Things::These(these) };
        Ok(Self { permissions, things })
    }

    /// The words of it, as [`Scope::parse`] reads them.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        if self.permissions == Permissions::ALL {
            return vec![ALL.to_owned()];
        }
        let mut words = Vec::new();
        for kind in ResourceType::ALL {
            let every = Permissions::EMPTY.and_every(&[*kind]);
            if every.is_within(self.permissions) {
                words.push(format!("{kind}:*"));
            } else {
                let some = self.permissions.intersection(every);
                words.extend(some.iter().map(|p| p.to_string()));
            }
        }
        words
    }

    /// The things it reaches, as [`Scope::parse`] reads them.
    #[must_use]
    pub fn things(&self) -> Vec<String> {
        let word = |(kind, id): &(ResourceType, Option<Uuid>)| match id {
            Some(id) => format!("{kind}:{id}"),
            None => format!("{kind}:*"),
        };
        match &self.things {
            Things::Every => vec!["*:*".to_owned()],
            Things::These(these) => these.iter().map(word).collect(),
        }
    }

    /// The permissions it has, for the things it reaches.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// Whether it has this permission for any thing.
    #[must_use]
    pub fn has(&self, permission: Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// Whether it reaches this thing; without an id, things of this kind that are not named.
    #[must_use]
    pub fn reaches(&self, kind: ResourceType, id: Option<Uuid>) -> bool {
        match &self.things {
            Things::Every => true,
            Things::These(these) => {
                these.contains(&(kind, None)) || (id.is_some() && these.contains(&(kind, id)))
            }
        }
    }

    /// The things of a kind that it reaches when these are not all of the kind.
    #[must_use]
    pub fn only(&self, kind: ResourceType) -> Option<Vec<Uuid>> {
        match &self.things {
            Things::These(these) if !these.contains(&(kind, None)) => {
                let of_kind = these.iter().filter(|(other, _)| *other == kind);
                Some(of_kind.filter_map(|(_, id)| *id).collect())
            }
            Things::Every | Things::These(_) => None,
        }
    }

    /// Whether it allows nothing that `other` does not allow.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let things = match (&self.things, &other.things) {
            (_, Things::Every) => true,
            (Things::Every, Things::These(_)) => false,
            (Things::These(mine), Things::These(_)) => {
                mine.iter().all(|(kind, id)| other.reaches(*kind, *id))
            }
        };
        things && self.permissions.is_within(other.permissions)
    }

    /// Whether it limits nothing.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::ALL
    }
}

fn parse_word(word: &str) -> Option<Permissions> {
    match (composite(word), word.strip_suffix(":*")) {
        (Some(permissions), _) => Some(permissions),
        (None, Some(kind)) => Some(Permissions::EMPTY.and_every(&[ResourceType::from_word(kind)?])),
        (None, None) => Some([Permission::parse(word)?].into_iter().collect()),
    }
}

/// What one of [`WORDS`] stands for, as Coder's list of scopes has it.
fn composite(word: &str) -> Option<Permissions> {
    use Action as A;
    use ResourceType as R;
    const NONE: Permissions = Permissions::EMPTY;
    // Whoever reaches a workspace sees its template and whose it is.
    const BESIDE: Permissions =
        NONE.and(R::OrganizationMember, &[A::Read]).and(R::Template, &[A::Read]);
    Some(match word {
        ALL | "coder:all" => Permissions::ALL,
        "application_connect" | "coder:application_connect" => {
            NONE.and(R::Workspace, &[A::Read, A::ApplicationConnect])
        }
        "coder:apikeys.manage_self" => {
            NONE.and(R::ApiKey, &[A::Create, A::Read, A::Update, A::Delete])
        }
        "coder:templates.author" => NONE
            .and(R::File, &[A::Create, A::Read])
            .and(R::Template, &[A::Create, A::Read, A::Update, A::Delete, A::ViewInsights]),
        "coder:templates.build" => {
            NONE.and(R::File, &[A::Create, A::Read]).and(R::Template, &[A::Read])
        }
        "coder:workspaces.access" => {
            BESIDE.and(R::Workspace, &[A::Read, A::Ssh, A::ApplicationConnect])
        }
        "coder:workspaces.create" => BESIDE
            .and(R::Template, &[A::Use])
            .and(R::Workspace, &[A::Create, A::Read, A::Start, A::Stop, A::Update]),
        "coder:workspaces.delete" => {
            BESIDE.and(R::Template, &[A::Use]).and(R::Workspace, &[A::Read, A::Delete])
        }
        "coder:workspaces.operate" => {
            BESIDE.and(R::Workspace, &[A::Read, A::Start, A::Stop, A::Update])
        }
        _ => return None,
    })
}

/// A thing by its kind and id; none within for all there is.
fn parse_thing(text: &str) -> Option<Option<(ResourceType, Option<Uuid>)>> {
    let (kind, id) = text.split_once(':')?;
    match (kind, id) {
        ("*", "*") => Some(None),
        (kind, "*") => Some(Some((ResourceType::from_word(kind)?, None))),
        (kind, id) => Some(Some((ResourceType::from_word(kind)?, Some(id.parse().ok()?)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "workspace:01890000-0000-7000-8000-000000000001";
    const TWO: &str = "workspace:01890000-0000-7000-8000-000000000002";

    fn scope(words: &[&str], things: &[&str]) -> Scope {
        Scope::parse(words, things).unwrap()
    }

    #[test]
    fn scopes_are_written_and_read_back() {
        let all = [
            scope(&[], &[]),
            scope(&["all"], &["*:*"]),
            scope(&["workspace:*", "template:read"], &[ONE, "template:*"]),
            scope(&["application_connect"], &[TWO]),
        ];
        for scope in &all {
            assert_eq!(Scope::parse(&scope.words(), &scope.things()).as_ref(), Ok(scope));
        }
        assert!(all[0].is_all() && all[1].is_all() && !all[2].is_all());
    }

    #[test]
    fn a_word_for_a_task_is_what_it_stands_for() {
        for word in WORDS {
            assert!(parse_word(word).is_some(), "{word}");
        }
        assert_eq!(scope(&["coder:all"], &[]), Scope::ALL);
        let mut words = scope(&["coder:workspaces.delete"], &[]).words();
        words.sort();
        let wanted = ["organization_member:read", "template:read", "template:use"];
        assert_eq!(words[..3], wanted);
        assert_eq!(words[3..], ["workspace:delete", "workspace:read"]);
        assert!(scope(&["coder:apikeys.manage_self"], &[]).is_within(&scope(&["api_key:*"], &[])));
        assert!(
            !scope(&["coder:workspaces.operate"], &[]).is_within(&scope(&["workspace:*"], &[]))
        );
        assert!(parse_word("coder:workspaces.fly").is_none());
    }

    #[test]
    fn what_is_no_scope_is_named() {
        for (words, things) in [
            (&["workspace:fly"][..], &[][..]),
            (&["all", ""], &[]),
            (&["*"], &[]),
            (&[], &["workspace"]),
            (&[], &["workspace:ada"]),
            (&[], &["ghost:*"]),
        ] {
            let error = Scope::parse(words, things).unwrap_err();
            assert!(error.contains("is no scope") || error.contains("names no thing"), "{error}");
        }
        let many = vec!["all"; MAX_ENTRIES + 1];
        assert!(Scope::parse(&many, &[]).is_err());
    }

    #[test]
    fn things_that_are_not_named_are_out_of_reach() {
        let id = |text: &str| text.split_once(':').and_then(|(_, id)| id.parse::<Uuid>().ok());
        let one = scope(&["workspace:*"], &[ONE]);
        assert!(one.reaches(ResourceType::Workspace, id(ONE)));
        assert!(!one.reaches(ResourceType::Workspace, id(TWO)));
        assert!(!one.reaches(ResourceType::Workspace, None));
        assert!(!one.reaches(ResourceType::Template, None));
        let kind = scope(&[], &["workspace:*"]);
        assert!(kind.reaches(ResourceType::Workspace, id(TWO)));
        assert!(kind.reaches(ResourceType::Workspace, None));
        assert!(one.is_within(&kind) && !kind.is_within(&one) && kind.is_within(&Scope::ALL));
    }
}
