// Messages between few actors: pingpong, crossping, ring, count, mpsc, ask.
#include "bench.hpp"

#include <algorithm>
#include <vector>

namespace {

struct pong : event_based_actor {
    using event_based_actor::event_based_actor;
    behavior make_behavior() override {
        return {[this](const actor &ping) { to = ping; }, [this](u64 v) { send(to, v + 1); }};
    }
    actor to;
};

struct ping : event_based_actor {
    ping(actor_config &config, actor pong, actor main, u64 rounds)
        : event_based_actor(config), to(pong), main(main), left(rounds) {}
    behavior make_behavior() override {
        return {[this](go_atom) {
                    send(to, actor{this});
                    send(to, u64{1});
                },
                [this](u64 v) {
                    if (--left > 0)
                        send(to, v + 1);
                    else
                        send(main, v);
                }};
    }
    actor to, main;
    u64 left;
};

struct node : event_based_actor {
    node(actor_config &config, actor main, u64 index)
        : event_based_actor(config), main(main), index(index) {}
    behavior make_behavior() override {
        return {[this](const actor &a) { next = a; },
                [this](u64 left) {
                    if (left > 0)
                        send(next, left - 1);
                    else
                        send(main, index);
                }};
    }
    actor main, next;
    u64 index;
};

struct counter : event_based_actor {
    counter(actor_config &config, actor main, u64 total)
        : event_based_actor(config), main(main), left(total) {}
    behavior make_behavior() override {
        return {[this](u64 v) {
            sum += v;
            if (--left == 0)
                send(main, sum);
        }};
    }
    actor main;
    u64 left, sum = 0;
};

// As many messages as a sender sends in a turn. Fewer are slower with one thread, more than that
// make no difference.
constexpr u64 batch = 1000;

struct sender : event_based_actor {
    sender(actor_config &config, actor to, u64 end) : event_based_actor(config), to(to), end(end) {}
    behavior make_behavior() override {
        return {[this](go_atom) {
            for (const u64 stop = std::min(end, next + batch); next < stop; next++)
                send(to, next);
            if (next < end)
                send(this, go_value);
            else
                quit();
        }};
    }
    actor to;
    u64 next = 0, end;
};

} // namespace

// Round trips; each message carries the number of messages so far.
outcome pingpong(actor_system &sys, u64 rounds) {
    caf::scoped_actor self{sys};
    auto a = sys.spawn<ping>(sys.spawn<pong>(), actor{self}, rounds);
    const auto start = steady::now();
    self->send(a, go_value);
    const u64 v = receive_number(self);
    return done(2 * rounds, start, v == 2 * rounds);
}

// The same between two detached actors, which have a thread each. As blocking actors they need a
// quarter fewer instructions of their own, and as many cycles with the kernel's.
outcome crossping(actor_system &sys, u64 trips) {
    caf::scoped_actor self{sys};
    auto a = sys.spawn<ping, caf::detached>(sys.spawn<pong, caf::detached>(), actor{self}, trips);
    const auto start = steady::now();
    self->send(a, go_value);
    const u64 v = receive_number(self);
    return done(trips, start, v == 2 * trips);
}

// A token counts its hops down; where it ends is known, and summed.
outcome ring(actor_system &sys, u64 actors, u64 tokens, u64 hops) {
    caf::scoped_actor self{sys};
    std::vector<actor> nodes;
    for (u64 i = 0; i < actors; i++)
        nodes.push_back(sys.spawn<node>(actor{self}, i));
    for (u64 i = 0; i < actors; i++)
        self->send(nodes[i], nodes[(i + 1) % actors]);
    u64 expected = 0, sum = 0;
    const auto start = steady::now();
    for (u64 t = 0; t < tokens; t++) {
        const u64 at = t * (actors / tokens);
        self->send(nodes[at], hops);
        expected += (at + hops) % actors;
    }
    for (u64 t = 0; t < tokens; t++)
        sum += receive_number(self);
    return done(hops * tokens, start, sum == expected);
}

// Senders that flood one counter.
outcome count(actor_system &sys, u64 senders, u64 each) {
    caf::scoped_actor self{sys};
    auto to = sys.spawn<counter>(actor{self}, senders * each);
    const auto start = steady::now();
    for (u64 i = 0; i < senders; i++)
        self->send(sys.spawn<sender>(to, each), go_value);
    const u64 sum = receive_number(self);
    return done(senders * each, start, sum == senders * sum_below(each));
}

// A thread outside of the scheduler asks and sleeps until the answer is there.
outcome ask(actor_system &sys, u64 asks) {
    struct adder : event_based_actor {
        using event_based_actor::event_based_actor;
        behavior make_behavior() override {
            return {[this](u64 v) { return sum += v; }};
        }
        u64 sum = 0;
    };
    caf::scoped_actor self{sys};
    auto to = sys.spawn<adder>();
    u64 sum = 0;
    bool failed = false;
    const auto start = steady::now();
    for (u64 i = 0; i < asks; i++)
        self->request(to, caf::infinite, i)
            .receive([&](u64 v) { sum = v; }, [&](caf::error &) { failed = true; });
    return done(asks, start, sum == sum_below(asks) && !failed);
}
