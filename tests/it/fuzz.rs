//! Every input that fuzzing kept is read again, and small changes of it.

#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use steading::clock::Entropy;

/// Changes of each kept input. Coverage finds what these miss: `.ci/fuzz`.
const CHANGES: usize = 48;
/// Longer inputs are read as they are: their changes would take the time of all others.
const MAX_CHANGED: usize = 8 << 10;

fn kept(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// The input with a few bytes changed, cut out, or put in from elsewhere in it.
fn change(input: &[u8], chance: &Entropy) -> Vec<u8> {
    let mut out = input.to_vec();
    let below = |n: usize| u32::from_be_bytes(chance.bytes()) as usize % n.max(1);
    for _ in 0..=below(3) {
        let (at, length) = (below(out.len() + 1), below(16));
        let end = (at + length).min(out.len());
        match below(4) {
            0 if at < out.len() => out[at] ^= 1 << below(8),
            1 if at < out.len() => out[at] = chance.bytes::<1>()[0],
            2 => drop(out.drain(at..end)),
            _ => {
                let from = below(input.len() + 1);
                let piece = &input[from..(from + length).min(input.len())];
                out.splice(at..at, piece.iter().copied());
            }
        }
    }
    out
}

#[test]
fn kept_inputs_and_their_neighbours_are_read() {
    for (name, run) in targets::ALL {
        let inputs = kept(name);
        assert!(!inputs.is_empty(), "{name} has no kept input");
        for (path, input) in &inputs {
            let chance = Entropy::seeded(input.len() as u64);
            let changes = if input.len() > MAX_CHANGED { 0 } else { CHANGES };
            let all =
                std::iter::once(input.clone()).chain((0..changes).map(|_| change(input, &chance)));
            for tried in all {
                let done = catch_unwind(AssertUnwindSafe(|| run(&tried)));
                assert!(done.is_ok(), "{} or a change of it: {tried:?}", path.display());
            }
        }
    }
}

#[test]
fn every_kept_input_has_a_target_and_every_target_a_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let names = |dir: &str| -> Vec<String> {
        let entries = std::fs::read_dir(root.join(dir)).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<String> = entries.map(|e| stem(e.unwrap().path())).collect();
        names.sort();
        names
    };
    let targets: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("bin"), targets);
}
