//! Graphs that were drawn before. A graph is of the configuration only, so that all builds of a
//! template's version share it, and a build starts one terraform less.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::graph::Graph;
use super::work::WorkDir;

/// Graphs that are kept, the last used: a graph has some kilobytes for each resource.
const KEPT: usize = 64;

/// What a graph was drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; 32]);

/// Graphs by what they were drawn from.
#[derive(Clone, Default)]
pub(super) struct Graphs(Arc<Mutex<Kept>>);

/// The last used comes last.
type Kept = VecDeque<(Key, Arc<Graph>)>;

/// What `terraform init` writes of the modules it fetched.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Manifest {
    modules: Vec<Module>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Module {
    source: String,
    version: String,
}

impl Key {
    /// The key of an unpacked template after `init`; none where a module may change under its
    /// name, as a branch of a repository does.
    pub(super) fn of(archive: &[u8], work: &WorkDir) -> Option<Self> {
        let path = work.template().join(".terraform/modules/modules.json");
        let manifest = std::fs::read(path).unwrap_or_default();
        let read: Manifest = match manifest.as_slice() {
            [] => Manifest::default(),
            bytes => serde_json::from_slice(bytes).ok()?,
        };
        let stays =
            |m: &Module| m.source.is_empty() || m.source.starts_with('.') || !m.version.is_empty();
        let hash = || Sha256::new_with_prefix(archive).chain_update(&manifest).finalize();
        read.modules.iter().all(stays).then(|| Self(hash().into()))
    }
}

impl Graphs {
    pub(super) fn find(&self, key: Key) -> Option<Arc<Graph>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(k, _)| *k == key)?;
        let found = all.remove(at)?;
        let graph = Arc::clone(&found.1);
        all.push_back(found);
        Some(graph)
    }

    pub(super) fn keep(&self, key: Key, graph: &Arc<Graph>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(k, _)| *k != key);
        all.push_back((key, Arc::clone(graph)));
        while all.len() > KEPT {
            all.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_are_kept() {
        let (graphs, key) = (Graphs::default(), |n: usize| Key([u8::try_from(n).unwrap(); 32]));
        for n in 0..=KEPT {
            graphs.keep(key(n), &Arc::default());
            assert!(graphs.find(key(0)).is_some(), "it is used all the time");
        }
        assert!(graphs.find(key(1)).is_none());
        assert!(graphs.find(key(KEPT)).is_some());
    }
}
