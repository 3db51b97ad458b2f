//! Whom someone who shares may name, and the reminder to review what was shared.

use std::time::Duration;

use serde_json::{Value, json};

use super::World;

fn names(list: &Value, key: &str) -> Vec<String> {
    let all = list.as_array().unwrap().iter();
    all.map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

/// What Coder's `sharing add` does: it looks names up in the lists of members and groups.
#[tokio::test]
async fn who_shares_finds_members_and_groups_by_their_names_and_learns_no_more() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    world.group("potters", &["cora"]).await;
    let members = "/api/v2/organizations/default/members";
    let groups = "/api/v2/organizations/default/groups";
    // Ben shares nothing, and sees himself.
    assert_eq!(names(&server.get(ben, members).await.json(), "username"), ["ben"]);
    assert!(!names(&server.get(ben, groups).await.json(), "name").contains(&"potters".to_owned()));
    let found = server.get(ada, members).await.expect(200);
    assert!(!found.text.contains('@'), "{}", found.text);
    let all = names(&found.json(), "username");
    assert!(
        ["ada", "ben", "cora", "dora", "olga"].iter().all(|name| all.contains(&(*name).into()))
    );
    let path = "/api/v2/organizations/default/paginated-members?q=cor&limit=1";
    let page = server.get(ada, path).await.expect(200).json();
    assert_eq!(
        (names(&page["members"], "username"), &page["count"]),
        (vec!["cora".into()], &json!(1))
    );
    let found = server.get(ada, groups).await.expect(200);
    assert!(!found.text.contains("cora"), "{}", found.text);
    let potters = found.json();
    let potters = potters.as_array().unwrap().iter().find(|g| g["name"] == "potters").unwrap();
    let everyone = world.all.template["organization_id"].as_str().unwrap();
    let by_id = server.get(ada, &format!("/api/v2/groups?organization={everyone}")).await;
    assert!(names(&by_id.expect(200).json(), "name").contains(&"potters".to_owned()));
    let cora = all.iter().position(|name| name == "cora").unwrap();
    let cora = server.get(ada, members).await.json()[cora]["user_id"].clone();
    let body = json!({ "user_roles": { (cora.as_str().unwrap()): "use" },
        "group_roles": { (potters["id"].as_str().unwrap()): "use" } });
    server.patch(ada, &world.path("/acl"), body).await.expect(204);
    world.get(&world.cora, "").await.expect(200);
    // Who was given the sharing looks up, too; while nothing is shared here, nobody.
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["admin"] })).await;
    assert!(names(&server.get(ben, members).await.json(), "username").contains(&"dora".to_owned()));
    let mode = "/api/v2/organizations/default/settings/workspace-sharing";
    // Where only accounts' workspaces are shared, names are for who could share one.
    let accounts = json!({ "shareable_workspace_owners": "service_accounts" });
    server.patch(&world.all.olga, mode, accounts).await.expect(200);
    assert_eq!(names(&server.get(ada, members).await.json(), "username"), ["ada"]);
    let none = json!({ "shareable_workspace_owners": "none" });
    server.patch(&world.all.olga, mode, none).await.expect(200);
    assert_eq!(names(&server.get(ada, members).await.json(), "username"), ["ada"]);
    // A keeper of the organization sees whom they saw.
    assert!(
        server.get(&world.all.olga, members).await.expect(200).text.contains("ben@example.org")
    );
}

#[tokio::test]
async fn a_quarter_after_the_last_sign_off_a_review_is_due_and_told_once() {
    let world = World::new().await;
    let server = &world.all.server;
    let is_due = || async {
        let olga = server.sign_in("olga").await;
        server.get(&olga, "/workspaces").await.expect(200).text.contains("due</small>")
    };
    let told = || async {
        let olga = server.sign_in("olga").await;
        let path = "/api/v2/audit?q=resource_type%3Ahealth_settings&limit=50";
        server.get(&olga, path).await.expect(200).text.matches("due_since").count()
    };
    assert!(!server.app.remind_of_access_review().await.unwrap());
    assert!(!is_due().await);
    server.clock.advance(Duration::from_hours(24 * 90));
    assert!(is_due().await, "the deployment is a quarter old");
    assert!(server.app.remind_of_access_review().await.unwrap());
    assert!(!server.app.remind_of_access_review().await.unwrap());
    assert_eq!(told().await, 1);
    let ada = server.sign_in("ada").await;
    let page = server.get(&ada, "/workspaces").await.expect(200).text;
    assert!(!page.contains("due</small>"), "she reviews nothing");
    let olga = server.sign_in("olga").await;
    server.post(&olga, "/api/v2/access-review/sign-off", json!({})).await.expect(204);
    assert!(!is_due().await);
    assert!(!server.app.remind_of_access_review().await.unwrap());
    server.clock.advance(Duration::from_hours(24 * 90));
    assert!(server.app.remind_of_access_review().await.unwrap());
    assert!(is_due().await);
    assert_eq!(told().await, 2);
}
