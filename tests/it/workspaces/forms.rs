//! What people type into the pages' forms, and what comes of it.

use std::future::Future;

use http::StatusCode;
use steading::model::parameter::{Parameter, ParameterType, Validation};
use steading::model::template::Imported;
use steading::server::app::jobs::{Claim, ImportFailure};

use super::{World, cores, id, imported, made};
use crate::harness::{Client, PASSWORD, Reply};

/// The tag of the field with this id.
fn field<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).expect("the page has the field");
    rest.split('>').next().unwrap()
}

fn text(name: &str) -> Parameter {
    Parameter {
        name: name.into(),
        kind: ParameterType::String,
        form_type: steading::model::parameter::FormType::Input,
        default_value: String::new(),
        validation: Validation {
            regex: "^[a-z]+$".into(),
            error: "Only small letters.".into(),
            ..Validation::default()
        },
        ..cores()
    }
}

#[tokio::test]
async fn a_parameter_called_name_is_not_the_workspace_s_name() {
    let world = World::new().await;
    let found = Imported { parameters: vec![text("name")], ..Imported::default() };
    let version = world.push(None, Ok(found)).await;
    let body = serde_json::json!({ "name": "named", "template_version_id": version["id"] });
    let path = "/api/v2/organizations/default/templates";
    world.server.post(&world.tess, path, body).await.expect(201);
    let try_with = async |name: &str, answer: &str| {
        let fields = [("name", name), ("p.name", answer)];
        let page = world.server.form(&world.ada, "/templates/named/workspace", &fields).await;
        let page = page.expect(200).text;
        let wrong = |id| field(&page, id).contains("aria-invalid");
        (wrong("f-name"), wrong("f-p.name"))
    };
    assert_eq!(try_with("kiln", "UPPER").await, (false, true));
    assert_eq!(try_with("not a name", "lower").await, (true, false));
}

#[tokio::test]
async fn hours_survive_being_saved() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    for ttl_ms in [100_000, 4_800_000, 5_400_000, 2_592_000_000_i64] {
        let body = serde_json::json!({ "ttl_ms": ttl_ms });
        world.server.put(&world.ada, &format!("{path}/ttl"), body).await.expect(204);
        let page = world.server.get(&world.ada, "/@ada/kiln/settings").await.expect(200).text;
        let (_, shown) = field(&page, "f-ttl_h").split_once("value=\"").expect("it shows hours");
        let shown = shown.split('"').next().unwrap().to_owned();
        let save = "/@ada/kiln/settings/schedule";
        world.server.form(&world.ada, save, &[("ttl_h", &shown)]).await.expect(303);
        let now = world.server.get(&world.ada, &path).await.expect(200).json();
        assert_eq!(now["ttl_ms"], ttl_ms, "shown as {shown}");
    }
    let far = [("ttl_h", "721")];
    let again = world.server.form(&world.ada, "/@ada/kiln/settings/schedule", &far).await;
    assert!(again.expect(200).text.contains("Wants a minute to 720 hours"));
}

#[tokio::test]
async fn answers_kept_over_a_sign_in_are_not_shown() {
    let world = World::new().await;
    let own = [("sec-fetch-site", "same-origin"), ("accept", "text/html")];
    let headers = own.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let nobody = Client { headers, ..Client::default() };
    let path = "/templates/kiln/workspace";
    let typed = [("name", "kiln"), ("p.api_key", "hunter2"), ("p.db_password", "hunter3")];
    let asked = world.server.form(&nobody, path, &typed).await.expect(200).text;
    let (_, kept) = asked.split_once("name=\"kept\" value=\"").expect("what was typed is kept");
    let kept = kept.split('"').next().unwrap().replace("&amp;", "&");
    let login = [("username", "ada"), ("password", PASSWORD), ("kept_to", path), ("kept", &kept)];
    let resumed = world.server.form(&nobody, "/login", &login).await.expect(200).text;
    assert!(resumed.contains("api_key, db_password"), "{resumed}");
    for (name, secret) in [("p.api_key", "hunter2"), ("p.db_password", "hunter3")] {
        assert_eq!(resumed.matches(secret).count(), 1, "{resumed}");
        assert!(resumed.contains(&format!("name=\"{name}\" value=\"{secret}\"")));
    }
}

