//! What pinging costs, in ratios of one run: against the bare `sendmmsg` loop, against fping, and with busy neighbours on
//! the core. Targets are addresses of 127/8: the kernel answers within the send call, so times are floors, not networks.
//! Needs CAP_NET_RAW. `cargo bench --bench ping`; a name (saturated, paced, loaded) runs one part.

#![expect(unsafe_code, reason = "the baseline is the bare system call")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "and stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "it starts its peers and itself anew, and measures time")]

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netroom::ping::codec::{Family, Mark, write_request};
use netroom::ping::prober::Prober;
use netroom::ping::round::Outcome;
use netroom::ping::schedule::{Event, HostId, Target};
use netroom::ping::socket::{Mode, Wire};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// What one child found.
#[derive(serde::Serialize, serde::Deserialize, Debug, Default)]
struct Figures {
    sent: u64,
    answered: u64,
    lost: u64,
    unmeasured: u64,
    cpu_s: f64,
    rss_mib: f64,
    p50_us: f64,
    p99_us: f64,
}

impl Figures {
    fn cpu_per_million(&self) -> f64 {
        self.cpu_s * 1e6 / self.sent.max(1) as f64
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "child") {
        let number = |at: usize| arguments[at].parse::<u64>().unwrap();
        let figures = match arguments[1].as_str() {
            "saturated" => saturated(number(2)),
            "bare" => bare(number(2)),
            "paced" => paced(number(2), Duration::from_millis(number(3)), Duration::from_secs(number(4))),
            other => panic!("no part is called {other}"),
        };
        println!("{}", serde_json::to_string(&figures).unwrap());
        return;
    }
    if Wire::open(Family::V4, 1).is_ok_and(|wire| wire.mode() == Mode::Raw) {
        parent(&arguments);
    } else {
        eprintln!("NOT RUN: raw sockets need CAP_NET_RAW");
    }
}

fn parent(arguments: &[String]) {
    // Without `--bench` this is a smoke run of the tests: small, and without bars.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|asked| *asked == name);
    if wanted("saturated") {
        compare_saturated(measured);
    }
    if wanted("paced") {
        compare_paced(measured);
    }
    if wanted("loaded") {
        compare_loaded(measured);
    }
}

/// The same number of probes as fast as they go, by us and by the bare loop, in turns; the best of three each.
fn compare_saturated(measured: bool) {
    let count = if measured { 500_000 } else { 5_000 };
    let (mut ours, mut bare) = (f64::MAX, f64::MAX);
    for _ in 0..if measured { 3 } else { 1 } {
        let run = child(&["saturated", &count.to_string()], &[]);
        assert_eq!((run.lost, run.unmeasured), (0, 0), "{run:?}");
        ours = ours.min(run.cpu_per_million());
        bare = bare.min(child(&["bare", &count.to_string()], &[]).cpu_per_million());
    }
    println!("saturated: {ours:.2} CPU-s/M, sendmmsg 64 alone {bare:.2}: {:.2} times", ours / bare);
    assert!(!measured || ours <= 1.3 * bare, "more than 1.3 times the bare loop");
}

/// Five probes a minute to 50,000 hosts, by us and by fping.
fn compare_paced(measured: bool) {
    let (hosts, seconds) = if measured { (50_000_u64, 60) } else { (200, 2) };
    let gap_ms = if measured { 12_000 } else { 400 };
    let ours = child(&["paced", &hosts.to_string(), &gap_ms.to_string(), &seconds.to_string()], &[]);
    println!("paced: {hosts} hosts, {ours:?}, {:.2} CPU-s/M", ours.cpu_per_million());
    assert_eq!(ours.lost, 0, "a false loss");
    let Some((fping, wall)) = fping(hosts, gap_ms) else {
        println!("paced: fping is not installed, no comparison");
        return;
    };
    println!("paced: fping {fping:.2} CPU-s/M in {:.0} s: {:.1} times ours", wall.as_secs_f64(), fping / ours.cpu_per_million());
    if measured {
        assert!(ours.cpu_per_million() <= 6.0 && ours.rss_mib <= 32.0, "more than 6 CPU-s/M or 32 MiB");
        assert!(fping >= 4.0 * ours.cpu_per_million(), "less than four times cheaper than fping");
    }
}

