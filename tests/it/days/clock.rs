//! The server's clock is set an hour forward and back under it, and nobody else's.

use std::process::Command;

use serde_json::{Value, json};

use super::api::Api;
use crate::e2e::said::Said;
use crate::e2e::site::{Ran, Site, eventually};

/// Seconds that the clock is set by.
const HOUR: i64 = 3600;

/// Wall time as the machine has it and as many seconds more as a file says. Monotonic time is left
/// alone, as it is where a clock is set.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *step;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void find(void) {
  const char *path = getenv("STEP_FILE");
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    void *at = mmap(0, sizeof *step, PROT_READ, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) step = at;
    close(fd);
  }
  real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t id, struct timespec *t) {
  if (!real) find();
  int r = real(id, t);
  if (r == 0 && step && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += *step;
  return r;
}

int gettimeofday(struct timeval *tv, void *zone) {
  struct timespec t;
  (void)zone;
  int r = clock_gettime(CLOCK_REALTIME, &t);
  tv->tv_sec = t.tv_sec;
  tv->tv_usec = t.tv_nsec / 1000;
  return r;
}

time_t time(time_t *out) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (out) *out = t.tv_sec;
  return t.tv_sec;
}
"#;

/// A server whose clock the test sets.
pub struct Stepped(pub Site);

impl Stepped {
    fn new() -> Self {
        Self::from(Site::new())
    }

    /// Starts a site's server anew, with what it is told now.
    pub fn from(mut site: Site) -> Self {
        site.stop();
        let (source, shim) = (site.path("step.c"), site.path("step.so"));
        std::fs::write(&source, SHIM).unwrap();
        let args = ["-shared", "-fPIC", "-O1", "-o", &shim, &source, "-ldl"];
        Ran::new(Command::new("cc").args(args)).ok();
        let file = site.path("step");
        site.env = vec![("LD_PRELOAD".to_owned(), shim), ("STEP_FILE".to_owned(), file)];
        let this = Self(site);
        this.set(0);
        let mut this = this;
        this.0.start();
        this
    }

    /// Sets the clock to as many seconds from the machine's.
    pub fn set(&self, seconds: i64) {
        use std::os::unix::fs::FileExt as _;
        // In place: the server has it mapped.
        let path = self.0.path("step");
        let file = std::fs::File::options().create(true).truncate(false).write(true).open(path);
        file.unwrap().write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    /// The time that the server puts on what is made now, in seconds from the machine's.
    fn ahead(&self, name: &str) -> i64 {
        let api = self.api();
        api.made("/users/me/keys/tokens", &json!({ "token_name": name }));
        let tokens = api.get("/users/me/keys/tokens");
        let token = tokens.as_array().unwrap().iter().find(|t| t["token_name"] == name).unwrap();
        let made: jiff::Timestamp = token["created_at"].as_str().unwrap().parse().unwrap();
        let now = steading::clock::Clock::machine().now().0;
        made.as_second() - now
    }

    fn api(&self) -> Api {
        Api::of(&self.0)
    }

    fn workspace(&self) -> Value {
        self.api().get("/users/me/workspace/kiln")
    }

    fn agent_status(&self) -> String {
        let agent = &self.workspace()["latest_build"]["resources"];
        let agents = agent.as_array().unwrap().iter().find_map(|r| r["agents"].get(0).cloned());
        agents.unwrap()["status"].as_str().unwrap().to_owned()
    }

    /// Everything that a step must not end, once the server has had time to hear its agent.
    fn all_goes_on(&self, token: &str) {
        assert_eq!(Api::with(&self.0, token).get("/users/me")["username"], "ada");
        assert_eq!(self.0.cli(&["whoami"]).code, Some(0));
        eventually("the agent is seen", || (self.agent_status() == "connected").then_some(()));
        let said = self.0.ssh("kiln", "echo here").ok();
        assert_eq!(said.trim(), "here");
        let latest = &self.workspace()["latest_build"];
        assert_eq!((&latest["transition"], &latest["build_number"]), (&json!("start"), &json!(1)));
    }
}

#[test]
fn a_clock_that_is_set_an_hour_forward_and_back_ends_nothing() {
    let mut stepped = Stepped::new();
    stepped.0.create_here("kiln");
    // It is to stop in two hours, which is in more than one.
    stepped.0.cli(&["schedule", "stop", "kiln", "2h"]).ok();
    let key = stepped.api().made("/users/me/keys/tokens", &json!({ "token_name": "kept" }));
    let token = key["key"].as_str().unwrap().to_owned();
    // A session by a tunnel that is open over all steps.
    let mut tunnel = stepped.0.command(crate::e2e::site::STEADING);
    tunnel.args(["ssh", "kiln", "cat"]);
    let pipes = tunnel.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut tunnel = pipes.spawn().unwrap();
    let mut said = Said::by(tunnel.stdout.take().unwrap());
    let mut echo = |word: &str| {
        use std::io::Write as _;
        writeln!(tunnel.stdin.as_mut().unwrap(), "{word}").unwrap();
        assert_eq!(said.line().unwrap(), word);
    };
    echo("before");

    for (n, step) in [HOUR, 0, -HOUR, 0].into_iter().enumerate() {
        stepped.set(step);
        let ahead = stepped.ahead(&format!("step-{n}"));
        assert!((ahead - step).abs() < 120, "the server is {ahead} s ahead, and not {step}");
        echo(&format!("step-{n}"));
        stepped.all_goes_on(&token);
    }

    // An agent that leaves while the clock is back is gone, and not seen in the future.
    stepped.set(-HOUR);
    echo("back");
    stepped.0.kill();
    stepped.0.start();
    stepped.all_goes_on(&token);

    // Builds begin and end with the clock set in their middle.
    let build =
        stepped.0.command(crate::e2e::site::STEADING).args(["stop", "kiln", "--yes"]).spawn();
    stepped.set(HOUR);
    let stopped = build.unwrap().wait().unwrap();
    assert!(stopped.success());
    stepped.set(-HOUR);
    stepped.0.cli(&["start", "kiln", "--yes"]).ok();
    let latest = stepped.workspace()["latest_build"].clone();
    assert_eq!((&latest["build_number"], &latest["status"]), (&json!(3), &json!("running")));
    stepped.set(0);
    drop(tunnel.stdin.take());
    let _ = tunnel.kill();
    let _ = tunnel.wait();
}
