#!/usr/bin/env python3
"""Writes pickles of objects inside their own arguments. Python 3.6 or later.

usage: pythonX.Y reentrant.py DIR

File names: VERSION-WRITER-pPROTOCOL-reentrant_NAME.pkl, as in ../../../../tests/python/generate.py.
"""
import os, pickle, sys


class ListSub(list): pass
class DictSub(dict): pass

class Own:
    """Its arguments are stored: the same each time."""
    def __init__(self, a=None, b=None): self.a, self.b = a, b
    def __reduce__(self): return Own, (self.a, self.b)

class Fresh(Own):
    """Its arguments are newly made for each call."""
    def __reduce__(self): return Fresh, (list(self.a), dict(self.b))

class Kept:
    """The tuple of its arguments is stored too."""
    def __init__(self, *args): self.args = args
    def __reduce__(self): return Kept, self.args

class Keywords:
    """Its arguments and keyword arguments are stored."""
    def __getnewargs_ex__(self): return self.a, self.b

class KeywordsNew(Keywords):
    def __new__(cls, *args, **kwargs): return object.__new__(cls)


class Stated(KeywordsNew):
    """Nothing but arguments refers to what is in them."""
    s = None
    def __getstate__(self): return self.s

class KeywordsFresh(Stated):
    """Its dict of keyword arguments is new for each call."""
    def __getnewargs_ex__(self): return tuple(self.a), dict(self.b)

class KeywordsCopies(Stated):
    """Lists in its arguments are new for each call."""
    def __getnewargs_ex__(self):
        copied = lambda value: list(value) if type(value) is list else value
        return tuple(map(copied, self.a)), {key: copied(value) for key, value in self.b.items()}


CASES = {}

def case(make):
    CASES[make.__name__] = make()
    return make

@case
def list_dict():
    d = {}; l = ListSub([d]); d["k"] = l; return [l]
@case
def dict_list():
    d = DictSub(); l = [d]; d["k"] = l; return [d]
@case
def list_dict_list():
    inner = []; l = ListSub([{"e": inner}]); inner.append(l); return [l, 1]
@case
def list_dict_shared():
    d = {}; l = ListSub([d, d]); d["k"] = l; return [l]
@case
def dict_outside():
    d = {}; l = ListSub([d]); d["k"] = l; return [d, l]
@case
def two_lists():
    d = {}; m = ListSub([ListSub([d]), d]); d["k"] = m; return [m]
@case
def tuple_in_list():
    t = []; l = ListSub([(t,)]); t.append(l); return [l]
@case
def own_list():
    o = Own(); o.a = [o]; return o
@case
def own_deep():
    o = Own(); o.a, o.b = [{"x": o}], {"y": o}; return [o]
@case
def fresh_shared():
    o, d = Fresh(), {}; o.a, o.b = [d], {"y": d}; d["z"] = o; return [o]
@case
def fresh_list():
    o, d = Fresh(), {}; o.a, o.b = [d], {}; d["z"] = o; return [o]
@case
def fresh_dict():
    o, l = Fresh(), []; o.a, o.b = [], {"q": l}; l.append(o); return [o]

@case
def kept():
    l = []; a = Kept((l,)); b = Kept((a,), [l]); c = Kept({"b": b}, a); l += [c, a]; return [c, b]


@case
def keywords():
    o = KeywordsNew(); l = [o]; o.a, o.b = (l,), {"q": l}; return o
@case
def keywords_inside():
    def make():
        o = KeywordsNew(); l = [o, 1]; o.a, o.b = ("x", l), {}; return o
    o = make(); return [1, {"o": o}, o, (make(), 2)]
@case
def keywords_list():
    o = KeywordsNew(); o.a, o.b = ([o],), {"k": [o]}; return o
@case
def keywords_dicts():
    o = KeywordsNew(); o.a, o.b = ({1: o}, [(1, [o])]), {"k": {"a": {"b": [o]}}, "m": 2}; return {"a": o, "b": o.a}
@case
def keywords_two():
    o = KeywordsNew(); o.a = ([o], [o]); o.b = {"k": o.a[0]}; return [o, o]
@case
def keywords_two_objects():
    o, p = KeywordsNew(), KeywordsNew(); o.a, o.b = ([p],), {"k": [o]}; p.a, p.b = ([o],), {"k": [p], "m": {0: o}}
    return [o, p]
@case
def keywords_stateless():
    class Stateless(KeywordsNew):
        def __getstate__(self): return None
    Stateless.__qualname__ = "Stateless"; globals()["Stateless"] = Stateless
    o = Stateless(); o.a, o.b = ([o],), {"k": [o], "m": [[o]]}; return o

@case
def keywords_fresh():
    o = KeywordsFresh(); l = [o]; o.a, o.b = ([o],), {"k": l}; return o
@case
def keywords_copies():
    o = KeywordsCopies(); o.a, o.b = (), {"z": [], "k": {"o": o}}; return [o]
@case
def keywords_copies_deep():
    o = KeywordsCopies(); o.a, o.b = (), {"k": "x", "m": [{1: {"m": o}}]}; return [o]
@case
def keywords_copies_in_args():
    o = KeywordsCopies(); o.a, o.b = ([{"m": o}],), {"z": "x"}; return [o]
@case
def keywords_copies_shared():
    o, l = KeywordsCopies(), []; l += [l, l]; o.s = {"s": 1}; o.a, o.b = (7, [(l,)]), {"z": {1: o, "k": [o, l]}}; return o
@case
def keywords_inside_state():
    o, p = Stated(), Stated(); o.a, o.b, o.s = (), {"z": []}, {"p": p}
    p.a, p.b = (), {"m": True, "z": (None, {"m": p})}; return [o, p, o]


def main(out):
    for name, value in CASES.items():
        for protocol in range((5 if sys.version_info >= (3, 8) else 4) + 1):
            seen = []
            for writer, dumps in (("c", pickle.dumps), ("py", pickle._dumps)):
                data = dumps(value, protocol)
                if data not in seen:
                    seen.append(data)
                    file = "%d.%d-%s-p%d-reentrant_%s.pkl" % (*sys.version_info[:2], writer, protocol, name)
                    with open(os.path.join(out, file), "wb") as f: f.write(data)

if __name__ == "__main__":
    main(sys.argv[1])
