//! One-time codes by the clock (RFC 6238): SHA-1, six digits, thirty seconds.

use ring::hmac;
use subtle::ConstantTimeEq as _;

use super::factor::in_32;
use super::time::Timestamp;

/// Bytes of a secret: as many as SHA-1 gives (RFC 4226, section 4).
pub const SECRET_BYTES: usize = 20;
/// Seconds that a code is shown.
const STEP_S: i64 = 30;
/// Codes have six digits.
const MODULUS: u32 = 1_000_000;
/// The letters of RFC 4648, as apps read secrets.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step, of those that may be meant, whose code was given; each of them but the first `after` is
/// tried, so that how long it takes tells nothing. Clocks may be one step apart.
#[must_use]
pub fn matching_step(secret: &[u8], given: &str, now: Timestamp, after: i64) -> Option<i64> {
    let here = now.0.div_euclid(STEP_S);
    let mut found = None;
    for step in here - 1..=here + 1 {
        let same: bool = code(secret, step).as_bytes().ct_eq(given.as_bytes()).into();
        if same && step > after {
            found = Some(step);
        }
    }
    found
}

/// The code that is shown at a time.
#[must_use]
pub fn code_at(secret: &[u8], at: Timestamp) -> String {
    code(secret, at.0.div_euclid(STEP_S))
}

fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let mac = hmac::sign(&key, &step.to_be_bytes());
    let at = mac.as_ref().last().map_or(0, |last| usize::from(last & 0x0f));
    let four = mac.as_ref().get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
    let n = u32::from_be_bytes(four.unwrap_or_default()) & 0x7fff_ffff;
    format!("{:06}", n % MODULUS)
}

/// A secret as a person types it into an app.
#[must_use]
pub fn shown(secret: &[u8]) -> String {
    let text = in_32(BASE32, secret);
    let groups: Vec<&[u8]> = text.as_bytes().chunks(4).collect();
    String::from_utf8_lossy(&groups.join(&b' ')).into_owned()
}

/// What the picture says: where it is for, whose it is, and the secret.
#[must_use]
pub fn uri(secret: &[u8], host: &str, username: &str) -> String {
    let part = |text: &str| {
        let pairs = serde_urlencoded::to_string([("", text)]).unwrap_or_default();
        pairs.trim_start_matches('=').replace('+', "%20")
    };
    let (host, secret) = (part(host), in_32(BASE32, secret));
    format!("otpauth://totp/{host}:{}?secret={secret}&issuer={host}", part(username))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (at, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(SECRET, Timestamp(at)), expected);
        }
    }

    #[test]
    fn a_code_counts_once_and_one_step_either_side() {
        let now = Timestamp(1_234_567_890);
        let here = now.0 / STEP_S;
        let at = |steps: i64| code(SECRET, here + steps);
        let find = |given: &str, after| matching_step(SECRET, given, now, after);
        assert_eq!(find(&at(0), 0), Some(here));
        assert_eq!(find(&at(-1), 0), Some(here - 1));
        assert_eq!(find(&at(1), 0), Some(here + 1));
        assert_eq!(find(&at(2), 0), None);
        assert_eq!(find(&at(-2), 0), None);
        assert_eq!(find(&at(0), here), None, "it was used");
        assert_eq!(find(&at(-1), here), None, "a later one was used");
        assert_eq!(find(&at(1), here), Some(here + 1));
        assert_eq!(find("", 0), None);
    }

    #[test]
    fn a_secret_is_shown_as_apps_read_it() {
        assert_eq!(shown(SECRET), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let uri = uri(SECRET, "steading.lan:7080", "ada");
        let expected = "otpauth://totp/steading.lan%3A7080:ada\
                        ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=steading.lan%3A7080";
        assert_eq!(uri, expected);
    }
}
