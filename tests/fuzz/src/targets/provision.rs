//! What template authors and Terraform hand over: archives, templates, plans, states, values.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use steading::provision::graph::{Graph, Walk};
use steading::provision::plan::{self, Object};
use steading::provision::provider::value::{Type, Value};
use steading::provision::{parse, planfile, says, unpack};

/// A directory that is empty for each input and gone after it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let thread = format!("{:?}", std::thread::current().id());
        let name =
            format!("steading-fuzz-{}-{}", std::process::id(), thread.replace(['(', ')'], ""));
        let dir = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("in")).expect("the temporary directory is writable");
        Self(dir)
    }

    fn inside(&self) -> PathBuf {
        self.0.join("in")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An archive unpacks into its own directory: files and directories, no more bytes than it has.
pub fn archive(data: &[u8]) {
    let scratch = Scratch::new();
    let unpacked = unpack::unpack(data, &scratch.inside());
    let outside = std::fs::read_dir(&scratch.0).expect("the directory is there").count();
    assert_eq!(outside, 1, "something lies beside the directory");
    let bytes = sum(&scratch.inside());
    assert!(bytes <= data.len() as u64, "{bytes} bytes out of {}", data.len());
    if unpacked.is_ok() {
        let _ = parse::parse(&scratch.inside(), &BTreeMap::new());
    }
}

fn sum(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("what was unpacked can be read");
    entries
        .map(|entry| {
            let path = entry.expect("what was unpacked can be read").path();
            let meta = path.symlink_metadata().expect("what was unpacked can be read");
            assert!(meta.is_dir() || meta.is_file(), "{path:?} is neither a file nor a directory");
            assert_eq!(meta.mode() & 0o7077, 0, "{path:?} is open to others");
            if meta.is_dir() { sum(&path) } else { meta.len() }
        })
        .sum()
}

/// A template is read or refused; the values of its variables fit it.
pub fn template(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let scratch = Scratch::new();
    let name = match kind % 4 {
        0 => "main.tf.json",
        1 => "terraform.tfvars",
        2 => "override.tf",
        _ => "main.tf",
    };
    let write = |name: &str, text: &[u8]| {
        std::fs::write(scratch.inside().join(name), text).expect("the directory is writable");
    };
    if kind % 4 == 1 || kind % 4 == 2 {
        write("main.tf", b"variable \"a\" {}\n");
    }
    write(name, text);
    let none = BTreeMap::new();
    let Ok(parsed) = parse::parse(&scratch.inside(), &none) else { return };
    let _ = parsed.missing(&none);
    let given = parsed.variables.iter().map(|v| (v.name.clone(), v.default_value.clone()));
    let given: BTreeMap<String, String> = given.collect();
    let again =
        parse::parse(&scratch.inside(), &given).expect("values do not change what is written");
    assert_eq!(again.missing(&given), None);
    let _ = again.values_file(&given);
}

/// Plans, states, graphs and lines of Terraform's, whatever they hold.
pub fn plan_and_state(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    match kind % 5 {
        0 => objects(plan::planned(text).ok()),
        1 => {
            let stored = plan::stored(text).ok();
            let is_read = stored.is_some();
            assert!(is_read || !plan::is_state(text) && !plan::is_empty_state(text));
            if plan::is_empty_state(text) {
                assert!(stored.iter().flatten().all(|o| o.is_data));
            }
            let _ = plan::providers_of_state(text);
            objects(stored);
        }
        2 => objects(planfile::read(text)),
        3 => {
            let graph = Graph::parse(&String::from_utf8_lossy(text));
            for walk in [Walk::Along, Walk::Against] {
                let nearest = graph.nearest("a", walk, |name| name != "b");
                assert!(nearest.is_none_or(|name| name != "a" && name != "b"));
            }
        }
        _ => {
            let mut times = says::Times::default();
            for line in String::from_utf8_lossy(text).lines() {
                let line = says::understand(line);
                line.event.into_iter().for_each(|event| times.add(event));
            }
            let under_way = times.under_way().len();
            assert!(under_way + times.timings("apply").count() <= text.len());
        }
    }
}

/// Objects come in order, each once; every question about them has an answer.
fn objects(found: Option<Vec<Object>>) {
    let Some(found) = found else { return };
    assert!(found.is_sorted_by(|a, b| a.address < b.address));
    for object in &found {
        for attribute in object.values.keys() {
            let _ = (object.text(attribute), object.int(attribute), object.bool(attribute));
            let _ = (object.map(attribute), object.blocks(attribute).count());
        }
        let _ = object.is_resource();
    }
}

/// Values say the same when they are written and read again.
pub fn values(data: &[u8]) {
    let Ok(value) = Value::from_msgpack(data) else { return };
    let _ = (value.is_known(), value.int(), value.list().len(), value.entries().count());
    if let Some(of) = type_of(&value) {
        let packed = value.to_msgpack(&of);
        assert_eq!(Value::from_msgpack(&packed).as_ref(), Ok(&value));
    }
    if let Ok(json) = serde_json::from_slice(data) {
        let of = Type::List(Box::new(Type::text_map()));
        let _ = Value::from_json(&json, &of).to_msgpack(&of);
    }
}

/// A type that a value has whole; none when its elements are of several kinds.
fn type_of(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Null | Value::Unknown | Value::Text(_) => Type::Text,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Number,
        Value::Float(f) => (!f.is_nan()).then_some(Type::Number)?,
        // It is written in digits, as Terraform does.
        Value::Big(_) => return None,
        Value::List(all) => Type::List(Box::new(common(all.iter())?)),
        Value::Map(all) => Type::Map(Box::new(common(all.values())?)),
    })
}

fn common<'a>(all: impl Iterator<Item = &'a Value>) -> Option<Type> {
    let mut common = None;
    for value in all.filter(|v| !matches!(v, Value::Null | Value::Unknown)) {
        let of = type_of(value)?;
        if common.as_ref().is_some_and(|known| *known != of) {
            return None;
        }
        common = Some(of);
    }
    Some(common.unwrap_or(Type::Text))
}
