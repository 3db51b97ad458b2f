//! The script that brings an agent to a machine: it fetches this program from the server and runs it.

use crate::model::time::Timestamp;

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
/// it: the `coder/coder` provider, or [`render`], fills them in. `${SERVER_TIME:-}` is empty where
/// nobody does.
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

/// Fills in where the server is, that the agent signs in by a token, and when it is: the script is run
/// at once, so a machine whose clock says otherwise is wrong.
#[must_use]
pub fn render(script: &str, access_url: &str, now: Timestamp) -> String {
    let url = format!("{}/", access_url.trim_end_matches('/'));
    let text = script.replace("${ACCESS_URL}", &url).replace("${AUTH_TYPE}", "token");
    text.replace("${SERVER_TIME:-}", &now.0.to_string())
}

/// The line that someone types on their machine to attach it, in Coder's form.
#[must_use]
pub fn command(access_url: &str, (os, arch): (&str, &str), token: &str) -> String {
    let url = script_url(access_url, (os, arch));
    if os == "windows" {
        return format!("$env:CODER_AGENT_TOKEN=\"{token}\"; iwr -useb \"{url}\" | iex");
    }
    format!("curl -fsSL \"{url}\" | CODER_AGENT_TOKEN=\"{token}\" sh")
}

/// The line that makes the agent a service of the machine. The token is handed over inside: `sudo` logs
/// what stands in its own arguments.
#[must_use]
pub fn service_command(access_url: &str, platform: (&str, &str), token: &str) -> String {
    let url = script_url(access_url, platform);
    let told = format!("export CODER_AGENT_TOKEN=\"{token}\"");
    format!("{{ echo '{told}'; curl -fsSL \"{url}\"; }} | sudo sh -s install")
}

/// Where the script for a platform is.
#[must_use]
pub fn script_url(access_url: &str, (os, arch): (&str, &str)) -> String {
    format!("{}/api/v2/init-script/{os}/{arch}", access_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_a_script_with_both_blanks() {
        for (os, arch) in PLATFORMS {
            let script = script(os, arch).unwrap();
            assert!(script.contains(&format!("bin/coder-{os}-{arch}")), "{script}");
            assert!(!script.contains("@OS@") && !script.contains("@ARCH@"), "{script}");
            let full = render(&script, "https://s.example", Timestamp(7));
            assert!(full.contains("https://s.example/bin/coder"), "{full}");
            assert!(full.contains("https://s.example/\""), "{full}");
            assert!(!full.contains("${A") && !full.contains("SERVER_TIME"), "{full}");
        }
        assert_eq!(script("linux", "sparc"), None);
        assert_eq!(script("plan9", "amd64"), None);
    }

    #[test]
    fn a_hash_is_read_from_a_line_that_names_the_file_too() {
        for script in [POSIX, POWERSHELL] {
            assert!(script.contains(".sha256"), "{script}");
        }
        assert!(POWERSHELL.contains("-split '\\s+')[0]"));
    }

    #[test]
    fn the_line_for_a_service_keeps_the_token_from_sudos_log() {
        let line = service_command("https://s.example", ("linux", "arm64"), "t");
        let (before, behind) = line.split_once("| sudo").unwrap();
        assert!(before.contains("CODER_AGENT_TOKEN=\"t\"") && !behind.contains("TOKEN"), "{line}");
    }

    #[test]
    fn the_line_to_type_has_coders_form() {
        let url = "https://s.example/";
        assert_eq!(
            command(url, ("linux", "arm64"), "t"),
            "curl -fsSL \"https://s.example/api/v2/init-script/linux/arm64\" | CODER_AGENT_TOKEN=\"t\" sh"
        );
        assert_eq!(
            command(url, ("windows", "amd64"), "t"),
            "$env:CODER_AGENT_TOKEN=\"t\"; iwr -useb \"https://s.example/api/v2/init-script/windows/amd64\" | iex"
        );
    }
}
