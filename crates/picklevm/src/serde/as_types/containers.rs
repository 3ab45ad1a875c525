//! Containers and bytes: what a sequence or bytes are in Python.

use super::with_type;

/// A container that a reserved serde name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::serde) enum Container {
    Set,
    FrozenSet,
    Deque,
    ByteArray,
}

const SET: &str = "$picklevm::serde::set";
const FROZENSET: &str = "$picklevm::serde::frozenset";
const DEQUE: &str = "$picklevm::serde::deque";
const BYTEARRAY: &str = "$picklevm::serde::bytearray";

/// Returns the container that a serde name stands for.
pub(in crate::serde) fn container_of(name: &str) -> Option<Container> {
    match name {
        SET => Some(Container::Set),
        FROZENSET => Some(Container::FrozenSet),
        DEQUE => Some(Container::Deque),
        BYTEARRAY => Some(Container::ByteArray),
        _ => None,
    }
}

with_type! {
    /// A field that is a `set`: `#[serde(with = "picklevm::serde::as_set")]`, for any type that serializes as a sequence.
    ///
    /// ```
    /// use std::collections::BTreeSet;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Article {
    ///     #[serde(with = "picklevm::serde::as_set")]
    ///     tags: BTreeSet<String>,
    /// }
    ///
    /// let article = Article { tags: ["b".into(), "a".into()].into() };
    /// let graph = picklevm::serde::to_graph(&article)?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'tags': {'a', 'b'}}");
    /// assert_eq!(picklevm::serde::from_value::<Article>(graph.root())?.tags, article.tags);
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    as_set[T: Serialize + ?Sized]: |value, serializer| serializer.serialize_newtype_struct(super::SET, value)
}

with_type! {
    /// A field that is a `frozenset`: `#[serde(with = "picklevm::serde::as_frozenset")]`.
    as_frozenset[T: Serialize + ?Sized]: |value, serializer| serializer.serialize_newtype_struct(super::FROZENSET, value)
}

with_type! {
    /// A field that is a `collections.deque` without a maximum length: `#[serde(with = "picklevm::serde::as_deque")]`.
    as_deque[T: Serialize + ?Sized]: |value, serializer| serializer.serialize_newtype_struct(super::DEQUE, value)
}

/// A field that is a `tuple`: `#[serde(with = "picklevm::serde::as_tuple")]`, for a `Vec` or another type whose reference is an
/// iterator of known length.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Image {
///     #[serde(with = "picklevm::serde::as_tuple")]
///     shape: Vec<u32>,
/// }
///
/// let graph = picklevm::serde::to_graph(&Image { shape: vec![640, 480] })?;
/// assert_eq!(format!("{:?}", graph.root()), "{'shape': (640, 480)}");
/// assert_eq!(picklevm::serde::from_value::<Image>(graph.root())?.shape, [640, 480]);
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
pub mod as_tuple {
    use ::serde::de::{Deserialize, Deserializer};
    use ::serde::ser::{Serialize, SerializeTuple, Serializer};

    use crate::serde::handover;

    /// Writes a tuple; in other formats a sequence.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<'t, T, S>(value: &'t T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: ?Sized,
        &'t T: IntoIterator<Item: Serialize, IntoIter: ExactSizeIterator>,
        S: Serializer,
    {
        let items = value.into_iter();
        if !handover::writes(&serializer) {
            return serializer.collect_seq(items);
        }
        let mut tuple = serializer.serialize_tuple(items.len())?;
        for item in items {
            tuple.serialize_element(&item)?;
        }
        tuple.end()
    }

    /// Reads a tuple or another sequence.
    ///
    /// # Errors
    ///
    /// Those of the type.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

/// Declares a module of bytes.
macro_rules! octets {
    ($(#[$doc:meta])* $name:ident: |$bytes:ident, $serializer:ident| $write:expr) => {
        $(#[$doc])*
        pub mod $name {
            use ::serde::de::Deserializer;
            use ::serde::ser::Serializer;

            /// Writes bytes.
            ///
            /// # Errors
            ///
            /// Those of the serializer.
            pub fn serialize<T: AsRef<[u8]> + ?Sized, S: Serializer>(
                value: &T,
                $serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let $bytes = value.as_ref();
                $write
            }

            /// Reads bytes of any kind, or a sequence of them.
            ///
            /// # Errors
            ///
            /// Those of the deserializer.
            pub fn deserialize<'de, T: From<Vec<u8>>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
                deserializer.deserialize_byte_buf(super::BytesVisitor).map(T::from)
            }
        }
    };
}

octets! {
    /// A field that is `bytes`: `#[serde(with = "picklevm::serde::as_bytes")]`, for a `Vec<u8>` and the like, which serde would
    /// write as a list of integers.
    as_bytes: |bytes, serializer| serializer.serialize_bytes(bytes)
}

octets! {
    /// A field that is a `bytearray`: `#[serde(with = "picklevm::serde::as_bytearray")]`, for a `Vec<u8>` and the like.
    ///
    /// ```
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Buffer {
    ///     #[serde(with = "picklevm::serde::as_bytearray")]
    ///     data: Vec<u8>,
    /// }
    ///
    /// let graph = picklevm::serde::to_graph(&Buffer { data: b"abc".to_vec() })?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'data': bytearray(b'abc')}");
    /// assert_eq!(picklevm::serde::from_value::<Buffer>(graph.root())?.data, b"abc");
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    as_bytearray: |bytes, serializer| {
        if crate::serde::handover::writes(&serializer) {
            return serializer.serialize_newtype_struct(super::BYTEARRAY, &super::Octets(bytes));
        }
        serializer.serialize_bytes(bytes)
    }
}

/// Bytes that serialize as bytes.
struct Octets<'b>(&'b [u8]);

impl ::serde::Serialize for Octets<'_> {
    fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct BytesVisitor;

impl<'de> ::serde::de::Visitor<'de> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_str<E>(self, text: &str) -> Result<Vec<u8>, E> {
        Ok(text.as_bytes().to_vec())
    }

    fn visit_seq<A: ::serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = items.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}
