//! The thread of a test, as the home of calls that suspend.

use std::future::Future;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use undergo::host::{Home, Job, go_home, spawn};

struct Jobs(Mutex<Sender<Job>>);

impl Home for Jobs {
    fn schedule(&self, job: Job) {
        // When the test is over, its jobs are too.
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).send(job));
    }
}

/// Runs a future to its end, and its host functions on this thread.
pub(crate) fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, jobs) = channel();
    let (done, result) = channel();
    spawn(Arc::new(Jobs(Mutex::new(sender))), async move {
        let result = future.await;
        go_home().await;
        drop(done.send(result));
    });
    loop {
        if let Ok(result) = result.try_recv() {
            return result;
        }
        match jobs.recv_timeout(Duration::from_secs(120)) {
            Ok(job) => job.run(),
            // A task that is over has no jobs, and its result is there.
            Err(_) => return result.try_recv().expect("the task goes on"),
        }
    }
}
