// What the workloads on CAF share: the clock, the outcome, names.
#pragma once

#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <string>

using u64 = std::uint64_t;
using caf::actor;
using caf::actor_config;
using caf::actor_system;
using caf::behavior;
using caf::event_based_actor;
using steady = std::chrono::steady_clock;

// What CAF 0.17 calls a message without content: a type of its own.
#define BENCH_ATOM(name) \
    using name##_atom = caf::atom_constant<caf::atom(#name)>; \
    constexpr name##_atom name##_value = name##_atom::value

BENCH_ATOM(go);
BENCH_ATOM(ping);
BENCH_ATOM(pong);
BENCH_ATOM(stop);
BENCH_ATOM(meet);
BENCH_ATOM(change);
BENCH_ATOM(closed);

struct outcome {
    u64 ops;
    steady::duration took;
    bool right;
    double bytes_per_actor = 0;
};

// The clock stops here: call it as soon as the last result is in.
inline outcome done(u64 ops, steady::time_point start, bool right) {
    return {ops, steady::now() - start, right};
}

// A line of /proc/self/status ("VmRSS", "VmHWM") in bytes.
u64 memory(const std::string &field);

constexpr u64 sum_below(u64 n) { return n % 2 ? (n - 1) / 2 * n : n / 2 * (n - 1); }

// Waits for one number that an actor sends to the thread outside.
inline u64 receive_number(caf::scoped_actor &self) {
    u64 number = 0;
    self->receive([&](u64 v) { number = v; });
    return number;
}

outcome pingpong(actor_system &, u64 rounds);
outcome crossping(actor_system &, u64 trips);
outcome ring(actor_system &, u64 actors, u64 tokens, u64 hops);
outcome count(actor_system &, u64 senders, u64 each);
outcome ask(actor_system &, u64 asks);
outcome fork(actor_system &, u64 n);
outcome skynet(actor_system &, u64 n);
outcome idle(actor_system &, u64 n);
outcome big(actor_system &, u64 actors, u64 pings);
outcome chameneos(actor_system &, u64 creatures, u64 meetings);
outcome fanout(actor_system &, u64 subscribers, u64 rounds);
