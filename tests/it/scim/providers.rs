//! What Entra and Okta send, in the forms that their documentation shows.

use serde_json::{Value, json};
use steading::server::app::Actor;

use super::{GROUPS, USERS, found, keeper, make, patch, place, status};
use crate::harness::TestServer;
use crate::workspaces::id;

/// The members of a group here, by name.
async fn members(server: &TestServer, group: &str) -> Vec<String> {
    let group = group.parse().unwrap();
    let view = server.app.group(&Actor::System, group).await.unwrap();
    view.members.iter().map(|user| user.username.to_string()).collect()
}

/// Someone as Entra sends them first.
fn contoso() -> Value {
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User@contoso.test",
        "active": true,
        "emails": [{ "primary": true, "type": "work", "value": "test.user@contoso.test" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "givenName familyName", "familyName": "familyName",
                  "givenName": "givenName" },
        "roles": [],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": "Kilns", "manager": { "value": "26118915" } },
    })
}

#[tokio::test]
async fn entra_keeps_people() {
    let server = TestServer::start().await;
    // It looks first whether it has to make someone.
    assert!(found(&server, USERS, "userName eq \"Test_User@contoso.test\"").await.is_empty());
    let user = make(&server, contoso()).await;
    assert_eq!(user["userName"], "Test_User@contoso.test");
    assert_eq!(user["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:User"]));
    let account = server.app.user(&Actor::System, &id(&user)).await.unwrap();
    assert_eq!(account.username.as_str(), "Test-User");
    assert_eq!(
        (account.email.as_str(), account.name.as_str()),
        ("test.user@contoso.test", "givenName familyName")
    );
    for filter in [
        "userName eq \"test_user@CONTOSO.test\"",
        "externalId eq \"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef\"",
        "emails[type eq \"work\"].value eq \"test.user@contoso.test\"",
        "userName eq \"Test_User@contoso.test\" and active eq true",
        "displayName eq null",
    ] {
        assert_eq!(found(&server, USERS, filter).await.len(), 1, "{filter}");
    }
    let changed = patch(
        &server,
        &place(&user),
        json!([
            { "op": "Replace", "path": "emails[type eq \"work\"].value",
              "value": "updated@contoso.test" },
            { "op": "Replace", "path": "name.familyName", "value": "updatedFamilyName" },
            { "op": "Add", "path": "phoneNumbers[type eq \"work\"].value", "value": "555" },
            { "op": "Replace", "value": { "userName": "updated@contoso.test",
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Clay" } },
        ]),
    )
    .await
    .expect(200)
    .json();
    assert_eq!(changed["name"]["familyName"], "updatedFamilyName");
    let account = server.app.user(&Actor::System, &id(&user)).await.unwrap();
    assert_eq!(
        (account.username.as_str(), account.email.as_str()),
        ("Test-User", "updated@contoso.test")
    );
    // It disables first and deletes weeks later.
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    patch(&server, &place(&user), off).await.expect(200);
    assert_eq!(status(&server, &user).await, "suspended");
    server.delete(&keeper(), &place(&user)).await.expect(204);
    assert!(found(&server, USERS, "userName eq \"updated@contoso.test\"").await.is_empty());
    // The same person comes back as someone new.
    make(&server, json!({ "userName": "updated@contoso.test", "active": "True" })).await;
}

#[tokio::test]
async fn entra_keeps_groups() {
    let server = TestServer::start().await;
    let ada = make(&server, json!({ "userName": "ada.l@contoso.test" })).await;
    let ben = make(&server, json!({ "userName": "ben.b@contoso.test" })).await;
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Kiln & Clay",
        "meta": { "resourceType": "Group" },
    });
    let group = server.post(&keeper(), GROUPS, group).await.expect(201).json();
    let path = format!("{GROUPS}/{}", id(&group));
    let add = json!([{ "op": "Add", "path": "members",
        "value": [{ "value": id(&ada) }, { "value": id(&ben) }] }]);
    patch(&server, &path, add).await.expect(200);
    assert_eq!(members(&server, &id(&group)).await, ["ada-l", "ben-b"]);
    let here = server.app.group(&Actor::System, id(&group).parse().unwrap()).await.unwrap();
    assert_eq!(
        (here.group.name.as_str(), here.group.display_name.as_str()),
        ("Kiln-Clay", "Kiln & Clay")
    );
    let without = format!("{path}?excludedAttributes=members");
    let shown = server.get(&keeper(), &without).await.expect(200).json();
    assert!(shown.get("members").is_none());
    let in_it = format!("id eq \"{}\" and members eq \"{}\"", id(&group), id(&ben));
    assert_eq!(found(&server, GROUPS, &in_it).await.len(), 1);
    assert_eq!(found(&server, GROUPS, "displayName eq \"kiln & clay\"").await.len(), 1);
    let gone = json!([{ "op": "Remove", "path": "members", "value": [{ "value": id(&ada) }] }]);
    patch(&server, &path, gone).await.expect(200);
    assert_eq!(members(&server, &id(&group)).await, ["ben-b"]);
    let by_path = format!("members[value eq \"{}\"]", id(&ben));
    patch(&server, &path, json!([{ "op": "Remove", "path": by_path }])).await.expect(200);
    assert!(members(&server, &id(&group)).await.is_empty());
    assert!(found(&server, GROUPS, &in_it).await.is_empty());
    let name = json!([{ "op": "Replace", "path": "displayName", "value": "Clay" }]);
    assert_eq!(patch(&server, &path, name).await.expect(200).json()["displayName"], "Clay");
    server.delete(&keeper(), &path).await.expect(204);
    server.get(&keeper(), &path).await.expect(404);
}

