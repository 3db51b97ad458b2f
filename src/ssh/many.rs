//! Tests of many bytes at once: most output is text, and that must be found out quickly.

/// Bytes that are looked at together.
const PIECE: usize = 256;

/// Whether a test holds for all of them. Within a piece there is no way out, so that the compiler
/// tests many bytes with one instruction.
pub(super) fn all(bytes: &[u8], test: impl Fn(u8) -> bool) -> bool {
    bytes.chunks(PIECE).all(|piece| piece.iter().fold(true, |all, byte| all & test(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_anywhere_is_found() {
        let mut bytes = [b'a'; 2 * PIECE + 3];
        assert!(all(&bytes, |b| b == b'a') && all(&[], |_| false));
        for at in [0, PIECE - 1, PIECE, 2 * PIECE + 2] {
            bytes[at] = b'b';
            assert!(!all(&bytes, |b| b == b'a'), "{at}");
            bytes[at] = b'a';
        }
    }
}
