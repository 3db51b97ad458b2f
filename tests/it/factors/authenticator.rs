//! An authenticator in software: makes a passkey and answers, or gets one thing wrong.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A passkey on P-256.
pub struct Authenticator {
    pair: EcdsaKeyPair,
    id: Vec<u8>,
    user: String,
    /// How often it was used; one that does not count says 0 for ever.
    pub counter: u32,
    pub counts: bool,
    /// Where the browser says that it is.
    pub origin: String,
    /// For which site it signs; what it was asked for, if empty.
    pub site: String,
    /// Whether it finds out who uses it.
    pub verifies: bool,
    /// Flips one bit of what it signs with.
    pub forges: bool,
}

impl Authenticator {
    pub fn new(id: &str, origin: &str) -> Self {
        let (kind, chance) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &chance).unwrap();
        Self {
            pair: EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &chance).unwrap(),
            id: id.as_bytes().to_vec(),
            user: String::new(),
            counter: 0,
            counts: true,
            origin: origin.to_owned(),
            site: String::new(),
            verifies: true,
            forges: false,
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let said = json!({ "type": kind, "challenge": options["challenge"],
            "origin": self.origin, "crossOrigin": false });
        said.to_string().into_bytes()
    }

    fn data(&self, site: &str, flags: u8) -> Vec<u8> {
        let site = if self.site.is_empty() { site } else { &self.site };
        let flags = flags | if self.verifies { 0x05 } else { 0x01 };
        [&Sha256::digest(site)[..], &[flags], &self.counter.to_be_bytes()].concat()
    }

    /// What a browser sends of a passkey that it was asked to make.
    pub fn make(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        self.user = options["user"]["id"].as_str().unwrap().to_owned();
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let head = [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20];
        let key = [&head[..], x, &[0x22, 0x58, 0x20], y].concat();
        let len = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let data = self.data(options["rp"]["id"].as_str().unwrap(), 0x40);
        let data = [&data[..], &[0; 16], &len, &self.id, &key].concat();
        let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58";
        let attestation = [&head[..], &[u8::try_from(data.len()).unwrap()], &data].concat();
        json!({
            "id": URL_SAFE_NO_PAD.encode(&self.id),
            "client_data": URL_SAFE_NO_PAD.encode(self.client_data("webauthn.create", &options)),
            "attestation": URL_SAFE_NO_PAD.encode(attestation),
        })
        .to_string()
    }

    /// What a browser sends of a passkey that was asked something.
    pub fn answer(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        self.counter += u32::from(self.counts);
        let client = self.client_data("webauthn.get", &options);
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let message = [&data[..], &Sha256::digest(&client)].concat();
        let signed = self.pair.sign(&SystemRandom::new(), &message).unwrap();
        let mut signature = signed.as_ref().to_vec();
        if self.forges {
            *signature.last_mut().unwrap() ^= 1;
        }
        json!({
            "id": URL_SAFE_NO_PAD.encode(&self.id),
            "client_data": URL_SAFE_NO_PAD.encode(client),
            "authenticator_data": URL_SAFE_NO_PAD.encode(data),
            "signature": URL_SAFE_NO_PAD.encode(signature),
            "user_handle": self.user,
        })
        .to_string()
    }
}
