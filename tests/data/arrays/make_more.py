#!/usr/bin/env python3
"""make_more.py FILE...: lines of expected.tsv for pickles of pyarrow, Polars and xarray, by the library that reads them.

Run by Python 3.13 with pyarrow 26, Polars 2.1 and xarray 2026.9 (m2-*, mpa10-*, mxr.pkl), and by 3.9 with Polars 0.13.62
(mpl13-*) and 0.20.31 (mpl20-*). The files are those of the same names in shared/cases/data/more."""
import json, os, pickle, sys


def neutral(x):
    if isinstance(x, float): return repr(x)
    if isinstance(x, dict): return [neutral(v) for v in x.values()]
    if isinstance(x, (list, tuple)): return [neutral(v) for v in x]
    return x


# Arrow's names of the types in which Polars' versions pickle.
TEXT = {'m2': 'string_view', 'mpl20': 'string_view', 'mpl13': 'large_string'}


def polars_type(series, file):
    def name(dtype):
        kind = str(dtype).split('.')[-1].rstrip("'>")
        known = {'Int64': 'int64', 'Float64': 'double', 'Utf8': TEXT[file], 'String': TEXT[file]}
        if kind in known: return known[kind]
        return 'large_list<item: %s>' % name(dtype.inner)
    return name(series.dtype) + '[pyarrow]'


def line(*parts):
    print('\t'.join(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in parts))


for path in sys.argv[1:]:
    file = os.path.basename(path)
    value = pickle.load(open(path, 'rb'))
    module, kind = type(value).__module__.split('.')[0], type(value).__name__
    if kind in ('Table', 'RecordBatch'):
        columns = [[n, '%s[pyarrow]' % value.schema.field(n).type, neutral(value.column(n).to_pylist())] for n in value.schema.names]
        line(file, '', 'table', '', [value.num_rows, len(columns)], columns)
    elif module == 'pyarrow':
        line(file, '', 'series', '%s[pyarrow]' % value.type, [len(value)], neutral(value.to_pylist()))
    elif module == 'polars':
        start = file.split('-')[0]
        if kind == 'Series':
            line(file, '', 'series', polars_type(value, start), [len(value)], neutral(value.to_list()))
        else:
            columns = [[s.name, polars_type(s, start), neutral(s.to_list())] for s in value.get_columns()]
            line(file, '', 'table', '', [len(value), len(columns)], columns)
    else:
        index = value.indexes['x']
        line(file, "._indexes['x'].index", 'index', str(index.dtype), [len(index)], index.tolist())
        array = value['a'].values
        line(file, "._variables['a']._data", 'array', array.dtype.str, list(array.shape), neutral(array.tolist()))
