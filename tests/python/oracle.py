#!/usr/bin/env python3
"""Reference for symbolic loading: reads pickles, prints their graph form.

The pickle machine itself is CPython's own pure-Python `pickle._Unpickler` (run this with
Python 3.13). Only what would import or call Python code is replaced, so that every global stays
a name and every call stays a record. docs/graph-form.md defines the output.

usage: oracle.py FILE...            graph form of each file to standard output
       oracle.py --dir DIR OUT      for each DIR/*.pkl write OUT/NAME.graph or OUT/NAME.error
"""
import io
import json
import pickle
import struct
import sys
from pathlib import Path


class Raw:
    """An 8-bit string of Python 2, kept as bytes."""
    __slots__ = ("data",)
    def __init__(self, data): self.data = data
    def __hash__(self): return hash(("raw", self.data))
    def __eq__(self, other): return isinstance(other, Raw) and self.data == other.data

class Global:
    __slots__ = ("module", "name")
    def __init__(self, module, name): self.module, self.name = module, name
    def __hash__(self): return hash((self.module, self.name))
    def __eq__(self, other):
        return isinstance(other, Global) and (self.module, self.name) == (other.module, other.name)

class Ext:
    __slots__ = ("code",)
    def __init__(self, code): self.code = code
    def __hash__(self): return hash(("ext", self.code))
    def __eq__(self, other): return isinstance(other, Ext) and self.code == other.code

class Persistent:
    __slots__ = ("pid",)
    def __init__(self, pid): self.pid = pid

class Buffer:
    __slots__ = ("index", "readonly")
    def __init__(self, index, readonly=False): self.index, self.readonly = index, readonly

class Object:
    """What REDUCE, NEWOBJ, NEWOBJ_EX, INST and OBJ leave on the stack."""
    __slots__ = ("how", "cls", "args", "kwargs", "ops")
    def __init__(self, how, cls, args, kwargs=None):
        self.how, self.cls, self.args, self.kwargs, self.ops = how, cls, args, kwargs, []
    def op(self, kind, items):
        if kind not in ("build", "effect") and self.ops and self.ops[-1][0] == kind:
            self.ops[-1][1].extend(items)
        else:
            self.ops.append([kind, items])

class OrderedSet:
    """A set that remembers insertion order, with Python's own hashing and equality."""
    __slots__ = ("items",)
    __hash__ = None
    def __init__(self, items=()): self.items = dict.fromkeys(items)
class OrderedFrozenSet(OrderedSet):
    __slots__ = ()
    def __hash__(self): return hash(frozenset(self.items))
    def __eq__(self, other):
        return isinstance(other, OrderedFrozenSet) and self.items.keys() == other.items.keys()

class Memo(dict):
    """A memo that knows what was ever put into it."""
    def __init__(self): self.ids = set()
    def __setitem__(self, index, value):
        super().__setitem__(index, value); self.ids.add(id(value))

CALLABLE = (Global, Ext, Object, Persistent)


