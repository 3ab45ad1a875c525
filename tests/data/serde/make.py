"""Generates the pickles of Python's types that tests/serde reads into Rust types, one file per protocol.

    for version in 3.13 3.8 2.7; do python$version tests/data/serde/make.py tests/data/serde; done

Every file is a dict of the same objects, without those that the version or protocol cannot pickle.
"""
import collections, datetime, decimal, os, pickle, sys, uuid

PY3 = sys.version_info[0] >= 3

Point = collections.namedtuple("Point", "x y")


class Plain(object):
    def __init__(self, name, size): self.name, self.size = name, size

class Old:
    def __init__(self): self.name, self.size = "old", 2

class Slots(object):
    __slots__ = ("name", "size")
    def __init__(self, name, size): self.name, self.size = name, size

class SlotsAndDict(Slots):
    def __init__(self): Slots.__init__(self, "both", 4); self.extra = True

class ListSub(list): pass
class DictSub(dict): pass
class IntSub(int): pass
class TextSub(str): pass
class TupleSub(tuple): pass
class SetSub(set): pass

class Failure(Exception):
    def __init__(self, code, text): Exception.__init__(self, code, text); self.code = code

def things(protocol):
    out = {
        "plain": Plain("pen", 3),
        "nested": [Plain(Plain("inner", 1), 2)],
        "point": Point(1, 2.5),
        "point_of_points": Point((1, 2), [3]),
        "list_sub": ListSub([1, 2, 3]),
        "dict_sub": DictSub(a=1),
        "int_sub": IntSub(5),
        "text_sub": TextSub("text"),
        "tuple_sub": TupleSub((1, 2)),
        "set_sub": SetSub([7]),
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "default": collections.defaultdict(list, a=[1]),
        "counter": collections.Counter("aab"),
        "deque": collections.deque([1, 2], 5),
        "deque_empty": collections.deque(),
        "datetime": datetime.datetime(2014, 3, 9, 12, 30, 5, 250000),
        "datetime_whole": datetime.datetime(2014, 3, 9),
        "date": datetime.date(2014, 3, 9),
        "time": datetime.time(23, 59, 1),
        "span": datetime.timedelta(days=1, hours=12, microseconds=1500000),
        "span_back": datetime.timedelta(seconds=-90),
        "decimal": decimal.Decimal("12.50"),
        "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
        "error": ValueError("bad", 3),
        "failure": Failure(5, "five"),
        "complex": 1.5 - 2j,
        "big": 2 ** 100,
        "huge": -2 ** 200,
        "bytearray": bytearray(b"ab"),
        "frozenset": frozenset([1]),
    }
    if protocol >= 2:
        out["slots"] = Slots("slim", 9)
        out["slots_and_dict"] = SlotsAndDict()
    if not PY3:
        out["old"] = Old()
    else:
        import modern
        out.update(modern.things())
    return out

if __name__ == "__main__":
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        name = "%d.%d-p%d.pkl" % (sys.version_info[0], sys.version_info[1], protocol)
        with open(os.path.join(sys.argv[1], name), "wb") as out:
            pickle.dump(things(protocol), out, protocol)
