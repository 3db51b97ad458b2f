//! What is fetched compressed unpacks to what it was, however slowly it is read.

use super::site::{Ran, STEADING, Site, sha256};

#[test]
fn this_program_and_the_pages_files_arrive_intact() {
    let site = Site::empty();
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let fetch = |args: &str, path: &str, file: &str| {
        let line = format!("curl -fsS {args} '{}{path}' -o '{}'", site.url, site.path(file));
        Ran::new(site.command("sh").args(["-c", &line])).ok();
        sha256(site.path(file))
    };
    let program = format!("/bin/steading-linux-{arch}");
    let expected = sha256(STEADING);
    // curl unpacks only what the server says it packed.
    assert_eq!(fetch("--compressed --limit-rate 60M", &program, "packed"), expected);
    assert_eq!(fetch("-H 'Accept-Encoding: identity'", &program, "plain"), expected);

    for asset in steading::server::html::assets::ASSETS {
        let unpacked = fetch("--compressed", asset.path, asset.name);
        let plain = fetch("-H 'Accept-Encoding: identity'", asset.path, asset.name);
        assert_eq!(unpacked, plain, "{}", asset.name);
        assert_eq!(std::fs::read(site.path(asset.name)).unwrap(), asset.raw, "{}", asset.name);
    }
    let page = fetch("--compressed", "/setup", "page");
    assert!(!page.is_empty());
    let page = std::fs::read_to_string(site.path("page")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>"), "{page}");
}
