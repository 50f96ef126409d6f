"""docs/performance.md out of results.jsonl: medians, spreads, ratios. Nothing is measured here.

The same results and the same recorded instructions give the same text, byte for byte.
"""
import collections
import json
import statistics

import programs
import workloads

# What came out of the runs of one program, workload and worker count.
Cell = collections.namedtuple("Cell", "median low high runs failures peak")
Report = collections.namedtuple("Report", "about end programs cells worker_counts names")


class ResultsError(Exception):
    """The file is no results; one line says why."""


def parse(lines):
    about, end, known, runs = None, None, {}, collections.defaultdict(list)
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            kind = record["kind"]
            if kind == "about":
                about = record
            elif kind == "end":
                end = record
            elif kind == "program":
                known[record["program"]] = record
            elif kind == "run":
                runs[record["program"], record["workload"], record["workers"]].append(record)
        except (ValueError, KeyError, TypeError) as error:
            raise ResultsError("line %d is not a result: %s" % (number, error)) from error
    if about is None:
        raise ResultsError("it does not say on which machine it was measured")
    cells = {key: summarise(key[1], records) for key, records in runs.items()}
    return Report(about, end, [known[p.key] for p in programs.ALL if p.key in known], cells,
                  sorted({workers for _, _, workers in cells}),
                  [name for name in workloads.NAMES if any(name == key[1] for key in cells)])


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file)
    except OSError as error:
        raise ResultsError(error.strerror) from error


def summarise(name, records):
    field = "bytes_per_actor" if workloads.BY_NAME[name].bytes else "ns_per_op"
    good = [r for r in records if r["status"] == "ok" and field in r]
    failures = [r["status"] for r in records if r not in good]
    if not good:
        return Cell(None, None, None, 0, failures, None)
    values = [r[field] for r in good]
    return Cell(statistics.median(values), min(values), max(values), len(good), failures,
                statistics.median(r["peak_rss_bytes"] for r in good))


# -- text ---------------------------------------------------------------------------

TITLES = {p.key: p.title for p in programs.ALL}
SCALES = {p.key: p.scale for p in programs.ALL}
SHARED = {p.key for p in programs.ALL if p.build_as not in (None, p.key)}
IDIOMS = {p.key: p.idiom for p in programs.ALL}


def number(value):
    return "%.1f" % value if value < 100 else "%.0f" % value


def count(number_of, what):
    return "%d %s%s" % (number_of, what, "" if number_of == 1 else "s")


