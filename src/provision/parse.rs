//! What the text of a template's root module says, without running Terraform.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hcl::eval::Context;
use serde_json::Value as Json;

use super::job::Failure;
use super::source::{self, Source, evaluate};
use crate::model::parameter::Variable;

/// Largest README kept. It is shown on a page, and nobody reads more.
const MAX_README_BYTES: usize = 1 << 20;

/// A template's root module.
#[derive(Debug)]
pub struct Parsed {
    /// Its variables, with the values they will have.
    pub variables: Vec<Variable>,
    /// The names of its `coder_parameter` blocks, as they appear.
    pub parameters: Vec<String>,
    /// Its provisioner tags.
    pub tags: BTreeMap<String, String>,
    /// The text of its README.md.
    pub readme: String,
    /// Terraform has to fetch something before it can plan: modules, or providers of others.
    pub needs_init: bool,
    /// What the template says about the version of `coder/coder`, when none of those will do.
    pub old_coder: Option<String>,
    /// Names of variables that a file of the template itself assigns.
    assigned: BTreeSet<String>,
}

/// Reads the template in `dir`; `given` are the values of variables.
pub fn parse(dir: &Path, given: &BTreeMap<String, String>) -> Result<Parsed, Failure> {
    let names = file_names(dir)?;
    let mut source = Source::default();
    for name in names.iter().filter(|name| is_config(name)) {
        let text = read(&dir.join(name), name)?;
        if name.ends_with(".json") {
            source::json::add(&mut source, &text, name)?;
        } else {
            source::hcl::add(&mut source, &text, name)?;
        }
    }
    if source.files == 0 {
        let why = "the template has no .tf file at its top; pack the directory that holds main.tf";
        return Err(Failure::Template(why.to_owned()));
    }
    let assigned = assigned(dir, &names)?;
    let variables: Vec<Variable> = source
        .variables
        .iter()
        .map(|v| {
            let value = given.get(&v.name).unwrap_or(&v.default_value).clone();
            Variable { value, ..v.clone() }
        })
        .collect();
    let tags = tags(&source, &variables)?;
    if source.lacks_coder() {
        let why = "the template does not say where coder comes from; add \
                   terraform { required_providers { coder = { source = \"coder/coder\" } } }";
        return Err(Failure::Template(why.to_owned()));
    }
    let readme = names.iter().find(|n| n.eq_ignore_ascii_case("README.md"));
    let mut readme = match readme {
        Some(name) => read(&dir.join(name), name)?,
        None => String::new(),
    };
    readme.truncate(readme.floor_char_boundary(MAX_README_BYTES));
    let parameters = source.parameters.iter().map(|(name, _)| name.clone()).collect();
    let (needs_init, old_coder) =
        (source.needs_init(), source.wants_old_coder().map(str::to_owned));
    Ok(Parsed { variables, parameters, tags, readme, needs_init, old_coder, assigned })
}

impl Parsed {
    /// The first variable that has no value.
    pub fn missing(&self, given: &BTreeMap<String, String>) -> Option<&str> {
        let has_value = |v: &Variable| {
            !v.required || given.contains_key(&v.name) || self.assigned.contains(&v.name)
        };
        self.variables.iter().find(|v| !has_value(v)).map(|v| v.name.as_str())
    }

    /// The given values as a file of Terraform's: values are secrets, and arguments can be seen by
    /// everyone on the machine.
    pub fn values_file(&self, given: &BTreeMap<String, String>) -> Result<String, Failure> {
        let mut out = serde_json::Map::new();
        for variable in &self.variables {
            let Some(text) = given.get(&variable.name) else { continue };
            out.insert(variable.name.clone(), typed(variable, text)?);
        }
        Ok(Json::Object(out).to_string())
    }
}

/// Terraform turns texts into numbers and switches itself; anything larger is an expression.
fn typed(variable: &Variable, text: &str) -> Result<Json, Failure> {
    if matches!(variable.kind.as_str(), "string" | "number" | "bool") {
        return Ok(text.into());
    }
    let value = text
        .parse::<hcl::Expression>()
        .ok()
        .and_then(|e| evaluate::alone(&e).ok())
        .and_then(|v| serde_json::to_value(v).ok());
    value.ok_or_else(|| {
        let (name, kind) = (&variable.name, &variable.kind);
        Failure::Template(format!("the value of the variable {name:?} is not a {kind}"))
    })
}

fn file_names(dir: &Path) -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(dir).map_err(anyhow::Error::new)?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_file()))
        .filter_map(|e| e.file_name().into_string().ok())
        .collect();
    // What overrides comes last, as in Terraform.
    names.sort_by_key(|name| (is_override(name), name.clone()));
    Ok(names)
}

