//! Archives that are not what they say, through the upload and the import of a real server.

use serde_json::json;
use tar::EntryType;

use super::api::Api;
use super::terraform::{peak, restart_peak};
use crate::e2e::site::{Site, eventually};

/// An archive of entries as they are written, however wrong they are.
struct Archive(Vec<u8>);

impl Archive {
    fn new() -> Self {
        Self(vec![])
    }

    /// An entry whose header says this size, whatever follows.
    fn saying(mut self, name: &str, kind: EntryType, size: u64, body: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn entry(self, name: &str, kind: EntryType, body: &[u8]) -> Self {
        self.saying(name, kind, body.len() as u64, body)
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

/// Why an import of this archive fails.
fn refused(api: &Api, archive: &[u8]) -> String {
    let file = api.upload(archive, archive.len()).expect(201);
    let version = json!({
        "storage_method": "file", "file_id": file["hash"], "provisioner": "terraform",
    });
    let made = api.made("/organizations/default/templateversions", &version);
    let path = format!("/templateversions/{}", made["id"].as_str().unwrap());
    let job = eventually("the import is over", || {
        let job = api.get(&path)["job"].clone();
        (job["status"] == "failed" || job["status"] == "succeeded").then_some(job)
    });
    assert_eq!(job["status"], "failed", "{job}");
    job["error"].as_str().unwrap().to_owned()
}

#[test]
fn archives_that_lead_elsewhere_or_grow_are_refused_by_name() {
    let site = Site::new();
    let api = Api::of(&site);
    restart_peak(&site);
    let why = |archive: Archive| refused(&api, &archive.end());
    let one = |name: &str, kind, body: &[u8]| why(Archive::new().entry(name, kind, body));

    for outside in ["../escape", "/escape", "a/../../escape"] {
        let said = one(outside, EntryType::Regular, b"x");
        assert!(said.contains(&format!("{outside:?} leads outside of it")), "{said}");
    }
    let kinds = [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Block];
    for kind in kinds.into_iter().chain([EntryType::Fifo]) {
        let said = one("odd", kind, b"");
        assert!(said.contains("\"odd\" is neither a file nor a directory"), "{kind:?}: {said}");
    }
    let said = one("holes", EntryType::GNUSparse, b"");
    assert!(said.contains("the archive cannot be read"), "{said}");
    let said = one("a\u{1b}[2J\u{202e}b/../../x", EntryType::Regular, b"");
    assert!(said.contains(r"a\u{1b}[2J\u{202e}b/../../x"), "{said}");
    let said = one(&"d/".repeat(40), EntryType::Directory, b"");
    assert!(said.contains("deeper than 32 directories"), "{said}");

    // A terabyte, by its own word.
    let said = why(Archive::new().saying("huge", EntryType::Regular, 1 << 40, b"x"));
    assert!(said.contains("\"huge\" is larger than 10 MiB"), "{said}");
    // A name and a header as long as a template.
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let said = one("x", kind, &vec![b'n'; 8 << 20]);
        assert!(said.contains("archive"), "{kind:?}: {said}");
    }
    let many = (0..40_000).fold(Archive::new(), |archive, n| {
        archive.entry(&format!("f{n}"), EntryType::Regular, b"")
    });
    let said = why(many);
    assert!(said.contains("holds more than 10000 entries"), "{said}");

    // A million of them are more than is read at all, and so is anything that is no tar.
    let reply = api.upload(&[0; 512], 1_000_000 * 512 + 1024);
    assert_eq!(reply.status, 413, "{}", reply.body);
    let zip = [b"PK\x03\x04".as_slice(), &[0; 4096]].concat();
    let reply = api.upload(&zip, zip.len());
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert!(reply.body.contains("is not a tar archive"), "{}", reply.body);

    let peak = peak(&site) >> 20;
    assert!(peak < 250, "the server used {peak} MiB");
    for place in [site.path("data/jobs/escape"), site.path("data/escape"), "/escape".to_owned()] {
        assert!(!std::path::Path::new(&place).exists(), "{place}");
    }
    assert_eq!(std::fs::read_dir(site.path("data/jobs")).unwrap().count(), 0);
}
