//! Mirror ports in the house: a thread for each ring, and the one judge of all of them, which is detection's.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::capture::driver::{Consumer, Options, Watch};
use crate::capture::live::Board;
use crate::capture::packet::{Nanos, Packet};
use crate::config::capture::CaptureSettings;
use crate::daemon::detect::Judge;
use crate::daemon::supervise::{Supervisor, Task};

/// The watch over all configured interfaces.
pub(super) struct Capture {
    watch: Arc<Watch>,
}

impl Capture {
    /// Nothing runs yet; where no interface is configured there is no judge either, for it is large.
    pub(super) fn open(settings: &CaptureSettings, judge: impl FnOnce() -> Box<dyn Consumer>) -> Self {
        let options = Options {
            interfaces: settings.interfaces.clone(),
            ring_octets: settings.ring_octets,
            threads: settings.threads,
            promiscuous: settings.promiscuous,
        };
        let judge = if options.interfaces.is_empty() { Box::new(Nobody) } else { judge() };
        Self { watch: Arc::new(Watch::new(options, judge)) }
    }

    /// Each watched interface as it is now.
    pub(super) fn board(&self) -> &Arc<Board> {
        self.watch.board()
    }

    /// Starts a thread for each ring.
    pub(super) fn start(&self, supervisor: &Supervisor) {
        for (lane, name) in self.watch.lanes().into_iter().enumerate() {
            let watch = Arc::clone(&self.watch);
            supervisor.spawn_thread(Task::service(name), move |token: CancellationToken| watch.run(lane, &token));
        }
    }
}

/// Where nothing is watched, nobody judges.
struct Nobody;

impl Consumer for Nobody {
    fn packets(&mut self, _packets: &[Packet<'_>]) {}

    fn tick(&mut self, _now: Nanos) {}
}

impl Consumer for Judge {
    fn packets(&mut self, packets: &[Packet<'_>]) {
        Self::packets(self, packets);
    }

    fn tick(&mut self, now: Nanos) {
        Self::tick(self, now);
    }
}
