//! `uuid.UUID`.

use std::collections::BTreeMap;
use std::fmt;

use super::Reduce;
use super::class::Class;
use super::instance::Instance;
use super::make::typed;
use crate::graph::{Arena, Cell, How, Id, OpKind, Value};
use crate::protocol::Protocol;

/// A `uuid.UUID`.
///
/// ```
/// use picklevm::typed::Uuid;
///
/// let id = Uuid::from(0x12345678_1234_5678_1234_567812345678);
/// assert_eq!(id.to_string(), "12345678-1234-5678-1234-567812345678");
/// let graph = picklevm::Graph::from(id);
/// assert_eq!(graph.root().view::<Uuid>()?, id);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid {
    bits: u128,
    safety: SafeUuid,
}

/// Whether a [`Uuid`] was made in a way that is safe for several processes: `uuid.SafeUUID`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SafeUuid {
    /// It was.
    Safe,
    /// It was not.
    Unsafe,
    /// Nobody told: so is what Pythons before 3.7 make.
    #[default]
    Unknown,
}

impl Uuid {
    /// The same id with word of how it was made.
    #[must_use]
    pub fn with_safety(self, safety: SafeUuid) -> Uuid {
        Uuid { safety, ..self }
    }

    /// The 128 bits: what `uuid::Uuid::from_u128` takes.
    pub fn as_u128(self) -> u128 {
        self.bits
    }

    /// Whether it was made in a way that is safe for several processes: `is_safe`.
    pub fn safety(self) -> SafeUuid {
        self.safety
    }

    pub(crate) fn of(instance: &Instance<'_>) -> Option<Uuid> {
        let whole = instance.is(Class::Uuid) && instance.args.is_empty();
        let state = instance.state.filter(|_| whole && instance.items.is_none() && instance.pairs.is_none())?;
        let state = state.as_dict()?;
        let safety = state.get("is_safe");
        if state.len() != 1 + usize::from(safety.is_some()) {
            return None;
        }
        // The values of `uuid.SafeUUID`.
        let safety = match safety.map(Value::as_i64) {
            None => SafeUuid::Unknown,
            Some(Some(0)) => SafeUuid::Safe,
            Some(Some(-1)) => SafeUuid::Unsafe,
            Some(None) if safety.is_some_and(Value::is_none) => SafeUuid::Unknown,
            Some(_) => return None,
        };
        Some(Uuid { bits: state.get("int")?.as_int()?.try_into().ok()?, safety })
    }
}

impl From<u128> for Uuid {
    fn from(bits: u128) -> Uuid {
        Uuid { bits, safety: SafeUuid::Unknown }
    }
}

impl From<Uuid> for u128 {
    fn from(id: Uuid) -> u128 {
        id.bits
    }
}

/// In groups of hexadecimal digits (RFC 9562).
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.bits);
        let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        f.pad(&groups.join("-"))
    }
}

impl Reduce for Uuid {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let class = arena.known_global("uuid", "UUID");
        let object = if protocol < Protocol::V2 {
            arena.reconstructed(class, "object", Cell::NONE)
        } else {
            arena.new_object(How::NewObj, class, Cell::EMPTY_TUPLE)
        };
        let safety = match self.safety {
            SafeUuid::Safe => Some(0),
            SafeUuid::Unsafe => Some(-1),
            SafeUuid::Unknown => None,
        };
        let mut rows = BTreeMap::from([("int", arena.add(self.bits))]);
        rows.extend(safety.map(|safety| ("is_safe", arena.add(safety))));
        let state = arena.cell(rows);
        arena.object_op(object, OpKind::Build, &[state]);
        Id(object)
    }
}

typed! {
    Uuid, "a uuid.UUID";
}
