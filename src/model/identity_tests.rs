//! Tests of who may come in; named after what went wrong elsewhere.

use serde_json::json;

use super::*;
use crate::model::time::Timestamp;
use crate::model::user::{LoginType, UserKind, UserStatus};

fn rules() -> Rules {
    Rules {
        fields: Fields {
            email: "email".to_owned(),
            username: "preferred_username".to_owned(),
            name: "name".to_owned(),
        },
        domains: vec![],
        ignore_email_verified: false,
        allow_signups: true,
        link_by_email: LinkByEmail::Members,
        groups: None,
        roles: None,
        organizations: None,
        allowed: None,
    }
}

fn claims(value: Value) -> Claims {
    Claims(serde_json::from_value(value).unwrap())
}

fn arrival(value: Value) -> Arrival {
    let (provider, issuer) = ("sso".to_owned(), "https://sso.test".to_owned());
    Arrival { provider, issuer, subject: "7".to_owned(), claims: claims(value) }
}

fn user(roles: Vec<SiteRole>) -> User {
    User {
        id: uuid::Uuid::nil().into(),
        username: UserName::parse("ada").unwrap(),
        name: String::new(),
        email: "Ada@Corp.com".to_owned(),
        kind: UserKind::Person,
        status: UserStatus::Active,
        login_type: LoginType::Password,
        roles,
        organizations: vec![],
        organization_roles: Vec::new(),
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        last_seen_at: None,
    }
}

#[test]
fn ghsa_7cc2_r658_7xpf_a_domain_matches_whole_or_not_at_all() {
    let rules = Rules { domains: vec!["corp.com".to_owned()], ..rules() };
    let check = |email: &str, ok: bool| {
        let admitted = rules.admit(&arrival(json!({ "email": email, "email_verified": true })));
        assert_eq!(admitted.is_ok(), ok, "{email}: {admitted:?}");
    };
    check("ada@corp.com", true);
    check("ada@CORP.com", true);
    for other in ["ada@exploitcorp.com", "ada@corp.com.evil.net", "ada@sub.corp.com", "corp.com"] {
        check(other, false);
    }
    check("a@corp.com@evil.net", false);
    check("\"a@corp.com\"@evil.net", false);
}

#[test]
fn coder_25713_email_verified_is_true_or_it_is_not() {
    for said in [json!("true"), json!("True"), json!(1), json!(null), json!(false), json!([true])] {
        let claims = json!({ "email": "ada@corp.com", "email_verified": said });
        let refused = rules().admit(&arrival(claims.clone())).unwrap_err();
        assert_eq!(refused, Refusal::Unverified("ada@corp.com".to_owned()), "{said}");
        let lax = Rules { ignore_email_verified: true, ..rules() };
        assert!(lax.admit(&arrival(claims.clone())).is_ok());
        assert!(!lax.may_link(&arrival(claims), &user(vec![])), "an account was given away");
    }
    assert!(rules().admit(&arrival(json!({ "email": "ada@corp.com" }))).is_err(), "missing");
    let named = Rules { fields: Fields { email: "upn".to_owned(), ..rules().fields }, ..rules() };
    let other = json!({ "upn": "olga@corp.com", "email": "eve@x.org", "email_verified": true });
    assert!(named.admit(&arrival(other)).is_err(), "another claim's address is not vouched for");
}

#[test]
fn an_address_of_userinfo_is_not_vouched_for_by_the_id_token() {
    let token = claims(json!({ "sub": "7", "email": "eve@x.org", "email_verified": true }));
    let merged = token.clone().merged(claims(json!({ "sub": "7", "email": "ada@corp.com" })));
    assert_eq!(merged.text("email"), "ada@corp.com");
    assert!(!merged.is_true("email_verified"));
    let merged = token.merged(claims(json!({ "sub": "7", "groups": ["a"] })));
    assert!(merged.is_true("email_verified") && merged.list("groups") == ["a"]);
}

