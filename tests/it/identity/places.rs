//! What someone is in an organization follows a real `OpenID` provider, as it was set there.

use std::time::Duration;

use serde_json::{Value, json};
use steading::server::app::Actor;
use steading::server::app::organizations::UpdateOrganization;

use super::syncs::{claims, get, organizations_of, with_organizations};
use super::{AtWork, REFRESH, World, rules};
use crate::harness::{Client, person};
use crate::workspaces::id;

const ROLES: &str = "/api/v2/organizations/kiln/settings/idpsync/roles";
const GROUPS: &str = "/api/v2/organizations/kiln/settings/idpsync/groups";
const SITE: &str = "/api/v2/settings/idpsync/organization";

/// A world with the organization kiln, its group potters, and its role operator.
async fn with_kiln(world: &World) -> (Client, Value) {
    let olga = world.server.sign_in("olga").await;
    let kiln = UpdateOrganization { name: Some("kiln".to_owned()), ..Default::default() };
    world.server.app.create_organization(&Actor::System, kiln).await.unwrap();
    let path = "/api/v2/organizations/kiln/groups";
    let group = world.server.post(&olga, path, json!({ "name": "potters" })).await;
    let role = json!({ "name": "operator", "organization_permissions":
        [{ "resource_type": "workspace", "action": "read" }] });
    let path = "/api/v2/organizations/kiln/members/roles";
    world.server.post(&olga, path, role).await.expect(200);
    (olga, group.expect(201).json())
}

async fn set(world: &World, who: &Client, path: &str, body: Value) -> Value {
    world.server.patch(who, path, body).await.expect(200).json()
}

/// The groups and the roles of Ada in kiln.
async fn adas(world: &World, olga: &Client) -> (Vec<String>, Vec<String>) {
    let groups = get(world, olga, "/api/v2/organizations/kiln/groups").await.expect(200).json();
    let is_in = |group: &&Value| {
        group["name"] != "Everyone"
            && group["members"].as_array().unwrap().iter().any(|m| m["username"] == "ada")
    };
    let name = |thing: &Value| thing["name"].as_str().unwrap().to_owned();
    let groups = groups.as_array().unwrap().iter().filter(is_in).map(name).collect();
    let path = "/api/v2/organizations/kiln/members/ada";
    let member = get(world, olga, path).await.expect(200).json();
    (groups, member["roles"].as_array().unwrap().iter().map(name).collect())
}

#[tokio::test]
async fn groups_and_roles_follow_in_an_organization_as_it_was_set_there() {
    let world = World::start(REFRESH, with_organizations()).await;
    let (olga, potters) = with_kiln(&world).await;
    let mapping =
        json!({ "keeper": ["organization-template-admin", "Operator"], "seer": ["operator"] });
    let made = set(&world, &olga, ROLES, json!({ "field": "jobs", "mapping": mapping })).await;
    assert_eq!(made["mapping"]["keeper"], json!(["operator", "organization-template-admin"]));
    assert_eq!((&made["provider"], &made["source"]), (&json!("sso"), &json!("set")));
    let body = json!({ "field": "teams", "mapping": { "pots": ["POTTERS"] },
        "regex_filter": "^glaze", "auto_create_missing_groups": true });
    let made = set(&world, &olga, GROUPS, body).await;
    assert_eq!(made["mapping"]["pots"], json!([id(&potters)]));
    assert_eq!(get(&world, &olga, GROUPS).await.expect(200).json(), made);

    let said = json!({ "crafts": ["clay"], "jobs": ["keeper", "owner"],
        "teams": ["pots", "glaze-2", "staff"] });
    world.peer.put("ada", claims("ada", said)).await;
    let (_, ada) = world.sign_in("ada").await;
    let both = |groups: &[&str], roles: &[&str]| {
        let own = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        (own(groups), own(roles))
    };
    let roles = ["operator", "organization-template-admin"];
    assert_eq!(adas(&world, &olga).await, both(&["glaze-2", "potters"], &roles));
    let page = get(&world, &ada, "/people/ada/claims").await.expect(200).text;
    for shown in ["Groups in kiln", "Roles in kiln", "as it was set here", "operator"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }

    // What the provider gives, nobody here takes; what someone here gives, the provider does not.
    let path = "/api/v2/organizations/kiln/members/ada/roles";
    let hand = json!({ "roles": ["organization-auditor"] });
    let refused = world.server.put(&olga, path, hand).await.expect(409).text;
    assert!(refused.contains("has the role operator from sso"), "{refused}");
    let all =
        json!({ "roles": ["organization-auditor", "operator", "organization-template-admin"] });
    world.server.put(&olga, path, all).await.expect(200);
    world.peer.put("ada", claims("ada", json!({ "crafts": ["clay"], "jobs": "seer" }))).await;
    world.renew_later().await;
    assert_eq!(adas(&world, &olga).await, both(&[], &["operator", "organization-auditor"]));
    let log = "/api/v2/audit?q=resource_type:organization_member+action:write";
    let log = get(&world, &olga, log).await.expect(200).json();
    let last = &log["audit_logs"][0]["diff"];
    assert_eq!(last["provider"]["new"], "sso");
    assert_eq!(last["roles"]["new"], json!(["operator", "organization-auditor"]));

    // A claim is renamed, and the role goes with the next word; then nothing is set any more.
    world.server.patch(&olga, &format!("{ROLES}/config"), json!({ "field": "rank" })).await;
    world.sign_in("ada").await;
    assert_eq!(adas(&world, &olga).await.1, ["organization-auditor"]);
    world.server.delete(&olga, ROLES).await.expect(200);
    assert_eq!(get(&world, &olga, ROLES).await.expect(200).json()["source"], "file");
    world.server.put(&olga, path, json!({ "roles": [] })).await.expect(200);
}

