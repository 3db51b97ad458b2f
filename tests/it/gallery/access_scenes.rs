//! Pages on who may what, in every state.

use std::collections::BTreeMap;

use maud::Render as _;
use steading::model::name::{RoleName, TemplateName};
use steading::model::policy::{self, Permission, Permissions};
use steading::model::quota::Quota;
use steading::model::template::TemplateRole;
use steading::model::user::{
    Contents, Group, GroupSource, HeldRole, Organization, OrganizationRole, User,
};
use steading::server::html::layout::Visit;
use steading::server::html::pages::group::GroupPage;
use steading::server::html::pages::groups::{GroupRow, Groups};
use steading::server::html::pages::members::{MemberPage, Members};
use steading::server::html::pages::organizations::{OrganizationPage, Organizations};
use steading::server::html::pages::roles::{RolePage, RoleRow, Roles};
use steading::server::html::pages::template_permissions::{GroupEntry, TemplatePermissions};
use steading::server::html::parts::form::Input;
use steading::server::html::parts::place::Place;

use super::fixtures::{ada, before, grace, id, linus, reference, template, visit};
use super::{Scene, scene};

fn permissions() -> Vec<Scene> {
    let group = |n: u128, name: &str| GroupEntry { id: id(n), name: name.into(), everyone: n == 1 };
    let page = || TemplatePermissions {
        visit: visit(grace()),
        template: template("docker", "Docker"),
        groups: vec![
            (group(1, "Everyone"), TemplateRole::Use),
            (group(1701, "platform"), TemplateRole::Admin),
        ],
        users: vec![(linus(), TemplateRole::Admin)],
        more_groups: vec![group(1702, "a-name-of-thirty-six-characters-long1")],
        more_users: vec![reference(&ada()), reference(&grace())],
        input: Input::default(),
    };
    let private = TemplatePermissions {
        groups: vec![],
        users: vec![],
        more_groups: vec![group(1, "Everyone")],
        ..page()
    };
    let wrong = Input::wrong(
        BTreeMap::new(),
        "who",
        "You keep this template by this entry yourself; someone else has to change it.",
    );
    vec![
        scene("template-permissions", page().render()),
        scene("template-permissions-private", private.render()),
        scene(
            "template-permissions-wrong",
            TemplatePermissions { input: wrong, ..page() }.render(),
        ),
    ]
}

fn some_group(n: u128, name: &str, quota_allowance: i64) -> Group {
    Group {
        id: id(n),
        organization_id: id(1),
        name: name.into(),
        display_name: if n == 1701 { "The platform people".into() } else { String::new() },
        source: GroupSource::User,
        quota_allowance,
        avatar_url: String::new(),
        created_at: before(9_000_000),
    }
}

fn row_of(group: &Group, n_members: i64, source: GroupSource) -> GroupRow {
    GroupRow {
        name: group.name.clone(),
        display_name: group.display_name.clone(),
        everyone: group.id.0 == group.organization_id.0,
        source,
        n_members,
        quota_allowance: group.quota_allowance,
    }
}

fn typed(field: &str, why: &str) -> Input {
    Input::wrong(BTreeMap::from([("name".to_owned(), "platform".to_owned())]), field, why)
}

fn groups() -> Vec<Scene> {
    let list = |visitor: User, creates, input| Groups {
        visit: visit(visitor),
        groups: vec![
            row_of(&some_group(1, "Everyone", 8), 5, GroupSource::User),
            row_of(&some_group(1701, "platform", 12), 3, GroupSource::User),
            row_of(
                &some_group(1702, "a-name-of-thirty-six-characters-long", 0),
                0,
                GroupSource::Oidc,
            ),
        ],
        creates,
        input,
        place: place(false),
    };
    let member = Groups {
        groups: vec![row_of(&some_group(1, "Everyone", 0), 1, GroupSource::User)],
        ..list(linus(), false, Input::default())
    };
    let taken = typed("name", "There is a group named platform.");
    vec![
        scene("groups", list(ada(), true, Input::default()).render()),
        scene("groups-member", member.render()),
        scene("groups-wrong", list(ada(), true, taken).render()),
    ]
}

