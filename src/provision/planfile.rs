//! Terraform's plan file, read without a `terraform show`, which takes as long as the plan itself.
//! The form is Terraform's own and may change: whoever reads it must have another way.
//!
//! A zip archive: `tfplan` is protobuf (`internal/plans/planproto/planfile.proto`, version 3, the
//! same from 1.3 to 1.11 and in `OpenTofu`), `tfstate` the state before the changes in its stored form.

use std::io::{Cursor, Read as _};

use prost::Message;
use rmpv::Value as Packed;
use serde_json::{Map, Value as Json};

use super::graph::strip_indices;
use super::plan::{self, Object};

/// The only version there is.
const VERSION: u64 = 3;
/// Most bytes of an unpacked entry: what a template plans is far smaller.
const MAX_ENTRY: u64 = 256 << 20;
/// Deepest value that is read, two for each level: as deep as JSON is read, for each takes stack.
const MAX_DEPTH: usize = 256;

#[derive(Clone, PartialEq, Message)]
struct Plan {
    #[prost(uint64, tag = "1")]
    version: u64,
    #[prost(message, repeated, tag = "3")]
    resource_changes: Vec<ResourceChange>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceChange {
    #[prost(string, tag = "7")]
    deposed_key: String,
    #[prost(message, optional, tag = "9")]
    change: Option<Change>,
    #[prost(string, tag = "13")]
    address: String,
}

#[derive(Clone, PartialEq, Message)]
struct Change {
    #[prost(int32, tag = "1")]
    action: i32,
    #[prost(message, repeated, tag = "2")]
    values: Vec<DynamicValue>,
}

#[derive(Clone, PartialEq, Message)]
struct DynamicValue {
    #[prost(bytes = "vec", tag = "1")]
    msgpack: Vec<u8>,
}

/// Actions that leave nothing: `DELETE`, `FORGET`.
const LEAVES_NOTHING: [i32; 2] = [5, 8];

/// What a plan would leave: what it plans, and what it has read; as [`plan::planned`] has it. None
/// when the file is not of the form that is known here.
pub fn read(file: &[u8]) -> Option<Vec<Object>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).ok()?;
    let plan = Plan::decode(entry(&mut archive, "tfplan")?.as_slice()).ok()?;
    if plan.version != VERSION {
        return None;
    }
    let mut objects = Vec::new();
    for changed in plan.resource_changes {
        let change = changed.change?;
        if !changed.deposed_key.is_empty() || LEAVES_NOTHING.contains(&change.action) {
            continue;
        }
        objects.push(object(changed.address, &change)?);
    }
    let read = plan::stored(&entry(&mut archive, "tfstate")?).ok()?;
    // What it reads at apply is planned; what it has read is in the state.
    objects.extend(read.into_iter().filter(|o| o.is_data));
    plan::sort(&mut objects);
    Some(objects)
}