#[tokio::test]
async fn people_are_found_by_letters_beyond_ascii() {
    let world = World::new().await;
    let tess = world.server.app.update_profile(
        &steading::server::app::Actor::System,
        "tess",
        "tess",
        "Ägidia Österberg",
    );
    tess.await.unwrap();
    let finds = async |query: &str| {
        let query = serde_urlencoded::to_string([("q", query)]).unwrap();
        let page = world.server.get(&world.olga, &format!("/people?{query}")).await;
        page.expect(200).text.contains("/people/tess\"")
    };
    assert!(finds("Ägidia").await && finds("ÖSTERBERG").await && finds("ÄGID").await);
    assert!(!finds("Egidia").await);
}

/// The job that waits, as soon as there is one.
async fn claimed(world: &World) -> Claim {
    loop {
        if let Some(claim) = world.server.app.claim_job("test").await.unwrap() {
            world.server.app.import_work(claim.job).await.unwrap();
            return claim;
        }
    }
}

async fn add(world: &World) -> Reply {
    world.server.form(&world.tess, "/starter-templates/docker", &[]).await
}

fn leads(reply: &Reply) -> &str {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    reply.headers["location"].to_str().unwrap()
}

/// Asks for the starter and leaves when its import has begun.
async fn left_early(world: &World) -> Claim {
    tokio::select! {
        reply = add(world) => panic!("{} before the import", reply.status),
        claim = claimed(world) => claim,
    }
}

async fn within_reason<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(super::streams::PATIENCE, what).await.expect("it is done in time")
}

#[tokio::test]
async fn a_starter_is_added_though_its_browser_left() {
    let world = World::new().await;
    let claim = within_reason(left_early(&world)).await;
    world.server.app.finish_import(claim.job, Ok(imported())).await.unwrap();
    let template = "/api/v2/organizations/default/templates/docker";
    within_reason(async {
        while world.server.get(&world.ada, template).await.status != StatusCode::OK {}
    })
    .await;
    // It is there now: nothing is imported again.
    assert_eq!(leads(&add(&world).await), "/templates/docker");
    assert!(world.server.app.claim_job("test").await.unwrap().is_none());
}

#[tokio::test]
async fn a_starter_asked_for_twice_is_imported_once() {
    let world = World::new().await;
    let claim = within_reason(left_early(&world)).await;
    let (reply, ()) = tokio::join!(within_reason(add(&world)), async {
        world.server.app.finish_import(claim.job, Ok(imported())).await.unwrap();
    });
    assert_eq!(leads(&reply), "/templates/docker");
    assert!(world.server.app.claim_job("test").await.unwrap().is_none());
}

#[tokio::test]
async fn a_starter_whose_import_failed_is_imported_anew() {
    let world = World::new().await;
    let claim = within_reason(left_early(&world)).await;
    let failed = Err(ImportFailure::Failed("no provider".into()));
    world.server.app.finish_import(claim.job, failed).await.unwrap();
    let (reply, ()) = tokio::join!(within_reason(add(&world)), async {
        let claim = claimed(&world).await;
        world.server.app.finish_import(claim.job, Ok(imported())).await.unwrap();
    });
    assert_eq!(leads(&reply), "/templates/docker");
}

#[tokio::test]
async fn a_starter_is_added_with_what_was_typed_for_it() {
    let world = World::new().await;
    let page = world.server.get(&world.tess, "/starter-templates").await.expect(200);
    for shown in [
        "What it needs",
        "a namespace for workspaces",
        "access_key",
        "An access key that may manage EC2",
    ] {
        assert!(page.text.contains(shown), "{shown} in\n{}", page.text);
    }
    let fields = [
        ("plain-variable-access_key", ""),
        ("secret-variable-secret_key", "one\r\ntwo"),
        // It has a default, and is not asked.
        ("plain-variable-sudo", "false"),
    ];
    let add = world.server.form(&world.tess, "/starter-templates/aws", &fields);
    let (reply, ()) = tokio::join!(within_reason(add), async {
        let claim = claimed(&world).await;
        let work = world.server.app.import_work(claim.job).await.unwrap();
        let given: Vec<_> = work.variables.into_iter().collect();
        let given: Vec<_> = given.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(given, [("access_key", ""), ("secret_key", "one\ntwo")]);
        world.server.app.finish_import(claim.job, Ok(imported())).await.unwrap();
    });
    assert_eq!(leads(&reply), "/templates/aws");
}
