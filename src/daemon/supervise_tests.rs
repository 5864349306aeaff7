//! The supervisor under a clock that the tests turn.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const DEADLINE: Duration = Duration::from_secs(10);

/// A number that runs of a task count up.
fn counter() -> (Arc<AtomicU32>, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    (Arc::clone(&count), count)
}

fn status(supervisor: &Supervisor) -> Status {
    supervisor.tasks().remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_started_again_with_growing_waits() {
    let supervisor = Supervisor::new();
    let (runs, count) = counter();
    supervisor.spawn(Task::service("poll"), move |_| {
        let runs = Arc::clone(&runs);
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            assert!(runs.load(Ordering::SeqCst) == 0, "broken");
        }
    });
    let mut seen = Vec::new();
    // Starts at 0 s, 1 s, 3 s, 7 s, 15 s.
    for _ in 0..16 {
        tokio::time::sleep(Duration::from_millis(999)).await;
        seen.push(count.load(Ordering::SeqCst));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(seen, [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]);
    let status = status(&supervisor);
    assert_eq!((status.state, status.panics, status.failures), (State::Waiting, 5, 0));
    assert_eq!(status.last_error.as_deref(), Some("broken"));
    assert_eq!(supervisor.shutdown(DEADLINE).await, Drained::default(), "a waiting task stops at once");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ends_is_a_failure_and_an_errand_that_ends_is_done() {
    let supervisor = Supervisor::new();
    supervisor.spawn(Task::service("service"), |_| async {});
    supervisor.spawn(Task::errand("errand"), |_| async {});
    supervisor.spawn(Task::errand("unlucky"), |_| async { Err::<(), _>("no luck") });
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let tasks = supervisor.tasks();
    let seen: Vec<_> = tasks.iter().map(|task| (&*task.name, task.state, task.starts, task.failures)).collect();
    assert_eq!(seen, [("service", State::Waiting, 2, 2), ("errand", State::Ended, 1, 0), ("unlucky", State::Waiting, 2, 2)]);
    supervisor.shutdown(DEADLINE).await;
}

#[tokio::test(start_paused = true)]
async fn the_keeping_stops_after_the_intake() {
    let supervisor = Supervisor::new();
    let order = Arc::new(Mutex::new(Vec::new()));
    for (name, stage, wait) in [("store", Stage::Keeping, 0), ("poll", Stage::Intake, 2), ("web", Stage::Intake, 1)] {
        let order = Arc::clone(&order);
        supervisor.spawn(Task::service(name).stage(stage), move |token| {
            let order = Arc::clone(&order);
            async move {
                token.cancelled().await;
                tokio::time::sleep(Duration::from_secs(wait)).await;
                order.lock().unwrap().push(name);
            }
        });
    }
    tokio::task::yield_now().await;
    assert_eq!(supervisor.shutdown(DEADLINE).await, Drained::default());
    assert_eq!(*order.lock().unwrap(), ["web", "poll", "store"]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_stop_is_named_within_the_deadline() {
    let supervisor = Supervisor::new();
    let (kept, count) = counter();
    supervisor.spawn(Task::service("deaf"), |_| std::future::pending::<()>());
    supervisor.spawn(Task::service("store").stage(Stage::Keeping), move |token| {
        let kept = Arc::clone(&kept);
        async move {
            token.cancelled().await;
            kept.fetch_add(1, Ordering::SeqCst);
        }
    });
    tokio::task::yield_now().await;
    let began = Instant::now();
    let drained = supervisor.shutdown(DEADLINE).await;
    assert_eq!(drained.unfinished, ["deaf".into()]);
    assert!(began.elapsed() <= DEADLINE);
    assert_eq!(count.load(Ordering::SeqCst), 1, "the keeping had its time all the same");
}

#[tokio::test]
async fn threads_are_started_again_too_and_stop() {
    let supervisor = Supervisor::new();
    let (reached, running) = oneshot::channel();
    let mut reached = Some(reached);
    let mut run = 0;
    let quick = Backoff::new(Duration::from_millis(1), Duration::from_millis(1), Duration::from_secs(1));
    supervisor.spawn_thread(Task::service("writer").backoff(quick), move |token| {
        run += 1;
        assert!(run != 1, "the first run panics");
        if let Some(reached) = reached.take() {
            reached.send(run).unwrap();
        }
        let stop = tokio::runtime::Builder::new_current_thread().build().unwrap();
        stop.block_on(token.cancelled());
    });
    assert_eq!(running.await, Ok(2));
    let drained = supervisor.shutdown(DEADLINE).await;
    assert_eq!(drained, Drained::default());
    let status = status(&supervisor);
    assert_eq!((status.state, status.starts, status.panics), (State::Ended, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_while_stopping_is_not_started_again() {
    let supervisor = Supervisor::new();
    supervisor.spawn(Task::service("web"), |token| async move {
        token.cancelled().await;
        Err::<(), _>("could not say good-bye")
    });
    tokio::task::yield_now().await;
    assert_eq!(supervisor.shutdown(DEADLINE).await, Drained::default());
    let status = status(&supervisor);
    assert_eq!((status.starts, status.failures, status.state), (1, 1, State::Ended));
}
