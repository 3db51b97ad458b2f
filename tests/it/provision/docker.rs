//! The docker starter against a real engine: started, stopped, started with its home, deleted.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use steading::model::build::Transition;
use steading::provision::{BuildJob, starters};

use super::kit::{World, build, mirror, settings, until, value};

/// An engine of our own, without networks: nothing of it is left behind.
struct Engine {
    process: Child,
    dir: tempfile::TempDir,
}

impl Engine {
    async fn start() -> Self {
        // An engine's sockets have short paths.
        let dir = tempfile::Builder::new().prefix("dk").tempdir_in("/tmp").unwrap();
        let at = |name: &str| dir.path().join(name);
        let log = std::fs::File::create(at("log")).unwrap();
        let dockerd = ["/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd"];
        let dockerd =
            dockerd.into_iter().find(|p| Path::new(p).exists()).expect("dockerd is installed");
        let process = Command::new(dockerd)
            .args(["--bridge=none", "--iptables=false", "--host-gateway-ip=127.0.0.1"])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("-H")
            .arg(format!("unix://{}", at("sock").display()))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let engine = Self { process, dir };
        until("the engine", || engine.try_docker(&["info"]).map(drop)).await;
        engine
    }

    fn host(&self) -> String {
        format!("unix://{}", self.dir.path().join("sock").display())
    }

    fn try_docker(&self, args: &[&str]) -> Option<String> {
        let output = Command::new("docker").arg("-H").arg(self.host()).args(args).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    fn docker(&self, args: &[&str]) -> String {
        self.try_docker(args).unwrap_or_else(|| {
            panic!("{args:?}: {}", std::fs::read_to_string(self.dir.path().join("log")).unwrap())
        })
    }

    /// An image that holds a shell with its tools and nothing else.
    fn add_busybox(&self) {
        let bin = self.dir.path().join("image/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::copy("/bin/busybox", bin.join("busybox")).unwrap();
        for name in ["sh", "sleep", "cat", "wget", "touch", "mkdir"] {
            std::os::unix::fs::symlink("busybox", bin.join(name)).unwrap();
        }
        let tar = self.dir.path().join("image.tar");
        let mut archive = tar::Builder::new(std::fs::File::create(&tar).unwrap());
        archive.follow_symlinks(false);
        archive.append_dir_all(".", self.dir.path().join("image")).unwrap();
        archive.finish().unwrap();
        self.docker(&["import", tar.to_str().unwrap(), "steading/busybox:1"]);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_raw(self.process.id().try_into().unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.process.wait();
        // The engine leaves a network namespace mounted, which keeps its directory from going.
        let left = self.dir.path().join("exec/netns/default");
        let _ = Command::new("umount").arg(left).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_docker_starter_keeps_its_home_and_goes_without_a_trace() {
    let engine = Engine::start().await;
    engine.add_busybox();
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let mut settings = settings(dir.path());
    settings.provider_mirror = Some(mirror());
    settings.time_limit = Duration::from_secs(600);
    settings.agent_scripts.insert(
        "linux_amd64".into(),
        "echo ${ACCESS_URL} >>/home/workspace/starts; exec sleep 1000".into(),
    );
    let world = World::with(dir, settings);
    let files = starters::find("docker").unwrap().files;
    let with = |transition, state| -> BuildJob {
        let mut job = build(files, transition, state);
        job.parameters = vec![value("image", "steading/busybox:1"), value("memory", "1")];
        job.variables.insert("docker_host".into(), engine.host());
        job.variables.insert("images".into(), "[\"steading/busybox:1\"]".into());
        job.variables.insert("pull".into(), "false".into());
        // This engine has no bridge.
        job.variables.insert("network".into(), "host".into());
        job
    };
    let imported = world.import_with(files, &[]).await;
    let imported = imported.unwrap_or_else(|e| panic!("{e}\n{}", world.log()));
    let names: Vec<&str> = imported.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["image", "cores", "memory"]);

    let mut state = None;
    for starts in 1..=2 {
        let start = world.build(with(Transition::Start, state)).await;
        assert!(start.result.is_ok(), "{:?}\n{}", start.result, world.log());
        let container = start.resources.iter().find(|r| r.kind == "docker_container").unwrap();
        assert_eq!(container.agents.len(), 1);
        let name = "steading-ada-first";
        let read = || {
            let text = engine.try_docker(&["exec", name, "cat", "/home/workspace/starts"])?;
            (text.lines().count() == starts).then_some(text)
        };
        let text = until("the init script", read).await;
        assert!(text.starts_with("http://127.0.0.1:7080/"), "{text}");
        let memory = engine.docker(&["inspect", "-f", "{{.HostConfig.Memory}}", name]);
        assert_eq!(memory.trim(), "1073741824");

        let stop = world.build(with(Transition::Stop, start.state)).await;
        assert!(stop.result.is_ok(), "{:?}\n{}", stop.result, world.log());
        assert_eq!(engine.docker(&["ps", "-aq"]), "");
        assert_eq!(engine.docker(&["volume", "ls", "-q"]).lines().count(), 1);
        state = stop.state;
    }
    let delete = world.build(with(Transition::Delete, state)).await;
    assert!(delete.result.is_ok(), "{:?}\n{}", delete.result, world.log());
    assert_eq!(engine.docker(&["volume", "ls", "-q"]), "");
}
