// bench_caf WORKLOAD THREADS SCALE
//
// Actors are classes on CAF's work-stealing scheduler; CAF 0.17. What was chosen, and why:
// - scheduler.max-threads = THREADS; all else is left as CAF sets it.
//   crossping's actors are detached: each brings a thread, and the scheduler's sleep.
// - classes with members, not functions with state: no std::function around the state.
// - a message that needs no name is a bare number; only where an actor takes several kinds does
//   an atom tell them apart.
// - mimalloc, from Debian, where it is there: each message and each actor is a malloc.
#include "bench.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

u64 memory(const std::string &field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.compare(0, field.size() + 1, field + ":") == 0)
            return std::stoull(line.substr(field.size() + 1)) * 1024;
    throw std::runtime_error("no " + field);
}

static bool run(const std::string &workload, actor_system &sys, double scale, outcome &result) {
    auto n = [scale](double full) { return u64(std::fmax(1, std::round(full * scale))); };
    if (workload == "pingpong")
        result = pingpong(sys, n(2e6));
    else if (workload == "crossping")
        result = crossping(sys, n(1e5));
    else if (workload == "ring1")
        result = ring(sys, 1000, 1, n(5e6));
    else if (workload == "ring100")
        result = ring(sys, 1000, 100, n(5e4));
    else if (workload == "count")
        result = count(sys, 1, n(1e7));
    else if (workload == "mpsc")
        result = count(sys, 100, n(1e5));
    else if (workload == "ask")
        result = ask(sys, n(1e5));
    else if (workload == "fork")
        result = fork(sys, n(1e6));
    else if (workload == "skynet")
        result = skynet(sys, n(1e6));
    else if (workload == "idle")
        result = idle(sys, n(1e6));
    else if (workload == "big")
        result = big(sys, 200, n(2e4));
    else if (workload == "chameneos")
        result = chameneos(sys, 100, n(1e6));
    else if (workload == "fanout")
        result = fanout(sys, 1000, n(1000));
    else
        return false;
    return true;
}

static void print(const char *name, size_t threads, const outcome &o) {
    const double ns = std::chrono::duration<double, std::nano>(o.took).count();
    std::printf("{\"name\":\"%s\",\"ns_per_op\":%.3f,", name, ns / double(o.ops));
    if (o.bytes_per_actor > 0)
        std::printf("\"bytes_per_actor\":%.1f,", o.bytes_per_actor);
    std::printf("\"ops\":%llu,\"workers\":%zu,\"peak_rss_bytes\":%llu,\"check\":\"%s\"}\n",
                (unsigned long long)o.ops, threads, (unsigned long long)memory("VmHWM"),
                o.right ? "ok" : "wrong");
    std::fflush(stdout);
}

int main(int argc, char **argv) {
    const size_t threads = argc == 4 ? std::strtoul(argv[2], nullptr, 10) : 0;
    const double scale = argc == 4 ? std::strtod(argv[3], nullptr) : 0;
    if (threads == 0 || !(scale > 0)) {
        std::fputs("usage: bench_caf WORKLOAD THREADS SCALE\n", stderr);
        return 2;
    }
    if (threads != 2 && std::string(argv[1]) == "crossping") {
        std::fputs("bench_caf: crossping has 2 threads\n", stderr);
        return 2;
    }
    caf::actor_system_config config;
    config.set("scheduler.max-threads", threads);
    actor_system sys{config};
    outcome result;
    if (!run(argv[1], sys, scale, result)) {
        std::fprintf(stderr, "bench_caf: no workload %s\n", argv[1]);
        std::_Exit(2);
    }
    print(argv[1], threads, result);
    std::_Exit(result.right ? 0 : 1); // the system would first wait for actors that still live
}
