//! An account and a manifest for the tests of this folder.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use crate::wire::agent::Manifest;

use super::account::Account;

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
