//! Files through stock OpenSSH, rsync and Git.

use std::path::Path;
use std::process::Stdio;

use sha2::Digest as _;
use steading::clock::Entropy;
use tokio::process::Command;

use crate::ssh_world::{World, output};

const MEBI: usize = 1 << 20;

fn random_file(path: &Path, bytes: usize) {
    let block = Entropy::machine().bytes::<{ 64 << 10 }>();
    let mut all = Vec::with_capacity(bytes);
    let mut n = 0u64;
    while all.len() < bytes {
        all.extend_from_slice(&n.to_be_bytes());
        all.extend_from_slice(&block);
        n += 1;
    }
    all.truncate(bytes);
    std::fs::write(path, all).unwrap();
}

fn hash(path: &Path) -> String {
    hex::encode(sha2::Sha256::digest(std::fs::read(path).unwrap()))
}

async fn there_and_back(args: &[&str], bytes: usize) {
    let world = World::start().await;
    let (up, down) = (world.local("up"), world.local("down"));
    random_file(&up, bytes);
    let (code, _, err) = output(world.client("scp").args(args).arg(&up).arg("ws:stored")).await;
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(hash(&world.home().join("stored")), hash(&up));
    let (code, _, err) = output(world.client("scp").args(args).arg("ws:stored").arg(&down)).await;
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(hash(&down), hash(&up));
}

#[tokio::test(flavor = "multi_thread")]
async fn scp_moves_200_megabytes_there_and_back() {
    there_and_back(&["-q"], 200 * MEBI).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scp_in_its_old_protocol_too() {
    there_and_back(&["-q", "-O"], 200 * MEBI).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_renewed_on_the_way() {
    there_and_back(&["-q", "-o", "RekeyLimit=8M"], 40 * MEBI).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_does_what_people_do_with_it() {
    let world = World::start().await;
    std::fs::write(world.local("a"), "text").unwrap();
    let batch = "mkdir d\nput a d/a\nchmod 600 d/a\nrename d/a d/b\nln -s d/b link\nls -l d\n\
                 df d\ncd d\npwd\nrm b\ncd ..\nrmdir d\nls -l link\nget nothing\n";
    std::fs::write(world.local("batch"), batch).unwrap();
    let mut sftp = world.client("sftp");
    let (code, out, err) = output(sftp.arg("-b").arg(world.local("batch")).arg("ws")).await;
    assert_eq!(code, 1, "the last line fails");
    assert!(err.contains("nothing\" not found") || err.contains("nothing: No such file"), "{err}");
    assert!(out.contains("-rw-------    1 ") && out.contains(" d/b"), "{out}");
    assert!(out.contains(&format!("{}/d", world.home().display())), "{out}");
    assert!(out.contains("%"), "{out}");
    assert!(!world.home().join("d").exists());
    assert_eq!(std::fs::read_link(world.home().join("link")).unwrap(), Path::new("d/b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_directory_is_listed_whole() {
    let world = World::start().await;
    std::fs::create_dir(world.home().join("many")).unwrap();
    for n in 0..1000 {
        std::fs::write(world.home().join(format!("many/file-{n}")), "").unwrap();
    }
    std::fs::write(world.local("batch"), "ls -1 many\n").unwrap();
    let mut sftp = world.client("sftp");
    let (code, out, _) = output(sftp.arg("-q").arg("-b").arg(world.local("batch")).arg("ws")).await;
    assert_eq!((code, out.lines().filter(|l| l.contains("file-")).count()), (0, 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn rsync_moves_a_tree_and_then_only_what_changed() {
    let world = World::start().await;
    let tree = world.local("tree");
    for n in 0..2000 {
        let dir = tree.join(format!("d{}", n % 40));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("f{n}")), format!("content {n}")).unwrap();
    }
    let rsync = || {
        let mut rsync = Command::new("rsync");
        rsync
            .arg("-a")
            .arg("--stats")
            .arg("-e")
            .arg(format!("ssh -F {}", world.local("config").display()));
        rsync.arg(format!("{}/", tree.display())).arg("ws:copy").stdin(Stdio::null());
        rsync
    };
    let (code, out, err) = output(&mut rsync()).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Number of created files: 2,041"), "{out}");
    std::fs::write(tree.join("d1/f1"), "changed").unwrap();
    let (code, out, _) = output(&mut rsync()).await;
    assert_eq!(code, 0);
    assert!(out.contains("Number of regular files transferred: 1\n"), "{out}");
    assert_eq!(std::fs::read_to_string(world.home().join("copy/d1/f1")).unwrap(), "changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn git_clones_and_pushes() {
    let world = World::start().await;
    let make = "git init -q --bare repo && git init -q work && cd work && echo one > a && git add a && \
                git -c user.name=a -c user.email=a@b commit -qm one && git push -q ../repo HEAD:main && \
                git -C ../repo symbolic-ref HEAD refs/heads/main";
    let (code, _, err) = world.ssh(&[make]).await;
    assert_eq!(code, 0, "{err}");
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(args).current_dir(world.dir.path());
        git.env("GIT_SSH_COMMAND", format!("ssh -F {}", world.local("config").display()));
        git
    };
    let (code, _, err) = output(&mut git(&["clone", "-q", "ws:repo", "clone"])).await;
    assert_eq!(code, 0, "{err}");
    std::fs::write(world.local("clone/a"), "two\n").unwrap();
    let commit =
        ["-C", "clone", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "two"];
    assert_eq!(output(&mut git(&commit)).await.0, 0);
    assert_eq!(output(&mut git(&["-C", "clone", "push", "-q"])).await.0, 0);
    assert_eq!(world.ssh(&["git -C repo log --format=%s main"]).await.1, "two\none\n");
}
