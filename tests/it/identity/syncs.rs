//! What a person is here follows what a real `OpenID` provider says of them: roles and organizations.

use std::time::Duration;

use serde_json::{Value, json};
use steading::model::identity::{LinkByEmail, Rules};
use steading::model::sync::{OrganizationSync, RoleSync};
use steading::server::app::Actor;
use steading::server::app::organizations::UpdateOrganization;

use super::{AtWork, REFRESH, World, rules};
use crate::harness::{Client, Reply, person};
use crate::workspaces::id;

fn mapping(pairs: &[(&str, &[&str])]) -> std::collections::BTreeMap<String, Vec<String>> {
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    pairs.iter().map(|(there, here)| ((*there).to_owned(), texts(here))).collect()
}

/// Roles by the claim `roles`, also for accounts that have some.
fn with_roles() -> Rules {
    let roles = RoleSync {
        field: "roles".to_owned(),
        mapping: mapping(&[
            ("keepers", &["user-admin", "wizard"]),
            ("seers", &["auditor"]),
            ("heads", &["owner"]),
        ]),
        default: vec![],
    };
    Rules { roles: Some(roles), link_by_email: LinkByEmail::All, ..rules() }
}

/// Organizations by the claim `crafts`, and nobody in the one of the start by themselves.
pub fn with_organizations() -> Rules {
    let organizations = OrganizationSync {
        field: "crafts".to_owned(),
        mapping: mapping(&[("clay", &["kiln", "nowhere"]), ("all", &["default"])]),
        assign_default: false,
    };
    Rules { organizations: Some(organizations), ..rules() }
}

pub fn claims(name: &str, more: Value) -> Value {
    let mut claims = json!({
        "email": format!("{name}@example.org"), "email_verified": true, "preferred_username": name,
        "groups": [],
    });
    let Value::Object(more) = more else { panic!("{more} is no object") };
    claims.as_object_mut().unwrap().extend(more);
    claims
}

pub async fn get(world: &World, client: &Client, path: &str) -> Reply {
    world.server.get(client, path).await
}

async fn roles_of(world: &World, who: &Client, name: &str) -> Vec<String> {
    let path = format!("/api/v2/users/{name}/roles");
    let roles = get(world, who, &path).await.expect(200).json()["roles"].clone();
    serde_json::from_value(roles).unwrap()
}

/// What the audit log says of changes of someone's roles: what they are then, and the status.
async fn role_changes(world: &World, who: &Client, name: &str) -> Vec<(Value, Value)> {
    let path = format!("/api/v2/audit?q=resource_type:user+action:write+resource_target:{name}");
    let log = get(world, who, &path).await.expect(200).json();
    let entries = log["audit_logs"].as_array().unwrap().clone();
    let changes = entries.iter().filter(|e| e["diff"]["provider"]["new"] == "sso");
    changes.map(|e| (e["diff"]["rbac_roles"]["new"].clone(), e["status_code"].clone())).collect()
}

#[tokio::test]
async fn roles_follow_the_provider_which_alone_keeps_them() {
    let world = World::start(REFRESH, with_roles()).await;
    let olga = world.server.sign_in("olga").await;
    world.peer.put("ada", claims("ada", json!({ "roles": ["keepers", "owner"] }))).await;
    let (_, client) = world.sign_in("ada").await;
    assert_eq!(roles_of(&world, &client, "me").await, ["user-admin"]);
    get(&world, &client, "/api/v2/audit").await.expect(403);

    // Nobody here gives her others: the next sign-in would take them again.
    let path = "/api/v2/users/ada/roles";
    let refused = world.server.put(&olga, path, json!({ "roles": ["owner"] })).await.expect(409);
    assert!(refused.text.contains("The roles of ada are kept by sso"), "{}", refused.text);

    // A renewal brings what has changed, and her session has it at once.
    world.peer.put("ada", claims("ada", json!({ "roles": "seers" }))).await;
    world.renew_later().await;
    assert_eq!(roles_of(&world, &client, "me").await, ["auditor"]);
    get(&world, &client, "/api/v2/audit").await.expect(200);
    world.peer.put("ada", claims("ada", json!({}))).await;
    world.sign_in("ada").await;
    assert!(roles_of(&world, &client, "me").await.is_empty());
    get(&world, &client, "/api/v2/audit").await.expect(403);
    let told = role_changes(&world, &olga, "ada").await;
    let done = |roles: Value| (roles, json!(200));
    assert_eq!(told, [done(json!([])), done(json!(["auditor"])), done(json!(["user-admin"]))]);

    // What someone here gave before is the provider's from the first sign-in on.
    world.server.app.create_user(&Actor::System, person("tess")).await.unwrap();
    let role = steading::model::user::SiteRole::TemplateAdmin;
    world.server.app.set_user_roles(&Actor::System, "tess", vec![role]).await.unwrap();
    world.peer.put("tess", claims("tess", json!({ "roles": ["seers"] }))).await;
    let (_, tess) = world.sign_in("tess").await;
    assert_eq!(roles_of(&world, &tess, "me").await, ["auditor"]);
}