#[tokio::test]
async fn okta_keeps_people_and_pushes_groups() {
    let server = TestServer::start().await;
    let asked = format!(
        "{USERS}?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100"
    );
    let list = server.get(&keeper(), &asked).await.expect(200).json();
    assert_eq!((&list["totalResults"], &list["startIndex"]), (&json!(0), &json!(1)));
    let sent = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "test.user@okta.local",
        "name": { "givenName": "Test", "familyName": "User" },
        "emails": [{ "primary": true, "value": "test.user@okta.local", "type": "work" }],
        "displayName": "Test User",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true,
    });
    let user = make(&server, sent.clone()).await;
    assert!(user.get("password").is_none());
    // A password that came this way opens nothing.
    let login = json!({ "email": "test.user@okta.local", "password": "1mz050nq" });
    server.post(&crate::harness::Client::default(), "/api/v2/users/login", login).await.expect(401);
    let mut whole = sent;
    whole["id"] = user["id"].clone();
    whole["name"]["familyName"] = json!("Renamed");
    whole["displayName"] = json!("Test Renamed");
    let kept = server.put(&keeper(), &place(&user), whole).await.expect(200).json();
    assert_eq!(kept["displayName"], "Test Renamed");
    let off = json!([{ "op": "replace", "value": { "active": false } }]);
    patch(&server, &place(&user), off).await.expect(200);
    assert_eq!(status(&server, &user).await, "suspended");
    let on = json!([{ "op": "replace", "value": { "active": true } }]);
    patch(&server, &place(&user), on).await.expect(200);
    assert_eq!(status(&server, &user).await, "active");

    let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Test SCIMv2", "members": [] });
    let group = server.post(&keeper(), GROUPS, group).await.expect(201).json();
    let path = format!("{GROUPS}/{}", id(&group));
    let pushed = json!([
        { "op": "replace", "value": { "id": id(&group), "displayName": "Test SCIMv2 renamed" } },
        { "op": "add", "path": "members",
          "value": [{ "value": id(&user), "display": "test.user@okta.local" }] },
    ]);
    let changed = patch(&server, &path, pushed).await.expect(200).json();
    assert_eq!(changed["displayName"], "Test SCIMv2 renamed");
    assert_eq!(members(&server, &id(&group)).await, ["test-user"]);
    // Whom someone here put in stays when the provider replaces its own.
    let add = steading::server::app::groups::UpdateGroup {
        add_users: vec!["ada".to_owned()],
        ..Default::default()
    };
    let here = id(&group).parse().unwrap();
    server.app.update_group(&Actor::System, here, add).await.unwrap();
    let whole = json!({ "id": id(&group), "displayName": "Test SCIMv2", "members": [] });
    let kept = server.put(&keeper(), &path, whole).await.expect(200).json();
    assert!(kept.get("members").is_none());
    assert_eq!(members(&server, &id(&group)).await, ["ada"]);
}
