//! One table per resource drives its schema, its checks and its plan.

use std::collections::BTreeMap;

use super::proto::{
    AttributePath, Diagnostic, NestedBlock, SchemaAttribute, SchemaBlock, SchemaOf, Step,
};
use super::value::{Type, Value};

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The template must.
    Required,
    /// The template may.
    Optional,
    /// The template may, else the provider does.
    OptionalComputed,
    /// The provider.
    Computed,
}

/// Whether a block's repetitions have an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// They do.
    List,
    /// They do not.
    Set,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Fine,
    /// The value cannot be used.
    Bad(String),
}

/// Looks at a known value that is not null.
pub type Check = fn(&Value) -> Verdict;

/// An attribute. Every attribute that a template may set forces a replacement.
#[derive(Clone)]
pub struct Attribute {
    name: &'static str,
    kind: Type,
    source: Source,
    default: Option<Value>,
    sensitive: bool,
    check: Option<Check>,
}

/// An attribute that the template must set.
pub fn required(name: &'static str, kind: Type) -> Attribute {
    attribute(name, kind, Source::Required)
}

/// An attribute that the template may set.
pub fn optional(name: &'static str, kind: Type) -> Attribute {
    attribute(name, kind, Source::Optional)
}

/// An attribute that the provider sets.
pub fn computed(name: &'static str, kind: Type) -> Attribute {
    attribute(name, kind, Source::Computed)
}

/// An attribute that the provider sets where the template does not.
pub fn optional_computed(name: &'static str, kind: Type) -> Attribute {
    attribute(name, kind, Source::OptionalComputed)
}

/// An attribute with a default. It is not called computed: `terraform test` invents values for
/// what is, and the tests of published modules count on defaults that are left alone.
pub fn defaulted(name: &'static str, kind: Type, value: impl Into<Value>) -> Attribute {
    Attribute { default: Some(value.into()), ..optional(name, kind) }
}

fn attribute(name: &'static str, kind: Type, source: Source) -> Attribute {
    Attribute { name, kind, source, default: None, sensitive: false, check: None }
}

impl Attribute {
    /// Is not shown.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Its values are looked at.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    fn wire(&self) -> SchemaAttribute {
        let (required, optional, computed) = match self.source {
            Source::Required => (true, false, false),
            Source::Optional => (false, true, false),
            Source::OptionalComputed => (false, true, true),
            Source::Computed => (false, false, true),
        };
        SchemaAttribute {
            name: self.name.to_owned(),
            kind: self.kind.json().to_string().into_bytes(),
            required,
            optional,
            computed,
            sensitive: self.sensitive,
        }
    }

    fn planned(&self, config: &Value, prior: &Value) -> Value {
        let given = config.get(self.name);
        if self.source != Source::Computed && !given.is_null() {
            return given.clone();
        }
        match (&self.default, self.source) {
            (Some(default), _) => default.clone(),
            (None, Source::Required | Source::Optional) => Value::Null,
            (None, Source::Computed | Source::OptionalComputed) if prior.is_null() => {
                Value::Unknown
            }
            (None, Source::Computed | Source::OptionalComputed) => prior.get(self.name).clone(),
        }
    }
}

/// A block inside a resource.
#[derive(Clone)]
pub struct Block {
    name: &'static str,
    nesting: Nesting,
    min: i64,
    max: i64,
    inner: Schema,
}

/// A block that may be there any number of times; 0 for no most.
pub fn block(name: &'static str, nesting: Nesting, max: i64, inner: Schema) -> Block {
    Block { name, nesting, min: 0, max, inner }
}

impl Block {
    /// Has to be there at least once.
    #[must_use]
    pub fn at_least_once(mut self) -> Self {
        self.min = 1;
        self
    }
}

/// Attributes that exclude others.
pub type Conflicts = &'static [(&'static str, &'static [&'static str])];

/// A resource, a data source, a block or a provider.
#[derive(Clone, Default)]
pub struct Schema {
    version: i64,
    attributes: Vec<Attribute>,
    blocks: Vec<Block>,
    conflicts: Conflicts,
}

impl Schema {
    /// A schema of this version.
    #[must_use]
    pub fn new(version: i64, attributes: Vec<Attribute>) -> Self {
        Self { version, attributes, ..Self::default() }
    }

    /// With blocks inside.
    #[must_use]
    pub fn blocks(mut self, blocks: Vec<Block>) -> Self {
        self.blocks = blocks;
        self
    }

    /// With attributes that exclude others.
    #[must_use]
    pub fn conflicts(mut self, conflicts: Conflicts) -> Self {
        self.conflicts = conflicts;
        self
    }

    /// With the `id` that every resource of the old plugin kit has.
    #[must_use]
    pub fn with_id(mut self) -> Self {
        self.attributes.push(optional_computed("id", Type::Text));
        self
    }

    /// The type of its values.
    #[must_use]
    pub fn kind(&self) -> Type {
        let attribute = |a: &Attribute| (a.name.to_owned(), a.kind.clone());
        let block = |b: &Block| {
            let inner = Box::new(b.inner.kind());
            let kind = match b.nesting {
                Nesting::List => Type::List(inner),
                Nesting::Set => Type::Set(inner),
            };
            (b.name.to_owned(), kind)
        };
        let blocks = self.blocks.iter().map(block);
        Type::Object(self.attributes.iter().map(attribute).chain(blocks).collect())
    }

