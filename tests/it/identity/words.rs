//! What the words of a mapping mean, whether the file or a client has written them.

use serde_json::json;
use steading::model::group_sync::GroupSync;
use steading::model::identity::Rules;

use super::syncs::get;
use super::{REFRESH, World, rules};
use crate::workspaces::id;

const GROUPS: &str = "/api/v2/organizations/default/settings/idpsync/groups";
const MADE: &str = "/api/v2/organizations/default/groups";

/// A world whose file leads words to a group by its name, to one that is not there, and to nothing.
async fn world() -> (World, crate::harness::Client) {
    let led = [("pots", "potters"), ("later", "glazers"), ("gone", "")];
    let sync = GroupSync {
        field: "groups".to_owned(),
        mapping: led.map(|(word, here)| (word.to_owned(), vec![here.to_owned()])).into(),
        ..GroupSync::default()
    };
    let world = World::start(REFRESH, Rules { groups: Some(sync), ..rules() }).await;
    let olga = world.server.sign_in("olga").await;
    (world, olga)
}

#[tokio::test]
async fn a_word_is_led_away_by_id_from_what_the_file_has_by_name() {
    let (world, olga) = world().await;
    let server = &world.server;
    let potters = server.post(&olga, MADE, json!({ "name": "potters" })).await.expect(201).json();
    let shown = get(&world, &olga, GROUPS).await.expect(200).json();
    assert_eq!(shown["mapping"]["pots"], json!([id(&potters)]));
    let path = format!("{GROUPS}/mapping");
    let remove = json!({ "remove": [{ "given": "pots", "gets": id(&potters) }] });
    let made = server.patch(&olga, &path, remove).await.expect(200).json();
    assert_eq!(made["mapping"].get("pots"), None, "{made}");
    // What is added and removed at once is removed, whatever it is called in either.
    let both = json!({
        "add": [{ "given": "pots", "gets": "potters" }],
        "remove": [{ "given": "pots", "gets": id(&potters) }],
    });
    let made = server.patch(&olga, &path, both).await.expect(200).json();
    assert_eq!(made["mapping"].get("pots"), None, "{made}");
    let many: Vec<_> = (0..501).map(|n| json!({ "given": format!("w{n}"), "gets": "x" })).collect();
    let many = server.patch(&olga, &path, json!({ "remove": many })).await.expect(400).json();
    assert_eq!(many["validations"][0]["field"], "add");
}

#[tokio::test]
async fn a_word_that_the_file_leads_nowhere_stays_so_when_the_rest_is_changed() {
    let (world, olga) = world().await;
    let server = &world.server;
    let config = json!({ "regex_filter": "^[a-z]+$" });
    let made = server.patch(&olga, &format!("{GROUPS}/config"), config).await.expect(200).json();
    assert_eq!((&made["mapping"]["gone"], &made["source"]), (&json!([]), &json!("set")));
    // A client sends back what it was shown: words without anything mean what they meant.
    let made = server.patch(&olga, GROUPS, made).await.expect(200).json();
    assert_eq!(made["mapping"]["gone"], json!([]), "{made}");
    let glazers = server.post(&olga, MADE, json!({ "name": "glazers" })).await.expect(201).json();
    server.post(&olga, MADE, json!({ "name": "gone" })).await.expect(201);
    let shown = get(&world, &olga, GROUPS).await.expect(200).json();
    assert_eq!(shown["mapping"]["later"], json!([id(&glazers)]), "{shown}");
    let claims = json!({
        "email": "ada@example.org", "email_verified": true, "preferred_username": "ada",
        "groups": ["gone", "later"],
    });
    world.peer.put("ada", claims).await;
    world.sign_in("ada").await;
    assert_eq!(world.groups("ada").await, ["glazers"]);
    // What is new may lead nowhere, too.
    let new = json!({ "field": "groups", "mapping": { "gone": [], "later": [""] } });
    let made = server.patch(&olga, GROUPS, new).await.expect(200).json();
    assert_eq!(made["mapping"], json!({ "gone": [], "later": [] }));
}
