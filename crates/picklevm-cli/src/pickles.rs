//! Where the pickles of a file begin and end, and at which protocols they are.

use bytes::Bytes;
use picklevm::Protocol;
use picklevm_ops::{Error, Op};

/// One pickle of a file.
pub(crate) struct Pickle {
    /// Its bytes, to STOP.
    pub(crate) data: Bytes,
    /// The protocol that it says, or where it says none the one of its newest opcode.
    pub(crate) protocol: Protocol,
}

/// The pickle that `data` begins with.
pub(crate) fn first(data: &Bytes) -> Result<Pickle, Error> {
    let mut ops = picklevm_ops::ops(data);
    let (mut said, mut newest) = (None, Protocol::V0);
    for op in ops.by_ref() {
        let (_, op) = op?;
        if let (Op::Proto(version @ 2..), None) = (op, said) {
            said = Protocol::try_from(version).ok();
        }
        newest = newest.max(Protocol::try_from(op.opcode().proto()).unwrap_or_default());
    }
    Ok(Pickle { data: data.slice(..ops.offset()), protocol: said.unwrap_or(newest) })
}

/// The pickles that follow each other in `data`.
pub(crate) fn all(data: &Bytes) -> Result<Vec<Pickle>, Error> {
    let mut pickles = vec![first(data)?];
    let mut end = pickles[0].data.len();
    while end < data.len() {
        let pickle = first(&data.slice(end..))?;
        end += pickle.data.len();
        pickles.push(pickle);
    }
    Ok(pickles)
}
