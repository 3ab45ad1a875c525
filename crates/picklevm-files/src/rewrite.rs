//! Writing changed pickles back into the container that they came from.

use std::io::Write;

use bytes::Bytes;

use crate::contents::Contents;
use crate::error::Error;
use crate::file::File;
use crate::formats::{self, Change};
use crate::member::{Expect, Member};

/// A container on the way to the pickles in it.
struct Open {
    member: Member,
    contents: Contents,
    changes: Vec<Change>,
    /// The next member to look into.
    next: usize,
}

impl File {
    /// Writes the file with other pickles in it: the same container, the same compressions, and all that did not change as it
    /// was. `change` is asked for each member that holds pickles directly: it returns as many new ones, or `None` to leave
    /// them.
    ///
    /// # Errors
    ///
    /// Those of `change`; those of members that cannot be opened and should hold a pickle;
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly) if the container cannot be written with what is to change. By then a part may
    /// have been written to `out`: write to a temporary file, or to memory.
    ///
    /// ```
    /// use picklevm_files::{Error, Opener};
    ///
    /// // A file of two pickles, of which the second is replaced.
    /// let file = Opener::new().bytes("K\x01.K\x02.");
    /// let mut out = Vec::new();
    /// file.rewrite(&mut out, |_, contents| {
    ///     Ok::<_, Error>(Some(vec![contents.pickles()[0].bytes()?, "K\x03.".into()]))
    /// })?;
    /// assert_eq!(out, b"K\x01.K\x03.");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn rewrite<E: From<Error>>(
        &self,
        out: &mut dyn Write,
        mut change: impl FnMut(&Member, &Contents) -> Result<Option<Vec<Bytes>>, E>,
    ) -> Result<(), E> {
        self.root().shared().budget.restart();
        let contents = self.root().open()?;
        let mut open = vec![enter(self.root(), contents, &mut change)?];
        while let Some(top) = open.last_mut() {
            if let Some(member) = top.contents.members.get(top.next) {
                let member = member.clone();
                top.next += 1;
                match member.open() {
                    Ok(contents) => open.push(enter(&member, contents, &mut change)?),
                    Err(error) if member.expect() == Expect::Pickle => return Err(error.into()),
                    Err(_) => {}
                }
                continue;
            }
            let Some(Open { member, contents, changes, .. }) = open.pop() else { break };
            let in_member = |error: Error| E::from(error.in_member(member.path()));
            let Some(parent) = open.last_mut() else {
                return formats::write(&contents, &changes, out).map_err(in_member);
            };
            if !changes.is_empty() {
                let mut bytes = Vec::new();
                formats::write(&contents, &changes, &mut bytes).map_err(in_member)?;
                let part = parent.contents.pickles.len() + parent.next - 1;
                parent.changes.push((part, bytes.into()));
            }
        }
        Ok(())
    }
}

/// Has the pickles of a member changed.
fn enter<E: From<Error>>(
    member: &Member,
    contents: Contents,
    change: &mut impl FnMut(&Member, &Contents) -> Result<Option<Vec<Bytes>>, E>,
) -> Result<Open, E> {
    let mut changes = Vec::new();
    if !contents.pickles.is_empty()
        && let Some(new) = change(member, &contents)?
    {
        changes = new.into_iter().take(contents.pickles.len()).enumerate().collect();
    }
    Ok(Open { member: member.clone(), contents, changes, next: 0 })
}