#[tokio::test]
async fn the_last_owner_stays_one_whatever_the_provider_says() {
    let world = World::start(REFRESH, with_roles()).await;
    world.peer.put("olga", claims("olga", json!({ "roles": [] }))).await;
    let (_, olga) = world.sign_in("olga").await;
    assert_eq!(roles_of(&world, &olga, "me").await, ["owner"]);
    world.renew_later().await;
    assert_eq!(roles_of(&world, &olga, "me").await, ["owner"]);
    // It is told once, not at each renewal.
    assert_eq!(role_changes(&world, &olga, "olga").await, [(json!([]), json!(409))]);

    world.peer.put("ada", claims("ada", json!({ "roles": ["heads"] }))).await;
    let (_, ada) = world.sign_in("ada").await;
    assert_eq!(roles_of(&world, &ada, "me").await, ["owner"]);
    world.sign_in("olga").await;
    assert!(roles_of(&world, &olga, "me").await.is_empty(), "she is an owner no more");
    world.peer.put("ada", claims("ada", json!({ "roles": ["seers"] }))).await;
    world.sign_in("ada").await;
    assert_eq!(roles_of(&world, &ada, "me").await, ["owner", "auditor"]);
}

#[tokio::test]
async fn a_coder_client_reads_what_claims_there_are() {
    let world = World::start(REFRESH, with_organizations()).await;
    let olga = world.server.sign_in("olga").await;
    world
        .peer
        .put("ada", claims("ada", json!({ "crafts": ["clay", "all"], "door_password": "x" })))
        .await;
    world.peer.put("ben", claims("ben", json!({ "crafts": "glaze" }))).await;
    let (_, ada) = world.sign_in("ada").await;
    world.sign_in("ben").await;
    let own = get(&world, &ada, "/api/v2/users/oidc-claims").await.expect(200).json();
    assert_eq!(
        (&own["claims"]["crafts"][0], &own["claims"]["door_password"]),
        (&json!("clay"), &Value::Null)
    );
    let none = get(&world, &olga, "/api/v2/users/oidc-claims").await.expect(200).json();
    assert_eq!(none, json!({ "claims": {} }));
    let path = "/api/v2/settings/idpsync/available-fields";
    let fields = get(&world, &olga, path).await.expect(200).json();
    let fields: Vec<String> = serde_json::from_value(fields).unwrap();
    assert!(fields.contains(&"crafts".to_owned()) && fields.is_sorted(), "{fields:?}");
    let path = "/api/v2/settings/idpsync/field-values?claimField=crafts";
    let values = get(&world, &olga, path).await.expect(200).json();
    assert_eq!(values, json!(["all", "clay", "glaze"]));
    get(&world, &ada, path).await.expect(403);
    let sync = get(&world, &olga, "/api/v2/settings/idpsync/organization").await.expect(200).json();
    let default = get(&world, &olga, "/api/v2/organizations/default").await.expect(200).json();
    assert_eq!(
        (&sync["field"], &sync["mapping"]["all"]),
        (&json!("crafts"), &json!([default["id"]]))
    );
    assert_eq!(sync["organization_assign_default"], false);
}

