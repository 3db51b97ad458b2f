//! Metadata: small commands of the template, run on their intervals, told when their output changes.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::model::agent::MetadataValue;
use crate::model::resource::MetadataSpec;
use crate::model::time::{Timestamp, words};
use crate::tasks::OnPanic;
use crate::wire::agent::Manifest;

use super::base::{Base, private_dir};
use super::env::{ScriptEnv, for_scripts};
use super::platform;
use super::process::{Command, read_at_most};

/// Longest value that is kept, as the model says.
const MAX_VALUE: usize = 2048;
/// A value that stays the same is told again after this long, so that its age can be trusted.
const REFRESH: Duration = Duration::from_secs(60);
/// What a command may take when the template gives it neither a limit nor an interval.
const DEFAULT_LIMIT: Duration = Duration::from_secs(30);
/// How long output is awaited after a command ended and left something in the background.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// Starts a task for each metadata command; they end when `stop` is cancelled.
pub fn watch_all(base: &Base, manifest: &Arc<Manifest>, stop: &CancellationToken) {
    for spec in &manifest.metadata {
        let (base, manifest, spec) = (base.clone(), manifest.clone(), spec.clone());
        let stop = stop.clone();
        base.tasks.clone().spawn_graceful("metadata", OnPanic::Lose, async move {
            watch(&base, &manifest, &spec, &stop).await;
        });
    }
}

