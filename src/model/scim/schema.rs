//! The schemas that are served: which attributes a user and a group have.

/// What every schema of the standard begins with.
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// What kind of value an attribute has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// True or false.
    Truth,
    /// An address of a resource of one of these types.
    Reference(&'static [&'static str]),
    /// Attributes of its own.
    Complex(&'static [Attribute]),
}

/// Whether clients may write an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// At any time.
    ReadWrite,
    /// Once.
    Immutable,
    /// Never.
    ReadOnly,
}

/// An attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// What kind of value it has.
    pub kind: Kind,
    /// Whether it has several.
    pub is_multi: bool,
    /// Whether a resource must have it.
    pub is_required: bool,
    /// Whether its text is compared with regard to case.
    pub is_exact: bool,
    /// Whether no two resources have the same.
    pub is_unique: bool,
    /// Whether clients may write it.
    pub mutability: Mutability,
    /// Texts that are usual.
    pub usual: &'static [&'static str],
}

impl Attribute {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind,
            is_multi: false,
            is_required: false,
            is_exact: false,
            is_unique: false,
            mutability: Mutability::ReadWrite,
            usual: &[],
        }
    }

    const fn text(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Text, about)
    }

    const fn read_only(name: &'static str) -> Self {
        Self { mutability: Mutability::ReadOnly, is_exact: true, ..Self::text(name, "Given here.") }
    }

    const fn fixed(self) -> Self {
        Self { mutability: Mutability::Immutable, ..self }
    }

    /// The attributes it is made of.
    #[must_use]
    pub const fn parts(&self) -> &'static [Self] {
        match self.kind {
            Kind::Complex(parts) => parts,
            Kind::Text | Kind::Truth | Kind::Reference(_) => &[],
        }
    }

    /// One of the attributes it is made of, by name without regard to case.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&'static Self> {
        self.parts().iter().find(|part| part.name.eq_ignore_ascii_case(name))
    }
}

/// What every resource has, by RFC 7643, section 3.1, which no schema lists.
const COMMON: &[Attribute] = &[
    Attribute { is_exact: true, ..Attribute::text("externalId", "The provider's own id.") },
    Attribute::read_only("id"),
    Attribute::read_only("meta"),
    Attribute::read_only("schemas"),
];

/// Attributes of the standard's schemas that providers send and nothing here keeps.
const ELSEWHERE: &[&str] = &[
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "password",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
];

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its URN.
    pub urn: &'static str,
    /// Its name, which is also that of the kind of resource.
    pub name: &'static str,
    /// Where resources are, below the base.
    pub endpoint: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its attributes.
    pub attributes: &'static [Attribute],
}

impl Schema {
    /// An attribute by name without regard to case, also one of those that every resource has.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static Attribute> {
        let mut all = self.attributes.iter().chain(COMMON);
        all.find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// Whether providers send an attribute that nothing here keeps.
    #[must_use]
    pub fn is_elsewhere(name: &str) -> bool {
        ELSEWHERE.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Users.
pub static USER: Schema = Schema {
    urn: USER_URN,
    name: "User",
    endpoint: "/Users",
    about: "A person with an account.",
    attributes: &[
        Attribute {
            is_required: true,
            is_unique: true,
            ..Attribute::text("userName", "What the provider calls the person.")
        },
        Attribute::new(
            "name",
            Kind::Complex(&[
                Attribute::text("formatted", "The full name."),
                Attribute::text("familyName", "The family name."),
                Attribute::text("givenName", "The given name."),
            ]),
            "The parts of the name.",
        ),
        Attribute::text("displayName", "The name shown."),
        Attribute::new("active", Kind::Truth, "Whether the person may act here."),
        Attribute {
            is_multi: true,
            ..Attribute::new(
                "emails",
                Kind::Complex(&[
                    Attribute::text("value", "The address."),
                    Attribute {
                        usual: &["work", "home", "other"],
                        ..Attribute::text("type", "What it is used for.")
                    },
                    Attribute::new("primary", Kind::Truth, "Whether it is the first to be used."),
                ]),
                "E-mail addresses.",
            )
        },
    ],
};

/// Groups.
pub static GROUP: Schema = Schema {
    urn: GROUP_URN,
    name: "Group",
    endpoint: "/Groups",
    about: "A group of people in the default organization.",
    attributes: &[
        Attribute { is_required: true, ..Attribute::text("displayName", "The name shown.") },
        Attribute {
            is_multi: true,
            ..Attribute::new(
                "members",
                Kind::Complex(&[
                    Attribute { is_exact: true, ..Attribute::text("value", "The id of a user.") }
                        .fixed(),
                    Attribute {
                        is_exact: true,
                        ..Attribute::new("$ref", Kind::Reference(&["User"]), "Where the user is.")
                    }
                    .fixed(),
                    Attribute { usual: &["User"], ..Attribute::text("type", "Always a user.") }
                        .fixed(),
                ]),
                "Who is in it.",
            )
        },
    ],
};
