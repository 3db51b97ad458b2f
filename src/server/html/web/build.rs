//! The build script: fetches the browser's libraries and embeds the assets.
fn main() {}
