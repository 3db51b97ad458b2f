//! The calls of Terraform's plugin protocol, from bytes to bytes.

use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;

use super::Provider;
use super::proto::{
    ApplyAnswer, ApplyRequest, Capabilities, ConfigRequest, ConfigureRequest, Diagnostic,
    Diagnostics, DynamicValue, MetadataAnswer, Named, PlanAnswer, PlanRequest, PrepareAnswer,
    PrepareRequest, ReadAnswer, ReadRequest, SchemaAnswer, StateAnswer, UpgradeRequest,
};
use super::schema::Schema;
use super::value::Value;

/// A failed call, in gRPC's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// gRPC's number.
    pub code: u32,
    /// The reason.
    pub message: String,
}

/// gRPC's number for a method that is not there.
pub(super) const UNIMPLEMENTED: u32 = 12;
/// gRPC's number for a fault.
const INTERNAL: u32 = 13;

fn fault(why: impl std::fmt::Display) -> Status {
    Status { code: INTERNAL, message: why.to_string() }
}

type Answer = Result<Vec<u8>, Status>;

/// One connection of Terraform. Its configuration is its own: aliases of a provider share the
/// process but not the connection.
pub(super) struct Connection {
    provider: Arc<Provider>,
    url: Mutex<String>,
}

impl Connection {
    pub(super) fn new(provider: Arc<Provider>) -> Self {
        Self { provider, url: Mutex::default() }
    }

