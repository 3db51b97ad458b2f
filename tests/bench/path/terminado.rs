//! terminado, the terminal of `JupyterLab`: its process.

use std::process::{Child, Command, Stdio};

use super::site::{eventually, peers};

/// One that runs.
pub struct Terminado {
    pub url: String,
    child: Child,
}

impl Terminado {
    /// Starts one on loopback.
    pub fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/path/jupyter.py"))
            .arg(port.to_string())
            .env("PYTHONPATH", peers().join("python"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is there; .ci/bench installs terminado");
        eventually("terminado", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { url: format!("ws://127.0.0.1:{port}/ws"), child }
    }
}

impl Drop for Terminado {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
