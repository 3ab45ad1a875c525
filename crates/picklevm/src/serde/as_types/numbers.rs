//! Decimals, ids, complex numbers and paths.

use std::path::PathBuf;

use ::serde::de::Deserializer;
use ::serde::ser::{Serialize, Serializer};

use super::{PythonAs, module};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Id, Value};
use crate::protocol::Protocol;
use crate::typed::{Decimal, Flavour, Path, Reduce, Uuid};

module! {
    /// A field that is a `decimal.Decimal`: `#[serde(with = "picklevm::serde::as_decimal")]`.
    ///
    /// Types: `String`, `rust_decimal::Decimal` (feature `rust_decimal-1`), `bigdecimal::BigDecimal` (feature
    /// `bigdecimal-04`). In other formats it is a string.
    ///
    /// ```
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Line {
    ///     #[serde(with = "picklevm::serde::as_decimal")]
    ///     price: String,
    /// }
    ///
    /// let graph = picklevm::serde::to_graph(&Line { price: "9.90".into() })?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'price': decimal.Decimal('9.90')}");
    /// assert_eq!(picklevm::serde::from_value::<Line>(graph.root())?.price, "9.90");
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    as_decimal: Number
}

module! {
    /// A field that is a `uuid.UUID`: `#[serde(with = "picklevm::serde::as_uuid")]`.
    ///
    /// Types: `u128`, `uuid::Uuid` (feature `uuid-1`). In other formats it is a string with hyphens.
    ///
    /// ```
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Session {
    ///     #[serde(with = "picklevm::serde::as_uuid")]
    ///     id: u128,
    /// }
    ///
    /// let graph = picklevm::serde::to_graph(&Session { id: 0x1234 })?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'id': uuid.UUID('00000000-0000-0000-0000-000000001234')}");
    /// assert_eq!(picklevm::serde::from_value::<Session>(graph.root())?.id, 0x1234);
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    as_uuid: Id
}

module! {
    /// A field that is a path: `#[serde(with = "picklevm::serde::as_path")]`, for a `PathBuf` or `String`.
    ///
    /// It is written as a `pathlib.PurePosixPath`, which every system reads, and read from all classes of `pathlib`. In other
    /// formats it is a string.
    ///
    /// ```
    /// use std::path::PathBuf;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Job {
    ///     #[serde(with = "picklevm::serde::as_path")]
    ///     input: PathBuf,
    /// }
    ///
    /// let graph = picklevm::serde::to_graph(&Job { input: "data/a.csv".into() })?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'input': pathlib.PurePosixPath('data/a.csv')}");
    /// assert_eq!(picklevm::serde::from_value::<Job>(graph.root())?.input, PathBuf::from("data/a.csv"));
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    as_path: PurePath
}

#[cold]
fn no_decimal(text: &str) -> Error {
    Error::new(ErrorKind::OutOfRange, "a decimal that the type can hold", text.to_owned())
}

macro_rules! decimals {
    ($($type:ty: $parse:expr;)*) => {$(
        impl PythonAs<as_decimal::Number> for $type {
            const EXPECTED: &'static str = "a decimal.Decimal";

            fn make(self, arena: &mut Arena, protocol: Protocol) -> Result<crate::Id> {
                Ok(Decimal::new(&self.to_string())?.reduce(arena, protocol))
            }

            fn read(value: Value<'_>) -> Result<Self> {
                let decimal: Decimal<'_> = value.view()?;
                let text = decimal.as_str();
                <Self as PythonAs<as_decimal::Number>>::parse(text).ok_or_else(|| no_decimal(text))
            }

            fn parse(text: &str) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text)
            }

            fn to_text(&self) -> Result<Option<String>> {
                Ok(Some(self.to_string()))
            }
        }
    )*};
}

decimals!(String: |text| Decimal::new(text).ok().map(|decimal| decimal.as_str().to_owned()););
#[cfg(feature = "rust_decimal-1")]
decimals!(rust_decimal::Decimal: |text| {
    text.parse().ok().or_else(|| rust_decimal::Decimal::from_scientific(text).ok())
};);
#[cfg(feature = "bigdecimal-04")]
decimals!(bigdecimal::BigDecimal: |text| text.parse().ok(););

