//! The files a browser loads: embedded, named by their content, compressed beforehand.

/// One file, ready to be sent.
#[derive(Debug)]
pub struct Asset {
    /// The name in the sources, `style.css`.
    pub name: &'static str,
    /// The path it is served at; it changes when any asset changes.
    pub path: &'static str,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, quotes included.
    pub etag: &'static str,
    /// As it is.
    pub raw: &'static [u8],
    /// For `Content-Encoding: br`.
    pub brotli: &'static [u8],
    /// For `Content-Encoding: gzip`.
    pub gzip: &'static [u8],
}

/// The value of `Cache-Control` for every asset: a path never gets another content.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The asset served at `path`.
#[must_use]
pub fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|a| a.path == path)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn every_asset_is_found_by_its_path_and_unpacks_to_itself() {
        for asset in ASSETS {
            assert_eq!(find(asset.path).map(|a| a.name), Some(asset.name));
            let mut out = Vec::new();
            brotli::Decompressor::new(asset.brotli, 4096).read_to_end(&mut out).unwrap();
            assert_eq!(out, asset.raw, "{}", asset.name);
            out.clear();
            flate2::read::GzDecoder::new(asset.gzip).read_to_end(&mut out).unwrap();
            assert_eq!(out, asset.raw, "{}", asset.name);
        }
        assert!(find("/assets/nothing").is_none());
    }
}
