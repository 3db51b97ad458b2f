//! Stock `ssh`, `sftp` and `rsync` into a workspace, through the server and the agent, beside
//! OpenSSH's own server.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::site::{Ran, Site};
use super::sshd::Sshd;
use super::table::{Better, Line, Table, percentile};

const ROUNDS: usize = 20;
const KEYS: usize = 500;
const REPEATS: usize = 3;
const MIB: usize = 512;
const FILES: usize = 20_000;

/// Where the same client goes.
struct Way<'a> {
    site: &'a Site,
    port: u16,
    login: String,
    once: f64,
}

impl Way<'_> {
    fn ssh(&self, more: &[&str]) -> Command {
        let mut command = self.site.command("ssh");
        command.args(["-F", "none", "-p", &self.port.to_string()]).args(self.site.ssh_options());
        command.args(more).arg(format!("{}@127.0.0.1", self.login));
        command
    }

    fn seconds(&self, mut command: Command) -> f64 {
        let began = Instant::now();
        Ran::new(&mut command).ok();
        began.elapsed().as_secs_f64()
    }

    fn exec(&self, kex: &str) -> f64 {
        let mut command = self.ssh(&["-o", &format!("KexAlgorithms={kex}")]);
        command.arg("true");
        self.seconds(command)
    }

    fn down(&self, cipher: &str) -> f64 {
        let mut command = self.ssh(&["-c", cipher]);
        command.arg(format!("head -c {} /dev/zero", MIB << 20)).stdout(Stdio::null());
        let began = Instant::now();
        assert!(command.status().unwrap().success());
        MIB as f64 / (began.elapsed().as_secs_f64() - self.once)
    }

    fn up(&self, cipher: &str) -> f64 {
        let mut zeros = Command::new("head")
            .args(["-c", &(MIB << 20).to_string(), "/dev/zero"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut command = self.ssh(&["-c", cipher]);
        command.arg("cat > /dev/null").stdin(zeros.stdout.take().unwrap());
        let began = Instant::now();
        assert!(command.status().unwrap().success());
        zeros.wait().unwrap();
        MIB as f64 / (began.elapsed().as_secs_f64() - self.once)
    }

    /// One byte to a `cat` and back, in milliseconds.
    fn echo(&self) -> Vec<f64> {
        let mut command = self.ssh(&[]);
        let mut cat =
            command.arg("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut to, mut from) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
        let mut byte = [0];
        let took = (0..KEYS)
            .map(|_| {
                let began = Instant::now();
                to.write_all(b"x").unwrap();
                from.read_exact(&mut byte).unwrap();
                began.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        drop(to);
        cat.wait().unwrap();
        took
    }

    fn sftp(&self, batch: &str) -> f64 {
        let path = self.site.path("batch");
        std::fs::write(&path, batch).unwrap();
        let mut command = self.site.command("sftp");
        command.args(["-q", "-F", "none", "-b", &path, "-P", &self.port.to_string()]);
        command.args(self.site.ssh_options()).arg(format!("{}@127.0.0.1", self.login));
        MIB as f64 / (self.seconds(command) - self.once)
    }

    fn rsync(&self, from: &Path, to: &Path) -> f64 {
        let options = self.site.ssh_options().join(" ");
        let mut command = self.site.command("rsync");
        command.args(["-a", "-e", &format!("ssh -F none -p {} {options}", self.port)]);
        command.arg(format!("{}/", from.display()));
        command.arg(format!("{}@127.0.0.1:{}/", self.login, to.display()));
        self.seconds(command)
    }
}

pub fn run(table: &mut Table) {
    let site = Site::new();
    site.create_here("first");
    let sshd = Sshd::start(&site);
    let user = site.run("id", &["-un"]).ok().trim().to_owned();
    let mut ours = Way { site: &site, port: site.ssh_port, login: "first".to_owned(), once: 0.0 };
    let mut theirs = Way { site: &site, port: sshd.port, login: user, once: 0.0 };
    connects(table, &mut ours, &mut theirs);
    let keys = (ours.echo(), theirs.echo());
    let (what, better) = ("one byte there and back", Better::Less);
    let reference = ("OpenSSH", vec![percentile(&keys.1, 50)]);
    let mine = vec![percentile(&keys.0, 50)];
    table.line(&Line { what, unit: "ms p50", ours: mine, reference, goal: 2.0, better });
    streams(table, &ours, &theirs);
    files(table, &ours, &theirs);
}

fn connects(table: &mut Table, ours: &mut Way<'_>, theirs: &mut Way<'_>) {
    let kex = "curve25519-sha256";
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        here.push(ours.exec(kex) * 1000.0);
        there.push(theirs.exec(kex) * 1000.0);
    }
    (ours.once, theirs.once) = (percentile(&here, 50) / 1000.0, percentile(&there, 50) / 1000.0);
    let (what, reference) = ("connect and `true`, curve25519", ("OpenSSH", there));
    let better = Better::Less;
    table.line(&Line { what, unit: "ms", ours: here, reference, goal: 0.8, better });
}

fn streams(table: &mut Table, ours: &Way<'_>, theirs: &Way<'_>) {
    for cipher in ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com"] {
        let (mut down, mut up) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for _ in 0..REPEATS {
            down.0.push(ours.down(cipher));
            down.1.push(theirs.down(cipher));
            up.0.push(ours.up(cipher));
            up.1.push(theirs.up(cipher));
        }
        let short = cipher.split('@').next().unwrap_or(cipher);
        for (way, both) in [("from", down), ("to", up)] {
            let what = format!("stream {way} the workspace, {short}");
            let (reference, better) = (("OpenSSH", both.1), Better::More);
            let (what, ours) = (what.as_str(), both.0);
            table.line(&Line { what, unit: "MiB/s", ours, reference, goal: 0.8, better });
        }
    }
}

fn files(table: &mut Table, ours: &Way<'_>, theirs: &Way<'_>) {
    // In memory, so that the disk is not measured; open to the workspace's own user.
    let shm = tempfile::Builder::new().prefix("steading").tempdir_in("/dev/shm").unwrap();
    open_to_all(shm.path());
    let (local, far) = (shm.path().join("a"), shm.path().join("b"));
    std::fs::write(&local, vec![7; MIB << 20]).unwrap();
    let (mut put, mut get) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    let batch =
        |verb, from: &Path, to: &Path| format!("{verb} {} {}\n", from.display(), to.display());
    for _ in 0..REPEATS {
        for (way, put, get) in [(ours, &mut put.0, &mut get.0), (theirs, &mut put.1, &mut get.1)] {
            put.push(way.sftp(&batch("put", &local, &far)));
            get.push(way.sftp(&batch("get", &far, &shm.path().join("c"))));
            std::fs::remove_file(&far).unwrap();
            std::fs::remove_file(shm.path().join("c")).unwrap();
        }
    }
    for (what, both) in [("sftp put", put), ("sftp get", get)] {
        let (reference, better, ours) = (("OpenSSH", both.1), Better::More, both.0);
        table.line(&Line { what, unit: "MiB/s", ours, reference, goal: 0.8, better });
    }
    std::fs::remove_file(&local).unwrap();
    let tree = shm.path().join("tree");
    plant(&tree);
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for n in 0..REPEATS {
        here.push(ours.rsync(&tree, &shm.path().join(format!("ours{n}"))));
        there.push(theirs.rsync(&tree, &shm.path().join(format!("theirs{n}"))));
    }
    let (what, reference, better) = ("rsync of 20,000 files", ("OpenSSH", there), Better::Less);
    table.line(&Line { what, unit: "s", ours: here, reference, goal: 1.15, better });
}

fn open_to_all(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o777)).unwrap();
}

fn plant(tree: &Path) {
    for n in 0..FILES {
        let dir = tree.join((n % 200).to_string());
        if n < 200 {
            std::fs::create_dir_all(&dir).unwrap();
        }
        std::fs::write(dir.join(n.to_string()), vec![7; 200 + n * 3800 / FILES]).unwrap();
    }
}
