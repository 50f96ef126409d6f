"""Rounds of runs, interleaved, and the file that keeps what came out.

results.jsonl has one JSON object a line. "kind" says what it is:

    about    the machine, the command, the date; the first line
    program  a program: its version, or why it is not there
    run      one run: "status" is "ok" or what went wrong
    end      how much of the machine others have used meanwhile; the last line
"""
import datetime
import json
import os
import platform
import subprocess
import time

import workloads
from programs import ask


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def system_name():
    with open("/etc/os-release", encoding="utf-8") as file:
        for line in file:
            if line.startswith("PRETTY_NAME="):
                return line.split("=", 1)[1].strip().strip('"')
    return platform.system()


def about(command, options):
    virtual = ask("systemd-detect-virt", "--vm")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "kind": "about",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "command": command,
        "rounds": options.rounds,
        "scale": options.scale,
        "processor": cpu_model(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_bytes": memory,
        "virtual": virtual if virtual != "none" else "",
        "system": "%s, Linux %s" % (system_name(), platform.release()),
    }


class Others:
    """How much of the processors' time goes to anything but this program and its children.

    What a virtual machine's host takes away ("steal") counts too.
    """

    def __init__(self):
        self.begun = self.look()

    @staticmethod
    def look():
        with open("/proc/stat", encoding="utf-8") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy, sum(os.times()[:4])

    def end(self):
        seconds, busy, ours = (now - then for now, then in zip(self.look(), self.begun))
        share = (busy - ours) / (seconds * os.cpu_count())
        return {"kind": "end", "seconds": round(seconds, 1), "others": round(max(0, share), 4)}


class Results:
    """Appends to the file; what was there before is kept beside it, once."""

    def __init__(self, path):
        if os.path.exists(path):
            os.replace(path, path + ".old")
        self.path = path

    def add(self, record):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record, sort_keys=True) + "\n")


def judge(status, output, errors):
    """(status, fields) of a run that ended by itself."""
    lines = output.strip().split("\n")
    last_error = errors.strip().split("\n")[-1][:200]
    try:
        fields = json.loads(lines[-1])
        check = fields["check"]
        float(fields["ns_per_op"]), int(fields["ops"]), int(fields["peak_rss_bytes"])
    except (ValueError, KeyError, TypeError):
        return ("exit %d, no result%s" % (status, ": " + last_error if last_error else ""), {})
    if check != "ok":
        return "wrong result: %s" % check, {}
    if status != 0:
        return "exit %d" % status, {}
    return "ok", fields


def run_once(program, workload, workers, scale, timeout):
    """The record of one run of a program."""
    scale *= program.scale.get(workload, 1)
    record = {"kind": "run", "program": program.key, "workload": workload, "workers": workers,
              "scale": scale}
    try:
        done = subprocess.run(program.command(workload, workers, scale), check=False, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout)
    except subprocess.TimeoutExpired:
        return dict(record, status="not done after %g s" % timeout)
    except OSError as error:
        return dict(record, status=error.strerror)
    status, fields = judge(done.returncode, done.stdout, done.stderr)
    for key in ("ns_per_op", "bytes_per_actor", "ops", "peak_rss_bytes"):
        if key in fields:
            record[key] = fields[key]
    return dict(record, status=status)


def plan(programs, names, worker_counts, rounds):
    """(round, workers, workload, program) in the order in which they run.

    The programs take turns at each workload, so that what disturbs the machine for a
    while disturbs all of them; who begins changes from round to round.
    """
    for number in range(1, rounds + 1):
        shift = (number - 1) % max(1, len(programs))
        order = programs[shift:] + programs[:shift]
        for workers in worker_counts:
            for name in names:
                for program in order:
                    if workloads.exists(name, workers) and program.runs(name, workers):
                        yield number, workers, name, program


class Clock:
    """Says how long the rest will take: as long as each step took before, else the mean."""

    def __init__(self, steps):
        self.left = [self.key(step) for step in steps]
        self.took = {}

    @staticmethod
    def key(step):
        return step[1:3] + (step[3].key,)

    def done(self, step, seconds):
        del self.left[0]
        self.took.setdefault(self.key(step), []).append(seconds)

    def estimate(self):
        if not self.took:
            return 0
        means = {key: sum(t) / len(t) for key, t in self.took.items()}
        mean = sum(means.values()) / len(means)
        return sum(means.get(key, mean) for key in self.left)


def describe(record):
    if record["status"] != "ok":
        return "FAILED: " + record["status"]
    workload = workloads.BY_NAME[record["workload"]]
    if workload.bytes and "bytes_per_actor" in record:
        return "%.0f bytes per actor" % record["bytes_per_actor"]
    return "%.1f ns per %s" % (record["ns_per_op"], workload.op)


def run_all(steps, options, results, say):
    """Every step once; a failing one is recorded and the rest goes on. Returns the failures."""
    clock, others = Clock(steps), Others()
    failures = 0
    for position, step in enumerate(steps, 1):
        number, workers, name, program = step
        begun = time.monotonic()
        record = dict(run_once(program, name, workers, options.scale, options.timeout),
                      round=number)
        results.add(record)
        failures += record["status"] != "ok"
        clock.done(step, time.monotonic() - begun)
        minutes, seconds = divmod(round(clock.estimate()), 60)
        say("[%d/%d] round %d, %d worker%s, %s, %s: %s; %d:%02d left" % (
            position, len(steps), number, workers, "" if workers == 1 else "s", name,
            program.title, describe(record), minutes, seconds))
    results.add(others.end())
    return failures
