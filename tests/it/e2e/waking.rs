//! A machine that sleeps, woken by another on its network: real agents, each in a network of its own
//! with a cable to one bridge, and the packet as it arrives at the one that sleeps.

use std::fs::{File, Permissions};
use std::net::UdpSocket;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use super::machine::Machine;
use super::site::{Ran, STEADING, Site, eventually};

/// A house with a network of its own: what this thread starts from now on is in it, and reaches
/// nothing else.
struct House(Child);

impl House {
    fn enter() -> Self {
        let holder = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo there; exec sleep infinity"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare is installed");
        let mut house = Self(holder);
        let mut said = super::said::Said::by(house.0.stdout.take().unwrap());
        assert_eq!(said.line().as_deref(), Some("there"));
        enter(house.0.id());
        let sh = "ip link set lo up && ip link add lan0 type bridge && \
                  ip addr add 10.77.0.1/24 dev lan0 && ip link set lan0 up";
        Ran::new(Command::new("sh").args(["-c", sh])).ok();
        house
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Moves this thread into the network of a process.
fn enter(pid: u32) {
    let net = File::open(format!("/proc/{pid}/ns/net")).unwrap();
    move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

/// Runs the agent on a machine with one card, plugged into the house's bridge. What its kernel says of
/// cards is the test's: a cable between two networks is no card.
const PLUGGED: &str = r#"set -e
ip link set lo up
ip link add eth0 address "@CARD@" type veth peer name "@NAME@" netns "@HOUSE@"
ip addr add "@ADDRESS@/24" dev eth0
ip link set eth0 up
nsenter -t "@HOUSE@" -n ip link set "@NAME@" master lan0 up
mount --bind "@SYS@" /sys/class/net
exec "$0" "$@""#;

fn plugged(site: &Site, house: &House, name: &str, (address, card): (&str, &str)) -> Machine {
    let token = site.external(name, "amd64");
    let sys = site.path(&format!("{name}-sys"));
    std::fs::create_dir_all(format!("{sys}/eth0/device")).unwrap();
    std::fs::write(format!("{sys}/eth0/address"), format!("{card}\n")).unwrap();
    let script = PLUGGED
        .replace("@CARD@", card)
        .replace("@NAME@", name)
        .replace("@ADDRESS@", address)
        .replace("@HOUSE@", &house.0.id().to_string())
        .replace("@SYS@", &sys);
    let run = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", &script];
    Machine::start(site, name, &token, Path::new(STEADING), &run)
}

/// The card of a machine that sleeps: it hears what comes by its cable, whatever the machine does.
fn card_of(machine: &Machine) -> UdpSocket {
    let pid = machine.agent.id();
    let open = move || {
        enter(pid);
        UdpSocket::bind("0.0.0.0:9").unwrap()
    };
    let card = std::thread::spawn(open).join().unwrap();
    card.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    card
}

fn signal(machine: &Machine, signal: Signal) {
    kill_process(Pid::from_child(&machine.agent), signal).unwrap();
}

fn page(site: &Site) -> String {
    let cookie = format!("Coder-Session-Token: {}", site.cli(&["login", "token"]).ok().trim());
    site.run("curl", &["-fsS", "-H", &cookie, &format!("{}/@ada/pi", site.url)]).ok()
}

/// Asks for it until it is refused for this.
fn refused(site: &Site, why: &str) {
    eventually(why, || {
        let ran = site.cli(&["wake", "pi"]);
        (ran.code == Some(1) && ran.err.contains(why)).then_some(())
    });
}

#[test]
fn a_machine_that_sleeps_is_woken_by_another_on_its_network() {
    let house = House::enter();
    let site = Site::at(STEADING.into(), "10.77.0.1");
    let card = "dc:a6:32:1e:40:07";
    let pi = plugged(&site, &house, "pi", ("10.77.0.7", card));
    refused(&site, "he machine of main is here already");
    assert!(!page(&site).contains("/machines/main/wake"));

    let sleeping = card_of(&pi);
    signal(&pi, Signal::STOP);
    eventually("it is away", || page(&site).contains("Machine is away").then_some(()));
    assert!(page(&site).contains("/machines/main/wake"));
    refused(&site, "obody is there to wake main: it takes a machine on 10.77.0.0/24");

    let desk = plugged(&site, &house, "desk", ("10.77.0.8", "dc:a6:32:00:00:08"));
    let told = site.cli(&["wake", "pi.main", "-o", "json"]).ok();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["cards"], serde_json::json!([card]));
    assert_eq!(told["networks"], serde_json::json!(["10.77.0.0/24"]));
    assert_eq!((&told["senders"], &told["by_server"]), (&1.into(), &false.into()));

    let mut packet = [0; 200];
    let (n, from) = sleeping.recv_from(&mut packet).expect("the packet comes");
    assert_eq!(from.ip().to_string(), "10.77.0.8");
    let address = [0xdc, 0xa6, 0x32, 0x1e, 0x40, 0x07];
    assert_eq!(packet[..n], [[0xff; 6].as_slice(), &address.repeat(16)].concat());
    let shown = page(&site);
    assert!(shown.contains("Waking") && shown.contains("Woken "), "{shown}");
    refused(&site, "he machine of main was woken");

    signal(&pi, Signal::CONT);
    eventually("it is here again", || page(&site).contains("Attached").then_some(()));
    assert!(!page(&site).contains("Waking"));

    let log = site.cli(&["logs", "desk"]).ok();
    assert!(log.contains(&format!("Woke another machine on 10.77.0.0/24: {card}.")), "{log}");
    let filter =
        ["audit", "list", "--filter", "resource_type:workspace action:write", "-o", "json"];
    let entries: Value = serde_json::from_str(&site.cli(&filter).ok()).unwrap();
    let woke: Vec<&Value> =
        entries.as_array().unwrap().iter().filter(|e| !e["diff"]["wake main"].is_null()).collect();
    let [entry] = &*woke else { panic!("one entry: {woke:?}") };
    assert_eq!(entry["diff"]["wake main"]["new"], card);
    assert_eq!(entry["diff"]["sent by"]["new"], "ada/desk");
    assert_eq!(entry["user"]["username"], "ada");
    drop(desk);
}

/// Runs the server where its end of the house's bridge is a card.
const IN_THE_HOUSE: &str = r#"#!/bin/sh
set -e
dir=$(dirname "$0")
mkdir -p "$dir/sys/lan0/device"
exec unshare --mount --propagation private sh -c '
  mount --bind "$0/sys" /sys/class/net
  exec @STEADING@ "$@"' "$dir" "$@"
"#;

#[test]
fn the_server_wakes_what_is_on_its_own_network() {
    let house = House::enter();
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("server");
    std::fs::write(&program, IN_THE_HOUSE.replace("@STEADING@", STEADING)).unwrap();
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let site = Site::at(program, "10.77.0.1");
    let pi = plugged(&site, &house, "pi", ("10.77.0.7", "dc:a6:32:1e:40:07"));
    let sleeping = card_of(&pi);
    signal(&pi, Signal::STOP);
    let told = eventually("it is called", || {
        let ran = site.cli(&["wake", "pi"]);
        (ran.code == Some(0)).then_some(ran.err)
    });
    assert!(told.contains("Called dc:a6:32:1e:40:07 on 10.77.0.0/24, by the server."), "{told}");
    let mut packet = [0; 200];
    let (n, from) = sleeping.recv_from(&mut packet).expect("the packet comes");
    assert_eq!((n, from.ip().to_string()), (102, "10.77.0.1".to_owned()));
    signal(&pi, Signal::CONT);
    eventually("it is here again", || page(&site).contains("Attached").then_some(()));
}
