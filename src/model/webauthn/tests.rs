//! Passkeys that are made and used by keys of `ring`, and everything that may be wrong with them.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

use super::*;

/// An RSA key and its signature of `kiln`, made by OpenSSL.
const RSA_N: &str = "zcemNmLDiyFBuPE8dTVm7-X4_VF_Jl54pwgOk-qDZUe1Dp2ATxTr9oYb7ZrI8cvNpD-2QLNFSJHv8v72KwKp1icmHyycUjGs5vWvxJWnU06Jg-WMkh7OO7Y-3rP3uTpu7pmT72H8pgWuqekVd4YH_xrGrZi4ivL7rnRGXN-4NPGaRnVzx6kgbwPj24KaZQW1HWFL_aXSbKLs1N1EPzJrvM0uoUFVKuLcQp0omH4sER-iFGMlzUU1p1vdOS8kMk_iGHRG9Q_ACY1K8M4lpzFghl4ycW8KbkN8UoclL1xdH7htcnZBrctU2Ny1R02vaBa4q2ixRPGn75fTtHQawSxNzw";
const RSA_SIGNATURE: &str = "M6atRNaf3OJWFP79vL1monWLe7Qc9dEg9tgjmvRYentR2XkAzOtX-GOaPxnPUFcFnLBU5z92I6Qb7ILUsr5RMVOzTBO0gaW2SDzWXSLtVov09uG9H08ABWp_9pwvbgENROX8BWxpMPYCA23ha16Sysgza2oKHWob9ynehtAAeYji7VvoK0DA4NuqkTXhuxXY4MdAYp2b2vJ_tMk0VkLKt-tLyNsmw0DQFflWRFFim7o3qQWg6sYp2bJWptfzKlheaKqNc7ur-40MiT3LixVFoDM3awcBWRavNou5-Zt8-SFnhRMZUcHN7LVecOjzqgCSaJqq8plWcgecJIKvjWi1Lw";

