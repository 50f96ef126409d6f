"""Count the instructions of troupe's hot paths under callgrind: tools/counts builds and calls this.

    counts.py [--record] TROUPE [WORKLOAD ...]

A workload runs with two sizes, and what the larger one needs more, divided by the operations
that it does more, is the figure: start and end of the program cancel out. All threads count, so
that no work hides in another one. Threads take turns under valgrind and the clock does not slow
down with them, so when a thread runs first, and what the runtime does because a turn took long,
differs a little from run to run. On a busy machine turns take longer, which costs instructions:
the least of three runs counts.

Exit status: 0; 1 when a figure has grown or cannot be measured; 77 when what is recorded comes
from another compiler, so that there is nothing to compare with.
"""
import sys

sys.dont_write_bytecode = True  # before our own modules: no __pycache__ beside them

import argparse  # noqa: E402
import collections  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import platform  # noqa: E402
import re  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402

import instructions  # noqa: E402
from programs import ask  # noqa: E402

ME = "tools/counts"
ROUNDS = 3
TIMEOUT = 300  # seconds for one run, of about one
SKIPPED = 77

# Two sizes each, as of `troupe bench --size`. With larger ones of mpsc the counter falls behind,
# how far depends on the clock, and the figures are 10 % apart. Not here:
# chameneos  its creatures and the mall find one of two rhythms (8 % apart, without valgrind too),
#            and which one is decided by how their first messages meet
# ring1      pingpong by another name
# ask, idle  a thread outside that sleeps; memory
SIZES = {
    "pingpong": (0.02, 0.08),
    "ring100": (0.02, 0.2),
    "count": (0.02, 0.08),
    "mpsc": (0.002, 0.01),
    "fork": (0.02, 0.08),
    "skynet": (0.01, 0.1),
    "big": (0.02, 0.1),
    "fanout": (0.02, 0.1),
}

# spread: how far apart the rounds were, percent
Figure = collections.namedtuple("Figure", "least spread op")


class Failure(Exception):
    """One line that says why there is no figure."""


def say(text):
    print(text, flush=True)


def complain(text):
    print("%s: %s" % (ME, text), file=sys.stderr, flush=True)


def run(troupe, name, size):
    """(operations, instructions, what an operation is)"""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        command = ["valgrind", "--quiet", "--tool=callgrind", "--callgrind-out-file=" + out,
                   troupe, "bench", name, "--size", repr(size), "--workers", "1", "--json"]
        try:
            # Nobody looks at its statistics, and that thread would count too.
            done = subprocess.run(command, check=False, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=TIMEOUT,
                                  env=dict(os.environ, TROUPE_STATS="0"))
        except subprocess.TimeoutExpired:
            raise Failure("%s: not done after %d s" % (name, TIMEOUT)) from None
        except OSError as error:
            raise Failure("valgrind: %s; run tools/setup" % error.strerror) from error
        try:
            result = json.loads(done.stdout)
            if done.returncode == 0 and result["check"] == "ok":
                return result["ops"], total_of(out), result["op"]
        except (ValueError, KeyError, TypeError, OSError):
            pass
        last = (done.stderr.strip() or done.stdout.strip() or "no output").split("\n")[-1]
        raise Failure("%s: exit %d: %s" % (name, done.returncode, last))


def total_of(path):
    with open(path, encoding="utf-8") as file:
        found = re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M)
    if found is None:
        raise ValueError(path)
    return int(found.group(1))


def measure(troupe, name):
    rounds = [[run(troupe, name, size) for size in SIZES[name]] for _ in range(ROUNDS)]
    (few, little, op), (many, much, _) = map(min, zip(*rounds))
    if many <= few or much <= little:
        raise Failure("%s: a larger size is no more work" % name)
    more = [large[1] - small[1] for small, large in rounds]
    return Figure((much - little) / (many - few), 100 * (max(more) - min(more)) / (much - little), op)


def measure_all(troupe, names, recorded):
    figures = {}
    say("%-10s %9s %9s %9s %9s" % ("workload", "recorded", "measured", "change", "spread"))
    for name in names:
        figure = figures[name] = measure(troupe, name)
        before = recorded.figures.get(name) if recorded else None
        change = "%+.1f %%" % (100 * (figure.least / before - 1)) if before else "-"
        say("%-10s %9s %9.1f %9s %9s" % (name, "%.1f" % before if before else "-", figure.least,
                                         change, "%.1f %%" % figure.spread))
    return figures


def compiler():
    return "%s, %s" % (ask("gcc", "--version"), platform.machine())


def record(recorded, figures):
    """The others stay as they are."""
    together = {name: figures[name].least if name in figures else recorded.figures[name]
                for name in SIZES if name in figures or (recorded and name in recorded.figures)}
    with open(instructions.PATH, "w", encoding="utf-8") as file:
        file.write(instructions.text(instructions.Recorded(compiler(), together)))
    say("wrote %s" % os.path.relpath(instructions.PATH))


def judge(recorded, figures):
    """The exit status."""
    comparisons = instructions.compare(recorded, {n: f.least for n, f in figures.items()})
    for comparison in comparisons:
        if comparison.verdict != "same":
            line = instructions.explain(comparison, figures[comparison.name].op)
            (complain if instructions.is_failure(comparison) else say)(line)
    return 1 if any(map(instructions.is_failure, comparisons)) else 0


def work(options, names):
    try:
        recorded = instructions.load()
    except instructions.RecordError as error:
        if not options.record:
            raise Failure("%s: %s; run %s" % (os.path.relpath(instructions.PATH), error,
                                              instructions.RECORD)) from error
        recorded = None
    if recorded and recorded.compiler != compiler():
        if not options.record:
            say("%s: skipped: recorded with %s; here is %s" % (ME, recorded.compiler, compiler()))
            return SKIPPED
        recorded = None  # nothing of another compiler stays
    figures = measure_all(options.troupe, names, recorded)
    if not options.record:
        return judge(recorded, figures)
    record(recorded, figures)
    return 0


def main(arguments):
    parser = argparse.ArgumentParser(prog=ME)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("troupe")
    parser.add_argument("workload", nargs="*")
    options = parser.parse_args(arguments)
    for name in options.workload:
        if name not in SIZES:
            complain("%s is not counted (what is: %s); see %s --help" % (
                name, ", ".join(SIZES), ME))
            return 2
    try:
        return work(options, [n for n in SIZES if n in (options.workload or SIZES)])
    except Failure as failure:
        complain(failure)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
