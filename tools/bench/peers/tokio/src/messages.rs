//! Messages between few actors: pingpong, crossping, ring, count, mpsc, ask.

use crate::report::{outcome, Outcome};
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

type Tx = UnboundedSender<u64>;
type Rx = UnboundedReceiver<u64>;

async fn ping(mut rx: Rx, tx: Tx, rounds: u64) -> u64 {
    let mut v = 0;
    for _ in 0..rounds {
        tx.send(v + 1).unwrap();
        v = rx.recv().await.unwrap();
    }
    v
}

async fn pong(mut rx: Rx, tx: Tx) {
    while let Some(v) = rx.recv().await {
        if tx.send(v + 1).is_err() {
            break;
        }
    }
}

/// `rounds` round trips; each message carries the number of messages so far.
pub async fn pingpong(rounds: u64) -> Outcome {
    let (to_a, a) = unbounded_channel();
    let (to_b, b) = unbounded_channel();
    let start = Instant::now();
    tokio::spawn(pong(b, to_a));
    let v = tokio::spawn(ping(a, to_b, rounds)).await.unwrap();
    outcome(2 * rounds, start, v == 2 * rounds)
}

/// The same between two threads with a current_thread runtime each: on a multi_thread one no task
/// stays where it is. Spawned, both would take a fifth more instructions than as what block_on
/// runs. The clock starts when both run.
pub fn crossping(trips: u64) -> Outcome {
    let alone = || Builder::new_current_thread().build().unwrap();
    let (to_a, mut a) = unbounded_channel();
    let (to_b, b) = unbounded_channel();
    let other = std::thread::spawn(move || {
        alone().block_on(async {
            to_a.send(0).unwrap();
            pong(b, to_a).await
        })
    });
    let result = alone().block_on(async {
        a.recv().await.unwrap();
        let start = Instant::now();
        let v = ping(a, to_b, trips).await;
        outcome(trips, start, v == 2 * trips)
    });
    other.join().unwrap();
    result
}

/// A token counts its hops down; where it ends is known, and summed.
pub async fn ring(actors: u64, tokens: u64, hops: u64) -> Outcome {
    let (txs, rxs): (Vec<Tx>, Vec<Rx>) = (0..actors).map(|_| unbounded_channel()).unzip();
    let (done, mut ends) = unbounded_channel();
    for (i, mut rx) in (0u64..).zip(rxs) {
        let next = txs[((i + 1) % actors) as usize].clone();
        let done = done.clone();
        tokio::spawn(async move {
            while let Some(left) = rx.recv().await {
                let _ = if left > 0 { next.send(left - 1) } else { done.send(i) };
            }
        });
    }
    let start = Instant::now();
    let starts: Vec<u64> = (0..tokens).map(|t| t * (actors / tokens)).collect();
    for &s in &starts {
        txs[s as usize].send(hops).unwrap();
    }
    let mut sum = 0;
    for _ in 0..tokens {
        sum += ends.recv().await.unwrap();
    }
    outcome(hops * tokens, start, sum == starts.iter().map(|s| (s + hops) % actors).sum())
}

/// Senders that flood one counter, and yield after `batch` messages: with an unbounded mailbox
/// that is the fastest way (a bounded one took 1.5 to 3 times as long), and memory stays small.
pub async fn count(senders: u64, each: u64, batch: u64) -> Outcome {
    let (tx, mut rx) = unbounded_channel();
    let total = senders * each;
    let counter = tokio::spawn(async move {
        let mut sum = 0;
        for _ in 0..total {
            sum += rx.recv().await.unwrap();
        }
        sum
    });
    let start = Instant::now();
    for _ in 0..senders {
        let tx = tx.clone();
        tokio::spawn(async move {
            for i in 0..each {
                tx.send(i).unwrap();
                if i % batch == batch - 1 {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    let sum: u64 = counter.await.unwrap();
    outcome(total, start, sum == senders * (each * (each - 1) / 2))
}

/// A thread outside of the runtime asks and sleeps until the answer is there. The pattern of
/// tokio's own guide: the request brings a oneshot for its reply.
pub fn ask(rt: &Runtime, asks: u64) -> Outcome {
    let (tx, mut rx) = unbounded_channel::<(u64, oneshot::Sender<u64>)>();
    rt.spawn(async move {
        let mut sum = 0;
        while let Some((v, reply)) = rx.recv().await {
            sum += v;
            let _ = reply.send(sum);
        }
    });
    let start = Instant::now();
    let mut sum = 0;
    for i in 0..asks {
        let (reply, answer) = oneshot::channel();
        tx.send((i, reply)).unwrap();
        sum = answer.blocking_recv().unwrap();
    }
    outcome(asks, start, sum == asks * (asks - 1) / 2)
}
