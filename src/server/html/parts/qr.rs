//! A text for a camera to read: a QR code, drawn in the page itself.

use std::fmt::Write as _;

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

/// Empty squares around the code, without which cameras do not find it.
const MARGIN: i32 = 4;

/// The picture of a text; nothing for one that is too long, which stands beside it anyway.
#[must_use]
pub fn qr(label: &str, text: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return html! {} };
    let whole = code.size() + 2 * MARGIN;
    let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    let mut path = String::new();
    for (x, y) in dark.filter(|(x, y)| code.get_module(*x, *y)) {
        let _ = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
    }
    html! {
        svg class="qr" viewBox={ "0 0 " (whole) " " (whole) } role="img" aria-label=(label) { path d=(path) {} }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_is_drawn_with_room_around_it() {
        let drawn = super::qr("For a camera", "otpauth://totp/x").into_string();
        assert!(
            drawn.contains("viewBox=\"0 0 33 33\"") && drawn.contains("M4 4h1v1h-1z"),
            "{drawn}"
        );
    }
}
