//! `Shared`: an `Arc` that preserves sharing.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use ::serde::de::{Deserialize, Deserializer, Visitor};
use ::serde::ser::{Serialize, Serializer};

use super::read::{lookup, remember, take_note};

/// Serde name of [`Shared`], recognized by the reader and the writer.
pub(super) const NAME: &str = "$picklevm::serde::Shared";

/// An [`Arc`] that preserves sharing.
///
/// A shared value of a pickle is read once; each `Shared` of the same type that reads it is a clone of one `Arc`. Clones of
/// one `Arc` are written as one shared value. In other formats a `Shared<T>` is a `T`.
///
/// ```
/// use std::sync::Arc;
/// use picklevm::serde::{Shared, from_slice};
///
/// let bytes = b"\x80\x04]\x94]\x94K\x01a\x86\x94.";
/// # let bytes = b"\x80\x04]\x94(]\x94K\x01ah\x01e.";
/// // a = [1]; pickle.dumps([a, a])
/// let lists: Vec<Shared<Vec<u8>>> = from_slice(bytes)?;
/// assert!(Arc::ptr_eq(&lists[0].0, &lists[1].0));
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shared<T: ?Sized>(pub Arc<T>);

/// Clones the `Arc`.
impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Shared(Arc::new(value))
    }
}

impl<T: ?Sized> From<Arc<T>> for Shared<T> {
    fn from(value: Arc<T>) -> Self {
        Shared(value)
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de> + Send + Sync + 'static> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SharedVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Send + Sync + 'static> Visitor<'de> for SharedVisitor<T> {
            type Value = Shared<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value that may be shared")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shared<T>, D::Error> {
                let Some(value) = take_note() else { return T::deserialize(deserializer).map(Shared::from) };
                if let Some(known) = lookup(value) {
                    return Ok(Shared(known));
                }
                let read = Arc::new(T::deserialize(deserializer)?);
                remember(value, read.clone());
                Ok(Shared(read))
            }
        }

        deserializer.deserialize_newtype_struct(NAME, SharedVisitor(PhantomData))
    }
}

thread_local! {
    /// Address of the `Arc` being written.
    static ADDRESS: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Takes the address that a [`Shared`] left for the writer.
pub(super) fn take_address() -> Option<usize> {
    ADDRESS.take()
}

impl<T: Serialize + ?Sized> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Serializers of other formats do not take the address; it is cleared for later ones.
        ADDRESS.set(Some(Arc::as_ptr(&self.0).addr()));
        let done = serializer.serialize_newtype_struct(NAME, &*self.0);
        ADDRESS.set(None);
        done
    }
}
