#!/usr/bin/env python3.13
"""Generates the data that the crate takes from CPython; run with Python 3.13.

usage: python3.13 crates/picklevm-ops/tests/data/make.py [SEED]

tests/data/pickletools.json   the data of pickletools.opcodes, compared with the table by tests/table.rs
tests/data/operands.txt       operands in text, and what Python reads; for tests/readings.rs
tests/data/frames.txt         frames in odd places, and the ops in them; for tests/readings.rs
tests/data/reprs.txt          floats, text and bytes, and their repr; for tests/reprs.rs
tests/data/tools/             pickles, and the output of pickletools for them; for tests/tools.rs
src/repr/printable.rs         the code points that repr() escapes

With a SEED, instead prints lines like those of operands.txt and frames.txt, made from the seed.
"""
import codecs
import io
import json
import pickle
import pickletools
import random
import struct
import sys
import unicodedata
import warnings
from pathlib import Path

CRATE = Path(__file__).resolve().parent.parent.parent


def opcodes():
    for op in pickletools.opcodes:
        yield {
            "code": ord(op.code),
            "name": op.name,
            "arg": op.arg.name if op.arg else None,
            "stack_before": [x.name for x in op.stack_before],
            "stack_after": [x.name for x in op.stack_after],
            "proto": op.proto,
            "doc": op.doc.split("\n", 1)[0],
        }


def unprintable():
    start = None
    for code in range(0x110001):
        escaped = code < 0x110000 and not chr(code).isprintable()
        if escaped and start is None:
            start = code
        if not escaped and start is not None:
            yield start, code - 1
            start = None


def line(read):
    text = read.readline()
    if not text.endswith(b"\n"):
        raise EOFError
    return text


def exactly(read, n):
    data = read.read(n)
    if len(data) < n:
        raise EOFError
    return data


def integer(value):
    """Large integers as sign and remainder, which a reader without large integers can compute."""
    if -(2**63) <= value < 2**63:
        return str(value)
    return f"{'-' if value < 0 else '+'}big%{abs(value) % (2**61 - 1)}"


def text(value):
    return value.encode("utf-8", "surrogatepass").hex()


def read_operand(name, read):
    """The operand as CPython's pickle._Unpickler reads it; ValueError, EOFError or UnpicklingError if it does not."""
    if name == "INT":
        data = line(read)
        return str(data == b"01\n") if data in (b"00\n", b"01\n") else integer(int(data, 0))
    if name == "LONG":
        return integer(int(line(read)[:-1].removesuffix(b"L"), 0))
    if name == "FLOAT":
        return struct.pack(">d", float(line(read)[:-1])).hex()
    if name == "STRING":
        data = line(read)[:-1]
        if len(data) < 2 or data[0] != data[-1] or data[0] not in b"\"'":
            raise ValueError
        return codecs.escape_decode(data[1:-1])[0].hex()
    if name == "UNICODE":
        return text(str(line(read)[:-1], "raw-unicode-escape"))
    if name in ("GET", "PUT"):
        index = int(line(read)[:-1])
        if not 0 <= index < 2**64:
            raise ValueError
        return str(index)
    if name in ("GLOBAL", "INST"):
        encoding = "utf-8" if name == "GLOBAL" else "ascii"
        return ",".join(text(line(read)[:-1].decode(encoding)) for _ in range(2))
    if name == "PERSID":
        return text(line(read)[:-1].decode("ascii"))
    if name == "FRAME":
        (size,) = struct.unpack("<Q", exactly(read, 8))
        if size > sys.maxsize:
            raise ValueError
        read.load_frame(size)
        return str(size)
    if name == "PROTO":
        return str(exactly(read, 1)[0])
    for names, layout in (("BININT1", "<B"), ("BININT2", "<H"), ("BININT", "<i"), ("BINFLOAT", ">q")):
        if name == names:
            return str(struct.unpack(layout, exactly(read, struct.calcsize(layout)))[0])
    for names, layout in (
        (("SHORT_BINUNICODE", "SHORT_BINBYTES"), "<B"), (("BINUNICODE", "BINBYTES"), "<I"), (("BYTEARRAY8",), "<Q"),
    ):
        if name in names:
            data = exactly(read, struct.unpack(layout, exactly(read, struct.calcsize(layout)))[0])
            return text(str(data, "utf-8", "surrogatepass")) if "UNICODE" in name else data.hex()
    return ""


def reading(data):
    """OFFSET:NAME:OPERAND of each op, or `refused`."""
    file = io.BytesIO(data)
    read = pickle._Unframer(file.read, file.readline)
    ops = []
    try:
        while True:
            frame = read.current_frame
            offset = file.tell() - (len(frame.getvalue()) - frame.tell() if frame else 0)
            code = exactly(read, 1)
            name = pickletools.code2op[code.decode("latin-1")].name
            ops.append(f"{offset}:{name}:{read_operand(name, read)}")
            if name == "STOP":
                return " ".join(ops)
    except (KeyError, ValueError, EOFError, pickle.UnpicklingError):
        return "refused"


