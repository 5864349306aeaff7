//! What the service manager is told (sd_notify(3)): ready, reloading, stopping, how it goes, and that the work goes on.
//! Without systemd every word goes nowhere.

use std::fmt;
use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::liveness::Liveness;

type Sink = dyn Fn(&[NotifyState<'_>]) -> io::Result<()> + Send + Sync;

/// The line to the service manager.
pub struct Systemd {
    send: Box<Sink>,
    watchdog: Option<Duration>,
}

impl fmt::Debug for Systemd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Systemd").field("watchdog", &self.watchdog).finish_non_exhaustive()
    }
}

impl Systemd {
    /// The one that started us, by NOTIFY_SOCKET and WATCHDOG_USEC.
    pub fn from_environment() -> Self {
        Self { send: Box::new(sd_notify::notify), watchdog: sd_notify::watchdog_enabled() }
    }

    /// The daemon serves; `status` is one line for `systemctl status`. Also the end of a reload, good or bad.
    pub fn ready(&self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// A reload begins; [`Self::ready`] must follow.
    pub fn reloading(&self) {
        // systemd wants to know when, by its own clock.
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!("systemd was not told of the reload: the monotonic clock cannot be read: {error}"),
        }
    }

    /// The daemon stops.
    pub fn stopping(&self, status: &str) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
    }

    /// How it goes, one line.
    pub fn status(&self, status: &str) {
        self.tell(&[NotifyState::Status(status)]);
    }

    /// Pings the watchdog for as long as no loop is stuck. When one is, it is logged and the pings stay away, so that
    /// systemd starts us again.
    pub async fn watch(&self, liveness: &Liveness, stop: CancellationToken) {
        let Some(limit) = self.watchdog.filter(|limit| !limit.is_zero()) else { return stop.cancelled().await };
        // Half of the limit, as sd_watchdog_enabled(3) says.
        let mut ticks = interval(limit / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let stuck = liveness.stuck(Instant::now());
            if stuck.is_empty() {
                self.tell(&[NotifyState::Watchdog]);
            } else {
                let tasks = stuck.join(", ");
                tracing::error!(tasks, "stuck, so systemd will start netroom again: {tasks}");
            }
        }
    }

    fn tell(&self, words: &[NotifyState<'_>]) {
        if let Err(error) = (self.send)(words) {
            tracing::warn!("systemd cannot be told how it goes: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn recorder(watchdog: Option<Duration>) -> (Arc<Systemd>, Arc<Mutex<Vec<String>>>) {
        let words = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&words);
        let send = move |states: &[NotifyState<'_>]| {
            heard.lock().unwrap().push(states.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
            Ok(())
        };
        (Arc::new(Systemd { send: Box::new(send), watchdog }), words)
    }

    #[test]
    fn the_words_are_those_of_the_protocol() {
        let (systemd, words) = recorder(None);
        systemd.ready("48 devices");
        systemd.reloading();
        systemd.status("writing");
        systemd.stopping("draining");
        let words = words.lock().unwrap();
        assert_eq!(words[0], "READY=1 STATUS=48 devices");
        assert!(words[1].starts_with("RELOADING=1 MONOTONIC_USEC="), "{}", words[1]);
        assert_eq!(words[2..], ["STATUS=writing", "STOPPING=1 STATUS=draining"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_pinged_only_while_the_work_goes_on() {
        let (systemd, words) = recorder(Some(Duration::from_secs(30)));
        let liveness = Liveness::default();
        let pulse = liveness.pulse("poll", Duration::from_secs(40), Instant::now());
        let stop = CancellationToken::new();
        let watch = systemd.watch(&liveness, stop.clone());
        let turn_the_clock = async {
            let mut pings = Vec::new();
            for beats in [true, true, false, false, false, false, true, true] {
                if beats {
                    pulse.beat();
                }
                tokio::time::sleep(Duration::from_secs(15)).await;
                tokio::task::yield_now().await;
                pings.push(words.lock().unwrap().len());
            }
            stop.cancel();
            pings
        };
        let ((), pings) = tokio::join!(watch, turn_the_clock);
        // A ping at 0 and each 15 s; silent from 30 s, stuck beyond 40 s of silence, alive again at 90 s.
        let total = *pings.last().unwrap();
        assert!(pings[3] - pings[0] >= 2, "{pings:?}");
        assert_eq!(pings[4], pings[5], "no ping while stuck: {pings:?}");
        assert!(total > pings[5], "{pings:?}");
        assert!(words.lock().unwrap().iter().all(|word| word == "WATCHDOG=1"));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_watchdog_nothing_is_pinged() {
        let (systemd, words) = recorder(None);
        let (liveness, stop) = (Liveness::default(), CancellationToken::new());
        let watch = systemd.watch(&liveness, stop.clone());
        tokio::join!(watch, async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            stop.cancel();
        });
        assert!(words.lock().unwrap().is_empty());
    }
}
