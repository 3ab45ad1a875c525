#!/usr/bin/env python3
"""Writes stdlib.toml, numpy.toml, pandas.toml, scipy.toml, sklearn.toml, torch.toml, others.toml and libraries.toml from what is installed.

usage: generate.py OUT.json [FILE ...] in each Python that has some of the packages, old releases and new
       generate.py --write A.json ...  writes the .toml files beside this one from all of them
       generate.py --add A.json ...    adds to what the .toml files list already (Python 3.11)

A class is listed if making it by `__new__` and setting its state runs nothing that the state chooses. Classes with a
`__setstate__` of their own are listed only if that method was read and is named in READ below. Functions are listed so
that pickles may name them; only those in CALLED may be called. What code checks of a call or a state is in checked.toml, by hand, which wins over these files.
"""
import importlib, importlib.util, inspect, json, os, pkgutil, re, sys, warnings

warnings.simplefilter("ignore")
USES = ("call", "construct", "state", "items", "members")
HERE = os.path.dirname(os.path.abspath(__file__))

# `__setstate__` methods that were read: they assign attributes, check versions or rebuild from plain data.
READ = {
    "sklearn.base.BaseEstimator", "sklearn.utils.deprecation.BaseEstimator", "sklearn.tree._tree.Tree",
    "sklearn.neighbors._base.NeighborsBase", "sklearn.gaussian_process.kernels.Kernel",
    "torch.nn.modules.module.Module", "torch.nn.modules.rnn.RNNBase", "torch.nn.modules.activation.MultiheadAttention",
    "torch.nn.modules.transformer.TransformerEncoderLayer", "torch.nn.modules.transformer.TransformerDecoderLayer",
    "torch.nn.modules.batchnorm._NormBase", "torch.optim.optimizer.Optimizer",
    "pandas.core.generic.NDFrame", "pandas.core.arrays.categorical.Categorical",
    "networkx.classes.reportviews.NodeView", "networkx.classes.graph.Graph", "networkx.classes.reportviews.DiDegreeView",
    "networkx.classes.reportviews.OutEdgeView", "networkx.classes.reportviews.InEdgeView", "networkx.classes.reportviews.InMultiEdgeView",
    "networkx.classes.reportviews.NodeDataView", "networkx.classes.coreviews.AtlasView", "networkx.classes.coreviews.UnionAtlas", "networkx.classes.coreviews.UnionAdjacency",
    "numpy.polynomial._polybase.ABCPolyBase", "scipy.interpolate._interpolate.PPoly", "scipy.interpolate._interpolate.BPoly",
    "scipy.interpolate._bsplines.BSpline", "scipy.interpolate._rbfinterp.RBFInterpolator",
    "sklearn.isotonic.IsotonicRegression", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "torch.nn.modules.conv._ConvNd", "torch.nn.modules.upsampling.Upsample", "torch.nn.modules.activation.Softmax", "torch.nn.modules.activation.Softmin",
    "torch.nn.modules.activation.LogSoftmax", "torch.nn.modules.pooling.AvgPool3d", "torch.utils.hooks.RemovableHandle",
    "torch.optim.sgd.SGD", "torch.optim.adam.Adam", "torch.optim.adamw.AdamW", "torch.optim.asgd.ASGD", "torch.optim.adagrad.Adagrad", "torch.optim.rprop.Rprop",
    "statsmodels.base.wrapper.ResultsWrapper", "xarray.core.common.AttrAccessMixin", "requests.sessions.Session", "requests.models.Response", "requests.adapters.HTTPAdapter", "requests.cookies.RequestsCookieJar",
    "torch.optim.rmsprop.RMSprop", "torch.optim.radam.RAdam", "torch.optim.nadam.NAdam", "torch.optim.adamax.Adamax", "torch.optim.adadelta.Adadelta",
}
# What is never listed, by the beginning of its module: tests, input and output, code.
LEFT_OUT = (
    "numpy.testing", "numpy.f2py", "numpy.distutils", "numpy.lib._npyio", "numpy.ctypeslib", "numpy.lib._datasource",
    "pandas.io", "pandas.tests", "pandas.core.computation", "pandas._testing", "pandas.plotting", "pandas.util", "pandas.conftest",
    "scipy.io", "scipy._lib", "scipy.datasets", "scipy.conftest", "scipy.stats._continuous_distns", "scipy.stats._discrete_distns",
    "scipy.stats._distn_infrastructure", "scipy.stats._distribution_infrastructure", "scipy.stats._multivariate", "scipy.LowLevelCallable",
    "sklearn.utils._testing", "sklearn.externals", "sklearn.datasets", "sklearn.conftest", "sklearn.utils.estimator_checks", "sklearn.utils._test_common",
    "sklearn.utils._plotting", "sklearn.callback",
    "xarray.backends", "xarray.conventions", "xarray.testing", "xarray.tutorial", "xarray.tests", "xarray.namedarray.daskmanager", "statsmodels.datasets", "statsmodels.sandbox", "statsmodels.tools.sm_exceptions",
    "statsmodels.compat", "statsmodels.iolib", "statsmodels.formula", "statsmodels.examples",
    "torch.nn.modules._functions", "torch.nn.parallel", "torch.nn.utils", "torch.nn.attention", "torch.nn.backends",
)


def modules(name):
    try:
        root = importlib.import_module(name)
    except Exception:
        return
    yield root
    for info in pkgutil.walk_packages(getattr(root, "__path__", []), name + ".", onerror=lambda _: None):
        if ".tests" in info.name or ".test_" in info.name or info.name.startswith(LEFT_OUT) or info.name.endswith("__main__"):
            continue
        try:
            yield importlib.import_module(info.name)
        except BaseException:
            continue


def definer(cls, method):
    """The class that a method comes from."""
    return next((c for c in cls.__mro__ if method in vars(c)), None)


def full(cls):
    return f"{cls.__module__}.{cls.__qualname__}"


def is_harmless(cls):
    if cls.__name__ in ("ExcelWriter", "ExcelFile", "HDFStore", "DataSource", "LowLevelCallable"):
        return False        # They open files or libraries.
    for method in ("__setstate__", "__setstate_cython__", "__setattr__", "__del__", "__getattribute__"):
        home = definer(cls, method)
        if home is None or home is object or full(home) in READ or home.__module__ == "builtins":
            continue
        if getattr(vars(home)[method], "__name__", "") == "_dataclass_setstate" or method == "__setattr__" and hasattr(home, "__dataclass_fields__"):
            continue        # A frozen dataclass: it assigns its fields.
        if home.__module__.split(".")[0] in ("numpy", "torch") and home.__module__.count(".") == 0:
            continue
        if method == "__setattr__" and home.__module__.split(".")[0] in ("torch", "pandas", "numpy"):
            continue        # They sort attributes into registries, or refuse; they call nothing that the state holds.
        if method.startswith("__setstate") and not inspect.isfunction(vars(home)[method]):
            continue        # Compiled by Cython: assigns C attributes from a tuple of a fixed type.
        return False
    return True


def is_home(module, cls):
    """Whether a class is defined in a module, whatever it says itself: pandas 3 calls its classes `pandas.Index`."""
    try:
        return inspect.getsourcefile(cls) == getattr(module, "__file__", None)
    except (TypeError, OSError):
        return False