macro_rules! ids {
    ($($type:ty: $of:expr, $to:expr;)*) => {$(
        impl PythonAs<as_uuid::Id> for $type {
            const EXPECTED: &'static str = "a uuid.UUID";

            fn make(self, arena: &mut Arena, protocol: Protocol) -> Result<Id> {
                Ok(Uuid::from(($to)(self)).reduce(arena, protocol))
            }

            fn read(value: Value<'_>) -> Result<Self> {
                Ok(($of)(value.view::<Uuid>()?.as_u128()))
            }

            fn parse(text: &str) -> Option<Self> {
                parse_uuid(text).map($of)
            }

            fn to_text(&self) -> Result<Option<String>> {
                Ok(Some(Uuid::from(($to)(*self)).to_string()))
            }
        }
    )*};
}

ids!(u128: std::convert::identity, std::convert::identity;);
#[cfg(feature = "uuid-1")]
ids!(uuid::Uuid: uuid::Uuid::from_u128, |id: uuid::Uuid| id.as_u128(););

/// Parses an id of 32 hexadecimal digits, with or without hyphens.
fn parse_uuid(text: &str) -> Option<u128> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_hexadecimal = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hexadecimal { u128::from_str_radix(&digits, 16).ok() } else { None }
}

impl PythonAs<as_path::PurePath> for String {
    const EXPECTED: &'static str = "a pathlib path";

    fn make(self, arena: &mut Arena, protocol: Protocol) -> Result<Id> {
        Ok(Path::new(Flavour::PurePosix, &self).reduce(arena, protocol))
    }

    fn read(value: Value<'_>) -> Result<Self> {
        Ok(value.view::<Path<'_>>()?.to_string())
    }

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn to_text(&self) -> Result<Option<String>> {
        Ok(Some(self.clone()))
    }
}

impl PythonAs<as_path::PurePath> for PathBuf {
    const EXPECTED: &'static str = "a pathlib path";

    fn make(self, arena: &mut Arena, protocol: Protocol) -> Result<Id> {
        let Some(text) = self.to_str() else {
            return Err(Error::new(ErrorKind::Unrepresentable, "a path that is UTF-8", self.display().to_string()));
        };
        let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() };
        Ok(Path::new(Flavour::PurePosix, &text).reduce(arena, protocol))
    }

    fn read(value: Value<'_>) -> Result<Self> {
        Ok(PathBuf::from(value.view::<Path<'_>>()?.to_string()))
    }

    fn parse(text: &str) -> Option<Self> {
        Some(text.into())
    }

    fn to_text(&self) -> Result<Option<String>> {
        Ok(Some(self.display().to_string()))
    }
}

/// A field that is a `complex`: `#[serde(with = "picklevm::serde::as_complex")]`, for a pair of real and imaginary part.
///
/// In other formats it is the pair.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Wave {
///     #[serde(with = "picklevm::serde::as_complex")]
///     amplitude: (f64, f64),
/// }
///
/// let graph = picklevm::serde::to_graph(&Wave { amplitude: (1.0, -2.0) })?;
/// assert_eq!(format!("{:?}", graph.root()), "{'amplitude': (1-2j)}");
/// assert_eq!(picklevm::serde::from_value::<Wave>(graph.root())?.amplitude, (1.0, -2.0));
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
pub mod as_complex {
    use super::{Deserializer, Serialize, Serializer};
    use crate::serde::handover;

    /// Writes a complex number.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &(f64, f64), serializer: S) -> Result<S::Ok, S::Error> {
        if !handover::writes(&serializer) {
            return value.serialize(serializer);
        }
        let (re, im) = *value;
        handover::give(serializer, Box::new(move |arena, _| Ok(arena.complex(re, im))))
    }

    /// Reads a complex number, or a pair.
    ///
    /// # Errors
    ///
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(f64, f64), D::Error> {
        ::serde::Deserialize::deserialize(deserializer)
    }
}
