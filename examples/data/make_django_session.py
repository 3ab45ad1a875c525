"""Writes a signed session of Django 4.2 with PickleSerializer, which was removed in 5.0:

    python examples/data/make_django_session.py examples/data/django-session.txt
"""
import datetime
import decimal
import sys
import time
import warnings

from django.conf import settings

settings.configure(SECRET_KEY="not a secret", USE_TZ=True)
warnings.simplefilter("ignore")

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.serializers import PickleSerializer


class SessionStore(SessionBase):
    """Stores nothing. Every back end stores the encoded session."""

    def __init__(self):
        super().__init__()
        self.serializer = PickleSerializer


if __name__ == "__main__":
    time.time = lambda: 1_700_000_000
    session = {
        "_auth_user_id": "42",
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
        "cart": [{"sku": "A-1", "qty": 2, "price": decimal.Decimal("9.99")}],
        "last_seen": datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc),
    }
    with open(sys.argv[1], "w") as out:
        print(SessionStore().encode(session), file=out)
