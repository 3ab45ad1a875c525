#!/usr/bin/env python3
"""Compares traces of pickles with CPython's pure-Python machine and pickletools, op by op: offset, opcode, values on the stack and
on each stack below a mark, entries of the memo. The traces are those of the library (examples/trace.rs) and of the pages that
`picklevm view` makes (by Node, where crates/picklevm-view/page has its packages).

    cargo build -p picklevm-cli && cargo build --example trace
    tests/python/check_trace.py [--max-ops COUNT] [FOLDER or FILE ...]

With --max-ops the pages leave ops out, and what they say of the others is compared.
"""

import io
import os
import pickle
import pickletools
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
TARGET = os.environ.get('CARGO_TARGET_DIR', os.path.join(ROOT, 'target'))
PROGRAM = os.environ.get('PICKLEVM', os.path.join(TARGET, 'debug', 'picklevm'))
TRACE = os.path.join(TARGET, 'debug', 'examples', 'trace')
PAGE = os.path.join(ROOT, 'crates', 'picklevm-view', 'page')
BATCH = 25
SECONDS = 5


class Stub:
    """Stands for everything that a pickle imports; does nothing."""

    def __new__(cls, *args, **kwargs):
        return object.__new__(Stub)

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return Stub()

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        pass

    extend = add = update = append


class Tracer(pickle._Unpickler):
    def find_class(self, module, name):
        return Stub

    def persistent_load(self, pid):
        return Stub()

    def get_extension(self, code):
        self.append(Stub)

    def trace(self):
        """What `load` does, with the state after each op."""
        self._unframer = pickle._Unframer(self._file_read, self._file_readline)
        self.read, self.readinto, self.readline = self._unframer.read, self._unframer.readinto, self._unframer.readline
        self.metastack, self.stack = [], []
        self.append = self.stack.append
        self.proto = 0
        try:
            while True:
                key = self.read(1)
                stop = key[0] == pickle.STOP[0]
                try:
                    self.dispatch[key[0]](self)
                except pickle._Stop:
                    pass
                heights = [len(stack) for stack in self.metastack] + [len(self.stack)]
                yield ','.join(map(str, heights)), len(self.memo)
                if stop:
                    return
        except TooLong:
            raise
        except Exception:
            return


class TooLong(Exception):
    """A pickle takes too long: some are made for that."""


def too_long(*_):
    raise TooLong


def expected(data):
    """The lines of an independent trace."""
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    try:
        ops = [(pos, op.name) for op, _, pos in pickletools.genops(data)]
        states = list(Tracer(io.BytesIO(data), encoding='bytes', buffers=iter(lambda: b'', None)).trace())
    except Exception:
        return None
    finally:
        signal.alarm(0)
    if len(states) != len(ops):
        return None
    return ['%d %s %s %d' % (pos, name, heights, memo) for (pos, name), (heights, memo) in zip(ops, states)]


def files(paths):
    for path in paths:
        if os.path.isdir(path):
            for folder, _, names in sorted(os.walk(path)):
                yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(('.pkl', '.pickle')))
        else:
            yield path


def sections(text):
    """The lines below each heading."""
    parts = {}
    for line in text.splitlines():
        if line.startswith('# '):
            own = parts.setdefault(line[2:], [])
        else:
            own.append(line)
    return parts


def main():
    args, most = sys.argv[1:], None
    if args[:1] == ['--max-ops']:
        most, args = args[1], args[2:]
    paths = args or [os.path.join(ROOT, 'tests'), os.path.join(ROOT, 'examples', 'data')]
    with_page = os.path.isdir(os.path.join(PAGE, 'node_modules'))
    wanted, skipped = {}, 0
    for path in files(paths):
        with open(path, 'rb') as file:
            lines = expected(file.read())
        if lines is None:
            skipped += 1
        else:
            wanted[path] = lines
    counts = {'library': 0, 'page': 0}
    bad, ops, left_out = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        names = list(wanted)
        for at in range(0, len(names), BATCH):
            batch = names[at:at + BATCH]
            traces = sections(subprocess.run([TRACE, *batch], capture_output=True, check=False).stdout.decode())
            pages = {}
            for number, path in enumerate(batch):
                page = os.path.join(folder, '%d.html' % number)
                made = [PROGRAM, 'view', path, '-o', page, '--max-ops', most or '10000000', '--max-values', '10000000']
                if with_page and subprocess.run(made, capture_output=True, check=False).returncode == 0:
                    pages[page] = path
            shown = subprocess.run(['node', 'test/machine.mjs', *pages], cwd=PAGE, capture_output=True, check=False) if pages else None
            by_page = sections(shown.stdout.decode()) if shown else {}
            for path in batch:
                ops += len(wanted[path])
                results = [('library', traces.get(path))] + [('page', by_page.get(page)) for page, of in pages.items() if of == path]
                for what, lines in results:
                    if what == 'page' and most and lines:
                        # The ops that the page has, and no other than those of the pickle.
                        offsets = {line.split(' ')[0] for line in lines}
                        is_right = lines == [line for line in wanted[path] if line.split(' ')[0] in offsets]
                        left_out += len(wanted[path]) - len(lines)
                    else:
                        is_right = lines == wanted[path]
                    if is_right:
                        counts[what] += 1
                    else:
                        bad.append((what, path, lines))
    for what, path, lines in bad[:20]:
        lines = lines or []
        first = next((n for n, line in enumerate(wanted[path]) if lines[n:n + 1] != [line]), len(wanted[path]))
        print('%s: %s: op %d: %r, expected %r' % (path, what, first, lines[first:first + 1], wanted[path][first:first + 1]))
    print('%d files of %d ops: the library equals %d, the page %d; %d files that CPython does not read to the end were skipped'
          % (len(wanted), ops, counts['library'], counts['page'], skipped))
    if most:
        print('%d ops were left out of the pages' % left_out)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
