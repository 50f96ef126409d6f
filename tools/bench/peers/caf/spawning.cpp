// Making actors: fork, skynet, idle.
#include "bench.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

namespace {

constexpr u64 forks_a_turn = 1000;

// What short-lived actors share; it outlives them.
struct census {
    std::atomic<u64> sum{0}, left;
    actor main;
    // True for the last one.
    bool add(u64 v) {
        sum.fetch_add(v, std::memory_order_relaxed);
        return left.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }
};

struct child : event_based_actor {
    child(actor_config &config, census *shared) : event_based_actor(config), shared(shared) {}
    behavior make_behavior() override {
        return {[this](u64 v) {
            if (shared->add(v))
                send(shared->main, shared->sum.load());
            quit();
        }};
    }
    census *shared;
};

// Spawns a thousand in a turn and tells itself to go on: fewer are alive at once.
struct forker : event_based_actor {
    forker(actor_config &config, census *shared, u64 end)
        : event_based_actor(config), shared(shared), end(end) {}
    behavior make_behavior() override {
        return {[this](go_atom) {
            for (const u64 stop = std::min(end, next + forks_a_turn); next < stop; next++)
                send(spawn<child>(shared), next);
            if (next < end)
                send(this, go_value);
            else
                quit();
        }};
    }
    census *shared;
    u64 next = 0, end;
};

struct node : event_based_actor {
    node(actor_config &config, actor parent) : event_based_actor(config), parent(parent) {}
    behavior make_behavior() override {
        return {[this](u64 number, u64 leaves) { grow(number, leaves); },
                [this](u64 v) {
                    sum += v;
                    if (--missing == 0)
                        finish();
                }};
    }
    void grow(u64 number, u64 leaves) {
        if (leaves == 1) {
            sum = number;
            finish();
            return;
        }
        const actor self{this};
        const u64 share = leaves / 10;
        for (u64 i = 0; i < 10; i++)
            send(spawn<node>(self), number + i * share, share);
    }
    void finish() {
        send(parent, sum);
        quit();
    }
    actor parent;
    u64 sum = 0, missing = 10;
};

struct idler : event_based_actor {
    idler(actor_config &config, census *shared) : event_based_actor(config), shared(shared) {}
    behavior make_behavior() override {
        return {[this](u64 v) {
            if (shared->add(v))
                send(shared->main, shared->sum.load());
        }};
    }
    census *shared;
};

} // namespace

// Spawn, send one message, end; the last one tells. An actor that ends cancels its timeouts, and
// CAF does so on its clock's thread: that, not the spawn, is what takes the time.
outcome fork(actor_system &sys, u64 n) {
    caf::scoped_actor self{sys};
    static census shared;
    shared.left = n;
    shared.main = actor{self};
    auto f = sys.spawn<forker>(&shared, n);
    const auto start = steady::now();
    self->send(f, go_value);
    const u64 sum = receive_number(self);
    return done(n, start, sum == sum_below(n));
}

// A tree of ten children a node; the leaves' numbers are summed up to the root.
outcome skynet(actor_system &sys, u64 n) {
    caf::scoped_actor self{sys};
    u64 leaves = 1;
    while (leaves * 10 <= n)
        leaves *= 10;
    const auto start = steady::now();
    self->send(sys.spawn<node>(actor{self}), u64{0}, leaves);
    const u64 sum = receive_number(self);
    return done((leaves * 10 - 1) / 9, start, sum == sum_below(leaves));
}

// Actors that have got one message and wait for the next: what does each keep resident?
outcome idle(actor_system &sys, u64 n) {
    caf::scoped_actor self{sys};
    static census shared;
    shared.left = n;
    shared.main = actor{self};
    std::vector<actor> actors; // an actor that nobody can reach ends
    actors.reserve(n);
    const u64 before = memory("VmRSS");
    const auto start = steady::now();
    for (u64 i = 0; i < n; i++) {
        actors.push_back(sys.spawn<idler>(&shared));
        self->send(actors.back(), i);
    }
    const u64 sum = receive_number(self);
    outcome o = done(n, start, sum == sum_below(n));
    o.bytes_per_actor = double(memory("VmRSS") - before) / double(n);
    for (auto &a : actors) // else they would end with the list, which takes seconds
        caf::intrusive_ptr_add_ref(caf::actor_cast<caf::actor_control_block *>(a));
    return o;
}
