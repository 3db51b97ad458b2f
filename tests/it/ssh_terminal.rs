//! Terminals that outlive the streams that show them.

use steading::agent::sessions::{Peer, Settings};
use steading::model::id::{SessionId, TerminalId};
use steading::model::peer::PeerKey;
use steading::model::recording::marks::{Mark, Marks};
use steading::model::session::SessionKind;
use steading::ssh::BoxStream;
use steading::ssh::frames::{FrameReader, FrameWriter};
use steading::ssh::opening;
use steading::tasks::OnPanic;
use steading::wire::frame::Frame;
use steading::wire::session::{Kind, Open};
use tokio::io::{ReadHalf, WriteHalf};

use crate::ssh_world::{LIMIT, World, settings, until};

/// Someone at a terminal, with what it shows them.
struct Seat {
    reader: FrameReader<ReadHalf<BoxStream>>,
    writer: FrameWriter<WriteHalf<BoxStream>>,
    screen: vt100::Parser,
    /// All that came.
    said: Vec<u8>,
    ended: Option<Frame>,
}

impl Seat {
    async fn take(world: &World, id: TerminalId, cols: u16, rows: u16) -> Self {
        Self::take_with(world, id, (cols, rows), None).await
    }

    async fn take_with(
        world: &World,
        id: TerminalId,
        (cols, rows): (u16, u16),
        marks: Option<String>,
    ) -> Self {
        let (near, far) = tokio::io::duplex(64 << 10);
        let sessions = world.sessions.clone();
        world.tasks.spawn("agent", OnPanic::Lose, async move {
            sessions.serve(Box::new(far), Peer { key: PeerKey([1; 32]), user: None }).await;
        });
        let mut stream: BoxStream = Box::new(near);
        let kind = Kind::Terminal {
            id,
            cols,
            rows,
            command: None,
            only_join: false,
            misses_nothing: false,
        };
        let session = SessionId(uuid::Uuid::new_v4());
        let open = Open { session, user: None, recorded_as: SessionKind::Terminal, marks, kind };
        opening::open(&mut stream, &open).await.unwrap();
        let (read, write) = tokio::io::split(stream);
        let screen = vt100::Parser::new(rows, cols, 100);
        Self {
            reader: FrameReader::new(read),
            writer: FrameWriter::new(write),
            screen,
            said: Vec::new(),
            ended: None,
        }
    }

    async fn type_in(&mut self, keys: &str) {
        self.writer.write(&Frame::Stdin(keys.to_owned().into())).await.unwrap();
    }

    /// Takes what comes until the screen shows this.
    async fn sees(&mut self, text: &str) {
        let seeing = async {
            while !self.screen.screen().contents().contains(text) {
                self.take_frame().await;
            }
        };
        let seen = tokio::time::timeout(LIMIT, seeing).await;
        assert!(seen.is_ok(), "not seen: {text}\n{}", self.screen.screen().contents());
    }

    async fn take_frame(&mut self) {
        match self.reader.next().await.unwrap() {
            Some(Frame::Stdout(bytes)) => {
                self.screen.process(&bytes);
                self.said.extend_from_slice(&bytes);
            }
            other => self.ended = other,
        }
    }
}

