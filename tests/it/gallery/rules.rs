//! What holds for every page of the gallery.

use std::collections::BTreeSet;

use regex::Regex;
use steading::server::html::assets;

use super::{Scene, all};

fn captures<'a>(pattern: &str, html: &'a str) -> Vec<&'a str> {
    Regex::new(pattern)
        .expect("the pattern is valid")
        .captures_iter(html)
        .map(|c| c.get(1).expect("each pattern has a group").as_str())
        .collect()
}

fn for_each(check: impl Fn(&Scene)) {
    let scenes = all();
    let names: BTreeSet<&str> = scenes.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names.len(), scenes.len(), "two scenes have the same name");
    scenes.iter().for_each(check);
}

#[test]
fn a_page_has_one_heading_and_one_main_part() {
    for_each(|s| {
        assert_eq!(s.html.matches("<h1").count(), 1, "{}: h1", s.name);
        assert_eq!(s.html.matches("<main").count(), 1, "{}: main", s.name);
        assert!(s.html.starts_with("<!doctype html><html lang=\"en\">"), "{}", s.name);
        assert!(s.html.contains("id=\"main\""), "{}", s.name);
    });
}

#[test]
fn nothing_is_inline_and_nothing_is_from_elsewhere() {
    for_each(|s| {
        assert!(!s.html.contains(" style="), "{}: style attribute", s.name);
        assert!(!s.html.contains("<style"), "{}: style element", s.name);
        assert!(!Regex::new(" on[a-z]+=\"").unwrap().is_match(&s.html), "{}: handler", s.name);
        for script in captures("(<script[^>]*>)", &s.html) {
            assert!(script.contains("src=\"/assets/"), "{}: {script}", s.name);
        }
        for source in captures("(?:src|<use href|<link rel=\"[a-z ]+\" href)=\"([^\"]*)\"", &s.html)
        {
            assert!(source.starts_with("/assets/"), "{}: {source}", s.name);
        }
        assert!(!s.html.contains("href=\"javascript:"), "{}: a script in a link", s.name);
    });
}

#[test]
fn ids_are_unique_and_what_is_referred_to_exists() {
    for_each(|s| {
        let ids = captures("\\sid=\"([^\"]*)\"", &s.html);
        let set: BTreeSet<&str> = ids.iter().copied().collect();
        let mut seen = BTreeSet::new();
        for id in &ids {
            assert!(seen.insert(*id), "{}: the id {id} is there twice", s.name);
        }
        let attributes = "for|aria-labelledby|aria-describedby|popovertarget|data-output";
        for list in captures(&format!("\\s(?:{attributes})=\"([^\"]+)\""), &s.html) {
            for id in list.split(' ') {
                assert!(set.contains(id), "{}: nothing has the id {id}", s.name);
            }
        }
        for id in captures("href=\"#([^\"]+)\"", &s.html) {
            assert!(set.contains(id), "{}: nothing has the id {id}", s.name);
        }
        for id in captures("data-copy=\"#([^\"]*)\"", &s.html) {
            assert!(set.contains(id), "{}: nothing to copy at {id}", s.name);
        }
    });
}

#[test]
fn every_field_has_a_label() {
    for_each(|s| {
        let labelled: BTreeSet<&str> =
            captures("<label[^>]* for=\"([^\"]*)\"", &s.html).into_iter().collect();
        let inside: String = captures("(?s)<label[^>]*>(.*?)</label>", &s.html).concat();
        for field in captures("(<(?:input|select|textarea)[^>]*>)", &s.html) {
            let silent = field.contains("type=\"hidden\"") || field.contains("aria-label=");
            let id = captures("\\sid=\"([^\"]*)\"", field).first().copied().unwrap_or_default();
            assert!(
                silent || labelled.contains(id) || inside.contains(field),
                "{}: {field}",
                s.name
            );
        }
    });
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    for_each(|s| {
        // Nobody is signed in there, so no session has a token.
        if ["setup", "login", "invite", "leaked-token", "redeem-signed-out"]
            .iter()
            .any(|n| s.name.starts_with(n))
        {
            return;
        }
        for form in captures("(?s)(<form[^>]*method=\"post\".*?</form>)", &s.html) {
            assert!(form.contains("name=\"csrf\""), "{}: {form}", s.name);
        }
    });
}

#[test]
fn icons_are_drawn_and_drawings_are_used() {
    let file = assets::ASSETS.iter().find(|a| a.name == "icons.svg").expect("there are icons");
    let file = std::str::from_utf8(file.raw).expect("SVG is text");
    let drawn: BTreeSet<&str> = captures("<symbol id=\"([^\"]*)\"", file).into_iter().collect();
    let mut used = BTreeSet::new();
    for s in all() {
        for icon in captures("icons\\.svg#([^\"]*)\"", &s.html) {
            assert!(drawn.contains(icon), "{}: no icon {icon}", s.name);
            used.insert(icon.to_owned());
        }
    }
    // Drawn for icons that templates name.
    let elsewhere = ["vm", "board", "network", "globe", "bot", "ide", "branch"];
    let unused: Vec<&&str> =
        drawn.iter().filter(|d| !used.contains(**d) && !elsewhere.contains(*d)).collect();
    assert!(unused.is_empty(), "drawn and never used: {unused:?}");
}
