#!/usr/bin/env python2.7
# -*- coding: utf-8 -*-
"""Generates python2.txt: the pickles of Python 2.7's two picklers at every protocol.

usage: python2.7 make_python2.py > python2.txt

A line is WRITER PROTOCOL NAME HEX. cPickle omits the PUT of a value to which nothing else refers, so the values are made
by functions: some keep a reference to what they return, most do not.
"""
import array, collections, cPickle, datetime, decimal, json, pickle, StringIO, time, UserDict, uuid


class New(object):
    def __init__(self, **state):
        self.__dict__.update(state)


class Slots(object):
    __slots__ = ["a", "b"]

    def __init__(self):
        self.a, self.b = 1, u"two"


class Old:
    def __init__(self, **state):
        self.__dict__.update(state)


class OldArgs:
    def __init__(self, first, second):
        self.both = [first, second]

    def __getinitargs__(self):
        return self.both[0], self.both[1]


class OldState:
    def __getstate__(self):
        return "state", 1


class Reduced(object):
    def __reduce__(self):
        return Reduced, (), {"a": 1}, iter([1, 2]), None

    def append(self, item):
        pass


class ListOf(list):
    pass


class DictOf(dict):
    pass


def recursive_tuple(*rest):
    made = ([],) + rest
    made[0].append(made)
    return made


def recursive_object():
    made = New(name="me")
    made.me = made
    return made


HELD = {"key": ["value", (1, 2)], "empty": {}, "text": u"text"}

MAKE = collections.OrderedDict([
    ("empty_dict", lambda: {}), ("empty_list", lambda: []), ("empty_tuple", lambda: ()), ("empty_str", lambda: ""),
    ("empty_set", lambda: set()), ("held", lambda: HELD), ("held_twice", lambda: [HELD, HELD["key"], HELD]),
    ("json", lambda: json.loads('{"a": {"b": {"c": ["d", {"e": {}}], "f": []}}, "g": [[], {}, [[]]], "\\u00e9": 1.5}')),
    ("joined", lambda: ["".join(["ab", "cd"]), "x", u"y", u"yz", "".join(["e", "f"])]),
    ("tuples", lambda: [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((),), ([],)]),
    ("dict_of_values", lambda: {"l" * 2: [], "t" * 2: (str(1) * 2,), "d" * 2: {"n" * 2: {}}}),
    ("ints", lambda: [0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**60, 2**62, -2**63]),
    ("longs", lambda: [0L, 1L, -1L, 127L, 128L, -128L, -129L, 2L**31, 2L**60, -2L**60, 2L**62, 2L**63, -2L**63, 2L**64]),
    ("floats", lambda: [0.0, -0.0, 1.0, 0.1, 1e16, 1e17, 123456789012345678.0, 1e-4, 1.5e-5, 5e-324, 1e300, 1 / 3.0, 12.5,
                        float("inf"), float("-inf"), float("nan")]),
    ("strings", lambda: ["a'b", 'a"b', "a'\"b", "a\nb\\\t\x00\xff", u"a\nb\\c", u"\x1a\x00", u"\xe9\u20ac\U00012345"]),
    ("lone", lambda: [u"\ud800"]), ("booleans", lambda: [True, False, None]),
    ("thousand", lambda: [None] * 1000), ("thousand_and_one", lambda: [None] * 1001),
    ("dict_of_thousand", lambda: dict.fromkeys(range(1000))),
    ("recursive_list", lambda: (lambda l: l.append(l) or l)([])), ("recursive_tuple", recursive_tuple),
    ("recursive_tuple_of_4", lambda: recursive_tuple(1, 2, 3)), ("recursive_object", recursive_object),
    ("recursive_tuple_shared", lambda: (lambda t: [t, t, "ab", "cd", t])(recursive_tuple(1))),
    ("new", lambda: New(a=1, b=[])), ("new_empty", lambda: New()), ("slots", lambda: Slots()),
    ("old", lambda: Old(a=1)), ("old_twice", lambda: (lambda o: [o, o, Old()])(Old(a=1))),
    ("old_args", lambda: [OldArgs(1, "ab"), OldArgs([], 2)]), ("old_state", lambda: OldState()),
    ("reduced", lambda: [Reduced(), Reduced()]), ("list_of", lambda: ListOf([1, "ab"])), ("dict_of", lambda: DictOf(a=1)),
    ("sets", lambda: [set([1]), frozenset(["ab"]), set()]), ("complex", lambda: [1j, complex(1.5, -2)]),
    ("bytearrays", lambda: [bytearray("ab"), bytearray("")]), ("globals", lambda: [int, len, New, Old, collections.deque]),
    ("dates", lambda: [datetime.date(2011, 12, 31), datetime.datetime(2011, 1, 2, 3, 4, 5), datetime.timedelta(1)]),
    ("decimals", lambda: [decimal.Decimal("1.5"), decimal.Decimal("NaN")]), ("uuid", lambda: uuid.UUID(int=5)),
    ("collections", lambda: [collections.deque([1, 2], 5), collections.OrderedDict([("a", 1)]), collections.Counter("ab")]),
    ("default_dict", lambda: collections.defaultdict(list, {"a": []})), ("array", lambda: array.array("i", [1, 2])),
    ("errors", lambda: [ValueError("a", 1), IOError(2, "no", "file")]), ("user_dict", lambda: UserDict.UserDict(a=1)),
    ("time", lambda: time.gmtime(0)),
])


def main():
    for name, make in MAKE.items():
        for protocol in range(3):
            for writer, dumps in (("2.7-c", cPickle.dumps), ("2.7-py", pickle.dumps)):
                # Slots without a state need protocol 2.
                if name == "slots" and protocol < 2:
                    continue
                print writer, protocol, name, dumps(make(), protocol).encode("hex")


if __name__ == "__main__":
    main()
