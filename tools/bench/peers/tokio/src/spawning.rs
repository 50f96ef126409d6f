//! Making actors: fork, skynet, idle.

use crate::report::{memory, outcome, Outcome};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};
use tokio::sync::oneshot;

const FORKS: u64 = 128;

struct Ended {
    left: AtomicU64,
    sum: AtomicU64,
    done: Mutex<Option<oneshot::Sender<()>>>,
}

impl Ended {
    fn one(&self, v: u64) {
        self.sum.fetch_add(v, Ordering::Relaxed);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let done = self.done.lock().unwrap().take();
            let _ = done.unwrap().send(());
        }
    }
}

/// Spawn, send one message, end. An actor that gets one message needs no more than a oneshot for a
/// mailbox: half the price of an mpsc channel. The yield lets tasks end, and be reused by the
/// allocator, before too many are alive; a worker's queue takes 256.
pub async fn fork(n: u64) -> Outcome {
    let (done, wait) = oneshot::channel();
    let ended = Arc::new(Ended {
        left: AtomicU64::new(n),
        sum: AtomicU64::new(0),
        done: Mutex::new(Some(done)),
    });
    let start = Instant::now();
    for i in 0..n {
        let ended = ended.clone();
        let (tx, rx) = oneshot::channel();
        tokio::spawn(async move { ended.one(rx.await.unwrap()) });
        tx.send(i).unwrap();
        if i % FORKS == FORKS - 1 {
            tokio::task::yield_now().await;
        }
    }
    wait.await.unwrap();
    outcome(n, start, ended.sum.load(Ordering::SeqCst) == n * (n - 1) / 2)
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The sum comes as a message to the parent's mailbox.
fn node(parent: UnboundedSender<u64>, number: u64, leaves: u64) -> Boxed<()> {
    Box::pin(async move {
        let mut sum = number;
        if leaves > 1 {
            let (tx, mut rx) = unbounded_channel();
            let share = leaves / 10;
            for i in 0..10 {
                tokio::spawn(node(tx.clone(), number + i * share, share));
            }
            sum = 0;
            for _ in 0..10 {
                sum += rx.recv().await.unwrap();
            }
        }
        parent.send(sum).unwrap();
    })
}

/// The sum comes as what the task returns.
fn joined(number: u64, leaves: u64) -> Boxed<u64> {
    Box::pin(async move {
        if leaves == 1 {
            return number;
        }
        let share = leaves / 10;
        let children = (0..10).map(|i| tokio::spawn(joined(number + i * share, share)));
        let mut sum = 0;
        for child in children.collect::<Vec<_>>() {
            sum += child.await.unwrap();
        }
        sum
    })
}

/// A tree of ten children a node; the leaves' numbers are summed up to the root. Join handles are
/// the faster way at one thread, and messages with more.
pub async fn skynet(threads: usize, n: u64) -> Outcome {
    let mut leaves = 1;
    while leaves * 10 <= n {
        leaves *= 10;
    }
    let start = Instant::now();
    let sum = if threads == 1 {
        tokio::spawn(joined(0, leaves)).await.unwrap()
    } else {
        let (tx, mut rx) = unbounded_channel();
        tokio::spawn(node(tx, 0, leaves));
        rx.recv().await.unwrap()
    };
    outcome((leaves * 10 - 1) / 9, start, sum == leaves * (leaves - 1) / 2)
}

struct Seen {
    sum: AtomicU64,
    count: AtomicU64,
}

/// Actors that have got one message and wait for the next: what does each keep resident?
pub async fn idle(n: u64) -> Outcome {
    let seen = Arc::new(Seen { sum: AtomicU64::new(0), count: AtomicU64::new(0) });
    let mut actors = Vec::with_capacity(n as usize); // a mailbox that nobody can reach is closed
    let before = memory("VmRSS");
    let start = Instant::now();
    for i in 0..n {
        let (tx, mut rx) = unbounded_channel();
        let seen = seen.clone();
        tokio::spawn(async move {
            while let Some(v) = rx.recv().await {
                seen.sum.fetch_add(v, Ordering::Relaxed);
                seen.count.fetch_add(1, Ordering::Release);
            }
        });
        tx.send(i).unwrap();
        actors.push(tx);
    }
    while seen.count.load(Ordering::Acquire) < n {
        tokio::task::yield_now().await;
    }
    let mut o = outcome(n, start, seen.sum.load(Ordering::Relaxed) == n * (n - 1) / 2);
    o.bytes_per_actor = Some(memory("VmRSS").saturating_sub(before) as f64 / n as f64);
    o
}