fn is_config(name: &str) -> bool {
    (name.ends_with(".tf") || name.ends_with(".tf.json")) && !name.starts_with('.')
}

fn is_override(name: &str) -> bool {
    let stem = name.trim_end_matches(".json").trim_end_matches(".tf");
    stem == "override" || stem.ends_with("_override")
}

fn read(path: &PathBuf, name: &str) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(anyhow::Error::new)?;
    String::from_utf8(bytes).map_err(|_| Failure::Template(format!("{name} is not UTF-8 text")))
}

/// The variables that files such as `terraform.tfvars` assign.
fn assigned(dir: &Path, names: &[String]) -> Result<BTreeSet<String>, Failure> {
    let mut out = BTreeSet::new();
    for name in names {
        let plain = name.trim_end_matches(".json");
        if plain != "terraform.tfvars" && !plain.ends_with(".auto.tfvars") {
            continue;
        }
        let text = read(&dir.join(name), name)?;
        if name.ends_with(".json") {
            let json: serde_json::Map<String, Json> = serde_json::from_str(&text)
                .map_err(|e| Failure::Template(format!("{name}: {e}")))?;
            out.extend(json.into_iter().map(|(k, _)| k));
        } else {
            let body = hcl::parse(&text).map_err(|e| Failure::Template(format!("{name}: {e}")))?;
            out.extend(body.attributes().map(|a| a.key().to_owned()));
        }
    }
    Ok(out)
}

