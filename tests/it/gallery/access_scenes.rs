//! Pages on who may what, in every state.

use maud::Render as _;
use steading::model::template::TemplateRole;
use steading::server::html::pages::template_permissions::{GroupEntry, TemplatePermissions};
use steading::server::html::parts::form::Input;

use super::fixtures::{ada, grace, id, linus, reference, template, visit};
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
        std::collections::BTreeMap::new(),
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

/// Every one of them.
pub fn all() -> Vec<Scene> {
    permissions()
}
