#!/usr/bin/env python3
"""Ordinary pickles for the scanner. Sections whose library is missing are skipped.

usage: ordinary.py OUT [--prefix WORD] [--only WHAT,WHAT...]

Writes OUT/LIB-pN-WHAT.pkl (each object at two protocols, going round 0 to 5) and files of other forms (.npy, .npz, .joblib, .pt, .gz ...).
"""
import argparse, array, collections, datetime, decimal, enum, fractions, functools, gzip, bz2, lzma, io, ipaddress, itertools, json, os, pathlib, pickle, random, re, sys, tempfile, types, uuid, warnings, zlib
warnings.simplefilter("ignore")
ap = argparse.ArgumentParser(); ap.add_argument("out"); ap.add_argument("--prefix", default=""); ap.add_argument("--only", type=lambda text: set(text.split(","))); a = ap.parse_args()
os.makedirs(a.out, exist_ok=True)
index, turn = [], itertools.count()
TOP = pickle.HIGHEST_PROTOCOL

def put(name, data, lib):
    if a.only and not a.only & set(re.split(r"[-.]", name)): return
    name = a.prefix + name
    with open(os.path.join(a.out, name), "wb") as f: f.write(data)
    index.append({"file": name, "lib": lib})
def ordinary(lib, what, obj, protos=None):
    n = next(turn)
    if a.only and what not in a.only: return
    for p in protos or sorted({n % (TOP + 1), (n + 3) % (TOP + 1)}):
        try: data = pickle.dumps(obj, p)
        except Exception as e: print("skipped", lib, what, p, repr(e)[:70], file=sys.stderr); continue
        put(f"{lib}-p{p}-{what}.pkl", data, lib)

