//! The templates that come with the program, ready to be pushed or written out.

use bytes::Bytes;

/// A template that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Starter {
    /// Its id, and the name it is pushed under.
    pub id: &'static str,
    /// The name shown.
    pub name: &'static str,
    /// What it is for, a sentence.
    pub description: &'static str,
    /// Path of an icon.
    pub icon: &'static str,
    /// Its files: name and text.
    pub files: &'static [(&'static str, &'static str)],
}

/// All starters; the first needs nothing but the server's machine.
pub const ALL: &[Starter] = &[
    Starter {
        id: "this-machine",
        name: "This machine",
        description: "A workspace is a process on the server's machine with a home of its own.",
        icon: "/icon/terminal.svg",
        files: &[
            ("main.tf", include_str!("../../templates-tf/this-machine/main.tf")),
            ("README.md", include_str!("../../templates-tf/this-machine/README.md")),
        ],
    },
    Starter {
        id: "docker",
        name: "Docker",
        description: "A workspace is a container; its home is a volume that stays.",
        icon: "/icon/docker.svg",
        files: &[
            ("main.tf", include_str!("../../templates-tf/docker/main.tf")),
            ("README.md", include_str!("../../templates-tf/docker/README.md")),
        ],
    },
    Starter {
        id: "external",
        name: "A machine you run",
        description: "A workspace is a machine you have already: you start the agent on it.",
        icon: "/icon/server.svg",
        files: &[
            ("main.tf", include_str!("../../templates-tf/external/main.tf")),
            ("README.md", include_str!("../../templates-tf/external/README.md")),
        ],
    },
    Starter {
        id: "raspberry-pi",
        name: "Raspberry Pi",
        description: "A workspace is a Raspberry Pi that you have; its page shows how warm it is.",
        icon: "/icon/server.svg",
        files: &[
            ("main.tf", include_str!("../../templates-tf/raspberry-pi/main.tf")),
            ("README.md", include_str!("../../templates-tf/raspberry-pi/README.md")),
        ],
    },
];

/// The starter of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Starter> {
    ALL.iter().find(|s| s.id == id)
}

impl Starter {
    /// Its files as a tar archive, the same bytes each time.
    ///
    /// # Panics
    /// Never: the archive is made in memory from short names.
    #[must_use]
    pub fn archive(&self) -> Bytes {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, text) in self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            tar.append_data(&mut header, name, text.as_bytes()).expect("short names fit a header");
        }
        tar.into_inner().expect("memory can be written").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_starter_has_a_template_and_a_readme() {
        for starter in ALL {
            let archive = starter.archive();
            let mut tar = tar::Archive::new(&*archive);
            let names: Vec<_> = tar
                .entries()
                .unwrap()
                .map(|e| e.unwrap().path().unwrap().to_string_lossy().into_owned())
                .collect();
            assert_eq!(names, ["main.tf", "README.md"], "{}", starter.id);
            assert!(find(starter.id).is_some());
        }
    }
}
