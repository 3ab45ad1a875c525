"""The Python 3 objects that make.py pickles."""
import datetime, sys
import dataclasses, enum, ipaddress, pathlib

@dataclasses.dataclass
class Item:
    name: str
    price: float
    tags: list

@dataclasses.dataclass(frozen=True)
class Key:
    a: int
    b: str

class Color(enum.Enum):
    RED = 1
    GREEN = "g"

class Named(enum.Enum):
    FIRST = 1
    SECOND = 2
    def __reduce_ex__(self, protocol): return getattr, (Named, self.name)

class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2

class Circle(object):
    def __init__(self, radius): self.radius = radius

class Square(object):
    def __init__(self, side): self.side = side

if sys.version_info >= (3, 10):
    # A class with slots pickles by protocols 0 and 1 if it has a __getstate__, as frozen dataclasses do.
    @dataclasses.dataclass(slots=True, frozen=True)
    class Slim:
        name: str
        size: int

    @dataclasses.dataclass(slots=True, frozen=True)
    class FrozenSlim:
        name: str
        size: int

def things():
    tz = datetime.timezone
    out = {
        "item": Item("pen", 1.5, ["a"]),
        "key": Key(1, "x"),
        "colors": [Color.RED, Color.GREEN],
        "named": Named.SECOND,
        "level": Level.HIGH,
        "shapes": [Circle(1.5), Square(2)],
        "utc": datetime.datetime(2014, 3, 9, 12, tzinfo=tz.utc),
        "east": datetime.datetime(2014, 3, 9, 12, tzinfo=tz(datetime.timedelta(hours=5, minutes=30))),
        "west": datetime.datetime(2014, 3, 9, 12, tzinfo=tz(-datetime.timedelta(hours=3, minutes=30))),
        "time_utc": datetime.time(1, 2, 3, 4, tzinfo=tz.utc),
        "path": pathlib.PurePosixPath("/usr/lib/x.py"),
        "path_relative": pathlib.PurePosixPath("a/b"),
        "path_windows": pathlib.PureWindowsPath("C:\\x\\y"),
        "addresses": [ipaddress.ip_address("10.1.2.3"), ipaddress.ip_address("::1")],
        "bytes": b"\x00\xff",
    }
    if sys.version_info >= (3, 9):
        import zoneinfo
        out["zoned"] = datetime.datetime(2014, 3, 9, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    if sys.version_info >= (3, 10):
        out["slim"] = Slim("slim", 9)
        out["frozen_slim"] = FrozenSlim("ice", 0)
    return out
