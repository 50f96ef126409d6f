//! What a workload did, and the one line that says so.

use std::time::{Duration, Instant};

pub struct Outcome {
    pub ops: u64,
    pub took: Duration,
    pub right: bool,
    pub bytes_per_actor: Option<f64>,
}

/// The clock stops here: call it as soon as the last result is in.
pub fn outcome(ops: u64, since: Instant, right: bool) -> Outcome {
    Outcome { ops, took: since.elapsed(), right, bytes_per_actor: None }
}

/// A line of /proc/self/status ("VmRSS", "VmHWM") in bytes.
pub fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

pub fn print(name: &str, workers: usize, o: &Outcome) {
    let bytes = o.bytes_per_actor.map_or(String::new(), |b| format!(",\"bytes_per_actor\":{:.1}", b));
    println!(
        "{{\"name\":\"{}\",\"ns_per_op\":{:.3}{},\"ops\":{},\"workers\":{},\
         \"peak_rss_bytes\":{},\"check\":\"{}\"}}",
        name,
        o.took.as_nanos() as f64 / o.ops as f64,
        bytes,
        o.ops,
        workers,
        memory("VmHWM"),
        if o.right { "ok" } else { "wrong" }
    );
}
