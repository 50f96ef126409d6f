#!/usr/bin/env python3
"""tools/cases finds the tests of each case, and each way in which list, tests and
table can disagree is named."""
import os
import subprocess
import sys
import tempfile
import unittest

CASES = sys.argv.pop(1) if len(sys.argv) > 1 else "tools/cases"

LIST = """# a comment
[RC] owners
RC-01  owners are counted
RC-02  an upgrade adds one

[ACT] actors
ACT-01  order
ACT-05  missing  urgent ones
"""

TEST_RC = """static void helper(void)
{
    f(); /* RC-07 in a helper is nobody's */
}

/* -- RC-08: a heading is not a test ------ */
static void test_rc_01_clones(void **state)
{
    (void)state;
    f("RC-09 in a string");
}

static void test_rc_weak(void **state)
{
    (void)state; /* RC-02 */
}
"""
TEST_ORDER = """void test_order_act_01_twice(void **state)
{
    if (state) {
        f();
    }
}
"""
TEST_PY = """class Refused(unittest.TestCase):
    def test_rc_01_refused(self):
        # RC-02: too

        self.f()

    def helper(self):
        pass  # ACT-05
"""


class Tree:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.write("tests/cases.txt", LIST)
        self.write("tests/mem/test_rc.c", TEST_RC)
        self.write("tests/runtime/test_order.c", TEST_ORDER)
        self.write("tests/mem/test_refused.py", TEST_PY)

    def write(self, path, text):
        path = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        with open(os.path.join(self.folder.name, path), encoding="utf-8") as file:
            return file.read()

    def run(self, *options):
        done = subprocess.run([sys.executable, CASES, "--root", self.folder.name, *options],
                              capture_output=True, text=True, check=False)
        assert done.stderr == "", done.stderr
        return done.returncode, done.stdout.splitlines()


class CasesTest(unittest.TestCase):
    def setUp(self):
        self.tree = Tree()
        self.assertEqual(self.tree.run("--write"), (0, []))

    def tearDown(self):
        self.tree.folder.cleanup()

    def assert_named(self, *messages):
        status, lines = self.tree.run()
        self.assertEqual(status, 1)
        self.assertEqual(len(lines), len(messages), lines)
        for line, message in zip(lines, messages):
            self.assertIn(message, line)

    def test_table_written_is_up_to_date(self):
        self.assertEqual(self.tree.run(), (0, []))

    def test_table_names_each_test_once_by_file(self):
        rows = [line for line in self.tree.read("tests/cases.md").splitlines() if line.startswith("| ")]
        self.assertEqual([row for row in rows if not row.startswith("| case")], [
            "| RC-01 | owners are counted | [test_rc.c](mem/test_rc.c): `test_rc_01_clones`"
            "<br>[test_refused.py](mem/test_refused.py): `test_rc_01_refused` |",
            "| RC-02 | an upgrade adds one | [test_rc.c](mem/test_rc.c): `test_rc_weak`"
            "<br>[test_refused.py](mem/test_refused.py): `test_rc_01_refused` |",
            "| ACT-01 | order | [test_order.c](runtime/test_order.c): `test_order_act_01_twice` |",
            "| ACT-05 | urgent ones | **missing** |"])

    def test_case_that_loses_its_test_is_named(self):
        self.tree.write("tests/runtime/test_order.c", "")
        self.assert_named("tests/cases.txt:7: no test bears ACT-01", "out of date")
        status, lines = self.tree.run("--write")  # writing does not hide it
        self.assertEqual((status, len(lines)), (1, 1))

    def test_missing_case_that_gains_a_test_is_named_until_it_is_listed(self):
        self.tree.write("tests/mem/test_urgent.c",
                        "static void test_act_05_first(void **state)\n{\n}\n")
        self.assert_named("ACT-05 is listed as missing", "out of date")
        self.assertEqual(self.tree.run("--write"), (0, []))
        self.assertEqual(self.tree.read("tests/cases.txt"), LIST.replace("missing  ", ""))
        self.assertEqual(self.tree.run(), (0, []))

    def test_renamed_test_is_out_of_date(self):
        self.tree.write("tests/mem/test_rc.c", TEST_RC.replace("01_clones", "01_shares"))
        self.assert_named("out of date")

    def test_id_that_is_not_listed_is_named(self):
        self.tree.write("tests/mem/test_more.c", "static void test_rc_99_x(void **state)\n{\n}\n")
        self.assert_named("test_rc_99_x bears RC-99")

    def test_bad_lines_of_the_list_are_named(self):
        for line, number in (("RC-03 ", 9), ("RC-01  twice", 9), ("RC-03  under ACT", 9), ("RC 3", 9)):
            self.tree.write("tests/cases.txt", LIST + line + "\n")
            self.assert_named("tests/cases.txt:%d: no heading" % number)

    def test_table_that_is_not_there_is_out_of_date(self):
        os.remove(os.path.join(self.tree.folder.name, "tests/cases.md"))
        self.assert_named("out of date")


unittest.main()