#[test]
fn an_account_is_linked_by_a_proven_address_and_no_role_is_given_away() {
    let ada = arrival(json!({ "email": "ada@corp.com", "email_verified": true }));
    let check = |link_by_email, roles: &[SiteRole], ok| {
        let rules = Rules { link_by_email, ..rules() };
        assert_eq!(rules.may_link(&ada, &user(roles.to_vec())), ok, "{link_by_email} {roles:?}");
    };
    check(LinkByEmail::Members, &[], true);
    check(LinkByEmail::None, &[], false);
    check(LinkByEmail::All, &[SiteRole::Owner], true);
    for role in SiteRole::ALL {
        check(LinkByEmail::Members, &[*role], false);
    }
    let other = arrival(json!({ "email": "eve@corp.com", "email_verified": true }));
    assert!(!rules().may_link(&other, &user(vec![])));
}

#[test]
fn a_user_name_is_cleaned_cut_and_numbered() {
    let names = |claims: Value, email: &str| -> Vec<String> {
        let made = rules().user_names(&arrival(claims), email).take(2);
        made.map(UserName::into_string).collect()
    };
    let check = |wanted: &str, expected: [&str; 2]| {
        assert_eq!(names(json!({ "preferred_username": wanted }), "e.mail@x.org"), expected);
    };
    check("ada", ["ada", "ada-2"]);
    check("Ada.Lovelace@corp.com", ["Ada-Lovelace", "Ada-Lovelace-2"]);
    check("--a__b--", ["a-b", "a-b-2"]);
    check("", ["e-mail", "e-mail-2"]);
    check("<script>", ["script", "script-2"]);
    check("me", ["me-2", "me-3"]);
    check("日本", ["e-mail", "e-mail-2"]);
    let long = "x".repeat(40);
    check(&long, [&"x".repeat(32), &format!("{}-2", "x".repeat(30))]);
    assert_eq!(names(json!({}), "@"), ["user", "user-2"]);
}

#[test]
fn what_is_kept_of_claims_has_a_bound_and_no_nonce() {
    let kept = claims(json!({ "sub": "7", "nonce": "n", "groups": ["a"] })).to_kept();
    assert_eq!(kept, r#"{"groups":["a"],"sub":"7"}"#);
    assert_eq!(claims(json!({ "x": "y".repeat(MAX_CLAIMS) })).to_kept(), "{}");
    assert_eq!(Claims::from_kept("{}"), None);
    let inner = json!({ "userPassword": "b", "town": "Kiln" });
    let secrets = json!({ "access_token": "a", "tokenGroups": ["g"], "account": inner });
    let kept = claims(secrets).to_kept();
    assert_eq!(kept, r#"{"account":{"town":"Kiln"},"tokenGroups":["g"]}"#);
    let texts = Claims::from_kept(&kept).unwrap().texts();
    assert_eq!(texts[0], ("account".to_owned(), r#"{"town":"Kiln"}"#.to_owned()));
}

#[test]
fn a_name_that_hides_something_is_not_taken() {
    let name = |text: &str| rules().full_name(&arrival(json!({ "name": text })));
    assert_eq!(name("Ada Lovelace"), "Ada Lovelace");
    assert_eq!(name("Ada\u{202e}ecalevoL"), "");
    assert_eq!(name(&"x".repeat(400)), "");
}

#[test]
fn who_is_in_no_allowed_group_does_not_come_in() {
    let mapping = [("cn=potters,dc=x".to_owned(), vec!["potters".to_owned()])].into();
    let rules = Rules {
        groups: Some(GroupSync { field: "groups".to_owned(), mapping, ..GroupSync::default() }),
        allowed: Some(AllowedGroups {
            field: "groups".to_owned(),
            names: vec!["potters".to_owned(), "kiln".to_owned()],
        }),
        ..rules()
    };
    let admit = |groups: Value| {
        let said = json!({ "email": "a@corp.com", "email_verified": true, "groups": groups });
        rules.admit(&arrival(said)).map(|_| ())
    };
    for may in [json!(["staff", "kiln"]), json!("kiln"), json!(["cn=potters,dc=x"])] {
        assert_eq!(admit(may), Ok(()));
    }
    for none in [json!([]), json!(["kilns"]), json!(["Kiln"]), json!(null), json!({ "kiln": 1 })] {
        assert_eq!(admit(none), Err(Refusal::NoGroup));
    }
}
