//! Programs for another processor as the kernel starts them: by their first bytes, with an emulator.
//! A server starts itself again for its agents and its providers, which an emulator in front of it
//! alone would not reach.

use std::path::{Path, PathBuf};

const FORMATS: &str = "/proc/sys/fs/binfmt_misc";

/// What tells a program of a processor: its class, and its machine.
const fn marks(arch: &str) -> (u8, u8, &'static str) {
    match arch.as_bytes() {
        b"armv7" => (1, 0x28, "/usr/bin/qemu-arm-static"),
        _ => (2, 0xb7, "/usr/bin/qemu-aarch64-static"),
    }
}

/// The kernel starts programs of this kind until this is dropped.
pub struct Emulated(PathBuf);

impl Emulated {
    pub fn here(arch: &str) -> Self {
        if !Path::new(FORMATS).join("register").exists() {
            let mut mount = std::process::Command::new("mount");
            mount.args(["-t", "binfmt_misc", "none", FORMATS]);
            assert!(mount.status().unwrap().success(), "binfmt_misc can be mounted");
        }
        let (class, machine, emulator) = marks(arch);
        let name = format!("steading-test-{arch}-{}", std::process::id());
        let magic = format!(
            "\\x7fELF\\x{class:02x}\\x01\\x01{}\\x02\\x00\\x{machine:02x}\\x00",
            "\\x00".repeat(9)
        );
        // Any system, and programs that lie anywhere as well as those that do not.
        let mask = format!("{}{}\\xfe\\xff\\xff\\xff", "\\xff".repeat(7), "\\x00".repeat(9));
        let line = format!(":{name}:M::{magic}:{mask}:{emulator}:F");
        std::fs::write(Path::new(FORMATS).join("register"), line).unwrap();
        Self(Path::new(FORMATS).join(name))
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        std::fs::write(&self.0, "-1").unwrap();
    }
}
