# -*- coding: utf-8 -*-
"""Writes the pickle of a web session with the Python that runs it:

    python2.7  examples/data/make_session.py examples/data/session-python2.7.pkl
    python3.13 examples/data/make_session.py examples/data/session-python3.13.pkl
"""
import datetime, decimal, pickle, sys

session = {
    "user": {"id": 42, "name": u"Zo\u00eb", "roles": [u"admin", u"editor"], "active": True},
    "cart": [{"sku": u"A-1", "qty": 2, "price": decimal.Decimal("9.99")}],
    "expires": datetime.datetime(2030, 1, 1),
    "token": b"\x00\xff" * 16,
    "_fresh": None,
}
with open(sys.argv[1], "wb") as out:
    pickle.dump(session, out, pickle.HIGHEST_PROTOCOL)
