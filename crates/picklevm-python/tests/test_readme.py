"""What README.md and docs/python-package.md show: each block of Python is run, on files that it could be about."""

import decimal
import pickle
import re
import sys
import types
import zipfile
from pathlib import Path

import pytest

import picklevm

PACKAGE = Path(__file__).resolve().parents[1]
#: The data.pkl of a checkpoint: {"model": {"weight": a tensor of 2 x 2 in the storage "0"}}.
CHECKPOINT = (
    b"\x80\x02}X\x05\0\0\0model}X\x06\0\0\0weightctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
    b"X\x01\0\0\x000X\x03\0\0\0cpuK\x04tQK\0K\x02K\x02\x86K\x02K\x01\x86\x89ccollections\nOrderedDict\n)RtRss."
)


def blocks(path):
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


class Order:
    def __init__(self):
        self.number = 7


class Session:
    def __init__(self):
        self.cart = [{"sku": "A1", "price": decimal.Decimal("9.99")}]
        self.user, self.tags, self.when, self.price = {"age": 41}, ["old"], None, None


@pytest.fixture
def shop(monkeypatch, tmp_path):
    """A module with a class, a session that has instances of it, and files, in a folder of their own."""
    shop, models = types.ModuleType("shop"), types.ModuleType("shop.models")
    monkeypatch.setattr(Order, "__module__", "shop.models")
    monkeypatch.setattr(Session, "__module__", "shop")
    models.Order, shop.Session = Order, Session
    monkeypatch.setitem(sys.modules, "shop", shop)
    monkeypatch.setitem(sys.modules, "shop.models", models)
    monkeypatch.chdir(tmp_path)
    Path("session.pkl").write_bytes(pickle.dumps(Session()))
    Path("download.pkl").write_bytes(pickle.dumps(Order()))
    with zipfile.ZipFile("model.pt", "w") as archive:
        archive.writestr("model/data.pkl", CHECKPOINT)
        archive.writestr("model/data/0", bytes(16))
    return {"picklevm": picklevm, "data": pickle.dumps(Order()), "print": lambda *_: None}


def run(code, names):
    exec(compile(code, "block", "exec"), names)


@pytest.mark.parametrize("number", range(5))
def test_the_blocks_of_the_readme_run(number, shop):
    all_blocks = blocks(PACKAGE / "README.md")
    assert len(all_blocks) == 5
    if "polars" in all_blocks[number]:
        numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
        pytest.importorskip("pyarrow"), pytest.importorskip("polars")
        Path("data_batch_1").write_bytes(pickle.dumps({"data": numpy.zeros((2, 3), "u1")}))
        pandas.DataFrame({"a": [1.5]}).to_pickle("frame.pkl")
    run(all_blocks[number], shop)
    if "moved.pkl" in all_blocks[number]:
        assert repr(picklevm.graph("moved.pkl")["cart[0].price"]) == "decimal.Decimal('5')"
    if "frame.parquet" in all_blocks[number]:
        assert Path("frame.parquet").read_bytes()[:4] == b"PAR1"


def test_the_blocks_of_the_documentation_run(shop):
    path = PACKAGE.parents[1] / "docs" / "python-package.md"
    if not path.exists():
        pytest.skip("only in the repository")
    for code in blocks(path):
        if "joblib" in code:
            continue  # It stays installed, and asks for a library.
        shop.setdefault("datetime", __import__("datetime"))
        run(code, shop)
    assert shop["order"].number == 7
