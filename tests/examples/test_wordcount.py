#!/usr/bin/env python3
"""wordcount against the shell pipeline it replaces, byte for byte, and what it
says and answers when things go wrong.

    test_wordcount.py PROGRAM [unittest options]
"""
import ctypes
import json
import os
import pty
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "wordcount"
STRESS = float(os.environ.get("TROUPE_STRESS", "1"))
SANITISED = os.environ.get("TEST_SANITISED", "") not in ("", "none")
CHUNK = 64 * 1024  # where the buffers of the readers end
TIME_LIMIT = 120  # seconds: nothing may hang

# The second that ThreadSanitizer waits at exit shows nothing here.
ENVIRONMENT = {**os.environ, "LC_ALL": "C",
               "TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", "") + " atexit_sleep_ms=0"}

REFERENCE = ("tr -cs A-Za-z '\\n' | tr A-Z a-z | grep -a . | sort | uniq -c"
             " | sort -k1,1nr -k2,2 | head -n %d | sed 's/^ *//'")

# capabilities(7) by which root reads what nobody may
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


def rounds(n):
    return max(1, int(n * STRESS))


def reference(contents, top=10):
    """What the shell says about these files; the end of each ends a word."""
    result = subprocess.run(["sh", "-c", REFERENCE % top], input=b"\n".join(contents),
                            stdout=subprocess.PIPE, env=ENVIRONMENT, check=True)
    return result.stdout


def wordcount(*arguments, **options):
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    environment = {**ENVIRONMENT, **options.pop("env", {})}
    return subprocess.run([PROGRAM, *arguments], timeout=TIME_LIMIT, env=environment, **options)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wordcount-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(os.fsencode(self.folder), os.fsencode(name))

    def file(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def assert_counts(self, result, contents, top=10):
        self.assertEqual(result.stderr, b"")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, reference(contents, top))

    def assert_trouble(self, result, *lines, counted=None):
        """Exit status 1, and these lines (in any order) after the program's name."""
        expected = sorted(b"wordcount: " + line for line in lines)
        self.assertEqual(sorted(result.stderr.splitlines()), expected)
        self.assertEqual(result.returncode, 1)
        if counted is not None:
            self.assertEqual(result.stdout, reference([counted]))

    def check_content(self, content, *options):
        """As a file and as standard input, all words."""
        everything = 10**9
        path = self.file("content", content)
        for result in (wordcount(*options, "--top", str(everything), path),
                       wordcount(*options, "--top", str(everything), input=content)):
            self.assert_counts(result, [content], everything)