#[tokio::test]
async fn single_words_are_mapped_and_what_does_not_fit_is_named() {
    let world = World::start(REFRESH, rules()).await;
    let (olga, potters) = with_kiln(&world).await;
    let server = &world.server;
    set(&world, &olga, &format!("{GROUPS}/config"), json!({ "field": "teams" })).await;
    let gets = id(&potters);
    let body = json!({ "add": [{ "given": "pots", "gets": gets }], "remove": null });
    let made = set(&world, &olga, &format!("{GROUPS}/mapping"), body).await;
    assert_eq!((&made["mapping"]["pots"][0], &made["field"]), (&json!(gets), &json!("teams")));
    let body = json!({ "remove": [{ "given": "pots", "gets": gets }] });
    let made = set(&world, &olga, &format!("{GROUPS}/mapping"), body).await;
    assert_eq!((&made["mapping"], &made["regex_filter"]), (&json!({}), &Value::Null));

    let other = "/api/v2/organizations/default/groups";
    let other = server.post(&olga, other, json!({ "name": "elsewhere" })).await.expect(201).json();
    let many: serde_json::Map<_, _> =
        (0..501).map(|n| (format!("w{n}"), json!(["operator"]))).collect();
    for (path, body, field, why) in [
        (GROUPS, json!({ "field": "t", "regex_filter": "(" }), "regex_filter", "no expression"),
        (GROUPS, json!({ "field": "x".repeat(129) }), "field", "at most 128"),
        (GROUPS, json!({ "field": "t", "mapping": { "a": ["nowhere"] } }), "mapping", "no group"),
        (GROUPS, json!({ "field": "t", "mapping": { "a": [id(&other)] } }), "mapping", "no group"),
        (GROUPS, json!({ "field": "t", "mapping": { "a": ["Everyone"] } }), "mapping", "everyone"),
        (ROLES, json!({ "field": "t", "mapping": { "a": ["owner"] } }), "mapping", "no role"),
        (ROLES, json!({ "field": "t", "mapping": many }), "mapping", "more than 500"),
        (SITE, json!({ "field": "t", "mapping": {} }), "mapping", "nobody"),
        (SITE, json!({ "field": "t", "mapping": { "a": ["b"] } }), "mapping", "no organization"),
    ] {
        let reply = server.patch(&olga, path, body).await.expect(400);
        let said = reply.json()["validations"][0].clone();
        assert_eq!(said["field"], field, "{}", reply.text);
        assert!(said["detail"].as_str().unwrap().contains(why), "{}", reply.text);
    }
    let unknown = format!("{GROUPS}?provider=elsewhere");
    server.patch(&olga, &unknown, json!({ "field": "t" })).await.expect(400);
    server.patch(&olga, &format!("{ROLES}x"), json!({ "field": "t" })).await.expect(404);
}

