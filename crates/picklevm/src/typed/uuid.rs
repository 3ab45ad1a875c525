//! `uuid.UUID`.

use std::collections::BTreeMap;
use std::fmt;

use super::builtins::{octets_of, text};
use super::namedtuple_enum::{EnumMember, Member};
use super::number_text::hexadecimal;
use super::numbers::integer_of;
use super::reduce_helpers::typed;
use super::signature::{Signature, index};
use super::{Reduce, View};
use crate::graph::InstanceView;
use crate::graph::{Arena, Cell, Construction, Id, OpKind, Value};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of a `uuid.UUID`.
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

/// Whether a [`Uuid`] was generated in a multiprocessing-safe way: `uuid.SafeUUID`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SafeUuid {
    /// Generated safely.
    Safe,
    /// Not generated safely.
    Unsafe,
    /// Unknown, as for pickles of Python before 3.7.
    #[default]
    Unknown,
}

impl Uuid {
    /// Returns the same UUID with another [`safety`](Uuid::safety).
    #[must_use]
    pub fn with_safety(self, safety: SafeUuid) -> Uuid {
        Uuid { safety, ..self }
    }

    /// Returns the 128 bits, as for `uuid::Uuid::from_u128`.
    pub fn as_u128(self) -> u128 {
        self.bits
    }

    /// Returns `is_safe`: whether it was generated in a multiprocessing-safe way.
    pub fn safety(self) -> SafeUuid {
        self.safety
    }

    pub(crate) fn of(instance: &InstanceView<'_>) -> Option<Uuid> {
        if let Some(arguments) = instance.bind(Class::Uuid, &SIGNATURE) {
            return Uuid::from_call(arguments);
        }
        let is_plain = instance.is(Class::Uuid) && instance.args.is_empty() && !instance.is_called();
        let state = instance.state.filter(|_| is_plain && instance.items.is_none() && instance.pairs.is_none())?;
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

/// Signature of `UUID.__init__` in 3.13.
const SIGNATURE: Signature<7> = Signature::new(["hex", "bytes", "bytes_le", "fields", "int", "version", "is_safe"], 0)
    .keyword_only_after(6)
    .by_init();

impl Uuid {
    /// Returns the result of a call. Exactly one of the first five arguments is given.
    fn from_call(arguments: [Option<Value<'_>>; 7]) -> Option<Uuid> {
        let arguments = arguments.map(|argument| argument.filter(|argument| !argument.is_none()));
        let [hex, bytes, bytes_le, fields, int, version, safety] = arguments;
        let bits = match [hex, bytes, bytes_le, fields, int] {
            [Some(hex), None, None, None, None] => of_hex(text(hex)?)?,
            [None, Some(bytes), None, None, None] => u128::from_be_bytes(octets_of(bytes)?),
            [None, None, Some(bytes), None, None] => {
                let [a, b, c, d, e, f, g, h, rest @ ..] = octets_of::<16>(bytes)?;
                let mut bytes = [d, c, b, a, f, e, h, g, 0, 0, 0, 0, 0, 0, 0, 0];
                bytes[8..].copy_from_slice(&rest);
                u128::from_be_bytes(bytes)
            }
            [None, None, None, Some(fields), None] => of_fields(fields)?,
            [None, None, None, None, Some(int)] => integer_of(int)?.try_into().ok()?,
            _ => return None,
        };
        let bits = match version {
            None => bits,
            Some(version) => {
                let version = u128::try_from(index(version).filter(|version| (1..=8).contains(version))?).ok()?;
                bits & !(0xc000 << 48) & !(0xf000 << 64) | 0x8000 << 48 | version << 76
            }
        };
        Some(Uuid { bits, safety: safety.map_or(Some(SafeUuid::Unknown), safety_of)? })
    }
}

/// Parses hexadecimal digits after removing the characters that `UUID` removes.
fn of_hex(text: &str) -> Option<u128> {
    if text.len() > 1000 {
        return None;
    }
    let text = text.replace("urn:", "").replace("uuid:", "");
    let digits = text.trim_matches(['{', '}']).replace('-', "");
    hexadecimal(&digits).filter(|_| digits.chars().count() == 32)
}

/// Reads `time_low`, `time_mid`, `time_hi_version`, `clock_seq_hi_variant`, `clock_seq_low` and `node`.
fn of_fields(fields: Value<'_>) -> Option<u128> {
    const BITS: [u32; 6] = [32, 16, 16, 8, 8, 48];
    let fields: [Value<'_>; 6] = fields.as_tuple().or_else(|| fields.as_list())?.as_array()?;
    fields.into_iter().zip(BITS).try_fold(0, |bits: u128, (field, width)| {
        let field = u128::try_from(index(field)?).ok().filter(|field| field >> width == 0)?;
        Some(bits << width | field)
    })
}

/// Reads a member of `uuid.SafeUUID`, by value or by name.
fn safety_of(value: Value<'_>) -> Option<SafeUuid> {
    let member = EnumMember::view(value)?;
    if !member.class().as_global()?.is("uuid", "SafeUUID") {
        return None;
    }
    match member.member() {
        Member::Value(value) if value.is_none() => Some(SafeUuid::Unknown),
        Member::Value(value) => match value.as_i64()? {
            0 => Some(SafeUuid::Safe),
            -1 => Some(SafeUuid::Unsafe),
            _ => None,
        },
        Member::Name("safe") => Some(SafeUuid::Safe),
        Member::Name("unsafe") => Some(SafeUuid::Unsafe),
        Member::Name("unknown") => Some(SafeUuid::Unknown),
        Member::Name(_) | Member::Names(_) => None,
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

/// Formats as groups of hexadecimal digits (RFC 9562).
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
            arena.new_object(Construction::NewObj, class, Cell::EMPTY_TUPLE)
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
