//! Pickle protocols.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// A pickle protocol, from 0 to 5: the set of opcodes that a pickle may use. Python uses plain numbers, with
/// `HIGHEST_PROTOCOL` and `DEFAULT_PROTOCOL`; its old `bin` flag means protocol 1.
///
/// ```
/// use picklevm::Protocol;
///
/// assert_eq!(Protocol::try_from(2)?, Protocol::V2);
/// assert_eq!(Protocol::HIGHEST, Protocol::V5);
/// assert_eq!(Protocol::DEFAULT.to_string(), "4");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(u8);

impl Protocol {
    /// Text in ASCII; read by every Python.
    pub const V0: Protocol = Protocol(0);
    /// The old binary protocol; read by every Python.
    pub const V1: Protocol = Protocol(1);
    /// PEP 307, from Python 2.3 on.
    pub const V2: Protocol = Protocol(2);
    /// Bytes have opcodes; from Python 3.0 on.
    pub const V3: Protocol = Protocol(3);
    /// PEP 3154, from Python 3.4 on.
    pub const V4: Protocol = Protocol(4);
    /// PEP 574, from Python 3.8 on.
    pub const V5: Protocol = Protocol(5);
    /// The newest protocol: Python's `pickle.HIGHEST_PROTOCOL`.
    pub const HIGHEST: Protocol = Protocol::V5;
    /// The default protocol: `pickle.DEFAULT_PROTOCOL` of Python 3.8 to 3.13 (5 from 3.14 on).
    pub const DEFAULT: Protocol = Protocol::V4;
}

impl Default for Protocol {
    fn default() -> Self {
        Protocol::DEFAULT
    }
}

impl From<Protocol> for u8 {
    #[inline]
    fn from(protocol: Protocol) -> u8 {
        protocol.0
    }
}

/// # Errors
///
/// [`Unrepresentable`](ErrorKind::Unrepresentable) above 5.
impl TryFrom<u8> for Protocol {
    type Error = Error;

    fn try_from(number: u8) -> Result<Protocol, Error> {
        if number > Protocol::HIGHEST.0 {
            return Err(Error::new(ErrorKind::Unrepresentable, "a protocol from 0 to 5", number.to_string()));
        }
        Ok(Protocol(number))
    }
}

/// # Errors
///
/// [`Unrepresentable`](ErrorKind::Unrepresentable) for text that is not a number from 0 to 5.
impl FromStr for Protocol {
    type Err = Error;

    fn from_str(text: &str) -> Result<Protocol, Error> {
        let number: u8 = text
            .parse()
            .map_err(|_| Error::new(ErrorKind::Unrepresentable, "a protocol from 0 to 5", format!("{text:?}")))?;
        Protocol::try_from(number)
    }
}

/// Prints the number.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