#[tokio::test]
async fn nobody_leads_others_to_what_they_could_not_give() {
    let world = World::start(REFRESH, rules()).await;
    let (olga, potters) = with_kiln(&world).await;
    let server = &world.server;
    for (name, role) in [("urs", "organization-user-admin"), ("ben", "operator")] {
        server.app.create_user(&Actor::System, person(name)).await.unwrap();
        let path = format!("/api/v2/organizations/kiln/members/{name}");
        server.post(&olga, &path, json!({})).await.expect(200);
        let body = json!({ "roles": [role] });
        server.put(&olga, &format!("{path}/roles"), body).await.expect(200);
    }
    let (urs, ben) = (server.sign_in("urs").await, server.sign_in("ben").await);
    let lead = |role: &str| json!({ "field": "jobs", "mapping": { "me": [role] } });
    for role in ["organization-admin", "organization-template-admin", "operator"] {
        server.patch(&urs, ROLES, lead(role)).await.expect(403);
    }
    set(&world, &urs, ROLES, lead("organization-user-admin")).await;
    // What an owner led to she does not lead elsewhere, nor give another claim.
    set(&world, &olga, ROLES, lead("organization-admin")).await;
    server.patch(&urs, ROLES, lead("organization-user-admin")).await.expect(403);
    server.patch(&urs, &format!("{ROLES}/config"), json!({ "field": "mine" })).await.expect(403);
    server.delete(&urs, ROLES).await.expect(403);
    let into = json!({ "field": "teams", "mapping": { "pots": [id(&potters)] } });
    set(&world, &urs, GROUPS, into.clone()).await;
    // Others see none of it, and nobody of an organization sets what is the whole site's.
    server.get(&ben, GROUPS).await.expect(403);
    server.patch(&ben, GROUPS, into.clone()).await.expect(403);
    server.patch(&urs, SITE, json!({ "field": "crafts" })).await.expect(403);
    let elsewhere = "/api/v2/organizations/default/settings/idpsync/groups";
    server.patch(&urs, elsewhere, into.clone()).await.expect(403);
    // Who keeps another organization does not know of this one.
    server.app.create_user(&Actor::System, person("eve")).await.unwrap();
    let admin = json!({ "roles": ["organization-admin"] });
    server.put(&olga, "/api/v2/organizations/default/members/eve/roles", admin).await.expect(200);
    let eve = server.sign_in("eve").await;
    server.get(&eve, elsewhere).await.expect(200);
    server.get(&eve, GROUPS).await.expect(404);
    server.patch(&eve, GROUPS, into).await.expect(404);
    server.app.write_refusals().await.unwrap();
    let log =
        get(&world, &olga, "/api/v2/audit?q=resource_type:health_settings+action:write").await;
    let log = log.expect(200).json();
    let told: Vec<_> = log["audit_logs"].as_array().unwrap().iter().collect();
    let done = told.iter().find(|e| e["resource_target"] == "groups of kiln by sso").unwrap();
    assert!(done["diff"]["mapping"]["new"][0].as_str().unwrap().starts_with("pots = "));
    assert!(told.iter().any(|e| e["status_code"] == 403), "refused ones are on record: {log}");
}

#[tokio::test]
async fn organizations_follow_what_was_set_here_over_the_file() {
    let world = World::start(REFRESH, with_organizations()).await;
    let (olga, _) = with_kiln(&world).await;
    let said = json!({ "crafts": ["clay"], "place": "oven" });
    world.peer.put("ada", claims("ada", said)).await;
    let body = json!({ "field": "place", "mapping": { "oven": ["default"], "fire": ["kiln"] },
        "organization_assign_default": false });
    let made = set(&world, &olga, SITE, body).await;
    assert_eq!((&made["field"], &made["source"]), (&json!("place"), &json!("set")));
    let (_, ada) = world.sign_in("ada").await;
    assert_eq!(organizations_of(&world, &ada).await, ["default"]);
    let kiln = get(&world, &olga, "/api/v2/organizations/kiln").await.expect(200).json();
    // As Coder's own client writes it.
    let body = json!({ "Add": [{ "Given": "oven", "Gets": id(&kiln) }], "Remove": null });
    set(&world, &olga, &format!("{SITE}/mapping"), body).await;
    world.renew_later().await;
    assert_eq!(organizations_of(&world, &ada).await, ["default", "kiln"]);
    // By the file again.
    world.server.delete(&olga, SITE).await.expect(200);
    world.sign_in("ada").await;
    assert_eq!(organizations_of(&world, &ada).await, ["kiln"]);
    let body = json!({ "field": "", "mapping": {} });
    set(&world, &olga, SITE, body).await;
    world.peer.put("ada", claims("ada", json!({}))).await;
    world.sign_in("ada").await;
    assert_eq!(organizations_of(&world, &ada).await, ["kiln"], "off, it takes nobody out");
}