PIECES = {
    "I": [b"0", b"1", b"9", b"7", b"_", b" ", b"x", b"X", b"o", b"b", b"-", b"+", b"L", b"f", b"\t", b"\r", b"\v", b"\x1c",
          b"00", b"0x", b"\0", b"\xa0", b"99999999999"],
    "F": [b"1", b"0", b".", b"e", b"E", b"-", b"+", b"_", b"inf", b"nan", b"Infinity", b" ", b"\f", b"INF", b"NaN", b"5",
          b"308", b"0x", b"\0", b"y", b"1e400", b"1e-400"],
    "S": [b"'", b'"', b"\\", b"x", b"4", b"1", b"n", b"a", b"777", b"\xff", b"z", b"\\x", b"\\'", b"0", b"8", b"\\\\"],
    "V": [b"\\", b"u", b"U", b"0041", b"d83d", b"\\ud83d", b"\\ude00", b"0001F600", b"00110000", b"\xe9", b"a", b"\\\\",
          b"\\u", b"\\U0010ffff", b"\x80"],
    "c": [b"a", b".", b"\xc3\xa9", b"\xed\xa0\x80", b"\xff", b"\\", b"\n", b" ", b"x", b"\\x41"],
}


def operands(rng, count):
    """Operands in text: valid and almost valid ones."""
    seen = set()
    while len(seen) < count:
        code = rng.choice("IILLFSVgpciP")
        pieces = PIECES[{"L": "I", "g": "I", "p": "I", "i": "c", "P": "c"}.get(code, code)]
        body = b"".join(rng.choice(pieces) for _ in range(rng.randrange(7)))
        if code == "S" and rng.random() < 0.7:
            quote = rng.choice((b"'", b'"'))
            body = quote + body + quote
        data = code.encode() + body + b"\n"
        if code in "ci":
            data += rng.choice((b"n", b"\xc3\xa9", b"\\t", b"q\xff")) + b"\n"
        if data not in seen:
            seen.add(data)
            yield data + b"."


FRAMED = [b"N", b"0", b"K\1", b"M\1\2", b"J\1\2\3\4", b"\x8c\2ab", b"C\0", b"\x8c\0", b"I1\n", b"cm\nn\n", b"X\0\0\0\0",
          b"B\3\0\0\0abc", b"\x96\2\0\0\0\0\0\0\0ab", b"\x96" + bytes(8), b"V\n", b"G" + bytes(8)]
LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 25, 30, 1 << 40)


def frames(rng, count):
    """Frames that end within ops, within other frames, after the data."""
    for _ in range(count):
        data = b"\x80\4"
        for _ in range(rng.randrange(1, 5)):
            if rng.random() < 0.7:
                data += b"\x95" + struct.pack("<Q", rng.choice(LENGTHS))
            data += b"".join(rng.choice(FRAMED) for _ in range(rng.randrange(5)))
        data += b"."
        if rng.random() < 0.3:
            data = data[: rng.randrange(1, len(data))]
        if rng.random() < 0.3:
            data += b"NNNN"
        yield data


def readings(cases):
    return "".join(f"{data.hex()}\t{reading(data)}\n" for data in cases)


def reprs(rng):
    """A kind, the value in hexadecimal, the UTF-8 of its repr in hexadecimal."""
    special = ["0000000000000000", "8000000000000000", "0000000000000001", "7fefffffffffffff", "7ff0000000000000",
               "fff0000000000000", "7ff8000000000000"]
    powers = [struct.pack(">d", sign * 10.0**n * digits).hex() for n in range(-7, 20) for sign, digits in ((1, 1), (-1, 1.23456789))]
    ties = [struct.pack(">d", rng.randrange(2**50, 2**53) / 2 ** rng.randrange(18) * 2 ** rng.randrange(12)).hex() for _ in range(300)]
    for bits in special + powers + ties + [rng.randbytes(8).hex() for _ in range(200)]:
        value = struct.unpack(">d", bytes.fromhex(bits))[0]
        yield f"float {bits} {text(repr(value))}"
    ranges = ((0, 0x80), (0x80, 0x100), (0x100, 0x3000), (0x3000, 0x10000), (0x10000, 0x20000), (0xE0000, 0xE0200), (0x20, 0x30))
    for _ in range(400):
        first, last = rng.choice(ranges)
        value = "".join(rng.choice((chr(rng.randrange(first, last)), "'", '"', "a")) for _ in range(rng.randrange(6)))
        yield f"str {text(value)} {text(repr(value))}"
    for _ in range(200):
        value = bytes(rng.choice((rng.randrange(256), 39, 34, 92, 97)) for _ in range(rng.randrange(6)))
        yield f"bytes {value.hex()} {text(repr(value))}"
        yield f"bytearray {value.hex()} {text(repr(bytearray(value)))}"
        yield f"latin1 {value.hex()} {text(repr(value.decode('latin-1')))}"


