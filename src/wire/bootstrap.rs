//! The script that brings an agent to a machine: it fetches this program from the server and runs it.

/// The operating systems and architectures an agent is offered for.
pub const PLATFORMS: &[(&str, &str)] = &[
    ("linux", "amd64"),
    ("linux", "arm64"),
    ("linux", "armv7"),
    ("darwin", "amd64"),
    ("darwin", "arm64"),
    ("windows", "amd64"),
    ("windows", "arm64"),
];

const POSIX: &str = include_str!("bootstrap.sh");
const POWERSHELL: &str = include_str!("bootstrap.ps1");

/// The script for a platform. `${ACCESS_URL}` (which ends in `/`) and `${AUTH_TYPE}` are left in
/// it: the `coder/coder` provider, or [`render`], fills them in.
#[must_use]
pub fn script(os: &str, arch: &str) -> Option<String> {
    if !PLATFORMS.contains(&(os, arch)) {
        return None;
    }
    let text = if os == "windows" { POWERSHELL } else { POSIX };
    Some(text.replace("@OS@", os).replace("@ARCH@", arch))
}

/// The scripts of all platforms, by `linux_amd64`.
#[must_use]
pub fn all() -> std::collections::BTreeMap<String, String> {
    let each =
        PLATFORMS.iter().filter_map(|(os, arch)| Some((format!("{os}_{arch}"), script(os, arch)?)));
    each.collect()
}

/// Fills in where the server is and how the agent signs in (`token`).
#[must_use]
pub fn render(script: &str, access_url: &str, auth: &str) -> String {
    let url = format!("{}/", access_url.trim_end_matches('/'));
    script.replace("${ACCESS_URL}", &url).replace("${AUTH_TYPE}", auth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_a_script_with_both_blanks() {
        for (os, arch) in PLATFORMS {
            let script = script(os, arch).unwrap();
            assert!(script.contains(&format!("bin/coder-{os}-{arch}")), "{script}");
            assert!(!script.contains('@'), "{script}");
            let full = render(&script, "https://s.example", "token");
            assert!(full.contains("https://s.example/bin/coder"), "{full}");
            assert!(full.contains("https://s.example/\""), "{full}");
            assert!(!full.contains("${A"), "{full}");
        }
        assert_eq!(script("linux", "sparc"), None);
        assert_eq!(script("plan9", "amd64"), None);
    }
}
