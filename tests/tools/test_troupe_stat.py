#!/usr/bin/env python3
"""`troupe stat` against real systems, and against sockets that lie.

usage: test_troupe_stat.py TROUPE STAT_SUBJECT [unittest options]
Every test has an environment of its own, so that systems which run on this
machine besides are neither seen nor disturbed.
"""
import json
import os
import random
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

TROUPE = os.path.abspath(sys.argv.pop(1))
SUBJECT = os.path.abspath(sys.argv.pop(1))
PATIENCE = 120  # seconds, for what must come
SCALE = float(os.environ.get("TROUPE_STRESS") or 1)

# struct tri_stats_header, as runtime/stats_wire.h has it.
HEADER = struct.Struct("@8s8IqQQ48s")
MAGIC, VERSION, HEADER_SIZE, SYSTEM_SIZE, WORKER_SIZE, KIND_SIZE, WORKERS, KINDS = range(8)
SIZES = (112, 184, 80, 72)


def change(snapshot, field, value):
    """The snapshot with one field of its header changed."""
    fields = list(HEADER.unpack_from(snapshot))
    fields[field] = value
    return HEADER.pack(*fields) + snapshot[HEADER.size:]


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="test-troupe-")
        self.addCleanup(shutil.rmtree, self.home)
        self.directory = os.path.join(self.home, "troupe")
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=self.home, TMPDIR=self.home)
        self.environment.pop("TROUPE_STATS", None)

    def start(self, *options, **more):
        """A subject that has come to rest (or rallies without end); stopped after the test."""
        process = subprocess.Popen([SUBJECT, *map(str, options)], env=self.environment, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **more)
        self.addCleanup(self.stop, process, None)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def stop(self, process, status=0):
        if process.stdin.closed:
            return ""
        _, errors = process.communicate(timeout=PATIENCE)
        if status is not None:
            self.assertEqual(process.returncode, status, errors)
        return errors

    def kill(self, process):
        process.kill()
        process.communicate()

    def run_troupe(self, *arguments, **more):
        done = subprocess.run([TROUPE, *map(str, arguments)], env=self.environment, text=True,
                              stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                              timeout=PATIENCE, check=False, **more)
        self.assertNotIn("Sanitizer", done.stderr)
        self.assertNotIn("runtime error", done.stderr)
        return done

    def stat(self, *options):
        """The systems of one report without rates."""
        done = self.run_troupe("stat", "--json", "-i", 0, *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def assert_nothing(self, message, *options):
        """One line on standard error, nothing to show, status 1; with --json as well."""
        for extra, expected in (((), ""), (("--json",), "[]\n")):
            done = self.run_troupe("stat", *options, *extra)
            self.assertEqual((done.returncode, done.stdout), (1, expected), done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(message, done.stderr)
            self.assertLess(len(done.stderr), 400)

    def stream(self, *options):
        """Reports that come until the tool is killed."""
        process = subprocess.Popen([TROUPE, "stat", "--json", "-n", "0", *map(str, options)],
                                   env=self.environment, text=True, stdout=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def sockets(self):
        return sorted(os.listdir(self.directory)) if os.path.isdir(self.directory) else []


class TestReport(Case):
    def test_stat_nothing_runs_says_so(self):
        self.assert_nothing("no troupe system is running")
        self.assertFalse(os.path.exists(self.directory))

    def test_stat_resting_system_numbers_are_exact(self):
        process = self.start("-r", 1000, "-i", 20, "-q", 5, "-l", 3, "-p", 2)
        (system,) = self.stat()
        self.assertEqual(system["pid"], process.pid)
        self.assertEqual(system["name"], "subject 0")
        self.assertEqual(system["program"], "stat_subject")
        self.assertEqual(system["index"], 0)
        self.assertIs(system["ended_meanwhile"], False)
        self.assertIsNone(system["rates"])
        self.assertGreater(system["uptime_ns"], 0)
        # Players, idlers, the sitter; and those that ended: one was stopped, two panicked.
        self.assertEqual(system["actors"], 2 + 20 + 1)
        self.assertEqual(system["ended"], 1 + 2)
        self.assertEqual(system["spawned"], system["actors"] + system["ended"])
        self.assertEqual(system["messages"], 1000 + 2)  # the sitter's is not handled yet
        self.assertEqual(system["dead_letters"], 3)
        self.assertEqual(system["panics"], 2)
        self.assertEqual(system["injected"], 0)
        self.assertEqual(system["queued"], 5)  # the one in hand is in no mailbox
        kinds = {k["name"]: (k["actors"], k["queued"], k["longest"]) for k in system["kinds"]}
        self.assertEqual(kinds, {"player": (2, 0, 0), "idler": (20, 0, 0), "sitter": (1, 5, 5)})
        self.assertEqual(system["kinds_total"], 3)

        workers = system["workers"]
        self.assertEqual([w["index"] for w in workers], [0, 1])
        self.assertIn("running", [w["state"] for w in workers])  # it sits
        for name in ("messages", "ended", "panics"):
            self.assertEqual(sum(w[name] for w in workers), system[name], name)
        memory = system["memory"]
        self.assertEqual(memory["live_blocks"],
                         memory["allocs"] + memory["large_allocs"] - memory["frees"]
                         - memory["remote_frees"] - memory["large_frees"])
        self.assertGreater(memory["live_blocks"], 0)
        self.stop(process)

    def test_stat_resting_system_rates_are_zero(self):
        process = self.start("-r", 10)
        done = self.run_troupe("stat", "--json", "--interval", "0.05")
        (system,) = json.loads(done.stdout)
        rates = system["rates"]
        self.assertGreaterEqual(rates["interval_ns"], 50000000)
        self.assertEqual([rates[n] for n in ("messages", "spawned", "ended", "dead_letters",
                                             "panics", "allocs")], [0] * 6)
        for worker in system["workers"]:
            self.assertEqual([worker["rates"][n] for n in ("messages", "sent", "stolen")], [0] * 3)
        self.stop(process)

    def test_stat_busy_system_has_rates(self):
        process = self.start("-r", -1)
        for line in self.stream("-i", 0.02).stdout:
            (system,) = json.loads(line)
            if system["rates"]["messages"] > 0:
                break
        self.assertGreater(sum(w["rates"]["messages"] for w in system["workers"]), 0)
        self.stop(process)

    def test_stat_system_that_ends_between_is_reported_then_the_tool_ends(self):
        process, tool = self.start(), self.stream("-i", 0.02)
        first = json.loads(tool.stdout.readline())
        self.assertIs(first[0]["ended_meanwhile"], False)
        self.stop(process)
        reports = [json.loads(line) for line in tool.stdout]
        self.assertIs(reports[-1][0]["ended_meanwhile"], True)
        self.assertEqual(reports[-1][0]["pid"], process.pid)
        self.assertIsNone(reports[-1][0]["rates"])
        self.assertEqual(tool.wait(PATIENCE), 0)

    def test_stat_ended_system_in_the_table_is_one_line(self):
        process = self.start()
        tool = subprocess.Popen([TROUPE, "stat", "-n", "0", "-i", "0.02"], env=self.environment,
                                text=True, stdout=subprocess.PIPE)
        tool.stdout.readline()
        self.stop(process)
        lines, _ = tool.communicate(timeout=PATIENCE)
        self.assertEqual(tool.returncode, 0)
        self.assertRegex(lines.splitlines()[-1],
                         r"^subject 0 \(stat_subject\)  pid %d  ended after \d" % process.pid)

    def test_stat_system_that_begins_between_has_no_rates_yet(self):
        first, tool = self.start(), self.stream("-i", 0.02)
        tool.stdout.readline()
        second = self.start()
        for line in tool.stdout:
            systems = {s["pid"]: s for s in json.loads(line)}
            if second.pid in systems:
                break
        self.assertEqual(set(systems), {first.pid, second.pid})
        self.assertIsNone(systems[second.pid]["rates"])
        self.assertIsNotNone(systems[first.pid]["rates"])

    def test_stat_two_systems_of_one_process_are_both_shown(self):
        process = self.start("-s", 2, "-i", 7)
        systems = self.stat()
        self.assertEqual([(s["pid"], s["index"], s["name"], s["actors"]) for s in systems],
                         [(process.pid, 0, "subject 0", 7), (process.pid, 1, "subject 1", 7)])
        self.assertEqual(self.sockets(), ["%d-0.sock" % process.pid, "%d-1.sock" % process.pid])
        self.stop(process)
        self.assertEqual(self.sockets(), [])

    def test_stat_pid_selects_a_process(self):
        first, second = self.start(), self.start("-s", 2)
        self.assertEqual([s["pid"] for s in self.stat("--pid", second.pid)], [second.pid] * 2)
        self.assertEqual([s["pid"] for s in self.stat("-p", first.pid)], [first.pid])
        self.assert_nothing("process %d runs no troupe system" % os.getpid(), "-p", os.getpid())

    def test_stat_table_fits_a_terminal_and_names_everything(self):
        process = self.start("-s", 2, "-r", 100, "-i", 3, "-q", 2, "-l", 1, "-p", 1)
        for interval, heads in ((0, ("- allocated",)), (0.02, ("/s allocated",))):
            done = self.run_troupe("stat", "-i", interval)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = done.stdout.splitlines()
            self.assertLessEqual(max(map(len, lines)), 80)
            self.assertEqual([line for line in lines if line != line.rstrip()], [])
            for text in heads + ("subject 0 (stat_subject)  pid %d  up " % process.pid,
                                 "subject 1 (stat_subject)  pid %d/1  up " % process.pid,
                                 "101 handled", "2 queued", "6 alive", "8 spawned", "2 ended",
                                 "1 panics", "1 dead letters"):
                self.assertIn(text, done.stdout)
            table = [line.split() for line in lines]
            self.assertIn(["sitter", "1", "2", "2"], table)
            self.assertIn(["idler", "3", "0", "0"], table)
            at = table.index(["worker", "state", "messages", "share", "queue", "stolen", "parks",
                              "wakes"])
            self.assertEqual([row[0] for row in table[at + 1:at + 3]], ["0", "1"])
            self.assertIn(table[at + 1][1], ("running", "searching", "parked"))
        self.stop(process)

    def test_stat_counts_reports_one_a_line(self):
        self.start()
        done = self.run_troupe("stat", "--json", "-n", 3, "-i", 0.01)
        reports = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([len(r) for r in reports], [1, 1, 1])
        self.assertLess(reports[0][0]["uptime_ns"], reports[2][0]["uptime_ns"])


class TestPlaces(Case):
    def mode(self, path):
        return stat.S_IMODE(os.lstat(path).st_mode)

    def test_stat_socket_and_directory_are_private(self):
        process = self.start(umask=0)
        self.assertEqual(self.mode(self.directory), 0o700)
        (name,) = self.sockets()
        self.assertEqual(self.mode(os.path.join(self.directory, name)), 0o600)
        self.stop(process)

    def test_stat_without_runtime_directory_finds_the_temporary_one(self):
        """Also when the tool has the variable and the service has not (cron, or a unit)."""
        runtime = self.environment.pop("XDG_RUNTIME_DIR")
        self.directory = os.path.join(self.home, "troupe-%d" % os.geteuid())
        process = self.start()
        self.assertEqual(self.mode(self.directory), 0o700)
        self.assertEqual(self.sockets(), ["%d-0.sock" % process.pid])
        self.assertEqual(self.stat()[0]["pid"], process.pid)
        self.environment["XDG_RUNTIME_DIR"] = runtime
        self.assertEqual(self.stat()[0]["pid"], process.pid)
        self.stop(process)

    def test_stat_directory_open_to_others_is_refused_by_both(self):
        self.environment.pop("XDG_RUNTIME_DIR")
        self.directory = os.path.join(self.home, "troupe-%d" % os.geteuid())
        os.mkdir(self.directory)
        os.chmod(self.directory, 0o755)
        process = self.start()
        self.assertEqual(self.sockets(), [])
        self.assert_nothing("%s is not used: others have access to it" % self.directory)
        self.assertEqual(self.stop(process), "")  # it ran without, and said nothing

    def test_stat_directory_that_is_a_link_is_refused_by_both(self):
        target = os.path.join(self.home, "target")
        os.mkdir(target, 0o700)
        os.symlink(target, self.directory)
        self.environment["TMPDIR"] = "/nonexistent"
        process = self.start()
        self.assertEqual(os.listdir(target), [])
        self.assert_nothing("is not used: it is a link")
        self.assertEqual(self.stop(process), "")

    def test_stat_turned_off_makes_no_socket(self):
        self.environment["TROUPE_STATS"] = "0"
        process = self.start()
        self.assertEqual(os.listdir(self.home), [])
        self.assert_nothing("no troupe system is running")
        self.assertEqual(self.stop(process), "")

    def test_stat_socket_of_a_killed_process_is_removed(self):
        process, other = self.start("-s", 2), self.start()
        self.kill(process)
        self.assertEqual(len(self.sockets()), 3)
        self.assertEqual([s["pid"] for s in self.stat()], [other.pid])
        self.assertEqual(self.sockets(), ["%d-0.sock" % other.pid])

    def test_stat_files_of_others_are_left_alone(self):
        process = self.start()
        self.kill(process)
        names = ["%d-7.sock" % process.pid, "%d-8.sock" % process.pid, "x-0.sock", "1-0.socket",
                 "+%d-0.sock" % process.pid, "99999999999999999999-0.sock", "0-0.sock"]
        for name in names:
            path = os.path.join(self.directory, name)
            if name.endswith("8.sock"):
                os.symlink("%d-0.sock" % process.pid, path)
            else:
                with open(path, "w", encoding="utf-8"):
                    pass
        self.assert_nothing("no troupe system is running")
        self.assertEqual(self.sockets(), sorted(names))


class TestSlowReaders(Case):
    def test_stat_readers_that_do_not_read_hold_nobody_up(self):
        process = self.start()
        path = os.path.join(self.directory, self.sockets()[0])
        readers = []
        for _ in range(12):
            reader = socket.socket(socket.AF_UNIX)
            self.addCleanup(reader.close)
            reader.connect(path)
            readers.append(reader)
        self.assertEqual(self.stat()[0]["pid"], process.pid)
        self.stop(process)
        self.assertEqual(self.sockets(), [])


class Server:
    """Answers each connection on PID-N.sock with the same bytes; None: never answers."""

    def __init__(self, case, content, index=0):
        os.makedirs(case.directory, mode=0o700, exist_ok=True)
        self.content = content
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(case.directory, "%d-%d.sock" % (os.getpid(), index)))
        self.listener.listen(16)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        case.addCleanup(self.close)

    def serve(self):
        waiting = []
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                break
            if self.content is None:
                waiting.append(peer)
                continue
            try:
                peer.sendall(self.content)
            except OSError:
                pass  # the tool reads no more than the longest snapshot
            peer.close()
        for peer in waiting:
            peer.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # ends accept
        self.thread.join()
        self.listener.close()


class TestLies(Case):
    def snapshot(self):
        """What a real system sends, as if this process had sent it."""
        process = self.start("-r", 10, "-i", 2, "-q", 1)
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(os.path.join(self.directory, self.sockets()[0]))
        content = b""
        while True:
            piece = peer.recv(65536)
            if not piece:
                break
            content += piece
        peer.close()
        self.stop(process)
        return change(content, 9, os.getpid())

    def test_stat_true_copy_is_accepted(self):
        content = self.snapshot()
        fields = HEADER.unpack_from(content)
        self.assertEqual(fields[MAGIC], b"TRSTATS\0")
        self.assertEqual(fields[HEADER_SIZE:WORKERS], SIZES)
        self.assertEqual(len(content), 112 + 184 + 2 * 80 + fields[KINDS] * 72)
        Server(self, content)
        (system,) = self.stat()
        self.assertEqual((system["pid"], system["messages"]), (os.getpid(), 10))

    def test_stat_lies_make_one_line_each(self):
        true = self.snapshot()
        lies = {
            "no snapshot": [b"X", b"GET / HTTP/1.0\r\n\r\n", b"\0" * 300, b"\xff" * 300,
                            random.Random(1).randbytes(100000), b"A" * 1000000],
            "sends only 0 bytes": [b""],
            "sends only 7 bytes": [true[:7]],
            "sends only 11 bytes": [true[:11]],
            "sends only 111 bytes": [true[:111]],
            "sends 112 bytes of a snapshot of %d" % len(true): [true[:112]],
            "sends %d bytes of a snapshot of %d" % (len(true) - 1, len(true)): [true[:-1]],
            "sends %d bytes of a snapshot of %d" % (len(true) + 1, len(true)): [true + b"x"],
            "speaks version 2 ": [change(true, VERSION, 2), change(true, VERSION, 2)[:12],
                                  change(true, VERSION, 2)[:12] + b"other" * 1000],
            "speaks version 0 ": [change(true, VERSION, 0)],
            "(sizes)": [change(true, field, value) for value in (0, 1, 2 ** 32 - 1)
                        for field in (HEADER_SIZE, SYSTEM_SIZE, WORKER_SIZE, KIND_SIZE)],
            "(counts)": [change(true, WORKERS, 0), change(true, WORKERS, 1025),
                         change(true, WORKERS, 2 ** 32 - 1), change(true, KINDS, 257),
                         change(true, KINDS, 2 ** 31)],
            "of a snapshot of": [change(true, WORKERS, 1), change(true, WORKERS, 1024),
                                 change(true, KINDS, 0), change(true, KINDS, 256)],
            "of another process": [change(true, 9, 1), change(true, 9, -1), change(true, 8, 5)],
        }
        server = Server(self, b"")
        for message, contents in lies.items():
            for content in contents:
                with self.subTest(message, start=content[:60]):
                    server.content = content
                    self.assert_nothing(message, "-i", 0)
                    self.assertEqual(len(self.sockets()), 1)

    def test_stat_liar_does_not_hide_the_others(self):
        process = self.start()
        Server(self, b"nonsense")
        for options, first in ((("-i", 0), "subject 0"), (("-i", 0.01, "-n", 3), "subject 0")):
            done = self.run_troupe("stat", *options)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)  # once, not in each
            self.assertIn("pid %d sends something that is no snapshot" % os.getpid(), done.stderr)
            self.assertTrue(done.stdout.startswith(first))
        self.stop(process)

    def test_stat_names_cannot_steer_the_terminal(self):
        true = self.snapshot()
        evil = b"\x1b[2J\x1b]0;x\x07\n\r\t\x7f\x9b" + "\u202e".encode() + b"A" * 100
        content = bytearray(true)
        kinds_at = 112 + 184 + 2 * 80
        for at in (HEADER.size - 48, 112, kinds_at, kinds_at + 72):
            content[at:at + 48] = evil[:48]  # no end
        content[112 + 184:112 + 188] = b"\xff" * 4  # the state of worker 0
        Server(self, bytes(content))
        (system,) = self.stat()
        for name in (system["name"], system["program"], system["kinds"][0]["name"]):
            self.assertEqual(len(name), 47)
            self.assertTrue(name.isascii() and name.isprintable(), name)
        self.assertEqual(system["workers"][0]["state"], "?")
        done = self.run_troupe("stat", "-i", 0)
        self.assertTrue(all(c == "\n" or c.isprintable() for c in done.stdout))
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_stat_numbers_at_their_limits_are_printed(self):
        true = self.snapshot()
        body = slice(112 + 48, len(true))
        server = Server(self, b"")
        for value in (b"\xff", b"\x7f", b"\x80", b"\0"):
            content = bytearray(true)
            content[body] = value * len(content[body])
            server.content = bytes(content)
            self.stat()
            for options in (("-i", 0), ("-i", 0.01)):
                done = self.run_troupe("stat", *options)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_stat_random_damage_never_crashes_it(self):
        true = self.snapshot()
        server = Server(self, b"")
        source = random.Random(20)
        for _ in range(max(1, int(40 * SCALE))):
            content = bytearray(true)
            for _ in range(source.choice((1, 2, 8, 100))):
                content[source.randrange(len(content))] = source.randrange(256)
            server.content = bytes(content[:source.choice((len(true), source.randrange(len(true)))) ])
            done = self.run_troupe("stat", "-i", 0, *source.choice(((), ("--json",))))
            self.assertIn(done.returncode, (0, 1))
            self.assertEqual(len(done.stderr.splitlines()), done.returncode, done.stderr)

    def test_stat_silent_server_and_stopped_process_are_given_up(self):
        process = self.start()
        process.send_signal(signal.SIGSTOP)
        self.addCleanup(process.send_signal, signal.SIGCONT)
        self.fill_queue(os.path.join(self.directory, self.sockets()[0]))
        Server(self, None)
        pids = (process.pid, os.getpid())
        tools = [subprocess.Popen([TROUPE, "stat", "-i", "0", "-p", str(pid)], text=True,
                                  env=self.environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) for pid in pids]  # together: each waits
        for pid, tool in zip(pids, tools):
            output, errors = tool.communicate(timeout=PATIENCE)
            self.assertEqual((tool.returncode, output), (1, ""), errors)
            self.assertEqual(len(errors.splitlines()), 1, errors)
            self.assertIn("pid %d does not answer" % pid, errors)
        process.send_signal(signal.SIGCONT)
        self.stop(process)

    def fill_queue(self, path):
        """Connect until the kernel takes no more, so that even a connection has to wait."""
        while True:
            reader = socket.socket(socket.AF_UNIX)
            self.addCleanup(reader.close)
            reader.setblocking(False)
            try:
                reader.connect(path)
            except BlockingIOError:
                return


class TestCommandLine(Case):
    def test_troupe_help_and_version_go_to_standard_output(self):
        for arguments, text in ((("--help",), "usage: troupe COMMAND"), (("help",), "stat"),
                                (("--version",), "troupe 0."), (("stat", "--help"), "--interval"),
                                (("stat", "-h"), "--json")):
            done = self.run_troupe(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(text, done.stdout)

    def test_troupe_wrong_command_line_is_one_line_and_status_2(self):
        for arguments in ((), ("bogus",), ("--bogus",), ("",), ("stat", "--bogus"), ("stat", "-x"),
                          ("stat", "word"), ("stat", "--pid"), ("stat", "--pid", "x"),
                          ("stat", "--pid", "0"), ("stat", "--pid", "-1"), ("stat", "-p", "1x"),
                          ("stat", "--interval", "x"), ("stat", "--interval", "-1"),
                          ("stat", "--interval", "nan"), ("stat", "-i", "inf"),
                          ("stat", "-i", "86401"), ("stat", "--interval="), ("stat", "-i", ""),
                          ("stat", "--count", "-1"), ("stat", "-n", "1.5"),
                          ("stat", "-n", "99999999999999999999")):
            with self.subTest(arguments):
                done = self.run_troupe(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertTrue(done.stderr.startswith("troupe"), done.stderr)

    def test_troupe_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.run_troupe("--help", stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be written", done.stderr)


if __name__ == "__main__":
    unittest.main()
