"""Instances of the classes that tests/classes has as Rust types. Run with any Python from 2.7 on:

    python class_objects.py write          print a line for each instance and protocol: NAME PROTOCOL PICKLE
    python class_objects.py read FILE      load the pickles of such lines and compare them with the instances

Pickles are hexadecimal, or `refused` if Python cannot pickle the instance. `write` generates tests/data/classes/VERSION.txt.
"""
from __future__ import print_function, unicode_literals
import binascii, collections, datetime, io, numbers, pickle, sys, types, uuid

PYTHON_2 = sys.version_info[0] == 2
shop = types.ModuleType(str("shop"))
sys.modules["shop"] = shop

# Attribute names are in an order that dicts of Python 2 also have.
CLASSES = r'''
class Point(object):
    def __init__(self, lat, lon): self.lat, self.lon = lat, lon

class Route(object):
    def __init__(self, start, end): self.start, self.end = start, end

class Marker(object):
    pass

class Size(object):
    __slots__ = ("width", "height")
    def __init__(self, width, height): self.width, self.height = width, height

class Crate(Size):
    def __init__(self, width, height, label):
        Size.__init__(self, width, height)
        self.label = label

Pair = collections.namedtuple("Pair", ["first", "second"])

class Triple(tuple):
    pass

class Span(object):
    def __new__(cls, start, end):
        self = object.__new__(cls)
        self.start, self.end = start, end
        return self
    def __getnewargs__(self): return self.start, self.end

class Settings(object):
    """Version 1 had only the entries."""
    def __getstate__(self): return 2, self.entries, self.name
    def __setstate__(self, state):
        if isinstance(state, dict): state = 1, state, "unnamed"
        _, self.entries, self.name = state

class Secret(object):
    """Protocols 0 and 1 do not set a state that is false."""
    key, FIELDS = 0, ("key",)
    def __getstate__(self): return self.key
    def __setstate__(self, state): self.key = state

class Basket(list):
    def __init__(self, items, owner):
        list.__init__(self, items)
        self.owner = owner

class Index(dict):
    pass

class Metres(int):
    pass

class Celsius(float):
    pass
'''

PYTHON_2_CLASSES = r'''
class Account:
    def __init__(self, owner): self.owner, self.balance = owner, 0
    def __getinitargs__(self): return self.owner,

class Legacy:
    pass
'''

PYTHON_3_CLASSES = r'''
class Everything:
    pass

class Money:
    def __new__(cls, amount, *, unit):
        self = object.__new__(cls)
        self.amount, self.unit = amount, unit
        return self
    def __getnewargs_ex__(self): return (self.amount,), {"unit": self.unit}

class Cart:
    class Line:
        def __init__(self, sku, quantity): self.sku, self.quantity = sku, quantity

class Label(str):
    pass

class Report:
    def __init__(self, title, columns): self.title, self.columns = title, columns

class Event:
    def __init__(self, *times):
        self.first, self.last, self.span, self.id, self.rounds = times
'''

DATACLASSES = r'''
@dataclasses.dataclass
class Address:
    street: str
    city: str

@dataclasses.dataclass
class Person:
    name: str
    age: int
    tags: list
    address: Address

@dataclasses.dataclass(frozen=True)
class Colour:
    red: int
    green: int
'''

SLOTTED_DATACLASSES = r'''
@dataclasses.dataclass(slots=True)
class Item:
    sku: str
    quantity: int

@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    name: str
    port: int
'''

def define(source):
    exec(compile(source, "shop", "exec", 0, True), shop.__dict__)

shop.collections = collections
define(CLASSES)
define(PYTHON_2_CLASSES if PYTHON_2 else PYTHON_3_CLASSES)
if sys.version_info >= (3, 7):
    import dataclasses
    shop.dataclasses = dataclasses
    define(DATACLASSES)
if sys.version_info >= (3, 10):
    define(SLOTTED_DATACLASSES)
for cls in list(vars(shop).values()):
    if isinstance(cls, type) and cls.__module__ == __name__:
        cls.__module__ = str("shop")

def with_attributes(made, **attributes):
    for name in sorted(attributes):
        setattr(made, name, attributes[name])
    return made

