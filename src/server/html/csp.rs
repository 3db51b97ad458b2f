//! What a page may load, one policy a kind of page.

/// Every page: our own files only, no inline script or style, never in a frame.
pub const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The terminal page: xterm.js measures letters with style elements that it makes itself.
pub const TERMINAL: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The page of a recording: the player's terminal is WebAssembly.
pub const RECORDING: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_terminal_may_style_itself() {
        assert!(!super::STRICT.contains("unsafe"));
        assert_eq!(super::TERMINAL.replace(" 'unsafe-inline'", ""), super::STRICT);
    }

    #[test]
    fn only_a_recording_may_run_what_is_no_script() {
        assert_eq!(super::RECORDING.replace(" 'wasm-unsafe-eval'", ""), super::STRICT);
    }
}
