//! Many actors that talk to many: big, chameneos, fanout.

use crate::report::{outcome, Outcome};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

enum Talk {
    Meet(Arc<Vec<UnboundedSender<Talk>>>),
    Go,
    Ping(u64),
    Pong(u64),
    Stop,
}

async fn talker(id: u64, pings: u64, mut rx: UnboundedReceiver<Talk>, done: UnboundedSender<u64>) {
    let mut all = Arc::new(Vec::new());
    let (mut to, mut sent, mut received) = (0, 0, 0);
    let mut state = 0x9E37_79B9_7F4A_7C15u64.wrapping_mul(id + 1);
    while let Some(talk) = rx.recv().await {
        match talk {
            Talk::Meet(list) => all = list,
            Talk::Ping(from) => {
                received += 1;
                let _ = all[from as usize].send(Talk::Pong(id));
            }
            Talk::Pong(from) if from != to => panic!("pong from {}, not from {}", from, to),
            Talk::Go | Talk::Pong(_) if sent == pings => done.send(0).unwrap(),
            Talk::Go | Talk::Pong(_) => {
                to = random(&mut state) % all.len() as u64;
                sent += 1;
                let _ = all[to as usize].send(Talk::Ping(id));
            }
            Talk::Stop => return done.send(received).unwrap(),
        }
    }
}

/// Each of `actors` pings `pings` random others, one after the other, and answers theirs.
pub async fn big(actors: u64, pings: u64) -> Outcome {
    let (done, mut results) = unbounded_channel();
    let mut list = Vec::new();
    for id in 0..actors {
        let (tx, rx) = unbounded_channel();
        list.push(tx);
        tokio::spawn(talker(id, pings, rx, done.clone()));
    }
    let list = Arc::new(list);
    let tell = |make: &dyn Fn() -> Talk| list.iter().for_each(|a| a.send(make()).ok().unwrap());
    tell(&|| Talk::Meet(list.clone()));
    let start = Instant::now();
    tell(&|| Talk::Go);
    for _ in 0..actors {
        results.recv().await.unwrap();
    }
    let mut o = outcome(2 * actors * pings, start, false);
    tell(&|| Talk::Stop);
    let mut received = 0;
    for _ in 0..actors {
        received += results.recv().await.unwrap();
    }
    o.right = received == actors * pings;
    o
}

#[derive(Clone, Copy)]
struct Colour(u8);

impl Colour {
    fn complement(self, other: Colour) -> Colour {
        if self.0 == other.0 { self } else { Colour(3 - self.0 - other.0) }
    }
}

enum Mall {
    Enter(UnboundedSender<Creature>, Colour),
    Left(u64),
}

enum Creature {
    Met(UnboundedSender<Creature>, Colour),
    Changed(Colour),
    Closed,
}

async fn mall(mut rx: UnboundedReceiver<Mall>, creatures: u64, meetings: u64) -> u64 {
    let (mut left, mut waiting, mut gone, mut sum) = (meetings, None, 0, 0);
    while gone < creatures {
        match rx.recv().await.unwrap() {
            Mall::Enter(who, _) if left == 0 => who.send(Creature::Closed).ok().unwrap(),
            Mall::Enter(who, colour) => match waiting.take() {
                None => waiting = Some(who),
                Some(other) => {
                    left -= 1;
                    other.send(Creature::Met(who, colour)).ok().unwrap();
                }
            },
            Mall::Left(met) => {
                sum += met;
                gone += 1;
            }
        }
    }
    sum
}

async fn creature(mall: UnboundedSender<Mall>, mut colour: Colour) {
    let (me, mut rx) = unbounded_channel();
    let mut met = 0;
    loop {
        mall.send(Mall::Enter(me.clone(), colour)).ok().unwrap();
        match rx.recv().await.unwrap() {
            Creature::Met(other, theirs) => {
                colour = colour.complement(theirs);
                other.send(Creature::Changed(colour)).ok().unwrap();
            }
            Creature::Changed(ours) => colour = ours,
            Creature::Closed => return mall.send(Mall::Left(met)).ok().unwrap(),
        }
        met += 1;
    }
}

/// Creatures meet in pairs at one mall and agree on a colour.
pub async fn chameneos(creatures: u64, meetings: u64) -> Outcome {
    let (tx, rx) = unbounded_channel();
    let start = Instant::now();
    let mall = tokio::spawn(mall(rx, creatures, meetings));
    for i in 0..creatures {
        tokio::spawn(creature(tx.clone(), Colour((i % 3) as u8)));
    }
    let sum = mall.await.unwrap();
    outcome(meetings, start, sum == 2 * meetings)
}

const ROUNDS_A_TURN: u64 = 16;

/// 4 KiB behind an Arc to each subscriber, a fresh one each round.
pub async fn fanout(subscribers: u64, rounds: u64) -> Outcome {
    let mut mailboxes = Vec::new();
    let mut subs = Vec::new();
    for _ in 0..subscribers {
        let (tx, mut rx) = unbounded_channel::<Arc<[u8; 4096]>>();
        mailboxes.push(tx);
        subs.push(tokio::spawn(async move {
            let mut sum = 0u64;
            for r in 0..rounds {
                sum += rx.recv().await.unwrap()[(r & 4095) as usize] as u64;
            }
            sum
        }));
    }
    let start = Instant::now();
    tokio::spawn(async move {
        for r in 0..rounds {
            let payload = Arc::new([r as u8; 4096]);
            for m in &mailboxes {
                m.send(payload.clone()).unwrap();
            }
            // Subscribers that find some rounds at once are fastest: with a yield after each the
            // current_thread runtime needs twice the time, without any two threads a tenth more.
            if r % ROUNDS_A_TURN == ROUNDS_A_TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
    });
    let mut sum = 0;
    for s in subs {
        sum += s.await.unwrap();
    }
    outcome(subscribers * rounds, start, sum == subscribers * (0..rounds).map(|r| r & 255).sum::<u64>())
}