def escape(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def table(head, rows, others="---:"):
    """The first column to the left, the others to the right unless told."""
    lines = ["| %s |" % " | ".join(cells) for cells in [head] + rows]
    lines.insert(1, "|---|" + (others + "|") * (len(head) - 1))
    return lines


def failed(program, cell):
    """Why there is no number, or None."""
    if program["status"] != "ok":
        return "not built"
    if cell is None:
        return "-"
    return "**failed**" if cell.median is None else None


def show(program, name, cell):
    why = failed(program, cell)
    if why:
        return why
    text = "%s (%s to %s)" % (number(cell.median), number(cell.low), number(cell.high))
    if program["program"] in workloads.BY_NAME[name].unlike:
        text += " \\*"
    if cell.failures:
        text += ", **%d of %d failed**" % (len(cell.failures), len(cell.failures) + cell.runs)
    return text


def best_peer(report, name, workers):
    """(median, key) of the peer with the least median, or None."""
    others = (programs.OURS,) + workloads.BY_NAME[name].unlike
    found = [(cell.median, key) for (key, w, t), cell in sorted(report.cells.items())
             if w == name and t == workers and key not in others and cell.median]
    return min(found) if found else None


def ratio(report, name, workers):
    """Ours divided by the best peer, or None."""
    ours, best = report.cells.get((programs.OURS, name, workers)), best_peer(report, name, workers)
    if ours is None or ours.median is None or best is None:
        return None
    return ours.median / best[0]


def show_ratio(report, name, workers):
    value = ratio(report, name, workers)
    if value is None:
        return "-"
    return "%.2f (%s)" % (value, TITLES[best_peer(report, name, workers)[1]])


def unit(name):
    workload = workloads.BY_NAME[name]
    return "bytes per actor" if workload.bytes else "ns per %s" % workload.op


def shown_programs(report, workers):
    """Those with a column: all that ran here, and those that could not be built."""
    ran = {key for key, _, t in report.cells if t == workers}
    return [p for p in report.programs if p["program"] in ran or p["status"] != "ok"]


def shown_names(report, workers):
    """Those with a row: not those that have no form for so many workers."""
    return [name for name in report.names if workloads.exists(name, workers)]


def results_table(report, workers):
    columns = shown_programs(report, workers)
    head = ["workload"] + [TITLES[p["program"]] for p in columns] + ["troupe / best peer"]
    rows = []
    for name in shown_names(report, workers):
        cells = [show(p, name, report.cells.get((p["program"], name, workers))) for p in columns]
        rows.append(["%s, %s" % (name, unit(name))] + cells + [show_ratio(report, name, workers)])
    return table(head, rows)


def memory_table(report, workers):
    columns = shown_programs(report, workers)
    rows = []
    for name in shown_names(report, workers):
        cells = [report.cells.get((p["program"], name, workers)) for p in columns]
        rows.append([name] + [failed(p, c) or "%.1f" % (c.peak / 2**20)
                              for p, c in zip(columns, cells)])
    return table(["workload"] + [TITLES[p["program"]] for p in columns], rows)


def verdict(report, workers):
    """One sentence: how often ahead, and where not."""
    ratios = {name: ratio(report, name, workers) for name in report.names}
    known = [name for name in report.names if ratios[name] is not None]
    if not known:
        return []
    behind = [name for name in known if ratios[name] > 1]
    text = "troupe needs less than the best peer in %d of %d workloads" % (
        len(known) - len(behind), len(known))
    return [text + (", and more in %s." % ", ".join(behind) if behind else "."), ""]


def results_section(report):
    lines = []
    for workers in report.worker_counts:
        lines += ["## " + count(workers, "worker"), ""]
        lines += verdict(report, workers) + results_table(report, workers) + [""]
    return lines


def failures_section(report):
    rows = [[TITLES[p["program"]], "", "", escape(p["status"])]
            for p in report.programs if p["status"] != "ok"]
    for (key, name, workers), cell in sorted(report.cells.items()):
        for why, times in sorted(collections.Counter(cell.failures).items()):
            rows.append([TITLES[key], name, str(workers),
                         "%s: %s" % (count(times, "time"), escape(why))])
    if not rows:
        return []
    head = ["program", "workload", "workers", "why"]
    return ["## What failed", ""] + table(head, rows, "---") + [""]


def machine_section(report):
    about = report.about
    virtual = " (a virtual machine: %s)" % about["virtual"] if about["virtual"] else ""
    rows = [["processor", "%s, %s%s" % (escape(about["processor"]),
                                        count(about["processors"], "processor"), virtual)],
            ["memory", "%.0f GiB" % (about["memory_bytes"] / 2**30)],
            ["system", escape(about["system"])],
            ["date", about["date"]],
            ["used by others", others(report)],
            ["rounds, scale", "%d, %g" % (about["rounds"], about["scale"])],
            ["command", "`%s`" % about["command"]]]
    for program in report.programs:
        if program["program"] not in SHARED:
            rows.append([TITLES[program["program"]],
                         escape(program["version"] or program["status"])])
    return ["## Machine and versions", ""] + table(["", ""], rows, "---") + [""]


QUIET = 0.05  # of the processors: more than that in use by others makes numbers doubtful


def others(report):
    if report.end is None:
        return "unknown: the measurement was stopped half-way"
    return "%.1f %% of the processors' time, in %s" % (
        100 * report.end["others"], count(round(report.end["seconds"] / 60), "minute"))


def warning(report):
    if report.end is not None and report.end["others"] <= QUIET:
        return []
    return ["**Do not rely on these numbers.** What else ran on the machine: %s." % others(report),
            ""]


def notes_section(report):
    lines = ["## What is compared", "",
             "The workloads, and what is peculiar about some:", ""]
    for name in report.names:
        workload = workloads.BY_NAME[name]
        lines.append("- **%s**: %s. %s" % (name, workload.what, workload.note))
    lines += ["", "Each program checks what it counted (every message once, sums); a run with a "
              "wrong result has failed. The clock runs from the first message until the last "
              "result is in, and does not see the start of the program. Their sources are in "
              "[tools/bench/peers](../tools/bench/peers) and "
              "[tools/troupe/bench](../tools/troupe/bench). How each was written and built, so "
              "that its authors would agree:", ""]
    for program in report.programs:
        key = program["program"]
        lines.append("- **%s**: %s." % (TITLES[key], IDIOMS[key]))
        for name, factor in sorted(SCALES[key].items()):
            if name in report.names:
                lines.append("  Its %s has %g of the size: at full size one run takes a minute." % (
                    name, factor))
    return [line.rstrip() for line in lines] + [""]


def memory_section(report):
    lines = ["## Peak memory", "",
             "The most resident memory of the process, MiB, median. Go's and Erlang's machines are "
             "in it.", ""]
    for workers in report.worker_counts:
        lines += [count(workers, "worker") + ":", ""]
        lines += memory_table(report, workers) + [""]
    return lines


def instructions_section(recorded):
    """What an operation is, the tables above say."""
    if recorded is None:
        return []
    rows = [["%s, per %s" % (name, workloads.BY_NAME[name].op), "%.0f" % recorded.figures[name]]
            for name in workloads.NAMES if name in recorded.figures]
    return ["## Instructions an operation (callgrind, 1 worker)", "",
            "What troupe's threads execute together for one more operation, compiled by %s. The "
            "same on other machines but for some in libc, and guarded: `tools/check` fails when "
            "one of them grows." % escape(recorded.compiler), ""] + \
        table(["workload", "instructions"], rows) + [""]


def render(report, plot=None, recorded=None):
    """The whole page; plot is the address of the picture, recorded the instructions (as
    instructions.load gives them); None if there is none."""
    lines = ["<!-- Made by tools/bench/run; changes by hand get lost. -->",
             "# Performance", "",
             "troupe against its peers on one machine: tokio, Go, Erlang and CAF, as Debian has "
             "them. Medians of %s, in brackets the least and the most; in each round every "
             "program runs each workload once, one after the other. A ratio below 1 says that "
             "troupe needs less than the best of the others." % (
                 count(report.about["rounds"], "round")), ""]
    lines += warning(report) + results_section(report)
    if plot:
        lines += ["![Time of one operation, by workload and program](%s)" % plot, ""]
    lines += failures_section(report) + memory_section(report)
    lines += instructions_section(recorded) + notes_section(report)
    lines += machine_section(report)
    lines += ["Measure it yourself, on a machine that does nothing else: `tools/bench/run`; "
              "`tools/bench/run --help` tells the rest.", ""]
    return "\n".join(lines)
