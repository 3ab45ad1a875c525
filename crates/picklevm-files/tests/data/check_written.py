#!/usr/bin/env python3
"""check_written.py MADE WRITTEN: reads each container in WRITTEN, in which every pickle became {'new': True}, with Python's
own modules, and compares all else with MADE."""
import base64, bz2, gzip, io, lzma, os, pickle, re, struct, sys, tarfile, zipfile, zlib

made, written = sys.argv[1:]
new = {'new': True}


def load(data):
    file, all = io.BytesIO(data), []
    while data[file.tell():].strip(b'\n\0'):
        all.append(pickle.load(file))
    return all


def check(name, data, old):
    """Checks that data are old with every pickle replaced."""
    def same(found): assert found, (name, found)
    def pickles(found): same(found and all(value == new for value in found))

    if name.endswith('.zst'): return
    if data[:2] == b'\x1f\x8b': return check(name, gzip.decompress(data), gzip.decompress(old))
    if data[:3] == b'BZh': return check(name, bz2.decompress(data), bz2.decompress(old))
    if data[:6] == b'\xfd7zXZ\0' or data[:3] == b']\0\0': return check(name, lzma.decompress(data), lzma.decompress(old))
    if data[:1] == b'x': return check(name, zlib.decompress(data), zlib.decompress(old))
    if data[:2] == b'ZF':
        same(int(data[2:21], 16) == len(zlib.decompress(data[21:])))
        return check(name, zlib.decompress(data[21:]), zlib.decompress(old[21:]))
    if zipfile.is_zipfile(io.BytesIO(data)):
        now, before = (zipfile.ZipFile(io.BytesIO(d)) for d in (data, old))
        same(now.namelist() == before.namelist() and now.comment == before.comment and now.testzip() is None)
        same([(i.compress_type, i.date_time, i.external_attr) for i in now.infolist()] == [(i.compress_type, i.date_time, i.external_attr) for i in before.infolist()])
        for member in set(now.namelist()):
            if member.rpartition('.')[2] in ('pkl', 'npy', 'zip', 'gz') or member == 'log':
                if member != 'x.npy': check(name + '/' + member, now.read(member), before.read(member))
            else: same(now.read(member) == before.read(member))
        return
    if data[257:262] == b'ustar':
        now, before = (tarfile.open(fileobj=io.BytesIO(d)) for d in (data, old))
        same(now.getnames() == before.getnames())
        for member in now.getnames():
            contents = now.extractfile(member).read()
            if member.endswith('.pkl'): check(name + '/' + member, contents, b'')
            else: same(contents == before.extractfile(member).read())
        return
    if data[:6] == b'\x93NUMPY':
        start = data.index(b'\n') + 1
        same(data[:start] == old[:start])
        return pickles(load(data[start:]))
    if data[:10] == b'RENPY RPC2':
        at, slots = 10, {}
        while True:
            slot, start, length = struct.unpack('<LLL', data[at:at + 12])
            at += 12
            if not slot: break
            slots[slot] = pickle.loads(zlib.decompress(data[start:start + length]))
        same(sorted(slots) == [1, 2] and data.endswith(old[-16:]))
        return pickles(slots.values())
    if name.startswith(('length', 'logging', 'pyspark')):
        form = {'be8': '>Q', 'le8': '<Q', 'le4': '<L'}.get(name[7:10], '>L')
        width, at, found = struct.calcsize(form), 0, []
        while at + width < len(data):
            length, = struct.unpack(form, data[at:at + width])
            found.append(pickle.loads(data[at + width:at + width + length]))
            at += width + length
        same(data[at:] == (b'\xff' * 4 if name.startswith('pyspark') else b''))
        return pickles(found)
    if name.startswith('django'):
        file = io.BytesIO(data)
        return pickles([pickle.load(file), pickle.loads(zlib.decompress(file.read()))])
    if 'base64' in name or name.startswith('data-url'):
        text, before = (re.fullmatch(rb"(data:[^,]*,|b')?([^']*)('?)", d, re.S).groups() for d in (data, old))
        same(text[0] == before[0] and text[2] == before[2])
        decode = lambda t: base64.urlsafe_b64decode(t + b'=' * (-len(t) % 4)) if 'urlsafe' in name else base64.b64decode(t)
        return check('', decode(text[1]), decode(before[1]))
    pickles(load(data))


for name in sorted(os.listdir(written)):
    data, old = (open(os.path.join(folder, name), 'rb').read() for folder in (written, made))
    try: check(name, data, old)
    except Exception as error: sys.exit('%s: %s: %s' % (name, type(error).__name__, error))
print(len(os.listdir(written)), 'containers')
