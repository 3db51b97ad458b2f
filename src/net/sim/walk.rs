//! Much goes wrong at random: what arrives is right, and nothing hangs.

use std::time::Duration;

use super::{FAIR, Weather, World};

const SECOND: Duration = Duration::from_secs(1);
const STEPS: usize = 40;
/// Each takes a tenth of a second; hundreds more have passed.
const SEEDS: u64 = 24;

fn weather(world: &World) -> Weather {
    let rng = &world.rng;
    Weather {
        direct: !rng.chance(25),
        relay: !rng.chance(25),
        loss: [0, 0, 1, 5, 20][usize::try_from(rng.below(5)).unwrap()],
        twice: rng.below(10),
        delay_ms: 1 + rng.below(60),
        jitter_ms: rng.below(30),
        longest: if world.rng.chance(20) { 9000 } else { 1452 },
    }
}

fn step(world: &mut World) {
    let count = world.hosts.len() as u64;
    let pick = |n: u64| usize::try_from(n).unwrap();
    let a = pick(world.rng.below(count));
    let b = (a + 1 + pick(world.rng.below(count - 1))) % world.hosts.len();
    match world.rng.below(12) {
        0..=4 => {
            let length = world.rng.below(200_000);
            world.send(a, b, length);
        }
        5..=6 => world.weather = weather(world),
        7 => {
            world.restart(a);
            world.introduce_all();
        }
        8 => world.roam(a),
        9 => {
            let (key, now) = (world.hosts[b].node.key(), world.now);
            world.hosts[a].node.remove_peer(&key, now);
        }
        10 => world.introduce(a, b),
        _ => {
            let minutes = u32::try_from(world.rng.below(30)).unwrap();
            if world.rng.chance(10) {
                world.now += minutes * 60 * SECOND;
            }
        }
    }
    let millis = world.rng.below(3000);
    world.run(Duration::from_millis(millis));
}

fn walk(seed: u64, hosts: usize) {
    let mut world = World::new(hosts, seed);
    world.introduce_all();
    for _ in 0..STEPS {
        step(&mut world);
    }
    world.weather = FAIR;
    world.introduce_all();
    let quiet = world.run_until(60 * SECOND, |world| world.transfers.iter().all(|t| t.is_over()));
    let hanging: Vec<_> = world.transfers.iter().filter(|transfer| !transfer.is_over()).collect();
    assert!(quiet, "seed {seed}: {hanging:?}");
    for a in 0..hosts {
        for b in (0..hosts).filter(|b| *b != a) {
            world.deliver(a, b, 50_000, 30 * SECOND);
        }
    }
}

#[test]
fn two_hosts_in_any_weather() {
    for seed in 0..SEEDS {
        walk(seed, 2);
    }
}

#[test]
fn five_hosts_in_any_weather() {
    for seed in 100..100 + SEEDS / 4 {
        walk(seed, 5);
    }
}