/// Evaluates the tags with what is known before any plan. They decide who plans, so they cannot
/// need a plan.
fn tags(source: &Source, variables: &[Variable]) -> Result<BTreeMap<String, String>, Failure> {
    let mut context = Context::new();
    let vars: hcl::Map<String, hcl::Value> = variables
        .iter()
        .filter(|v| evaluate::is_short(&v.value))
        .map(|v| (v.name.clone(), source::value_of(&v.kind, &v.value)))
        .collect();
    context.declare_var("var", hcl::Value::Object(vars));
    let parameters: hcl::Map<String, hcl::Value> = source
        .parameters
        .iter()
        .map(|(name, default)| {
            let value = default.as_ref().and_then(|e| evaluate::with(e, &context).ok());
            let value =
                value.and_then(|v| source::text_of(&v)).filter(|text| evaluate::is_short(text));
            let value = value.unwrap_or_default();
            let fields = hcl::Map::from_iter([("value".to_owned(), value.into())]);
            (name.clone(), hcl::Value::Object(fields))
        })
        .collect();
    let data =
        hcl::Map::from_iter([("coder_parameter".to_owned(), hcl::Value::Object(parameters))]);
    context.declare_var("data", hcl::Value::Object(data));

    let mut out = BTreeMap::new();
    for (key, expression) in &source.tags {
        let key = evaluate::with(key, &context)
            .ok()
            .and_then(|k| source::text_of(&k))
            .unwrap_or_default();
        let wrong =
            |why: &str| Failure::Template(format!("coder_workspace_tags: the tag {key:?} {why}"));
        let value = evaluate::with(expression, &context).map_err(|e| {
            wrong(&format!(
                "may only use variables, parameters' values and literals: {}",
                e.lines().next().unwrap_or_default()
            ))
        })?;
        let text = source::text_of(&value).filter(|t| !t.is_empty());
        let text = text.ok_or_else(|| wrong("has no value"))?;
        if out.insert(key.clone(), text).is_some() {
            return Err(wrong("is there twice"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(files: &[(&str, &str)], given: &[(&str, &str)]) -> Result<Parsed, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        parse(dir.path(), &given).map_err(|e| e.to_string())
    }

    const MAIN: &str = r#"
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
variable "zone" {
  description = "Where"
  default     = "eu"
}
variable "nets" {
  type    = list(object({ a = string }))
  default = [{ a = "x" }]
}
variable "key" {
  type      = string
  sensitive = true
}
data "coder_parameter" "b" { name = "bee" }
data "coder_parameter" "a" {
  name    = "ay"
  default = "${var.zone}-1"
}
data "coder_workspace_tags" "t" {
  tags = {
    zone     = var.zone
    (var.zone) = data.coder_parameter.a.value
    "k" = true ? "yes" : "no"
  }
}
resource "terraform_data" "x" {}
"#;

    #[test]
    fn variables_parameters_and_tags_are_read() {
        let p = parsed(&[("main.tf", MAIN), ("readme.MD", "# Hi")], &[("zone", "us")]).unwrap();
        let names: Vec<&str> = p.variables.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["zone", "nets", "key"]);
        assert_eq!(
            (p.variables[0].value.as_str(), p.variables[0].default_value.as_str()),
            ("us", "eu")
        );
        assert_eq!(p.variables[1].kind, "list(object({ a = string }))");
        assert_eq!(p.variables[1].default_value, r#"[{"a":"x"}]"#);
        assert!(p.variables[2].required && p.variables[2].sensitive);
        assert_eq!(p.parameters, ["b", "a"]);
        assert_eq!(p.tags["zone"], "us");
        assert_eq!(p.tags["us"], "us-1");
        assert_eq!(p.tags["k"], "yes");
        assert_eq!(p.readme, "# Hi");
        assert!(!p.needs_init);
        assert_eq!(p.missing(&BTreeMap::new()), Some("key"));
    }

    #[test]
    fn files_may_assign_variables() {
        let p = parsed(&[("main.tf", MAIN), ("x.auto.tfvars", "key = \"k\"")], &[]).unwrap();
        assert_eq!(p.missing(&BTreeMap::new()), None);
    }

    #[test]
    fn values_are_written_in_their_types() {
        let p = parsed(&[("main.tf", MAIN)], &[]).unwrap();
        let given = |v: &str| {
            BTreeMap::from([("nets".to_owned(), v.to_owned()), ("zone".into(), "[1]".into())])
        };
        let file = p.values_file(&given("[{a=\"q\"}]")).unwrap();
        assert_eq!(file, r#"{"nets":[{"a":"q"}],"zone":"[1]"}"#);
        assert!(p.values_file(&given("[")).unwrap_err().to_string().contains("\"nets\""));
    }

    #[test]
    fn tags_are_evaluated_without_functions_and_other_data() {
        let tag = |expression: &str| {
            let text = format!(
                "data \"coder_workspace_tags\" \"t\" {{\n tags = {{ a = {expression} }}\n}}"
            );
            parsed(&[("main.tf", &text)], &[]).unwrap_err()
        };
        assert!(tag("lower(\"X\")").contains("\"a\" may only use"));
        assert!(tag("data.coder_workspace.me.name").contains("\"a\" may only use"));
        assert!(tag("\"\"").contains("\"a\" has no value"));
    }

    #[test]
    fn init_is_needed_for_modules_and_for_providers_of_others() {
        let needs = |text: &str| parsed(&[("main.tf", text)], &[]).unwrap().needs_init;
        assert!(needs("module \"m\" {\n source = \"./m\"\n}"));
        assert!(needs("resource \"docker_image\" \"x\" {}"));
        assert!(needs("terraform {\n backend \"s3\" {}\n}"));
        assert!(needs("provider \"aws\" {}"));
        assert!(!needs("resource \"terraform_data\" \"x\" {}"));
    }

    #[test]
    fn a_template_says_which_coder_it_wants() {
        let wants = |version: &str| {
            let text = format!(
                "terraform {{\n required_providers {{\n coder = {{\n source = \"coder/coder\"\n version = \"{version}\"\n}}\n}}\n}}"
            );
            parsed(&[("main.tf", &text)], &[]).unwrap().old_coder.is_some()
        };
        for old in ["~> 0.12", "0.23.0", "= 1.0.4", "~> 1.0, >= 1.0.2", "< 2.0.0", ">= 0.7, < 2"] {
            assert!(wants(old), "{old}");
        }
        for new in ["~> 2.0", ">= 0.12", "~> 1", "2.1.3", "<= 2.5", "< 2.1", "< 3", "> 1.0, != 2.0"]
        {
            assert!(!wants(new), "{new}");
        }
        let nowhere = "resource \"coder_agent\" \"a\" {}";
        let why = parsed(&[("main.tf", nowhere)], &[]).unwrap_err();
        assert!(why.contains("source = \"coder/coder\""), "{why}");
    }

    #[test]
    fn json_says_the_same() {
        let json = r#"{
          "terraform": {"required_providers": {"coder": {"source": "coder/coder"}}},
          "variable": {"zone": {"default": "eu"}, "key": {"type": "string", "sensitive": true}},
          "data": {"coder_parameter": {"a": {"name": "ay", "default": "x"}},
                   "coder_workspace_tags": {"t": {"tags": {"zone": "${var.zone}", "p": "${data.coder_parameter.a.value}!"}}}}
        }"#;
        let p = parsed(&[("main.tf.json", json)], &[]).unwrap();
        assert_eq!(p.variables.len(), 2);
        assert_eq!(p.parameters, ["a"]);
        assert_eq!((p.tags["zone"].as_str(), p.tags["p"].as_str()), ("eu", "x!"));
        assert!(!p.needs_init);
    }

    #[test]
    fn a_wrong_file_is_named_with_its_line() {
        let why = parsed(&[("main.tf", "variable \"a\" {\n  default = \n}")], &[]).unwrap_err();
        assert!(why.contains("main.tf") && why.contains("line 2"), "{why}");
        assert!(parsed(&[("README.md", "x")], &[]).unwrap_err().contains("no .tf file"));
    }
}
