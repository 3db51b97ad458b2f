//! Short texts that people type: searches, names, durations, schedules, networks.

use std::net::IpAddr;

use steading::model::audit::search::AuditSearch;
use steading::model::cron;
use steading::model::duration;
use steading::model::filter::WorkspaceFilter;
use steading::model::name::{UserName, WorkspaceName, check_version_name};
use steading::model::network::Network;
use steading::model::schedule;
use steading::model::time::{self, Timestamp};
use steading::provision::provider::coder::cron::Hours;

/// A search is read or refused with the word that is wrong, and asks for no more than it says.
pub fn search(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(search) = AuditSearch::parse(&text) {
        // They become part of a query of SQLite's, in quotes.
        assert!(search.words.iter().all(|word| !word.is_empty() && !word.contains('"')));
        let days = search.from.into_iter().chain(search.before);
        assert!(days.into_iter().all(|day| day.0 % 86_400 == 0));
    }
    match WorkspaceFilter::parse(&text) {
        Ok(filter) => {
            let asked = filter.owners.len() + filter.parts.len() + filter.agents.len();
            assert!(asked <= text.len() + 1);
            let spaced = WorkspaceFilter::parse(&format!(" {text}"));
            assert!(text.len() >= 1024 || spaced == Ok(filter));
        }
        Err(why) => {
            let why = why.to_string();
            let key = |word: &str| word.split_once(':').map(|(key, _)| format!("{key:?}"));
            let named = text.len() > 1024
                || text
                    .split_whitespace()
                    .filter_map(key)
                    .any(|k| why.contains(k.trim_matches('"')));
            assert!(named || text.contains('"'), "{why} does not name what is wrong in {text:?}");
        }
    }
}

/// Times, schedules and names are refused or mean one thing.
pub fn times(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(read) = duration::parse(&text) {
        assert!(!time::words(read).is_empty());
    }
    let _ = schedule::check(&text);
    let _ = cron::check(&text);
    if let Ok(hours) = Hours::parse(&text) {
        assert!(hours.overlaps(&hours), "{text:?} holds at no time");
        let every = Hours::parse("* * * * *").expect("every hour is a schedule");
        assert!(hours.overlaps(&every) && every.overlaps(&hours));
    }
    if let Some(at) = Timestamp::parse_rfc3339(&text) {
        assert_eq!(Timestamp::parse_rfc3339(&at.rfc3339()), Some(at));
        if let Some(short) = time::rfc3339_s(at.0) {
            assert_eq!(std::str::from_utf8(&short).ok(), Some(at.rfc3339().as_str()));
        }
    }
    names(&text);
}

fn names(text: &str) {
    if let Ok(name) = UserName::parse(text) {
        assert!(name.as_str() == text && !text.contains("--"));
    }
    if let Ok(name) = WorkspaceName::parse(text) {
        assert!(name.as_str() == text && text.len() <= WorkspaceName::MAX);
    }
    if check_version_name(text).is_ok() {
        assert!(text.is_ascii() && text.len() <= 64);
    }
    if let Ok(network) = text.parse::<Network>() {
        assert_eq!(network.to_string().parse::<Network>(), Ok(network));
        let shown = network.to_string();
        let address = shown.split('/').next().and_then(|a| a.parse::<IpAddr>().ok());
        let address = address.expect("a network is shown with its address");
        // What is wider than all of IPv4 in IPv6 clothes holds none of it.
        let is_dressed = address.to_canonical() != address;
        assert!(is_dressed || network.contains(address), "{text:?} holds not its address");
    }
}
