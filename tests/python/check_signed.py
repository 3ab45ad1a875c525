"""Checks signed pickles between picklevm and Python: Django, itsdangerous and `hmac`, both ways.

usage: check_signed.py PROGRAM [--write FILE] PYTHON...

PROGRAM is the example `signed_pickles`, and each PYTHON one that has Django, itsdangerous or both. Every layout that it has
signs values for the program and opens what the program signed. --write keeps what Python signed, a line of JSON each: the
tests read such a file, so that they need no Python.
"""
import ast
import json
import subprocess
import sys

VALUES = [
    {"user": 42, "roles": ["admin", "ma\xf1ana \u20ac"], "ok": True, "none": None},
    [1, -2, 3.5, 2**70, ""],
    "x" * 400,
    {"nested": {"list": [[], {}, [1, [2, [3]]]]}},
]

# Runs under Python 2.7 and later. Reads a request, answers with a line of JSON.
PEER = r'''
import json, pickle, sys, warnings
warnings.simplefilter("ignore")
request = json.loads(sys.stdin.read())
key, values = "a long random key", request["values"]
layouts = []

def layout(name, kind, salt, digest, sign, open, payload="pickle"):
    layouts.append((name, kind, salt, digest, sign, open, payload))

try:
    import django
    from django.conf import settings
    settings.configure(SECRET_KEY=key, USE_TZ=True,
        SESSION_SERIALIZER="__main__.Pickles" if django.VERSION >= (5,) else "django.contrib.sessions.serializers.PickleSerializer",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.sessions"])
except ImportError:
    django = None

class Pickles(object):
    """Django's PickleSerializer, which 5.0 has no more."""
    def dumps(self, value): return pickle.dumps(value, request["protocol"])
    def loads(self, data): return pickle.loads(data)

if django:
    django.setup()
    from django.core import signing
    made = "Django " + django.get_version()
    # Before 3.1 SHA-1 was the only one.
    digest = "sha256" if django.VERSION >= (3, 1) else "sha1"
    def django_layout(name, salt, digest, dumps, loads, **more):
        layout(made + ", " + name, "django", salt, digest, dumps, loads, **more)
    for compress in False, True:
        django_layout("signing.dumps" + (", compressed" if compress else ""), "cart", digest,
            lambda value, compress=compress: signing.dumps(value, key=key, salt="cart", serializer=Pickles, compress=compress),
            lambda text: signing.loads(text, key=key, salt="cart", serializer=Pickles, max_age=3600))
    django_layout("signing.dumps, JSON", "django.core.signing", digest,
        lambda value: signing.dumps(value, key=key), lambda text: signing.loads(text, key=key, max_age=3600), payload="json")
    if django.VERSION >= (3, 2):
        signer = signing.TimestampSigner(key=key, salt="cart", algorithm="sha512") if django.VERSION >= (4, 2) else signing.TimestampSigner(key, salt="cart", algorithm="sha512")
        django_layout("TimestampSigner.sign_object, SHA-512", "cart", "sha512",
            lambda value: signer.sign_object(value, serializer=Pickles), lambda text: signer.unsign_object(text, serializer=Pickles, max_age=3600))
    from django.contrib.sessions.backends import db, signed_cookies
    def session_of(text):
        class Request(object): pass
        session = signed_cookies.SessionStore(text)
        return dict(session.load())
    def cookie_of(value):
        session = signed_cookies.SessionStore()
        for name in value: session[name] = value[name]
        session.save()
        return session.session_key
    django_layout("session in a cookie", "django.contrib.sessions.backends.signed_cookies", digest, cookie_of, session_of, payload="session")
    if django.VERSION >= (3, 1):
        store = db.SessionStore()
        django_layout("session in the database", store.key_salt, digest, store.encode, store.decode, payload="session")

try:
    import itsdangerous
except ImportError:
    itsdangerous = None

if itsdangerous:
    import hashlib
    try:
        from importlib.metadata import version
    except ImportError:
        from pkg_resources import get_distribution
        version = lambda name: get_distribution(name).version
    made = "itsdangerous " + version("itsdangerous")
    for kind, name in (("itsdangerous", "URLSafeSerializer"), ("itsdangerous-timed", "URLSafeTimedSerializer")):
        for digest in "sha1", "sha512":
            class P(object):
                dumps = staticmethod(lambda value: pickle.dumps(value, request["protocol"]))
                loads = staticmethod(pickle.loads)
            ours = getattr(itsdangerous, name)(key, salt="orders", serializer=P, signer_kwargs={"digest_method": getattr(hashlib, digest), "key_derivation": "django-concat"})
            layout("%s, %s, %s" % (made, name, digest), kind, "orders", digest, ours.dumps, ours.loads)
        ours = getattr(itsdangerous, name)(key, salt="orders")
        layout("%s, %s, JSON" % (made, name), kind, "orders", "sha1", ours.dumps, ours.loads, payload="json")

import binascii, hashlib, hmac
def hmac_sign(value):
    data = pickle.dumps(value, request["protocol"])
    return binascii.hexlify(hmac.new(key.encode(), data, hashlib.sha256).digest() + data)
def hmac_open(text):
    data = binascii.unhexlify(text)
    if not hmac.compare_digest(hmac.new(key.encode(), data[32:], hashlib.sha256).digest(), data[:32]): raise ValueError
    return pickle.loads(data[32:])
layout("hmac", "digest", "", "sha256", hmac_sign, hmac_open)

def text(value):
    return value.decode("ascii") if isinstance(value, bytes) else value

if request["do"] == "sign":
    out = []
    for name, kind, salt, digest, sign, open, payload in layouts:
        for number, value in enumerate(values):
            if payload == "session" and not isinstance(value, dict): continue
            out.append({"made_by": name + ", Python %d.%d" % sys.version_info[:2], "layout": kind, "salt": salt, "digest": digest, "payload": payload,
                        "value": number, "signed": text(sign(value))})
    print(json.dumps(out))
else:
    bad, count = [], 0
    for name, kind, salt, digest, sign, open, payload in layouts:
        for item in request["signed"]:
            if (item["layout"], item["salt"], item["digest"], item["payload"]) != (kind, salt, digest, payload): continue
            count += 1
            try:
                got = open(item["signed"])
            except Exception as error:
                got = repr(error)
            if got != values[item["value"]]: bad.append([name, item["value"], repr(got)])
            # One character changed: Python refuses it, as the signature is ours.
            changed = item["signed"][:5] + ("A" if item["signed"][5] != "A" else "B") + item["signed"][6:]
            try:
                if open(changed) != {}: bad.append([name, "changed"])
            except Exception:
                pass
    print(json.dumps({"bad": bad, "count": count}))
'''


