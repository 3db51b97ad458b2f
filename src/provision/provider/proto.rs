//! Terraform's plugin protocol, versions 5 and 6: the messages by their field numbers, which the
//! two share for all that is used here.

use std::collections::BTreeMap;

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, prost::Message)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }
    )*};
}

messages! {
    /// A value, in one of two codings.
    DynamicValue {
        #[prost(bytes = "vec", tag = "1")] msgpack: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")] json: Vec<u8>,
    }
    /// An error or a warning, and where it is.
    Diagnostic {
        #[prost(int32, tag = "1")] severity: i32,
        #[prost(string, tag = "2")] summary: String,
        #[prost(string, tag = "3")] detail: String,
        #[prost(message, optional, tag = "4")] attribute: Option<AttributePath>,
    }
    /// The way to an attribute.
    AttributePath {
        #[prost(message, repeated, tag = "1")] steps: Vec<Step>,
    }
    /// One step of it.
    Step {
        #[prost(oneof = "Selector", tags = "1, 2, 3")] selector: Option<Selector>,
    }
    /// A resource's state as it is stored.
    RawState {
        #[prost(bytes = "vec", tag = "1")] json: Vec<u8>,
        #[prost(btree_map = "string, string", tag = "2")] flatmap: BTreeMap<String, String>,
    }
    /// A block of a schema.
    SchemaBlock {
        #[prost(int64, tag = "1")] version: i64,
        #[prost(message, repeated, tag = "2")] attributes: Vec<SchemaAttribute>,
        #[prost(message, repeated, tag = "3")] blocks: Vec<NestedBlock>,
    }
    /// An attribute of a schema.
    SchemaAttribute {
        #[prost(string, tag = "1")] name: String,
        #[prost(bytes = "vec", tag = "2")] kind: Vec<u8>,
        #[prost(bool, tag = "4")] required: bool,
        #[prost(bool, tag = "5")] optional: bool,
        #[prost(bool, tag = "6")] computed: bool,
        #[prost(bool, tag = "7")] sensitive: bool,
    }
    /// A block inside a block.
    NestedBlock {
        #[prost(string, tag = "1")] name: String,
        #[prost(message, optional, tag = "2")] block: Option<SchemaBlock>,
        #[prost(int32, tag = "3")] nesting: i32,
        #[prost(int64, tag = "4")] min: i64,
        #[prost(int64, tag = "5")] max: i64,
    }
    /// A resource's, data source's or provider's schema.
    SchemaOf {
        #[prost(int64, tag = "1")] version: i64,
        #[prost(message, optional, tag = "2")] block: Option<SchemaBlock>,
    }
    /// What this provider can do.
    Capabilities {
        #[prost(bool, tag = "1")] plan_destroy: bool,
        #[prost(bool, tag = "2")] schema_optional: bool,
        #[prost(bool, tag = "3")] move_state: bool,
    }
    /// Answer of `GetSchema`.
    SchemaAnswer {
        #[prost(message, optional, tag = "1")] provider: Option<SchemaOf>,
        #[prost(btree_map = "string, message", tag = "2")] resources: BTreeMap<String, SchemaOf>,
        #[prost(btree_map = "string, message", tag = "3")] data: BTreeMap<String, SchemaOf>,
        #[prost(message, optional, tag = "6")] capabilities: Option<Capabilities>,
    }
    /// A type by its name.
    Named {
        #[prost(string, tag = "1")] type_name: String,
    }
    /// Answer of `GetMetadata`.
    MetadataAnswer {
        #[prost(message, optional, tag = "1")] capabilities: Option<Capabilities>,
        #[prost(message, repeated, tag = "3")] data: Vec<Named>,
        #[prost(message, repeated, tag = "4")] resources: Vec<Named>,
    }
    /// `PrepareProviderConfig`.
    PrepareRequest {
        #[prost(message, optional, tag = "1")] config: Option<DynamicValue>,
    }
    /// Its answer.
    PrepareAnswer {
        #[prost(message, optional, tag = "1")] prepared: Option<DynamicValue>,
        #[prost(message, repeated, tag = "2")] diagnostics: Vec<Diagnostic>,
    }
    /// A type's configuration: to validate, or to read a data source.
    ConfigRequest {
        #[prost(string, tag = "1")] type_name: String,
        #[prost(message, optional, tag = "2")] config: Option<DynamicValue>,
    }
    /// An answer that is only diagnostics.
    Diagnostics {
        #[prost(message, repeated, tag = "1")] diagnostics: Vec<Diagnostic>,
    }
    /// `UpgradeResourceState`.
    UpgradeRequest {
        #[prost(string, tag = "1")] type_name: String,
        #[prost(int64, tag = "2")] version: i64,
        #[prost(message, optional, tag = "3")] raw: Option<RawState>,
    }
    /// An answer that is a state.
    StateAnswer {
        #[prost(message, optional, tag = "1")] state: Option<DynamicValue>,
        #[prost(message, repeated, tag = "2")] diagnostics: Vec<Diagnostic>,
    }
    /// `Configure`.
    ConfigureRequest {
        #[prost(string, tag = "1")] terraform_version: String,
        #[prost(message, optional, tag = "2")] config: Option<DynamicValue>,
    }
    /// `ReadResource`.
    ReadRequest {
        #[prost(string, tag = "1")] type_name: String,
        #[prost(message, optional, tag = "2")] current: Option<DynamicValue>,
        #[prost(bytes = "vec", tag = "3")] private: Vec<u8>,
    }
    /// Its answer.
    ReadAnswer {
        #[prost(message, optional, tag = "1")] state: Option<DynamicValue>,
        #[prost(message, repeated, tag = "2")] diagnostics: Vec<Diagnostic>,
        #[prost(bytes = "vec", tag = "3")] private: Vec<u8>,
    }
    /// `PlanResourceChange`.
    PlanRequest {
        #[prost(string, tag = "1")] type_name: String,
        #[prost(message, optional, tag = "2")] prior: Option<DynamicValue>,
        #[prost(message, optional, tag = "3")] proposed: Option<DynamicValue>,
        #[prost(message, optional, tag = "4")] config: Option<DynamicValue>,
        #[prost(bytes = "vec", tag = "5")] private: Vec<u8>,
    }
    /// Its answer.
    PlanAnswer {
        #[prost(message, optional, tag = "1")] planned: Option<DynamicValue>,
        #[prost(message, repeated, tag = "2")] requires_replace: Vec<AttributePath>,
        #[prost(bytes = "vec", tag = "3")] private: Vec<u8>,
        #[prost(message, repeated, tag = "4")] diagnostics: Vec<Diagnostic>,
        /// Values may differ from the configuration: attributes have defaults.
        #[prost(bool, tag = "5")] lenient: bool,
    }
    /// `ApplyResourceChange`.
    ApplyRequest {
        #[prost(string, tag = "1")] type_name: String,
        #[prost(message, optional, tag = "2")] prior: Option<DynamicValue>,
        #[prost(message, optional, tag = "3")] planned: Option<DynamicValue>,
        #[prost(message, optional, tag = "4")] config: Option<DynamicValue>,
        #[prost(bytes = "vec", tag = "5")] private: Vec<u8>,
    }
    /// Its answer.
    ApplyAnswer {
        #[prost(message, optional, tag = "1")] state: Option<DynamicValue>,
        #[prost(bytes = "vec", tag = "2")] private: Vec<u8>,
        #[prost(message, repeated, tag = "3")] diagnostics: Vec<Diagnostic>,
        #[prost(bool, tag = "4")] lenient: bool,
    }
    /// Answer of the health service.
    HealthAnswer {
        #[prost(int32, tag = "1")] status: i32,
    }
}

