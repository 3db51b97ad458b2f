//! How an agent on the server's own machine is reached without the overlay.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Bytes of the secret by which an agent is known on the socket.
pub const SECRET_BYTES: usize = 32;

/// Where the server listens, and as whom the agent is known there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LocalWay {
    /// The socket's name in Linux's abstract namespace.
    pub name: String,
    /// Whose process the server is: a name is free again once the server is gone.
    pub owner: u32,
    /// Made for one connection of the agent.
    pub secret: LocalSecret,
}

/// A secret that never shows itself. As text: base64.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalSecret(pub [u8; SECRET_BYTES]);

impl std::fmt::Debug for LocalSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalSecret")
    }
}

impl serde::Serialize for LocalSecret {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD_NO_PAD.encode(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for LocalSecret {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        let bytes = STANDARD_NO_PAD.decode(&*text).ok();
        let secret = bytes.and_then(|bytes| bytes.try_into().ok());
        secret.map(Self).ok_or_else(|| serde::de::Error::custom("is not 32 bytes in base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_as_it_was_written_and_keeps_its_secret() {
        let secret = LocalSecret([9; SECRET_BYTES]);
        let way = LocalWay { name: "steading-1".to_owned(), owner: 1000, secret };
        let text = serde_json::to_string(&way).unwrap();
        assert_eq!(serde_json::from_str::<LocalWay>(&text).unwrap(), way);
        assert!(!format!("{way:?}").contains("CQkJ"));
        assert!(serde_json::from_str::<LocalSecret>("\"CQkJ\"").is_err());
    }
}
