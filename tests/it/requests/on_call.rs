//! What is given at once for being on call ends with the shift, however that ends.

use std::time::Duration;

use serde_json::{Value, json};

use super::World;

impl World {
    /// Ben is on call until Monday, and let in at once for that. The rotation's id.
    async fn ben_on_call(&self) -> String {
        let body = json!({ "name": "on-call", "zone": "UTC", "layers": [
            { "members": ["ben", "cora"], "handoff": "mon 09:00", "length": "1w" } ] });
        let path = "/api/v2/organizations/default/rotations";
        let made = self.all.server.post(&self.all.olga, path, body).await.expect(201).json();
        let rule = json!({ "auto_on_call": "on-call" });
        self.set_rules(&self.all.ada, rule).await.expect(200);
        crate::workspaces::id(&made)
    }

    /// Ben asks, and is let in. The end of it.
    async fn let_in(&self) -> Value {
        let body = json!({ "workspace": "ada/kiln", "reason": "the alarm", "for": "14d" });
        let made = self.ask(&self.all.ben, body).await.expect(201).json();
        assert_eq!(made["state"], "approved", "{made}");
        made["until"].clone()
    }

    async fn cover(&self, rotation: &str, (from, until): (&str, &str)) -> String {
        let body = json!({ "user": "cora", "from": from, "until": until });
        let path = format!("/api/v2/rotations/{rotation}/overrides");
        let made = self.all.server.post(&self.all.olga, &path, body).await.expect(201).json();
        crate::workspaces::id(&made)
    }
}

#[tokio::test]
async fn who_is_relieved_is_out_at_once_and_does_not_come_back_by_what_they_had() {
    let world = World::new().await;
    let rotation = world.ben_on_call().await;
    assert_eq!(world.let_in().await, "2026-11-23T09:00:00Z");
    assert_eq!(world.sees(&world.all.ben).await, 200);
    world.wait(60);
    let now = world.all.server.clock.now();
    let (from, until) = (now.rfc3339(), now.plus(Duration::from_hours(1)).rfc3339());
    let made = world.cover(&rotation, (from.as_str(), until.as_str())).await;
    assert_eq!(world.sees(&world.all.ben).await, 404, "the shift is Cora's");
    assert!(world.grants().await.is_empty());
    let path = "/api/v2/audit?q=resource_type%3Aworkspace+action%3Awrite&limit=1";
    let log = world.all.server.get(&world.all.olga, path).await.expect(200).json();
    let acl = &log["audit_logs"][0]["diff"]["user_acl"];
    assert!(acl["old"].to_string().contains("ben: use"), "{log}");
    // It is his again, and he asks again.
    let path = format!("/api/v2/rotations/{rotation}/overrides/{made}");
    world.all.server.delete(&world.all.olga, &path).await.expect(204);
    assert_eq!(world.sees(&world.all.ben).await, 404);
    world.let_in().await;
    assert_eq!(world.sees(&world.all.ben).await, 200);
}

#[tokio::test]
async fn it_ends_with_what_is_left_of_the_shift_and_with_the_rotation() {
    let world = World::new().await;
    let rotation = world.ben_on_call().await;
    world.let_in().await;
    let from = "2026-11-20T00:00:00Z";
    world.cover(&rotation, (from, "2026-11-21T00:00:00Z")).await;
    let grants = world.grants().await;
    assert_eq!(grants[0]["until"], from, "{grants:?}");
    // What has nothing to do with it stays as it is.
    world.cover(&rotation, ("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")).await;
    assert_eq!(world.grants().await, grants);
    let path = format!("/api/v2/rotations/{rotation}");
    world.all.server.delete(&world.all.olga, &path).await.expect(204);
    assert_eq!(world.sees(&world.all.ben).await, 404);
    let path = "/api/v2/audit?q=resource_type%3Aworkspace+action%3Awrite&limit=1";
    let log = world.all.server.get(&world.all.olga, path).await.expect(200).json();
    let acl = &log["audit_logs"][0]["diff"]["user_acl"];
    assert!(acl["old"].to_string().contains("ben: use"), "{log}");
    assert!(!acl["new"].to_string().contains("ben"), "{log}");
}

/// What was approved by someone is no matter of a shift.
#[tokio::test]
async fn what_someone_approved_outlasts_the_shift() {
    let world = World::new().await;
    let request = world.asked(&world.all.ben).await;
    let rotation = world.ben_on_call().await;
    world.answer(&world.all.ada, &request, "approve").await.expect(200);
    let now = world.all.server.clock.now().rfc3339();
    world.cover(&rotation, (now.as_str(), "2026-11-21T00:00:00Z")).await;
    assert_eq!(world.sees(&world.all.ben).await, 200);
}
