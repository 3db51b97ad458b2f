//! The tables of `coder/coder`'s data sources.

use std::collections::BTreeMap;

use super::checks::{self, one_of};
use crate::provision::provider::schema::{
    Block, Check, Nesting, Schema, block, computed, defaulted, optional, required,
};
use crate::provision::provider::value::Type;
use crate::provision::provider::value::Type::{Bool, Number, Text};

/// All data sources by type.
pub(super) fn all() -> BTreeMap<&'static str, Schema> {
    BTreeMap::from([
        ("coder_external_auth", external_auth()),
        ("coder_parameter", parameter()),
        ("coder_provisioner", texts(1, &["os", "arch"]).with_id()),
        ("coder_script_order", script_order()),
        ("coder_secret", secret()),
        ("coder_task", task()),
        ("coder_workspace", workspace()),
        ("coder_workspace_owner", owner()),
        ("coder_workspace_preset", preset()),
        ("coder_workspace_tags", tags()),
    ])
}

fn texts(version: i64, names: &[&'static str]) -> Schema {
    Schema::new(version, names.iter().map(|name| computed(name, Text)).collect())
}

fn external_auth() -> Schema {
    let attributes = vec![
        required("id", Text).check(checks::not_empty),
        optional("optional", Bool),
        computed("access_token", Text).sensitive(),
    ];
    Schema::new(1, attributes)
}

fn parameter() -> Schema {
    let kind: Check = one_of!("string", "number", "bool", "list(string)");
    let form: Check = one_of!(
        "radio",
        "slider",
        "input",
        "dropdown",
        "checkbox",
        "switch",
        "multi-select",
        "tag-select",
        "textarea",
        "error",
    );
    let attributes = vec![
        required("name", Text),
        optional("display_name", Text),
        optional("description", Text),
        defaulted("type", Text, "string").check(kind),
        defaulted("form_type", Text, "").check(form),
        defaulted("styling", Text, "{}"),
        defaulted("mutable", Bool, false),
        optional("default", Text),
        optional("icon", Text).check(checks::url),
        optional("order", Number).check(checks::whole),
        defaulted("ephemeral", Bool, false),
        computed("value", Text),
        computed("optional", Bool),
    ];
    let option = vec![
        required("name", Text),
        optional("description", Text),
        required("value", Text),
        optional("icon", Text).check(checks::url),
    ];
    Schema::new(1, attributes)
        .blocks(vec![
            block("option", Nesting::List, 0, Schema::new(0, option)),
            parameter_validation(),
        ])
        .with_id()
}

fn parameter_validation() -> Block {
    let attributes = vec![
        optional("min", Number).check(checks::whole),
        computed("min_disabled", Bool),
        optional("max", Number).check(checks::whole),
        computed("max_disabled", Bool),
        optional("monotonic", Text),
        optional("regex", Text),
        optional("error", Text),
    ];
    let inner = Schema::new(0, attributes).conflicts(&[("regex", &["min", "max", "monotonic"])]);
    block("validation", Nesting::List, 1, inner)
}

fn secret() -> Schema {
    let attributes = vec![
        optional("env", Text).check(checks::env_name_or_empty),
        optional("file", Text).check(checks::secret_path),
        required("help_message", Text),
        computed("value", Text).sensitive(),
    ];
    Schema::new(1, attributes).with_id()
}

fn task() -> Schema {
    let attributes =
        vec![computed("id", Text), computed("prompt", Text), computed("enabled", Bool)];
    Schema::new(0, attributes)
}

fn workspace() -> Schema {
    let attributes = vec![
        computed("id", Text),
        computed("name", Text),
        computed("transition", Text),
        computed("start_count", Number),
        computed("prebuild_count", Number),
        computed("is_prebuild", Bool),
        computed("is_prebuild_claim", Bool),
        computed("access_url", Text),
        computed("access_port", Number),
        computed("template_id", Text),
        computed("template_name", Text),
        computed("template_version", Text),
    ];
    Schema::new(1, attributes)
}

fn owner() -> Schema {
    let attributes = vec![
        computed("id", Text),
        computed("name", Text),
        computed("full_name", Text),
        computed("email", Text),
        computed("login_type", Text),
        computed("groups", Type::List(Box::new(Text))),
        computed("rbac_roles", rbac_roles()),
        computed("ssh_public_key", Text),
        computed("ssh_private_key", Text).sensitive(),
        computed("session_token", Text).sensitive(),
        computed("oidc_access_token", Text).sensitive(),
    ];
    Schema::new(0, attributes)
}

/// `list(object({name, org_id}))`.
pub(super) fn rbac_roles() -> Type {
    let role = vec![("name".to_owned(), Text), ("org_id".to_owned(), Text)];
    Type::List(Box::new(Type::Object(role)))
}

fn preset() -> Schema {
    let attributes = vec![
        computed("id", Text),
        required("name", Text).check(checks::not_empty),
        optional("description", Text).check(checks::sentence),
        optional("icon", Text).check(checks::short_url),
        defaulted("default", Bool, false),
        optional("parameters", Type::text_map()),
    ];
    Schema::new(1, attributes).blocks(vec![prebuilds()])
}

fn prebuilds() -> Block {
    let ttl = vec![required("ttl", Number).check(checks::time_to_live)];
    let schedule =
        vec![required("cron", Text), required("instances", Number).check(checks::not_negative)];
    let scheduling = Schema::new(0, vec![required("timezone", Text)]).blocks(vec![
        block("schedule", Nesting::List, 0, Schema::new(0, schedule)).at_least_once(),
    ]);
    let inner = Schema::new(0, vec![required("instances", Number).check(checks::not_negative)])
        .blocks(vec![
            block("expiration_policy", Nesting::Set, 1, Schema::new(0, ttl)),
            block("scheduling", Nesting::List, 1, scheduling),
        ]);
    block("prebuilds", Nesting::Set, 1, inner)
}

fn script_order() -> Schema {
    let texts = || Type::List(Box::new(Text));
    let rule = vec![
        required("run", texts()),
        required("after", texts()),
        optional("phase", Text).check(one_of!("start", "stop")),
        defaulted("requires", Text, "success").check(one_of!("success", "completion")),
    ];
    let rule = block("rule", Nesting::List, 0, Schema::new(0, rule)).at_least_once();
    Schema::new(1, vec![]).blocks(vec![rule]).with_id()
}

fn tags() -> Schema {
    Schema::new(1, vec![optional("tags", Type::text_map())]).with_id()
}
