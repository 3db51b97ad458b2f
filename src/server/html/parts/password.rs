//! The field for a new password, with how strong it is.

use maud::{Markup, html};

use super::form::{Input, described, notes, password_hint};
use crate::model::password::{ENOUGH, MAX_STRENGTH, Strength};
use crate::server::html::paths;

/// Its id, by which the form's errors lead to it.
const ID: &str = "f-password";

/// The field, and under it how strong what is typed would be; without a script the answer to the form
/// says so. `more` follows the hint.
#[must_use]
pub fn new_password(label: &str, more: &str, input: &Input) -> Markup {
    let (hint, error) = (password_hint(more), input.error("password"));
    html! {
        div class="field" {
            label for=(ID) { (label) }
            input id=(ID) name="password" type="password" autocomplete="new-password" required
                hx-post=(paths::PASSWORD_STRENGTH) hx-trigger="input delay:300ms" hx-target="#f-password-s" hx-swap="innerHTML"
                aria-invalid=[error.map(|_| "true")] aria-describedby=[described(ID, &hint, error)];
            div id="f-password-s" class="strength" role="status" {}
            (notes(ID, &hint, error))
        }
    }
}

/// How strong a password is: a meter and words.
#[must_use]
pub fn strength(found: &Strength) -> Markup {
    let word = match found.score {
        0 | 1 => "weak",
        ENOUGH => "fair",
        3 => "good",
        _ => "strong",
    };
    // A bar without length would look like none.
    let shown = found.score.max(1);
    html! {
        meter min="0" low=(ENOUGH) high="3" optimum=(MAX_STRENGTH) max=(MAX_STRENGTH) value=(shown) aria-label="Strength" { (word) }
        span class="hint" {
            @match &found.refused {
                Some(why) => { "This password " (why) "." }
                None => { "This password is " (word) "." }
            }
        }
    }
}
