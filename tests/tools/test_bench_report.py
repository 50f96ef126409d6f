#!/usr/bin/env python3
"""tools/bench reports what it was given: medians, ratios, and what failed."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

BENCH = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "tools/bench")
sys.dont_write_bytecode = True
sys.path.insert(0, BENCH)

import instructions  # noqa: E402
import measure  # noqa: E402
import plot  # noqa: E402
import programs  # noqa: E402
import report as reports  # noqa: E402
import workloads  # noqa: E402

ABOUT = {"kind": "about", "date": "2024-02-03", "command": "tools/bench/run", "rounds": 3,
         "scale": 1.0, "processor": "a|b", "processors": 2, "memory_bytes": 2**33, "virtual": "",
         "system": "Debian"}
QUIET = {"kind": "end", "seconds": 600, "others": 0.01}


def program(key, status="ok"):
    return {"kind": "program", "program": key, "status": status, "version": "1 of " + key}


def run(key, value, workload="ring1", workers=1, status="ok"):
    record = {"kind": "run", "round": 1, "program": key, "workload": workload, "workers": workers,
              "scale": 1.0, "status": status}
    if status == "ok":
        field = "bytes_per_actor" if workload == "idle" else "ns_per_op"
        record.update({"ns_per_op": 1.0, "ops": 10, "peak_rss_bytes": 3 << 20, field: value})
    return record


def lines(*records):
    return [json.dumps(record) for record in records]


def render(*records):
    known = [program(key) for key in ("troupe", "tokio", "go")]
    return reports.render(reports.parse(lines(ABOUT, *known, *records, QUIET)))


def cells(page, first):
    """The cells of the first row that begins so, without the first one."""
    rows = [line for line in page.split("\n") if line.startswith("| " + first)]
    return [cell.strip() for cell in rows[0].strip("|").split("|")[1:]]


class TestReport(unittest.TestCase):
    def test_report_odd_number_of_runs_shows_median_and_spread(self):
        page = render(*[run("troupe", v) for v in (30.0, 10.0, 20.0)])
        self.assertEqual(cells(page, "ring1, ns per hop"), ["20.0 (10.0 to 30.0)", "-"])

    def test_report_even_number_of_runs_shows_the_middle(self):
        page = render(run("troupe", 10.0), run("troupe", 20.0))
        self.assertIn("15.0 (10.0 to 20.0)", page)

    def test_report_ratio_is_to_the_best_peer(self):
        page = render(run("troupe", 20.0), run("tokio", 80.0), run("go", 40.0))
        self.assertEqual(cells(page, "ring1")[-1], "0.50 (Go)")
        self.assertIn("less than the best peer in 1 of 1 workloads.", page)

    def test_report_slower_workload_is_named(self):
        page = render(run("troupe", 50.0), run("tokio", 40.0))
        self.assertEqual(cells(page, "ring1")[-1], "1.25 (tokio)")
        self.assertIn("in 0 of 1 workloads, and more in ring1.", page)

    def test_report_bytes_are_what_counts_in_idle(self):
        page = render(run("troupe", 256.0, "idle"), run("tokio", 512.0, "idle"))
        self.assertEqual(cells(page, "idle, bytes per actor"),
                         ["256 (256 to 256)", "512 (512 to 512)", "0.50 (tokio)"])

    def test_report_unlike_peer_is_shown_and_marked_and_not_in_the_ratio(self):
        page = render(run("troupe", 30.0, "ask"), run("tokio", 60.0, "ask"), run("go", 1.0, "ask"))
        self.assertEqual(cells(page, "ask")[2:], ["1.0 (1.0 to 1.0) \\*", "0.50 (tokio)"])

    def test_report_worker_counts_have_a_table_each(self):
        page = render(run("troupe", 1.0), run("troupe", 2.0, workers=2), run("tokio", 9.0, workers=2))
        one, two = page.split("## 2 workers")
        self.assertIn("## 1 worker\n", one)
        self.assertEqual(cells(one, "ring1"), ["1.0 (1.0 to 1.0)", "-"])
        self.assertEqual(cells(two, "ring1")[-1], "0.22 (tokio)")

    def test_report_workload_without_a_one_worker_form_has_no_row_there(self):
        page = render(run("troupe", 1.0), run("tokio", 2.0), run("troupe", 2.0, workers=2),
                      run("troupe", 600.0, "crossping", 2), run("go", 500.0, "crossping", 2),
                      run("tokio", 0, "crossping", 2, status="exit 1"))
        one, two = page.split("## Peak memory")[0].split("## 2 workers")
        self.assertIn("in 1 of 1 workloads.", one)
        self.assertNotIn("crossping", one)
        self.assertEqual(cells(two, "crossping, ns per round trip"),
                         ["600 (600 to 600)", "**failed**", "500 (500 to 500)", "1.20 (Go)"])
        self.assertIn("in 0 of 1 workloads, and more in crossping.", two)
        one, two = page.split("## Peak memory")[1].split("\n2 workers:\n")
        self.assertNotIn("| crossping", one)
        self.assertEqual(cells(two, "crossping"), ["3.0", "**failed**", "3.0"])
        self.assertEqual(cells(page, "tokio | crossping"), ["crossping", "2", "1 time: exit 1"])

    def test_report_workload_with_two_workers_alone_has_no_table_for_one(self):
        page = render(run("troupe", 400.0, "crossping", 2), run("tokio", 800.0, "crossping", 2))
        self.assertNotIn("1 worker", page)
        self.assertEqual(cells(page, "crossping")[-1], "0.50 (tokio)")
        self.assertIn("- **crossping**: two actors that stay on two threads", page)

    def test_report_workload_that_was_not_reached_keeps_its_row(self):
        page = render(run("troupe", 1.0), run("troupe", 9.0, "fork"), run("troupe", 1.0, workers=2))
        self.assertEqual(cells(page.split("## 2 workers")[1], "fork"), ["-", "-"])

    def test_report_program_that_always_fails_is_shown_and_named(self):
        page = render(run("troupe", 1.0), run("tokio", 0, status="exit -11, no result: a<b|c"))
        self.assertEqual(cells(page, "ring1")[1:], ["**failed**", "-"])
        self.assertEqual(cells(page, "tokio | ring1"),
                         ["ring1", "1", "1 time: exit -11, no result: a&lt;b\\", "c"])

    def test_report_program_that_fails_once_keeps_its_numbers_with_a_mark(self):
        page = render(run("troupe", 1.0), run("tokio", 4.0), run("tokio", 0, status="exit 1"))
        self.assertEqual(cells(page, "ring1")[1:],
                         ["4.0 (4.0 to 4.0), **1 of 2 failed**", "0.25 (tokio)"])

    def test_report_program_that_does_not_build_has_a_column(self):
        page = reports.render(reports.parse(lines(
            ABOUT, program("troupe"), program("caf", "not built: g++ failed"), run("troupe", 1.0),
            QUIET)))
        self.assertEqual(cells(page, "workload"), ["troupe", "CAF", "troupe / best peer"])
        self.assertEqual(cells(page, "ring1"), ["1.0 (1.0 to 1.0)", "not built", "-"])
        self.assertIn("not built: g++ failed", page)

    def test_report_busy_machine_is_warned_of(self):
        busy = dict(QUIET, others=0.4)
        page = reports.render(reports.parse(lines(ABOUT, program("troupe"), run("troupe", 1.0), busy)))
        self.assertIn("**Do not rely on these numbers.** What else ran on the machine: 40.0 %", page)
        self.assertNotIn("Do not rely", render(run("troupe", 1.0)))

    def test_report_stopped_half_way_says_so(self):
        page = reports.render(reports.parse(lines(ABOUT, program("troupe"), run("troupe", 1.0))))
        self.assertIn("Do not rely", page)
        self.assertIn("stopped half-way", page)

    def test_report_nothing_ran_is_still_a_page(self):
        page = render()
        self.assertIn("## Machine and versions", page)
        self.assertIn("a\\|b, 2 processors", page)

    def test_report_order_of_records_does_not_matter(self):
        records = [run(key, v, w) for key in ("go", "tokio", "troupe") for v in (3.0, 1.0, 2.0)
                   for w in ("ring1", "fork", "idle")]
        self.assertEqual(render(*records), render(*reversed(records)))

    def test_report_broken_line_is_named(self):
        with self.assertRaisesRegex(reports.ResultsError, "line 2"):
            reports.parse(lines(ABOUT) + ["{"])
        with self.assertRaisesRegex(reports.ResultsError, "which machine"):
            reports.parse([])


class TestInstructions(unittest.TestCase):
    RECORDED = instructions.Recorded("gcc <1>", {"fork": 985.9, "ring100": 358.4})
    HEADING = "## Instructions an operation (callgrind, 1 worker)\n"

    def render(self, recorded):
        return reports.render(reports.parse(lines(ABOUT, program("troupe"), QUIET)), None, recorded)

    def test_report_shows_recorded_instructions_in_the_order_of_the_workloads(self):
        page = self.render(self.RECORDED)
        section = page.split(self.HEADING)[1].split("\n## ")[0]
        self.assertIn("gcc &lt;1>", section)
        self.assertEqual([line for line in section.split("\n") if line.startswith("| ")],
                         ["| workload | instructions |", "| ring100, per hop | 358 |",
                          "| fork, per actor | 986 |"])

    def test_report_without_recorded_instructions_has_no_such_table(self):
        self.assertNotIn("Instructions", self.render(None))


class TestPlot(unittest.TestCase):
    def test_plot_script_has_a_point_for_each_median_of_time(self):
        records = [run("troupe", 20.0), run("troupe", 10.0, "fork"), run("tokio", 40.0),
                   run("tokio", 0, "fork", status="exit 1"), run("troupe", 256.0, "idle")]
        script = plot.script(reports.parse(lines(ABOUT, program("troupe"), program("tokio"),
                                                 *records)))
        self.assertIn("$troupe_1 << END\n0 20\n1 10\nEND", script)
        self.assertIn("$tokio_1 << END\n0 40\nEND", script)
        self.assertNotIn("256", script)

    def test_plot_workload_without_a_one_worker_form_leaves_its_place_empty(self):
        records = [run(key, value, name, workers) for key, value in (("troupe", 2.0), ("go", 4.0))
                   for name, workers in (("ask", 1), ("ask", 2), ("crossping", 2))]
        one, two = plot.script(reports.parse(lines(
            ABOUT, program("troupe"), program("go"), *records))).split('set title "2 workers"')
        self.assertIn('set xrange [-0.5:1.5]', one)
        self.assertIn('set title "1 worker"\nset xtics ("ask" 0)\n', one)
        self.assertIn("$troupe_1 << END\n0 2\nEND", one)
        self.assertTrue(two.startswith('\nset xtics ("ask" 0, "crossping" 1)\n'), two)
        self.assertIn("$go_2 << END\n0 4\n1 4\nEND", two)

    def test_plot_nothing_to_draw_is_no_script(self):
        report = reports.parse(lines(ABOUT, program("troupe"), run("troupe", 1.0, "idle")))
        self.assertEqual(plot.script(report), "")

    def test_plot_every_program_has_a_style(self):
        self.assertEqual(set(plot.STYLES), {p.key for p in programs.ALL})


class Fake(programs.Program):
    key = title = "fake"

    def __init__(self, script):
        super().__init__("/nonexistent")
        self.script = script

    def command(self, workload, workers, scale):
        return ["/bin/sh", "-c", self.script, "sh", workload, str(workers), repr(scale)]


GOOD = '{"name":"ring1","ns_per_op":2.5,"ops":4,"workers":1,"peak_rss_bytes":7,"check":"%s"}'


class TestMeasure(unittest.TestCase):
    def status(self, script, timeout=60):
        return measure.run_once(Fake(script), "ring1", 1, 0.5, timeout)["status"]

    def test_measure_good_run_is_recorded(self):
        record = measure.run_once(Fake("echo noise; echo '%s'" % (GOOD % "ok")), "ring1", 1, 0.5, 60)
        self.assertEqual(record, {
            "kind": "run", "program": "fake", "workload": "ring1", "workers": 1, "scale": 0.5,
            "status": "ok", "ns_per_op": 2.5, "ops": 4, "peak_rss_bytes": 7})

    def test_measure_bad_runs_say_what_went_wrong(self):
        self.assertEqual(self.status("echo '%s'; exit 1" % (GOOD % "sum")), "wrong result: sum")
        self.assertEqual(self.status("echo '%s'; exit 3" % (GOOD % "ok")), "exit 3")
        self.assertEqual(self.status("echo oops >&2; exit 4"), "exit 4, no result: oops")
        self.assertEqual(self.status("kill -SEGV $$"), "exit -11, no result")
        self.assertEqual(self.status("echo '[]'"), "exit 0, no result")
        self.assertEqual(self.status("exec tail -f /dev/null", 0.05), "not done after 0.05 s")

    def test_measure_plan_lets_all_take_turns_and_begin_in_turn(self):
        kinds = [kind("/nonexistent") for kind in programs.ALL]
        steps = list(measure.plan(kinds, ["ring1", "ask"], [1, 2], 2))
        first = [step[3].key for step in steps if step[:3] == (1, 1, "ring1")]
        again = [step[3].key for step in steps if step[:3] == (2, 1, "ring1")]
        self.assertEqual(first, [kind.key for kind in programs.ALL])
        self.assertEqual(again, first[1:] + first[:1])
        self.assertNotIn((2, "tokio-ct"), [(step[1], step[3].key) for step in steps])

    def test_measure_plan_has_a_workload_only_with_the_workers_it_is_about(self):
        kinds = [kind("/nonexistent") for kind in programs.ALL]
        steps = list(measure.plan(kinds, ["crossping", "fork"], [1, 2, 3], 1))
        crossed = [(step[1], step[3].key) for step in steps if step[2] == "crossping"]
        self.assertEqual(crossed, [(2, k.key) for k in programs.ALL if k.key != "tokio-ct"])
        self.assertEqual({step[1] for step in steps if step[2] == "fork"}, {1, 2, 3})
        self.assertEqual(list(measure.plan(kinds, ["crossping"], [1], 1)), [])

    def test_measure_clock_learns_from_rounds(self):
        fake = Fake("")
        steps = [(r, 1, name, fake) for r in (1, 2) for name in ("ring1", "fork")]
        clock = measure.Clock(steps)
        clock.done(steps[0], 2.0)
        self.assertEqual(clock.estimate(), 6.0)
        clock.done(steps[1], 10.0)
        self.assertEqual(clock.estimate(), 12.0)


class TestRun(unittest.TestCase):
    def bench(self, *arguments):
        return subprocess.run([sys.executable, os.path.join(BENCH, "run"), *arguments], text=True,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_run_help_explains_and_names_what_there_is(self):
        done = self.bench("--help")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith("usage: tools/bench/run"))
        for name in workloads.NAMES + programs.PEER_KEYS:
            self.assertIn(name, done.stdout)

    def test_run_wrong_option_is_one_line(self):
        for wrong in (["--bogus"], ["--only", "nap"], ["--peers", "pony"], ["--rounds", "0"],
                      ["--workers", "1,x"], ["--scale", "nan"]):
            done = self.bench(*wrong)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(wrong[0], done.stderr)

    def test_run_workload_that_has_no_form_for_these_workers_is_one_line(self):
        done = self.bench("--only", "crossping", "--workers", "1,3")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        self.assertIn("--workers 1,3: nothing to measure, crossping", done.stderr)

    def test_run_report_only_makes_the_page_and_measures_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            results = os.path.join(folder, "results.jsonl")
            with open(results, "w", encoding="utf-8") as file:
                file.write("\n".join(lines(ABOUT, program("troupe"), run("troupe", 7.0), QUIET)))
            done = self.bench("--report-only", "--results", results, "--out", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(folder, "performance.md"), encoding="utf-8") as file:
                self.assertIn("7.0 (7.0 to 7.0)", file.read())

    def test_run_report_without_results_is_an_error(self):
        done = self.bench("--report-only", "--results", "/nonexistent/results.jsonl")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
