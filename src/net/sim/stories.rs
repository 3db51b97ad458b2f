//! One thing goes wrong at a time.

use std::time::Duration;

use super::transfer::End;
use super::{FAIR, Weather, World};
use crate::net::path::Path;

const SECOND: Duration = Duration::from_secs(1);

/// Two hosts that know each other, with a transfer that goes on for a while.
fn talking(seed: u64) -> (World, usize) {
    let mut world = World::new(2, seed);
    world.introduce(0, 1);
    world.deliver(0, 1, 1000, 3 * SECOND);
    let long = world.send(0, 1, u64::MAX / 2);
    world.throttle = true;
    world.run(3 * SECOND);
    assert!(world.transfers[long].received > 0);
    (world, long)
}

fn direct(world: &World, to: usize) -> Option<Path> {
    Some(Path::Direct(world.hosts[to].socket))
}

#[test]
fn the_direct_path_is_taken_when_both_work() {
    let (world, _) = talking(1);
    assert_eq!(world.status(0, 1).path, direct(&world, 1));
    let rtt = world.status(0, 1).rtt.unwrap();
    assert!(rtt >= Duration::from_millis(20) && rtt < Duration::from_millis(25));
}

#[test]
fn packets_grow_where_the_network_carries_them_and_shrink_where_it_does_not() {
    let launched = |longest: usize, relay: bool| {
        let mut world = World::new(2, 11);
        world.weather = Weather { longest, ..FAIR };
        world.introduce(0, 1);
        world.deliver(0, 1, 4 << 20, 20 * SECOND);
        world.weather = Weather { direct: !relay, longest: 1452, ..FAIR };
        world.run(5 * SECOND);
        let before = world.launched;
        world.deliver(0, 1, 4 << 20, 60 * SECOND);
        world.launched - before
    };
    let usual = launched(1452, false);
    assert!(usual > (4 << 20) / 1400, "{usual}");
    assert!(launched(9000, false) > usual / 2, "the path has become smaller");
    assert!(launched(9000, true) > 64, "the relay's batches are full");
}

#[test]
fn a_path_of_jumbo_frames_takes_a_sixth_of_the_packets() {
    let launched = |longest| {
        let mut world = World::new(2, 12);
        world.weather = Weather { longest, ..FAIR };
        world.introduce(0, 1);
        world.deliver(0, 1, 4 << 20, 20 * SECOND);
        let before = world.launched;
        world.deliver(0, 1, 4 << 20, 20 * SECOND);
        world.launched - before
    };
    let (jumbo, usual) = (launched(9000), launched(1452));
    assert!(jumbo * 3 < usual, "{jumbo} of {usual}");
}

#[test]
fn a_stream_falls_back_to_the_relay_in_three_seconds_and_returns() {
    let (mut world, long) = talking(2);
    world.weather = Weather { direct: false, ..FAIR };
    let before = world.transfers[long].received;
    world.run(3 * SECOND);
    assert_eq!(world.status(0, 1).path, Some(Path::Relay));
    world.run(SECOND);
    assert!(world.transfers[long].received > before, "the stream goes on");
    world.weather = FAIR;
    let back = world.run_until(15 * SECOND, |world| world.status(0, 1).path == direct(world, 1));
    assert!(back, "the direct path is taken again");
    let before = world.transfers[long].received;
    world.run(SECOND);
    assert!(world.transfers[long].received > before);
}

#[test]
fn streams_survive_roaming() {
    let (mut world, long) = talking(3);
    for host in [0, 1, 0, 1] {
        world.roam(host);
        world.run(4 * SECOND);
        let before = world.transfers[long].received;
        world.run(SECOND);
        assert!(world.transfers[long].received > before, "after host {host} has moved");
    }
    assert_eq!(world.status(0, 1).path, direct(&world, 1));
    assert_eq!(world.status(1, 0).path, direct(&world, 0));
}

