#!/usr/bin/env python3
"""Plant one error at a time in a small clean tree: tools/lint must name it, and
nothing else; the clean tree must pass."""
import os
import subprocess
import sys
import tempfile
import unittest

LINT = sys.argv.pop(1) if len(sys.argv) > 1 else "tools/lint"

CLEAN = {
    "include/troupe/mem/cell.h": """/* cell - one value */
#ifndef TROUPE_MEM_CELL_H
#define TROUPE_MEM_CELL_H
typedef struct tr_cell { int x; } tr_cell;

/* Store x; the caller keeps the cell. */
TR_API void tr_cell_set(tr_cell *cell, int x);
TR_API int tr_cell_get(tr_cell *cell);
#endif
""",
    "mem/cell.c": """/* cell - one value */
#include <troupe/mem/cell.h>

void tr_cell_set(tr_cell *cell, int x)
{
    /* edge set (release): with tr_cell_get; carries the value */
    tr_store_release(&cell->x, x);
    tr_count_add(&sets, 1);
}

int tr_cell_get(tr_cell *cell)
{
    tr_fetch_add_relaxed(&gets, 1); /* relaxed: a counter orders nothing */
    return tr_load_acquire(&cell->x); /* edge set (acquire): with tr_cell_set;
                                       * carries the value */
}
""",
    "runtime/run.c": '/* run */\n#include "runtime/run.h"\n#include "mem/rcu.h"\n',
    "tests/mem/test_cell.c": "/* no rule on edges here */\nstatic int f(void)\n{\n"
                             "    return tr_load_acquire(&x);\n}\n",
    "examples/hello/hello.c": "#include <troupe/troupe.h>\n",
}


def function(lines, name="tr_long"):
    return "/* long */\nvoid %s(void)\n{\n%s}\n" % (name, "    f();\n" * (lines - 2))


# name: (path, text that is put at the end of the file, line in that text, part of the message)
PLANTED = {
    "include up": ("mem/a.c", '/* a */\n#include "runtime/run.h"\n', 2, "layer above"),
    "public include up": ("channels/a.c", "/* a */\n#include <troupe/runtime/pid.h>\n", 2,
                          "layer above"),
    "umbrella in library": ("mem/a.c", "/* a */\n#include <troupe/troupe.h>\n", 2, "layer above"),
    "include without root": ("mem/a.c", '/* a */\n#include "cell.h"\n', 2, "from the root"),
    "example reaches in": ("examples/a.c", '#include "mem/cell.h"\n', 1, "public headers only"),
    "library uses tests": ("mem/a.c", '/* a */\n#include "tests/support/test.h"\n', 2,
                           "belongs to tests"),
    "header includes private": ("include/troupe/mem/a.h", '/* a */\n#include "mem/x.h"\n', 2,
                                "public header includes private"),
    "stdatomic": ("runtime/a.c", "/* a */\n#include <stdatomic.h>\n", 2, "only door"),
    "builtin": ("tests/mem/a.c", "int f = __atomic_load_n(&x, 0);\n", 1, "__atomic_load_n"),
    "urcu": ("runtime/a.c", "/* a */\n#include <urcu/urcu-qsbr.h>\n", 2, "wraps liburcu"),
    "fence": ("mem/a.c", "/* a */\nint f = g(__atomic_thread_fence(5));\n", 2, "fence"),
    "fence of urcu": ("mem/a.c", "/* a */\nint f = g(cmm_smp_mb());\n", 2, "fence"),
    "untagged acquire": ("mem/a.c", "/* a */\n\n\n\n\n\nint x = tr_load_acquire(&y);\n", 7,
                         "edge NAME (acquire)"),
    "comment too far": ("mem/a.c", "/* edge set (acquire): with x */\n\n\n\n\n"
                        "int x = tr_load_acquire(&y);\n", 6, "edge NAME (acquire)"),
    "wrong order": ("mem/a.c", "/* edge set (acquire): with x */\n"
                    "int x = tr_cas_acq_rel(&y, 1, 2);\n", 2, "says (acquire)"),
    "untagged relaxed": ("mem/a.c", "/* a */\nint x = tr_load_relaxed(&y);\n", 2, "relaxed:"),
    "edge without order": ("mem/a.c", "/* edge set (once): with x */\n"
                           "int x = tr_load_acquire(&y);\n", 2, "edge NAME (acquire)"),
    "edge once": ("mem/a.c", "/* edge lonely (acquire): with nobody */\n"
                  "int x = tr_load_acquire(&y);\n", 1, "appears only here"),
    "edge never released": ("mem/a.c", "/* edge half (acquire): with me */\n"
                            "int x = tr_load_acquire(&y);\n/* edge half (acquire): with me */\n"
                            "int z = tr_load_acquire(&y);\n", 1, "never released"),
    "sleep": ("tests/mem/a.c", "int f(void) { usleep(5); }\n", 1, "sleeps in a test"),
    "sleep in shell": ("tests/mem/a.sh", "#!/bin/sh\nsleep 1\n", 2, "sleeps in a test"),
    "suppression file": ("tests/tsan.supp", "deadlock:f\n", 1, "suppression file"),
    "suppression in source": ("mem/a.c", "/* a */\nconst char *__tsan_default_suppressions;\n", 2,
                              "silences"),
    "suppression option": ("tests/a.sh", "#\nTSAN_OPTIONS=suppressions=x\n", 2, "silences"),
    "long file": ("mem/a.c", "/* a */\n" + "int x;\n" * 600, 601, "file of 601 lines"),
    "long function": ("mem/a.c", function(81), 3, "81 lines"),
    "no header comment": ("channels/a.c", "int x;\n", 1, "opens without a comment"),
    "undocumented": ("include/troupe/mem/a.h", "/* a */\n\nTR_API void tr_x(void);\n", 3,
                     "no comment above"),
    "foreign macro": ("include/troupe/mem/a.h", "/* a */\n#define LIKELY 1\n", 2, "macro LIKELY"),
    "foreign function": ("include/troupe/mem/a.h", "/* a */\nTR_API void go(int x);\n", 2,
                         "function go"),
    "foreign type": ("include/troupe/mem/a.h", "/* a */\ntypedef int cell;\n", 2, "type cell"),
    "visible name": ("mem/a.c", "/* a */\nint helper(int x)\n{\n    return x;\n}\n", 2,
                     "helper is visible"),
}