    /// As the protocol has it.
    #[must_use]
    pub fn wire(&self) -> SchemaOf {
        SchemaOf { version: self.version, block: Some(self.wire_block()) }
    }

    fn wire_block(&self) -> SchemaBlock {
        let nested = |b: &Block| NestedBlock {
            name: b.name.to_owned(),
            block: Some(b.inner.wire_block()),
            nesting: match b.nesting {
                Nesting::List => 2,
                Nesting::Set => 3,
            },
            min: b.min,
            max: b.max,
        };
        SchemaBlock {
            version: self.version,
            attributes: self.attributes.iter().map(Attribute::wire).collect(),
            blocks: self.blocks.iter().map(nested).collect(),
        }
    }

    /// Looks at a configuration; what is unknown yet is passed over.
    pub fn validate(&self, config: &Value, at: &[Step], out: &mut Vec<Diagnostic>) {
        let place = |name: &str| [at, &[Step::attribute(name)]].concat();
        for attribute in &self.attributes {
            let value = config.get(attribute.name);
            if value.is_null() || !value.is_known() {
                continue;
            }
            match attribute.check.map(|check| check(value)) {
                None | Some(Verdict::Fine) => {}
                Some(Verdict::Bad(why)) => {
                    let summary = format!("Invalid value for {:?}", attribute.name);
                    out.push(Diagnostic::error(summary, why).at(&place(attribute.name)));
                }
            }
        }
        self.check_conflicts(config, at, out);
        for block in &self.blocks {
            for (i, element) in config.get(block.name).list().iter().enumerate() {
                let mut place = place(block.name);
                if block.nesting == Nesting::List {
                    place.push(Step::index(i));
                }
                block.inner.validate(element, &place, out);
            }
        }
    }

    fn check_conflicts(&self, config: &Value, at: &[Step], out: &mut Vec<Diagnostic>) {
        let present = |name: &str| {
            let value = config.get(name);
            !matches!(value, Value::Null | Value::Unknown) && *value != Value::List(vec![])
        };
        for (name, others) in self.conflicts.iter().filter(|(name, _)| present(name)) {
            for other in others.iter().filter(|other| present(other)) {
                let detail = format!("{name:?}: conflicts with {other}");
                let place = [at, &[Step::attribute(name)]].concat();
                out.push(
                    Diagnostic::error("Conflicting configuration arguments", detail).at(&place),
                );
            }
        }
    }

    /// The value to expect, from the configuration and the value there was.
    #[must_use]
    pub fn plan(&self, config: &Value, prior: &Value) -> Value {
        let mut out: BTreeMap<String, Value> =
            self.attributes.iter().map(|a| (a.name.to_owned(), a.planned(config, prior))).collect();
        for block in &self.blocks {
            let before = prior.get(block.name).list();
            let plan = |(i, element): (usize, &Value)| {
                block.inner.plan(element, before.get(i).unwrap_or(&Value::Null))
            };
            let given = config.get(block.name);
            let value = if *given == Value::Unknown {
                Value::Unknown
            } else {
                Value::List(given.list().iter().enumerate().map(plan).collect())
            };
            out.insert(block.name.to_owned(), value);
        }
        Value::Map(out)
    }

    /// The attributes whose change needs a new object.
    #[must_use]
    pub fn replaced(&self, prior: &Value, planned: &Value) -> Vec<AttributePath> {
        let attributes =
            self.attributes.iter().filter(|a| a.source != Source::Computed).map(|a| a.name);
        let blocks = self.blocks.iter().map(|b| b.name);
        attributes
            .chain(blocks)
            .filter(|name| prior.get(name) != planned.get(name))
            .map(|name| AttributePath { steps: vec![Step::attribute(name)] })
            .collect()
    }

    /// A stored state in today's shape, with defaults for what was not there yet: a null would be
    /// a change, and a change a replacement.
    #[must_use]
    pub fn upgrade(&self, state: &serde_json::Value) -> Value {
        let mut value = Value::from_json(state, &self.kind());
        self.fill_defaults(&mut value);
        value
    }

    fn fill_defaults(&self, value: &mut Value) {
        let Value::Map(map) = value else { return };
        for attribute in &self.attributes {
            if let Some(default) = &attribute.default
                && map.get(attribute.name).is_none_or(Value::is_null)
            {
                map.insert(attribute.name.to_owned(), default.clone());
            }
        }
        for block in &self.blocks {
            if let Some(Value::List(list)) = map.get_mut(block.name) {
                list.iter_mut().for_each(|element| block.inner.fill_defaults(element));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::new(
            1,
            vec![
                required("name", Type::Text),
                defaulted("share", Type::Text, "owner"),
                computed("token", Type::Text),
            ],
        )
        .with_id()
    }

    #[test]
    fn a_plan_fills_defaults_and_keeps_what_was_computed() {
        let config = Value::Map(BTreeMap::from([("name".to_owned(), "a".into())]));
        let new = schema().plan(&config, &Value::Null);
        assert_eq!((new.get("share"), new.get("token")), (&"owner".into(), &Value::Unknown));
        let mut prior = new;
        prior.set("token", "t");
        prior.set("id", "i");
        assert_eq!(schema().plan(&config, &prior), prior);
        assert!(schema().replaced(&prior, &prior).is_empty());
    }

    #[test]
    fn a_state_from_before_an_attribute_gets_its_default() {
        let state = schema().upgrade(&serde_json::json!({"name": "a", "token": "t", "id": "i"}));
        assert_eq!(state.get("share"), &"owner".into());
    }
}
