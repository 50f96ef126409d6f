#!/usr/bin/env python3
"""Box, Arc and Weak, and a channel, driven from Python through libtroupe.so.

    test_ctypes.py LIBRARY_DIRECTORY

The descriptor is built by hand, its drop is a function of Python. What docs/ffi.md
says of Python is what is done here.
"""
import ctypes
import os
import signal
import subprocess
import sys
import threading
import unittest

if __name__ == "__main__":
    LIBRARY = os.path.join(sys.argv.pop(1), "libtroupe.so.0")
else:
    LIBRARY = os.environ["TROUPE_LIBRARY"]

DROP = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
TR_OK, TR_EMPTY, TR_FULL, TR_DISCONNECTED = 0, 1, 3, 4
UNBOUNDED = ctypes.c_size_t(-1).value
FOREVER = ctypes.c_uint64(-1).value


class Type(ctypes.Structure):
    """tr_type, whose size is a multiple of its alignment of 16."""

    _fields_ = [("name", ctypes.c_char_p), ("size", ctypes.c_size_t), ("align", ctypes.c_size_t),
                ("drop", DROP), ("clone", ctypes.c_void_p), ("eq", ctypes.c_void_p),
                ("hash", ctypes.c_void_p), ("flags", ctypes.c_uint32), ("fill_", ctypes.c_uint32)]


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int)]


class Weak(ctypes.Structure):
    """tr_weak."""

    _fields_ = [("target_", ctypes.c_void_p)]


def load():
    library = ctypes.CDLL(LIBRARY)
    pointer, status, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
    for name, result, arguments in (
            ("tr_box_of", pointer, (pointer, pointer)),
            ("tr_arc_of", pointer, (pointer, pointer)),
            ("tr_arc_clone_owned", pointer, (pointer,)),
            ("tr_drop_owned", None, (pointer,)),
            ("tr_strong_count", size, (pointer,)),
            ("tr_owned_type", pointer, (pointer,)),
            ("tr_downgrade", Weak, (pointer,)),
            ("tr_upgrade_weak", pointer, (Weak, pointer)),
            ("tr_weak_drop", None, (ctypes.POINTER(Weak),)),
            ("tr_channel_create", status, (pointer, size, ctypes.POINTER(pointer))),
            ("tr_channel_try_send", status, (pointer, pointer)),
            ("tr_channel_send_until", status, (pointer, pointer, ctypes.c_uint64)),
            ("tr_channel_try_recv", status, (pointer, pointer)),
            ("tr_channel_recv_until", status, (pointer, ctypes.c_uint64, pointer)),
            ("tr_channel_drop_sender", None, (ctypes.POINTER(pointer),)),
            ("tr_channel_drop_receiver", None, (ctypes.POINTER(pointer),)),
            ("tr_status_name", ctypes.c_char_p, (status,))):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Descriptor:
    """A tr_type at an address that is a multiple of 16; it lives as long as its values."""

    def __init__(self, of, name, drop):
        self.store = ctypes.create_string_buffer(ctypes.sizeof(Type) + 16)
        self.address = (ctypes.addressof(self.store) + 15) & ~15
        self.callback = DROP(drop)  # C holds only its address
        self.type = Type.from_address(self.address)
        self.type.name = name
        self.type.size = ctypes.sizeof(of)
        self.type.align = ctypes.alignment(of)
        self.type.drop = self.callback


