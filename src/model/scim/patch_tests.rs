//! Changes as Entra and Okta document them, and hostile ones.

use serde_json::json;

use super::super::schema::{GROUP, USER};
use super::*;

fn patched(schema: &Schema, mut resource: Value, operations: &Value) -> Result<Value, Bad> {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations });
    let operations = parse(body.as_object().unwrap())?;
    apply(schema, resource.as_object_mut().unwrap(), &operations)?;
    Ok(resource)
}

fn ada() -> Value {
    json!({
        "userName": "ada@example.org", "active": true, "name": { "givenName": "Ada" },
        "emails": [{ "value": "ada@example.org", "type": "work", "primary": true }],
    })
}

#[test]
fn entra_writes_ops_in_capitals_truths_as_words_and_makes_what_a_filter_does_not_find() {
    let changed = patched(
        &USER,
        ada(),
        &json!([
            { "op": "Replace", "path": "active", "value": "False" },
            { "op": "Add", "path": "name.familyName", "value": "Lovelace" },
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "l@example.org" },
            { "op": "Add", "path": "emails[type eq \"home\"].value", "value": "ada@home.test" },
            { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "London" },
            { "op": "Add",
              "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
              "value": "Engines" },
            { "op": "Add", "value": { "displayName": "Countess", "name.formatted": "Ada L." } },
        ]),
    );
    let expected = json!({
        "userName": "ada@example.org", "active": false, "displayName": "Countess",
        "name": { "givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada L." },
        "emails": [{ "value": "l@example.org", "type": "work", "primary": true },
                   { "value": "ada@home.test", "type": "home" }],
    });
    assert_eq!(changed.unwrap(), expected);
}

#[test]
fn okta_sends_no_path() {
    let changed =
        patched(&USER, ada(), &json!([{ "op": "replace", "value": { "active": false } }]));
    assert_eq!(changed.unwrap()["active"], false);
    let whole = json!({ "id": "other", "schemas": [], "displayName": "Ada" });
    let changed = patched(&USER, ada(), &json!([{ "op": "replace", "value": whole }])).unwrap();
    assert_eq!((&changed["displayName"], changed.get("id")), (&json!("Ada"), None));
}

#[test]
fn members_come_and_go_in_every_form() {
    let group = |members: &[&str]| {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        if members.is_empty() {
            json!({ "displayName": "g" })
        } else {
            json!({ "displayName": "g", "members": members })
        }
    };
    let check = |operation: Value, before: &[&str], after: &[&str]| {
        let changed = patched(&GROUP, group(before), &json!([operation])).unwrap();
        assert_eq!(changed, group(after), "{before:?}");
    };
    let many = |n: usize| (0..n).map(|i| json!({ "value": i.to_string() })).collect::<Vec<_>>();
    check(
        json!({ "op": "Add", "path": "members", "value": [{ "value": "b" }, { "value": "a" }] }),
        &["a"],
        &["a", "b"],
    );
    check(
        json!({ "op": "add", "path": "members", "value": many(9) }),
        &["3"],
        &["3", "0", "1", "2", "4", "5", "6", "7", "8"],
    );
    check(
        json!({ "op": "Remove", "path": "members", "value": [{ "value": "a" }] }),
        &["a", "b"],
        &["b"],
    );
    check(json!({ "op": "remove", "path": "members[value eq \"a\"]" }), &["a", "b"], &["b"]);
    check(json!({ "op": "remove", "path": "members" }), &["a", "b"], &[]);
    check(
        json!({ "op": "replace", "path": "members", "value": [{ "value": "c" }] }),
        &["a"],
        &["c"],
    );
    check(json!({ "op": "replace", "path": "members", "value": [] }), &["a"], &[]);
    check(json!({ "op": "remove", "path": "members[value eq \"x\"]" }), &["a"], &["a"]);
}

#[test]
fn one_address_is_primary() {
    let add = json!([{ "op": "add", "path": "emails",
        "value": [{ "value": "new@example.org", "primary": true }] }]);
    let emails = patched(&USER, ada(), &add).unwrap()["emails"].clone();
    assert_eq!((&emails[0]["primary"], &emails[1]["primary"]), (&json!(false), &json!(true)));
}

#[test]
fn what_makes_no_sense_is_said_in_the_standard_s_words() {
    let kind = |operation: Value| patched(&USER, ada(), &json!([operation])).unwrap_err().kind;
    let cases = [
        (json!({ "op": "remove" }), BadKind::NoTarget),
        (json!({ "op": "move", "path": "active" }), BadKind::InvalidSyntax),
        (json!("add"), BadKind::InvalidSyntax),
        (json!({ "op": "add", "value": 3 }), BadKind::InvalidSyntax),
        (json!({ "op": "replace", "path": "id", "value": "x" }), BadKind::Mutability),
        (json!({ "op": "remove", "path": "userName" }), BadKind::Mutability),
        (json!({ "op": "replace", "path": "shoeSize", "value": "x" }), BadKind::InvalidPath),
        (json!({ "op": "replace", "path": "name.shoe", "value": "x" }), BadKind::InvalidPath),
        (json!({ "op": "replace", "path": "emails[", "value": "x" }), BadKind::InvalidPath),
        (json!({ "op": "replace", "path": 4, "value": "x" }), BadKind::InvalidPath),
        (json!({ "op": "replace", "path": "active", "value": "x" }), BadKind::InvalidValue),
    ];
    for (operation, expected) in cases {
        assert_eq!(kind(operation.clone()), expected, "{operation}");
    }
    assert!(parse(&Map::new()).is_err());
    let many = json!({ "Operations": vec![json!({ "op": "remove", "path": "active" }); 1001] });
    assert!(parse(many.as_object().unwrap()).is_err());
}
