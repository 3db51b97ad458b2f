//! The tables of `coder/coder`'s resources.

use std::collections::BTreeMap;

use super::checks::{self, one_of};
use crate::provision::provider::schema::{
    Attribute, Block, Check, Nesting, Schema, block, computed, defaulted, optional,
    optional_computed, required,
};
use crate::provision::provider::value::Type::{Bool, Number, Text};
use crate::provision::provider::value::{Type, Value};

/// All resources by type.
pub(super) fn all() -> BTreeMap<&'static str, Schema> {
    BTreeMap::from([
        ("coder_agent", agent()),
        ("coder_agent_instance", agent_instance()),
        ("coder_ai_task", ai_task()),
        ("coder_app", app()),
        ("coder_devcontainer", devcontainer()),
        ("coder_env", env()),
        ("coder_external_agent", Schema::new(1, vec![agent_id()]).with_id()),
        ("coder_metadata", metadata()),
        ("coder_script", script()),
    ])
}

fn agent_id() -> Attribute {
    required("agent_id", Text)
}

fn agent() -> Schema {
    let auth: Check = one_of!(
        "token",
        "google-instance-identity",
        "aws-instance-identity",
        "azure-instance-identity",
    );
    let attributes = vec![
        required("os", Text).check(one_of!("linux", "darwin", "windows")),
        required("arch", Text).check(one_of!("amd64", "armv7", "arm64")),
        defaulted("auth", Text, "token").check(auth),
        defaulted("api_key_scope", Text, "all").check(one_of!("all", "no_user_data")),
        optional("dir", Text),
        optional("env", Type::text_map()),
        optional("startup_script", Text),
        optional("shutdown_script", Text),
        defaulted("startup_script_behavior", Text, "non-blocking")
            .check(one_of!("blocking", "non-blocking")),
        defaulted("connection_timeout", Number, 120).check(checks::not_negative),
        optional("troubleshooting_url", Text),
        optional("motd_file", Text),
        optional("order", Number).check(checks::whole),
        computed("token", Text).sensitive(),
        computed("init_script", Text),
    ];
    Schema::new(1, attributes)
        .blocks(vec![agent_metadata(), display_apps(), resources_monitoring()])
        .with_id()
}

fn agent_metadata() -> Block {
    let attributes = vec![
        required("key", Text),
        optional("display_name", Text),
        required("script", Text),
        required("interval", Number).check(checks::whole),
        optional("timeout", Number).check(checks::whole),
        optional("order", Number).check(checks::whole),
    ];
    block("metadata", Nesting::List, 0, Schema::new(0, attributes))
}

const DISPLAY_APPS: [(&str, bool); 5] = [
    ("vscode", true),
    ("vscode_insiders", false),
    ("web_terminal", true),
    ("port_forwarding_helper", true),
    ("ssh_helper", true),
];

fn display_apps() -> Block {
    let attributes = DISPLAY_APPS.map(|(name, on)| defaulted(name, Bool, on)).into();
    block("display_apps", Nesting::Set, 1, Schema::new(0, attributes))
}

/// The block that stands where a template has none. It is put in at plan: at apply it would be a
/// change that Terraform refuses.
pub(super) fn default_display_apps() -> Value {
    let apps = DISPLAY_APPS.map(|(name, on)| (name.to_owned(), Value::Bool(on)));
    Value::List(vec![Value::Map(BTreeMap::from(apps))])
}

fn resources_monitoring() -> Block {
    let memory =
        vec![required("enabled", Bool), required("threshold", Number).check(checks::percent)];
    let volume = vec![
        required("path", Text).check(checks::absolute),
        required("enabled", Bool),
        required("threshold", Number).check(checks::percent),
    ];
    let inner = Schema::default().blocks(vec![
        block("memory", Nesting::Set, 1, Schema::new(0, memory)),
        block("volume", Nesting::Set, 0, Schema::new(0, volume)),
    ]);
    block("resources_monitoring", Nesting::Set, 1, inner)
}

fn agent_instance() -> Schema {
    Schema::new(0, vec![agent_id(), required("instance_id", Text)]).with_id()
}

fn app() -> Schema {
    let attributes = vec![
        agent_id(),
        required("slug", Text).check(checks::slug),
        optional("display_name", Text).check(checks::short),
        optional("url", Text),
        optional("command", Text),
        optional("icon", Text).check(checks::url),
        optional("subdomain", Bool),
        defaulted("share", Text, "owner").check(one_of!("owner", "authenticated", "public")),
        defaulted("external", Bool, false),
        optional("group", Text).check(checks::short),
        optional("order", Number).check(checks::whole),
        defaulted("hidden", Bool, false),
        defaulted("open_in", Text, "slim-window").check(one_of!("tab", "slim-window")),
        optional("tooltip", Text).check(checks::long),
    ];
    let healthcheck = vec![
        required("url", Text),
        required("interval", Number).check(checks::whole),
        required("threshold", Number).check(checks::whole),
    ];
    Schema::new(1, attributes)
        .blocks(vec![block("healthcheck", Nesting::Set, 1, Schema::new(0, healthcheck))])
        .conflicts(&[
            ("command", &["url", "subdomain"]),
            ("url", &["command"]),
            ("external", &["healthcheck", "command", "subdomain", "share"]),
            ("healthcheck", &["command"]),
        ])
        .with_id()
}

fn script() -> Schema {
    let attributes = vec![
        agent_id(),
        required("display_name", Text),
        required("script", Text),
        optional("icon", Text).check(checks::url),
        optional("log_path", Text),
        optional("cron", Text).check(checks::schedule),
        defaulted("start_blocks_login", Bool, false),
        defaulted("run_on_start", Bool, false),
        defaulted("run_on_stop", Bool, false),
        defaulted("timeout", Number, 0).check(checks::positive),
    ];
    Schema::new(1, attributes).with_id()
}

fn env() -> Schema {
    let strategy: Check = one_of!("replace", "append", "prepend", "error");
    let attributes = vec![
        agent_id(),
        required("name", Text).check(checks::env_name),
        optional("value", Text),
        defaulted("merge_strategy", Text, "replace").check(strategy),
    ];
    Schema::new(1, attributes).with_id()
}

fn metadata() -> Schema {
    let attributes = vec![
        required("resource_id", Text),
        optional("hide", Bool),
        optional("icon", Text).check(checks::url),
        optional("daily_cost", Number).check(checks::whole),
    ];
    let item = vec![
        required("key", Text),
        optional("value", Text),
        defaulted("sensitive", Bool, false),
        computed("is_null", Bool),
    ];
    Schema::new(1, attributes)
        .blocks(vec![block("item", Nesting::List, 0, Schema::new(0, item))])
        .with_id()
}

fn devcontainer() -> Schema {
    let attributes = vec![
        agent_id(),
        required("workspace_folder", Text).check(checks::not_empty),
        optional("config_path", Text),
        computed("subagent_id", Text),
    ];
    Schema::new(1, attributes).with_id()
}

fn ai_task() -> Schema {
    let attributes = vec![
        computed("id", Text),
        optional_computed("app_id", Text).check(checks::uuid),
        computed("prompt", Text),
        computed("enabled", Bool),
    ];
    let sidebar = Schema::new(0, vec![required("id", Text).check(checks::uuid)]);
    Schema::new(1, attributes)
        .blocks(vec![block("sidebar_app", Nesting::Set, 1, sidebar)])
        .conflicts(&[("sidebar_app", &["app_id"]), ("app_id", &["sidebar_app"])])
}
