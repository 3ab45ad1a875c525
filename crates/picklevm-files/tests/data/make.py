#!/usr/bin/env python3
"""make.py DIR: writes the containers that the tests open, with Python's own modules (3.9 or later; zstd with 3.14).

Each file is small; the same value lies in most of them, so that what is found can be checked."""
import base64, bz2, gzip, io, json, logging.handlers, lzma, os, pickle, struct, sys, tarfile, zipfile, zlib

folder = sys.argv[1]
value = {'id': 42, 'name': 'Zoë', 'pos': (1.5, -2.0), 'tags': ['a', 'b']}
bare = pickle.dumps(value, 4)
second = pickle.dumps([1, 2, 3], 2)


def write(name, data):
    with open(os.path.join(folder, name), 'wb') as out:
        out.write(data)


# Compressions.
buffer = io.BytesIO()
with gzip.GzipFile('data.pkl', 'wb', 9, buffer, mtime=1_000_000_000) as out:
    out.write(bare)
write('gzip.pkl.gz', buffer.getvalue())
write('gzip-two-streams.pkl.gz', gzip.compress(bare[:20], mtime=0) + gzip.compress(bare[20:], mtime=0) + bytes(100))
write('zlib.pkl', zlib.compress(bare))
write('zlib-9.pkl', zlib.compress(bare, 9))
write('bz2.pkl.bz2', bz2.compress(bare[:20]) + bz2.compress(bare[20:]))
write('xz.pkl.xz', lzma.compress(bare))
write('xz-crc32.pkl.xz', lzma.compress(bare, check=lzma.CHECK_CRC32))
write('lzma.pkl.lzma', lzma.compress(bare, lzma.FORMAT_ALONE))
write('gzip-of-bz2.pkl.gz', gzip.compress(bz2.compress(bare), mtime=0))
try:
    from compression import zstd
    write('zstd.pkl.zst', zstd.compress(bare))
except ImportError:
    print('zstd.pkl.zst needs Python 3.14', file=sys.stderr)


# Zip archives. Dates are fixed, so that the files are the same each time.
def info(name, method=zipfile.ZIP_STORED):
    info = zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6))
    info.compress_type = method
    return info


