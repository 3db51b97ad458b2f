//! From Terraform's objects and its graph to resources with their agents.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::agents;
use super::graph::{Graph, Walk};
use super::plan::{self, Object};
use crate::clock::Entropy;
use crate::model::quota;
use crate::model::resource::{ResourceMetadata, ResourceSpec};

/// Everything that a plan or a state holds, with the graph that binds it.
pub(super) struct Found<'a> {
    pub objects: &'a [Object],
    pub graph: &'a Graph,
    pub entropy: &'a Entropy,
    pub now_ms: i64,
    /// The objects by the names that the graph has for them.
    pub nodes: BTreeMap<&'a str, Vec<&'a Object>>,
}

/// Groups objects by the names that a graph has for them.
pub(super) fn by_node(objects: &[Object]) -> BTreeMap<&str, Vec<&Object>> {
    let mut nodes: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
    for object in objects {
        nodes.entry(&object.node).or_default().push(object);
    }
    nodes
}

/// Why the objects make no workspace, in words for the template's author.
pub(super) type Wrong = String;

impl Found<'_> {
    /// The objects of a type.
    pub(super) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |o| !o.is_data && o.kind == kind)
    }

    /// The data sources of a type.
    pub(super) fn data<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |o| o.is_data && o.kind == kind)
    }

    /// The nearest node that an object of a kind stands for.
    pub(super) fn nearest(
        &self,
        from: &Object,
        walk: Walk,
        wanted: impl Fn(&Object) -> bool,
    ) -> Option<&Object> {
        let at = |name: &str| {
            let objects = self.nodes.get(name).into_iter().flatten().copied();
            objects.into_iter().find(|o| wanted(o))
        };
        at(&self.graph.nearest(&from.node, walk, |name| at(name).is_some())?)
    }

    pub(super) fn uuid7(&self) -> uuid::Uuid {
        self.entropy.uuid7(self.now_ms)
    }

    /// The resources with their agents, sorted by address.
    pub(super) fn resources(&self) -> Result<Vec<ResourceSpec>, Wrong> {
        let mut specs: BTreeMap<&str, ResourceSpec> = self
            .objects
            .iter()
            .filter(|o| o.is_resource() || is_external(o))
            .map(|o| (o.address.as_str(), self.resource(o)))
            .collect();
        self.add_metadata(&mut specs)?;
        let mut names = BTreeMap::new();
        for object in self.of("coder_agent") {
            let Some(holder) = self.holder(object) else { continue };
            let agent = agents::agent(self, object, is_external(holder))?;
            if let Some(other) = names.insert(agent.name.to_ascii_lowercase(), &object.address) {
                return Err(format!(
                    "{other} and {} are agents of the same name {:?}; names are unique in a template",
                    object.address, agent.name
                ));
            }
            if let Some(spec) = specs.get_mut(holder.address.as_str()) {
                spec.agents.push(agent);
            }
        }
        let mut specs: Vec<ResourceSpec> = specs.into_values().collect();
        agents::check_slugs(self, &specs)?;
        for spec in &mut specs {
            spec.agents.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
        }
        Ok(specs)
    }

    /// What is odd about the agents of a template.
    pub(super) fn warnings(&self) -> Vec<String> {
        if self.of("coder_agent").next().is_none() {
            return vec![
                "The template has no agent: nobody can connect to its workspaces".to_owned(),
            ];
        }
        let lost = self.of("coder_agent").filter(|agent| self.holder(agent).is_none());
        lost.map(|agent| {
            format!(
                "{0}: no resource uses it, so it is left out; give {0}.token or {0}.init_script to what runs it",
                agent.address
            )
        })
        .collect()
    }

    /// The resource that runs an agent.
    fn holder(&self, agent: &Object) -> Option<&Object> {
        let external = self.of(EXTERNAL).find(|e| self.belongs(e, agent));
        external.or_else(|| self.nearest(agent, Walk::Against, Object::is_resource))
    }

    /// Credits a day of everything.
    pub(super) fn daily_cost(&self) -> i64 {
        let costs = self.of("coder_metadata").map(|o| quota::bounded(o.int("daily_cost")));
        quota::bounded(costs.fold(0, i64::saturating_add))
    }

    /// Asks for a cost that is known before anything is made: one that is not would pass any budget.
    ///
    /// # Errors
    /// With the resource whose cost is not.
    pub(super) fn require_known_cost(&self) -> Result<(), String> {
        // A plan leaves out what it does not know, and says null for what is not set.
        let unknown = self.of("coder_metadata").find(|o| !o.values.contains_key("daily_cost"));
        unknown.map_or(Ok(()), |o| {
            let at = &o.address;
            Err(format!(
                "{at}: daily_cost is known only after apply, and so fits no budget; make it a number, a \
                 parameter, or what comes of them"
            ))
        })
    }

    /// Whether someone else runs an agent.
    pub(super) fn has_external_agent(&self) -> bool {
        self.of(EXTERNAL).next().is_some()
    }

    /// Whether an app, a script or the like is of this agent: by the agent's id once that is
    /// known, by the graph before.
    pub(super) fn belongs(&self, part: &Object, agent: &Object) -> bool {
        let (wanted, id) = (part.text("agent_id"), agent.text("id"));
        if !wanted.is_empty() && !id.is_empty() {
            return wanted == id;
        }
        let nearest = self.nearest(part, Walk::Along, |o| !o.is_data && o.kind == "coder_agent");
        nearest.is_some_and(|n| n.address == agent.address)
    }

    fn resource(&self, object: &Object) -> ResourceSpec {
        let instance_type = ["instance_type", "machine_type", "size"]
            .into_iter()
            .map(|attribute| object.text(attribute))
            .find(|text| !text.is_empty());
        ResourceSpec {
            id: self.uuid7().into(),
            address: object.node.clone(),
            kind: object.kind.clone(),
            name: object.name.clone(),
            hide: false,
            icon: String::new(),
            daily_cost: 0,
            instance_type: instance_type.unwrap_or_default(),
            metadata: vec![],
            agents: vec![],
        }
    }

    fn add_metadata(&self, specs: &mut BTreeMap<&str, ResourceSpec>) -> Result<(), Wrong> {
        let mut taken = BTreeMap::new();
        for object in self.of("coder_metadata") {
            let Some(target) = self.nearest(object, Walk::Along, Object::is_resource) else {
                continue;
            };
            let Some(spec) = specs.get_mut(target.address.as_str()) else { continue };
            if let Some(other) = taken.insert(&target.address, &object.address)
                && super::graph::strip_indices(other) != object.node
            {
                return Err(format!(
                    "{other} and {} both describe {}; one coder_metadata a resource",
                    object.address, target.address
                ));
            }
            spec.hide = object.bool("hide");
            spec.icon = object.text("icon");
            spec.daily_cost = quota::bounded(object.int("daily_cost"));
            spec.metadata = object.blocks("item").map(metadata).collect();
        }
        Ok(())
    }
}

/// Says that someone else runs an agent.
const EXTERNAL: &str = "coder_external_agent";

fn is_external(object: &Object) -> bool {
    !object.is_data && object.kind == EXTERNAL
}

fn metadata(item: &Json) -> ResourceMetadata {
    let value = item.get("value").filter(|v| !v.is_null());
    ResourceMetadata {
        key: plan::text(item.get("key")),
        value: value.map(|v| plan::text(Some(v))),
        sensitive: item.get("sensitive") == Some(&Json::Bool(true)),
    }
}
