//! The crate's build script: fetches the browser's libraries and embeds the assets.
#![expect(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "cargo talks with a build script through its environment and its output"
)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use sha2::{Digest as _, Sha256};

/// Our own files, beside this one.
const OURS: &[&str] = &["style.css", "icons.svg", "favicon.svg", "terminal.js", "recording.js"];
/// Served on every page as one classic script, in this order: htmx, its stream extension, ours.
const SCRIPT: (&str, &[&str]) =
    ("steading.js", &["htmx.org/dist/htmx.min.js", "htmx.org/dist/ext/hx-sse.min.js"]);
/// Others' files that are served alone, with the name they get.
const THEIRS: &[(&str, &str)] = &[
    ("xterm.mjs", "@xterm/xterm/lib/xterm.mjs"),
    ("xterm.css", "@xterm/xterm/css/xterm.css"),
    ("addon-fit.mjs", "@xterm/addon-fit/lib/addon-fit.mjs"),
    ("addon-web-links.mjs", "@xterm/addon-web-links/lib/addon-web-links.mjs"),
    ("asciinema-player.js", "asciinema-player/dist/bundle/asciinema-player.min.js"),
    ("asciinema-player.css", "asciinema-player/dist/bundle/asciinema-player.css"),
];
/// What npm needs to know; a change here fetches again.
const LOCK: &[&str] = &["package.json", "package-lock.json", ".npmrc"];

fn main() -> ExitCode {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/html/web");
    println!("cargo:rerun-if-env-changed=STEADING_WEB_DIR");
    for name in OURS.iter().chain(LOCK).chain([&SCRIPT.0, &"build.rs"]) {
        println!("cargo:rerun-if-changed={}", web.join(name).display());
    }
    if env::var_os("CARGO_FEATURE_SERVER").is_none() {
        return ExitCode::SUCCESS;
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    match embed(&web, &out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn embed(web: &Path, out: &Path) -> Result<(), String> {
    let modules = match env::var_os("STEADING_WEB_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => fetch(web, out)?,
    };
    let mut files = Vec::new();
    for name in OURS {
        files.push((*name, read(&web.join(name))?));
    }
    let mut script = Vec::new();
    for part in SCRIPT.1 {
        script.extend(read(&modules.join(part))?);
        script.extend(b"\n;\n");
    }
    script.extend(read(&web.join(SCRIPT.0))?);
    files.push((SCRIPT.0, script));
    for (name, path) in THEIRS {
        files.push((*name, without_source_map(read(&modules.join(path))?)));
    }
    write_table(&files, out)
}

/// Runs `npm ci` in `OUT_DIR`, unless the same lock file was fetched there before.
fn fetch(web: &Path, out: &Path) -> Result<PathBuf, String> {
    let dir = out.join("npm");
    fs::create_dir_all(&dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
    let lock = read(&web.join("package-lock.json"))?;
    let stamp = dir.join("fetched");
    let modules = dir.join("node_modules");
    if fs::read(&stamp).is_ok_and(|s| s == lock) && modules.is_dir() {
        return Ok(modules);
    }
    for name in LOCK {
        fs::copy(web.join(name), dir.join(name)).map_err(|e| format!("cannot copy {name}: {e}"))?;
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let status = Command::new(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&dir)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => {
            return Err(format!(
                "npm ci failed ({status}); is the npm registry reachable? Without it, set \
                 STEADING_WEB_DIR to a node_modules directory made from src/server/html/web"
            ));
        }
        Err(why) => {
            return Err(format!(
                "npm cannot be started: {why}. The server's pages need Node.js 20 or newer with npm \
                 at build time: install it (Debian: apt install npm), or set STEADING_WEB_DIR to a \
                 node_modules directory made from src/server/html/web, or build the slim binary \
                 with --no-default-features"
            ));
        }
    }
    fs::write(&stamp, lock).map_err(|e| format!("cannot write {}: {e}", stamp.display()))?;
    Ok(modules)
}

/// Writes the packed files and the Rust table that embeds them.
fn write_table(files: &[(&str, Vec<u8>)], out: &Path) -> Result<(), String> {
    let mut all = Sha256::new();
    for (name, bytes) in files {
        all.update(name.as_bytes());
        all.update(Sha256::digest(bytes));
    }
    let version = short(&all.finalize());
    let dir = out.join("assets");
    fs::create_dir_all(&dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
    let mut table = String::from("/// Every asset.\npub static ASSETS: &[Asset] = &[\n");
    let mut paths = String::new();
    for (name, bytes) in files {
        let etag = short(&Sha256::digest(bytes));
        write(&dir.join(name), bytes)?;
        write(&dir.join(format!("{name}.br")), &packed_brotli(bytes)?)?;
        write(&dir.join(format!("{name}.gz")), &packed_gzip(bytes)?)?;
        let include = |ending: &str| {
            format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/assets/{name}{ending}\"))")
        };
        let path = format!("/assets/{version}/{name}");
        let _ = writeln!(
            table,
            "    Asset {{ name: {name:?}, path: {path:?}, content_type: {:?}, etag: \"\\\"{etag}\\\"\", \
             raw: {}, brotli: {}, gzip: {} }},",
            content_type(name),
            include(""),
            include(".br"),
            include(".gz")
        );
        let constant = name.to_uppercase().replace(['.', '-'], "_");
        let _ =
            writeln!(paths, "/// The path of `{name}`.\npub const {constant}: &str = {path:?};");
    }
    table.push_str("];\n\n");
    table.push_str(&paths);
    write(&out.join("assets.rs"), table.as_bytes())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}

/// The best ratio for a release, a quick one while developing.
fn is_release() -> bool {
    env::var("PROFILE").is_ok_and(|p| p == "release")
}

fn packed_brotli(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut packed = Vec::new();
    let quality = if is_release() { 11 } else { 4 };
    let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, quality, 22);
    writer.write_all(bytes).and_then(|()| writer.flush()).map_err(|e| format!("brotli: {e}"))?;
    drop(writer);
    Ok(packed)
}

fn packed_gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let level = flate2::Compression::new(if is_release() { 9 } else { 4 });
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
    writer.write_all(bytes).and_then(|()| writer.finish()).map_err(|e| format!("gzip: {e}"))
}

/// A map that is not served would be asked for in vain by developers' tools.
fn without_source_map(bytes: Vec<u8>) -> Vec<u8> {
    let Ok(text) = String::from_utf8(bytes.clone()) else { return bytes };
    let kept: Vec<&str> =
        text.lines().filter(|l| !l.starts_with("//# sourceMappingURL=")).collect();
    kept.join("\n").into_bytes()
}

/// Enough of a hash to tell two builds apart.
fn short(hash: &[u8]) -> String {
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
