//! A small board that overheats, fills its disk, and loses its network: a real agent, a real disk, and
//! files of a kernel that the test writes.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::machine::Machine;
use super::site::{STEADING, Site, eventually};

/// Runs the agent where `/sys/class` and the load are the test's, and its home a small disk of its own. Nobody else on
/// the machine sees either.
const BOARD: &str = r#"set -e
mount --bind "@SYS@" /sys/class
mount --bind "@SYS@/loadavg" /proc/loadavg
cp "$0" "@SYS@/steading"
mount -t tmpfs -o size=24m tmpfs "$HOME"
cd "$HOME"
exec "@SYS@/steading" "$@""#;

struct Board {
    machine: Machine,
    sys: String,
}

impl Board {
    fn start(site: &Site, name: &str) -> Self {
        let token = site.external(name, "amd64");
        let sys = site.path("sys");
        std::fs::create_dir_all(format!("{sys}/thermal/thermal_zone0")).unwrap();
        heat(&sys, 51);
        // What else runs here is no trouble of the board's.
        std::fs::write(format!("{sys}/loadavg"), "0.50 0.40 0.30 1/100 4711\n").unwrap();
        let script = BOARD.replace("@SYS@", &sys);
        let run = ["unshare", "--mount", "--propagation", "private", "sh", "-c", &script];
        let machine = Machine::start(site, name, &token, Path::new(STEADING), &run);
        Self { machine, sys }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.machine.agent), signal).unwrap();
    }
}

/// Sets the temperature of the board.
fn heat(sys: &str, degrees: u32) {
    let path = format!("{sys}/thermal/thermal_zone0/temp");
    std::fs::write(path, format!("{}\n", degrees * 1000)).unwrap();
}

/// What the command line says of the one machine.
fn told(site: &Site) -> Value {
    let text = site.cli(&["health", "pi", "-o", "json"]).ok();
    serde_json::from_str::<Value>(&text).unwrap()[0].take()
}

/// Waits until the machine is in this state with these troubles.
fn until(site: &Site, state: &str, troubles: &[&str]) -> Value {
    eventually(state, || {
        let told = told(site);
        let names: Vec<&str> =
            told["troubles"].as_array()?.iter().filter_map(|t| t["name"].as_str()).collect();
        (told["state"] == state && names == troubles).then_some(told)
    })
}

fn page(site: &Site, path: &str) -> String {
    let cookie = format!("Coder-Session-Token: {}", site.cli(&["login", "token"]).ok().trim());
    site.run("curl", &["-fsS", "-H", &cookie, &format!("{}{path}", site.url)]).ok()
}

#[test]
fn a_board_that_overheats_fills_its_disk_and_loses_its_network_is_seen_to() {
    let mut site = Site::new();
    let board = Board::start(&site, "pi");
    let first = until(&site, "ok", &[]);
    let figures = &first["figures"];
    assert_eq!(figures["temperature"], 51.0);
    assert_eq!(figures["disk_total"], 24 << 20);
    assert!(figures["uptime_s"].as_u64().unwrap() > 0, "{figures}");
    assert!(figures["clock_ahead_ms"].as_i64().unwrap().abs() < 5_000, "{figures}");
    assert!(page(&site, "/@ada/pi").contains("51 °C"));

    heat(&board.sys, 86);
    site.ssh("pi", "head -c 23M /dev/zero > ~/filler").ok();
    until(&site, "degraded", &["disk", "temperature"]);
    let shown = page(&site, "/@ada/pi");
    for text in ["It is 86 °C hot.", "of its home directory is 9", "Remove what is not needed"] {
        assert!(shown.contains(text), "{text} is not in {shown}");
    }
    assert!(page(&site, "/workspaces").contains("Degraded"));
    let said = site.cli(&["health"]);
    assert!(said.out.contains("degraded") && said.err.contains("86 °C hot."), "{said:?}");

    heat(&board.sys, 60);
    site.ssh("pi", "rm ~/filler").ok();
    until(&site, "ok", &[]);

    // Its network is gone: not a word comes, and no connection ends.
    board.signal(Signal::STOP);
    until(&site, "lost", &[]);
    let shown = page(&site, "/@ada/pi");
    assert!(shown.contains("Nothing is heard of it since") && shown.contains("power and network"));
    assert!(page(&site, "/workspaces").contains("Machine is away"));
    board.signal(Signal::CONT);
    until(&site, "ok", &[]);

    // All of it stays over the end of the server, and is in its audit log.
    site.kill();
    site.start();
    let history = page(&site, "/@ada/pi/health");
    for text in ["The last day", "Degraded", "Lost", "disk almost full, too hot"] {
        assert!(history.contains(text), "{text} is not in {history}");
    }
    let filter =
        ["audit", "list", "--filter", "resource_type:workspace action:write", "-o", "json"];
    let entries: Value = serde_json::from_str(&site.cli(&filter).ok()).unwrap();
    let states: Vec<&str> = entries
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["diff"]["health of main"]["new"].as_str())
        .collect();
    assert_eq!(states, ["ok", "lost", "ok", "degraded"]);
}