/// What a step goes to.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Selector {
    /// An attribute or a block.
    #[prost(string, tag = "1")]
    Attribute(String),
    /// A key of a map.
    #[prost(string, tag = "2")]
    Key(String),
    /// An element of a list.
    #[prost(int64, tag = "3")]
    Index(i64),
}

impl Step {
    /// To an attribute or a block.
    #[must_use]
    pub fn attribute(name: &str) -> Self {
        Self { selector: Some(Selector::Attribute(name.to_owned())) }
    }

    /// To an element of a list.
    #[must_use]
    pub fn index(n: usize) -> Self {
        Self { selector: Some(Selector::Index(i64::try_from(n).unwrap_or(i64::MAX))) }
    }
}

impl Diagnostic {
    /// An error: a line, and what there is to say about it.
    #[must_use]
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: 1, summary: summary.into(), detail: detail.into(), attribute: None }
    }

    /// A warning.
    #[must_use]
    pub fn warning(summary: impl Into<String>) -> Self {
        Self { severity: 2, summary: summary.into(), detail: String::new(), attribute: None }
    }

    /// The same at a place in the configuration.
    #[must_use]
    pub fn at(mut self, steps: &[Step]) -> Self {
        self.attribute = (!steps.is_empty()).then(|| AttributePath { steps: steps.to_vec() });
        self
    }

    /// Whether it ends the command.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == 1
    }
}