# ---- the standard library ------------------------------------------------------------------------
rng = random.Random(1)
L = "stdlib"
ordinary(L, "none", None); ordinary(L, "numbers", [0, -1, 255, 2**31, 2**70, -2**100, 1.5, float("inf"), True, 1j])
ordinary(L, "text", ["", "abc", "caf\xe9", "\u20ac" * 100, "\U0001f952", "a\nb\\"]); ordinary(L, "bytes", [b"", b"abc", bytes(range(256)), bytearray(b"xyz")])
ordinary(L, "containers", [[], [1, [2]], (), (1,), (1, 2, 3, 4), {}, {"a": {"b": 1}}, set(), {1, 2}, frozenset([3])])
s = [1]; ordinary(L, "shared", [s, s, (s,), {"s": s}]); c = []; c.append(c); ordinary(L, "cycle", c)
ordinary(L, "records", [{"id": i, "name": f"user{i}", "score": rng.random(), "tags": ["a", "b"], "active": i % 2 == 0} for i in range(500)])
ordinary(L, "config", {"debug": False, "paths": ["/a", "/b"], "limits": {"cpu": 4, "mem": 2.5}, "db": {"host": "localhost", "port": 5432}})
ordinary(L, "words", {w: i for i, w in enumerate("the quick brown fox jumps over the lazy dog".split())}); ordinary(L, "matrix", [[float(i * j) for j in range(30)] for i in range(30)])
ordinary(L, "ordereddict", collections.OrderedDict([("z", 1), ("a", [2])])); d = collections.defaultdict(list); d["a"].append(1); ordinary(L, "defaultdict", d); ordinary(L, "defaultdict_int", collections.defaultdict(int, a=1)); ordinary(L, "defaultdict_set", collections.defaultdict(set, a={1}))
ordinary(L, "counter", collections.Counter("hello")); ordinary(L, "deque", [collections.deque([1, 2], 5), collections.deque()]); ordinary(L, "chainmap", collections.ChainMap({"a": 1}, {"b": 2})); ordinary(L, "userdict", [collections.UserDict(a=1), collections.UserList([1]), collections.UserString("s")])
ordinary(L, "datetime", [datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.date(1999, 12, 31), datetime.time(23, 59), datetime.timedelta(1, 2, 3)]); ordinary(L, "datetime_utc", [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), datetime.timezone(datetime.timedelta(hours=2), "X")])
try:
    import zoneinfo; ordinary(L, "zoneinfo", datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")))
except Exception: pass
ordinary(L, "decimal", [decimal.Decimal("3.14"), decimal.Decimal("NaN")]); ordinary(L, "fraction", fractions.Fraction(22, 7)); ordinary(L, "uuid", uuid.UUID(int=5)); ordinary(L, "complex", [1j, 2 + 3j]); ordinary(L, "range_slice", [range(10), range(5, 1, -2), slice(1, 2)])
ordinary(L, "array", [array.array("i", [1, 2]), array.array("d", [1.5])]); ordinary(L, "ipaddress", [ipaddress.ip_address("10.0.0.1"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_address("::1")]); ordinary(L, "purepath", [pathlib.PurePosixPath("/a/b"), pathlib.PureWindowsPath("c:/x")]); ordinary(L, "path", pathlib.PosixPath("/tmp/x"))
ordinary(L, "namespace", types.SimpleNamespace(a=1, b=[2])); ordinary(L, "regex", re.compile("a(b+)c", re.I)); ordinary(L, "exceptions", [ValueError("bad", 1), KeyError("k"), OSError(2, "No such file"), RuntimeError(), StopIteration(3), UnicodeDecodeError("ascii", b"x", 0, 1, "r")])
ordinary(L, "types", [int, str, dict, list, float, bytes, tuple, type(None), object, collections.OrderedDict]); ordinary(L, "ellipsis", [Ellipsis, NotImplemented]); ordinary(L, "random_state", random.Random(3)); ordinary(L, "struct_time", __import__("time").gmtime(0)); ordinary(L, "email", __import__("email").message_from_string("Subject: hi\n\nbody"))
ordinary(L, "cookies", __import__("http.cookies", fromlist=["x"]).SimpleCookie("a=b")); ordinary(L, "urlparse", __import__("urllib.parse", fromlist=["x"]).urlparse("http://x/y?z")); ordinary(L, "logrecord", __import__("logging").makeLogRecord({"msg": "hello", "levelno": 20})); ordinary(L, "calendar_month", [datetime.date(2020, m, 1) for m in range(1, 13)])
ordinary(L, "httpstatus", [__import__("http").HTTPStatus.OK]); ordinary(L, "xml", __import__("xml.etree.ElementTree", fromlist=["x"]).fromstring("<a><b c='d'/></a>")); ordinary(L, "nested_deep", functools.reduce(lambda v, _: [v], range(200), [])); ordinary(L, "big_text", "lorem ipsum " * 20000); ordinary(L, "big_bytes", bytes(range(256)) * 400)
ordinary(L, "functions", [len, print, sum, max]); ordinary(L, "itertools", [itertools.count(3)]) if sys.version_info < (3, 14) else None; ordinary(L, "iterators", [iter([1, 2]), iter((1,)), iter("ab")]); hasattr(__import__("statistics"), "NormalDist") and ordinary(L, "statistics", __import__("statistics").NormalDist(1, 2)); ordinary(L, "session", {"_auth_user_id": "42", "_fresh": True, "csrf": "x" * 40, "expires": datetime.datetime(2030, 1, 1)})
ordinary(L, "celery_message", {"task": "app.tasks.add", "id": str(uuid.UUID(int=9)), "args": [1, 2], "kwargs": {}, "eta": None, "retries": 0}); ordinary(L, "cache_entry", (b"value", 1700000000.5, {"etag": "abc"})); ordinary(L, "metrics", [("servers.web.cpu", (1700000000 + i, i * .5)) for i in range(200)])
ordinary(L, "base64_text", {"image": __import__("base64").b64encode(bytes(range(256)) * 8).decode()}); ordinary(L, "hex_text", {"sha": "%064x" % 12345678901234567890}); ordinary(L, "text_like_pickle", ["cos", "system", "I think that. S0 it is.", "(lp0\n", "R.", "exec(", "__import__", "os.system"]); ordinary(L, "json_text", json.dumps({"a": [1, 2, {"b": None}]})); ordinary(L, "bytes_like_pickle", [b"\x80\x04 not a pickle", b".", b"N.", zlib.compress(b"hello" * 50)])
x = pickle.dumps({"a": [1, 2, datetime.date(2020, 1, 1)]}, 4)
put("stdlib-several.pkl", x * 3, L); put("stdlib-gz.pkl.gz", gzip.compress(x), L); put("stdlib-bz2.pkl.bz2", bz2.compress(x), L); put("stdlib-xz.pkl.xz", lzma.compress(x), L); put("stdlib-zlib.pkl.z", zlib.compress(x), L); put("stdlib-nested-pickle.pkl", pickle.dumps({"payload": pickle.dumps([1, {"a": "b"}], 2)}, 4), L)
f = io.BytesIO(); P = pickle.Pickler(f, 4); [P.dump(o) for o in (s, [s, s])]; put("stdlib-shared-memo.pkl", f.getvalue(), L)

def late(lib, what, make, protos=None):
    """An object that only some Pythons and libraries can make."""
    try: obj = make()
    except Exception: return
    ordinary(lib, what, obj, protos)
ordinary(L, "word_lists", ["sin\ncos\ntan\n", "cat\nsat\nmat\n", "ios\nandroid\n", "class\nname\n"]); late(L, "unions", lambda: [int | str, int | None]); late(L, "generics", lambda: [list[int], dict[str, int], __import__("typing").List[int], __import__("typing").Optional[str]])
late(L, "module_errors", lambda: [__import__("shutil").Error("x"), __import__("sqlite3").IntegrityError("x"), __import__("subprocess").CalledProcessError(1, "cmd"), __import__("socket").timeout("t"), __import__("urllib.error").error.URLError("x"), __import__("asyncio").TimeoutError()])
late(L, "module_enums", lambda: [__import__("socket").AF_INET, __import__("ssl").CERT_REQUIRED, __import__("signal").SIGTERM, __import__("inspect").Parameter.POSITIONAL_ONLY, __import__("http").HTTPStatus.OK]); late(L, "results", lambda: [os.times(), os.statvfs("/"), __import__("resource").getrusage(0)])
late(L, "syntax_tree", lambda: __import__("ast").parse("a = 1 + b")); late(L, "signature", lambda: __import__("inspect").signature(os.path.join)); late(L, "iterators", lambda: [map(str, [1]), filter(None, [0, 1]), iter(range(3)), iter(b"abc")]); late(L, "methods", lambda: [str.lower, [1].append, {}.get, datetime.datetime.fromisoformat])
late(L, "factories", lambda: collections.defaultdict(functools.partial(collections.defaultdict, int))); late(L, "partials", lambda: [functools.partial(max, 1), functools.partial(sorted, reverse=True)]); late(L, "bytes_by_text", lambda: [bytearray(b"\x00\xff"), re.compile(b"a+"), b"\x80\x04N."], [0, 1, 2]); late(L, "loggers", lambda: [__import__("logging").getLogger("a.b"), __import__("logging").Formatter("%(message)s")])

# ---- numpy ------------------------------------------------------------------------------------------
try: import numpy as np
except ImportError: np = None
if np is not None:
    L = "numpy"; r = np.random.RandomState(0)
    for t in "bool int8 uint8 int32 int64 float16 float32 float64 complex128 longdouble".split(): ordinary(L, "array_" + t, np.arange(6).astype(t))
    ordinary(L, "array_2d", r.normal(size=(10, 4))); ordinary(L, "array_fortran", np.asfortranarray(np.ones((3, 2)))); ordinary(L, "array_big_endian", np.arange(4, dtype=">i4")); ordinary(L, "array_0d", np.array(1.5)); ordinary(L, "array_empty", np.zeros((0, 3))); ordinary(L, "array_large", r.normal(size=30000))
    ordinary(L, "array_text", np.array(["a", "bcd"])); ordinary(L, "array_bytes", np.array([b"a", b"bc"])); ordinary(L, "array_object", np.array([1, "x", None, [1]], dtype=object)); ordinary(L, "array_datetime", np.array(["2020-01-01", "NaT"], dtype="M8[D]")); ordinary(L, "array_structured", np.array([(1, 2.0, b"x")], dtype=[("a", "i4"), ("b", "f8"), ("c", "S3")])); ordinary(L, "array_shared", (lambda q: [q, q])(np.arange(3)))
    ordinary(L, "scalars", [np.float64(1.5), np.int32(3), np.bool_(True), np.str_("s"), np.datetime64("2020-01-01")]); ordinary(L, "dtypes", [np.dtype("f8"), np.dtype([("a", "i4")]), np.dtype("U5"), np.dtype("O")]); ordinary(L, "recarray", np.rec.array([(1, 2.0)], names="x,y")); ordinary(L, "masked", np.ma.array([1, 2, 3], mask=[0, 1, 0])); ordinary(L, "matrix", np.matrix([[1, 2]]))
    ordinary(L, "randomstate", np.random.RandomState(3)); ordinary(L, "generator", np.random.default_rng(3)); ordinary(L, "poly1d", np.poly1d([1, 2])); ordinary(L, "polynomial", np.polynomial.Polynomial([1, 2])); ordinary(L, "dict", {"x": np.arange(3), "meta": {"n": np.float32(1)}}); ordinary(L, "list_of_arrays", [np.arange(i) for i in range(50)]); ordinary(L, "types", [np.float64, np.ndarray, np.int64])
    ordinary(L, "ufunc", [np.add, np.log1p]); late(L, "limits", lambda: [np.finfo("f8"), np.iinfo("i4")]); late(L, "vectorize", lambda: np.vectorize(max)); late(L, "decompositions", lambda: [np.linalg.svd(np.eye(2)), np.linalg.eigh(np.eye(2))]); late(L, "masked_constant", lambda: np.ma.masked)
    def memory_map():
        with tempfile.TemporaryDirectory() as d: return np.array(np.memmap(d + "/m", dtype="f4", mode="w+", shape=(5,)), subok=True, copy=False)
    late(L, "memory_map", memory_map)
    for n, v in (("plain", np.arange(5)), ("object", np.array([{"a": 1}, "x"], dtype=object))):
        f = io.BytesIO(); np.save(f, v, allow_pickle=True); put(f"numpy-{n}.npy", f.getvalue(), L)
    f = io.BytesIO(); np.savez(f, a=np.arange(3), b=np.array([1, "x"], dtype=object)); put("numpy-mixed.npz", f.getvalue(), L); f = io.BytesIO(); np.savez_compressed(f, a=np.ones(100)); put("numpy-compressed.npz", f.getvalue(), L)
# ---- pandas -------------------------------------------------------------------------------------------
try: import pandas as pd
except ImportError: pd = None
if pd is not None:
    L = "pandas"
    df = pd.DataFrame({"i": [1, 2, 3], "f": [1.5, None, 2.5], "s": ["a", "b", None], "d": pd.date_range("2020-01-01", periods=3), "c": pd.Categorical(["x", "y", "x"]), "b": [True, False, True]})
    for n, v in {"dataframe": df, "series": df["f"], "series_str": df["s"], "series_cat": df["c"], "series_dt": df["d"], "index": pd.Index([3, 1], name="n"), "index_str": pd.Index(["a", "b"]), "rangeindex": pd.RangeIndex(5), "multiindex": pd.MultiIndex.from_product([["a", "b"], [1, 2]]), "df_multiindex": pd.DataFrame({"v": range(4)}, index=pd.MultiIndex.from_product([["a", "b"], [1, 2]])),
                 "datetimeindex": pd.date_range("2020", periods=4, freq="D"), "datetimeindex_tz": pd.date_range("2020", periods=4, freq="D", tz="UTC"), "tz_berlin": pd.Series(pd.date_range("2020", periods=2, tz="Europe/Berlin")), "periodindex": pd.period_range("2020-01", periods=3, freq="M"), "intervalindex": pd.interval_range(0, 3), "timedelta": pd.to_timedelta([1, 2], unit="h"), "timestamp": [pd.Timestamp("2020-01-02"), pd.Timedelta("1D"), pd.Period("2020-01"), pd.NaT, pd.Interval(0, 1)],
                 "na": [pd.NA], "categorical": pd.Categorical(["b", "a"], ordered=True), "nullable": pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean"), "c": pd.array(["x", None], dtype="string")}), "sparse": pd.arrays.SparseArray([0, 0, 1]), "offsets": [pd.offsets.BDay(2), pd.offsets.MonthEnd()], "empty": pd.DataFrame(), "big": pd.DataFrame(np.random.RandomState(1).normal(size=(300, 10))), "groupby": df.groupby("b")["i"].sum(), "describe": df[["i", "f"]].describe(), "dtypes": [pd.Int64Dtype(), pd.CategoricalDtype(["a"])], "dict": {"train": df, "test": df[:1]}}.items(): ordinary(L, n, v)
# ---- scipy ----------------------------------------------------------------------------------------------
try: import scipy.sparse as sp, scipy.stats, scipy.interpolate, scipy.spatial
except ImportError: sp = None
if sp is not None:
    for f in "csr csc coo dia bsr lil dok".split(): ordinary("scipy", "sparse_" + f, sp.random(5, 4, .4, format=f, random_state=1))
    ordinary("scipy", "norm", scipy.stats.norm(1, 2)); ordinary("scipy", "interp1d", scipy.interpolate.PchipInterpolator([0, 1, 2], [1, 3, 2]), [2, 4]); ordinary("scipy", "kdtree", scipy.spatial.cKDTree(np.random.RandomState(0).normal(size=(20, 2))), [2, 4])
# ---- scikit-learn -----------------------------------------------------------------------------------------
try: import sklearn
except ImportError: sklearn = None
if sklearn is not None:
    from sklearn import linear_model, ensemble, svm, neighbors, naive_bayes, cluster, decomposition, tree, preprocessing, pipeline, feature_extraction, neural_network, gaussian_process, compose, model_selection, isotonic, calibration, discriminant_analysis, feature_selection, impute, mixture, kernel_ridge, cross_decomposition, multiclass, dummy
    L = "sklearn"; r = np.random.RandomState(0); X = r.normal(size=(60, 4)); y = (X[:, 0] > 0).astype(int)
    E = {"linear": linear_model.LinearRegression(), "logistic": linear_model.LogisticRegression(), "ridge": linear_model.Ridge(), "lasso": linear_model.Lasso(), "sgd": linear_model.SGDClassifier(random_state=0), "perceptron": linear_model.Perceptron(), "elastic": linear_model.ElasticNetCV(cv=3), "forest": ensemble.RandomForestClassifier(5, random_state=0), "forest_reg": ensemble.RandomForestRegressor(5, random_state=0), "extra": ensemble.ExtraTreesClassifier(5), "gboost": ensemble.GradientBoostingClassifier(n_estimators=5), "adaboost": ensemble.AdaBoostClassifier(n_estimators=5), "bagging": ensemble.BaggingClassifier(n_estimators=3), "voting": ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", naive_bayes.GaussianNB())]),
         "isoforest": ensemble.IsolationForest(n_estimators=5), "svc": svm.SVC(), "svr": svm.SVR(), "linearsvc": svm.LinearSVC(), "knn": neighbors.KNeighborsClassifier(), "knn_reg": neighbors.KNeighborsRegressor(), "gnb": naive_bayes.GaussianNB(), "kmeans": cluster.KMeans(2, n_init=1), "dbscan": cluster.DBSCAN(), "agglo": cluster.AgglomerativeClustering(2), "pca": decomposition.PCA(2), "nmf_tsvd": decomposition.TruncatedSVD(2), "tree": tree.DecisionTreeClassifier(), "scaler": preprocessing.StandardScaler(), "minmax": preprocessing.MinMaxScaler(), "poly": preprocessing.PolynomialFeatures(), "quantile": preprocessing.QuantileTransformer(n_quantiles=10), "mlp": neural_network.MLPClassifier((5,), max_iter=5), "gp": gaussian_process.GaussianProcessRegressor(), "lda": discriminant_analysis.LinearDiscriminantAnalysis(), "kbest": feature_selection.SelectKBest(k=2), "imputer": impute.SimpleImputer(), "gmm": mixture.GaussianMixture(2), "pls": cross_decomposition.PLSRegression(2), "ovr": multiclass.OneVsRestClassifier(linear_model.LogisticRegression()), "dummy": dummy.DummyClassifier(), "calibrated": calibration.CalibratedClassifierCV(naive_bayes.GaussianNB()),
         "pipeline": pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()), "gridsearch": model_selection.GridSearchCV(linear_model.Ridge(), {"alpha": [1, 2]}), "coltrans": compose.ColumnTransformer([("a", preprocessing.StandardScaler(), [0, 1])])}
    for n, e in E.items(): ordinary(L, n, e.fit(X, y))
    ordinary(L, "histgb", ensemble.HistGradientBoostingClassifier(max_iter=3).fit(X, y)) if hasattr(ensemble, "HistGradientBoostingClassifier") else None
    ordinary(L, "onehot", preprocessing.OneHotEncoder().fit([["a"], ["b"]])); ordinary(L, "label", preprocessing.LabelEncoder().fit(["a", "b"])); ordinary(L, "ordinal", preprocessing.OrdinalEncoder().fit([["a"], ["b"]])); ordinary(L, "tfidf", feature_extraction.text.TfidfVectorizer().fit(["a cat sat", "the dog"])); ordinary(L, "countvec", feature_extraction.text.CountVectorizer().fit(["a cat"])); ordinary(L, "isotonic", isotonic.IsotonicRegression().fit(X[:, 0], y)); ordinary(L, "unfitted", linear_model.Ridge())
    try:
        import joblib
        for c in (0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3)):
            f = io.BytesIO(); joblib.dump({"model": E["forest"], "x": X}, f, compress=c); put(f"joblib-{c[0] if c else 'plain'}.joblib", f.getvalue(), "joblib")
    except ImportError: pass
# ---- networkx -----------------------------------------------------------------------------------------------
try: import networkx as nx
except ImportError: nx = None
if nx is not None:
    late("networkx", "graph_views", lambda: (lambda g: [g.nodes, g.edges, g.adj, g])(nx.path_graph(4))); late("networkx", "error", lambda: nx.NetworkXError("x"))
    for n, g in {"path": nx.path_graph(5), "karate": nx.karate_club_graph(), "digraph": nx.DiGraph([(1, 2, {"w": 1.5})]), "multigraph": nx.MultiGraph([(1, 2), (1, 2)]), "multidigraph": nx.MultiDiGraph([("a", 1)]), "attributes": nx.Graph([("x", "y", {"color": "red"})], name="g"), "random": nx.gnm_random_graph(100, 300, seed=1), "tree": nx.balanced_tree(2, 4), "empty": nx.Graph()}.items(): ordinary("networkx", n, g)
# ---- torch --------------------------------------------------------------------------------------------------
try: import torch
except ImportError: torch = None
if torch is not None:
    L = "torch"; torch.manual_seed(0); t = torch.arange(6.).reshape(2, 3)
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1)); opt = torch.optim.Adam(net.parameters()); net(torch.ones(5, 4)).sum().backward(); opt.step()
    for n, v in {"tensor": t, "dtypes": [torch.zeros(2, dtype=d) for d in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.int32, torch.int64, torch.uint8, torch.bool, torch.complex64)], "views": [t, t[0], t.t()], "parameter": torch.nn.Parameter(t), "state_dict": net.state_dict(), "optimizer": opt.state_dict(), "checkpoint": {"epoch": 3, "model": net.state_dict(), "opt": opt.state_dict(), "args": {"lr": 1e-3}}, "size": t.shape, "sparse": torch.eye(3).to_sparse(), "lstm": torch.nn.LSTM(3, 2).state_dict(), "embedding": torch.nn.Embedding(5, 3).state_dict(), "requires_grad": torch.ones(2, requires_grad=True), "ordered": collections.OrderedDict(a=t), "device_dtype": [torch.device("cpu"), torch.float32], "rng": torch.get_rng_state(), "quantized": torch.quantize_per_tensor(t, .1, 0, torch.qint8), "empty": torch.empty(0)}.items():
        f = io.BytesIO()
        try: torch.save(v, f)
        except TypeError: continue        # Generators, before PyTorch 2.
        put(f"torch-{n}.pt", f.getvalue(), L)
        f = io.BytesIO(); torch.save(v, f, _use_new_zipfile_serialization=False); put(f"torch-{n}.legacy.pt", f.getvalue(), L)
    nets = {"convolution": torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.MaxPool2d(2), torch.nn.LeakyReLU(), torch.nn.Flatten(), torch.nn.Softmax(1)), "transformer": torch.nn.TransformerEncoderLayer(4, 1, 4), "recurrent": torch.nn.GRU(2, 2), "losses": torch.nn.ModuleList([torch.nn.CrossEntropyLoss(), torch.nn.MSELoss()]), "upsampling": torch.nn.Sequential(torch.nn.ConvTranspose2d(1, 1, 2), torch.nn.Upsample(scale_factor=2), torch.nn.LogSoftmax(1))}
    w = torch.nn.Linear(2, 2)
    nets.update({"optimizers": [getattr(torch.optim, o)(w.parameters(), lr=.1) for o in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop")], "schedulers": torch.optim.lr_scheduler.StepLR(torch.optim.SGD(w.parameters(), lr=.1), 1), "loader": torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(3, 2))), "packed": torch.nn.utils.rnn.pack_sequence([torch.rand(2)]), "functions": [torch.relu, torch.nn.functional.gelu], "random_generator": torch.Generator().manual_seed(1), "best_of": torch.rand(3, 2).max(0)})
    for n, v in nets.items():
        f = io.BytesIO()
        try: torch.save(v, f)
        except TypeError: continue        # Generators, before PyTorch 2.
        put(f"torch-{n}.pt", f.getvalue(), L)
        f = io.BytesIO(); torch.save(v, f, _use_new_zipfile_serialization=False); put(f"torch-{n}.legacy.pt", f.getvalue(), L)
        ordinary(L, n, v, [2, 4])
    ordinary(L, "plain_tensor", t); ordinary(L, "plain_state_dict", net.state_dict()); ordinary(L, "plain_size", t.shape)
    f = io.BytesIO(); torch.save(net, f); put("torch-module.pt", f.getvalue(), L)
old = os.path.join(a.out, "index.json"); before = [e for e in json.load(open(old)) if e["file"] not in {i["file"] for i in index}] if os.path.exists(old) else []
json.dump(before + index, open(old, "w"), indent=0)
print(len(index), "ordinary files", dict(collections.Counter(e["lib"] for e in index)))

# ---- libraries of which a few things are pickled ---------------------------------------------------------
def with_numpy(): import numpy; return numpy
def libraries():
    import importlib
    def has(name):
        try: return importlib.import_module(name)
        except Exception: return None
    np, pd = has("numpy"), has("pandas")
    if has("requests"):
        import requests
        L = "requests"
        def session(): s = requests.Session(); s.headers["x-a"] = "b"; s.cookies.set("a", "b", domain="x.org"); s.auth = ("u", "p"); return s
        late(L, "session", session); late(L, "prepared", lambda: requests.Request("GET", "http://x/y", params={"a": 1}, headers={"b": "c"}).prepare()); late(L, "request", lambda: requests.Request("POST", "http://x/", data={"a": 1}))
        def response(): r = requests.models.Response(); r.status_code = 200; r._content = b"abc"; r.url = "http://x/"; return r
        late(L, "response", response); late(L, "errors", lambda: [requests.exceptions.HTTPError("x"), requests.exceptions.ConnectionError("x"), requests.exceptions.Timeout("t")]); late(L, "dict", lambda: requests.structures.CaseInsensitiveDict({"A": 1}))
        import urllib3; late(L, "retry", lambda: [urllib3.util.retry.Retry(3, backoff_factor=.5), urllib3.util.timeout.Timeout(2)]); late(L, "basic_auth", lambda: requests.auth.HTTPBasicAuth("a", "b"))
    if pd is not None and int(pd.__version__.split(".")[0]) >= 3:
        L = "pandas3"; df = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": pd.Categorical(["u", "v", "u"]), "d": pd.date_range("2020", periods=3), "e": [1.5, None, 2]})
        late(L, "frame", lambda: df); late(L, "multi", lambda: df.set_index(["a", "b"])); late(L, "group", lambda: df.groupby("b").agg({"a": "sum"})); late(L, "series", lambda: [df["b"], df["c"], df["d"], df["e"].astype("Float64")]); late(L, "tz", lambda: pd.Series(pd.date_range("2020", periods=3, tz="Europe/Berlin")))
        late(L, "arrow", lambda: pd.Series([1, 2, None], dtype="int64[pyarrow]")); late(L, "arrow_text", lambda: pd.Series(["a", None], dtype="string[pyarrow]")); late(L, "python_text", lambda: pd.Series(["a", None], dtype="string[python]")); late(L, "sparse", lambda: pd.arrays.SparseArray([0, 0, 1]))
        late(L, "scalars", lambda: [pd.Timestamp("2020", tz="UTC"), pd.Timedelta("1d"), pd.Period("2020-01"), pd.Interval(0, 1), pd.NaT, pd.NA]); late(L, "indexes", lambda: [pd.RangeIndex(5), pd.Index(["a", "b"]), pd.MultiIndex.from_product([[1, 2], ["a"]]), pd.CategoricalIndex(["a"]), pd.interval_range(0, 3), pd.period_range("2020", periods=2, freq="M"), pd.timedelta_range("1d", periods=2)])
        late(L, "dtypes", lambda: [pd.Int64Dtype(), pd.CategoricalDtype(["a"]), pd.StringDtype(), pd.DatetimeTZDtype("ns", "UTC"), pd.PeriodDtype("D"), pd.IntervalDtype("int64"), pd.BooleanDtype(), pd.SparseDtype("f8")]); late(L, "offsets", lambda: [pd.offsets.MonthEnd(), pd.offsets.BDay(2), pd.offsets.Week(weekday=1), pd.DateOffset(months=1)])
        late(L, "objects", lambda: pd.Series([1, "a", None, [1]], dtype=object)); late(L, "bool", lambda: pd.array([True, None])); late(L, "describe", lambda: df.describe()); late(L, "list_arrow", lambda: pd.Series([[1], [2, 3]], dtype=pd.ArrowDtype(has("pyarrow").list_(has("pyarrow").int64()))))
    pl = has("polars")
    if pl: L = "polars"; f = pl.DataFrame({"a": [1, 2], "b": ["x", None], "c": [[1], [2]]}); late(L, "frame", lambda: f); late(L, "series", lambda: [f["a"], f["b"]]); late(L, "dtypes", lambda: [pl.Int64, pl.String, pl.List(pl.Int8), pl.Datetime("us")]); late(L, "schema", lambda: f.schema)
    pa = has("pyarrow")
    if pa:
        L = "pyarrow"; t = pa.table({"a": [1, 2, None], "b": ["x", "y", None], "c": [[1], None, [2, 3]], "d": [{"p": 1}, {"p": 2}, None], "e": [True, None, False]})
        late(L, "table", lambda: t); late(L, "batch", lambda: t.to_batches()[0]); late(L, "arrays", lambda: [c.chunk(0) for c in t.columns]); late(L, "dictionary", lambda: pa.array(["a", "b", "a"]).dictionary_encode()); late(L, "types", lambda: [pa.int8(), pa.string(), pa.list_(pa.int32()), pa.struct([("a", pa.int8())]), pa.map_(pa.string(), pa.int8()), pa.decimal128(10, 2), pa.dictionary(pa.int8(), pa.string()), pa.timestamp("ns", "UTC"), pa.binary(4), pa.list_(pa.int8(), 2), pa.date32(), pa.time64("us"), pa.duration("s")])
        late(L, "more", lambda: [pa.array([1.5], pa.float32()), pa.array([b"abcd"], pa.binary(4)), pa.array([[1, 2]], pa.list_(pa.int8(), 2)), pa.array([None, None]), pa.array([], pa.string()), pa.array([1, 2], pa.timestamp("us")), pa.array([3], pa.date32()), pa.array([("a", 1)] and [[("a", 1)]], pa.map_(pa.string(), pa.int8())), pa.array([__import__("decimal").Decimal("1.50")], pa.decimal128(5, 2)), pa.array([1, 2, 3, 4])[1:3], pa.array(["abc", "d", "e"])[1:]]); late(L, "schema", lambda: pa.schema([("a", pa.int8())], metadata={b"k": b"v"})); late(L, "chunked", lambda: pa.chunked_array([[1], [2]])); late(L, "scalar", lambda: [pa.scalar(1), pa.scalar("x")]); late(L, "buffer", lambda: pa.py_buffer(b"abc"))
    ml = has("ml_dtypes")
    if ml: L = "ml_dtypes"; late(L, "arrays", lambda: [np.array([1, 2], t) for t in (ml.bfloat16, ml.float8_e4m3fn, ml.int4)]); late(L, "dtypes", lambda: [np.dtype(ml.bfloat16), ml.float8_e5m2]); late(L, "scalar", lambda: np.array([1], ml.bfloat16)[0])
    xr = has("xarray")
    if xr: L = "xarray"; a = xr.DataArray(np.arange(6).reshape(2, 3), dims=("x", "y"), coords={"x": [1, 2], "y": ["a", "b", "c"]}, name="n", attrs={"u": 1}); late(L, "array", lambda: a); late(L, "dataset", lambda: xr.Dataset({"a": a, "b": ("x", [1.5, 2])})); late(L, "multi", lambda: a.stack(z=("x", "y"))); late(L, "variable", lambda: xr.Variable("x", [1, 2])); late(L, "tree", lambda: xr.DataTree.from_dict({"/": xr.Dataset({"a": a})}))
    sy = has("sympy")
    if sy:
        L = "sympy"; x, y = sy.symbols("x y", positive=True); e = sy.sin(x) ** 2 + 3 * x * y / 7 - sy.exp(-x) + sy.sqrt(2) * sy.pi + sy.Float(1.5) + sy.I
        late(L, "expression", lambda: e); late(L, "numbers", lambda: [sy.Integer(3), sy.Rational(1, 3), sy.oo, sy.nan, sy.E, sy.pi, sy.S.Half]); late(L, "equation", lambda: [sy.Eq(x, y), x < y, sy.And(x > 1, y < 2)]); late(L, "tuple", lambda: sy.Tuple(x, y)); late(L, "piecewise", lambda: sy.Piecewise((x, x > 1), (y, True))); late(L, "integral", lambda: [sy.Integral(x, x), sy.Derivative(x**2, x)]); late(L, "matrix", lambda: [sy.Matrix([[1, x]]), sy.ImmutableMatrix([[1, 2]])]); late(L, "function", lambda: sy.Function("f")(x)); late(L, "sets", lambda: [sy.Interval(0, 1), sy.FiniteSet(1, 2)]); late(L, "poly", lambda: sy.Poly(x**2 + 1, x))
    if has("PIL"):
        from PIL import Image
        L = "pillow"; late(L, "modes", lambda: [Image.new(m, (5, 4)) for m in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I", "F", "LA", "HSV", "YCbCr", "I;16")]); late(L, "one_bit", lambda: Image.new("1", (800, 600)))
    if has("shapely"):
        import shapely.geometry as g
        L = "shapely"; p = g.Polygon([(0, 0), (1, 0), (1, 1)], [[(.2, .1), (.3, .1), (.3, .2)]]); late(L, "shapes", lambda: [g.Point(1, 2), g.Point(1, 2, 3), g.LineString([(0, 0), (1, 1)]), p, g.MultiPoint([(0, 0)]), g.MultiPolygon([p]), g.GeometryCollection([g.Point(0, 0), p]), g.Point(), p.exterior, g.box(0, 0, 1, 1)]); late(L, "tree", lambda: has("shapely").STRtree([p]))
    sm = has("statsmodels.api")
    if sm:
        L = "statsmodels"; X = sm.add_constant(np.arange(20.)); Y = np.arange(20) % 3 + .1 * np.arange(20); late(L, "ols", lambda: sm.OLS(Y, X).fit()); late(L, "logit", lambda: sm.Logit((np.arange(20) % 2), X).fit(disp=0)); late(L, "glm", lambda: sm.GLM(Y, X).fit()); late(L, "rlm", lambda: sm.RLM(Y, X).fit()); late(L, "named", lambda: sm.OLS(pd.Series(Y), pd.DataFrame(X, columns=["c", "x"])).fit()); late(L, "poisson", lambda: sm.Poisson(np.arange(20) % 4, X).fit(disp=0))
        def smooth(): from statsmodels.tsa.holtwinters import SimpleExpSmoothing; return SimpleExpSmoothing(Y).fit()
        late(L, "smooth", smooth)
    if has("lightgbm"):
        import lightgbm as lgb
        L = "lightgbm"; X = np.random.RandomState(0).rand(60, 3); late(L, "classifier", lambda: lgb.LGBMClassifier(n_estimators=2, verbose=-1, min_child_samples=2).fit(X, (X[:, 0] > .5))); late(L, "booster", lambda: lgb.train({"verbose": -1, "min_data_in_leaf": 2}, lgb.Dataset(X, X[:, 1]), 2)); late(L, "unfitted", lambda: lgb.LGBMRegressor(n_estimators=3))
    if has("xgboost"):
        import xgboost as xgb
        L = "xgboost"; X = np.random.RandomState(0).rand(60, 3); late(L, "classifier", lambda: xgb.XGBClassifier(n_estimators=2).fit(X, (X[:, 0] > .5).astype(int))); late(L, "regressor", lambda: xgb.XGBRegressor(n_estimators=2).fit(X, X[:, 1])); late(L, "booster", lambda: xgb.train({}, xgb.DMatrix(X, X[:, 1]), 2)); late(L, "unfitted", lambda: xgb.XGBRegressor())
    if has("pydantic"):
        import pydantic as py
        L = "pydantic"; late(L, "values", lambda: [py.SecretStr("x"), py.SecretBytes(b"x"), py.TypeAdapter(py.HttpUrl).validate_python("http://a/"), py.TypeAdapter(py.PostgresDsn).validate_python("postgres://u:p@h/d"), py.ByteSize(5)]); late(L, "undefined", lambda: has("pydantic_core").PydanticUndefined)
    if has("attr"):
        import attr
        L = "attrs"; late(L, "values", lambda: [attr.NOTHING, attr.Factory(list), attr.validators.instance_of(int), attr.validators.in_([1, 2]), attr.validators.optional(attr.validators.instance_of(str)), attr.validators.ge(3)])
    if has("frozendict"): late("frozendict", "plain", lambda: has("frozendict").frozendict({"a": 1, "b": [2]}))
    try: import scipy.stats as st
    except ImportError: st = None
    if st:
        L = "scipy_stats"; late(L, "frozen", lambda: [st.norm(1, 2), st.gamma(2), st.beta(1, 2, loc=3), st.t(5), st.uniform(), st.expon(scale=2)]); late(L, "discrete", lambda: [st.poisson(3), st.binom(5, .5), st.randint(1, 5)]); late(L, "distributions", lambda: [st.norm, st.lognorm, st.weibull_min]); late(L, "kde", lambda: st.gaussian_kde([1, 2, 4.])); late(L, "multivariate", lambda: st.multivariate_normal([0, 0])); late(L, "histogram", lambda: st.rv_histogram(np.histogram([1, 2, 2, 3])))
    import configparser, operator
    L = "stdlib"
    def parser(cls, **kw): p = cls(**kw); p.read_string("[a]\nb = 1\n[c]\nd = 2\n"); return p
    late(L, "configparsers", lambda: [parser(configparser.ConfigParser), parser(configparser.RawConfigParser), parser(configparser.ConfigParser, interpolation=configparser.ExtendedInterpolation())]); late(L, "section", lambda: parser(configparser.ConfigParser)["a"])
    late(L, "getters", lambda: [operator.attrgetter("a"), operator.attrgetter("a.b", "c"), operator.itemgetter(1), operator.itemgetter("a", 2), operator.methodcaller("strip"), operator.methodcaller("split", ","), operator.methodcaller("encode", encoding="utf8")])
    late(L, "frozendict", lambda: __builtins__.frozendict({"a": 1}))
libraries()
json.dump(index, open(os.path.join(a.out, "index.json"), "w"), indent=0)