class Example:
    def __init__(self, value):
        self.value = value


def tool_cases():
    """Pickles by name: every opcode, and cases that are difficult for tools."""
    Example.__module__ = "example"
    sys.modules["example"] = sys.modules[__name__]
    nested = [1, 2, (3, 4), {b"abc": "d'e\"f", "\u20ac\x00\ud800\x7f\U0001f600": None}]
    recursive = []
    recursive.append((recursive,))
    shared = [Example(1.5), [True, False, None]] * 2
    numbers = [0, -1, 255, 256, 65536, -(2**31), 2**31, 10**30, -(2**2040), 0.1, 1e16, -1e-5, float("inf"), float("nan")]
    containers = [set("a"), frozenset("b"), bytearray(b"it's \x00"), b"\xff" * 300, "x" * 300, (), (1,), (1, 2), (1, 2, 3)]
    large = ["a" * 65535, "b" * 10, b"c" * 65536, bytearray(b"d" * 65536), ["e" * 40000, "f" * 40000], "g"]
    objects = {"nested": nested, "recursive": recursive, "shared": shared, "numbers": numbers, "containers": containers}
    for name, value in objects.items():
        for protocol in range(6):
            yield f"{name}-p{protocol}", pickle.dumps(value, protocol)
    yield "large-p4", pickle.dumps(large, 4)
    yield "python2", (
        b"(lp0\nS'a\\n\\x41'\np1\naI01\naL12L\na(iold\nClass\np2\n(dp3\nS\"k's\"\nF1.5\nsba(cold\nClass\nI7\noaPid\nag1\na."
    )
    yield "codes", b"\x80\2U\3a\xe9'T\4\0\0\0\0\n\"b0\x82\1\x83\2\1\x84\1\2\3\4NQ(N1(00\x89\x88\x86\x860."
    yield "calls", b"\x80\4cm\nC\n)\x81}b)}cm\nC\n)}\x920)R\x8c\1m\x8c\1n\x93\x97\x98\x8720."
    yield "memo", (
        b"\x80\2](Nr\0\1\0\0K\7q\2h\2j\0\1\0\0Np18446744073709551615\ng18446744073709551615\nNp00\ng0\ne."
    )


def write_tool_cases(directory):
    directory.mkdir(exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for name, data in tool_cases():
        (directory / f"{name}.pkl").write_bytes(data)
        if len(data) > 4096:
            continue
        for annotate, suffix in ((0, "dis"), (30, "annotated")):
            out = io.StringIO()
            try:
                pickletools.dis(data, out, annotate=annotate, indentlevel=4 if annotate == 0 else 2)
            except ValueError as error:
                if not str(error).startswith("stack not empty"):  # everything is printed by then
                    raise
            (directory / f"{name}.{suffix}").write_text(out.getvalue())
    for name, data in tool_cases():
        try:
            (directory / f"{name}.optimized").write_bytes(pickletools.optimize(data))
        except Exception as error:
            print("not optimized:", name, error)


def rows(cells, width=116):
    row = "   "
    for cell in cells:
        if len(row) + len(cell) + 2 > width:
            yield row
            row = "   "
        row += f" {cell},"
    yield row


def main():
    if sys.version_info[:2] != (3, 13):
        sys.exit("run this with Python 3.13")
    sys.set_int_max_str_digits(0)
    warnings.simplefilter("ignore")
    if len(sys.argv) > 1:
        rng = random.Random(int(sys.argv[1]))
        sys.stdout.write(readings(operands(rng, 20_000)) + readings(frames(rng, 10_000)))
        return
    data = CRATE / "tests/data"
    lines = ",\n".join(json.dumps(op) for op in opcodes())
    (data / "pickletools.json").write_text(f"[\n{lines}\n]\n")
    (data / "operands.txt").write_text(readings(operands(random.Random(1), 1500)))
    (data / "frames.txt").write_text(readings(frames(random.Random(1), 500)))
    (data / "reprs.txt").write_text("".join(f"{line}\n" for line in reprs(random.Random(1))))
    write_tool_cases(data / "tools")
    ranges = [f"(0x{a:x}, 0x{z:x})" for a, z in unprintable()]
    head = [
        "//! The code points that Python escapes in `repr`. Made by `tests/data/make.py`: do not edit.",
        "",
        f"/// First and last of each range that `str.isprintable` refuses (Python 3.13, Unicode {unicodedata.unidata_version}).",
        "#[rustfmt::skip]",
        f"pub(super) const UNPRINTABLE: [(u32, u32); {len(ranges)}] = [",
    ]
    (CRATE / "src/repr/printable.rs").write_text("\n".join([*head, *rows(ranges), "];", ""]))


if __name__ == "__main__":
    main()