pub async fn organizations_of(world: &World, client: &Client) -> Vec<String> {
    let path = "/api/v2/users/me/organizations";
    let all = get(world, client, path).await.expect(200).json();
    all.as_array().unwrap().iter().map(|o| o["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn organizations_follow_the_provider_and_go_with_all_they_gave() {
    let world = World::start(REFRESH, with_organizations()).await;
    let (app, olga) = (&world.server.app, world.server.sign_in("olga").await);
    let kiln = UpdateOrganization { name: Some("kiln".to_owned()), ..Default::default() };
    app.create_organization(&Actor::System, kiln).await.unwrap();
    world.peer.put("ada", claims("ada", json!({ "crafts": ["clay", "kiln"] }))).await;
    let (_, ada) = world.sign_in("ada").await;
    assert_eq!(organizations_of(&world, &ada).await, ["kiln"]);
    for page in ["/workspaces", "/templates", "/people/ada", "/people/ada/claims"] {
        get(&world, &ada, page).await.expect(200);
    }
    // What she is given there goes when she goes.
    let role = json!({ "roles": ["organization-admin"] });
    let path = "/api/v2/organizations/kiln/members/ada/roles";
    world.server.put(&olga, path, role).await.expect(200);
    let group = json!({ "name": "potters" });
    let path = "/api/v2/organizations/kiln/groups";
    let group = world.server.post(&olga, path, group).await.expect(201).json();
    let path = format!("/api/v2/groups/{}", id(&group));
    world.server.patch(&olga, &path, json!({ "add_users": ["ada"] })).await.expect(200);
    get(&world, &ada, "/api/v2/organizations/kiln/members").await.expect(200);

    world.peer.put("ada", claims("ada", json!({ "crafts": ["all"] }))).await;
    world.renew_later().await;
    assert_eq!(organizations_of(&world, &ada).await, ["default"]);
    get(&world, &ada, "/api/v2/organizations/kiln/members").await.expect(404);
    let members = get(&world, &olga, &path).await.expect(200).json()["members"].clone();
    assert_eq!(members, json!([]));
    world.peer.put("ada", claims("ada", json!({ "crafts": ["clay"] }))).await;
    world.sign_in("ada").await;
    assert_eq!(organizations_of(&world, &ada).await, ["kiln"]);
    get(&world, &ada, "/api/v2/organizations/kiln/members/roles").await.expect(200);
    let roles = get(&world, &ada, "/api/v2/users/me/roles").await.expect(200).json();
    assert!(!roles.to_string().contains("organization-admin"), "{roles}");

    // Who was put in by hand stays there.
    app.create_user(&Actor::System, person("ben")).await.unwrap();
    world.peer.put("ben", claims("ben", json!({ "crafts": ["clay"] }))).await;
    let (_, ben) = world.sign_in("ben").await;
    assert_eq!(organizations_of(&world, &ben).await, ["default", "kiln"]);
    world.peer.put("ben", claims("ben", json!({}))).await;
    world.sign_in("ben").await;
    assert_eq!(organizations_of(&world, &ben).await, ["default"]);
}

#[tokio::test]
async fn what_is_open_is_cut_when_its_person_loses_the_organization() {
    let world = World::start(REFRESH, with_organizations()).await;
    world.peer.put("ada", claims("ada", json!({ "crafts": ["all"] }))).await;
    let (_, client) = world.sign_in("ada").await;
    let work = AtWork::begin(world, client.clone(), client).await;
    let open = work.live(work.grant).await;
    work.peer.put("ada", claims("ada", json!({ "crafts": [] }))).await;
    work.renew_later().await;
    tokio::time::timeout(Duration::from_secs(2), open.cut.cancelled()).await.unwrap();
    // She is signed in still, and has nothing here.
    work.world.server.get(&work.client, "/api/v2/users/me").await.expect(200);
    work.look().await.expect(404);
}

#[tokio::test]
async fn the_page_of_claims_tells_what_the_sync_did_to_whom_it_concerns() {
    let world = World::start(REFRESH, with_roles()).await;
    let app = &world.server.app;
    let olga = world.server.sign_in("olga").await;
    let said = json!({
        "roles": ["keepers", "strangers"], "groups": ["potters-at-sso", "staff"],
        "door_password": "open-sesame", "note": "<b>bold</b>",
    });
    world.peer.put("ada", claims("ada", said)).await;
    let (_, ada) = world.sign_in("ada").await;
    for client in [&olga, &ada] {
        let page = get(&world, client, "/people/ada/claims").await.expect(200).text;
        for shown in [
            "user admin",
            "there is no role <code>wizard</code> here",
            "strangers",
            "not mapped",
            "href=\"/groups/potters\"",
            "<code>staff</code> is left out by the filter",
            "&lt;b&gt;bold&lt;/b&gt;",
            "ada@example.org",
        ] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        assert!(!page.contains("open-sesame"));
        let person = get(&world, client, "/people/ada").await.expect(200).text;
        assert!(person.contains("href=\"/people/ada/claims\""), "{person}");
    }
    let form = get(&world, &olga, "/people/ada").await.expect(200).text;
    assert!(form.contains("sso keeps them") && !form.contains("Save roles"), "{form}");

    // The rules of now: what they would do next, not what they did.
    app.create_user(&Actor::System, person("ben")).await.unwrap();
    let ben = world.server.sign_in("ben").await;
    get(&world, &ben, "/people/ada/claims").await.expect(404);
    let empty = get(&world, &ben, "/people/ben/claims").await.expect(200).text;
    assert!(empty.contains("has not signed in at a provider"));
    // A user admin sees whom they keep, and no owner.
    get(&world, &ada, "/people/ben/claims").await.expect(200);
    get(&world, &ada, "/people/olga/claims").await.expect(403);
    app.set_rules("sso", None);
    let page = get(&world, &olga, "/people/ada/claims").await.expect(200).text;
    assert!(page.contains("not set up any more"), "{page}");
}