def peer(python, **request):
    done = subprocess.run([python, "-c", PEER], input=json.dumps(request), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{python}: {done.stderr}")
    return json.loads(done.stdout)


def program(command, layout, salt, digest, lines):
    done = subprocess.run([PROGRAM, command, layout, KEY, salt, digest], input="".join(line + "\n" for line in lines), capture_output=True, text=True)
    if done.returncode:
        return [f"failed: {done.stderr}"] * len(lines)
    return done.stdout.splitlines()


KEY = "a long random key"
args = sys.argv[1:]
PROGRAM, pythons, keep = args[0], args[1:], None
if "--write" in pythons:
    at = pythons.index("--write")
    keep = pythons[at + 1]
    del pythons[at : at + 2]
failures, opened, signed_by_us, kept = 0, 0, 0, []
for python in pythons:
    common = dict(values=VALUES, protocol=2)
    theirs = peer(python, do="sign", **common)
    for item in theirs:
        if item["payload"] == "json":
            continue
        [got] = program("open", item["layout"], item["salt"], item["digest"], [item["signed"]])
        opened += 1
        try:
            fits = ast.literal_eval(got) == VALUES[item["value"]]
        except (ValueError, SyntaxError):
            fits = False
        if not fits:
            failures += 1
            print("FAILED: we do not open", item["made_by"], item["value"], got[:200])
    # A short value and one that is compressed are enough.
    kept += [item for item in theirs if item["value"] in (0, 2)]
    ours = []
    for item in theirs:
        value = VALUES[item["value"]]
        if item["payload"] == "json":
            line, command = json.dumps(value, separators=(",", ":")), "sign-bytes"
        else:
            line, command = repr(value), "sign"
        [signed] = program(command, item["layout"], item["salt"], item["digest"], [line])
        ours.append({**item, "signed": signed})
    answer = peer(python, do="open", signed=ours, **common)
    # Layouts that differ in nothing but compression open each other's.
    signed_by_us += len(ours)
    if answer["count"] < len(ours):
        failures += 1
        print("FAILED: not all were tried by", python)
    for bad in answer["bad"]:
        failures += 1
        print("FAILED: not opened by", *bad)
    print(python, f"{len(theirs)} of theirs, {len(ours)} of ours", sorted({item["made_by"].split(",")[0] for item in theirs}))
if keep:
    with open(keep, "w") as out:
        for item in kept:
            item["key"] = KEY
            item["value"] = repr(VALUES[item["value"]])
            out.write(json.dumps(item, sort_keys=True) + "\n")
print(f"{opened} by Python opened, {signed_by_us} by us tried, {failures} failed")
sys.exit(failures > 0)
