//! Icons: one drawing of ours each, found by name; other people's pictures are never loaded.

use maud::{Markup, html};

use crate::server::html::assets::ICONS_SVG;

/// The icon `name` of `icons.svg`; the text beside it says the same.
#[must_use]
pub fn icon(name: &str) -> Markup {
    html! {
        svg class="icon" aria-hidden="true" { use href={ (ICONS_SVG) "#" (name) } {} }
    }
}

/// The word Steading as a drawing.
#[must_use]
pub fn wordmark() -> Markup {
    html! {
        svg viewBox="0 0 96 28" aria-hidden="true" { use href={ (ICONS_SVG) "#wordmark" } {} }
    }
}

/// Our drawing for the icon URL that a template gave, else `fallback`.
///
/// Templates name icons of Coder's server (`/icon/docker.svg`) or of the web; a page loads neither.
#[must_use]
pub fn like(url: &str, fallback: &'static str) -> &'static str {
    let file = url.rsplit('/').next().unwrap_or_default();
    let word = file.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let known: &[(&str, &[&str])] = &[
        ("box", &["docker", "container", "podman", "k8s", "kubernetes", "lxc", "nomad"]),
        ("code", &["code", "vscode", "cursor", "windsurf", "zed", "vim", "neovim", "emacs"]),
        ("ide", &["jetbrains", "intellij", "goland", "pycharm", "webstorm", "rustrover", "clion"]),
        ("notebook", &["jupyter", "notebook", "rstudio", "marimo"]),
        ("terminal", &["terminal", "bash", "shell", "ssh"]),
        ("vm", &["vm", "proxmox", "aws", "gcp", "azure", "hetzner", "digital-ocean", "do"]),
        ("board", &["raspberry", "raspberry-pi", "arm"]),
        ("branch", &["git", "github", "gitlab", "gitea", "forgejo", "bitbucket"]),
        ("network", &["network", "database", "postgres", "redis"]),
        ("server", &["server", "linux", "debian", "ubuntu", "windows", "this-machine"]),
        (
            "browser",
            &["filebrowser", "files", "widgets", "desktop", "novnc", "kasmvnc", "browser", "web"],
        ),
        ("gear", &["rust", "go", "node", "python", "java", "ruby", "gear"]),
        ("globe", &["globe", "region", "earth"]),
        ("bot", &["claude", "ai", "goose", "aider", "bot", "coder-agent"]),
    ];
    known
        .iter()
        .find(|(_, words)| words.contains(&word.as_str()))
        .map_or(fallback, |(icon, _)| icon)
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_template_s_icon_becomes_one_of_ours() {
        assert_eq!(like("/icon/docker.svg", "server"), "box");
        assert_eq!(like("https://example.test/x/Jupyter.png", "browser"), "notebook");
        assert_eq!(like("/emojis/1f4e6.png", "browser"), "browser");
        assert_eq!(like("", "server"), "server");
    }
}
