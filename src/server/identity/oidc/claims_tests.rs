//! Forged, stale and borrowed tokens; each is refused for its own reason.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::json;

use super::super::jwks::KeySet;
use super::super::jwt::Unchecked;
use super::*;

const NOW: Timestamp = Timestamp(1_795_000_000);
const EXPECTED: Expected<'_> =
    Expected { issuer: "https://sso.test", client_id: "steading", now: NOW };

/// A provider that signs with Ed25519 and P-256.
struct Signer {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let with = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let ec = EcdsaKeyPair::generate_pkcs8(with, &random).unwrap();
        Self {
            ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap(),
            ec: EcdsaKeyPair::from_pkcs8(with, ec.as_ref(), &random).unwrap(),
        }
    }

    fn keys(&self) -> KeySet {
        let point = self.ec.public_key().as_ref();
        let set = json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "alg": "EdDSA",
              "x": b64(self.ed.public_key()) },
            { "kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig",
              "x": b64(&point[1..33]), "y": b64(&point[33..]) },
            { "kty": "EC", "crv": "P-256", "kid": "for-secrets", "use": "enc",
              "x": b64(&point[1..33]), "y": b64(&point[33..]) },
        ] });
        KeySet::read(set.to_string().as_bytes()).unwrap()
    }

    fn sign(&self, head: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", b64(head.to_string()), b64(claims.to_string()));
        let signature = if head["alg"] == "ES256" {
            let made = self.ec.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            made.as_ref().to_vec()
        } else {
            self.ed.sign(signed.as_bytes()).as_ref().to_vec()
        };
        format!("{signed}.{}", b64(signature))
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://sso.test", "sub": "7", "aud": "steading", "nonce": "n",
        "iat": NOW.0 - 5, "exp": NOW.0 + 300,
    })
}

/// The claims with one of them changed, or taken out by null.
fn but(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn id_token(claims: &Value) -> Result<String, BadToken> {
    EXPECTED.check_id_token(claims.as_object().unwrap(), Some("n"))
}

#[test]
fn a_token_is_believed_when_a_key_of_the_provider_s_has_signed_it() {
    let signer = Signer::new();
    for head in [
        json!({ "alg": "EdDSA", "kid": "ed" }),
        json!({ "alg": "EdDSA" }),
        json!({ "alg": "ES256", "kid": "ec" }),
    ] {
        let token = Unchecked::read(&signer.sign(&head, &claims())).unwrap();
        assert_eq!(Value::Object(token.check(&signer.keys()).unwrap()), claims(), "{head}");
        assert_eq!(token.check(&Signer::new().keys()), Err(BadToken::Signature), "{head}");
    }
}

#[test]
fn none_and_shared_secrets_sign_nothing() {
    let signer = Signer::new();
    for alg in ["none", "None", "NONE", "nOnE", "HS256", "HS512", "", "ES256K", "RSA1_5"] {
        let read = Unchecked::read(&signer.sign(&json!({ "alg": alg }), &claims()));
        assert_eq!(read.unwrap_err(), BadToken::Algorithm(alg.to_owned()));
    }
    let whole = signer.sign(&json!({ "alg": "EdDSA", "kid": "ed" }), &claims());
    let (signed, _) = whole.rsplit_once('.').unwrap();
    let bare = Unchecked::read(&format!("{signed}.")).unwrap();
    assert_eq!(bare.check(&signer.keys()), Err(BadToken::Signature));
}

#[test]
fn a_key_is_used_as_the_provider_says_and_no_other_way() {
    let signer = Signer::new();
    // The key of one algorithm under the name of another, and keys that are not for this.
    for (alg, kid) in [("RS256", "ed"), ("ES256", "ed"), ("EdDSA", "ec"), ("ES256", "for-secrets")]
    {
        let token = signer.sign(&json!({ "alg": alg, "kid": kid }), &claims());
        let checked = Unchecked::read(&token).unwrap().check(&signer.keys());
        assert_eq!(checked, Err(BadToken::UnknownKey), "{alg} {kid}");
    }
    // A key that comes with the token is not looked at.
    let own = Signer::new();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(own.ed.public_key()) });
    let token = own.sign(&json!({ "alg": "EdDSA", "kid": "ed", "jwk": jwk }), &claims());
    let checked = Unchecked::read(&token).unwrap().check(&signer.keys());
    assert_eq!(checked, Err(BadToken::Signature));
    let critical =
        signer.sign(&json!({ "alg": "EdDSA", "crit": ["b64"], "b64": false }), &claims());
    assert!(matches!(Unchecked::read(&critical), Err(BadToken::Form(_))));
}

