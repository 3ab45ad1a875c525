"""picklevm.open, dis and scan: files, ops, reports."""

import gzip
import html
import io
import json
import pickle
import pickletools
import zipfile

import pytest

import picklevm

ATTACK = b"cos\nsystem\n(S'echo ran'\ntR."


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "both.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.pkl", pickle.dumps({"a": 1}))
        file.writestr("sub/b.pkl.gz", gzip.compress(pickle.dumps([1, 2])))
        file.writestr("<b>.txt", "text")
    return path


def test_members_of_archives_are_listed(archive):
    file = picklevm.open(archive)
    members = {member.path: member for member in file}
    assert len(file) == len(file.members) and members[""].kind == "zip"
    assert members["a.pkl"].kind == "pickle" and members["a.pkl"].size == len(pickle.dumps({"a": 1}))
    assert archive.read_bytes()[members["a.pkl"].offset :][:2] == pickle.dumps(1)[:2]
    assert file["a.pkl"].data == pickle.dumps({"a": 1}) and file["a.pkl"].pickle_count == 1
    assert sorted(str(pickle.graph()) for pickle in file.pickles) == ["[1, 2]", "{'a': 1}"]
    assert file["a.pkl"].pickles[0].graph()["a"] == 1
    with pytest.raises(KeyError):
        file["c.pkl"]
    with pytest.raises(ValueError, match="several members hold pickles"):
        picklevm.graph(archive)
    assert "a.pkl: pickle" in repr(file)
    assert "&lt;b&gt;.txt" in file._repr_html_() and "<b>" not in file._repr_html_()


def test_paths_and_bytes_are_the_same(archive):
    by_path, by_bytes = picklevm.open(str(archive)), picklevm.open(archive.read_bytes())
    assert [member.path for member in by_path] == [member.path for member in by_bytes]
    assert by_bytes.name == "<bytes>"
    assert picklevm.open(memoryview(pickle.dumps(1))).main.graph().root == 1
    assert picklevm.graph(gzip.compress(pickle.dumps("x"))).root == "x"


def test_several_pickles_in_a_row_have_their_offsets():
    data = pickle.dumps(1) + pickle.dumps([2])
    first, second = picklevm.open(data).pickles
    assert (first.offset, second.offset) == (0, len(pickle.dumps(1)))
    assert second.graph().root == [2] and second.data == pickle.dumps([2]) and second.protocol == pickle.DEFAULT_PROTOCOL


@pytest.mark.parametrize("protocol", range(6))
def test_ops_are_printed_as_pickletools_does(protocol):
    data = pickle.dumps([{"a": (1, 2.5, "é")}, b"x", None], protocol)
    out = io.StringIO()
    pickletools.dis(data, out)
    assert picklevm.dis(data) == out.getvalue()
    out = io.StringIO()
    pickletools.dis(data, out, annotate=30)
    assert picklevm.dis(data, annotate=True).splitlines()[0].split()[:2] == out.getvalue().splitlines()[0].split()[:2]


def test_the_ops_before_an_error_are_kept():
    with pytest.raises(pickle.UnpicklingError) as caught:
        picklevm.dis(b"\x80\x04K\x01\xff")
    assert "BININT1    1" in caught.value.text


def test_attacks_are_found_and_data_is_safe(tmp_path):
    report = picklevm.scan(ATTACK)
    assert report.verdict == "dangerous" and report.imports == {"os.system"}
    finding = report.findings[0]
    assert (finding.name, finding.verdict) == ("os.system", "dangerous") and finding.reason
    assert ATTACK[finding.offset :][:1] in b"cR"
    safe = picklevm.scan(pickle.dumps({"a": [1, 2.5, None]}))
    assert safe.verdict == "safe" and safe.findings == [] and safe.status == "complete"
    path = tmp_path / "x.pkl"
    path.write_bytes(ATTACK)
    assert picklevm.scan(path).name == str(path)
    with pytest.raises(FileNotFoundError):
        picklevm.scan(tmp_path / "none.pkl")


def test_reports_are_json_and_dicts():
    report = picklevm.scan(ATTACK, name="<evil>")
    assert json.loads(report.to_json()) == report.to_dict()
    assert report.to_dict()["verdict"] == "dangerous"
    assert "&lt;evil&gt;" in report._repr_html_() and "<evil>" not in report._repr_html_()
    assert "os.system" in repr(report)


def test_names_can_be_allowed():
    data = b"cshop.models\nOrder\n)\x81."
    assert picklevm.scan(data).verdict == "suspicious"
    assert picklevm.scan(data, allow=["shop.models.Order"]).verdict == "safe"
    assert picklevm.scan(data, allow_modules=["shop"]).verdict == "safe"
    assert picklevm.scan(data, allow_own=True).verdict == "safe"
    assert picklevm.scan(ATTACK, allow_own=True).verdict == "dangerous"
    with pytest.raises(ValueError, match="module.Name"):
        picklevm.scan(data, allow=["Order"])
    with pytest.raises(ValueError, match="policy"):
        picklevm.scan(data, policy="no toml at all [")


def test_large_files_are_not_read_beyond_the_limit(tmp_path):
    path = tmp_path / "large.pkl"
    path.write_bytes(pickle.dumps(b"x" * 100_000))
    assert picklevm.scan(path, max_size=1000).verdict == "suspicious"


def test_a_page_shows_a_file(tmp_path):
    view = picklevm.view(pickle.dumps({"<b>": ["&", 1]}))
    assert view.html.startswith("<!doctype html>") and "bytes" in repr(view)
    view.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == view.html
    frame = view._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts"') and html.unescape(frame).count(view.html) == 1
    assert frame.count('"') == 6
    with pytest.raises(pickle.UnpicklingError):
        picklevm.view(b"<html>no pickle</html>")


def test_help_describes_everything():
    for name in picklevm.__all__:
        if name != "__version__":
            assert getattr(picklevm, name).__doc__, name
    for kind in (picklevm.Graph, picklevm.Node, picklevm.File, picklevm.Report, picklevm.Array, picklevm.Table):
        for name, member in vars(kind).items():
            assert name.startswith("_") or member.__doc__, (kind, name)