def classes(root, prefix=None, keep=lambda cls: True):
    """Classes by module: those that are containers, and the others."""
    found = {}
    for module in modules(root):
        for name, cls in sorted(vars(module).items()):
            if not inspect.isclass(cls) or not str(getattr(cls, "__module__", "")).startswith(prefix or root) or "<locals>" in cls.__qualname__:
                continue
            if cls.__module__.startswith(LEFT_OUT) or ".tests" in cls.__module__ or not keep(cls) or not is_harmless(cls):
                continue
            if issubclass(cls, type):
                continue
            items = issubclass(cls, (dict, list, set))
            found.setdefault((cls.__module__, items), set()).add(cls.__qualname__)
            if is_home(module, cls):
                found.setdefault((module.__name__, items), set()).add(cls.__qualname__)
            if getattr(importlib.import_module(root.split(".")[0]), name, None) is cls:
                found.setdefault((root.split(".")[0], items), set()).add(name)
    return found


def functions(root, keep=lambda name: True):
    """Functions by module, to be named and not called."""
    found = {}
    for module in modules(root):
        for name, f in sorted(vars(module).items()):
            if not callable(f) or inspect.isclass(f) or not isinstance(getattr(f, "__module__", None), str):
                continue
            if f.__module__.startswith(root) and getattr(f, "__name__", None) == name and keep(name) and not f.__module__.startswith(LEFT_OUT) and ".test" not in f.__module__:
                found.setdefault(f.__module__, set()).add(name)
    return found


def row(module, names, may=(), args=None, follows=None, otherwise=None):
    """What names of a module may be used for."""
    return module, names, may, args, follows, otherwise


def class_rows(found):
    for (module, items), names in sorted(found.items()):
        may = ("construct", "state", "items") if items else ("construct", "state")
        given = {name for name in names if is_given(module, name)}
        if set(names) - given:
            yield row(module, set(names) - given, may)
        if given:
            yield row(module, given, may, ("rest",))


def is_given(module, name):
    """Whether a class is given what it holds when it is made: named tuples and texts are."""
    cls = getattr(sys.modules.get(module), name, None)
    return inspect.isclass(cls) and issubclass(cls, (tuple, str))


def exception_rows(root):
    """Exceptions, which are called to be made."""
    for module in modules(root):
        for name, cls in vars(module).items():
            if inspect.isclass(cls) and issubclass(cls, BaseException) and cls.__module__.startswith(root.split(".")[0]) and is_harmless(cls):
                yield row(cls.__module__, [cls.__qualname__], ("call", "construct", "state"))


def unpickle_rows(root):
    """Cython's `__pyx_unpickle_Class(Class, checksum, state)`."""
    for module in modules(root):
        names = [n for n in vars(module) if n.startswith("__pyx_unpickle_")]
        if names:
            yield row(module.__name__, names, ("call", "state"), ("class", "rest"))


