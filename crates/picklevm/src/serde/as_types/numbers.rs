//! Decimals, ids, complex numbers and paths.

use std::path::PathBuf;

use ::serde::de::Deserializer;
use ::serde::ser::{Serialize, Serializer};

use super::{PythonAs, module, python_as};
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
    ($type:ty: |$text:ident| $parse:expr) => {
        python_as! { as_decimal::Number, "a decimal.Decimal": $type {
            make: |decimal| Decimal::new(&decimal.to_string())?,
            read: |decimal: Decimal<'_>| {
                let text = decimal.as_str();
                <Self as PythonAs<as_decimal::Number>>::parse(text).ok_or_else(|| no_decimal(text))?
            },
            parse: |$text| $parse,
            text: |decimal| decimal.to_string(),
        }}
    };
}

decimals!(String: |text| Decimal::new(text).ok().map(|decimal| decimal.as_str().to_owned()));
#[cfg(feature = "rust_decimal-1")]
decimals!(rust_decimal::Decimal: |text| {
    text.parse().ok().or_else(|| rust_decimal::Decimal::from_scientific(text).ok())
});
#[cfg(feature = "bigdecimal-04")]
decimals!(bigdecimal::BigDecimal: |text| text.parse().ok());

python_as! { as_uuid::Id, "a uuid.UUID": u128 {
    make: |id| Uuid::from(id),
    read: |id: Uuid| id.as_u128(),
    parse: |text| parse_uuid(text),
    text: |id| Uuid::from(*id).to_string(),
}}

#[cfg(feature = "uuid-1")]
python_as! { as_uuid::Id, "a uuid.UUID": uuid::Uuid {
    make: |id| Uuid::from(id.as_u128()),
    read: |id: Uuid| uuid::Uuid::from_u128(id.as_u128()),
    parse: |text| parse_uuid(text).map(uuid::Uuid::from_u128),
    text: |id| Uuid::from(id.as_u128()).to_string(),
}}

/// Parses an id of 32 hexadecimal digits, with or without hyphens.
fn parse_uuid(text: &str) -> Option<u128> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_hexadecimal = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hexadecimal { u128::from_str_radix(&digits, 16).ok() } else { None }
}

/// Returns a path as text, with the separators of POSIX.
fn posix(path: &std::path::Path) -> Result<String> {
    let Some(text) = path.to_str() else {
        return Err(Error::new(ErrorKind::Unrepresentable, "a path that is UTF-8", path.display().to_string()));
    };
    Ok(if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() })
}

python_as! { as_path::PurePath, "a pathlib path":
    String {
        make: |path| Path::new(Flavour::PurePosix, &path),
        read: |path: Path<'_>| path.to_string(),
        parse: |text| Some(text.to_owned()),
        text: |path| path.clone(),
    }
    PathBuf {
        make: |path| Path::new(Flavour::PurePosix, &posix(&path)?),
        read: |path: Path<'_>| PathBuf::from(path.to_string()),
        parse: |text| Some(text.into()),
        text: |path| path.display().to_string(),
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