    fn url(&self) -> String {
        self.url.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers one call. Versions 5 and 6 of the protocol name some calls differently.
    pub(super) async fn call(&self, method: &str, body: &[u8]) -> Answer {
        match method {
            "GetMetadata" => Ok(self.metadata()),
            "GetSchema" | "GetProviderSchema" => Ok(self.schemas()),
            "GetFunctions" | "Stop" | "StopProvider" => Ok(vec![]),
            "PrepareProviderConfig" | "ValidateProviderConfig" => self.prepare(&read(body)?),
            "ValidateResourceTypeConfig" | "ValidateResourceConfig" => {
                let request: ConfigRequest = read(body)?;
                validate(self.resource(&request.type_name)?, &request)
            }
            "ValidateDataSourceConfig" | "ValidateDataResourceConfig" => {
                let request: ConfigRequest = read(body)?;
                validate(self.data(&request.type_name)?, &request)
            }
            "Configure" | "ConfigureProvider" => self.configure(&read(body)?),
            "UpgradeResourceState" => self.upgrade(read(body)?),
            "ReadResource" => self.read_resource(read(body)?).await,
            "PlanResourceChange" => self.plan(read(body)?),
            "ApplyResourceChange" => self.apply(read(body)?).await,
            "ReadDataSource" => self.read_data(&read(body)?),
            // gRPC's own answer to a call that a service does not have; Terraform asks for what newer
            // protocols offer and goes on without.
            _ => {
                Err(Status { code: UNIMPLEMENTED, message: format!("{method} is not implemented") })
            }
        }
    }

    fn resource(&self, kind: &str) -> Result<&Schema, Status> {
        self.provider.resources.get(kind).ok_or_else(|| fault(format!("no resource {kind}")))
    }

    fn data(&self, kind: &str) -> Result<&Schema, Status> {
        self.provider.data.get(kind).ok_or_else(|| fault(format!("no data source {kind}")))
    }

    fn metadata(&self) -> Vec<u8> {
        let named = |kind: &&str| Named { type_name: (*kind).to_owned() };
        MetadataAnswer {
            capabilities: Some(capabilities()),
            data: self.provider.data.keys().map(named).collect(),
            resources: self.provider.resources.keys().map(named).collect(),
        }
        .encode_to_vec()
    }

    fn schemas(&self) -> Vec<u8> {
        let wire = |(kind, schema): (&&str, &Schema)| ((*kind).to_owned(), schema.wire());
        SchemaAnswer {
            provider: Some(self.provider.schema.wire()),
            resources: self.provider.resources.iter().map(wire).collect(),
            data: self.provider.data.iter().map(wire).collect(),
            capabilities: Some(capabilities()),
        }
        .encode_to_vec()
    }

    fn prepare(&self, request: &PrepareRequest) -> Answer {
        let schema = &self.provider.schema;
        let mut diagnostics = Vec::new();
        schema.validate(&value(request.config.as_ref(), schema)?, &[], &mut diagnostics);
        Ok(PrepareAnswer { prepared: request.config.clone(), diagnostics }.encode_to_vec())
    }

    fn configure(&self, request: &ConfigureRequest) -> Answer {
        let config = value(request.config.as_ref(), &self.provider.schema)?;
        match self.provider.configured_url(&config) {
            Ok(url) => {
                *self.url.lock().unwrap_or_else(PoisonError::into_inner) = url;
                Ok(vec![])
            }
            Err(diagnostic) => Ok(Diagnostics { diagnostics: vec![diagnostic] }.encode_to_vec()),
        }
    }

    fn upgrade(&self, request: UpgradeRequest) -> Answer {
        let schema = self.resource(&request.type_name)?;
        let json = request.raw.map(|raw| raw.json).unwrap_or_default();
        let state = serde_json::from_slice(&json).map_err(fault)?;
        let state = packed(&schema.upgrade(&state), schema);
        Ok(StateAnswer { state, diagnostics: vec![] }.encode_to_vec())
    }

    async fn read_resource(&self, request: ReadRequest) -> Answer {
        let schema = self.resource(&request.type_name)?;
        let mut state = value(request.current.as_ref(), schema)?;
        if !state.is_null() {
            state = self.provider.refresh(&request.type_name, &self.url(), state).await;
        }
        let state = packed(&state, schema);
        Ok(ReadAnswer { state, diagnostics: vec![], private: request.private }.encode_to_vec())
    }

    fn plan(&self, request: PlanRequest) -> Answer {
        let schema = self.resource(&request.type_name)?;
        let proposed = value(request.proposed.as_ref(), schema)?;
        if proposed.is_null() {
            let (planned, private) = (request.proposed, request.private);
            return Ok(PlanAnswer { planned, private, lenient: true, ..PlanAnswer::default() }
                .encode_to_vec());
        }
        let prior = value(request.prior.as_ref(), schema)?;
        let config = value(request.config.as_ref(), schema)?;
        let mut planned = schema.plan(&config, &prior);
        let diagnostics = self.provider.complete_plan(&request.type_name, &prior, &mut planned);
        let requires_replace =
            if prior.is_null() { vec![] } else { schema.replaced(&prior, &planned) };
        let planned = packed(&planned, schema);
        let private = request.private;
        let answer = PlanAnswer { planned, requires_replace, private, diagnostics, lenient: true };
        Ok(answer.encode_to_vec())
    }

    async fn apply(&self, request: ApplyRequest) -> Answer {
        let schema = self.resource(&request.type_name)?;
        let prior = value(request.prior.as_ref(), schema)?;
        let mut state = value(request.planned.as_ref(), schema)?;
        let diagnostics = if state.is_null() {
            self.provider.delete(&prior).await
        } else {
            self.provider.apply(&request.type_name, &self.url(), &prior, &mut state).await
        };
        if diagnostics.iter().any(Diagnostic::is_error) {
            state = prior;
        }
        let state = packed(&state, schema);
        let private = request.private;
        Ok(ApplyAnswer { state, private, diagnostics, lenient: true }.encode_to_vec())
    }

    fn read_data(&self, request: &ConfigRequest) -> Answer {
        let schema = self.data(&request.type_name)?;
        let config = value(request.config.as_ref(), schema)?;
        let mut out = schema.plan(&config, &Value::Map(std::collections::BTreeMap::new()));
        let read = self.provider.read_data(&request.type_name, &self.url(), &config, &mut out);
        let (state, diagnostics) = match read {
            Ok(()) => (out, vec![]),
            Err(diagnostic) => (Value::Null, vec![diagnostic]),
        };
        Ok(StateAnswer { state: packed(&state, schema), diagnostics }.encode_to_vec())
    }
}

/// Terraform may keep the schema of one command's providers instead of asking each process.
fn capabilities() -> Capabilities {
    Capabilities { plan_destroy: false, schema_optional: true, move_state: false }
}

fn validate(schema: &Schema, request: &ConfigRequest) -> Answer {
    let mut diagnostics = Vec::new();
    schema.validate(&value(request.config.as_ref(), schema)?, &[], &mut diagnostics);
    Ok(Diagnostics { diagnostics }.encode_to_vec())
}

fn read<M: Message + Default>(body: &[u8]) -> Result<M, Status> {
    M::decode(body).map_err(fault)
}

fn value(wire: Option<&DynamicValue>, schema: &Schema) -> Result<Value, Status> {
    match wire {
        Some(wire) if !wire.msgpack.is_empty() => Value::from_msgpack(&wire.msgpack).map_err(fault),
        Some(wire) if !wire.json.is_empty() => {
            let json = serde_json::from_slice(&wire.json).map_err(fault)?;
            Ok(Value::from_json(&json, &schema.kind()))
        }
        _ => Ok(Value::Null),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the messages' fields are optional")]
fn packed(value: &Value, schema: &Schema) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: value.to_msgpack(&schema.kind()), json: vec![] })
}
