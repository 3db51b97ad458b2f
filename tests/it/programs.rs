//! `/bin`: this program for other machines, as editors' plug-ins and agents fetch it.

use std::io::Read as _;
use std::path::PathBuf;

use http::Method;
use sha1::{Digest as _, Sha1};

use crate::harness::{Client, Reply, TestServer};

/// A file as a build for another machine is to the server: bytes with the mark in them.
fn program(version: &str, os: &str, arch: &str) -> Vec<u8> {
    let mark = format!("\u{1}steading program\0{version}\0{os}\0{arch}\0");
    [b"MZ".repeat(400), mark.into_bytes(), (0..=255).cycle().take(100_000).collect()].concat()
}

async fn server() -> (TestServer, PathBuf) {
    let server = TestServer::empty().await;
    let dir = server.db_path.with_file_name("programs");
    std::fs::create_dir(&dir).unwrap();
    (server, dir)
}

async fn get(server: &TestServer, headers: &[(&'static str, &str)], path: &str) -> Reply {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let client = Client { headers, ..Client::default() };
    server.call(&client, Method::GET, path, None).await
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

const PATH: &str = "/bin/coder-windows-amd64.exe";

#[tokio::test]
async fn a_program_from_the_directory_is_served_as_plug_ins_ask_for_it() {
    let (server, dir) = server().await;
    let bytes = program(env!("CARGO_PKG_VERSION"), "windows", "amd64");
    std::fs::write(dir.join("steading-windows-amd64.exe"), &bytes).unwrap();
    let etag = format!("\"{}\"", hex::encode(Sha1::digest(&bytes)));

    let whole = get(&server, &[("accept-encoding", "identity"), ("if-none-match", "\"\"")], PATH);
    let whole = whole.await.expect(200);
    assert_eq!(whole.bytes, bytes);
    assert_eq!(header(&whole, "etag"), etag);
    assert_eq!(header(&whole, "content-type"), "application/octet-stream");
    let len = bytes.len().to_string();
    assert_eq!(header(&whole, "content-length"), len);
    get(&server, &[("if-none-match", etag.as_str())], PATH).await.expect(304);

    let packed = get(&server, &[("accept-encoding", "gzip")], PATH).await.expect(200);
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    assert_eq!(header(&packed, "x-original-content-length"), len);
    assert_eq!(header(&packed, "content-length"), packed.bytes.len().to_string());
    assert_eq!(header(&packed, "etag"), etag);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.bytes[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, bytes);

    let same = get(&server, &[], "/bin/steading-windows-amd64.exe").await.expect(200);
    assert_eq!(same.bytes, bytes);
    let sum = get(&server, &[], &format!("{PATH}.sha256")).await.expect(200).text;
    let hash = hex::encode(sha2::Sha256::digest(&bytes));
    assert_eq!(sum, format!("{hash}  coder-windows-amd64.exe\n"));
    get(&server, &[], &format!("{PATH}.asc")).await.expect(404);
    get(&server, &[], "/bin/coder-windows-amd64").await.expect(404);
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_where_it_was() {
    let (server, dir) = server().await;
    let bytes = program(env!("CARGO_PKG_VERSION"), "windows", "amd64");
    std::fs::write(dir.join("steading-windows-amd64.exe"), &bytes).unwrap();
    let etag = format!("\"{}\"", hex::encode(Sha1::digest(&bytes)));
    let asked = [("range", "bytes=1000-"), ("if-range", etag.as_str())];
    let rest = get(&server, &asked, PATH).await.expect(206);
    assert_eq!(rest.bytes, bytes[1000..]);
    let (last, len) = (bytes.len() - 1, bytes.len());
    assert_eq!(header(&rest, "content-range"), format!("bytes 1000-{last}/{len}"));
    // Who takes it packed may have a part of that.
    let packed = [&asked[..], &[("accept-encoding", "gzip")]].concat();
    let packed = get(&server, &packed, PATH).await.expect(200);
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    let other = get(&server, &[("range", "bytes=1000-"), ("if-range", "\"x\"")], PATH).await;
    assert_eq!(other.expect(200).bytes, bytes);
    let beyond = get(&server, &[("range", "bytes=999999-")], PATH).await.expect(416);
    assert_eq!(header(&beyond, "content-range"), format!("bytes */{len}"));
}

#[tokio::test]
async fn what_does_not_fit_is_not_served_and_the_answer_says_why() {
    let (server, dir) = server().await;
    let file = dir.join("steading-windows-amd64.exe");
    let said = async || get(&server, &[], PATH).await.expect(404).text;
    assert!(said().await.contains("Put steading-windows-amd64.exe of version"));
    std::fs::write(&file, program("0.0.9", "windows", "amd64")).unwrap();
    assert!(said().await.contains("it is version 0.0.9"));
    let version = env!("CARGO_PKG_VERSION");
    std::fs::write(&file, program(version, "linux", "armv7")).unwrap();
    assert!(said().await.contains("it is made for linux/armv7"));
    std::fs::write(&file, "echo hello").unwrap();
    assert!(said().await.contains("it is no program of ours"));

    let page = get(&server, &[("accept", "text/html")], PATH).await.expect(404);
    assert!(page.text.contains("No program for windows/amd64 here"), "{}", page.text);
    std::fs::write(&file, program(version, "windows", "amd64")).unwrap();
    get(&server, &[], PATH).await.expect(200);
}