def archive(*members, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as out:
        for name, data, method in members:
            out.writestr(info(name, method), data)
        out.comment = options.get('comment', b'')
    return buffer.getvalue()


S, D = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
two = archive(('readme.txt', b'hello', D), ('a.pkl', bare, D), ('sub/b.pkl', second, S))
write('zip.zip', two)
write('zip-methods.zip', archive(('bz2.pkl', bare, zipfile.ZIP_BZIP2), ('lzma.pkl', bare, zipfile.ZIP_LZMA)))
write('zip-comment.zip', archive(('a.pkl', bare, S), comment=b'a comment'))
write('zip-prefixed.zip', b'#!/bin/sh\nexit\n' + two)
write('zip-names.zip', archive(('über/é.pkl', bare, S), ('A.pkl', bare, S), ('a.pkl', second, S)))


class Unseekable(io.RawIOBase):
    """Python writes data descriptors to what cannot seek."""
    def __init__(self): self.data = b''
    def writable(self): return True
    def write(self, data): self.data += bytes(data); return len(data)


stream = Unseekable()
with zipfile.ZipFile(stream, 'w') as out:
    out.writestr(info('a.pkl', D), bare)
    out.writestr(info('b.pkl', S), second)
write('zip-descriptors.zip', stream.data)

stream = io.BytesIO()
with zipfile.ZipFile(stream, 'w') as out:
    with out.open(info('a.pkl', D), 'w', force_zip64=True) as member:
        member.write(bare)
write('zip-zip64-local.zip', stream.getvalue())


def zip64(data):
    """The same archive with the records of zip64, as archives of more than 65,535 members have them."""
    at = data.rindex(b'PK\5\6')
    count, size, offset = struct.unpack('<H', data[at + 10:at + 12])[0], *struct.unpack('<LL', data[at + 12:at + 20])
    record = struct.pack('<4sQHHLLQQQQ', b'PK\6\6', 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack('<4sLQL', b'PK\6\7', 0, at, 1)
    end = struct.pack('<4sHHHHLLH', b'PK\5\6', 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0)
    return data[:at] + record + locator + end


write('zip-zip64.zip', zip64(two))
write('zip-in-zip.zip', archive(('inner.zip', two, S), ('inner.zip.gz', gzip.compress(two, mtime=0), S)))
write('zip-no-pickle.zip', archive(('readme.txt', b'hello', D), ('x.csv', b'a,b\n1,2\n', S)))
write('zip-cut.zip', two[:-40])
encrypted = bytearray(archive(('data.pkl', bare, S)))
for at in (encrypted.index(b'PK\3\4') + 6, encrypted.index(b'PK\1\2') + 8):
    encrypted[at] |= 1
write('zip-encrypted.zip', bytes(encrypted))
bad = bytearray(archive(('data.pkl', bare, S)))
for at in (bad.index(b'PK\3\4') + 14, bad.index(b'PK\1\2') + 16):
    bad[at] ^= 1
write('zip-bad-crc.zip', bytes(bad))
# Readers differ: the last of one name, the last end record, what only a local header names.
write('zip-duplicate.zip', archive(('a.pkl', bare, S), ('a.pkl', second, S)))
first = archive(('first.pkl', bare, S))
write('zip-two-ends.zip', first + archive(('last.pkl', second, S)))
other = archive(('shown.pkl', second, S))
hidden = archive(('hidden.pkl', bare, S))
write('zip-hidden.zip', hidden[:hidden.index(b'PK\1\2')] + other)


# Tar archives.
def tar(format, *members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w', format=format) as out:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return buffer.getvalue()[:10240 * 2]


long = 'long/' * 30 + 'name.pkl'
for name, format in (('ustar', tarfile.USTAR_FORMAT), ('gnu', tarfile.GNU_FORMAT), ('pax', tarfile.PAX_FORMAT)):
    data = tar(format, ('one.pkl', bare), (long, second), ('readme.txt', b'hello'))
    write('tar-%s.tar' % name, data.rstrip(b'\0') + bytes(1024 + -len(data.rstrip(b'\0')) % 512))
write('tar.tar.gz', gzip.compress(tar(tarfile.PAX_FORMAT, ('one.pkl', bare)), mtime=0))

# NumPy, without NumPy: numpy/lib/format.py. Real files are in ../../../../tests/data.
def npy(header, data, version=(1, 0)):
    header = header.encode('latin1')
    width = 2 if version == (1, 0) else 4
    header += b' ' * (-(6 + 2 + width + len(header) + 1) % 64) + b'\n'
    return b'\x93NUMPY' + bytes(version) + len(header).to_bytes(width, 'little') + header + data


objects = npy("{'descr': '|O', 'fortran_order': False, 'shape': (), }", bare)
write('npy-objects.npy', objects)
write('npy-objects-v2.npy', npy("{'descr': [('a', '<f8'), ('b', '|O')], 'fortran_order': False, 'shape': (2,), }", bare, (2, 0)))
write('npy-numbers.npy', npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", struct.pack('<2d', 1, 2)))
write('npz.npz', archive(('o.npy', objects, D), ('x.npy', npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", bytes(4)), S)))

# Several pickles, and what writers put around them.
row = bare + second + pickle.dumps('third', 0)
write('row.pkl', row)
write('row-blanks.pkl', row + b'\n\n')
write('row-junk.pkl', row + b'\xff\xfe junk')
write('row-broken.pkl', row + bare[:-10])
record = logging.makeLogRecord({'msg': 'hello %d', 'args': (1,)})
# What differs each time.
record.__dict__.update(created=0, msecs=0, relativeCreated=0, thread=0, threadName='', process=0, processName='', taskName=None)
write('logging.bin', logging.handlers.SocketHandler('localhost', 0).makePickle(record) * 2)
for name, form in (('be4', '>L'), ('le4', '<L'), ('be8', '>Q'), ('le8', '<Q')):
    write('length-%s.bin' % name, b''.join(struct.pack(form, len(data)) + data for data in (bare, second)))
write('pyspark.bin', b''.join(struct.pack('>i', len(data)) + data for data in (bare, second)) + struct.pack('>i', -1))
write('django.djcache', pickle.dumps(1_700_000_000.5, 5) + zlib.compress(bare))
write('base64.txt', base64.encodebytes(bare))
write('base64-of-gzip.txt', base64.b64encode(gzip.compress(bare, mtime=0)))
write('base64-urlsafe.txt', base64.urlsafe_b64encode(pickle.dumps(b'\xfb\xff\xfe' * 9, 4)).rstrip(b'='))
write('data-url.txt', b'data:application/octet-stream;base64,' + base64.b64encode(bare))
write('repr-of-base64.txt', repr(base64.b64encode(bare)).encode())
write('sconsign.dblite', pickle.dumps({'src': pickle.dumps({'main.o': (1, 2)}, 4), 'lib': pickle.dumps({}, 4)}, 4))

# Ren'Py.
key = 0x42424242
files = {'script.rpyc': b'', 'images/a.webp': b'RIFF....WEBP'}


def script(ast):
    slots = [zlib.compress(pickle.dumps(ast, 2)), zlib.compress(pickle.dumps(('transformed', ast), 2))]
    at = 10 + 12 * 3
    table = b''
    for number, slot in enumerate(slots, 1):
        table += struct.pack('<LLL', number, at, len(slot))
        at += len(slot)
    return b'RENPY RPC2' + table + bytes(12) + b''.join(slots) + b'digest of 16 by.'


write('script.rpyc', script(({'version': 5}, ['say', 'Hello.'])))
files['script.rpyc'] = script(({'version': 5}, ['say', 'In an archive.']))


def rpa(head, key):
    body, index = b'', {}
    for name, data in files.items():
        index[name] = [((40 + len(body)) ^ key, len(data) ^ key, '')] if key else [(40 + len(body), len(data))]
        body += data
    line = head % (40 + len(body))
    return line.encode().ljust(40, b'#') + body + zlib.compress(pickle.dumps(index, 2))


write('rpa-2.rpa', rpa('RPA-2.0 %016x\n', 0))
write('rpa-3.rpa', rpa('RPA-3.0 %%016x %08x\n' % key, key))
write('rpa-32.rpa', rpa('RPA-3.2 %%016x 0 %08x\n' % key, key))
write('persistent', zlib.compress(pickle.dumps({'playername': 'MC'}, 2)))
write('game.save', archive(('json', b'{"_save_name": "day 3"}', D), ('extra_info', b'', D), ('log', bare, D)))

# joblib's ZF (numpy_pickle_compat.py).
write('zf.joblib', b'ZF' + hex(len(bare)).ljust(19).encode() + zlib.compress(bare))

# Damage.
write('cut.pkl', bare[:30])
write('crlf.pkl', pickle.dumps({'mail': ['one', 'x'], 'n': 12, 'big': 10 ** 20}, 0).replace(b'\n', b'\r\n'))
write('crlf-binary.pkl', pickle.dumps(io.StringIO, 2).replace(b'\n', b'\r\n'))
write('cr-in-text.pkl', b'(dp0\nVa\np1\nVone\r\np2\ns.')
write('empty.pkl', b'')
write('page.pkl', b'<!DOCTYPE html><html><head><title>Sign in</title></head></html>\n')
write('pointer.pt', b'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1234\n')
write('config.json', json.dumps({'a': [1, 2]}).encode())