fn group_pages() -> Vec<Scene> {
    let quota = |consumed, budget| Quota { consumed, budget };
    let page = |visitor: User, changes, input| GroupPage {
        visit: visit(visitor),
        group: some_group(1701, "platform", 12),
        everyone: false,
        members: vec![
            (ada(), quota(11, Some(20))),
            (grace(), quota(25, Some(20))),
            (linus(), quota(3, None)),
        ],
        more: vec![reference(&linus())],
        templates: vec![
            (TemplateName::parse("docker").unwrap(), TemplateRole::Use),
            (TemplateName::parse("vm").unwrap(), TemplateRole::Admin),
        ],
        changes,
        deletes: changes,
        input,
        place: place(false),
    };
    let empty = GroupPage {
        members: vec![],
        more: vec![],
        templates: vec![],
        ..page(ada(), true, Input::default())
    };
    let everyone = GroupPage {
        group: some_group(1, "Everyone", 8),
        everyone: true,
        more: vec![],
        ..page(ada(), true, Input::default())
    };
    let wrong = typed("quota_allowance", "Wants 0 to 1000000000 credits a day.");
    vec![
        scene("group", page(ada(), true, Input::default()).render()),
        scene("group-empty", empty.render()),
        scene("group-everyone", everyone.render()),
        scene("group-member", page(linus(), false, Input::default()).render()),
        scene("group-wrong", page(ada(), true, wrong).render()),
    ]
}

fn organization() -> Organization {
    Organization {
        id: id(1),
        name: "default".into(),
        display_name: "Default".into(),
        description: String::new(),
        created_at: before(30_000_000),
        updated_at: before(30_000_000),
        is_default: true,
        quota_allowance: 8,
        icon: String::new(),
    }
}

/// The organization of the start alone, or another one besides it.
pub fn place(is_one_of_many: bool) -> Place {
    let organization = if is_one_of_many { kiln() } else { organization() };
    Place { organization, is_one_of_many, syncs: true }
}

fn kiln() -> Organization {
    Organization {
        id: id(2),
        name: "a-name-of-thirty-six-characters-long".into(),
        display_name: "The kiln at the end of the lane".into(),
        description: "Potters and their apprentices".into(),
        is_default: false,
        ..organization()
    }
}

/// Who sees several organizations.
pub fn sees_several(user: User) -> Visit {
    let mut visit = visit(user);
    visit.ways.organizations = true;
    visit
}

fn organizations() -> Vec<Scene> {
    let list = |visit, organizations, creates, input| Organizations {
        visit,
        organizations,
        creates,
        input,
    };
    let both = || vec![kiln(), organization()];
    let taken = typed("name", "There is an organization of this name.");
    let alone = list(visit(ada()), vec![organization()], true, Input::default());
    let page = |changes: bool, input| OrganizationPage {
        visit: sees_several(if changes { ada() } else { linus() }),
        place: place(true),
        changes,
        holds: changes.then_some(Contents::Nothing),
        input,
    };
    let things = Some(Contents::Things { templates: 2, workspaces: 31 });
    let full = OrganizationPage { holds: things, ..page(true, Input::default()) };
    let past = OrganizationPage { holds: Some(Contents::Past), ..page(true, Input::default()) };
    let start = OrganizationPage {
        visit: visit(ada()),
        place: place(false),
        ..page(true, Input::default())
    };
    let groups = Groups {
        visit: sees_several(ada()),
        groups: vec![row_of(&some_group(1702, "platform", 0), 2, GroupSource::Oidc)],
        creates: true,
        input: Input::default(),
        place: place(true),
    };
    vec![
        scene("organizations", list(sees_several(ada()), both(), true, Input::default()).render()),
        scene(
            "organizations-member",
            list(sees_several(linus()), both(), false, Input::default()).render(),
        ),
        scene("organizations-alone", alone.render()),
        scene("organizations-wrong", list(sees_several(ada()), both(), true, taken).render()),
        scene("organization", page(true, Input::default()).render()),
        scene("organization-member", page(false, Input::default()).render()),
        scene(
            "organization-wrong",
            page(true, typed("icon", "May have at most 256 characters.")).render(),
        ),
        scene("organization-start", start.render()),
        scene("organization-full", full.render()),
        scene("organization-past", past.render()),
        scene("groups-of-one-of-many", groups.render()),
    ]
}

