//! A synthetic campus: seeded, the same at every run. Of 50 ports of a switch 42 % are down, 10 % up and idle, 36 %
//! users with office hours and bursts, 10 % servers, 2 % uplinks. Twelve metrics a port.

use netroom::model::{DeviceId, METRICS, PortId, PortMetric, Timestamp};
use netroom::series::sample::{DeviceSample, PortSample};

/// The metrics a port has here.
pub(crate) const TWELVE: [PortMetric; 12] = [
    PortMetric::InOctets,
    PortMetric::OutOctets,
    PortMetric::InUcast,
    PortMetric::OutUcast,
    PortMetric::InMulticast,
    PortMetric::OutMulticast,
    PortMetric::InBroadcast,
    PortMetric::OutBroadcast,
    PortMetric::InErrors,
    PortMetric::InDiscards,
    PortMetric::OutDiscards,
    PortMetric::OperStatus,
];

/// Ports of a switch.
pub(crate) const PORTS: u32 = 50;

#[derive(Clone, Copy)]
enum Kind {
    Down,
    Idle,
    User,
    Server,
    Uplink,
}

struct Port {
    kind: Kind,
    /// Octets per second at the busiest hour.
    base: f64,
    /// The slow wave of its load, as a logarithm.
    wave: f64,
    values: [u64; METRICS],
}

/// A switch that counts.
pub(crate) struct Switch {
    device: DeviceId,
    random: u64,
    ports: Vec<Port>,
}

impl Switch {
    pub(crate) fn new(number: u32) -> Self {
        let mut switch = Self { device: DeviceId(number), random: 0x9e37_79b9_7f4a_7c15 ^ u64::from(number + 1) << 20, ports: Vec::new() };
        for port in 0..PORTS {
            let kind = match port {
                0..=20 => Kind::Down,
                21..=25 => Kind::Idle,
                26..=43 => Kind::User,
                44..=48 => Kind::Server,
                _ => Kind::Uplink,
            };
            let base = match kind {
                Kind::Down | Kind::Idle => 0.0,
                Kind::User => 20_000.0 * (1.5 * switch.normal()).exp(),
                Kind::Server => 400_000.0 * (1.2 * switch.normal()).exp(),
                Kind::Uplink => 8_000_000.0,
            };
            let mut values = [0; METRICS];
            if !matches!(kind, Kind::Down) {
                values.iter_mut().for_each(|value| *value = switch.next() >> 24);
            }
            switch.ports.push(Port { kind, base, wave: 0.0, values });
        }
        switch
    }

    /// The poll at `time_ms`, `step_s` after the one before.
    pub(crate) fn poll(&mut self, time_ms: i64, step_s: u32) -> DeviceSample {
        let hour = (time_ms.rem_euclid(86_400_000)) as f64 / 3_600_000.0;
        let office = 0.05 + 0.95 * (-((hour - 11.0) / 4.0).powi(2)).exp();
        let step = f64::from(step_s);
        let flood = 3.0 + 4.0 * self.uniform();
        let mut ports = std::mem::take(&mut self.ports);
        let mut rows = Vec::with_capacity(ports.len());
        for (number, port) in ports.iter_mut().enumerate() {
            self.step(port, office, step, flood);
            let up = !matches!(port.kind, Kind::Down);
            port.values[PortMetric::OperStatus.index()] = if up { 1 } else { 2 };
            let mut values = [None; METRICS];
            for metric in TWELVE {
                values[metric.index()] = Some(port.values[metric.index()]);
            }
            let port = PortId(self.device.0 * PORTS + number as u32);
            rows.push(PortSample { port, skew_ms: 0, mark: None, values });
        }
        self.ports = ports;
        DeviceSample { device: self.device, time: Timestamp::from_millis(time_ms), interval_s: step_s, gap: None, rows }
    }

    fn step(&mut self, port: &mut Port, office: f64, step: f64, flood: f64) {
        let mut add = |metric: PortMetric, amount: f64| port.values[metric.index()] += amount.max(0.0) as u64;
        match port.kind {
            Kind::Down => return,
            Kind::Idle => {}
            Kind::User | Kind::Server | Kind::Uplink => {
                port.wave = 0.95 * port.wave + 0.31 * self.normal();
                let shape = if matches!(port.kind, Kind::User) { office } else { 0.4 + 0.6 * office };
                let burst = if self.uniform() < 0.01 { (1.0 / (1.0 - self.uniform())).powf(0.8).min(50.0) } else { 1.0 };
                let octets = port.base * shape * port.wave.exp() * burst * step;
                let share = 0.1 + 0.2 * self.uniform();
                let size = 500.0 + 400.0 * self.uniform();
                add(PortMetric::InOctets, octets * share);
                add(PortMetric::OutOctets, octets);
                add(PortMetric::InUcast, octets * share / size * 2.0);
                add(PortMetric::OutUcast, octets / size);
                add(PortMetric::InMulticast, 0.05 * step * self.uniform());
                add(PortMetric::InBroadcast, 0.1 * step * self.uniform());
                if self.uniform() < 0.002 {
                    add(PortMetric::InErrors, 1.0 + 4.0 * self.uniform());
                }
                if burst > 4.0 {
                    add(PortMetric::OutDiscards, burst * 3.0);
                }
            }
        }
        add(PortMetric::OutMulticast, 1.5 * step + 4.0 * self.uniform());
        add(PortMetric::OutBroadcast, flood * step);
    }

    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normal: twelve dice would be better, four do.
    fn normal(&mut self) -> f64 {
        ((0..4).map(|_| self.uniform()).sum::<f64>() - 2.0) * 3.0_f64.sqrt()
    }
}