def toml(value):
    """A text, a list or a table, as TOML writes it in a line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, (list, tuple)) else json.dumps(value)


# Classes of pandas whose methods run nothing that their state chose: functions are called, and text is evaluated, by others.
VALUES = re.compile(r"(Index|Array|Dtype|DType|Block|BlockManager|BlockPlacement|BlockValuesRefs|FrozenList|Flags|NDArrayBacked)$|^(DataFrame|Series|TimeSeries|Categorical|Timestamp|Timedelta|Period|Interval|NaT|NaTType|NAType|C_NA|DateOffset)$")
# Types of the standard library that go through a sequence to be made of it.
SEQUENCES = {"struct_group", "stat_result", "statvfs_result", "terminal_size", "uname_result", "sched_param", "times_result", "waitid_result", "struct_passwd", "struct_rusage", "struct_siginfo", "struct_spwd", "struct_time"}


# Modules whose exceptions make a text of what they are given, or call its methods.
FORMATTING = {"configparser", "argparse", "multiprocessing.pool", "optparse", "asyncio.exceptions", "http.client", "json.decoder", "json", "re", "getopt", "tarfile", "plistlib", "netrc", "calendar", "email.errors",
              "urllib3.exceptions", "numpy.exceptions", "numpy.core._exceptions", "numpy._core._exceptions", "xml.dom", "xmlrpc.client", "smtplib", "xml.sax._exceptions"}


def refine(module, name, may, args, follows):
    """What is known of a name beside what the survey finds."""
    if module.startswith("pandas") and "construct" in may and (VALUES.search(name.split(".")[-1]) or module.endswith(".offsets")):
        follows = follows or "value"
    if module.startswith("pandas") and name.startswith("_new_") and name.endswith("Index"):
        args, follows = toml("class") + ", " + toml("fields"), "value"
    if module.split(".")[0] in ("pytz", "dateutil", "pyarrow") and "call" in may and follows is None:
        follows = "value"       # Time zones, arrays.
    if args is None and "call" in may:
        # They keep or convert what they are given, and call none of its methods but those of arrays and tensors.
        if module.startswith("torch") and (name.startswith("_rebuild_") or module == "torch.return_types" or name in ("Generator", "PackedSequence")):
            args = toml("rest")
        if module.startswith("pandas") and name in ("_unpickle_block", "BlockManager", "SingleBlockManager", "new_block", "make_block"):
            args, follows = toml({"rest": "items"}), "value"
        if module.startswith("pandas") and name == "StringDtype":
            args = toml("rest")
    if module in FORMATTING and {"call", "construct"} <= set(may) and args is None:
        args = toml({"rest": "atom"})
    if name in SEQUENCES and args is None:
        args = toml({"rest": "data"})
    return may, args, follows


def write(name, about, rows):
    """One row in the file for the names of a module that may do the same; a name in several rows may do all they say."""
    merged = {}
    for module, names, may, args, follows, otherwise in rows:
        names = [n for n in names if n not in ("__getattr__", "__dir__")]
        if module.endswith(".setup"):
            continue
        args = args if args is None else ", ".join(toml(arg) for arg in args)
        for n in names:
            old_may, *old = merged.get((module, n), ((), None, None, None))
            new = [new if new is not None else old for new, old in zip((args, follows, otherwise), old)]
            merged[module, n] = (set(old_may) | set(may), *new)
    alike = {}
    for (module, n), (may, args, follows, otherwise) in sorted(merged.items()):
        rest = (*refine(module, n, may, args, follows)[1:], otherwise)
        alike.setdefault((module, tuple(u for u in USES if u in may), *rest), []).append(n)
    with open(os.path.join(HERE, name + ".toml"), "w") as f:
        f.write(f"# {about}\n# Written by generate.py; change that, not this.\n")
        for (module, may, args, follows, otherwise), names in alike.items():
            f.write(f'\n[[allow]]\nmodule = "{module}"\nnames = {json.dumps(names)}\n')
            if may:
                f.write(f"may = {json.dumps(may)}\n")
            if args is not None:
                f.write(f"args = [{args}]\n")
            if follows:
                f.write(f'follows = "{follows}"\n')
            if otherwise:
                f.write(f'otherwise = "{otherwise}"\n')


# Modules of the standard library of which nothing is listed: they do something when they are imported, test, or run code.
NOT_STANDARD = {
    "antigravity", "this", "idlelib", "lib2to3", "turtledemo", "turtle", "test", "tkinter", "_tkinter", "ensurepip", "venv", "distutils", "__main__",
    "site", "pip", "setuptools", "pkg_resources", "importlib", "_frozen_importlib", "zipimport", "zipapp", "runpy", "bdb", "pdb", "doctest", "pydoc",
    "unittest", "pstats", "_lsprof", "py_compile", "ctypes", "_interpchannels", "_pyrepl", "webbrowser", "wsgiref", "crypt", "encodings", "code", "codeop",
}
# Exceptions that call methods of what they are given.
ASKING = {"SAXParseException", "SAXNotRecognizedException", "SAXNotSupportedException", "SAXReaderNotAvailable", "HTTPError"}


def standard_modules():
    """The modules of the standard library that can be imported here."""
    names = getattr(sys, "stdlib_module_names", None)
    if names is None:       # Before Python 3.10.
        names = {info.name for info in pkgutil.iter_modules([os.path.dirname(os.__file__)])} | set(sys.builtin_module_names)
    for name in sorted(names - NOT_STANDARD):
        if name.startswith(("_test", "_xx", "xx", "__phello")):
            continue
        try:
            root = importlib.import_module(name)
        except BaseException:
            continue
        yield root
        for info in pkgutil.iter_modules(getattr(root, "__path__", []), name + "."):
            if info.name.endswith("__main__") or ".test" in info.name or name == "encodings":
                continue
            try:
                yield importlib.import_module(info.name)
            except BaseException:
                continue


def stdlib():
    import ast, enum, types, typing
    rows = []
    for module in standard_modules():
        for name, value in sorted(vars(module).items(), key=lambda pair: pair[0]):
            if isinstance(value, enum.Enum) and isinstance(value, int) and name.isupper():
                rows.append(row(module.__name__, [name]))       # Constants that are pickled by name.
            if not inspect.isclass(value) or "<locals>" in value.__qualname__:
                continue
            home, name = value.__module__, value.__qualname__
            if name.startswith("_") and name not in ("_ParameterKind", "_ASN1Object"):
                continue
            if home.split(".")[0] in NOT_STANDARD or importlib.util.find_spec(home) is None:
                continue
            if issubclass(value, BaseException):
                if home != "builtins" and name not in ASKING and is_harmless(value):
                    rows.append(row(home, [name], ("call", "construct", "state")))
            elif issubclass(value, enum.Enum) and not issubclass(value, type) and value.__members__:
                rows.append(row(home, [name], ("call", "construct", "members")))
                rows.append(row(home, [f"{name}.{member}" for member in value.__members__]))
            elif issubclass(value, tuple) and value is not tuple and (hasattr(value, "_fields") or hasattr(value, "n_fields")):
                rows.append(row(home, [name], ("call", "construct", "state")))
            elif issubclass(value, ast.AST):
                rows.append(row(home, [name], ("call", "construct", "state")))
                rows.append(row("_ast", [name], ("call", "construct", "state")))
    for cls in (str, bytes, bytearray, int, float, complex, list, dict, set, frozenset, tuple):
        # `format` looks up attributes that its text names.
        names = [n for n, f in vars(cls).items() if not n.startswith("_") and callable(f) and "format" not in n]
        rows.append(row("builtins", [f"{cls.__name__}.{n}" for n in names]))
    names = [n for n in typing.__all__ if n not in ("get_type_hints", "runtime_checkable")]
    rows.append(row("typing", names))
    return "Exceptions, enums, named tuples and methods of Python's standard library.", rows


def numpy():
    import numpy as np
    rows = []
    core = ("numpy.core", "numpy._core")
    for m in core:
        rows += [
            # It makes the array without a call of the class: of a memory map too, which is then in memory.
            row(m + ".multiarray", ["_reconstruct"], ("call", "state"), ({"either": ["class", {"one_of": ["numpy.memmap"]}]}, "any", "any")),
            row(m + ".multiarray", ["scalar"], ("call", "state"), ("any", "any")),
            row(m + ".multiarray", ["ndarray", "dtype", "array"], ("construct", "state")),
            row(m + ".numeric", ["_frombuffer"], ("call", "state")),
            row(m, ["_ufunc_reconstruct"], ("call",), ("any", "any"), "names"),
            row(m + "._internal", ["_reconstruct"], ("call",), ("class", "any", "any")),
            row(m + "._internal", ["_convert_to_stringdtype_kwargs"], ("call",)),
            row(m + ".records", ["recarray", "record"], ("construct", "state")),
            row(m + ".defchararray", ["chararray"], ("construct", "state")),
        ]
    rows.append(row("numpy", ["_ufunc_reconstruct"], ("call",), ("any", "any"), "names"))
    rows.append(row("numpy", ["dtype"], ("call", "construct", "state")))
    rows.append(row("numpy", ["ndarray", "matrix", "recarray", "record", "chararray", "poly1d", "busdaycalendar", "void"], ("construct", "state")))
    for m in ("numpy", "numpy.memmap", "numpy.core.memmap", "numpy._core.memmap"):
        rows.append(row(m, ["memmap"], ("state",), otherwise="opens files"))
    for m in ("numpy", "numpy.lib.function_base", "numpy.lib._function_base_impl"):
        rows.append(row(m, ["vectorize"], ("construct", "state"), otherwise="calls a function that the pickle chooses"))
    for m in ("numpy.core.getlimits", "numpy._core.getlimits"):
        rows.append(row(m, ["MachArLike"], ("construct", "state")))
    for m in ("numpy", "numpy.core.getlimits", "numpy._core.getlimits"):
        rows.append(row(m, ["finfo", "iinfo"], ("construct", "state")))
    for m in ("numpy.linalg._linalg", "numpy.linalg.linalg"):
        rows.append(row(m, ["EigResult", "EighResult", "QRResult", "SlogdetResult", "SVDResult"], ("construct",), ({"rest": "data"},)))
    for m in ("numpy.lib._arraysetops_impl", "numpy.lib.arraysetops"):
        rows.append(row(m, ["UniqueAllResult", "UniqueCountsResult", "UniqueInverseResult"], ("construct",), ({"rest": "data"},)))
    for m in ("numpy.ma.core", "numpy.ma"):
        rows.append(row(m, ["MaskedConstant"], ("call",), ()))
    rows.append(row("numpy", ["ndenumerate", "newaxis", "nan", "inf", "pi", "e", "generic", "number", "integer", "floating", "inexact", "flexible", "character", "signedinteger", "unsignedinteger", "complexfloating"]))
    scalars = {t.__name__ for t in np.sctypeDict.values()} | {"bool_", "int_", "float_", "complex_", "str_", "bytes_", "unicode_", "string_", "object_", "void", "longdouble", "clongdouble", "float128", "complex256", "datetime64", "timedelta64", "intc", "uintc", "intp", "uintp", "long", "ulong", "longlong", "ulonglong", "bool", "float96", "longfloat", "singlecomplex", "cfloat", "half", "single", "double", "byte", "ubyte", "short", "ushort", "csingle", "cdouble"}
    # A second argument is an encoding, some of which take quadratic time.
    texts = {"bytes_", "str_", "string_", "unicode_"}
    rows.append(row("numpy", scalars - {"void"} - texts, ("call", "construct"), ({"rest": "data"},), "value"))
    rows.append(row("numpy", texts, ("call", "construct"), ("atom",), "value"))
    try:
        import numpy.dtypes as dtypes
        rows.append(row("numpy.dtypes", [n for n in vars(dtypes) if n.endswith("DType")], ("call", "construct", "state")))
    except ImportError:
        pass            # Before NumPy 1.25.
    for m in ("numpy.matrixlib.defmatrix", "numpy.matrixlib"):
        rows.append(row(m, ["matrix"], ("construct", "state")))
    rows.append(row("numpy.rec", ["recarray", "record"], ("construct", "state")))
    rows.append(row("numpy.char", ["chararray"], ("construct", "state")))
    for m in ("numpy.lib.polynomial", "numpy.lib._polynomial_impl"):
        rows.append(row(m, ["poly1d"], ("construct", "state")))
    for m in ("numpy.ma.core", "numpy.ma"):
        rows += [row(m, ["_mareconstruct"], ("call", "state"), ("class", "class", "any", "any")), row(m, ["MaskedArray", "MaskedConstant", "mvoid", "masked_array"], ("construct", "state")), row(m, ["masked", "nomask"])]
    rows.append(row("numpy.ma.mrecords", ["_mrreconstruct"], ("call", "state"), ("class", "class", "any", "any")))
    rows.append(row("numpy.ma.mrecords", ["MaskedRecords", "mrecarray"], ("construct", "state")))
    # Their second argument is a function that they call; NumPy 1.24.
    rows.append(row("numpy.random._pickle", ["__randomstate_ctor", "__generator_ctor"], ("call", "state"), ("any", "function")))
    rows.append(row("numpy.random._pickle", ["__bit_generator_ctor", "__legacy_bit_generator_ctor"], ("call", "state"), ("rest",)))
    rows.append(row("numpy.random", ["__RandomState_ctor"], ("call", "state"), ()))
    rows.append(row("numpy.random.mtrand", ["__RandomState_ctor"], ("call", "state"), ()))
    rows.append(row("numpy.random.mtrand", ["RandomState"], ("construct", "state")))
    rows.append(row("numpy.random._generator", ["Generator"], ("construct", "state")))
    for bits in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
        m = {"PCG64DXSM": "_pcg64"}.get(bits, "_" + bits.lower())
        rows.append(row("numpy.random." + m, [bits], ("construct", "state")))
    rows.append(row("numpy.random.bit_generator", ["SeedSequence", "SeedlessSeedSequence", "BitGenerator"], ("construct", "state")))
    rows.append(row("numpy.random.bit_generator", ["__pyx_unpickle_SeedSequence", "__pyx_unpickle_SeedlessSeedSequence"], ("call", "state"), ("class", "rest")))
    rows.append(row("numpy.random._bounded_integers", ["__pyx_unpickle_Enum"], ("call", "state"), ("class", "rest")))
    rows += class_rows(classes("numpy.polynomial"))
    rows += class_rows({("numpy._globals", False): {"_NoValueType", "_CopyMode"}, ("numpy", False): {"_NoValueType", "_CopyMode"}})
    for m in core:
        rows.append(row(m + "._multiarray_umath", [n for n in vars(np) if isinstance(vars(np)[n], np.ufunc)] + ["_ufunc_reconstruct"]))
    no = {"load", "loads", "save", "savez", "savez_compressed", "savetxt", "fromfile", "loadtxt", "genfromtxt", "fromregex", "memmap", "vectorize", "frompyfunc", "apply_along_axis", "apply_over_axes", "fromfunction", "piecewise", "test", "info", "source", "lookfor", "show_config", "show_runtime", "get_include", "getbufsize", "setbufsize", "seterr", "seterrcall", "set_printoptions", "put", "putmask", "place", "copyto", "from_dlpack", "printoptions"}
    rows.append(row("numpy", [n for n, f in vars(np).items() if callable(f) and not inspect.isclass(f) and not n.startswith("_") and n not in no]))
    import numpy.linalg, numpy.fft
    for m in (numpy.linalg, numpy.fft):
        rows.append(row(m.__name__, [n for n, f in vars(m).items() if callable(f) and not inspect.isclass(f) and not n.startswith("_") and n != "test"]))
    rows.append(row("numpy.linalg", ["LinAlgError"], ("call", "construct", "state")))
    for m in (core + ("numpy.exceptions", "numpy")):
        rows.append(row(m if m.count(".") == 0 or m == "numpy.exceptions" else m + "._exceptions", ["AxisError", "ComplexWarning", "VisibleDeprecationWarning", "RankWarning", "TooHardError", "DTypePromotionError"], ("call", "construct", "state")))
    return "NumPy 1 and 2.", rows


def pandas():
    rows = []
    found = classes("pandas")
    import pandas as pd
    for name, cls in vars(pd).items():
        if inspect.isclass(cls) and cls.__module__.startswith("pandas") and is_harmless(cls) and not cls.__module__.startswith("pandas.io"):
            found.setdefault(("pandas", False), set()).add(name)
    for name, cls in vars(pd.arrays).items():
        if inspect.isclass(cls):
            found.setdefault(("pandas.arrays", False), set()).add(name)
    rows += class_rows(found)
    rows += unpickle_rows("pandas")
    rows += exception_rows("pandas.errors")
    old = {
        "pandas.core.index": ["Index", "MultiIndex", "Int64Index", "Float64Index", "RangeIndex"], "pandas.indexes.base": ["Index"],
        "pandas.indexes.range": ["RangeIndex"], "pandas.indexes.multi": ["MultiIndex"], "pandas.indexes.numeric": ["Int64Index", "Float64Index", "UInt64Index"],
        "pandas.core.indexes.numeric": ["Int64Index", "Float64Index", "UInt64Index", "NumericIndex"], "pandas.core.internals": ["BlockManager", "SingleBlockManager"],
        "pandas.core.internals.managers": ["BlockManager", "SingleBlockManager", "ArrayManager", "SingleArrayManager"],
        "pandas.core.categorical": ["Categorical"], "pandas.core.arrays.numpy_": ["PandasArray", "PandasDtype", "NumpyExtensionArray"],
        "pandas.core.dtypes.dtypes": ["CategoricalDtype", "DatetimeTZDtype", "PeriodDtype", "IntervalDtype", "NumpyEADtype", "SparseDtype", "PandasDtype", "ArrowDtype"],
        "pandas.core.arrays.string_": ["StringArray", "StringDtype", "StringArrayNumpySemantics"], "pandas.core.arrays.sparse.dtype": ["SparseDtype"],
        "pandas.core.arrays.sparse": ["SparseArray", "SparseDtype"], "pandas.core.arrays.sparse.array": ["SparseArray"], "pandas.core.frame": ["DataFrame"], "pandas.core.series": ["Series", "TimeSeries"],
        "pandas.core.internals.blocks": ["Block", "NumericBlock", "ObjectBlock", "ExtensionBlock", "DatetimeTZBlock", "DatetimeLikeBlock", "CategoricalBlock", "FloatBlock", "IntBlock", "BoolBlock", "ComplexBlock", "DatetimeBlock", "TimeDeltaBlock"],
        "pandas.core.flags": ["Flags"], "pandas._libs.internals": ["BlockManager", "BlockPlacement", "NumpyBlock", "Block", "SharedBlock", "BlockValuesRefs"], "pandas._libs.arrays": ["NDArrayBacked"],
        "pandas._libs.tslibs.offsets": ["BaseOffset", "SingleConstructorOffset"], "pandas._libs.index": ["IndexEngine", "ObjectEngine", "Int64Engine"],
        "pandas.core.arrays.integer": [f"{u}Int{n}Dtype" for u in ("", "U") for n in (8, 16, 32, 64)] + ["IntegerArray"], "pandas.core.arrays.floating": ["Float32Dtype", "Float64Dtype", "FloatingArray"],
    }
    for module, names in old.items():
        rows.append(row(module, names, ("construct", "state")))
    import pandas._libs.tslibs.offsets as offsets
    names = [n for n, c in vars(offsets).items() if inspect.isclass(c)]
    for module in ("pandas._libs.tslibs.offsets", "pandas.tseries.offsets", "pandas.core.offsets"):
        rows.append(row(module, names, ("call", "construct", "state")))
    made = ("call", "state")
    index = ["_new_Index"], ("call", "state"), ("class", "any")
    for module in ("pandas.core.indexes.base", "pandas.core.index", "pandas.indexes.base"):
        rows.append(row(module, *index))
    for module, name in (("datetimes", "_new_DatetimeIndex"), ("timedeltas", "_new_TimedeltaIndex"), ("period", "_new_PeriodIndex"), ("interval", "_new_IntervalIndex")):
        rows.append(row("pandas.core.indexes." + module, [name], made, ("class", "any")))
        rows.append(row("pandas.tseries." + module, [name], made, ("class", "any")))
    rows.append(row("pandas.tseries.index", ["_new_DatetimeIndex"], made, ("class", "any")))
    rows.append(row("pandas.core.indexes.period", ["_new_PeriodIndex"], made, ("class", "rest")))
    rows.append(row("pandas._libs.internals", ["_unpickle_block"], made))
    rows.append(row("pandas.core.internals.blocks", ["new_block", "make_block"], made))
    for module in ("pandas._libs.tslibs.timestamps", "pandas._libs.tslib", "pandas.tslib"):
        rows.append(row(module, ["_unpickle_timestamp"], made))
    rows.append(row("pandas._libs.tslibs.timedeltas", ["_timedelta_unpickle"], made))
    for module in ("pandas._libs.tslibs.nattype", "pandas._libs.tslib", "pandas.tslib"):
        rows.append(row(module, ["_nat_unpickle", "__nat_unpickle"], made))
    values = {
        "pandas": ["Timestamp", "Timedelta", "Period", "Interval", "NaT", "DateOffset", "StringDtype", "PeriodDtype", "IntervalDtype", "CategoricalDtype", "DatetimeTZDtype", "SparseDtype"],
        "pandas._libs.tslibs.timestamps": ["Timestamp"], "pandas._libs.tslibs.timedeltas": ["Timedelta"], "pandas._libs.tslibs.period": ["Period"], "pandas._libs.period": ["Period"],
        "pandas._libs.interval": ["Interval"], "pandas._libs.tslib": ["Timestamp", "NaTType", "Timedelta"], "pandas._libs.sparse": ["IntIndex", "BlockIndex"],
        "pandas.core.arrays.string_": ["StringDtype"], "pandas.core.dtypes.dtypes": ["PeriodDtype", "IntervalDtype"], "pandas._libs.internals": ["BlockPlacement"],
        "pandas.core.internals.managers": ["BlockManager", "SingleBlockManager"], "pandas.core.internals": ["BlockManager", "SingleBlockManager"], "pandas._libs.tslibs.nattype": ["NaTType"],
    }
    for module, names in values.items():
        rows.append(row(module, names, ("call", "construct", "state")))
    rows.append(row("pandas._libs.missing", ["NA"]))
    rows.append(row("pandas._libs.missing", ["NAType", "C_NA"], ("call", "construct")))
    rows.append(row("pandas", ["NA"]))
    rows.append(row("pandas.core.frame", ["DataFrame"], ("construct", "state", "members")))
    rows.append(row("pandas.core.indexes.frozen", ["FrozenList"], ("call", "construct", "state", "items")))
    rows.append(row("pandas.core.indexes.accessors", ["CombinedDatetimelikeProperties"], ("construct",)))
    for module in ("pandas._libs.lib", "pandas._libs.tslibs.dtypes"):
        rows.append(row(module, ["_NoDefault", "NpyDatetimeUnit", "Resolution"], ("call", "construct", "members")))
    return "pandas 0.20 to 3.", rows


def scipy():
    import scipy.sparse
    rows = []
    formats = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for f in formats:
        for module in (f"scipy.sparse.{f}", f"scipy.sparse._{f}", "scipy.sparse"):
            rows.append(row(module, [f"{f}_matrix", f"{f}_array"], ("construct", "state", "items") if f == "dok" else ("construct", "state")))
    for root in ("scipy.interpolate", "scipy.spatial", "scipy.optimize", "scipy.signal", "scipy.cluster", "scipy.fft", "scipy.integrate", "scipy.stats", "scipy.sparse.linalg", "scipy.linalg"):
        rows += class_rows(classes(root, "scipy"))
        rows += unpickle_rows(root)
    for module in ("scipy.interpolate.interpolate", "scipy.interpolate._interpolate", "scipy.interpolate._cubic", "scipy.interpolate._bsplines", "scipy.interpolate.fitpack2", "scipy.interpolate._fitpack2", "scipy.interpolate"):
        rows.append(row(module, ["interp1d", "interp2d", "PPoly", "BPoly", "BSpline", "CubicSpline", "PchipInterpolator", "Akima1DInterpolator", "CubicHermiteSpline", "UnivariateSpline", "InterpolatedUnivariateSpline", "LSQUnivariateSpline", "RectBivariateSpline", "SmoothBivariateSpline"], ("construct", "state")))
    for module in ("scipy.spatial.ckdtree", "scipy.spatial._ckdtree", "scipy.spatial"):
        rows.append(row(module, ["cKDTree"], ("construct", "state")))
    for module in ("scipy.spatial.kdtree", "scipy.spatial._kdtree", "scipy.spatial"):
        rows.append(row(module, ["KDTree"], ("construct", "state")))
    for module in ("scipy.spatial.transform.rotation", "scipy.spatial.transform._rotation", "scipy.spatial.transform"):
        rows.append(row(module, ["Rotation", "Slerp", "RotationSpline"], ("construct", "state")))
        rows.append(row(module, ["__pyx_unpickle_Rotation"], ("call", "state"), ("class", "rest")))
    for module in ("scipy.optimize.optimize", "scipy.optimize._optimize", "scipy.optimize"):
        rows.append(row(module, ["OptimizeResult"], ("call", "construct", "state", "items")))
    for module, name in (("scipy.optimize.zeros", "RootResults"), ("scipy.optimize._zeros_py", "RootResults"), ("scipy.integrate._ivp.ivp", "OdeResult")):
        rows.append(row(module, [name], ("call", "construct", "state", "items")))
    for module in ("scipy._lib._bunch", "scipy.stats.stats"):
        rows.append(row(module, ["_make_tuple_bunch"]))
    for module in ("scipy._lib", "scipy._external"):
        rows.append(row(module + ".array_api_compat.numpy._aliases", ["asarray"]))
    for module in ("scipy.interpolate.interpolate", "scipy.interpolate._interpolate"):
        rows.append(row(module, ["interp1d._call_" + n for n in ("linear", "linear_np", "nearest", "previousnext", "spline", "nan_spline")]))
    rows.append(row("scipy._lib._util", ["_RichResult"], ("construct", "state", "items")))
    for module in modules("scipy.stats"):       # Named tuples of results, which refuse new attributes.
        for cls in list(vars(module).values()):
            if inspect.isclass(cls) and issubclass(cls, tuple) and cls.__module__.startswith("scipy.stats"):
                rows.append(row(cls.__module__, [cls.__qualname__], ("construct", "state")))
    import numpy as np, scipy.special
    ufuncs = [n for n, f in vars(scipy.special).items() if isinstance(f, np.ufunc)]
    for module in ("scipy.special._ufuncs", "scipy.special", "scipy.special._special_ufuncs"):
        rows.append(row(module, ufuncs))
    for root in ("scipy.stats", "scipy.spatial.distance", "scipy.linalg", "scipy.signal"):
        for module, names in sorted(functions(root).items()):
            rows.append(row(module, names))
    for c in ("continuous", "discrete"):
        rows.append(row("scipy.stats._distn_infrastructure", [f"rv_{c}_frozen", "rv_frozen"], ("construct", "state")))
    return "SciPy. The distributions of scipy.stats are not listed: setting their state runs a text of it as code.", rows


def sklearn():
    import sklearn
    rows = list(class_rows(classes("sklearn")))
    rows += unpickle_rows("sklearn")
    rows += exception_rows("sklearn.exceptions")
    rows.append(row("sklearn.tree._tree", ["Tree"], ("call", "construct", "state")))
    rows.append(row("sklearn.utils", ["Bunch"], ("call", "construct", "state", "items")))
    rows.append(row("sklearn.utils._bunch", ["Bunch"], ("call", "construct", "state", "items")))
    for kind in ("_kd_tree", "_ball_tree"):
        rows.append(row("sklearn.neighbors." + kind, ["newObj"], ("call", "state"), ("class",)))
        rows.append(row("sklearn.neighbors." + kind, ["KDTree", "BallTree", "KDTree64", "BallTree64", "KDTree32", "BallTree32"], ("construct", "state")))
    for module in ("sklearn.metrics._dist_metrics", "sklearn.neighbors._dist_metrics"):
        rows.append(row(module, ["newObj"], ("call", "state"), ("class",)))
        try:
            distances = importlib.import_module(module)
        except ImportError:
            continue
        rows.append(row(module, [n for n, c in vars(distances).items() if inspect.isclass(c)], ("call", "construct", "state")))
    for root in ("sklearn.metrics", "sklearn.cluster", "sklearn.preprocessing", "sklearn.feature_selection", "sklearn.feature_extraction", "sklearn.utils.fixes", "sklearn.gaussian_process", "sklearn.covariance", "sklearn.utils.validation"):
        for module, names in sorted(functions(root).items()):
            rows.append(row(module, names))
    try:
        import sklearn._loss._loss as loss
        # scikit-learn 1.4 to 1.6 call the module `_loss`.
        for module in ("sklearn._loss._loss", "_loss"):
            rows.append(row(module, [n for n, c in vars(loss).items() if inspect.isclass(c)], ("call", "construct", "state")))
            rows.append(row(module, [n for n in vars(loss) if n.startswith("__pyx_unpickle_")], ("call", "state"), ("class", "rest")))
    except ImportError:
        pass            # Before scikit-learn 1.0.
    for module in ("sklearn.linear_model._sgd_fast", "sklearn.linear_model.sgd_fast"):
        rows.append(row(module, ["Hinge", "SquaredHinge", "Log", "SquaredLoss", "Huber", "EpsilonInsensitive", "SquaredEpsilonInsensitive", "ModifiedHuber", "Classification", "Regression", "LossFunction"], ("call", "construct", "state")))
    old = {
        "sklearn.linear_model.logistic": ["LogisticRegression"], "sklearn.linear_model.base": ["LinearRegression"], "sklearn.linear_model.ridge": ["Ridge", "RidgeClassifier"],
        "sklearn.ensemble.forest": ["RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"], "sklearn.tree.tree": ["DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"],
        "sklearn.svm.classes": ["SVC", "SVR", "LinearSVC", "LinearSVR", "NuSVC", "NuSVR", "OneClassSVM"], "sklearn.preprocessing.data": ["StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "Normalizer", "PolynomialFeatures", "QuantileTransformer", "PowerTransformer"],
        "sklearn.preprocessing.label": ["LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer"], "sklearn.decomposition.pca": ["PCA"], "sklearn.cluster.k_means_": ["KMeans", "MiniBatchKMeans"],
        "sklearn.neighbors.classification": ["KNeighborsClassifier"], "sklearn.neighbors.regression": ["KNeighborsRegressor"], "sklearn.preprocessing.imputation": ["Imputer"], "sklearn.ensemble.gradient_boosting": ["GradientBoostingClassifier", "GradientBoostingRegressor"],
        "sklearn.feature_extraction.text": ["CountVectorizer", "TfidfVectorizer", "TfidfTransformer", "HashingVectorizer"], "sklearn.naive_bayes": ["GaussianNB", "MultinomialNB", "BernoulliNB"], "sklearn.pipeline": ["Pipeline", "FeatureUnion"],
    }
    for module, names in old.items():
        rows.append(row(module, names, ("construct", "state")))
    return "scikit-learn.", rows


def torch():
    import torch as t, torch.nn, torch.optim, torch.nn.functional, torch.utils.data
    rows = [
        row("torch._utils", ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_parameter_with_state", "_rebuild_qtensor", "_rebuild_sparse_tensor", "_rebuild_sparse_csr_tensor", "_rebuild_nested_tensor", "_rebuild_meta_tensor_no_storage", "_rebuild_device_tensor_from_numpy", "_rebuild_device_tensor_from_cpu_tensor", "_rebuild_xla_tensor"], ("call", "state")),
        row("torch._utils", ["_rebuild_wrapper_subclass"], ("call", "state"), ("class", "rest")),
        row("torch._tensor", ["_rebuild_from_type_v2"], ("call", "state"), ("function", "class", "any", "any")),
        row("torch._tensor", ["_rebuild_from_type"], ("call", "state"), ("function", "class", "any", "any")),
        row("torch.serialization", ["_get_layout"], ("call",)),
        row("torch.storage", ["_load_from_bytes"], ("call",), ("pickle",), otherwise="loads another pickle, which the scan may not see"),
        row("torch.storage", ["UntypedStorage", "TypedStorage", "_TypedStorage", "_UntypedStorage"]),
        row("torch", ["Size", "device", "Generator", "dtype", "finfo", "iinfo"], ("call", "construct", "state")),
        row("torch", ["Tensor"], ("construct", "state")),
        row("torch._C", ["_nn", "device", "dtype"]),
        row("torch._C", ["Generator"], ("call", "construct", "state")),
        row("torch._C", ["_VariableFunctionsClass"] + ["_VariableFunctionsClass." + n for n in dir(t._C._VariableFunctions) if not n.startswith("_") and n not in ("from_file",)]),
        row("torch.return_types", [n for n, c in vars(t.return_types).items() if inspect.isclass(c)], ("call", "construct")),
        row("torch.nn.utils.rnn", ["PackedSequence", "PackedSequence_"], ("construct", "state"), ("rest",)),
        row("torch.nn.utils.weight_norm", ["WeightNorm"], ("construct", "state")),
        row("torch.nn.utils.spectral_norm", ["SpectralNorm", "SpectralNormStateDictHook", "SpectralNormLoadStateDictPreHook"], ("construct", "state")),
        row("torch.nn.parallel.data_parallel", ["DataParallel"], ("construct", "state")),
        row("torch.utils.hooks", ["RemovableHandle"], ("construct", "state")),
        row("torch.optim.lr_scheduler", ["CyclicLR._triangular_scale_fn", "CyclicLR._triangular2_scale_fn", "CyclicLR._exp_range_scale_fn"]),
        row("torch.utils.data.dataloader", ["DataLoader", "_DatasetKind"], ("construct", "state")),
        row("torch.utils.data._utils.collate", ["default_collate", "default_convert"]),
        row("torch.nn.parameter", ["UninitializedParameter", "UninitializedBuffer"], ("call",)),
        row("torch.nn.parameter", ["Parameter", "Buffer", "UninitializedParameter", "UninitializedBuffer", "UninitializedTensorMixin"], ("construct", "state")),
        row("torch.nn", ["Parameter"], ("construct", "state")),
        row("torch", [n for n, v in vars(t).items() if n.endswith("Storage")]),
        row("torch.cuda", [n for n in dir(t.cuda) if n.endswith("Storage")]),
        row("torch", [n for n, v in vars(t).items() if isinstance(v, (t.dtype, t.layout, t.memory_format)) or type(v).__name__ == "qscheme"]),
    ]
    found = classes("torch.nn.modules")
    found.update(classes("torch.optim"))
    for (module, items), names in list(found.items()):
        if module.startswith("torch.nn.modules."):
            found.setdefault(("torch.nn", items), set()).update(n for n in names if hasattr(t.nn, n))
    rows += class_rows(found)
    for module in ("torch.utils.data.dataset", "torch.utils.data.sampler"):
        rows += class_rows(classes(module, module))
    rows += class_rows(classes("torch.distributions", "torch.distributions"))
    rows += class_rows(classes("torch.ao.nn.quantized", "torch.ao.nn.quantized"))
    pure = lambda m: [n for n, f in vars(m).items() if callable(f) and not inspect.isclass(f) and not n.startswith("_")]
    rows.append(row("torch.nn.functional", pure(t.nn.functional)))
    rows.append(row("torch._C._nn", [n for n in dir(t._C._nn) if not n.startswith("_")]))
    no = {"load", "save", "compile", "set_default_dtype", "from_file", "import_ir_module", "manual_seed", "seed"}
    rows.append(row("torch", [n for n, f in vars(t).items() if inspect.isbuiltin(f) and not n.startswith("_") and n not in no]))
    rows.append(row("torch._VF", ["lstm", "gru", "rnn_tanh", "rnn_relu"]))
    return "PyTorch.", rows


def others():
    rows = [
        row("joblib.numpy_pickle", ["NumpyArrayWrapper"], ("construct", "state")),
        row("joblib._store_backends", ["CacheItemInfo"], ("construct", "state")),
        row("dateutil.tz.tz", ["tzutc", "tzlocal", "tzoffset", "tzrange", "tzstr"], ("call", "construct", "state")),
        row("dateutil.tz", ["tzutc", "tzoffset", "tzlocal"], ("call", "construct", "state")),
        row("dateutil.tz.tz", ["tzfile"], ("construct", "state")),
        row("dateutil.tz._tzfile", ["tzfile"], ("construct", "state")),
        row("dateutil.tz._tzfile", ["_unpickle"], ("call", "state"), ("class", "data", "data", "any")),
        row("dateutil.zoneinfo", ["gettz"]),
        row("dateutil.relativedelta", ["relativedelta"], ("construct", "state")),
        row("dateutil._common", ["weekday"], ("construct", "state")),
        row("pytz", ["_UTC", "_p"], ("call",)),
        row("pytz", ["FixedOffset", "_FixedOffset"], ("call", "construct", "state")),
    ]
    found = classes("networkx.classes")
    rows += class_rows(found)
    rows.append(row("networkx", ["Graph", "DiGraph", "MultiGraph", "MultiDiGraph"], ("construct", "state")))
    for module, names in sorted(functions("networkx.classes").items()):
        rows.append(row(module, names))
    rows += exception_rows("networkx.exception")
    rows.append(row("networkx.algorithms.planarity", ["PlanarEmbedding"], ("construct", "state")))
    rows.append(row("networkx.utils.misc", ["groups"]))
    rows.append(row("networkx.classes.graph", ["_CachedPropertyResetterAdj", "_CachedPropertyResetterNode"]))
    return "joblib, networkx, dateutil and pytz.", rows


def libraries():
    """Libraries of which a few names are pickled, or whose classes only hold data."""
    import requests, xarray, statsmodels
    rows = []
    # requests and urllib3: sessions, answers, errors.
    for module, names in {
        "requests.sessions": ["Session"], "requests.structures": ["CaseInsensitiveDict", "LookupDict"], "requests.cookies": ["RequestsCookieJar"], "requests.adapters": ["HTTPAdapter"],
        "requests.models": ["Response", "Request", "PreparedRequest"], "requests.auth": ["HTTPBasicAuth", "HTTPProxyAuth"],
        "urllib3.util.retry": ["Retry"], "urllib3.util.timeout": ["Timeout"],
    }.items():
        rows.append(row(module, names, ("construct", "state")))
    rows.append(row("urllib3.util.timeout", ["_TYPE_DEFAULT"], ("call", "construct", "members")))
    rows += [row("urllib3.util.retry", ["RequestHistory"], ("call", "construct")), row("urllib3.util.url", ["Url"], ("call", "construct"))]
    rows += exception_rows("requests.exceptions")
    rows += exception_rows("urllib3.exceptions")
    # attrs and pydantic.
    rows.append(row("attr._make", ["Attribute", "Factory", "Converter", "_AndValidator", "_CountingAttr"], ("construct", "state")))
    rows.append(row("attr._make", ["_Nothing"], ("call", "construct", "members")))
    rows.append(row("attr", ["NOTHING"]))
    validators = ["_InstanceOfValidator", "_InValidator", "_OptionalValidator", "_MatchesReValidator", "_DeepIterable", "_DeepMapping", "_NumberValidator", "_MaxLengthValidator", "_MinLengthValidator", "_NotValidator", "_OrValidator", "_SubclassOfValidator", "_IsCallableValidator"]
    rows.append(row("attr.validators", validators, ("construct", "state")))
    rows.append(row("attr._version_info", ["VersionInfo"], ("construct", "state")))
    rows.append(row("pydantic.types", ["SecretStr", "SecretBytes", "Secret"], ("construct", "state")))
    rows.append(row("pydantic.types", ["ByteSize"], ("construct", "state"), ("number",)))
    urls = ["AnyUrl", "AnyHttpUrl", "HttpUrl", "FileUrl", "FtpUrl", "WebsocketUrl", "AnyWebsocketUrl", "PostgresDsn", "CockroachDsn", "AmqpDsn", "RedisDsn", "MongoDsn", "KafkaDsn", "NatsDsn", "MySQLDsn", "MariaDBDsn", "ClickHouseDsn", "SnowflakeDsn", "NameEmail", "_BaseUrl", "_BaseMultiHostUrl"]
    rows.append(row("pydantic.networks", urls, ("construct", "state")))
    rows.append(row("pydantic_core._pydantic_core", ["Url", "MultiHostUrl"], ("call", "construct"), ("atom",)))
    rows.append(row("pydantic_core._pydantic_core", ["PydanticUndefined", "PydanticUndefinedType", "TzInfo"], ("call", "construct"), ("number",)))
    rows.append(row("pydantic.fields", ["FieldInfo"], ("construct", "state")))
    rows.append(row("frozendict", ["frozendict"], ("call", "construct"), ("items",), "data"))
    # Types of machine learning, for numpy.dtype.
    rows.append(row("ml_dtypes", ["bfloat16", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn", "int2", "int4", "uint2", "uint4"]))
    # polars reads its own format; queries (LazyFrame, Expr) may hold pickled functions.
    rows.append(row("polars.dataframe.frame", ["DataFrame"], ("construct", "state")))
    rows.append(row("polars.series.series", ["Series"], ("construct", "state")))
    rows.append(row("polars.datatypes.classes", "Boolean Int8 Int16 Int32 Int64 Int128 UInt8 UInt16 UInt32 UInt64 Float16 Float32 Float64 String Utf8 Binary Date Time Null Decimal Datetime Duration List Array Struct Field Enum Categorical Unknown".split(), ("call", "construct", "state"), ({"rest": "any"},)))
    rows.append(row("polars.schema", ["Schema"], ("call", "construct", "items"), ("pairs",)))
    # pyarrow: types and arrays. Types of its own kind (ExtensionType) may unpickle what they are given.
    plain = ["type_for_alias", "timestamp", "time32", "time64", "duration", "decimal32", "decimal64", "decimal128", "decimal256", "binary"]
    rows.append(row("pyarrow.lib", plain, ("call",), ({"rest": "atom"},)))
    rows.append(row("pyarrow.lib", ["list_", "large_list", "list_view", "large_list_view", "map_", "struct", "dictionary", "run_end_encoded", "field", "schema", "sparse_union", "dense_union", "KeyValueMetadata", "_reconstruct_table", "_reconstruct_record_batch", "chunked_array"], ("call",), ({"rest": "any"},)))
    rows.append(row("pyarrow.lib", ["py_buffer"], ("call",), ("sized",)))
    rows.append(row("pyarrow.lib", ["scalar"], ("call",), ("any", "any")))
    # Shapely and Pillow: their data are checked by code.
    rows.append(row("shapely.geometry.polygon", ["_unpickle_linearring"], ("call",), ("atom",)))
    rows.append(row("shapely.io", ["from_wkb"], ("call",), ("atom",)))
    rows.append(row("shapely.strtree", ["STRtree"], ("call",), ("items", "number")))
    # SciPy's distributions of several variables, which execute nothing.
    import scipy.stats._multivariate as multivariate
    rows.append(row(multivariate.__name__, [n for n, c in vars(multivariate).items() if inspect.isclass(c) and c.__module__ == multivariate.__name__ and is_harmless(c)], ("construct", "state")))
    # xarray: data in memory; what its backends make opens files.
    rows += class_rows(classes("xarray", keep=lambda cls: not issubclass(cls, BaseException)))
    rows.append(row("xarray.core.utils", ["Frozen", "FrozenDict", "ReprObject", "Default"], ("construct", "state")))
    # statsmodels: the state of a model fitted by a formula evaluates it, which code looks for.
    rows += class_rows(classes("statsmodels"))
    # LightGBM and XGBoost: models; what they hold as a handle is checked by code.
    rows.append(row("lightgbm.sklearn", ["LGBMModel", "LGBMClassifier", "LGBMRegressor", "LGBMRanker"], ("construct", "state")))
    rows.append(row("lightgbm.basic", ["Booster", "_InnerPredictor"][:1], ("construct", "state")))
    rows.append(row("xgboost.core", ["Booster"], ("construct", "state")))
    rows.append(row("xgboost.sklearn", ["XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"], ("construct", "state")))
    # SymPy computes what is made, and reads texts as code: arguments are numbers and what it made itself.
    made = ({"rest": {"made": ["sympy"]}},)
    numbers = ["One", "Zero", "NegativeOne", "Half", "Infinity", "NegativeInfinity", "NaN", "ComplexInfinity", "Pi", "Exp1", "GoldenRatio", "TribonacciConstant", "EulerGamma", "Catalan", "ImaginaryUnit"]
    rows.append(row("sympy.core.numbers", numbers, ("call", "construct"), ()))
    rows.append(row("sympy.core.numbers", ["Integer", "Rational"], ("call", "construct"), ("rational", "rational")))
    rows.append(row("sympy.core.symbol", ["Symbol", "Dummy"], ("call", "construct", "state"), ("label", {"rest": "data"})))
    for module, names in {
        "sympy.core.add": ["Add"], "sympy.core.mul": ["Mul"], "sympy.core.power": ["Pow"], "sympy.core.containers": ["Tuple"], "sympy.core.relational": ["Equality", "Unequality", "GreaterThan", "LessThan", "StrictGreaterThan", "StrictLessThan"],
        "sympy.functions.elementary.trigonometric": ["sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "acot", "asec", "acsc", "atan2", "sinc"],
        "sympy.functions.elementary.hyperbolic": ["sinh", "cosh", "tanh", "coth", "sech", "csch", "asinh", "acosh", "atanh", "acoth"],
        "sympy.functions.elementary.exponential": ["exp", "log", "LambertW"], "sympy.functions.elementary.complexes": ["Abs", "sign", "re", "im", "conjugate", "arg"],
        "sympy.functions.elementary.integers": ["floor", "ceiling", "frac"], "sympy.functions.elementary.miscellaneous": ["Max", "Min"],
        "sympy.matrices.immutable": ["ImmutableDenseMatrix"], "sympy.logic.boolalg": ["And", "Or", "Not", "BooleanTrue", "BooleanFalse"], "sympy.functions.elementary.piecewise": ["Piecewise", "ExprCondPair"],
        "sympy.sets.sets": ["Interval", "FiniteSet", "Union", "Intersection", "Complement", "EmptySet", "UniversalSet"], "sympy.integrals.integrals": ["Integral"], "sympy.core.function": ["Derivative"],
    }.items():
        rows.append(row(module, names, ("call", "construct"), made))
    rows.append(row("sympy.matrices.dense", ["MutableDenseMatrix"], ("construct", "state")))
    rows.append(row("sympy.matrices.immutable", ["ImmutableDenseMatrix"], ("construct", "state")))
    rows.append(row("sympy.polys.matrices.domainmatrix", ["DomainMatrix"], ("call",), ({"rest": "any"},)))
    for domain in ("IntegerRing", "RationalField", "RealField", "ComplexField", "ExpressionDomain", "ExpressionRawDomain", "PythonIntegerRing", "PythonRationalField"):
        rows.append(row("sympy.polys.domains." + domain.lower(), [domain], ("construct", "state")))
    return "requests, attrs, pydantic, ml_dtypes, polars, pyarrow, Shapely, xarray, statsmodels, LightGBM, XGBoost and SymPy.", rows


def survey(out):
    """What the packages of this Python have, by the name of the file it is for."""
    found = {}
    if len(sys.argv) > 2:
        makes = [globals()[name] for name in sys.argv[2:]]
    else:
        makes = [stdlib, numpy, pandas, scipy, sklearn, torch, others, libraries]
    for make in makes:
        try:
            found[make.__name__] = make()
        except ImportError as error:
            print("skipped", make.__name__, error, file=sys.stderr)
    with open(out, "w") as f:
        json.dump(found, f, default=list)


def listed(name):
    """The rows of a .toml file as it is."""
    import tomllib
    path = os.path.join(HERE, name + ".toml")
    rows = tomllib.load(open(path, "rb"))["allow"] if os.path.exists(path) else []
    return [row(r["module"], r["names"], r.get("may", ()), r.get("args"), r.get("follows"), r.get("otherwise")) for r in rows]


def merge(surveys, base=lambda name: []):
    abouts, rows = {}, {}
    for path in surveys:
        for name, (about, found) in json.load(open(path)).items():
            abouts[name] = about
            rows.setdefault(name, base(name)).extend(found)
    for name, found in rows.items():
        write(name, abouts[name], found)


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        merge(sys.argv[2:])
    elif sys.argv[1] == "--add":
        merge(sys.argv[2:], listed)
    else:
        survey(sys.argv[1])