#[tokio::test]
async fn what_is_open_is_cut_when_the_provider_takes_the_role() {
    let world = World::start(REFRESH, rules()).await;
    let olga = world.server.sign_in("olga").await;
    let role = json!({ "name": "hands", "organization_permissions":
        [{ "resource_type": "workspace", "action": "ssh" },
         { "resource_type": "workspace", "action": "read" }] });
    let path = "/api/v2/organizations/default/members/roles";
    world.server.post(&olga, path, role).await.expect(200);
    let path = "/api/v2/organizations/default/settings/idpsync/roles";
    set(&world, &olga, path, json!({ "field": "jobs", "mapping": { "hand": ["hands"] } })).await;
    world.peer.put("ada", claims("ada", json!({ "jobs": ["hand"] }))).await;
    let (_, client) = world.sign_in("ada").await;
    let work = AtWork::begin(world, client, olga).await;
    let open = work.live(work.grant).await;
    work.peer.put("ada", claims("ada", json!({ "jobs": [] }))).await;
    work.renew_later().await;
    tokio::time::timeout(Duration::from_secs(2), open.cut.cancelled()).await.unwrap();
    work.look().await.expect(404);
}

#[tokio::test]
async fn what_a_mapping_would_give_is_shown_before_it_is_saved() {
    let world = World::start(REFRESH, rules()).await;
    let olga = world.server.sign_in("olga").await;
    let role = json!({ "name": "operator", "organization_permissions":
        [{ "resource_type": "workspace", "action": "read" }] });
    let path = "/api/v2/organizations/default/members/roles";
    world.server.post(&olga, path, role).await.expect(200);
    world.peer.put("ada", claims("ada", json!({ "jobs": ["cn=hand,dc=x", "seer"] }))).await;
    world.sign_in("ada").await;
    let browser = olga.in_browser(&[("sec-fetch-site", "same-origin")]);
    let page = "/organizations/default/sync/roles";
    let shown = world.server.get(&browser, page).await.expect(200).text;
    assert!(shown.contains("By the server's settings"), "{shown}");
    let token = shown.split("name=\"csrf\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let send = async |fields: &[(&str, &str)]| {
        let all = [&[("csrf", token.as_str()), ("field", "jobs")], fields].concat();
        world.server.form(&browser, page, &all).await
    };
    let mapping = ("mapping", "cn=hand,dc=x = operator");
    let tried = send(&[mapping, ("person", "ada"), ("deed", "try")]).await.expect(200).text;
    for part in ["What it would make of ada", "operator", "<code>seer</code>", "not mapped"] {
        assert!(tried.contains(part), "{part}: {tried}");
    }
    let none = send(&[mapping, ("person", "nobody"), ("deed", "try")]).await.expect(200).text;
    assert!(none.contains("Is no member whom you may see."), "{none}");
    let wrong = send(&[("mapping", "hand"), ("deed", "save")]).await.expect(200).text;
    assert!(wrong.contains("Has no = in the line"), "{wrong}");
    let now = "/api/v2/organizations/default/settings/idpsync/roles";
    assert_eq!(get(&world, &olga, now).await.expect(200).json()["source"], "file");
    send(&[mapping, ("deed", "save")]).await.expect(303);
    assert_eq!(
        get(&world, &olga, now).await.expect(200).json()["mapping"],
        json!({ "cn=hand,dc=x": ["operator"] })
    );
    let (_, ada) = world.sign_in("ada").await;
    let roles = get(&world, &ada, "/api/v2/users/me/roles").await.expect(200).json();
    assert!(roles["organization_roles"].to_string().contains("operator"), "{roles}");
    send(&[("deed", "back")]).await.expect(303);
    assert_eq!(get(&world, &olga, now).await.expect(200).json()["source"], "file");
}
