"""Writes cart.pkl in this folder: a pickle of the classes in pickle_class.rs. Run with Python 3.13."""
import pickle, sys, types
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

shop = sys.modules["shop"] = types.ModuleType("shop")

@dataclass
class Line:
    sku: str
    quantity: int
    price: "Money"

Money = namedtuple("Money", "amount unit")

class Cart(list):
    def __init__(self, owner):
        self.owner = owner

for cls in (Line, Money, Cart):
    cls.__module__ = "shop"
    setattr(shop, cls.__name__, cls)

if __name__ == "__main__":
    cart = Cart("ann")
    cart += [Line("PX-104", 2, Money(1450, "EUR")), Line("tea", 1, Money(320, "EUR"))]
    (Path(__file__).parent / "cart.pkl").write_bytes(pickle.dumps(cart, 4))
