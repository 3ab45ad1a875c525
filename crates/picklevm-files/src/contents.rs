//! What a member holds: pickles and further members.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Error;
use crate::formats::Layout;
use crate::kind::Kind;
use crate::member::{Member, Place};
use crate::pickle::RawArray;
use crate::region::Region;

/// The contents of a member.
#[derive(Debug)]
pub struct Contents {
    pub(crate) kind: Kind,
    pub(crate) pickles: Vec<Pickle>,
    pub(crate) members: Vec<Member>,
    /// Why something in it could not be read, or why there is nothing in it.
    pub(crate) problem: Option<Error>,
    pub(crate) padding: Option<Range<u64>>,
    pub(crate) region: Region,
    pub(crate) layout: Layout,
}

impl Contents {
    pub(crate) fn new(kind: Kind, region: Region, layout: Layout) -> Self {
        Contents { kind, pickles: Vec::new(), members: Vec::new(), problem: None, padding: None, region, layout }
    }

    /// Returns the recognized format.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The pickles that lie in it directly, in order.
    pub fn pickles(&self) -> &[Pickle] {
        &self.pickles
    }

    /// Returns its members, in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Returns the problem of contents that could be opened: bytes after the pickles that are not pickles, a missing part;
    /// or, if it holds no pickle and no member, what it is instead.
    pub fn problem(&self) -> Option<&Error> {
        self.problem.as_ref()
    }

    /// [`problem`](Self::problem), by value.
    pub fn into_problem(self) -> Option<Error> {
        self.problem
    }

    /// Returns the range of the NULs after the pickles, with or without white space, if nothing else follows.
    ///
    /// ```
    /// let file = picklevm_files::Opener::new().bytes("N.\0\0\0");
    /// assert_eq!(file.root().open()?.padding(), Some(2..5));
    /// # Ok::<(), picklevm_files::Error>(())
    /// ```
    pub fn padding(&self) -> Option<Range<u64>> {
        self.padding.clone()
    }

    /// Returns its bytes, decompressed.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn bytes(&self) -> Result<Bytes, Error> {
        self.region.bytes()
    }
}

/// A pickle and where it lies.
#[derive(Debug, Clone)]
pub struct Pickle {
    pub(crate) path: Arc<str>,
    pub(crate) parts: Vec<Region>,
    /// Where it lies in the member that holds it.
    pub(crate) range: Range<u64>,
    /// Where in it its longest payload begins, if it is long.
    pub(crate) payload: u64,
    pub(crate) protocol: u8,
    pub(crate) role: Option<&'static str>,
    pub(crate) main: bool,
    pub(crate) arrays: Arc<[RawArray]>,
    pub(crate) problem: Option<Arc<Error>>,
}

impl Pickle {
    /// The path of the member that holds it; empty for the file itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns its offset in its member, in bytes.
    pub fn offset(&self) -> u64 {
        self.range.start
    }

    /// The length of [`bytes`](Self::bytes).
    pub fn len(&self) -> u64 {
        self.parts.iter().map(Region::len).sum()
    }

    /// Returns whether it has no bytes. A complete pickle has some.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns its place in the outermost file, if it is not compressed. With arrays of joblib in it, the place is longer
    /// than the pickle.
    pub fn place(&self) -> Option<Place> {
        let offset = self.parts.first()?.place()?;
        Some(Place { offset, len: self.range.end - self.range.start })
    }

    /// Returns its bytes up to STOP, without the data that joblib wrote into it. They are shared if they are contiguous.
    ///
    /// Of a long pickle that is read from disk, the longest of its byte strings lies at a multiple of 64 in memory, so that
    /// numbers in it can be used where they are.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn bytes(&self) -> Result<Bytes, Error> {
        if let [part] = &*self.parts {
            return part.bytes_aligned(self.payload);
        }
        let mut all = Vec::new();
        for part in &self.parts {
            all.extend_from_slice(&part.bytes()?);
        }
        Ok(all.into())
    }

    /// The protocol that it names; where it names none, that of its newest opcode.
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Returns its purpose in its format, such as `storage keys`.
    pub fn role(&self) -> Option<&'static str> {
        self.role
    }

    /// Returns whether it is the main pickle of its member: the first, or the object among PyTorch's five.
    pub fn is_main(&self) -> bool {
        self.main
    }

    /// The memory of arrays that joblib wrote into it, in order.
    pub fn arrays(&self) -> &[RawArray] {
        &self.arrays
    }

    /// Returns why it is not a complete pickle: it is truncated, or broken.
    pub fn problem(&self) -> Option<&Error> {
        self.problem.as_deref()
    }
}