class TestCtypes(unittest.TestCase):
    def setUp(self):
        self.library = load()
        self.dropped = []

        def drop(value):
            self.dropped.append(Point.from_address(value).x)

        self.points = Descriptor(Point, b"point", drop)

    def box(self, x):
        return self.library.tr_box_of(self.points.address, ctypes.byref(Point(x, 0)))

    def arc(self, x):
        return self.library.tr_arc_of(self.points.address, ctypes.byref(Point(x, 0)))

    def test_descriptor_has_the_layout_of_c(self):
        self.assertEqual((ctypes.sizeof(Type), self.points.address % 16), (64, 0))

    def test_box_is_dropped_once_by_python(self):
        box = self.box(7)
        self.assertEqual(Point.from_address(box).x, 7)
        self.assertEqual(self.library.tr_owned_type(box), self.points.address)
        self.assertEqual(self.library.tr_strong_count(box), 1)
        self.assertEqual(self.dropped, [])
        self.library.tr_drop_owned(box)
        self.assertEqual(self.dropped, [7])
        self.library.tr_drop_owned(None)
        self.assertEqual(self.dropped, [7])

    def test_arc_dies_with_its_last_owner(self):
        first = self.arc(8)
        second = self.library.tr_arc_clone_owned(first)
        self.assertEqual((first, self.library.tr_strong_count(first)), (second, 2))
        weak = self.library.tr_downgrade(first)
        self.library.tr_drop_owned(first)
        third = self.library.tr_upgrade_weak(weak, self.points.address)
        self.assertEqual(third, second)
        self.library.tr_drop_owned(second)
        self.assertEqual(self.dropped, [])
        self.library.tr_drop_owned(third)
        self.assertEqual(self.dropped, [8])
        self.assertIsNone(self.library.tr_upgrade_weak(weak, self.points.address))
        self.library.tr_weak_drop(ctypes.byref(weak))
        self.assertIsNone(weak.target_)

    def test_arc_is_shared_by_threads(self):
        arc = self.arc(9)

        def work(share):
            for _ in range(200):
                self.library.tr_drop_owned(self.library.tr_arc_clone_owned(share))
            self.library.tr_drop_owned(share)

        threads = [threading.Thread(target=work, args=(self.library.tr_arc_clone_owned(arc),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((self.library.tr_strong_count(arc), self.dropped), (1, []))
        self.library.tr_drop_owned(arc)
        self.assertEqual(self.dropped, [9])

    def channel(self, capacity):
        made = ctypes.c_void_p()
        self.assertEqual(self.library.tr_channel_create(self.points.address, capacity, ctypes.byref(made)), TR_OK)
        return ctypes.c_void_p(made.value), ctypes.c_void_p(made.value)

    def test_channel_moves_values_and_drops_the_rest(self):
        sender, receiver = self.channel(2)
        got = Point()
        self.assertEqual(self.library.tr_channel_try_recv(receiver, ctypes.byref(got)), TR_EMPTY)
        for x in 1, 2:
            self.assertEqual(self.library.tr_channel_try_send(sender, ctypes.byref(Point(x, x))), TR_OK)
        self.assertEqual(self.library.tr_channel_try_send(sender, ctypes.byref(Point(3, 3))), TR_FULL)
        self.assertEqual(self.library.tr_channel_try_recv(receiver, ctypes.byref(got)), TR_OK)
        self.assertEqual((got.x, got.y, self.dropped), (1, 1, []))
        self.library.tr_channel_drop_receiver(ctypes.byref(receiver))
        self.assertEqual((receiver.value, self.dropped), (None, [2]))
        self.assertEqual(self.library.tr_channel_try_send(sender, ctypes.byref(Point(4, 4))), TR_DISCONNECTED)
        self.library.tr_channel_drop_sender(ctypes.byref(sender))
        self.assertEqual(self.dropped, [2])

    def test_channel_between_threads_of_python(self):
        sender, receiver = self.channel(UNBOUNDED)

        def produce():  # ctypes lets other threads run while a call waits
            for x in range(500):
                self.library.tr_channel_send_until(sender, ctypes.byref(Point(x, 0)), FOREVER)
            self.library.tr_channel_drop_sender(ctypes.byref(sender))

        thread = threading.Thread(target=produce)
        thread.start()
        got, seen = Point(), []
        while self.library.tr_channel_recv_until(receiver, FOREVER, ctypes.byref(got)) == TR_OK:
            seen.append(got.x)
        thread.join()
        self.library.tr_channel_drop_receiver(ctypes.byref(receiver))
        self.assertEqual((seen, self.dropped), (list(range(500)), []))

    def test_panic_below_python_aborts_the_process(self):
        """Without a boundary it never unwinds a frame of Python."""
        program = ("import test_ctypes as t; t.TestCtypes.setUp(s := t.TestCtypes()); "
                   "s.library.tr_arc_clone_owned(s.box(1))")
        environment = dict(os.environ, TROUPE_LIBRARY=LIBRARY, PYTHONPATH=os.path.dirname(os.path.abspath(__file__)),
                           PYTHONDONTWRITEBYTECODE="1")
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, -signal.SIGABRT, done.stderr)
        self.assertIn("no boundary to catch the panic", done.stderr)


if __name__ == "__main__":
    unittest.main()
