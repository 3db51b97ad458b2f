//! A deployment with one of everything, twice: Ada's and Ben's.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;
use steading::model::audit::saved::FilterText;

use super::bodies::{self, Body};
use crate::harness::{Client, TestServer};
use crate::workspaces::{World as Workspaces, id, made as built};

/// Routes of which there is nothing here, for nobody.
pub const NOT_THERE: &[&str] = &[
    // Only an agent's token opens it.
    "/api/v2/workspaceagents/me/rpc",
    "/api/v2/users/{user}/gitsshkey",
    // An agent keeps one: `e2e::joining` has them.
    "/api/v2/workspaces/{workspace}/terminals/{terminal}/control",
    "/@{owner}/{name}/terminals/{terminal}/end",
    // `workspaces::external` has one.
    "/api/v2/workspaces/{workspace}/external-agent/{agent}/credentials",
    "/api/v2/organizations/{organization}/templates/{name}/versions/{version}/previous",
];

/// Whose thing a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Of who asks.
    Own,
    /// Of someone who is nobody else's victim, or of nobody in particular.
    Others,
}

/// What belongs to one person.
#[derive(Clone, Default)]
struct Things(BTreeMap<&'static str, String>);

/// The deployment and who asks of it.
pub struct World {
    pub server: TestServer,
    pub people: Vec<(&'static str, Client)>,
    /// By whose they are.
    things: BTreeMap<String, Things>,
    shared: Things,
}

/// Who asks: nobody, Ada the member, roles on the site, and roles in the organization.
const PEOPLE: &[(&str, Option<&str>)] = &[
    ("ada", None),
    ("aude", None),
    ("tess", None),
    ("urs", None),
    ("olga", None),
    ("oaud", Some("organization-auditor")),
    ("otem", Some("organization-template-admin")),
    ("ousr", Some("organization-user-admin")),
    ("oadm", Some("organization-admin")),
    ("oban", Some("organization-workspace-creation-ban")),
];

impl World {
    pub async fn new() -> Self {
        let made = Workspaces::new().await;
        let mut world = Self {
            people: vec![("nobody", Client::default())],
            things: BTreeMap::new(),
            shared: Things::default(),
            server: made.server.copy().await,
        };
        world.shared_things(&made).await;
        // To whom workspaces are shared.
        add_member(&made, "visitor", None).await;
        let visitor = made.server.sign_in("visitor").await;
        for (name, role) in PEOPLE {
            if role.is_some() {
                add_member(&made, name, *role).await;
            }
            let client = made.server.sign_in(name).await;
            let things = things_of(&made, (name, &client), &visitor).await;
            world.things.insert((*name).to_owned(), things);
            world.people.push((name, client));
        }
        for (name, _) in world.people.clone() {
            let victim = victim(name);
            add_member(&made, &victim, None).await;
            let things = things_of(&made, (&victim, &made.olga), &visitor).await;
            world.things.insert(victim, things);
        }
        world.emergency(&made).await;
        world.server = made.server.copy().await;
        world
    }

    pub fn client(&self, name: &str) -> &Client {
        &self.people.iter().find(|p| p.0 == name).unwrap().1
    }

    async fn shared_things(&mut self, made: &Workspaces) {
        let template = &made.template;
        let version = template["active_version_id"].as_str().unwrap();
        let groups = "/api/v2/organizations/default/groups";
        let body = json!({ "name": "potters" });
        let group = made.server.post(&made.olga, groups, body).await.expect(201).json();
        let body = json!({ "email": "someone@example.org" });
        let invitation = made.server.post(&made.olga, "/api/v2/invitations", body).await;
        let invitation = invitation.expect(201).json();
        let text = FilterText {
            name: "deleted".to_owned(),
            query: "action:delete".to_owned(),
            is_shared: true,
        };
        let olga = made.olga.token.as_ref().unwrap();
        let olga = made.server.app.authenticate(olga, "192.0.2.10").await.unwrap().unwrap();
        let filter = made.server.app.save_audit_filter(&olga, text).await.unwrap();
        let roles = "/api/v2/organizations/default/members/roles";
        let body = json!({ "name": "helper", "organization_permissions":
            [{ "resource_type": "workspace", "action": "read" }] });
        made.server.post(&made.olga, roles, body).await.expect(200);
        let rotations = "/api/v2/organizations/default/rotations";
        let rotation = made.server.post(&made.olga, rotations, bodies::rotation("on-call")).await;
        let rotation = id(&rotation.expect(201).json());
        let path = format!("/api/v2/rotations/{rotation}/overrides");
        let body = json!({ "user": "olga", "until": "2026-11-19T09:00:00Z" });
        let swap = made.server.post(&made.olga, &path, body).await.expect(201).json();
        let provider = bodies::provider("sso");
        let path = "/deployment/add-sign-in/oidc";
        made.server.form(&made.olga, path, &provider).await.expect(303);
        let path = format!("/api/v2/templateversions/{version}");
        let version = made.server.get(&made.olga, &path).await.expect(200).json();
        self.shared.0 = BTreeMap::from([
            ("{template}", id(template)),
            ("{version}", id(&version)),
            ("{version-name}", version["name"].as_str().unwrap().to_owned()),
            ("{file}", version["job"]["file_id"].as_str().unwrap().to_owned()),
            ("{job}", id(&version["job"])),
            ("{group}", id(&group)),
            ("{invitation}", id(&invitation)),
            ("{rotation}", rotation),
            ("{override}", id(&swap)),
            ("{filter}", filter.id.to_string()),
            ("{entry}", "1".to_owned()),
            ("{organization}", "default".to_owned()),
        ]);
    }

    /// Olga lets herself in, and there is a link to a request.
    async fn emergency(&mut self, made: &Workspaces) {
        let body = json!({ "workspace": "v-nobody/kiln", "reason": "the alarm" });
        let taken = made.server.post(&made.olga, "/api/v2/break-glass", body).await;
        let taken = id(&taken.expect(201).json());
        let request = &self.things["v-nobody"].0["{request}"];
        let path = format!("/api/v2/requests/{request}/link");
        let link = made.server.post(&made.olga, &path, json!({})).await.expect(201).json();
        let link = link["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        self.shared.0.extend([("{break_glass}", taken), ("{link}", link)]);
    }

    /// The path of a route with what it names, and a body that fits.
    pub fn request(
        &self,
        (method, route): (&Method, &str),
        place: Place,
        who: &str,
    ) -> (String, Option<Body>) {
        let whose = match (place, self.things.contains_key(who)) {
            (Place::Own, true) => who.to_owned(),
            (Place::Own | Place::Others, _) => victim(who),
        };
        let (whose, things) = (whose.as_str(), &self.things[&whose]);
        let mut path = String::new();
        let mut rest = route;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').unwrap();
            path.push_str(before);
            path.push_str(&self.value(&format!("{{{name}}}"), (route, whose), things));
            rest = behind;
        }
        path.push_str(rest);
        let body = bodies::of(method, route, &|key| self.value(key, (route, whose), things));
        (path, body)
    }

    fn value(&self, key: &str, (route, whose): (&str, &str), things: &Things) -> String {
        let known = |key| things.0.get(key).or_else(|| self.shared.0.get(key)).cloned();
        match key {
            "{user}" | "{owner}" => whose.to_owned(),
            "{name}" if route.contains("/keys/") => known("{token}").unwrap(),
            "{name}" if route.contains("/groups/") => "potters".to_owned(),
            "{name}" if route.contains("/rotations/") => "on-call".to_owned(),
            "{name}" if route.contains("/roles/") => "helper".to_owned(),
            "{name}" if route.contains("/sign-in/") => "sso".to_owned(),
            "{kind}" if route.contains("sync/{kind}") => "groups".to_owned(),
            "{kind}" => "oidc".to_owned(),
            // Templates and workspaces have the same name here.
            "{name}" if route.ends_with("/versions/{name}") => known("{version-name}").unwrap(),
            "{name}" => "kiln".to_owned(),
            "{number}" => "1".to_owned(),
            // A provider makes one: `identity` has them.
            "{identity}" => uuid::Uuid::nil().to_string(),
            "{terminal}" => uuid::Uuid::nil().to_string(),
            // An authenticator makes one: `factors` has them.
            "{passkey}" => uuid::Uuid::nil().to_string(),
            "{id}" if route.contains("tokens") => known("{token}").unwrap(),
            "{id}" if route.contains("ssh-keys") => known("{key}").unwrap(),
            "{id}" if route.starts_with("/invitations") => known("{invitation}").unwrap(),
            "{id}" => "docker".to_owned(),
            "{version}" if route.contains("/versions/{version}") => {
                known("{version-name}").unwrap()
            }
            "{template}" if !route.starts_with("/api/") => "kiln".to_owned(),
            key => known(key).unwrap_or_else(|| panic!("nothing for {key} of {route}")),
        }
    }
}

/// Someone in the organization with a role there.
async fn add_member(made: &Workspaces, name: &str, role: Option<&str>) {
    let system = steading::server::app::Actor::System;
    made.server.app.create_user(&system, crate::harness::person(name)).await.unwrap();
    if let Some(role) = role {
        let path = format!("/api/v2/organizations/default/members/{name}/roles");
        made.server.put(&made.olga, &path, json!({ "roles": [role] })).await.expect(200);
    }
}

/// Whose things someone tries who is not their owner.
fn victim(of: &str) -> String {
    format!("v-{of}")
}

/// Someone's workspace, token and key. Who may not make a workspace has one by an owner.
async fn things_of(made: &Workspaces, (name, client): (&str, &Client), visitor: &Client) -> Things {
    let path = format!("/api/v2/organizations/default/members/{name}/workspaces");
    let body = json!({ "name": "kiln", "template_id": made.template["id"] });
    let workspace = made.server.post(&made.olga, &path, body).await.expect(201).json();
    made.done(built(&format!("agent-{name}"), 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    let workspace = made.server.get(&made.olga, &path).await.expect(200).json();
    let build = &workspace["latest_build"];
    let path = format!("/api/v2/workspaces/{}/grants", id(&workspace));
    let body = json!({ "users": ["visitor"], "verbs": ["viewer"] });
    let grants = made.server.post(&made.olga, &path, body).await.expect(201).json();
    let path = format!("/api/v2/workspaces/{}/codes", id(&workspace));
    let code = made.server.post(&made.olga, &path, json!({ "verbs": ["viewer"] })).await;
    let path = format!("/api/v2/users/{name}/keys/tokens");
    let body = json!({ "token_name": "t", "lifetime": 3_600_000_000_000_i64 });
    let token = made.server.post(client, &path, body).await.expect(201).json();
    let token = token["key"].as_str().unwrap().split('-').next().unwrap().to_owned();
    let session = made.server.sign_in(name).await.token.unwrap();
    let session = session.split('-').next().unwrap().to_owned();
    let path = format!("/api/v2/users/{name}/ssh-keys");
    let key = bodies::ssh_key(name);
    let key = made.server.post(client, &path, json!({ "public_key": key })).await.expect(201);
    let body = json!({ "workspace": id(&workspace), "verbs": ["manage"], "reason": "the glaze",
        "wait": "24h" });
    let request = made.server.post(visitor, "/api/v2/requests", body).await.expect(201).json();
    let recording = crate::recordings::recorded(&made.server, &workspace).await;
    Things(BTreeMap::from([
        ("{recording}", recording.id.to_string()),
        ("{request}", id(&request)),
        ("{workspace}", id(&workspace)),
        ("{grant}", id(&grants[0])),
        ("{code}", id(&code.expect(201).json())),
        ("{build}", id(build)),
        ("{agent}", id(&build["resources"][0]["agents"][0])),
        ("{token}", token),
        ("{session}", session),
        ("{key}", id(&key.json())),
    ]))
}
