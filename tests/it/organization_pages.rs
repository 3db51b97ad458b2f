//! The pages of groups, members and roles: what each form does, and to whom they are shown.

use serde_json::json;

use crate::harness::{Client, Reply};
use crate::workspaces::World;

/// A person at a browser with the token of a page's forms.
struct Browser<'a> {
    world: &'a World,
    client: Client,
    token: String,
}

impl<'a> Browser<'a> {
    async fn of(world: &'a World, who: &Client) -> Self {
        let client = who.in_browser(&[("sec-fetch-site", "same-origin")]);
        let page = world.server.get(&client, "/settings/account").await.expect(200).text;
        let token = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let token = token.split('"').next().unwrap().to_owned();
        Self { world, client, token }
    }

    async fn see(&self, path: &str) -> Reply {
        self.world.server.get(&self.client, path).await
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let all = [&[("csrf", self.token.as_str())], fields].concat();
        self.world.server.form(&self.client, path, &all).await
    }
}

async fn id_of(world: &World, name: &str) -> String {
    let user = world.server.get(&world.olga, &format!("/api/v2/users/{name}")).await.expect(200);
    user.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_group_is_made_filled_given_a_budget_and_deleted() {
    let world = World::new().await;
    let olga = Browser::of(&world, &world.olga).await;
    let fields = [("name", "potters"), ("display_name", "The potters"), ("quota_allowance", "7")];
    olga.send("/groups", &fields).await.expect(303);
    let again = olga.send("/groups", &fields).await.expect(200).text;
    assert!(again.contains("There is a group named potters."), "{again}");
    for (value, why) in [("-1", "Wants 0 to"), ("many", "Is not a number")] {
        let wrong = [("name", "glazers"), ("quota_allowance", value)];
        let page = olga.send("/groups", &wrong).await.expect(200).text;
        assert!(page.contains(why) && page.contains("value=\"glazers\""), "{page}");
    }
    let ada = id_of(&world, "ada").await;
    olga.send("/groups/potters/members", &[("add", &ada)]).await.expect(303);
    let page = olga.see("/groups/potters").await.expect(200).text;
    assert!(page.contains("ada@example.org") && page.contains("0 of 7"), "{page}");
    // Who is in it sees it and themselves, and can change nothing.
    let member = Browser::of(&world, &world.ada).await;
    let page = member.see("/groups/potters").await.expect(200).text;
    assert!(!page.contains("Take out") && !page.contains("urs@"), "{page}");
    member.see("/groups").await.expect(200);
    member.send("/groups/potters", &[("name", "mine")]).await.expect(403);
    let stranger = Browser::of(&world, &world.ben).await;
    stranger.see("/groups/potters").await.expect(404);
    assert!(!stranger.see("/groups").await.expect(200).text.contains("potters"));
    // The templates on whose lists it is.
    let group = world.server.get(&world.olga, "/api/v2/organizations/default/groups/potters").await;
    let group = group.expect(200).json()["id"].as_str().unwrap().to_owned();
    let acl = format!("/api/v2/templates/{}/acl", world.template["id"].as_str().unwrap());
    let body = json!({ "group_perms": { group: "admin" } });
    world.server.patch(&world.olga, &acl, body).await.expect(200);
    let page = olga.see("/groups/potters").await.expect(200).text;
    assert!(page.contains("href=\"/templates/kiln\"") && page.contains("use and keep"), "{page}");
    olga.send("/groups/potters/members", &[("remove", &ada)]).await.expect(303);
    olga.send("/groups/potters", &[("name", "kilns"), ("quota_allowance", "2")]).await.expect(303);
    olga.send("/groups/kilns/delete", &[("confirm", "potters")]).await.expect(303);
    olga.see("/groups/kilns").await.expect(200);
    olga.send("/groups/kilns/delete", &[("confirm", "kilns")]).await.expect(303);
    olga.see("/groups/kilns").await.expect(404);
    olga.send("/groups/Everyone", &[("quota_allowance", "4")]).await.expect(303);
    assert!(olga.see("/groups/Everyone").await.expect(200).text.contains("0 of 4"));
}

#[tokio::test]
async fn roles_are_made_given_and_taken_on_pages() {
    let world = World::new().await;
    let olga = Browser::of(&world, &world.olga).await;
    let fields =
        [("name", "operator"), ("permission", "workspace:read"), ("permission", "workspace:start")];
    olga.send("/roles", &fields).await.expect(303);
    let wrong = olga.send("/roles", &[("name", "owner")]).await.expect(200).text;
    assert!(wrong.contains("Is the name of a built-in role."), "{wrong}");
    let page = olga.see("/roles/operator").await.expect(200).text;
    assert_eq!(page.matches(" checked").count(), 2, "{page}");
    let roles = [("role", "operator"), ("role", "organization-auditor")];
    olga.send("/members/ben/roles", &roles).await.expect(303);
    let page = olga.see("/members").await.expect(200).text;
    assert!(page.contains("operator, organization-auditor"), "{page}");
    // He sees where to go, and gives nobody what he does not hold.
    let ben = Browser::of(&world, &world.ben).await;
    let page = ben.see("/members/ada").await.expect(200).text;
    assert!(
        page.contains("href=\"/groups\"") && page.contains("You may not change these."),
        "{page}"
    );
    ben.send("/members/ada/roles", &[("role", "operator")]).await.expect(403);
    let built_in = ben.see("/roles/organization-auditor").await.expect(200).text;
    assert!(built_in.contains("audit log") && !built_in.contains("Save role"), "{built_in}");
    olga.send("/roles/operator", &[("permission", "workspace:read")]).await.expect(303);
    olga.send("/roles/operator/delete", &[("confirm", "operator")]).await.expect(303);
    olga.see("/roles/operator").await.expect(404);
    let own = olga.send("/members/olga/roles", &[]).await.expect(200).text;
    assert!(own.contains("Your own roles are changed by someone else."), "{own}");
}

#[tokio::test]
async fn members_come_and_go_on_pages() {
    let world = World::new().await;
    let olga = Browser::of(&world, &world.olga).await;
    olga.send("/members/ben/remove", &[("confirm", "ada")]).await.expect(303);
    olga.see("/members/ben").await.expect(200);
    olga.send("/members/ben/remove", &[("confirm", "ben")]).await.expect(303);
    olga.see("/members/ben").await.expect(404);
    let wrong = olga.send("/members", &[("user", "nobody")]).await.expect(200).text;
    assert!(wrong.contains("Is nobody with an account here."), "{wrong}");
    olga.send("/members", &[("user", "ben")]).await.expect(303);
    olga.see("/members/ben").await.expect(200);
    // A plain member sees no more than the API tells them.
    let ada = Browser::of(&world, &world.ada).await;
    let page = ada.see("/members").await.expect(200).text;
    assert!(!page.contains("ben@example.org"), "{page}");
    ada.see("/members/ben").await.expect(404);
    assert!(!page.contains("href=\"/groups\""), "the way is not shown: {page}");
}

#[tokio::test]
async fn a_second_organization_has_pages_of_its_own_and_one_alone_shows_nothing_of_it() {
    let world = World::new().await;
    let olga = Browser::of(&world, &world.olga).await;
    for page in ["/templates", "/workspaces", "/groups"] {
        let alone = olga.see(page).await.expect(200).text;
        assert!(!alone.contains("href=\"/organizations\"") && !alone.contains("Organization<"));
    }
    let wrong = olga.send("/organizations", &[("name", "a b")]).await.expect(200).text;
    assert!(wrong.contains("letters, digits and single hyphens"), "{wrong}");
    let fields = [("name", "kiln"), ("display_name", "The kiln"), ("icon", "/icon/kiln.svg")];
    olga.send("/organizations", &fields).await.expect(303);
    let again = olga.send("/organizations", &fields).await.expect(200).text;
    assert!(again.contains("There is an organization of this name."), "{again}");
    let made = world.server.get(&world.olga, "/api/v2/organizations/kiln").await.expect(200);
    assert_eq!(made.json()["icon"], "/icon/kiln.svg");

    // What is done on its pages is done there.
    olga.send("/organizations/kiln/groups", &[("name", "potters")]).await.expect(303);
    let page = olga.see("/organizations/kiln/groups").await.expect(200).text;
    assert!(page.contains("href=\"/organizations/kiln/groups/potters\""), "{page}");
    assert!(page.contains("The kiln") && page.contains("href=\"/organizations\""), "{page}");
    olga.see("/groups/potters").await.expect(404);
    olga.send("/organizations/kiln/members", &[("user", "ada")]).await.expect(303);
    let role = [("name", "operator"), ("permission", "workspace:read")];
    olga.send("/organizations/kiln/roles", &role).await.expect(303);
    olga.send("/organizations/kiln/members/ada/roles", &[("role", "operator")]).await.expect(303);
    let page = olga.see("/organizations/kiln/members").await.expect(200).text;
    assert!(
        page.contains("operator") && page.contains("/organizations/kiln/members/ada"),
        "{page}"
    );
    olga.see("/roles/operator").await.expect(404);
    let templates = olga.see("/templates").await.expect(200).text;
    assert!(templates.contains("Organization"), "{templates}");
    // Who is in both sees both, who is in one sees that one alone.
    let (ada, ben) = (Browser::of(&world, &world.ada).await, Browser::of(&world, &world.ben).await);
    let page = ada.see("/organizations").await.expect(200).text;
    assert!(page.contains("The kiln") && !page.contains("New organization"), "{page}");
    ada.see("/organizations/kiln").await.expect(200);
    ada.send("/organizations/kiln", &[("name", "mine")]).await.expect(403);
    assert!(!ben.see("/organizations").await.expect(200).text.contains("kiln"));
    for page in ["", "/groups", "/members", "/roles", "/groups/potters"] {
        ben.see(&format!("/organizations/kiln{page}")).await.expect(404);
    }
    ben.send("/organizations/kiln/members/ada/remove", &[("confirm", "ada")]).await.expect(403);

    let fields = [("name", "oven"), ("display_name", "")];
    olga.send("/organizations/kiln", &fields).await.expect(303);
    olga.send("/organizations/oven/delete", &[("confirm", "kiln")]).await.expect(303);
    olga.see("/organizations/oven").await.expect(200);
    olga.send("/organizations/oven/delete", &[("confirm", "oven")]).await.expect(303);
    olga.see("/organizations/oven").await.expect(404);
    let start = olga.send("/organizations/default/delete", &[("confirm", "default")]).await;
    assert!(start.expect(409).text.contains("organization of the start stays"));
}

#[tokio::test]
async fn who_belongs_to_another_organization_alone_is_led_to_its_pages_and_templates() {
    use crate::workspaces::imported;
    let world = World::new().await;
    let server = &world.server;
    let api = "/api/v2/organizations";
    let clay = json!({ "name": "clay", "display_name": "Clay" });
    let clay = server.post(&world.olga, api, clay).await.expect(201).json();
    let id = clay["id"].as_str().unwrap();
    let members = |place: &str| format!("{api}/{place}/members/ben");
    server.post(&world.olga, &members("clay"), json!({})).await.expect(200);
    let roles = json!({ "roles": ["organization-admin"] });
    let path = format!("{}/roles", members("clay"));
    server.put(&world.olga, &path, roles).await.expect(200);
    let left = server.call(&world.olga, http::Method::DELETE, &members("default"), None).await;
    assert!(left.status.is_success(), "{}", left.text);
    // A template of the same name as one of the start, by Coder's addresses.
    let body =
        json!({ "example_id": "docker", "storage_method": "file", "provisioner": "terraform" });
    let path = format!("{api}/{id}/templateversions");
    let version = server.post(&world.ben, &path, body).await.expect(201).json();
    let claim = world.claim().await;
    server.app.import_work(claim.job).await.unwrap();
    server.app.finish_import(claim.job, Ok(imported())).await.unwrap();
    let body = json!({ "name": "kiln", "template_version_id": version["id"] });
    let path = format!("{api}/clay/templates");
    let made = server.post(&world.ben, &path, body).await.expect(201).json();
    let name = version["name"].as_str().unwrap();
    for by in ["clay", id] {
        let path = format!("{api}/{by}/templates/kiln");
        let found = server.get(&world.ben, &path).await.expect(200).json();
        assert_eq!((&found["id"], &found["organization_id"]), (&made["id"], &clay["id"]));
        let found = server.get(&world.ben, &format!("{path}/versions/{name}")).await.expect(200);
        assert_eq!(found.json()["id"], version["id"]);
    }

    let ben = Browser::of(&world, &world.ben).await;
    let page = ben.see("/templates").await.expect(200).text;
    let at = "/organizations/clay/templates/kiln";
    let hrefs = ["/organizations/clay/groups", "/organizations/clay/members", at];
    for href in hrefs.map(|href| format!("href=\"{href}\"")) {
        assert!(page.contains(&href), "no {href} in {page}");
    }
    assert!(!page.contains("href=\"/groups\"") && !page.contains("href=\"/templates/kiln\""));
    ben.see("/templates/kiln").await.expect(404);
    for rest in ["", "/permissions", "/workspace", &format!("/versions/{name}")] {
        let page = ben.see(&format!("{at}{rest}")).await.expect(200).text;
        assert!(!page.contains("\"/templates/kiln"), "{rest} leads to the start: {page}");
    }
    let made = ben.send(&format!("{at}/workspace"), &[("name", "bowl")]).await.expect(303);
    let workspace = made.headers["location"].to_str().unwrap().to_owned();
    let page = ben.see(&workspace).await.expect(200).text;
    assert!(page.contains(&format!("href=\"{at}\"")), "{page}");
    let found = ben.see("/find?q=groups").await.expect(303);
    assert_eq!(found.headers["location"], "/organizations/clay/groups");
    // To others it is not there, and the page of the same name stays the other template's.
    let ada = Browser::of(&world, &world.ada).await;
    ada.see(at).await.expect(404);
    ada.see("/templates/kiln").await.expect(200);
    // What an organization cannot be deleted for is said where it would be deleted.
    let olga = Browser::of(&world, &world.olga).await;
    let page = olga.see("/organizations/clay").await.expect(200).text;
    assert!(page.contains("templates 1, workspaces 1"), "{page}");
}
