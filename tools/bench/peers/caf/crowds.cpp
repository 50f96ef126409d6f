// Many actors that talk to many: big, chameneos, fanout.
#include "bench.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

using list = std::shared_ptr<const std::vector<actor>>;

struct block {
    std::uint8_t bytes[4096];
};
using block_ptr = std::shared_ptr<const block>;

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(block_ptr)

namespace {

u64 random(u64 &state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// -- big ---------------------------------------------------------------------------

struct talker : event_based_actor {
    talker(actor_config &config, actor main, u64 id, u64 pings)
        : event_based_actor(config), main(main), id(id), left(pings),
          state(0x9E3779B97F4A7C15u * (id + 1)) {}
    behavior make_behavior() override {
        return {[this](ping_atom, u64 from) {
                    received++;
                    send((*all)[from], pong_value, id);
                },
                [this](pong_atom, u64 from) {
                    strays += from != to;
                    next();
                },
                [this](go_atom) { next(); },
                [this](const list &l) { all = l; },
                [this](stop_atom) { send(main, strays > 0 ? ~u64{0} : received); }};
    }
    void next() {
        if (left == 0) {
            send(main, u64{0});
            return;
        }
        left--;
        to = random(state) % all->size();
        send((*all)[to], ping_value, id);
    }
    actor main;
    list all;
    u64 id, left, state, to = 0, received = 0, strays = 0;
};

// -- chameneos -----------------------------------------------------------------------

struct mall : event_based_actor {
    mall(actor_config &config, actor main, u64 creatures, u64 meetings)
        : event_based_actor(config), main(main), inside(creatures), left(meetings) {}
    behavior make_behavior() override {
        return {[this](const actor &who, int colour) {
                    if (left == 0) {
                        send(who, closed_value);
                    } else if (!waiting) {
                        waiting = who;
                    } else {
                        left--;
                        send(waiting, who, colour);
                        waiting = nullptr;
                    }
                },
                [this](u64 met) {
                    sum += met;
                    if (--inside == 0)
                        send(main, sum);
                }};
    }
    actor main, waiting;
    u64 inside, left, sum = 0;
};

struct creature : event_based_actor {
    creature(actor_config &config, actor mall, int colour)
        : event_based_actor(config), mall(mall), colour(colour) {}
    behavior make_behavior() override {
        visit();
        return {[this](const actor &other, int theirs) {
                    colour = colour == theirs ? colour : 3 - colour - theirs;
                    send(other, colour);
                    met++;
                    visit();
                },
                [this](int ours) {
                    colour = ours;
                    met++;
                    visit();
                },
                [this](closed_atom) {
                    send(mall, met);
                    quit();
                }};
    }
    void visit() { send(mall, actor{this}, colour); }
    actor mall;
    int colour;
    u64 met = 0;
};

// -- fanout ------------------------------------------------------------------------------

struct subscriber : event_based_actor {
    subscriber(actor_config &config, actor main, u64 rounds)
        : event_based_actor(config), main(main), rounds(rounds) {}
    behavior make_behavior() override {
        return {[this](const block_ptr &b) {
            sum += b->bytes[round & 4095];
            if (++round == rounds)
                send(main, sum);
        }};
    }
    actor main;
    u64 rounds, round = 0, sum = 0;
};

// Half the time of one round a turn with two workers, and the same with one.
constexpr u64 rounds_a_turn = 8;

struct publisher : event_based_actor {
    publisher(actor_config &config, std::vector<actor> subscribers, u64 rounds)
        : event_based_actor(config), subscribers(std::move(subscribers)), rounds(rounds) {}
    behavior make_behavior() override {
        return {[this](go_atom) {
            for (const u64 stop = std::min(rounds, round + rounds_a_turn); round < stop; round++)
                publish();
            if (round < rounds)
                send(this, go_value);
        }};
    }
    void publish() {
        auto fresh = std::make_shared<block>();
        std::memset(fresh->bytes, int(round & 255), sizeof fresh->bytes);
        // One CAF message, counted and shared, for all.
        const auto m = caf::make_message(block_ptr{std::move(fresh)});
        for (auto &s : subscribers)
            send(s, m);
    }
    std::vector<actor> subscribers;
    u64 rounds, round = 0;
};

} // namespace

// Each actor pings random others, one after the other, and answers theirs.
outcome big(actor_system &sys, u64 actors, u64 pings) {
    caf::scoped_actor self{sys};
    auto all = std::make_shared<std::vector<actor>>();
    for (u64 i = 0; i < actors; i++)
        all->push_back(sys.spawn<talker>(actor{self}, i, pings));
    for (auto &a : *all)
        self->send(a, list{all});
    const auto start = steady::now();
    for (auto &a : *all)
        self->send(a, go_value);
    for (u64 i = 0; i < actors; i++)
        receive_number(self);
    outcome o = done(2 * actors * pings, start, false);
    u64 received = 0;
    for (auto &a : *all)
        self->send(a, stop_value);
    for (u64 i = 0; i < actors; i++)
        received += receive_number(self);
    o.right = received == actors * pings;
    return o;
}

// Creatures meet in pairs at one mall and agree on a colour.
outcome chameneos(actor_system &sys, u64 creatures, u64 meetings) {
    caf::scoped_actor self{sys};
    const auto start = steady::now();
    auto m = sys.spawn<mall>(actor{self}, creatures, meetings);
    for (u64 i = 0; i < creatures; i++)
        sys.spawn<creature>(m, int(i % 3));
    const u64 sum = receive_number(self);
    return done(meetings, start, sum == 2 * meetings);
}

// A pointer to 4 KiB to each subscriber, a fresh block each round.
outcome fanout(actor_system &sys, u64 subscribers, u64 rounds) {
    caf::scoped_actor self{sys};
    std::vector<actor> all;
    for (u64 i = 0; i < subscribers; i++)
        all.push_back(sys.spawn<subscriber>(actor{self}, rounds));
    auto p = sys.spawn<publisher>(all, rounds);
    u64 sum = 0, expected = 0;
    const auto start = steady::now();
    self->send(p, go_value);
    for (u64 i = 0; i < subscribers; i++)
        sum += receive_number(self);
    outcome o = done(subscribers * rounds, start, false);
    for (u64 r = 0; r < rounds; r++)
        expected += r & 255;
    o.right = sum == subscribers * expected;
    return o;
}
