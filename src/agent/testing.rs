//! An account, a manifest and a place on disk for the tests of this folder.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use crate::clock::{Clock, Entropy};
use crate::model::resource::ScriptSpec;
use crate::wire::agent::Manifest;

use super::Options;
use super::account::Account;
use super::base::Base;

/// An agent's ground in a directory of its own, which is also its home.
pub(super) struct Place {
    pub(super) base: Base,
    pub(super) dir: tempfile::TempDir,
}

pub(super) fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_string_lossy().into_owned();
    let path = "/usr/bin:/bin".to_owned();
    let options = Options {
        url: "http://127.0.0.1:1".parse().unwrap(),
        token: "agent-secret".to_owned(),
        state_dir: dir.path().join("state"),
        binary: "/bin/true".into(),
        environment: [("HOME".to_owned(), home), ("PATH".to_owned(), path)].into(),
        bind: "127.0.0.1:0".parse().unwrap(),
        dialer: crate::net::dial::Dialer::default(),
        updates: crate::agent::update::Mode::Never,
    };
    let base = Base::prepare(&options, Clock::machine(), Entropy::seeded(1)).unwrap();
    Place { base, dir }
}

pub(super) fn account() -> Account {
    let environment = [
        ("PATH", "/usr/bin"),
        ("LANG", "C.UTF-8"),
        ("CODER_AGENT_TOKEN", "secret"),
        ("CODER_AGENT_URL", "http://internal:7080"),
    ];
    Account {
        user: "ada".to_owned(),
        home: "/home/ada".into(),
        shell: "/bin/sh".into(),
        environment: environment.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        bin_dir: "/state/bin".into(),
        url: "http://internal:7080".to_owned(),
    }
}

pub(super) fn manifest() -> Manifest {
    Manifest {
        agent_id: uuid::Uuid::from_u128(1).into(),
        agent_name: "main".to_owned(),
        workspace_id: uuid::Uuid::from_u128(2).into(),
        workspace_name: "kiln".to_owned(),
        owner_name: "ada".to_owned(),
        owner_full_name: "Ada Lovelace".to_owned(),
        owner_email: "ada@example.com".to_owned(),
        access_url: "http://127.0.0.1:7080".to_owned(),
        env: BTreeMap::new(),
        directory: String::new(),
        motd_file: String::new(),
        scripts: vec![],
        metadata: vec![],
        apps: vec![],
        scripts_done: false,
        address: Ipv6Addr::LOCALHOST,
        peers: vec![],
    }
}

pub(super) fn script(id: u128, text: &str) -> ScriptSpec {
    ScriptSpec {
        id: uuid::Uuid::from_u128(id).into(),
        log_source_id: uuid::Uuid::from_u128(id + 1000).into(),
        display_name: format!("Script {id}"),
        icon: String::new(),
        script: text.to_owned(),
        log_path: String::new(),
        cron: String::new(),
        start_blocks_login: false,
        run_on_start: true,
        run_on_stop: false,
        timeout_s: 0,
    }
}
