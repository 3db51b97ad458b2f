//! OpenSSH's own server on loopback, for the same client.

use std::process::{Child, Command, Stdio};

use super::site::{Site, eventually};

/// A server that runs.
pub struct Sshd {
    pub port: u16,
    child: Child,
}

impl Sshd {
    /// Starts one that takes the key of the site's owner.
    pub fn start(site: &Site) -> Self {
        let host = site.path("sshd-host");
        site.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &host]).ok();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n\
             PermitRootLogin yes\nMaxStartups 100\nSubsystem sftp internal-sftp\nLogLevel ERROR\n",
            site.path("id.pub")
        );
        let path = site.path("sshd_config");
        std::fs::write(&path, config).unwrap();
        std::fs::create_dir_all("/run/sshd").unwrap();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &path])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("sshd", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { port, child }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