enum Signer {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    fn p256() -> Self {
        let (kind, chance) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &chance).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &chance).unwrap())
    }

    fn ed25519() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    fn cose(&self) -> Vec<u8> {
        match self {
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let head = [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20];
                [&head[..], x, &[0x22, 0x58, 0x20], y].concat()
            }
            Self::Ed25519(pair) => {
                let head = [0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20];
                [&head[..], pair.public_key().as_ref()].concat()
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

fn rp() -> Rp {
    Rp::of("https://dev.example.org").unwrap()
}

fn data(site: &str, flags: u8, counter: u32) -> Vec<u8> {
    [&Sha256::digest(site)[..], &[flags], &counter.to_be_bytes()].concat()
}

fn client_json(kind: &str, origin: &str) -> String {
    format!(r#"{{"type":"{kind}","challenge":"a2lsbg","origin":"{origin}","crossOrigin":false}}"#)
}

fn attestation(data: &[u8]) -> Vec<u8> {
    let len = u8::try_from(data.len()).unwrap();
    let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58";
    [&head[..], &[len], data].concat()
}

fn credential(key: &[u8]) -> Vec<u8> {
    [&[0; 16][..], &[0, 4], b"clay", key].concat()
}

#[test]
fn a_passkey_is_made_and_used() {
    for signer in [Signer::p256(), Signer::ed25519()] {
        let key = signer.cose();
        let made = made(
            &rp(),
            &attestation(&[data("dev.example.org", 0x45, 7), credential(&key)].concat()),
        );
        assert_eq!(
            made,
            Ok(Made { credential_id: b"clay".to_vec(), key: key.clone(), counter: 7 })
        );
        let json = client_json("webauthn.get", "https://dev.example.org");
        let client = ClientData::of_used(&rp(), json.as_bytes()).unwrap();
        assert_eq!(client.challenge, b"kiln");
        let said = data("dev.example.org", 0x05, 8);
        let signature = signer.sign(&[&said[..], &Sha256::digest(&json)].concat());
        let use_of = |signature, counter| {
            let known = Known { key: &key, counter };
            used(&rp(), &client, known, Use { data: &said, signature })
        };
        assert_eq!(use_of(&signature, 7), Ok(Used { counter: 8, verified: true }));
        assert_eq!(use_of(&signature, 8), Err(Flaw::Counter));
        let mut flipped = signature.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert_eq!(use_of(&flipped, 7), Err(Flaw::Signature));
        assert_eq!(use_of(&[], 7), Err(Flaw::Signature));
        let other = ClientData { hash: [0; 32], ..client.clone() };
        let known = Known { key: &key, counter: 7 };
        let seen = Use { data: &said, signature: &signature };
        assert_eq!(used(&rp(), &other, known, seen), Err(Flaw::Signature));
    }
}

#[test]
fn what_is_not_meant_for_here_is_refused() {
    let read = |json: String| ClientData::of_used(&rp(), json.as_bytes()).map(|_| ());
    let get = "webauthn.get";
    assert_eq!(read(client_json(get, "https://dev.example.org")), Ok(()));
    assert_eq!(read(client_json("webauthn.create", "https://dev.example.org")), Err(Flaw::Kind));
    for origin in ["https://dev.example.org.evil.net", "http://dev.example.org", "null"] {
        assert_eq!(read(client_json(get, origin)), Err(Flaw::Origin), "{origin}");
    }
    let framed = client_json(get, "https://dev.example.org").replace("false", "true");
    assert_eq!(read(framed), Err(Flaw::Origin));
    assert_eq!(read("{}".to_owned()), Err(Flaw::Unreadable));
    assert_eq!(read(" ".repeat(MAX_PART + 1)), Err(Flaw::Unreadable));

    let said = |data: &[u8]| Said::read(&rp(), data).map(|said| said.verified);
    assert_eq!(said(&data("dev.example.org", 0x05, 0)), Ok(true));
    assert_eq!(said(&data("dev.example.org", 0x01, 0)), Ok(false));
    assert_eq!(said(&data("example.org", 0x05, 0)), Err(Flaw::Site));
    assert_eq!(said(&data("dev.example.org", 0x04, 0)), Err(Flaw::Absent));
    assert_eq!(said(&[data("dev.example.org", 0x05, 0), vec![0]].concat()), Err(Flaw::Unreadable));
    assert_eq!(said(&data("dev.example.org", 0x05, 0)[..36]), Err(Flaw::Unreadable));
    assert_eq!(said(&[data("dev.example.org", 0x85, 0), vec![0xa0]].concat()), Ok(true));
}

#[test]
fn a_passkey_without_a_key_that_is_known_is_not_kept() {
    let made = |tail: &[u8], flags| {
        let data = [&data("dev.example.org", flags, 0), tail].concat();
        made(&rp(), &attestation(&data)).map(|made| made.credential_id)
    };
    let key = Signer::p256().cose();
    assert_eq!(made(&credential(&key), 0x41), Ok(b"clay".to_vec()));
    assert_eq!(made(&[], 0x01), Err(Flaw::Unreadable));
    assert_eq!(made(&credential(&[0xa0]), 0x41), Err(Flaw::Key));
    let mut other = key.clone();
    other[4] = 0x27;
    assert_eq!(made(&credential(&other), 0x41), Err(Flaw::Key), "P-256 as EdDSA");
    assert_eq!(made(&credential(&key[..40]), 0x41), Err(Flaw::Unreadable));
    assert_eq!(made(&[&credential(&key)[..], &[0]].concat(), 0x41), Err(Flaw::Unreadable));
    let none = [&[0; 16][..], &[0, 0], &key].concat();
    assert_eq!(made(&none, 0x41), Err(Flaw::Unreadable), "an empty id");
}

#[test]
fn rsa_signs_too() {
    let n = URL_SAFE_NO_PAD.decode(RSA_N).unwrap();
    let head = [0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x59, 1, 0];
    let cose = [&head[..], &n, &[0x21, 0x43, 1, 0, 1]].concat();
    let key = Key::parse(&cose).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(RSA_SIGNATURE).unwrap();
    assert!(key.verifies(b"kiln", &signature) && !key.verifies(b"klin", &signature));
}

#[test]
fn passkeys_are_for_sites_with_a_name() {
    let id = |url: &str| Rp::of(url).map(|rp| (rp.id, rp.origin));
    let some = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
    let here = "https://dev.example.org:8443";
    assert_eq!(id("https://dev.example.org:8443/"), some("dev.example.org", here));
    assert_eq!(id("http://localhost:7080"), some("localhost", "http://localhost:7080"));
    for url in ["http://dev.example.org", "https://192.0.2.1", "http://127.0.0.1:7080", "x"] {
        assert_eq!(id(url), None, "{url}");
    }
}
