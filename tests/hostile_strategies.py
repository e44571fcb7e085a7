"""This is strategies that want to do harm: what each does, and what is told of it once it is held."""

from __future__ import annotations

from typing import Final

FORGED: Final = """
import json, struct
def forge(head, block=b'', size=None):
    text = json.dumps(head).encode() if isinstance(head, dict) else head
    frame = struct.pack('!IQ', len(text), len(block) if size is None else size) + text + block
    for pipe in range(3, 64):
        try: os.write(pipe, frame)
        except OSError: pass
    time.sleep(9)
"""
"""Writes an answer by hand, past our own code in its process."""

HOSTILE: Final = {
    "an endless loop": ("while True: pass", "took too long"),
    "an endless sleep": ("time.sleep(1000)", "took too long"),
    "a fork bomb": ("while True: os.fork()", "PermissionError"),
    "a fork bomb that does not give up": (
        """
        while True:
            try: os.fork()
            except BaseException: pass
        """,
        "took too long",
    ),
    "a thread bomb": (
        """
        import threading
        while True: threading.Thread(target=time.sleep, args=(9,)).start()
        """,
        "can't start new thread",
    ),
    "four gigabytes": ("np.ones(4 << 27)", "Unable to allocate 4.00 GiB"),
    "four gigabytes in pieces": (
        "held = [np.empty(1 << 21) for _ in range(256)]",
        "Unable to allocate",
    ),
    "a socket": ("socket.socket()", "PermissionError"),
    "a file": ("open('/tmp/harm', 'w')", "PermissionError"),
    "a sudden end": ("os._exit(0)", "its process ended"),
    "more time for itself": (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (9, 9))",
        "ValueError",
    ),
    "an exception": ("raise ZeroDivisionError('on purpose')", "ZeroDivisionError: on purpose"),
    "an exception that is none": ("raise KeyboardInterrupt", "its process ended"),
    "a wrong type": ("return {'entry': True}", "Decisions expected, not dict"),
    "nothing": ("return None", "Decisions expected, not NoneType"),
    "too few flags": (
        "none = np.zeros(2, dtype=np.bool_); return Decisions(none, none)",
        "entry: bool(",
    ),
    "NaN for a flag": (
        "some = np.full(len(columns), np.nan); return Decisions(some, some)",
        ") expected, not float64(",
    ),
    "negative quantities for flags": (
        "some = np.full(len(columns), -7); return Decisions(some, some)",
        ") expected, not int64(",
    ),
    "NaN for a figure": (
        """
        given = self.quiet(columns)
        return Decisions(given.entry, given.exit, {'level': np.full(len(columns), np.nan)})
        """,
        "NaN where there are enough bars",
    ),
    "an infinite figure": (
        """
        given = self.quiet(columns)
        return Decisions(given.entry, given.exit, {'level': np.full(len(columns), np.inf)})
        """,
        "an indicator is infinite",
    ),
    "a hundred figures": (
        """
        given = self.quiet(columns)
        level = np.zeros(len(columns))
        return Decisions(given.entry, given.exit, {f'level_{n}': level for n in range(100)})
        """,
        "too large",
    ),
    "a long complaint": ("raise RuntimeError('a' * 10_000_000)", "RuntimeError: aaa"),
    "a signal for a symbol that is not in the universe": (
        FORGED + "forge({'symbols': {'999999': 180}, 'indicators': []}, bytes(360))",
        "other symbols or days",
    ),
    "a huge output": (FORGED + "forge({}, size=1 << 40)", "too large"),
    "an output that does not end": (FORGED + "forge({}, size=300)", "took too long"),
    "an answer without a bottom": (FORGED + "forge(b'[' * 500_000)", "not readable"),
    "noise": (FORGED + "forge(b'not json')", "not readable"),
}
"""What `evaluate` does, and what is told of it."""