fn members() -> Vec<Scene> {
    let role = |name: &str| HeldRole {
        organization: id(1),
        role: RoleName::parse(name).expect("a name of the gallery is valid"),
    };
    let keeper = User {
        organization_roles: vec![role("organization-template-admin"), role("operator")],
        ..linus()
    };
    let list = |adds, input| Members {
        visit: visit(ada()),
        place: place(false),
        members: vec![(ada(), before(9_000_000)), (keeper.clone(), before(86_400))],
        offset: 0,
        total: 2,
        adds,
        input,
    };
    let many = Members { total: 431, place: place(true), ..list(true, Input::default()) };
    let none = Members { members: vec![], total: 0, ..list(false, Input::default()) };
    let page = |changes: bool, input| MemberPage {
        visit: visit(if changes { ada() } else { grace() }),
        place: place(false),
        user: keeper.clone(),
        roles: vec![
            ("organization-admin".into(), "Organization Admin".into(), false),
            ("organization-template-admin".into(), "Organization Template Admin".into(), changes),
            ("operator".into(), String::new(), changes),
        ],
        assigns: changes,
        removes: changes,
        input,
    };
    let refused = typed("form", "Your own roles are changed by someone else.");
    vec![
        scene("members", list(true, Input::default()).render()),
        scene("members-many", many.render()),
        scene("members-none", none.render()),
        scene(
            "members-wrong",
            list(true, typed("user", "Is nobody with an account here.")).render(),
        ),
        scene("member", page(true, Input::default()).render()),
        scene("member-plain", page(false, Input::default()).render()),
        scene("member-refused", page(true, refused).render()),
    ]
}

fn roles() -> Vec<Scene> {
    let some: Permissions = ["workspace:read", "workspace:start", "template:use"]
        .into_iter()
        .filter_map(Permission::parse)
        .collect();
    let entry = |name: &str, permissions, built_in| RoleRow {
        name: name.into(),
        display_name: if built_in { "Organization Auditor".into() } else { String::new() },
        permissions,
        built_in,
    };
    let held = policy::role::of_organization(OrganizationRole::Admin);
    let list = |creates, input| Roles {
        visit: visit(ada()),
        roles: vec![
            entry(
                "organization-auditor",
                policy::role::of_organization(OrganizationRole::Auditor),
                true,
            ),
            entry("operator", some, false),
        ],
        creates,
        held,
        chosen: some,
        input,
        place: place(false),
    };
    let page = |role: RoleRow, changes, held| RolePage {
        visit: visit(ada()),
        role,
        held,
        changes,
        deletes: changes,
        input: Input::default(),
        place: place(false),
    };
    let built_in = entry("organization-auditor", held, true);
    let ban = entry("organization-workspace-creation-ban", Permissions::EMPTY, true);
    vec![
        scene("roles", list(true, Input::default()).render()),
        scene("roles-member", list(false, Input::default()).render()),
        scene("roles-wrong", list(true, typed("name", "Is the name of a built-in role.")).render()),
        scene("role", page(entry("operator", some, false), true, held).render()),
        scene("role-wider-than-mine", page(entry("operator", held, false), true, some).render()),
        scene("role-built-in", page(built_in, false, held).render()),
        scene("role-ban", page(ban, false, held).render()),
    ]
}

/// Every one of them.
pub fn all() -> Vec<Scene> {
    [permissions(), groups(), group_pages(), members(), roles(), organizations()].concat()
}
