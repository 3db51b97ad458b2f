//! Pages of recordings and commands, in every state.

use maud::Render as _;
use steading::model::recording::transfers::{Row, Transfer, TransferKind};
use steading::model::recording::{
    Extent, RanCommand, Recording, RecordingKind, RecordingReason, RecordingStatus,
};
use steading::server::html::pages::recording::RecordingPage;
use steading::server::html::pages::recordings::{List, Listed, Recordings, Typed};

use super::fixtures::{ada, before, grace, id, linus, reference, visit};
use super::{Scene, scene};

fn recording(n: u128, status: RecordingStatus) -> Recording {
    Recording {
        id: id(7000 + n),
        session: id(7100 + n),
        user: reference(&linus()),
        workspace_id: id(100),
        workspace_name: "ledger-prod-shell".to_owned(),
        owner: reference(&ada()),
        agent_name: "main".to_owned(),
        kind: RecordingKind::Shell,
        command: String::new(),
        size: (120, 32),
        began_at: before(40_000),
        ended_at: (status != RecordingStatus::Running).then(|| before(37_958)),
        status,
        reason: RecordingReason::Policy,
        has_input: false,
        extent: Extent {
            length_ms: 2_042_000,
            bytes: 418_211,
            stored_bytes: 61_204,
            lost_bytes: 0,
            n_commands: 4,
        },
        exit_code: Some(0),
        hash: [0x5a; 32],
    }
}

fn command(number: i64, text: &str, (code, length_ms): (Option<i64>, Option<i64>)) -> RanCommand {
    RanCommand {
        recording: id(7001),
        number,
        user: reference(&linus()),
        workspace_id: id(100),
        workspace_name: "ledger-prod-shell".to_owned(),
        owner: reference(&ada()),
        text: text.to_owned(),
        directory: "/srv/ledger".to_owned(),
        began_at: before(40_000 - 60 * number),
        at_ms: 60_000 * number + 250,
        length_ms,
        exit_code: code,
    }
}

fn commands() -> Vec<RanCommand> {
    vec![
        command(0, "ledgerctl status", (Some(0), Some(412))),
        command(1, "journalctl -u settle --since 02:20 | tail -4", (Some(0), Some(61_000))),
        command(2, "ledgerctl settle resume", (Some(3), Some(1_204))),
        command(3, &format!("echo {}", "a-very-long-word".repeat(40)), (None, None)),
        RanCommand { directory: String::new(), ..command(4, "", (None, Some(90))) },
    ]
}

fn list(found: Result<Listed, String>, list: List) -> Recordings {
    Recordings {
        visit: visit(ada()),
        typed: Typed::default(),
        found,
        list,
        offset: 0,
        size: 50,
        has_next: false,
        is_on: true,
    }
}

fn lists() -> Vec<Scene> {
    use RecordingStatus::{Complete, Interrupted, Running};
    let lossy = Recording {
        extent: Extent { lost_bytes: 81_000_000, ..recording(0, Complete).extent },
        kind: RecordingKind::Terminal,
        user: reference(&grace()),
        ..recording(3, Complete)
    };
    let one = Recording {
        kind: RecordingKind::Command,
        command: "tar -cf - src | zstd".to_owned(),
        extent: Extent { n_commands: 1, length_ms: 740, ..lossy.extent },
        ..recording(4, Complete)
    };
    let all =
        vec![recording(2, Running), recording(1, Complete), lossy, one, recording(5, Interrupted)];
    let typed = Typed {
        search: "kubectl delete".to_owned(),
        workspace: "ada/ledger-prod-shell".to_owned(),
        ..Typed::default()
    };
    let later = Recordings {
        offset: 50,
        has_next: true,
        ..list(Ok(Listed::Recordings(all.clone())), List::Recordings)
    };
    let nothing = Recordings {
        typed,
        is_on: false,
        ..list(Ok(Listed::Recordings(vec![])), List::Recordings)
    };
    let why = "Search wants 3 to 200 characters.".to_owned();
    vec![
        scene("recordings", list(Ok(Listed::Recordings(all)), List::Recordings).render()),
        scene("recordings-later", later.render()),
        scene("recordings-none", nothing.render()),
        scene("recordings-unread", list(Err(why), List::Recordings).render()),
        scene(
            "recordings-commands",
            list(Ok(Listed::Commands(commands())), List::Commands).render(),
        ),
        scene(
            "recordings-commands-none",
            list(Ok(Listed::Commands(vec![])), List::Commands).render(),
        ),
        scene(
            "recordings-transfers",
            list(Ok(Listed::Transfers(transfers())), List::Transfers).render(),
        ),
        scene(
            "recordings-transfers-none",
            list(Ok(Listed::Transfers(vec![])), List::Transfers).render(),
        ),
    ]
}

fn transfer(number: i64, (kind, name): (TransferKind, &str), bytes: (i64, i64)) -> Transfer {
    Transfer {
        session: id(7200),
        user: reference(&linus()),
        workspace_id: id(100),
        workspace_name: "ledger-prod-shell".to_owned(),
        owner: reference(&ada()),
        row: Row {
            number,
            kind,
            name: name.to_owned(),
            to_name: String::new(),
            n: 1,
            bytes_out: bytes.0,
            bytes_in: bytes.1,
            began_at: before(39_000 - 60 * number),
            ended_at: Some(before(38_990 - 60 * number)),
        },
    }
}

fn transfers() -> Vec<Transfer> {
    use TransferKind::{Download, Port, Remove, Rename, Rest, Upload};
    let mut all = vec![
        transfer(0, (Download, "/srv/ledger/ledger.db"), (48_211_968, 0)),
        transfer(1, (Upload, "/srv/ledger/fix.sql"), (0, 1_204)),
        transfer(2, (Rename, "/srv/ledger/fix.sql"), (0, 0)),
        transfer(3, (Remove, "/srv/ledger/\\u{202e}old"), (0, 0)),
        transfer(4, (Port, "127.0.0.1:5432"), (81_000, 9_400)),
        transfer(5, (Rest, ""), (18_000_000, 0)),
    ];
    all[2].row.to_name = "/srv/ledger/applied/fix.sql".to_owned();
    (all[4].row.n, all[4].row.ended_at) = (12, None);
    all[5].row.n = 4_031;
    all
}

fn page(recording: Recording, commands: Vec<RanCommand>, is_more: bool) -> RecordingPage {
    RecordingPage { visit: visit(ada()), recording, commands, is_more, transfers: vec![] }
}

pub fn all() -> Vec<Scene> {
    use RecordingStatus::{Complete, Interrupted, Running};
    let complete = recording(1, Complete);
    let gaps = Recording {
        extent: Extent { lost_bytes: 81_000_000, ..complete.extent },
        reason: RecordingReason::Grant,
        has_input: true,
        ..complete.clone()
    };
    let beside = RecordingPage { transfers: transfers(), ..page(complete, commands(), false) };
    let mut scenes = lists();
    scenes.extend([
        scene("recording", beside.render()),
        scene("recording-running", page(recording(2, Running), vec![], false).render()),
        scene("recording-gaps", page(gaps, commands(), true).render()),
        scene("recording-interrupted", page(recording(5, Interrupted), commands(), false).render()),
    ]);
    scenes
}