class Counts(Case):
    def test_text_file_counts_as_the_shell(self):
        self.check_content(b"The cat sat on the mat.\nThe end; don't stop\n" * 1000)

    def test_every_byte_between_words_separates_unless_it_is_a_letter(self):
        self.check_content(b"".join(b"left" + bytes([i]) + b"right\n" for i in range(256)))

    def test_nul_and_ff_separate(self):
        self.check_content(b"a\0b\xffc\0\0d\xff\xffe")

    def test_line_ends_of_windows_are_no_letters(self):
        self.check_content(b"one\r\ntwo\r\none\r\n")

    def test_no_newline_at_the_end_still_ends_the_word(self):
        self.check_content(b"first second")

    def test_nothing_but_separators_prints_nothing(self):
        for content in (b"", b"\n", b"\0" * 200000, b"1234567890 \n"):
            self.check_content(content)

    def test_random_bytes_count_as_the_shell(self):
        generator = random.Random(1)
        for _ in range(rounds(10)):
            self.check_content(generator.randbytes(generator.randrange(1, 300000)))

    def test_random_letters_count_as_the_shell(self):
        generator = random.Random(2)
        for alphabet in (b"aB ", b"abcdefghijklmnopqrstuvwxyz\0", b"x" * 200 + b"\n"):
            self.check_content(bytes(generator.choices(alphabet, k=rounds(500000))))

    def test_single_letters_fill_a_chunk_with_words(self):
        self.check_content(b"a " * (2 * CHUNK))
        self.check_content(b" a" * (2 * CHUNK))
        self.check_content(b"z" * (CHUNK + 1) + b" a" * (2 * CHUNK))

    def test_word_over_a_chunk_border_is_one_word_wherever_it_lies(self):
        filler = b"in between "
        step = max(1, int(3 / STRESS)) if STRESS < 1 else 1
        for start in range(CHUNK - 20, CHUNK + 4, step):
            head = (filler * (start // len(filler) + 1))[:start - 1] + b"."
            self.check_content(head + b"ExtraOrdinarily" + b" the end")

    def test_words_about_as_long_as_a_chunk_are_one_word(self):
        for length in (CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1):
            self.check_content(b"w" * length)
            self.check_content(b"a b " + b"w" * length + b" c d")

    def test_word_of_three_million_letters_is_one_word(self):
        word = b"Abcdefghij" * 300000
        self.check_content(word)
        self.check_content(b"before " + word + b" after " + word.lower() + b"\n" + b"x y " * 50000)

    def test_one_long_word_after_another(self):
        words = [bytes([97 + i]) * n for i, n in enumerate((70000, 1, 200000, 65536, 130000))]
        self.check_content(b" ".join(words * 3))

    def test_workers_do_not_change_the_counts(self):
        generator = random.Random(3)
        words = [bytes(generator.choices(b"abcdefgh", k=generator.randrange(1, 9)))
                 for _ in range(5000)]
        content = b" ".join(generator.choices(words, k=rounds(200000)))
        for workers in ("1", "2", "8"):
            self.check_content(content, "--workers", workers)


class Files(Case):
    def test_end_of_a_file_ends_its_word(self):
        contents = [b"one tw", b"o three", b"", b"four"]
        paths = [self.file(str(i), content) for i, content in enumerate(contents)]
        self.assert_counts(wordcount("--workers", "1", *paths), contents)

    def test_long_word_at_the_end_of_a_file_ends_there(self):
        contents = [b"l" * CHUNK, b"l" * CHUNK, b"l" * (3 * CHUNK), b"l", b"l" * (CHUNK - 1)]
        paths = [self.file(str(i), content) for i, content in enumerate(contents)]
        self.assert_counts(wordcount("--workers", "1", *paths), contents)

    def test_many_tiny_files_in_deep_directories_are_all_counted(self):
        contents = []
        for i in range(rounds(1000)):
            folder = b"tree/%d/%d" % (i % 7, i % 31)
            os.makedirs(self.path(folder), exist_ok=True)
            contents.append(b"word%s in file %s" % (b"x" * (i % 50), b"abc"[i % 3:i % 3 + 1]))
            self.file(folder + b"/%d" % i, contents[-1])
        self.assert_counts(wordcount(self.path("tree"), "--top", "1000"), contents, 1000)

    def test_empty_directory_and_empty_file_are_no_errors(self):
        os.mkdir(self.path("empty"))
        self.assert_counts(wordcount(self.path("empty"), self.file("nothing", b"")), [])

    def test_file_named_twice_counts_twice(self):
        path = self.file("twice", b"a b a")
        self.assert_counts(wordcount(path, path), [b"a b a"] * 2)

    def test_links_to_files_and_directories_are_followed(self):
        os.mkdir(self.path("real"))
        self.file("real/file", b"linked words")
        os.mkdir(self.path("walked"))
        os.symlink("../real", self.path("walked/folder"))
        os.symlink("../real/file", self.path("walked/file"))
        self.assert_counts(wordcount(self.path("walked")), [b"linked words"] * 2)

    def test_dash_among_files_is_standard_input_once(self):
        path = self.file("file", b"from the file")
        for arguments, times in (((path, "-"), 1), (("-", path, "-"), 1), ((path, "-", path), 2)):
            contents = [b"standard input"] + [b"from the file"] * times
            self.assert_counts(wordcount(*arguments, input=b"standard input"), contents)

    def test_file_called_dash_can_be_named(self):
        self.file("-", b"a dash")
        self.assert_counts(wordcount("./-", cwd=self.folder), [b"a dash"])
        self.assert_counts(wordcount(self.folder), [b"a dash"])

    def test_file_called_as_an_option_comes_behind_two_dashes(self):
        self.file("--json", b"no option")
        self.assert_counts(wordcount("--", "--json", cwd=self.folder), [b"no option"])

    def test_standard_input_that_does_not_block_is_waited_for(self):
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        with subprocess.Popen([PROGRAM], stdin=reading, stdout=subprocess.PIPE,
                              env=ENVIRONMENT) as process:
            os.close(reading)
            for part in (b"slow", b"ly comes", b" the text"):
                os.write(writing, part)
            os.close(writing)
            output, _ = process.communicate(timeout=TIME_LIMIT)
        self.assertEqual((process.returncode, output), (0, reference([b"slowly comes the text"])))

    def test_file_that_changes_meanwhile_does_no_harm(self):
        path = self.file("changing", b"")
        over = threading.Event()

        def change():
            while not over.is_set():
                with open(path, "r+b") as file:
                    file.write(b"grow " * 50000)
                    file.truncate(100)

        changer = threading.Thread(target=change)
        changer.start()
        results = [wordcount("--top", "0", path) for _ in range(rounds(20))]
        over.set()
        changer.join()
        self.assertEqual({(r.returncode, r.stdout, r.stderr) for r in results}, {(0, b"", b"")})


class Output(Case):
    TEXT = b"c b a b a a d d d d " * 3

    def test_top_prints_as_many_as_asked_for(self):
        for top in ("0", "1", "3", "4", "5", "1000", "99999999999999999999999999"):
            result = wordcount("--top", top, input=self.TEXT)
            self.assert_counts(result, [self.TEXT], min(int(top), 10**6))
        self.assertEqual(wordcount("--top=2", input=self.TEXT).stdout, b"12 d\n9 a\n")

    def test_ten_words_are_the_default_and_ties_are_alphabetical(self):
        text = b" ".join(bytes([c]) for c in range(ord("z"), ord("a") - 1, -1))
        self.assertEqual(wordcount(input=text).stdout,
                         b"".join(b"1 %c\n" % c for c in range(ord("a"), ord("k"))))

    def test_small_top_of_many_words_is_exact(self):
        generator = random.Random(4)
        text = b" ".join(bytes(generator.choices(b"abcdefghij", k=3)) for _ in range(rounds(20000)))
        for top in (1, 7, 31, 32, 33, 100, 999):
            self.assert_counts(wordcount("--top", str(top), input=text), [text], top)

    def test_json_says_the_same(self):
        self.file("a", self.TEXT)
        self.file("b", b"D\0\xff" + b"q" * 200000)
        result = wordcount("--json", "--top", "3", self.folder)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(json.loads(result.stdout), {
            "files": 2, "bytes": len(self.TEXT) + 3 + 200000, "words": 32, "distinct": 5,
            "complaints": 0, "top": [{"word": "d", "count": 13}, {"word": "a", "count": 9},
                                     {"word": "b", "count": 6}]})

    def test_json_of_everything_equals_the_text(self):
        generator = random.Random(5)
        content = bytes(generator.choices(b"abcdeF\n", k=rounds(100000)))
        result = wordcount("--json", "--top", "1000000", input=content)
        lines = ["%d %s\n" % (w["count"], w["word"]) for w in json.loads(result.stdout)["top"]]
        self.assertEqual("".join(lines).encode(), reference([content], 1000000))

    def test_json_counts_complaints(self):
        result = wordcount("--json", self.path("none"), self.file("some", b"word"))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(json.loads(result.stdout)["complaints"], 1)
        self.assertEqual(json.loads(result.stdout)["words"], 1)

    def test_closed_pipe_is_named(self):
        for option in ("--top=5", "--json", "--help", "--version"):
            reading, writing = os.pipe()
            os.close(reading)
            result = wordcount(option, input=self.TEXT, stdout=writing)
            os.close(writing)
            self.assert_trouble(result, b"standard output: Broken pipe")

    def test_full_disk_is_named(self):
        for option in ("--top=5", "--json", "--help", "--version"):
            with open("/dev/full", "wb") as full:
                result = wordcount(option, input=self.TEXT, stdout=full)
            self.assert_trouble(result, b"standard output: No space left on device")

    def test_full_disk_is_named_when_the_output_is_long(self):
        text = b" ".join(b"w" + bytes([97 + i // 26 % 26, 97 + i % 26]) * 20 for i in range(676))
        with open("/dev/full", "wb") as full:
            result = wordcount("--top=1000", input=text, stdout=full)
        self.assert_trouble(result, b"standard output: No space left on device")

    def on_terminal(self, *arguments, until=()):
        """Run with standard error on a terminal; end standard input when all of
        `until` was drawn. (exit status, standard output, what was drawn)"""
        controller, terminal = pty.openpty()
        drawn = b""
        with subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE, env=ENVIRONMENT,
                              stdout=subprocess.PIPE, stderr=terminal) as process:
            os.close(terminal)
            try:
                while True:
                    if all(text in drawn for text in until) and not process.stdin.closed:
                        process.stdin.close()
                    drawn += os.read(controller, 65536)
            except OSError:  # the program has closed its end
                pass
            output = process.stdout.read()
        os.close(controller)
        return process.returncode, output, drawn

    def test_progress_is_drawn_on_a_terminal_only(self):
        path = self.file("file", self.TEXT)
        self.assertEqual(wordcount(path).stderr, b"")
        status, output, drawn = self.on_terminal(path)
        self.assertEqual((status, output), (0, reference([self.TEXT])))
        self.assertIn(b"wordcount: 1 files, 0.0 MB, 30 words, ", drawn)
        self.assertTrue(drawn.endswith(b" MB/s\r\n"), drawn)

    def test_complaint_on_a_terminal_gets_a_line_of_its_own(self):
        status, _, drawn = self.on_terminal("-", "/nonexistent", until=(b"/nonexistent", b" MB/s"))
        self.assertEqual(status, 1)
        for line in drawn.replace(b"\r\x1b[K", b"\n").replace(b"\r\n", b"\n").split(b"\n"):
            self.assertRegex(line, rb"^(|wordcount: /nonexistent: No such file or directory|"
                             rb"wordcount: \d files, .* MB/s)$")


class Trouble(Case):
    def check(self, arguments, *lines):
        """These are named, and the words of a good file are counted all the same."""
        good = self.file("good", b"good words are good")
        result = wordcount(good, *arguments)
        self.assert_trouble(result, *lines, counted=b"good words are good")

    def test_missing_path_is_named(self):
        missing = self.path("missing")
        self.check([missing], missing + b": No such file or directory")
        self.check([""], b"'': No such file or directory")

    def test_file_used_as_a_directory_is_named(self):
        path = self.file("file", b"") + b"/below"
        self.check([path], path + b": Not a directory")

    def test_unreadable_file_and_directory_are_named(self):
        os.mkdir(self.path("tree"))
        os.mkdir(self.path("tree/locked"))
        self.file("tree/secret", b"secret")
        self.file("tree/open", b"open words")
        os.chmod(self.path("tree/secret"), 0)
        os.chmod(self.path("tree/locked"), 0)
        libc = ctypes.CDLL(None)

        def drop_privilege():
            for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
                libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

        result = wordcount(self.path("tree"), preexec_fn=drop_privilege)
        os.chmod(self.path("tree/locked"), 0o700)
        self.assert_trouble(result, self.path("tree/secret") + b": Permission denied",
                            self.path("tree/locked") + b": Permission denied",
                            counted=b"open words")

    def test_dangling_link_is_named(self):
        os.mkdir(self.path("tree"))
        os.symlink("nowhere", self.path("tree/dangling"))
        self.check([self.path("tree")], self.path("tree/dangling") + b": is a link to nothing")
        self.check([self.path("tree/dangling")],
                   self.path("tree/dangling") + b": is a link to nothing")

    def test_link_to_itself_is_named(self):
        os.symlink("loop", self.path("loop"))
        self.check([self.path("loop")], self.path("loop") + b": Too many levels of symbolic links")

    def test_link_to_an_ancestor_is_named_and_not_followed(self):
        os.makedirs(self.path("tree/deep/deeper"))
        self.file("tree/deep/file", b"")
        os.symlink("../..", self.path("tree/deep/deeper/up"))
        self.check([self.path("tree")], self.path("tree/deep/deeper/up") +
                   b": leads back to its own ancestor " + self.path("tree"))

    def test_what_is_no_file_is_named_and_not_read(self):
        os.mkdir(self.path("tree"))
        os.mkfifo(self.path("tree/fifo"))
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.fsdecode(self.path("tree/socket")))
            self.check([self.path("tree"), "/dev/null", self.path("tree/fifo")],
                       self.path("tree/fifo") + b": is a fifo",
                       self.path("tree/fifo") + b": is a fifo",
                       self.path("tree/socket") + b": is a socket", b"/dev/null: is a device")

    def test_read_error_is_named(self):
        self.check(["/proc/self/mem"], b"/proc/self/mem: Input/output error")

    def test_standard_input_that_cannot_be_read_is_named(self):
        folder = os.open("/", os.O_RDONLY)
        self.assert_trouble(wordcount(stdin=folder), b"standard input: Is a directory")
        os.close(folder)

    def test_closed_streams_are_named_and_nothing_else_is_taken_for_them(self):
        good = self.file("good", b"good words")
        result = wordcount("-", good, preexec_fn=lambda: os.close(0))
        self.assert_trouble(result, b"standard input: Bad file descriptor", counted=b"good words")
        result = wordcount(good, preexec_fn=lambda: os.close(1))
        self.assert_trouble(result, b"standard output: Bad file descriptor")
        result = wordcount(good, "/nonexistent", preexec_fn=lambda: os.close(2))
        self.assertEqual((result.returncode, result.stdout), (1, reference([b"good words"])))

    def test_odd_bytes_of_a_path_cannot_reach_the_terminal(self):
        name = self.path(b"new\nline\x1b[2J\xff\\")
        shown = self.path(b"new\\012line\\033[2J\\377\\134")
        self.check([name], shown + b": No such file or directory")

    def test_printable_letters_of_a_path_are_printed_as_they_are(self):
        name = self.path("\u00fcber\u0085".encode())
        result = wordcount(name, env={"LC_ALL": "C.UTF-8"})
        shown = self.path("\u00fcber\\302\\205".encode())
        self.assert_trouble(result, shown + b": No such file or directory")

    def test_wrong_usage_is_named_in_one_line(self):
        for arguments, named in (
                (["--workers", "0"], "--workers '0'"), (["--workers", "two"], "--workers 'two'"),
                (["--workers", "1025"], "--workers '1025'"), (["--workers="], "--workers ''"),
                (["--workers", "-1"], "--workers '-1'"), (["--workers", "3x"], "--workers '3x'"),
                (["--workers", "99999999999999999999"], "--workers '99999999999999999999'"),
                (["--top", "-1"], "--top '-1'"), (["--top", "ten"], "--top 'ten'"),
                (["--top", " 1"], "--top ' 1'"), (["--top"], "'--top' requires an argument"),
                (["--unknown"], "'--unknown'"), (["-x"], "'x'"), (["--json=yes"], "'--json'")):
            result = wordcount(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, b""), arguments)
            lines = result.stderr.decode().splitlines()
            self.assertEqual(len(lines), 1, lines)
            self.assertTrue(lines[0].startswith("wordcount: ") and named in lines[0], lines)

    def test_help_and_version_are_printed(self):
        result = wordcount("--help")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        for option in (b"--top", b"--json", b"--workers", b"--help", b"--version"):
            self.assertIn(option, result.stdout)
        result = wordcount("--version")
        self.assertRegex(result.stdout, rb"^wordcount \(troupe\) \d+\.\d+\.\d+\n$")
        self.assertEqual((result.returncode, result.stderr), (0, b""))


class Memory(Case):
    """What sanitisers make of memory says nothing, so these are left out there."""

    def setUp(self):
        if SANITISED:
            self.skipTest("memory is not measured under a sanitiser")
        super().setUp()

    def peak(self, stdin, *arguments):
        """(peak resident set in MB, standard output)"""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen([PROGRAM, *arguments], stdin=stdin, stdout=output,
                                       env=ENVIRONMENT)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            output.seek(0)
            return usage.ru_maxrss / 1024, output.read()

    def test_gigabyte_of_zeroes_is_read_in_bounded_memory(self):
        with open(self.file("sparse", b""), "r+b") as sparse:
            sparse.truncate(int(max(0.25, min(STRESS, 8)) * (1 << 30)))
            peak, output = self.peak(sparse)
        self.assertEqual(output, b"")
        self.assertLess(peak, 64)

    def test_endless_text_through_a_pipe_is_read_in_bounded_memory(self):
        megabytes = rounds(256)
        with subprocess.Popen(["sh", "-c", "yes a bc the quick Brown | head -c %dM" % megabytes],
                              stdout=subprocess.PIPE) as source:
            peak, output = self.peak(source.stdout, "--workers", "2", "--top", "1")
        lines = megabytes * (1 << 20) // len("a bc the quick Brown\n")
        self.assertIn(output, (b"%d a\n" % lines, b"%d a\n" % (lines + 1)))
        self.assertLess(peak, 64)

    def test_many_large_files_are_read_in_bounded_memory(self):
        content = b"some words and some more of them\n" * 60000
        for i in range(rounds(40)):
            self.file(str(i), content)
        peak, _ = self.peak(subprocess.DEVNULL, "--workers", "8", self.folder)
        self.assertLess(peak, 128)

    def little_memory(self):
        """A preexec_fn that leaves the program 64 MB more than it needs to start."""
        step = 32 << 20

        def limit_to(limit):
            return lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        enough = next(limit for limit in range(step, 256 * step, step)
                      if wordcount(input=b"a", preexec_fn=limit_to(limit)).returncode == 0)
        return limit_to(enough + 2 * step)

    def test_word_too_long_for_the_memory_is_named_and_the_rest_counted(self):
        path = self.path("huge")
        with open(path, "wb") as file:
            for _ in range(200):
                file.write(b"x" * (1 << 20))
        good = self.file("good", b"good words")
        result = wordcount(path, good, preexec_fn=self.little_memory())
        self.assertRegex(result.stderr, rb"^wordcount: " + path +
                         rb": a word of more than \d+ letters: [^\n]+\n$")
        self.assertEqual((result.returncode, result.stdout), (1, reference([b"good words"])))

    def test_too_many_words_for_the_memory_end_the_program(self):
        letters = bytes(range(97, 123))
        with open(self.path("words"), "wb") as file:
            for a in letters:
                file.write(b"".join(bytes([a, b, c, d, e]) + b"x" * 20 + b" " for b in letters[:20]
                                    for c in letters for d in letters for e in letters[::5]))
        result = wordcount(self.path("words"), preexec_fn=self.little_memory())
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertIn(b"wordcount: gave up: a part of the program failed\n", result.stderr)
        self.assertNotEqual(result.returncode, -signal.SIGABRT)


if __name__ == "__main__":
    unittest.main()
