"""Instructions an operation: the recorded figures, and whether measured ones may stand beside them.

The file (instructions.txt beside this one) says with which compiler it was recorded, and has one
line for each workload. Nothing is measured here.
"""
import collections
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.txt")
RECORD = "tools/counts --record"
LIMIT = 5.0  # percent; what is repeatable differs by less than a third of that

# compiler: name, version and architecture, on one line; figures: {workload: instructions}
Recorded = collections.namedtuple("Recorded", "compiler figures")

# One workload. verdict: "same", "more" (a failure), "less" or "new".
Comparison = collections.namedtuple("Comparison", "name recorded measured percent verdict")


class RecordError(Exception):
    """The file is no record; one line says why."""


def parse(lines):
    compiler, figures = None, {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "compiler" and len(words) > 1:
            compiler = " ".join(words[1:])
            continue
        try:
            name, figure = words[0], float(*words[1:])
        except (ValueError, TypeError):
            raise RecordError("line %d is not a workload and its figure" % number) from None
        if not 0 < figure < 1e9 or name in figures:
            raise RecordError("line %d: no figure, or the second of %s" % (number, name))
        figures[name] = figure
    if compiler is None:
        raise RecordError("it does not say with which compiler it was recorded")
    return Recorded(compiler, figures)


def load():
    try:
        with open(PATH, encoding="utf-8") as file:
            return parse(file)
    except OSError as error:
        raise RecordError(error.strerror) from error


def text(recorded):
    """What load() reads."""
    lines = ["# Instructions an operation, of all threads (callgrind, 1 worker, release build).",
             "# Made by %s; tests/README.md says when." % RECORD,
             "compiler %s" % recorded.compiler]
    lines += ["%-10s %8.1f" % item for item in recorded.figures.items()]
    return "\n".join(lines) + "\n"


def compare(recorded, measured):
    """A Comparison for each workload of measured, {name: instructions}."""
    result = []
    for name, figure in measured.items():
        before = recorded.figures.get(name)
        if before is None:
            result.append(Comparison(name, None, figure, None, "new"))
            continue
        percent = 100 * (figure / before - 1)
        verdict = "more" if percent > LIMIT else "less" if percent < -LIMIT else "same"
        result.append(Comparison(name, before, figure, percent, verdict))
    return result


def is_failure(comparison):
    """A workload that nobody recorded is not guarded: that is no success either."""
    return comparison.verdict in ("more", "new")


def explain(comparison, op="operation"):
    """One line on what is not the same."""
    name, before, figure, percent, verdict = comparison
    if verdict == "new":
        return "%s: %.1f instructions per %s, and none are recorded; run %s" % (
            name, figure, op, RECORD)
    line = "%s: %.1f instructions per %s, %.1f are recorded: %.1f %% %s" % (
        name, figure, op, before, abs(percent), verdict)
    if verdict == "less":
        return "note: %s; keep it: %s" % (line, RECORD)
    return "%s (limit %g %%); if that is the price of something, say so in the commit and run %s" % (
        line, LIMIT, RECORD)