async fn watch(base: &Base, manifest: &Manifest, spec: &MetadataSpec, stop: &CancellationToken) {
    let mut told: Option<MetadataValue> = None;
    while !stop.is_cancelled() {
        let began = base.clock.instant();
        let value = collect(base, manifest, spec, stop).await;
        if stop.is_cancelled() {
            return;
        }
        if is_news(told.as_ref(), &value) {
            base.reports.metadata(value.clone());
            told = Some(value);
        }
        // A command without an interval is asked once.
        if spec.interval_s == 0 {
            return;
        }
        let interval = Duration::from_secs(spec.interval_s.into());
        let taken = base.clock.instant().saturating_duration_since(began);
        tokio::select! {
            () = sleep(interval.saturating_sub(taken)) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn is_news(told: Option<&MetadataValue>, value: &MetadataValue) -> bool {
    told.is_none_or(|told| {
        told.value != value.value
            || told.error != value.error
            || value.collected_at.since(told.collected_at) >= REFRESH
    })
}

fn limit(spec: &MetadataSpec) -> Duration {
    match (spec.timeout_s, spec.interval_s) {
        (0, 0) => DEFAULT_LIMIT,
        (0, interval) => Duration::from_secs(interval.into()),
        (own, _) => Duration::from_secs(own.into()),
    }
}

async fn collect(
    base: &Base,
    manifest: &Manifest,
    spec: &MetadataSpec,
    stop: &CancellationToken,
) -> MetadataValue {
    let collected_at = base.clock.now();
    match run(base, manifest, spec, stop).await {
        Ok((output, error)) => value_of(spec, collected_at, &output, error),
        Err(error) => value_of(spec, collected_at, &[], error.to_string()),
    }
}

/// What the command printed, and what was wrong with it.
async fn run(
    base: &Base,
    manifest: &Manifest,
    spec: &MetadataSpec,
    stop: &CancellationToken,
) -> std::io::Result<(Vec<u8>, String)> {
    let data_dir = base.state_dir.join("data").join("metadata");
    private_dir(&data_dir)?;
    let own = ScriptEnv { token: &base.token, data_dir: &data_dir };
    let command = Command {
        program: base.account.shell.clone(),
        args: platform::shell_arguments(&base.account.shell, &spec.script),
        env: for_scripts(&base.account, manifest, own),
        directory: base.account.directory(&manifest.directory),
    };
    let (process, out, err) = command.start()?;
    let limit = limit(spec);
    // Output is read beside the process, and a little longer, so that neither waits for the other.
    let ended = process.end(limit, stop);
    let (ended, out, err) =
        joined(ended, read_at_most(out, MAX_VALUE), read_at_most(err, MAX_VALUE)).await;
    let ended = ended?;
    let error = match ended.code {
        _ if ended.timed_out => format!("took longer than {}", words(limit)),
        0 => String::new(),
        code => {
            let text = String::from_utf8_lossy(&err);
            let said = text.trim().lines().last().unwrap_or_default();
            format!("exit code {code}: {said}").trim_end_matches(": ").to_owned()
        }
    };
    Ok((out, error))
}

/// Waits for the process; then for both outputs together no longer than [`LAST_OUTPUT`].
async fn joined<E>(
    ended: impl Future<Output = E>,
    out: impl Future<Output = Vec<u8>>,
    err: impl Future<Output = Vec<u8>>,
) -> (E, Vec<u8>, Vec<u8>) {
    let outputs = async { tokio::join!(out, err) };
    tokio::pin!(ended, outputs);
    tokio::select! {
        ended = &mut ended => {
            let (out, err) = timeout(LAST_OUTPUT, outputs).await.unwrap_or_default();
            (ended, out, err)
        }
        (out, err) = &mut outputs => (ended.await, out, err),
    }
}

fn value_of(spec: &MetadataSpec, at: Timestamp, output: &[u8], error: String) -> MetadataValue {
    let text = String::from_utf8_lossy(output);
    let text = text.trim_end();
    let end = text.floor_char_boundary(MAX_VALUE);
    let value = text.get(..end).unwrap_or_default().replace('\0', "");
    MetadataValue { key: spec.key.clone(), value, error, collected_at: at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{manifest, place};
    use crate::wire::agent::FromAgent;

    fn spec(script: &str, timeout_s: u32) -> MetadataSpec {
        MetadataSpec {
            key: "k".to_owned(),
            display_name: "K".to_owned(),
            script: script.to_owned(),
            interval_s: 0,
            timeout_s,
            order: 0,
        }
    }

    #[tokio::test]
    async fn output_and_failures_are_told() {
        let place = place();
        let stop = CancellationToken::new();
        for (script, timeout_s, value, error) in [
            ("echo ' 42 '; echo", 0, " 42", ""),
            ("echo half; echo no such disk >&2; exit 2", 0, "half", "exit code 2: no such disk"),
            ("exec sleep 1000", 1, "", "took longer than 1 s"),
            ("sleep 30 >/dev/null 2>&1 & echo up", 0, "up", ""),
        ] {
            let got = collect(&place.base, &manifest(), &spec(script, timeout_s), &stop).await;
            assert_eq!((got.value.as_str(), got.error.as_str()), (value, error), "{script}");
        }
        let long = collect(&place.base, &manifest(), &spec("yes | head -c 9000", 0), &stop).await;
        assert!(long.value.len() <= MAX_VALUE);
    }

    #[tokio::test]
    async fn a_value_is_told_by_a_running_agent() {
        let place = place();
        let stop = CancellationToken::new();
        let manifest = Manifest { metadata: vec![spec("echo x", 0)], ..manifest() };
        watch_all(&place.base, &Arc::new(manifest), &stop);
        let FromAgent::Metadata { values } = place.base.reports.next().await else {
            panic!("metadata is told")
        };
        assert_eq!(values[0].value, "x");
    }

    #[test]
    fn only_news_and_a_refresh_are_told() {
        let at = |secs, text: &str| {
            value_of(&spec("", 0), Timestamp(secs), text.as_bytes(), String::new())
        };
        let check = |told: Option<MetadataValue>, value, news| {
            assert_eq!(is_news(told.as_ref(), &value), news);
        };
        check(None, at(0, "a"), true);
        check(Some(at(0, "a")), at(10, "a"), false);
        check(Some(at(0, "a")), at(10, "b"), true);
        check(Some(at(0, "a")), at(60, "a"), true);
    }
}
