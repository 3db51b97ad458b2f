//! Threads that hash passwords. One that is done waits a moment for the next password, and keeps the
//! memory that a hash works in meanwhile: to get 19 MiB from the system and to give them back takes a
//! fifth of a hash's time, and holds up everyone else.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::Block;
use tokio::sync::OwnedSemaphorePermit;

/// How long a thread waits for the next password before it ends.
const LINGER: Duration = Duration::from_secs(1);

/// The memory that a hash works in.
pub(super) type Room = Vec<Block>;

/// What a thread is to do.
pub(super) type Job = Box<dyn FnOnce(&mut Room) + Send>;

/// The threads: one for each turn that is taken at a time.
#[derive(Default)]
pub(super) struct Threads {
    idle: Arc<Mutex<Idle>>,
}

#[derive(Default)]
struct Idle {
    waiting: Vec<(u64, Sender<Work>)>,
    started: u64,
}

struct Work {
    job: Job,
    /// Held until the thread can be given the next.
    turn: OwnedSemaphorePermit,
}

impl Threads {
    /// Does a job on a thread that waits, or on a new one.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub(super) fn run(&self, job: Job, turn: OwnedSemaphorePermit) -> io::Result<()> {
        let work = Work { job, turn };
        let id = {
            let mut idle = lock(&self.idle);
            if let Some((_, waiting)) = idle.waiting.pop() {
                // Who is not on the list any more waits for what it is sent.
                let _ = waiting.send(work);
                return Ok(());
            }
            idle.started += 1;
            idle.started
        };
        let (to, works) = channel();
        let _ = to.send(work);
        let idle = Arc::clone(&self.idle);
        let serve = move || {
            give_way();
            serve(&idle, id, &to, &works);
        };
        std::thread::Builder::new().name("password".to_owned()).spawn(serve).map(drop)
    }
}

/// Does what it is sent until nothing comes for [`LINGER`].
fn serve(idle: &Mutex<Idle>, id: u64, to: &Sender<Work>, works: &Receiver<Work>) {
    let mut room = Room::new();
    loop {
        let work = match works.recv_timeout(LINGER) {
            Ok(work) => work,
            Err(_) => {
                let mut idle = lock(idle);
                let before = idle.waiting.len();
                idle.waiting.retain(|(of, _)| *of != id);
                if idle.waiting.len() < before {
                    return;
                }
                drop(idle);
                // Someone took it off the list just now.
                let Ok(work) = works.recv() else { return };
                work
            }
        };
        let Work { job, turn } = work;
        job(&mut room);
        lock(idle).waiting.push((id, to.clone()));
        drop(turn);
    }
}

/// Lets everything else go first: all cores may be hashing, and nobody else shall notice. A tenth of
/// the share would still be noticed: who runs so seldom runs until the system's clock ticks. Only
/// Linux has priorities of threads here.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 19);
}

fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Semaphore, oneshot};

    use super::*;

    /// On which thread a job ran, and how much memory it found there.
    async fn job(threads: &Threads, turns: &Arc<Semaphore>) -> (std::thread::ThreadId, usize) {
        let turn = Arc::clone(turns).acquire_owned().await.unwrap();
        let (tell, told) = oneshot::channel();
        let job = move |room: &mut Room| {
            let found = room.len();
            room.resize(8, Block::new());
            let _ = tell.send((std::thread::current().id(), found));
        };
        threads.run(Box::new(job), turn).unwrap();
        told.await.unwrap()
    }

    #[tokio::test]
    async fn the_next_job_finds_the_thread_and_its_memory_and_a_panic_loses_only_them() {
        let (threads, turns) = (Threads::default(), Arc::new(Semaphore::new(1)));
        let first = job(&threads, &turns).await;
        assert_eq!(first.1, 0);
        assert_eq!(job(&threads, &turns).await, (first.0, 8));
        let turn = Arc::clone(&turns).acquire_owned().await.unwrap();
        threads.run(Box::new(|_| panic!("a job that fails")), turn).unwrap();
        let next = job(&threads, &turns).await;
        assert_eq!(next.1, 0);
        assert_ne!(next.0, first.0);
    }
}
