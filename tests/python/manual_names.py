"""Lists every name that the modules and manuals of pickle, cPickle, copyreg (copy_reg), pickletools, shelve and copy have, one a line:

    python2.7  tests/python/manual_names.py > tests/data/manual/python2.7.txt
    python3.13 tests/python/manual_names.py > tests/data/manual/python3.13.txt
    python3.15 tests/python/manual_names.py > tests/data/manual/python3.15.txt

`module.name`, `module.Class.name`, `module.function(argument)`, `object.__method__`, and options of the command lines as
`python -m module --option`.
"""

import copy
import inspect
import io
import pickle
import pickletools
import re
import shelve
import subprocess
import sys

try:
    import copyreg
except ImportError:
    import copy_reg as copyreg

names = set()


def arguments(name, function):
    """The arguments of a function or class, as introspection tells them."""
    if sys.version_info[0] == 2:
        args = inspect.getargspec(getattr(function, "__init__", function) if inspect.isclass(function) else function).args
    else:
        args = inspect.signature(function).parameters
    names.update("%s(%s)" % (name, arg) for arg in args if arg != "self")


def public(name):
    return not name.startswith("_")


# What the modules say they have.
for module in (pickle, copyreg, pickletools):
    for name in module.__all__:
        names.add("%s.%s" % (module.__name__, name))
        value = getattr(module, name)
        if inspect.isroutine(value) or name in ("Pickler", "Unpickler"):
            arguments("%s.%s" % (module.__name__, name), value)

# What dir() shows of the rest of pickletools and copyreg that is their own.
for module in (pickletools, copyreg):
    for name, value in vars(module).items():
        if public(name) and not inspect.ismodule(value) and getattr(value, "__module__", module.__name__) == module.__name__:
            names.add("%s.%s" % (module.__name__, name))
names.update("%s.%s" % (copyreg.__name__, name) for name in ("__newobj__", "_reconstructor", "_reduce_ex"))

# shelve and copy, and the methods of a shelf that are its own.
for module in (shelve, copy):
    for name in module.__all__:
        if public(name):
            names.add("%s.%s" % (module.__name__, name))
            if not name.endswith(("Error", "error")):
                arguments("%s.%s" % (module.__name__, name), getattr(module, name))
for cls in (shelve.Shelf, shelve.BsdDbShelf, shelve.DbfilenameShelf):
    names.update("shelve.%s.%s" % (cls.__name__, name) for name in vars(cls) if public(name) and name != "__module__")
names.update(("copy.__copy__", "copy.__deepcopy__") + (("copy.__replace__",) if sys.version_info >= (3, 13) else ()))

# Picklers and unpicklers: in Python, and in C.
classes = [pickle.Pickler, pickle.Unpickler, getattr(pickle, "_Pickler", None), getattr(pickle, "_Unpickler", None)]
for cls in filter(None, classes):
    for name in dir(cls):
        if public(name):
            names.add("pickle.%s.%s" % (cls.__name__.lstrip("_"), name))
for cls in (getattr(pickle, "_Pickler", pickle.Pickler), getattr(pickle, "_Unpickler", pickle.Unpickler)):
    for name in ("dump", "load", "find_class", "persistent_load", "persistent_id"):
        if hasattr(cls, name):
            arguments("pickle.%s.%s" % (cls.__name__.lstrip("_"), name), getattr(cls, name))
    for name in vars(cls(io.BytesIO())):
        if public(name):
            names.add("pickle.%s.%s" % (cls.__name__.lstrip("_"), name))

if sys.version_info[0] == 2:
    import cPickle

    names.update("cPickle." + name for name in dir(cPickle) if public(name))
    names.update("cPickle.Pickler." + name for name in dir(cPickle.Pickler()) if public(name))
    names.update("cPickle.Unpickler." + name for name in dir(cPickle.Unpickler(io.BytesIO())) if public(name))
    # Attributes that dir() does not show, but the manual does.
    names.update(("cPickle.Unpickler.find_global", "cPickle.Unpickler.persistent_load", "pickle.Unpickler.noload"))
    # What a class or its instances may define: the manual, "The pickle protocol".
    names.update("object." + name for name in """
        __getinitargs__ __getnewargs__ __getstate__ __setstate__ __reduce__ __reduce_ex__ __safe_for_unpickling__
        __init__ __new__ __dict__ __setitem__ append extend""".split())
    names.update(("pickle.Pickler.persistent_id", "pickle.Unpickler.persistent_load", "object.__reduce_ex__(protocol)"))
else:
    names.update("pickle.PickleBuffer." + name for name in dir(pickle.PickleBuffer) if public(name))
    names.update("copyreg." + name for name in ("__newobj_ex__",))
    # What the manual has and introspection does not show, "Pickling Class Instances" above all.
    names.update("object." + name for name in """
        __getnewargs_ex__ __getnewargs__ __getstate__ __setstate__ __reduce__ __reduce_ex__ __init__ __new__ __dict__
        __slots__ __setitem__ append extend add""".split())
    names.update(("pickle.Pickler.reducer_override", "pickle.Pickler.reducer_override(obj)"))
    names.update(("pickle.PickleBuffer(buffer)", "object.__reduce_ex__(protocol)"))
    for module in ("pickle", "pickletools"):
        usage = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True).stdout
        names.update("python -m %s %s" % (module, option) for option in re.findall(r"--[a-z]+|(?<=\s)-v|\bpickle_file\b", usage))

# Constants and exceptions of the manuals, which older versions leave out of __all__.
names.update("pickle." + name for name in ("HIGHEST_PROTOCOL", "DEFAULT_PROTOCOL", "format_version", "compatible_formats")
             if hasattr(pickle, name))

print("\n".join(sorted(names)))