# What looks like an error and is none.
HARMLESS = {
    "comment": ("mem/a.c", "/* no stdatomic.h, __atomic_load_n, sleep(1) here */\n"),
    "string": ("tests/a.c", 'const char *s = "usleep(5) __atomic_load_n";\n'),
    "at the limit": ("mem/a.c", function(80)),
    "down": ("runtime/a.c", "/* a */\n#include <troupe/mem/box.h>\n#include \"channels/w.h\"\n"),
    "static helper": ("mem/a.c", "/* a */\nstatic int helper(int x)\n{\n    return x;\n}\n"),
    "statement of two lines": ("mem/a.c", "/* a */\nint x = f(tr_load_relaxed(&y),\n"
                               "    1); /* relaxed: alone */\n"),
    "run of accesses": ("mem/a.c", "/* relaxed, all: numbers */\n" +
                        "int x = tr_load_relaxed(&y);\n" * 9),
    "two orders": ("mem/a.c", "/* edge set (release, acquire): with x */\n"
                   "int x = tr_cas_acq_rel(&y, 1, 2);\n"),
    "edge with itself": ("mem/a.c", "/* edge count (acq_rel): with itself; the last one frees */\n"
                         "int x = tr_fetch_sub_acq_rel(&y, 1);\n"),
    "rcu wrapper": ("mem/rcu.h", "/* rcu */\n#include <urcu/urcu-qsbr.h>\n"),
    "build directory": ("build-x/a.c", "#include <stdatomic.h>\n"),
}


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def lint(extra=None):
    """Run on the clean tree with one more file: (exit status, its lines)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in CLEAN.items():
            write(root, path, text)
        if extra:
            write(root, *extra)
        done = subprocess.run([sys.executable, LINT, "--quiet", "--root", root],
                              stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout.splitlines()


class TestLint(unittest.TestCase):
    def test_lint_clean_tree_passes(self):
        self.assertEqual(lint(), (0, []))

    def test_lint_planted_error_is_named(self):
        for name, (path, text, line, message) in PLANTED.items():
            with self.subTest(name):
                status, lines = lint((path, text))
                self.assertEqual(status, 1, lines)
                self.assertEqual(len(lines), 2, lines)  # the finding and the last line
                self.assertTrue(lines[0].startswith("%s:%d: " % (path, line)), lines[0])
                self.assertIn(message, lines[0])

    def test_lint_harmless_text_passes(self):
        for name, extra in HARMLESS.items():
            with self.subTest(name):
                self.assertEqual(lint(extra), (0, []))

    def test_lint_unknown_option_exits_2(self):
        done = subprocess.run([sys.executable, LINT, "--bogus"], stderr=subprocess.PIPE,
                              check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
