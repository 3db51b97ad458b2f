//! Templates, versions, uploads, and this program as it is downloaded.

use serde_json::{Value, json};
use steading::provision::starters;
use steading::server::app::jobs::ImportFailure;
use steading::server::app::{Actor, Error};

use super::{World, id, imported, made};
use crate::harness::Client;

#[tokio::test]
async fn a_template_in_use_stays_and_versions_are_promoted_and_archived() {
    let world = World::new().await;
    let template = format!("/api/v2/templates/{}", id(&world.template));
    world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    world.server.delete(&world.tess, &template).await.expect(409);
    world.server.delete(&world.ada, &template).await.expect(403);
    let failed = Err(ImportFailure::Failed("no main.tf".into()));
    let bad = world.push(Some(&world.template["id"]), failed).await;
    assert_eq!(bad["name"], "v2");
    let promote = |v: &Value| json!({ "id": v["id"] });
    let versions = format!("{template}/versions");
    world.server.patch(&world.tess, &versions, promote(&bad)).await.expect(409);
    let good = world.push(Some(&world.template["id"]), Ok(imported())).await;
    world.server.patch(&world.tess, &versions, promote(&good)).await.expect(200);
    let list = world.server.get(&world.ada, "/api/v2/workspaces?q=outdated:true").await.json();
    assert_eq!(list["count"], 1);
    let archived = world.server.post(&world.tess, &format!("{versions}/archive"), json!({})).await;
    assert_eq!(archived.expect(200).json()["archived_ids"], json!([bad["id"]]));
    let list = world.server.get(&world.ada, &versions).await.json();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|v| v["name"].clone()).collect();
    assert_eq!(names, ["v3", "v1"]);
    let deprecate = json!({ "deprecation_message": "use the other" });
    world.server.patch(&world.tess, &template, deprecate).await.expect(200);
    let body = json!({ "name": "late", "template_id": world.template["id"] });
    let refused = world.create(&world.ada, body).await.expect(409).text;
    assert!(refused.contains("use the other"), "{refused}");
}

#[tokio::test]
async fn uploads_are_kept_once_and_only_tar_is_taken() {
    let world = World::new().await;
    let actor = actor(&world, "tess").await;
    let archive = starters::ALL[0].archive();
    let first = world.server.app.upload_file(&actor, archive.clone()).await.unwrap();
    assert_eq!(world.server.app.upload_file(&actor, archive.clone()).await.unwrap(), first);
    assert_eq!(world.server.app.file(&actor, first).await.unwrap(), archive);
    let zip = bytes::Bytes::from_static(&[b'P'; 2000]);
    assert!(world.server.app.upload_file(&actor, zip).await.is_err());
    let ada = self::actor(&world, "ada").await;
    assert!(matches!(world.server.app.upload_file(&ada, archive).await, Err(Error::Denied(_))));
    assert!(matches!(world.server.app.file(&ada, first).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn this_program_is_served_for_this_platform_with_its_hash() {
    let world = World::new().await;
    let anyone = Client::default();
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let path = format!("/bin/coder-linux-{arch}");
    world.server.get(&anyone, "/bin/coder-plan9-mips").await.expect(404);
    world.server.get(&anyone, &format!("{path}.asc")).await.expect(404);
    let none = Client { headers: vec![("if-none-match", "\"\"".to_owned())], ..Client::default() };
    let reply = world.server.call(&none, http::Method::HEAD, &path, None).await.expect(200);
    let etag = reply.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(etag.len(), 42);
    assert!(reply.headers.contains_key("content-length"));
    let current = Client { headers: vec![("if-none-match", etag)], ..Client::default() };
    world.server.get(&current, &path).await.expect(304);
    let script =
        world.server.get(&anyone, "/api/v2/init-script/linux/amd64").await.expect(200).text;
    assert!(script.contains("bin/coder-linux-amd64") && !script.contains("${A"), "{script}");
}

async fn actor(world: &World, name: &str) -> Actor {
    let token = world.server.sign_in(name).await.token.unwrap();
    world.server.app.authenticate(&token, "192.0.2.1").await.unwrap().unwrap()
}
