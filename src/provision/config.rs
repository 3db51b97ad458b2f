//! Terraform's CLI configuration for jobs: the operator's, with a mirror directory added to it.

use std::path::Path;

use hcl::{Attribute, Block, Body, Expression, Structure};

use super::job::Failure;

/// The text of the configuration: the operator's file, nothing of it lost, and the mirror.
pub(super) fn merged(file: Option<&Path>, mirror: Option<&Path>) -> Result<String, Failure> {
    let mut body = match file {
        Some(file) => read(file)?,
        None => Body::default(),
    };
    if let Some(mirror) = mirror {
        add_mirror(&mut body, mirror);
    }
    let has = |name: &str| body.attributes().any(|a| a.key() == name);
    if !has("disable_checkpoint") {
        body.0.push(Attribute::new("disable_checkpoint", true).into());
    }
    hcl::to_string(&body).map_err(|e| Failure::Internal(anyhow::Error::new(e)))
}

fn read(file: &Path) -> Result<Body, Failure> {
    let refuse = |why: String| {
        let shown = file.display();
        Failure::NoTerraform(format!("the Terraform configuration {shown} cannot be used: {why}"))
    };
    let text = std::fs::read_to_string(file).map_err(|e| refuse(e.to_string()))?;
    hcl::parse(&text).map_err(|e| refuse(e.to_string()))
}

/// Terraform asks every source of a provider and stops at one that cannot be reached. So a
/// provider that the mirror holds is asked for in the mirror only.
fn add_mirror(body: &mut Body, mirror: &Path) {
    let held: Vec<Expression> = held(mirror).into_iter().map(Expression::from).collect();
    let source = Block::builder("filesystem_mirror")
        .add_attribute(("path", mirror.to_string_lossy().into_owned()))
        .add_attribute(("include", Expression::Array(held.clone())))
        .build();
    let theirs = body.0.iter_mut().find_map(|structure| match structure {
        Structure::Block(block) if block.identifier() == "provider_installation" => Some(block),
        Structure::Block(_) | Structure::Attribute(_) => None,
    });
    if let Some(block) = theirs {
        block.body.0.iter_mut().for_each(|method| exclude(method, &held));
        block.body.0.insert(0, source.into());
        return;
    }
    let direct =
        Block::builder("direct").add_attribute(("exclude", Expression::Array(held))).build();
    let block = Block::builder("provider_installation").add_block(source).add_block(direct).build();
    body.0.push(block.into());
}

/// Adds to what a source of providers is not asked for.
fn exclude(method: &mut Structure, held: &[Expression]) {
    let Structure::Block(method) = method else { return };
    if method.identifier() == "dev_overrides" {
        return;
    }
    let theirs = method.body.0.iter_mut().find_map(|structure| match structure {
        Structure::Attribute(a) if a.key() == "exclude" => Some(&mut a.expr),
        Structure::Attribute(_) | Structure::Block(_) => None,
    });
    match theirs {
        Some(Expression::Array(list)) => list.extend_from_slice(held),
        Some(_) => {}
        None => {
            let exclude = Attribute::new("exclude", Expression::Array(held.to_vec()));
            method.body.0.push(exclude.into());
        }
    }
}

/// The providers in a mirror: directories three deep.
fn held(mirror: &Path) -> Vec<String> {
    let mut level = vec![(mirror.to_path_buf(), String::new())];
    for _ in 0..3 {
        let mut next = Vec::new();
        for (dir, name) in level {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                if let (true, Ok(part)) = (entry.path().is_dir(), entry.file_name().into_string()) {
                    let name = if name.is_empty() { part } else { format!("{name}/{part}") };
                    next.push((entry.path(), name));
                }
            }
        }
        level = next;
    }
    let mut names: Vec<String> = level.into_iter().map(|(_, name)| name).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(dir: &Path) -> std::path::PathBuf {
        let mirror = dir.join("mirror");
        std::fs::create_dir_all(mirror.join("registry.terraform.io/kreuzwerker/docker/4.5.1"))
            .unwrap();
        mirror
    }

    #[test]
    fn the_operators_own_words_stay() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rc");
        let text = "credentials \"tf.example.com\" {\n  token = \"x\"\n}\nhost \"h\" {\n  services = {\n    \"modules.v1\" = \"https://m/\"\n  }\n}\nprovider_installation {\n  network_mirror {\n    url = \"https://mirror/\"\n    exclude = [\"a/b\"]\n  }\n}\n";
        std::fs::write(&file, text).unwrap();
        let out = merged(Some(&file), Some(&mirror(dir.path()))).unwrap();
        for kept in
            ["credentials \"tf.example.com\"", "\"modules.v1\"", "https://mirror/", "\"a/b\""]
        {
            assert!(out.contains(kept), "{kept} in {out}");
        }
        assert_eq!(out.matches("registry.terraform.io/kreuzwerker/docker").count(), 2);
        assert_eq!(out.matches("provider_installation").count(), 1);
    }

    #[test]
    fn a_mirror_alone_leaves_the_rest_to_the_registry() {
        let dir = tempfile::tempdir().unwrap();
        let out = merged(None, Some(&mirror(dir.path()))).unwrap();
        assert!(out.contains("filesystem_mirror") && out.contains("direct"));
        assert!(!merged(None, None).unwrap().contains("provider_installation"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let why = merged(Some(Path::new("/nowhere/rc")), None).unwrap_err().to_string();
        assert!(why.contains("/nowhere/rc"), "{why}");
    }
}