fn entry(archive: &mut zip::ZipArchive<Cursor<&[u8]>>, name: &str) -> Option<Vec<u8>> {
    let entry = archive.by_name(name).ok()?;
    let mut bytes = Vec::new();
    entry.take(MAX_ENTRY).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The object as it will be: the last of a change's values.
fn object(address: String, change: &Change) -> Option<Object> {
    let mut packed = change.values.last()?.msgpack.as_slice();
    let packed = rmpv::decode::read_value_with_max_depth(&mut packed, MAX_DEPTH).ok()?;
    let Some(Json::Object(values)) = json(packed)? else { return None };
    let node = strip_indices(&address);
    let mut parts = node.split('.').peekable();
    while parts.next_if_eq(&"module").is_some() {
        parts.next()?;
    }
    let is_data = parts.next_if_eq(&"data").is_some();
    let (kind, name) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some(Object { node, address, is_data, kind, name, values })
}

/// A packed value as JSON; inside, none for what is not known yet, which is left out of objects as
/// `terraform show` leaves it out.
#[expect(clippy::option_option, reason = "unreadable and unknown are two things")]
fn json(packed: Packed) -> Option<Option<Json>> {
    Some(Some(match packed {
        Packed::Ext(..) => return Some(None),
        Packed::Nil => Json::Null,
        Packed::Boolean(b) => b.into(),
        Packed::Integer(n) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => n.into(),
            (None, Some(n)) => n.into(),
            (None, None) => return None,
        },
        Packed::F32(f) => serde_json::Number::from_f64(f.into())?.into(),
        Packed::F64(f) => serde_json::Number::from_f64(f)?.into(),
        Packed::String(text) => text.into_str()?.into(),
        Packed::Binary(_) => return None,
        // Of a dynamic type: the type as JSON, and the value.
        Packed::Array(all) if matches!(all.as_slice(), [Packed::Binary(_), _]) => {
            return json(all.into_iter().nth(1)?);
        }
        Packed::Array(all) => {
            let all = all.into_iter().map(|v| Some(json(v)?.unwrap_or(Json::Null)));
            Json::Array(all.collect::<Option<_>>()?)
        }
        Packed::Map(fields) => {
            let mut map = Map::new();
            for (key, value) in fields {
                if let Some(value) = json(value)? {
                    map.insert(key.as_str()?.to_owned(), value);
                }
            }
            Json::Object(map)
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    const TEMPLATE: &str = r#"
variable "words" {
  type    = map(object({ n = number, on = bool, of = list(string) }))
  default = { "a.b" = { n = 1.5, on = true, of = ["x", "y"] }, "c\"]" = { n = 7, on = false, of = [] } }
}
resource "terraform_data" "each" {
  for_each = var.words
  input    = each.value
}
resource "terraform_data" "counted" {
  count            = 2
  input            = { big = 123456789012345, after = terraform_data.each["a.b"].id, none = null }
  triggers_replace = [count.index]
}
resource "terraform_data" "gone" {
  count = 0
}
module "inner" {
  source   = "./inner"
  for_each = toset(["x.y"])
}
"#;
    const INNER: &str = "resource \"terraform_data\" \"deep\" {\n  input = sensitive(\"s\")\n}\n";

    fn terraform(dir: &Path, args: &[&str]) -> Vec<u8> {
        let mut command = Command::new("terraform");
        command.args(args).current_dir(dir).env("CHECKPOINT_DISABLE", "1").env("HOME", dir);
        let done = command.env_remove("TF_CLI_CONFIG_FILE").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    /// What is read here is what `terraform show` says.
    fn compare(dir: &Path) -> usize {
        terraform(dir, &["plan", "-input=false", "-out=p"]);
        let ours = read(&std::fs::read(dir.join("p")).unwrap()).expect("the form is known");
        let theirs = plan::planned(&terraform(dir, &["show", "-json", "p"])).unwrap();
        assert_eq!(format!("{ours:#?}"), format!("{theirs:#?}"));
        ours.len()
    }

    #[test]
    fn a_plan_is_read_as_terraform_shows_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("inner")).unwrap();
        std::fs::write(dir.path().join("inner/main.tf"), INNER).unwrap();
        std::fs::write(dir.path().join("main.tf"), TEMPLATE).unwrap();
        terraform(dir.path(), &["init", "-input=false"]);
        assert_eq!(compare(dir.path()), 5, "what is new");
        terraform(dir.path(), &["apply", "-input=false", "p"]);
        assert_eq!(compare(dir.path()), 5, "what stays");
        let less = TEMPLATE.replace("= 2", "= 1").replace("1.5", "2.5");
        std::fs::write(dir.path().join("main.tf"), less).unwrap();
        assert_eq!(compare(dir.path()), 4, "what changes and what goes");
    }

    #[test]
    fn what_is_no_plan_is_left_to_terraform() {
        assert!(read(b"").is_none());
        assert!(read(b"PK\x03\x04 not a zip").is_none());
    }
}
