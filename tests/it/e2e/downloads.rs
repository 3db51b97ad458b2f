//! What is fetched compressed unpacks to what it was, however slowly it is read.

use super::site::{Ran, STEADING, Site, sha256};

#[test]
fn this_program_and_the_pages_files_arrive_intact() {
    let site = Site::empty();
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    // The file's hash, and whether it came compressed.
    let fetch = |args: &str, path: &str, file: &str| {
        let line = format!("curl -fsS {args} '{}{path}' -D - -o '{}'", site.url, site.path(file));
        let head = Ran::new(site.command("sh").args(["-c", &line])).ok().to_ascii_lowercase();
        (sha256(site.path(file)), head.contains("\ncontent-encoding: "))
    };
    let program = format!("/bin/steading-linux-{arch}");
    let hash = sha256(STEADING);
    // curl unpacks only what the server says it packed.
    let packed = fetch("--compressed --limit-rate 60M", &program, "packed");
    assert_eq!(packed, (hash.clone(), true));
    assert_eq!(fetch("-H 'Accept-Encoding: identity'", &program, "plain"), (hash, false));

    for asset in steading::server::html::assets::ASSETS {
        let (unpacked, _) = fetch("--compressed", asset.path, asset.name);
        let (plain, was_packed) = fetch("-H 'Accept-Encoding: identity'", asset.path, asset.name);
        assert_eq!((unpacked, was_packed), (plain, false), "{}", asset.name);
        assert_eq!(std::fs::read(site.path(asset.name)).unwrap(), asset.raw, "{}", asset.name);
    }
    let (_, is_packed) = fetch("--compressed", "/setup", "page");
    assert!(is_packed);
    let page = std::fs::read_to_string(site.path("page")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>"), "{page}");
}