/// 5,000 probes a second on one core, alone and with four busy loops on the same core.
fn compare_loaded(measured: bool) {
    let (hosts, seconds) = if measured { (10_000_u64, 50) } else { (100, 2) };
    let run = || child(&["paced", &hosts.to_string(), "2000", &seconds.to_string()], &["taskset", "-c", "1"]);
    let idle = run();
    let busy: Vec<_> =
        (0..4).map(|_| Command::new("taskset").args(["-c", "1", "sh", "-c", "while :; do :; done"]).spawn().unwrap()).collect();
    let loaded = run();
    for mut loop_ in busy {
        loop_.kill().unwrap();
        loop_.wait().unwrap();
    }
    println!("loaded: idle {idle:?}");
    println!("loaded: four busy loops {loaded:?}: p99 {:.2} times", loaded.p99_us / idle.p99_us);
    assert_eq!((idle.lost, loaded.lost), (0, 0), "a false loss");
    assert!(!measured || loaded.p99_us <= 2.0 * idle.p99_us, "p99 under load is more than twice that of an idle core");
}

/// Runs a part in a process of its own.
fn child(arguments: &[&str], before: &[&str]) -> Figures {
    let own = std::env::current_exe().unwrap();
    let mut command = match before.split_first() {
        Some((program, rest)) => {
            let mut command = Command::new(program);
            command.args(rest).arg(own);
            command
        }
        None => Command::new(own),
    };
    let out = command.arg("child").args(arguments).stderr(Stdio::inherit()).output().unwrap();
    assert!(out.status.success(), "{arguments:?}");
    serde_json::from_slice(&out.stdout).unwrap()
}

fn address(number: u64) -> IpAddr {
    // 127.1.0.0 and on.
    Ipv4Addr::from(0x7f01_0000 + number as u32).into()
}

fn prober(hosts: u64, gap: Duration) -> Prober {
    let mut prober = Prober::new(vec![Wire::open(Family::V4, 0x6e72).unwrap()], Duration::from_secs(1));
    let target = |number: u64| Target { id: HostId(number as u32), address: address(number), interval: gap * 5, probes: 5, size: 56 };
    let now_ns = prober.now_ns();
    prober.schedule().set_targets(&(0..hosts).map(target).collect::<Vec<_>>(), now_ns);
    prober
}

/// Everything is always due.
fn saturated(count: u64) -> Figures {
    // Due far more often than it can be done, so that no turn waits.
    let mut prober = prober(10_000, Duration::from_millis(10));
    let before = cpu();
    while prober.counts().sent < count {
        prober.turn(|_| ()).unwrap();
    }
    let cpu_s = (cpu() - before).as_secs_f64();
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        prober.turn_without_sending(|_| ()).unwrap();
    }
    finish(&prober, cpu_s, &mut Vec::new())
}

