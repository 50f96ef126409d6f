"""docs/performance.svg: one panel a worker count, one dot a program and workload, by gnuplot."""
import subprocess

import programs
import report as reports
import workloads

# Colours that stay apart for those who do not see red and green; troupe is the dark one.
STYLES = {
    "troupe": ("#000000", 7), "tokio": ("#d55e00", 5), "tokio-ct": ("#e69f00", 4),
    "go": ("#56b4e9", 9), "erlang": ("#cc79a7", 11), "caf": ("#009e73", 13),
}
WIDTH, PANEL = 1040, 400


def panel(report, workers, names):
    """The gnuplot commands of one panel. A workload has the same place in each panel; where it
    has no form for so many workers, that is empty and without a name."""
    shown = [p["program"] for p in report.programs
             if any((p["program"], name, workers) in report.cells for name in names)]
    tics = ", ".join('"%s" %d' % (name, x) for x, name in enumerate(names)
                     if workloads.exists(name, workers))
    lines = ['set title "%d worker%s"' % (workers, "" if workers == 1 else "s"),
             "set xtics (%s)" % tics]
    drawn = []
    for key in shown:
        points = ["%d %.6g" % (x, report.cells[key, name, workers].median)
                  for x, name in enumerate(names)
                  if (key, name, workers) in report.cells
                  and report.cells[key, name, workers].median]
        if points:
            lines += ["$%s_%d << END" % (key.replace("-", "_"), workers)] + points + ["END"]
            drawn.append(key)
    plots = ['$%s_%d with points pt %d ps %s lc rgb "%s" title "%s"' % (
        key.replace("-", "_"), workers, STYLES[key][1],
        "1.1" if key == programs.OURS else "0.8", STYLES[key][0], reports.TITLES[key])
        for key in sorted(drawn, key=lambda key: key == programs.OURS)]  # the last one is on top
    return lines + ["plot " + ", ".join(plots)] if plots else []


def script(report):
    """gnuplot's commands, with the data in them; "" if there is nothing to draw."""
    names = [n for n in report.names if not workloads.BY_NAME[n].bytes]
    panels = [panel(report, workers, names) for workers in report.worker_counts]
    panels = [p for p in panels if p]
    if not names or not panels:
        return ""
    head = ["set terminal svg size %d,%d noenhanced background rgb 'white' font 'sans,12'" % (
                WIDTH, PANEL * len(panels)),
            "set logscale y", "set ylabel 'ns an operation (log scale)'", "set format y '%g'",
            "set xrange [-0.5:%g]" % (len(names) - 0.5),
            "set grid xtics ytics lt 1 lc rgb '#dddddd'",
            "set key outside bottom center horizontal",
            "set multiplot layout %d,1" % len(panels)]
    return "\n".join(head + [line for p in panels for line in p] + ["unset multiplot", ""])


def draw(report):
    """The picture, or None: without gnuplot there is none."""
    commands = script(report)
    if not commands:
        return None
    try:
        done = subprocess.run(["gnuplot"], check=True, input=commands, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