class Unpickler(pickle._Unpickler):
    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file):
        super().__init__(file, fix_imports=False, encoding="bytes")
        self._next_buffer, self.memo = 0, Memo()

    def find_class(self, module, name):
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("global names must be str")
        return Global(module, name)

    def persistent_load(self, pid): return Persistent(pid)
    def _decode_string(self, value): return Raw(value)

    def get_extension(self, code):
        if code <= 0:
            raise pickle.UnpicklingError("EXT specifies code <= 0")
        self.append(Ext(code))

    def load_next_buffer(self):
        self.append(Buffer(self._next_buffer)); self._next_buffer += 1
    dispatch[pickle.NEXT_BUFFER[0]] = load_next_buffer

    def load_readonly_buffer(self):
        top = self.stack[-1]
        if isinstance(top, Buffer):
            self.stack[-1] = Buffer(top.index, True)
    dispatch[pickle.READONLY_BUFFER[0]] = load_readonly_buffer

    def load_empty_set(self): self.append(OrderedSet())
    dispatch[pickle.EMPTY_SET[0]] = load_empty_set

    def load_frozenset(self):
        items = self.pop_mark(); self.append(OrderedFrozenSet(items))
    dispatch[pickle.FROZENSET[0]] = load_frozenset

    def load_stack_global(self):
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise pickle.UnpicklingError("STACK_GLOBAL requires str")
        self.append(self.find_class(module, name))
    dispatch[pickle.STACK_GLOBAL[0]] = load_stack_global

    def _make(self, how, cls, args, kwargs=None):
        if not isinstance(cls, CALLABLE):
            raise TypeError(f"{how}: {type(cls).__name__} is not callable")
        if how in ("reduce", "newobj", "newobj_ex") and not isinstance(args, tuple):
            raise TypeError(f"{how}: arguments must be a tuple")
        if how == "newobj_ex" and not isinstance(kwargs, dict):
            raise TypeError("newobj_ex: keyword arguments must be a dict")
        return Object(how, cls, args, kwargs)

    def load_reduce(self):
        args = self.stack.pop(); self.stack[-1] = self._make("reduce", self.stack[-1], args)
    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self):
        args = self.stack.pop(); cls = self.stack.pop(); self.append(self._make("newobj", cls, args))
    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_newobj_ex(self):
        kwargs = self.stack.pop(); args = self.stack.pop(); cls = self.stack.pop()
        self.append(self._make("newobj_ex", cls, args, kwargs))
    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def load_inst(self):
        module = self.readline()[:-1].decode("ascii"); name = self.readline()[:-1].decode("ascii")
        cls = self.find_class(module, name); args = self.pop_mark()
        self.append(self._make("inst", cls, args))
    dispatch[pickle.INST[0]] = load_inst

    def load_obj(self):
        args = self.pop_mark(); cls = args.pop(0); self.append(self._make("obj", cls, args))
    dispatch[pickle.OBJ[0]] = load_obj

    def load_build(self):
        state = self.stack.pop(); inst = self.stack[-1]
        if not isinstance(inst, CALLABLE):
            raise TypeError("BUILD needs an object")
        if not isinstance(inst, Object):
            raise TypeError("BUILD on a bare global")
        inst.op("build", state)
    dispatch[pickle.BUILD[0]] = load_build

    def _extend(self, target, items):
        if isinstance(target, list): target.extend(items)
        elif isinstance(target, Object): target.op("append", list(items))
        else: raise TypeError("APPEND needs a list or an object")

    def load_append(self):
        value = self.stack.pop(); self._extend(self.stack[-1], [value])
    dispatch[pickle.APPEND[0]] = load_append

    def load_appends(self):
        items = self.pop_mark(); self._extend(self.stack[-1], items)
    dispatch[pickle.APPENDS[0]] = load_appends

    def _setitems(self, target, pairs):
        if isinstance(target, dict):
            for k, v in pairs: target[k] = v
        elif isinstance(target, Object): target.op("setitem", [list(p) for p in pairs])
        else: raise TypeError("SETITEM needs a dict or an object")

    def load_setitem(self):
        value = self.stack.pop(); key = self.stack.pop(); self._setitems(self.stack[-1], [(key, value)])
    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self):
        items = self.pop_mark()
        if len(items) % 2: raise pickle.UnpicklingError("odd number of items for SETITEMS")
        self._setitems(self.stack[-1], zip(items[::2], items[1::2]))
    dispatch[pickle.SETITEMS[0]] = load_setitems

    def load_dict(self):
        items = self.pop_mark()
        if len(items) % 2: raise pickle.UnpicklingError("odd number of items for DICT")
        self.append(dict(zip(items[::2], items[1::2])))
    dispatch[pickle.DICT[0]] = load_dict

    def load_additems(self):
        items = self.pop_mark(); target = self.stack[-1]
        if isinstance(target, OrderedSet) and type(target) is OrderedSet:
            target.items.update(dict.fromkeys(items))
        elif isinstance(target, Object): target.op("add", list(items))
        else: raise TypeError("ADDITEMS needs a set or an object")
    dispatch[pickle.ADDITEMS[0]] = load_additems

    def load_pop(self):
        if self.stack:
            top = self.stack.pop()
            if isinstance(top, Object):
                if id(top) in self.memo.ids: self.effects.append(top)
                else: self._popped = top
        else:
            self.pop_mark()
    dispatch[pickle.POP[0]] = load_pop

    def _settle(self):
        """Record the call that was popped, unless a GET of its equal follows (`_is_refetch`)."""
        top, self._popped = self._popped, None
        first = next(iter(top.args), None)
        if isinstance(first, Object) and first is not top: first.ops.append(["effect", top])
        else: self.effects.append(top)

    def _is_refetch(self, top):
        """CPython's pickler met an object again while writing the arguments that make it: it drops
        the second one it made and fetches the first, made by the same call."""
        got = self.stack[-1]
        return (isinstance(got, Object) and got is not top and got.how == top.how and got.cls == top.cls
                and len(got.args) == len(top.args) and all(same_argument(a, b) for a, b in zip(got.args, top.args)))

    def load(self):
        self._unframer = pickle._Unframer(self._file_read, self._file_readline)
        self.read, self.readinto, self.readline = self._unframer.read, self._unframer.readinto, self._unframer.readline
        self.metastack, self.stack, self.proto = [], [], 0
        self.append = self.stack.append
        self.effects, self._popped = [], None
        try:
            while True:
                key = self.read(1)
                if not key: raise EOFError
                popped = self._popped
                if popped is not None and key not in (pickle.GET, pickle.BINGET, pickle.LONG_BINGET): self._settle()
                self.dispatch[key[0]](self)
                if popped is not None and self._popped is popped:
                    if self._is_refetch(popped): self._popped = None
                    else: self._settle()
        except pickle._Stop as stop:
            if self.effects:                     # what the root still holds was not lost
                held = {id(v) for v in reachable([stop.value])}
                self.effects = [v for v in dict.fromkeys(self.effects) if id(v) not in held]
            return stop.value