/// As the daemon does it: sleeping between turns.
fn paced(hosts: u64, gap: Duration, span: Duration) -> Figures {
    let mut prober = prober(hosts, gap);
    let mut times = Vec::with_capacity(300_000);
    let before = cpu();
    let until = Instant::now() + span;
    let mut take = |event| {
        if let Event::Probe { outcome: Outcome::Answered(ns), .. } = event {
            times.push(ns);
        }
    };
    while Instant::now() < until {
        prober.turn(&mut take).unwrap();
        prober.sleep(None).unwrap();
    }
    let cpu_s = (cpu() - before).as_secs_f64();
    let until = Instant::now() + Duration::from_millis(1_500);
    while Instant::now() < until {
        prober.turn_without_sending(&mut take).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    finish(&prober, cpu_s, &mut times)
}

fn finish(prober: &Prober, cpu_s: f64, times: &mut [u32]) -> Figures {
    let counts = prober.counts();
    // Before the times are sorted: they are the bench's own memory.
    let own_mib = size_of_val(times) as f64 / (1 << 20) as f64;
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(0.0, |ns| f64::from(*ns) / 1e3);
    Figures {
        sent: counts.sent,
        answered: counts.answered,
        lost: counts.lost + counts.refused,
        unmeasured: counts.unmeasured,
        cpu_s,
        rss_mib: resident_kib() as f64 / 1024.0 - own_mib,
        p50_us: at(0.5),
        p99_us: at(0.99),
    }
}

/// The bare loop: 64 requests a system call, 64 replies a system call, one stamp for all.
fn bare(count: u64) -> Figures {
    const BATCH: usize = 64;
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let (filter, size) = (!1_u32, 8_i32 << 20);
    // SAFETY: both pointers are to values of the sizes given, which live through the calls.
    unsafe {
        let set = |level, name, value: *const libc::c_void, length| libc::setsockopt(socket.as_raw_fd(), level, name, value, length);
        assert_eq!(set(255, 1, (&raw const filter).cast(), 4), 0);
        assert_eq!(set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, (&raw const size).cast(), 4), 0);
    }
    let names: Vec<SockAddr> = (0..BATCH as u64).map(|number| SocketAddr::new(address(number), 0).into()).collect();
    let mut requests = vec![Vec::new(); BATCH];
    let mut rooms = vec![[0_u8; 128]; BATCH];
    let (mut sent, mut answered) = (0_u64, 0_u64);
    let before = cpu();
    while sent < count {
        let mut parts: Vec<libc::iovec> = Vec::with_capacity(BATCH);
        for request in &mut requests {
            let mark = Mark { slot: 1, number: sent as u32, cookie: sent };
            write_request(request, Family::V4, 0x6e72, sent as u16, mark, 56);
            parts.push(libc::iovec { iov_base: request.as_mut_ptr().cast(), iov_len: request.len() });
        }
        // SAFETY: all zero bits are a valid mmsghdr; each header points to its own name and part, which live through the calls.
        unsafe {
            let mut heads: [libc::mmsghdr; BATCH] = std::mem::zeroed();
            for ((head, part), name) in heads.iter_mut().zip(&mut parts).zip(&names) {
                head.msg_hdr.msg_name = name.as_ptr().cast_mut().cast();
                head.msg_hdr.msg_namelen = name.len();
                head.msg_hdr.msg_iov = part;
                head.msg_hdr.msg_iovlen = 1;
            }
            let went = libc::sendmmsg(socket.as_raw_fd(), heads.as_mut_ptr(), BATCH as u32, 0);
            sent += u64::try_from(went).unwrap();
            let mut parts: Vec<libc::iovec> =
                rooms.iter_mut().map(|room| libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() }).collect();
            for (head, part) in heads.iter_mut().zip(&mut parts) {
                head.msg_hdr = std::mem::zeroed();
                head.msg_hdr.msg_iov = part;
                head.msg_hdr.msg_iovlen = 1;
            }
            let came = libc::recvmmsg(socket.as_raw_fd(), heads.as_mut_ptr(), BATCH as u32, libc::MSG_DONTWAIT, std::ptr::null_mut());
            answered += u64::try_from(came).unwrap_or(0);
        }
    }
    Figures { sent, answered, cpu_s: (cpu() - before).as_secs_f64(), ..Figures::default() }
}

/// fping over the same hosts at the same pace: CPU seconds a million probes, and how long it took.
fn fping(hosts: u64, gap_ms: u64) -> Option<(f64, Duration)> {
    let before = children_cpu();
    let began = Instant::now();
    let interval = format!("{}", (gap_ms as f64 / hosts as f64).max(0.01));
    let mut child = Command::new("fping")
        .args(["-q", "-C", "5", "-p", &gap_ms.to_string(), "-i", &interval])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut list = child.stdin.take()?;
    for number in 0..hosts {
        writeln!(list, "{}", address(number)).unwrap();
    }
    drop(list);
    child.wait().unwrap();
    let cpu_s = (children_cpu() - before).as_secs_f64();
    Some((cpu_s * 1e6 / (hosts * 5) as f64, began.elapsed()))
}

fn cpu() -> Duration {
    usage(libc::RUSAGE_SELF)
}

fn children_cpu() -> Duration {
    usage(libc::RUSAGE_CHILDREN)
}

fn usage(who: i32) -> Duration {
    // SAFETY: all zero bits are a valid rusage, and the pointer to it lives through the call.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(who, &raw mut usage), 0);
        usage
    };
    let span = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    span(usage.ru_utime) + span(usage.ru_stime)
}

/// The memory in use now, KiB.
fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|field| field.parse().ok()).expect("KiB")
}
