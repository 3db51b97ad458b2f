//! Times as Coder's clients read them: RFC 3339 in UTC, and Go's zero for never.

/// Milliseconds since the Unix epoch; 0 stands for never and is written as Go writes its zero time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

/// How Go writes a time that was never set.
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Time {
    /// The whole second it is in.
    #[must_use]
    pub fn seconds(self) -> crate::model::time::Timestamp {
        crate::model::time::Timestamp(self.0.div_euclid(1000))
    }
}

impl From<crate::model::time::Timestamp> for Time {
    fn from(at: crate::model::time::Timestamp) -> Self {
        Self(at.0.saturating_mul(1000))
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => f.write_str(NEVER),
            ms => f.write_str(&crate::model::time::rfc3339_ms(ms)),
        }
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let whole = (self.0 != 0 && self.0 % 1000 == 0).then_some(self.0 / 1000);
        match whole.and_then(crate::model::time::rfc3339_s) {
            Some(text) => to.serialize_str(std::str::from_utf8(&text).unwrap_or_default()),
            None => to.collect_str(self),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        if text == NEVER {
            return Ok(Self(0));
        }
        let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(at.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_back() {
        let check = |ms: i64, text: &str| {
            assert_eq!(serde_json::to_value(Time(ms)).unwrap(), text);
            assert_eq!(serde_json::from_value::<Time>(text.into()).unwrap(), Time(ms));
        };
        check(0, "0001-01-01T00:00:00Z");
        check(1_795_000_000_000, "2026-11-18T11:06:40Z");
        check(1_795_000_000_250, "2026-11-18T11:06:40.25Z");
        let zoned = serde_json::from_value::<Time>("2026-11-18T12:06:40+01:00".into()).unwrap();
        assert_eq!(zoned, Time(1_795_000_000_000));
    }
}
