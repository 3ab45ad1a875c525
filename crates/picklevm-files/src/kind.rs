//! The formats of files and members.

use std::fmt;

/// The format of a member. `Display` writes a short name, as `picklevm list` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// One pickle, or several one after the other.
    Pickle,
    /// gzip (RFC 1952).
    Gzip,
    /// zlib (RFC 1950).
    Zlib,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// lzma, the format before xz.
    Lzma,
    /// Zstandard (RFC 8878).
    Zstd,
    /// An LZ4 frame.
    Lz4,
    /// A zip archive: PyTorch's files and `.npz` are such.
    Zip,
    /// A tar archive.
    Tar,
    /// NumPy's `.npy`.
    Npy,
    /// A pickle by joblib with arrays in it.
    Joblib,
    /// joblib's compression before 0.10, `ZF`.
    JoblibZ,
    /// A PyTorch checkpoint of before 1.6: five pickles and raw storages.
    TorchLegacy,
    /// A Ren'Py archive, `.rpa`.
    RenpyArchive,
    /// A compiled Ren'Py script, `.rpyc`.
    RenpyScript,
    /// An entry of Django's file-based cache: a pickled expiry and a compressed pickle.
    DjangoCache,
    /// Pickles that each follow their length.
    LengthPrefixed,
    /// Base64 text.
    Base64,
    /// Text of hexadecimal digits.
    Hex,
    /// Python's notation of bytes: `b'...'`.
    BytesLiteral,
    /// A session of Django, with its signature.
    DjangoSession,
    /// A database of Python's `dbm.sqlite3`.
    DbmSqlite,
    /// The directory of a database of `dbm.dumb`.
    DbmDumb,
    /// A database of GNU dbm.
    DbmGnu,
    /// Anything else.
    Data,
}

impl Kind {
    /// The kind in a word, as programs can match on it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Pickle => "pickle",
            Kind::Gzip => "gzip",
            Kind::Zlib => "zlib",
            Kind::Bzip2 => "bzip2",
            Kind::Xz => "xz",
            Kind::Lzma => "lzma",
            Kind::Zstd => "zstd",
            Kind::Lz4 => "lz4",
            Kind::Zip => "zip",
            Kind::Tar => "tar",
            Kind::Npy => "npy",
            Kind::Joblib => "joblib",
            Kind::JoblibZ => "joblib-z",
            Kind::TorchLegacy => "torch-legacy",
            Kind::RenpyArchive => "rpa",
            Kind::RenpyScript => "rpyc",
            Kind::DjangoCache => "django-cache",
            Kind::LengthPrefixed => "length-prefixed",
            Kind::Base64 => "base64",
            Kind::Hex => "hex",
            Kind::BytesLiteral => "bytes-literal",
            Kind::DjangoSession => "django-session",
            Kind::DbmSqlite => "dbm-sqlite3",
            Kind::DbmDumb => "dbm-dumb",
            Kind::DbmGnu => "dbm-gnu",
            Kind::Data => "data",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
