//! The docker starter on a real engine that the test starts for itself.

use std::process::{Child, Command, Stdio};

use super::site::{Ran, STEADING, Site, eventually, peers};

/// A Docker engine of its own, on a socket of its own.
struct Engine {
    dir: tempfile::TempDir,
    daemon: Child,
}

impl Engine {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let log = std::fs::File::create(at("log")).unwrap();
        let daemon = Command::new("dockerd")
            .args(["--data-root", &at("data"), "--exec-root", &at("exec")])
            .args(["--pidfile", &at("pid"), "-H", &format!("unix://{}", at("docker.sock"))])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("dockerd is installed");
        let engine = Self { dir, daemon };
        eventually("the Docker engine", || {
            (engine.docker(&["info"]).code == Some(0)).then_some(())
        });
        engine
    }

    fn host(&self) -> String {
        format!("unix://{}", self.dir.path().join("docker.sock").display())
    }

    fn docker(&self, args: &[&str]) -> Ran {
        Ran::new(Command::new("docker").args(["-H", &self.host()]).args(args))
    }

    /// A 2 MB image of busybox: enough for an agent that is one static or mounted program.
    fn import_image(&self) {
        let root = self.dir.path().join("root");
        let make = format!(
            "mkdir -p {root}/bin {root}/tmp {root}/root {root}/etc {root}/usr/bin {root}/lib64 {root}/lib/x86_64-linux-gnu && cp /bin/busybox {root}/bin/ && \
             for a in $({root}/bin/busybox --list); do [ -e {root}/bin/$a ] || ln -s busybox {root}/bin/$a; done && \
             echo 'root:x:0:0:root:/root:/bin/sh' > {root}/etc/passwd && \
             cp -L $(ldd {STEADING} | grep -o '/[^ ]*') {root}/lib/x86_64-linux-gnu/ 2>/dev/null; \
             cp -L /lib64/ld-linux-x86-64.so.2 {root}/lib64/ 2>/dev/null; \
             tar -C {root} -c . | docker -H {host} import -c 'CMD [\"/bin/sh\"]' - steading/test:1",
            root = root.display(),
            host = self.host(),
        );
        Ran::new(Command::new("sh").args(["-c", &make])).ok();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.daemon);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.daemon.wait();
        // The engine leaves a network namespace mounted, which keeps its directory from going.
        let left = self.dir.path().join("exec/netns/default");
        let _ = Command::new("umount").arg(left).output();
    }
}

#[test]
fn the_docker_starter_builds_connects_keeps_its_home_and_deletes() {
    let engine = Engine::start();
    engine.import_image();
    let mirror = peers().join("mirror").display().to_string();
    let site = Site::with(&["--provider-mirror", &mirror]);
    let dir = site.path("docker");
    site.cli(&["templates", "init", "--id", "docker", &dir]).ok();
    let host = format!("docker_host={}", engine.host());
    let mut push = vec!["templates", "push", "docker", "-d", &dir, "--yes", "--variable", &host];
    // The server listens on loopback only, so the container shares the host's network.
    push.extend(["--variable", "network=host", "--variable", "pull=false"]);
    push.extend(["--variable", r#"images=["steading/test:1"]"#]);
    site.cli(&push).ok();
    site.cli(&["create", "kiln", "--template", "docker", "--yes"]).ok();
    site.ssh("kiln", "echo kept > note").ok();
    let running = engine.docker(&["ps", "--format", "{{.Image}}"]).ok();
    assert!(running.contains("steading/test:1"), "{running}");

    site.cli(&["stop", "kiln", "--yes"]).ok();
    assert_eq!(engine.docker(&["ps", "-q"]).ok().trim(), "");
    site.cli(&["start", "kiln", "--yes"]).ok();
    assert_eq!(site.ssh("kiln", "cat note").ok().trim(), "kept");

    site.cli(&["delete", "kiln", "--yes"]).ok();
    assert_eq!(engine.docker(&["ps", "-aq"]).ok().trim(), "");
    assert_eq!(engine.docker(&["volume", "ls", "-q"]).ok().trim(), "");
}