#[test]
fn what_is_no_token_is_told() {
    for text in ["", "a", "a.b", "a.b.c", "e30.e30", "...", "e30.e30.e30.e30", "W10.e30.AA"] {
        assert!(Unchecked::read(text).is_err(), "{text}");
    }
    assert!(Unchecked::read(&"a".repeat(1 << 20)).is_err());
    let signer = Signer::new();
    let token = signer.sign(&json!({ "alg": "EdDSA", "kid": "ed" }), &claims());
    let (head, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let changed = format!("{head}.{}.{signature}", b64(but("sub", json!("8")).to_string()));
    let checked = Unchecked::read(&changed).unwrap().check(&signer.keys());
    assert_eq!(checked, Err(BadToken::Signature));
}

#[test]
fn an_id_token_is_of_its_provider_for_us_for_this_sign_in_and_now() {
    assert_eq!(id_token(&claims()).as_deref(), Ok("7"));
    let refused = |name: &str, value: Value, why: &str| {
        let error = id_token(&but(name, value.clone())).unwrap_err().to_string();
        assert!(error.contains(why), "{name} {value}: {error}");
    };
    refused("iss", json!("https://sso.test/"), "it is of");
    refused("iss", json!(["https://sso.test"]), "it is of");
    refused("iss", json!(null), "it is of");
    refused("aud", json!("steading-2"), "it is for");
    refused("aud", json!([]), "it is for");
    refused("aud", json!(["steading", "other"]), "azp");
    refused("azp", json!("other"), "azp");
    refused("nonce", json!("m"), "another sign-in");
    refused("nonce", json!(null), "another sign-in");
    refused("exp", json!(NOW.0 - LEEWAY_S), "compare the clocks");
    refused("exp", json!("later"), "when it ends");
    refused("exp", json!(null), "when it ends");
    refused("iat", json!(NOW.0 + 600), "in the future");
    refused("iat", json!(null), "when it was made");
    refused("nbf", json!(NOW.0 + 600), "does not hold yet");
    refused("sub", json!(""), "who it is about");
    refused("sub", json!("x".repeat(MAX_SUBJECT + 1)), "who it is about");
    refused("events", json!({}), "about an event");
    let mut shared = but("aud", json!(["other", "steading"]));
    shared["azp"] = json!("steading");
    assert!(id_token(&shared).is_ok());
    assert!(id_token(&but("exp", json!(NOW.0 - LEEWAY_S + 1))).is_ok(), "clocks differ a little");
}

#[test]
fn a_logout_token_is_no_id_token_and_the_other_way_round() {
    let logout = json!({
        "iss": "https://sso.test", "aud": "steading", "iat": NOW.0 - 5, "exp": NOW.0 + 120,
        "jti": "j", "sub": "7", "sid": "s", "events": { LOGOUT_EVENT: {} },
    });
    let check = |claims: &Value| EXPECTED.check_logout_token(claims.as_object().unwrap());
    let said = check(&logout).unwrap();
    assert_eq!((said.subject.as_str(), said.sid.as_str()), ("7", "s"));
    assert!(check(&claims()).is_err());
    assert!(EXPECTED.check_id_token(logout.as_object().unwrap(), None).is_err());
    let but = |name: &str, value: Value| {
        let mut claims = logout.clone();
        claims[name] = value;
        claims
    };
    for wrong in [
        but("nonce", json!("n")),
        but("iss", json!("https://evil.test")),
        but("aud", json!("other")),
        but("iat", json!(NOW.0 - LOGOUT_AGE_S - 1)),
        but("exp", json!(NOW.0 - LEEWAY_S)),
        but("events", json!({ "other": {} })),
        but("events", json!({ LOGOUT_EVENT: true })),
        but("jti", json!("")),
    ] {
        assert!(check(&wrong).is_err(), "{wrong}");
    }
    let mut nobody = logout.clone();
    (nobody["sub"], nobody["sid"]) = (json!(""), json!(null));
    assert!(check(&nobody).is_err());
}

#[test]
fn a_second_factor_is_one_that_the_token_names_and_is_as_old_as_it_says() {
    let at = |claims: Value| second_factor(claims.as_object().unwrap(), NOW);
    let long_ago = Some(Timestamp(0));
    for one in ["mfa", "otp", "hwk", "swk", "sc"] {
        assert_eq!(at(json!({ "amr": ["pwd", one] })), long_ago, "{one}");
    }
    for none in [json!(["pwd"]), json!(["sms", "tel", "email"]), json!("mfa"), json!({ "mfa": 1 })]
    {
        assert_eq!(at(json!({ "amr": none, "auth_time": NOW.0 })), None, "{none}");
    }
    assert_eq!(at(json!({ "auth_time": NOW.0 })), None);
    let with = |time: Value| at(json!({ "amr": ["otp"], "auth_time": time }));
    assert_eq!(with(json!(NOW.0 - 60)), Some(Timestamp(NOW.0 - 60)));
    assert_eq!(with(json!(NOW.0 + 3600)), Some(NOW), "nobody gave one in the future");
    assert_eq!(with(json!(-5)), long_ago);
    assert_eq!(with(json!("now")), long_ago);
}

#[test]
fn a_sign_in_meets_one_of_the_values_that_are_asked_for() {
    let meets = |acr: Value, asked: &[&str]| {
        let asked: Vec<String> = asked.iter().map(|&a| a.to_owned()).collect();
        meets(json!({ "acr": acr }).as_object().unwrap(), &asked)
    };
    assert!(meets(json!(null), &[]) && meets(json!("1"), &[]));
    assert!(meets(json!("gold"), &["gold"]) && meets(json!("gold"), &["silver", "gold"]));
    for wrong in [json!(null), json!(""), json!("Gold"), json!("gold "), json!(["gold"])] {
        assert!(!meets(wrong.clone(), &["gold"]), "{wrong}");
    }
}
