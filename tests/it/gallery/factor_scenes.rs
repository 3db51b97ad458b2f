//! The pages of second factors, in every state.

use std::collections::BTreeMap;

use maud::Render as _;
use steading::model::factor::{Factors, Passkey, TotpEntry};
use steading::model::time::Timestamp;
use steading::server::html::layout::Csrf;
use steading::server::html::pages::confirm::{Confirm, Step};
use steading::server::html::pages::factors::{NewPasskey, RecoveryCodes, TotpPage};
use steading::server::html::pages::login::Kept;
use steading::server::html::parts::form::Input;

use super::fixtures::{ada, before, id, visit};
use super::{Scene, scene};

/// An app, two passkeys, and few recovery codes.
pub fn factors() -> Factors {
    let passkey = |n: u128, name: &str, used| Passkey {
        id: id(1700 + n),
        name: name.into(),
        created_at: before(86_400 * 30),
        last_used_at: used,
    };
    Factors {
        totp: Some(TotpEntry {
            created_at: before(86_400 * 90),
            last_used_at: Some(before(3_600)),
        }),
        passkeys: vec![
            passkey(1, "thinkpad", Some(before(60))),
            passkey(2, "a blue security key with a rather long name on it", None::<Timestamp>),
        ],
        recovery_left: 2,
    }
}

fn wrong(field: &str, why: &str) -> Input {
    Input::wrong(BTreeMap::new(), field, why)
}

fn asking() -> Vec<Scene> {
    let confirm = |step, totp, passkey: bool, input| Confirm {
        csrf: Csrf("c5f0a1".into()),
        step,
        totp,
        passkey: passkey.then(|| "{}".into()),
        next: "/settings/tokens".into(),
        kept: None,
        input,
    };
    let sign_in = || Step::SignIn { ticket: "AQ".into(), host: "steading.lan".into() };
    let again = || Step::Again { username: "ada".into() };
    let fields = vec![("confirm".to_owned(), "kiln".to_owned())];
    let kept = Confirm {
        kept: Some(Kept::new("/@ada/kiln/delete", fields)),
        ..confirm(again(), true, true, Input::default())
    };
    let used = wrong("code", "The code is wrong, or was used before.");
    let waits = wrong("form", "Too many failed attempts; try again in 4 minutes.");
    vec![
        scene("second-step", confirm(sign_in(), true, true, Input::default()).render()),
        scene("second-step-wrong", confirm(sign_in(), true, false, used).render()),
        scene("second-step-passkey", confirm(sign_in(), false, true, Input::default()).render()),
        scene("confirm", confirm(again(), true, false, Input::default()).render()),
        scene("confirm-waits", confirm(again(), true, true, waits).render()),
        scene("confirm-kept", kept.render()),
    ]
}

fn setting_up() -> Vec<Scene> {
    let secret = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ";
    let uri = "otpauth://totp/steading.lan:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=steading.lan";
    let totp = |made: bool, input| TotpPage {
        visit: visit(ada()),
        setup: made.then(|| (secret.to_owned(), uri.to_owned())),
        asks_password: true,
        input,
    };
    let passkey = |input| NewPasskey {
        visit: visit(ada()),
        options: "{}".into(),
        asks_password: true,
        input,
    };
    let codes = |done: &str| RecoveryCodes {
        visit: visit(ada()),
        done: done.into(),
        codes: (0..10).map(|n| format!("abcd-efgh-ijkm-np2{}", n % 8 + 2)).collect(),
    };
    let late = wrong("code", "The code is wrong; is the clock of the app right?");
    vec![
        scene("totp", totp(false, Input::default()).render()),
        scene("totp-wrong", totp(false, wrong("password_now", "Is not your password.")).render()),
        scene("totp-secret", totp(true, Input::default()).render()),
        scene("totp-secret-wrong", totp(true, late).render()),
        scene("passkey", passkey(Input::default()).render()),
        scene("passkey-wrong", passkey(wrong("name", "Is empty.")).render()),
        scene("recovery-codes", codes("").render()),
        scene("recovery-codes-first", codes("Your app is in use.").render()),
    ]
}

pub fn all() -> Vec<Scene> {
    [asking(), setting_up()].concat()
}