def same_argument(a, b, levels=3):
    if a is b: return True
    if type(a) is not type(b): return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and levels > 0 and all(same_argument(x, y, levels - 1) for x, y in zip(a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and levels > 0 and all(same_argument(x, y, levels - 1) for x, y in zip(children(a), children(b)))
    return not is_compound(a) and a == b

def children(v):
    """The values directly inside a compound value, in the order in which they are numbered."""
    if isinstance(v, (list, tuple)): return list(v)
    if isinstance(v, dict): return [x for kv in v.items() for x in kv]
    if isinstance(v, OrderedSet): return list(v.items)
    if isinstance(v, Persistent): return [v.pid]
    if isinstance(v, Object):
        out = [v.cls]
        out += [v.args] if isinstance(v.args, tuple) else v.args
        if v.kwargs is not None: out.append(v.kwargs)
        for kind, items in v.ops:
            if kind in ("build", "effect"): out.append(items)
            elif kind == "setitem": out += [x for kv in items for x in kv]
            else: out += items
        return out
    return []

def is_compound(v):
    return (isinstance(v, (list, dict, OrderedSet, Object, Persistent, bytearray))
            or (isinstance(v, tuple) and len(v) > 0))

def reachable(roots):
    """Compound values reached from `roots`, depth first, parents before children."""
    seen, order, work = set(), [], list(reversed(roots))
    while work:
        v = work.pop()
        if not is_compound(v) or id(v) in seen: continue
        seen.add(id(v)); order.append(v)
        work.extend(reversed(children(v)))
    return order

def graph(root, effects=()):
    """Lines of the graph form of `root` and of the calls made for their effect alone."""
    order = reachable([root, *effects])
    ids = {id(v): n for n, v in enumerate(order)}

    def ref(v):
        if is_compound(v): return {"ref": ids[id(v)]}
        if v is None or v is True or v is False: return v
        if isinstance(v, int): return {"int": hexint(v)}
        if isinstance(v, float): return {"float": struct.pack(">d", v).hex()}
        if isinstance(v, str): return {"str": v}
        if isinstance(v, (bytes, pickle.PickleBuffer)): return {"bytes": bytes(v).hex()}
        if isinstance(v, Raw): return {"bytestr": v.data.hex()}
        if isinstance(v, Global): return {"global": [v.module, v.name]}
        if isinstance(v, Ext): return {"ext": v.code}
        if isinstance(v, Buffer): return {"buffer": v.index, "readonly": v.readonly}
        if isinstance(v, tuple): return {"tuple": []}
        raise AssertionError(type(v))

    def node(v):
        if isinstance(v, list): return {"list": [ref(x) for x in v]}
        if isinstance(v, tuple): return {"tuple": [ref(x) for x in v]}
        if isinstance(v, dict): return {"dict": [[ref(k), ref(x)] for k, x in v.items()]}
        if isinstance(v, OrderedFrozenSet): return {"frozenset": [ref(x) for x in v.items]}
        if isinstance(v, OrderedSet): return {"set": [ref(x) for x in v.items]}
        if isinstance(v, bytearray): return {"bytearray": v.hex()}
        if isinstance(v, Persistent): return {"persid": ref(v.pid)}
        out = {"object": v.how, "class": ref(v.cls)}
        out["args"] = ref(v.args) if isinstance(v.args, tuple) else [ref(x) for x in v.args]
        if v.kwargs is not None: out["kwargs"] = ref(v.kwargs)
        out["ops"] = [[k, ref(i) if k in ("build", "effect") else
                       [[ref(a), ref(b)] for a, b in i] if k == "setitem" else [ref(x) for x in i]]
                      for k, i in v.ops]
        return out

    yield dump({"root": ref(root), **({"effects": [ref(e) for e in effects]} if effects else {})})
    for n, v in enumerate(order):
        yield dump({"id": n, **node(v)})

def hexint(n): return ("-" if n < 0 else "") + f"{abs(n):x}"
def dump(x): return json.dumps(x, ensure_ascii=True, separators=(",", ":"))

def graph_text(data):
    u = Unpickler(io.BytesIO(data)); root = u.load()
    return "".join(line + "\n" for line in graph(root, u.effects))


def main(argv):
    sys.set_int_max_str_digits(0)
    sys.setrecursionlimit(100_000)
    if argv[:1] == ["--dir"]:
        src, out = Path(argv[1]), Path(argv[2]); out.mkdir(parents=True, exist_ok=True)
        for f in sorted(src.glob("*.pkl")):
            try:
                (out / (f.stem + ".graph")).write_text(graph_text(f.read_bytes()))
            except Exception as e:
                (out / (f.stem + ".error")).write_text(f"{type(e).__name__}: {e}\n")
        return 0
    for name in argv:
        sys.stdout.write(graph_text(Path(name).read_bytes()))
    return 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