def instances():
    yield "point", shop.Point(1.5, -2)
    yield "points", [shop.Point(1.5, -2), shop.Point(0.0, 10 ** 12)]
    corner = shop.Point(3.0, 4)
    yield "route", shop.Route(corner, corner)
    yield "marker", shop.Marker()
    yield "size", shop.Size(3, 4)
    yield "crate", shop.Crate(3, 4, "fragile")
    yield "pair", shop.Pair("a", "second")
    yield "pairs", (shop.Pair("one", 1), shop.Pair("two", 2))
    yield "triple", shop.Triple([1, 2, 3])
    yield "empty_triple", shop.Triple()
    yield "span", shop.Span(10, 20)
    yield "settings", with_attributes(shop.Settings(), entries={"depth": 3}, name="mine")
    yield "secret", shop.Secret()
    yield "basket", shop.Basket(["tea", "rice"], "ann")
    yield "empty_basket", shop.Basket([], "ann")
    yield "index", shop.Index({"tea": 1})
    yield "metres", with_attributes(shop.Metres(42), unit="m")
    yield "celsius", shop.Celsius(20.5)
    if PYTHON_2:
        yield "account", with_attributes(shop.Account(b"ann"), balance=7)
        yield "legacy", with_attributes(shop.Legacy(), name=b"old", size=3)
        yield "bare_legacy", shop.Legacy()
        return
    yield "everything", with_attributes(
        shop.Everything(), a_flag=True, b_count=-1, c_big=2 ** 100, d_ratio=0.5, e_text="text", f_data=b"data", g_none=None,
        h_some=[None, "x"], i_numbers=[1, 2, 3], j_pair=("p", 1), k_table={"one": 1.0}, l_members={7}, m_letter="x",
        n_empty="", o_bytes=b"", p_keys={(1, 2): []})
    yield "money", shop.Money(5, unit="EUR")
    yield "moneys", [shop.Money(5, unit="EUR"), shop.Money(6, unit="USD")]
    yield "line", shop.Cart.Line("PX-104", 2)
    yield "report", shop.Report("Sales", [{"title": "Region", "width": 20}, {"title": "Sum", "width": 8}])
    yield "label", shop.Label("fragile")
    if sys.version_info >= (3, 8):
        first, last = datetime.date(2030, 1, 2), datetime.date(2030, 1, 31)
        yield "event", shop.Event(first, last, last - first, uuid.UUID(int=0x1234), range(1, 4))
    if hasattr(shop, "Person"):
        person = lambda name: shop.Person(name, 44, ["a", name + "'s"], shop.Address(name + " Street", name + "ville"))
        yield "person", person("Ann")
        yield "people", {"people": [person("Ann"), person("Bob")]}
        yield "colour", shop.Colour(255, 127)
    if hasattr(shop, "Item"):
        yield "item", shop.Item("PX-104", 2)
        yield "host", shop.Host("example.org", 443)

PLAIN = bytes, type(""), numbers.Number, set, type(None)
STANDARD = datetime.date, datetime.timedelta, type(range(0)), uuid.UUID

def describe(thing):
    """Describes an instance for comparison: classes, attributes, contents and sharing."""
    seen = {}
    def of(thing):
        kind = type(thing).__name__.replace("long", "int")
        if id(thing) in seen and kind in ("Point", "Address"):
            return "the same as", seen[id(thing)]
        seen[id(thing)] = len(seen)
        if isinstance(thing, STANDARD) and kind != "list":
            return repr(thing)
        parts = [kind]
        if isinstance(thing, dict):
            parts.append(sorted((repr(of(key)), of(value)) for key, value in thing.items()))
        elif isinstance(thing, (list, tuple)):
            parts.append([of(item) for item in thing])
        elif isinstance(thing, PLAIN):
            parts.append(repr(thing).rstrip("L"))
        slots = [name for cls in type(thing).__mro__ for name in getattr(cls, "__slots__", ()) if hasattr(thing, name)] \
            if isinstance(thing, object) and hasattr(type(thing), "__mro__") else []
        own = getattr(thing, "__dict__", {}) if kind != "Pair" else {}
        names = set(own).union(slots, getattr(thing, "FIELDS", ()))
        parts.append([(str(name), of(getattr(thing, name))) for name in sorted(names)])
        return parts
    return of(thing)

def protocols():
    return range(pickle.HIGHEST_PROTOCOL + 1)

def write():
    for name, thing in instances():
        for protocol in protocols():
            try:
                line = binascii.hexlify(pickle.dumps(thing, protocol)).decode("ascii")
            except TypeError:
                line = "refused"
            print(name, protocol, line)

def read(path):
    loaders = [pickle.loads]
    if PYTHON_2:
        import cPickle
        loaders.append(cPickle.loads)
    expected = {name: describe(thing) for name, thing in instances()}
    compared = 0
    for line in io.open(path):
        name, protocol, data = line.split()
        for loads in loaders:
            loaded = describe(loads(binascii.unhexlify(data)))
            assert loaded == expected[name], (name, protocol, loaded, expected[name])
            compared += 1
    print(compared)

if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