fn terminal(number: u128) -> TerminalId {
    TerminalId(uuid::Uuid::from_u128(number))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_goes_on_without_anyone_and_shows_itself_again() {
    let world = World::start().await;
    let mut first = Seat::take(&world, terminal(1), 80, 24).await;
    first.type_in("PS1='$ '; kept=yes; echo here-$((6*7))\n").await;
    first.sees("here-42").await;
    drop(first);
    until("nobody is there", || world.sessions.counts().sessions == 0).await;
    let mut second = Seat::take(&world, terminal(1), 80, 24).await;
    second.sees("here-42").await;
    second.type_in("echo still-$kept $TERM; stty size\n").await;
    second.sees("still-yes xterm-256color").await;
    second.sees("24 80").await;
    second.type_in("exit 7\n").await;
    while second.ended.is_none() {
        tokio::time::timeout(LIMIT, second.take_frame()).await.expect("in time");
    }
    assert_eq!(second.ended, Some(Frame::Exit(7)));
    let mut third = Seat::take(&world, terminal(1), 80, 24).await;
    third.type_in("echo fresh-$kept.\n").await;
    third.sees("fresh-.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_watch_and_the_last_active_gives_the_size() {
    let world = World::start().await;
    let mut one = Seat::take(&world, terminal(2), 80, 24).await;
    let mut two = Seat::take(&world, terminal(2), 100, 30).await;
    one.type_in("echo from-$((1+0))\n").await;
    one.sees("from-1").await;
    two.sees("from-1").await;
    two.writer.write(&Frame::Resize { cols: 90, rows: 20 }).await.unwrap();
    two.type_in("stty size\n").await;
    two.sees("20 90").await;
    one.type_in("clear; stty size\n").await;
    one.sees("24 80").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_holds_nobody_up_and_sees_the_end() {
    let world = World::start().await;
    let mut quick = Seat::take(&world, terminal(3), 80, 24).await;
    let mut slow = Seat::take(&world, terminal(3), 80, 24).await;
    quick.type_in("PS1='$ '; seq 1 300000; echo all-$((5+5))\n").await;
    quick.sees("all-10").await;
    slow.sees("all-10").await;
    slow.sees("300000").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_alone_misses_nothing() {
    let world = World::start().await;
    let mut seat = Seat::take(&world, terminal(5), 80, 24).await;
    seat.type_in("PS1='$ '; seq 1 100000; echo all-$((5+5))\n").await;
    seat.sees("all-10").await;
    let said = String::from_utf8_lossy(&seat.said);
    let numbers = said.split(['\r', '\n']).filter_map(|line| line.parse::<u32>().ok());
    assert!(numbers.eq(1..=100_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_reach_what_runs() {
    let world = World::start().await;
    let mut seat = Seat::take(&world, terminal(4), 80, 24).await;
    // Between `fork` and `exec` a shell's own child takes SIGINT for nothing: the key waits for `sh`.
    seat.type_in("sh -c 'echo on-$((40+2)); exec sleep 1000'\n").await;
    seat.sees("on-42").await;
    seat.type_in("\u{3}").await;
    seat.type_in("echo code-$?\n").await;
    seat.sees("code-130").await;
}

/// The marks that a shell makes of these lines, until the last of them has ended.
async fn marked(world: &World, shell: &str, number: u128, lines: &[&str]) -> Vec<Mark> {
    let shell = shell.into();
    world.sessions.configure(Settings { shell, ..settings(&world.home()) });
    let secret = Some("5ec2e7".to_owned());
    let mut seat = Seat::take_with(world, terminal(number), (200, 50), secret).await;
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        seat.type_in(&format!("{line}\r")).await;
        let ended = async {
            loop {
                let mut marks = Marks::new("5ec2e7".to_owned());
                found.clear();
                marks.feed(&seat.said, |mark| found.push(mark));
                let began =
                    found.iter().position(|mark| *mark == Mark::Began).unwrap_or(usize::MAX);
                let is_end =
                    |(at, mark): &(usize, &Mark)| *at > began && matches!(mark, Mark::Ended(_));
                if found.iter().enumerate().filter(is_end).count() > n {
                    return;
                }
                seat.take_frame().await;
            }
        };
        let shown = tokio::time::timeout(LIMIT, ended).await;
        assert!(shown.is_ok(), "{line}: {}", String::from_utf8_lossy(&seat.said));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_zsh_and_fish_say_what_they_run_and_read_the_persons_own_files() {
    let world = World::start().await;
    let home = world.home();
    std::fs::write(home.join(".bash_profile"), "FROM_RC=yes\nHISTCONTROL=ignoreboth\n").unwrap();
    std::fs::write(home.join(".zshrc"), "FROM_RC=yes\n").unwrap();
    std::fs::create_dir_all(home.join(".config/fish")).unwrap();
    std::fs::write(home.join(".config/fish/config.fish"), "set -g FROM_RC yes\n").unwrap();
    let lines = ["cd /tmp", " test $FROM_RC = yes", "sh -c 'exit 3'; sh -c 'exit 4'"];
    for (number, shell) in [(31, "/bin/bash"), (32, "/usr/bin/zsh"), (33, "/usr/bin/fish")] {
        let found = marked(&world, shell, number, &lines).await;
        let texts: Vec<&str> = found
            .iter()
            .filter_map(|mark| match mark {
                Mark::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        // What bash does not keep in its history has no text, and is listed all the same.
        let kept = |line| if shell == "/bin/bash" && line == lines[1] { "" } else { line };
        assert_eq!(texts, lines.map(kept), "{shell}");
        assert!(found.contains(&Mark::Directory("/tmp".to_owned())), "{shell}: {found:?}");
        let ends: Vec<&Mark> = found.iter().filter(|m| matches!(m, Mark::Ended(_))).collect();
        let last = &ends[ends.len() - 3..];
        let expected = [Some(0), Some(0), Some(4)].map(Mark::Ended);
        assert_eq!(last, expected.iter().collect::<Vec<_>>(), "{shell}");
    }
    for file in [".bash_profile", ".zshrc"] {
        let text = std::fs::read_to_string(home.join(file)).unwrap();
        assert!(!text.contains("steading"), "no file of theirs is touched");
    }
}
