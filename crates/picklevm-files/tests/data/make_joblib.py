#!/usr/bin/env python3
"""make_joblib.py DIR [METHOD ...]: writes a file with the joblib that is installed, and one by each compression named.

Needs numpy, and lz4 for that. Run with joblib 0.9.4 to 1.4.2 on Python 3.8, and with 1.5.3 and 1.6.0 on 3.13."""
import os, sys
import joblib
import numpy as np

folder, methods = sys.argv[1], sys.argv[2:]
value = {'x': np.array([1.5, 2.5]), 'objects': np.array([None, 'a'], dtype=object), 'n': 3}
start = os.path.join(folder, 'joblib-' + joblib.__version__)
joblib.dump(value, start + '.joblib')
for method in methods:
    joblib.dump(value, '%s.%s' % (start, method), compress=(method, 3) if method != 'z1' else 1)
