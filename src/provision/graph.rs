//! Terraform's graph of a configuration: who depends on whom, and who is nearest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A graph as `terraform graph -type=plan` prints it. An edge goes from what depends to what it
/// depends on.
#[derive(Debug, Default)]
pub struct Graph {
    along: BTreeMap<String, BTreeSet<String>>,
    against: BTreeMap<String, BTreeSet<String>>,
}

/// Which way to walk.
#[derive(Clone, Copy, Debug)]
pub enum Walk {
    /// To what it depends on.
    Along,
    /// To what depends on it.
    Against,
}

impl Graph {
    /// Reads the text. Lines that are no edges say nothing that is needed.
    pub fn parse(dot: &str) -> Self {
        let mut graph = Self::default();
        for line in dot.lines() {
            let Some((from, rest)) = quoted(line.trim_start()) else { continue };
            let Some((to, _)) =
                rest.trim_start().strip_prefix("->").and_then(|r| quoted(r.trim_start()))
            else {
                continue;
            };
            let (from, to) = (node(&from), node(&to));
            graph.against.entry(to.clone()).or_default().insert(from.clone());
            graph.along.entry(from).or_default().insert(to);
        }
        graph
    }

    /// The nearest node from `start` that is wanted; of several, the smallest name.
    pub fn nearest(
        &self,
        start: &str,
        walk: Walk,
        wanted: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let edges = match walk {
            Walk::Along => &self.along,
            Walk::Against => &self.against,
        };
        let mut seen = BTreeSet::from([start]);
        let mut queue = VecDeque::from([(start, 0)]);
        let mut best: Option<(usize, &str)> = None;
        while let Some((name, distance)) = queue.pop_front() {
            if best.is_some_and(|(nearest, _)| distance > nearest) {
                break;
            }
            if name != start && wanted(name) {
                best = Some(best.map_or((distance, name), |b| b.min((distance, name))));
                continue;
            }
            for next in edges.get(name).into_iter().flatten() {
                if seen.insert(next) {
                    queue.push_back((next, distance + 1));
                }
            }
        }
        best.map(|(_, name)| name.to_owned())
    }
}

/// A text in quotation marks at the start of `text`, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut chars = text.strip_prefix('"')?.char_indices();
    let body = text.get(1..)?;
    let mut out = String::new();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((out, body.get(i + 1..)?)),
            '\\' => out.push(chars.next()?.1),
            c => out.push(c),
        }
    }
    None
}

/// `[root] coder_agent.main (expand)` is `coder_agent.main`.
fn node(name: &str) -> String {
    let name = name.strip_prefix("[root] ").unwrap_or(name);
    // What stands in a provider's brackets is its name.
    if name.contains("provider[") {
        return name.to_owned();
    }
    strip_indices(name.strip_suffix(" (expand)").unwrap_or(name))
}

/// An address without the indices of its instances and of the modules around it.
pub fn strip_indices(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let (mut depth, mut in_quotes, mut escaped) = (0u32, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' if depth > 0 => in_quotes = !in_quotes,
            '[' if !in_quotes => depth += 1,
            ']' if !in_quotes && depth > 0 => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOT: &str = r#"digraph {
	compound = "true"
	subgraph "root" {
		"[root] coder_agent.main (expand)" [label = "coder_agent.main", shape = "box"]
		"[root] coder_agent.main (expand)" -> "[root] provider[\"registry.terraform.io/coder/coder\"]"
		"[root] local.token (expand)" -> "[root] coder_agent.main (expand)"
		"[root] docker_container.a (expand)" -> "[root] local.token (expand)"
		"[root] docker_container.b (expand)" -> "[root] docker_container.a (expand)"
		"[root] module.m.coder_app.x (expand)" -> "[root] module.m.var.agent_id (expand)"
		"[root] module.m.var.agent_id (expand)" -> "[root] coder_agent.main (expand)"
	}
}"#;

    #[test]
    fn the_nearest_is_found_through_locals_and_modules() {
        let graph = Graph::parse(DOT);
        let container = |n: &str| n.starts_with("docker_");
        let up = graph.nearest("coder_agent.main", Walk::Against, container);
        assert_eq!(up.as_deref(), Some("docker_container.a"));
        let agent = |n: &str| n == "coder_agent.main";
        let down = graph.nearest("module.m.coder_app.x", Walk::Along, agent);
        assert_eq!(down.as_deref(), Some("coder_agent.main"));
        assert_eq!(graph.nearest("coder_agent.main", Walk::Along, container), None);
    }

    #[test]
    fn indices_are_stripped_everywhere() {
        assert_eq!(strip_indices("module.x[0].a.b[\"k.]\\\"z\"]"), "module.x.a.b");
        assert_eq!(strip_indices("a.b"), "a.b");
    }
}
