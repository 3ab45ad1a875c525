"""Prints the session that Django decodes of SESSION with SECRET_KEY, or, where there is no Django, what its
django.core.signing and PickleSerializer do.

    python read_session.py SECRET_KEY SESSION
"""

import base64
import hashlib
import hmac
import pickle
import sys
import zlib

SALT = "django.contrib.sessions.SessionStore"


def b64_decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def loads(secret, signed):
    value, signature = signed.rsplit(":", 1)
    key = hashlib.sha256((SALT + "signer" + secret).encode()).digest()
    assert b64_decode(signature) == hmac.new(key, value.encode(), hashlib.sha256).digest(), "a wrong signature"
    data, _timestamp = value.rsplit(":", 1)
    data = zlib.decompress(b64_decode(data[1:])) if data[0] == "." else b64_decode(data)
    return pickle.loads(data)


def django_loads(secret, signed):
    from django.conf import settings

    settings.configure(SECRET_KEY=secret)
    from django.contrib.sessions.serializers import PickleSerializer
    from django.core import signing

    return signing.loads(signed, salt=SALT, serializer=PickleSerializer)


if __name__ == "__main__":
    try:
        session = django_loads(*sys.argv[1:])
    except ImportError:
        session = loads(*sys.argv[1:])
    print(session)
