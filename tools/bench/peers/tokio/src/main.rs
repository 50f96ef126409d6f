//! bench_tokio WORKLOAD THREADS SCALE [multi|current]
//!
//! An actor is a task that owns the receiving end of a channel. What was chosen, and why:
//! - runtime: multi_thread with THREADS workers; at one thread also current_thread (the fourth
//!   argument), which needs no atomic queue but has no thread of its own, so that nobody outside
//!   can ask it. tools/bench/run runs both.
//!   crossping has two current_thread runtimes, on a thread each.
//! - mailbox: unbounded mpsc. To send to a bounded one is a future with a semaphore inside, and
//!   was slower in every workload.
//! - allocator: mimalloc, from Debian; it was faster than glibc's where tasks are made (fork by
//!   a quarter, skynet by a tenth), and the same elsewhere.
//! - LTO, one codegen unit, panic=abort, native instructions.
#[cfg(feature = "mimalloc")]
mod alloc;
mod crowds;
mod messages;
mod report;
mod spawning;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static GLOBAL: alloc::Mimalloc = alloc::Mimalloc;

use report::Outcome;
use std::mem::ManuallyDrop;
use tokio::runtime::{Builder, Runtime};

fn scaled(n: u64, scale: f64) -> u64 {
    ((n as f64 * scale).round() as u64).max(1)
}

async fn run(workload: String, threads: usize, scale: f64) -> Option<Outcome> {
    let n = |full: u64| scaled(full, scale);
    Some(match workload.as_str() {
        "pingpong" => messages::pingpong(n(2_000_000)).await,
        "ring1" => messages::ring(1000, 1, n(5_000_000)).await,
        "ring100" => messages::ring(1000, 100, n(50_000)).await,
        "count" => messages::count(1, n(10_000_000), 512).await,
        "mpsc" => messages::count(100, n(100_000), 64).await,
        "fork" => spawning::fork(n(1_000_000)).await,
        "skynet" => spawning::skynet(threads, n(1_000_000)).await,
        "idle" => spawning::idle(n(1_000_000)).await,
        "big" => crowds::big(200, n(20_000)).await,
        "chameneos" => crowds::chameneos(100, n(1_000_000)).await,
        "fanout" => crowds::fanout(1000, n(1000)).await,
        _ => return None,
    })
}

fn runtime(threads: usize, kind: &str) -> Runtime {
    let mut builder = match kind {
        "current" => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(threads).build().unwrap()
}

/// What there is: a current_thread runtime has one thread, which then nobody outside can ask;
/// crossping is about two.
fn exists(name: &str, threads: usize, kind: &str) -> bool {
    match kind {
        "multi" => name != "crossping" || threads == 2,
        "current" => threads == 1 && name != "ask" && name != "crossping",
        _ => false,
    }
}

fn measure(name: &str, threads: usize, scale: f64, kind: &str) -> Option<Outcome> {
    if name == "crossping" {
        return Some(messages::crossping(scaled(100_000, scale))); // brings its own runtimes
    }
    // Not dropped: that would first free all tasks that still wait.
    let rt = ManuallyDrop::new(runtime(threads, kind));
    if name == "ask" {
        return Some(messages::ask(&rt, scaled(100_000, scale)));
    }
    // Spawned, so that the main task too runs on a worker and not on the thread that waits.
    let main = run(name.to_string(), threads, scale);
    rt.block_on(async { tokio::spawn(main).await.unwrap() })
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let threads = args.get(1).and_then(|a| a.parse::<usize>().ok()).filter(|&t| t > 0);
    let scale = args.get(2).and_then(|a| a.parse::<f64>().ok()).filter(|&s| s > 0.0);
    let kind = args.get(3).map_or("multi", |a| a.as_str());
    let (threads, scale) = match (threads, scale) {
        (Some(t), Some(s)) if exists(&args[0], t, kind) => (t, s),
        _ => {
            eprintln!("usage: bench_tokio WORKLOAD THREADS SCALE [multi|current]");
            std::process::exit(2)
        }
    };
    match measure(&args[0], threads, scale, kind) {
        Some(outcome) => {
            report::print(&args[0], threads, &outcome);
            std::process::exit(if outcome.right { 0 } else { 1 });
        }
        None => {
            eprintln!("bench_tokio: no workload {}", args[0]);
            std::process::exit(2);
        }
    }
}