#[test]
fn roaming_without_a_relay_takes_the_new_address() {
    let (mut world, long) = talking(4);
    world.weather = Weather { relay: false, ..FAIR };
    world.roam(0);
    world.run(4 * SECOND);
    let before = world.transfers[long].received;
    world.run(SECOND);
    assert!(world.transfers[long].received > before);
}

#[test]
fn streams_fail_when_both_ways_are_gone() {
    let (mut world, long) = talking(5);
    world.weather = Weather { direct: false, relay: false, ..FAIR };
    let failed = world.run_until(20 * SECOND, |world| {
        let transfer = &world.transfers[long];
        transfer.sender == End::Failed && transfer.receiver == End::Failed
    });
    assert!(failed, "nothing hangs");
    world.weather = FAIR;
    world.deliver(0, 1, 100_000, 5 * SECOND);
}

#[test]
fn a_slow_direct_path_is_not_taken_for_a_dead_one() {
    let mut world = World::new(2, 11);
    world.weather = Weather { relay: false, delay_ms: 450, jitter_ms: 50, ..FAIR };
    world.introduce(0, 1);
    world.deliver(0, 1, 1000, 8 * SECOND);
    world.weather = Weather { relay: true, ..world.weather };
    world.throttle = true;
    let long = world.send(0, 1, u64::MAX / 2);
    for _ in 0..20 {
        world.run(SECOND);
        assert_eq!(world.status(0, 1).path, direct(&world, 1));
    }
    assert!(world.transfers[long].received > 50_000);
}

#[test]
fn a_short_outage_of_both_ways_loses_nothing() {
    let (mut world, long) = talking(6);
    world.weather = Weather { direct: false, relay: false, ..FAIR };
    world.run(8 * SECOND);
    world.weather = FAIR;
    let before = world.transfers[long].received;
    world.run(10 * SECOND);
    assert!(world.transfers[long].received > before);
}

#[test]
fn after_a_restart_old_streams_fail_and_new_ones_open_within_seconds() {
    for restarted in [0, 1] {
        let (mut world, long) = talking(7);
        world.restart(restarted);
        let (spec_0, spec_1) = (world.spec(0, true), world.spec(1, true));
        let now = world.now;
        let known = if restarted == 0 { &spec_1 } else { &spec_0 };
        world.hosts[restarted].node.set_peer(known, now);
        let began = world.elapsed();
        let over = world.run_until(6 * SECOND, |world| world.transfers[long].is_over());
        assert!(over, "the other end still hangs after a restart of host {restarted}");
        assert!(world.elapsed() - began < 6 * SECOND);
        world.deliver(0, 1, 10_000, 4 * SECOND);
        world.deliver(1, 0, 10_000, 4 * SECOND);
    }
}

#[test]
fn a_removed_peer_gets_not_one_packet_more() {
    let (mut world, long) = talking(8);
    let (key, now) = (world.hosts[1].node.key(), world.now);
    world.hosts[0].node.remove_peer(&key, now);
    world.run(SECOND / 10);
    assert_eq!(world.transfers[long].sender, End::Failed, "at the next write");
    assert_eq!(world.transfers[long].receiver, End::Failed, "the other is told");
    let (launched, again) = (world.launched_by(0), world.send(1, 0, 1000));
    world.run(30 * SECOND);
    assert_eq!(world.launched_by(0), launched, "nothing leaves for a removed peer");
    assert_eq!(world.transfers[again].received, 0);
    assert_eq!(world.hosts[0].lost, [key]);
}

#[test]
fn a_rest_of_hours_is_no_harm() {
    let (mut world, long) = talking(9);
    world.transfers.remove(long);
    world.run(SECOND);
    world.now += 5 * 3600 * SECOND;
    world.deliver(1, 0, 10_000, 5 * SECOND);
    world.deliver(0, 1, 10_000, 5 * SECOND);
}

#[test]
fn a_node_at_rest_sends_nothing() {
    let mut world = World::new(2, 10);
    world.introduce(0, 1);
    world.deliver(0, 1, 1000, 3 * SECOND);
    world.run(40 * SECOND);
    let launched = world.launched;
    world.run(600 * SECOND);
    assert_eq!(world.launched, launched);
}
