//! Named tuples and enum members.

use std::fmt;

use super::builtins::text;
use super::reduce_helpers::into_value;
use super::{Reduce, View};
use crate::graph::{Arena, Cell, Construction, Id, InstanceView, IntoValue, Items, Kind, Value};
use crate::graph::{attribute, qualified_name};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of a named tuple: its class and field values. Pickles do not contain the field names.
///
/// ```
/// use picklevm::typed::NamedTuple;
///
/// let graph = picklevm::loads(b"\x80\x02cgeometry\nPoint\nK\x01K\x02\x86\x81.")?;
/// let point: NamedTuple = graph.root().view()?;
/// assert!(point.class().as_global().unwrap().is("geometry", "Point"));
/// let [x, y] = point.fields().as_array().unwrap();
/// assert_eq!((x.as_i64(), y.as_i64()), (Some(1), Some(2)));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NamedTuple<'g> {
    class: Value<'g>,
    fields: Items<'g>,
}

impl<'g> NamedTuple<'g> {
    /// Returns the class, usually a global.
    pub fn class(&self) -> Value<'g> {
        self.class
    }

    /// Returns the field values in order.
    pub fn fields(&self) -> Items<'g> {
        self.fields
    }
}

/// Any instance created by `cls.__new__` with arguments and without state or items.
impl<'g> View<'g> for NamedTuple<'g> {
    const EXPECTED: &'static str = "a named tuple";

    fn view(value: Value<'g>) -> Option<Self> {
        let instance = InstanceView::of(value)?;
        let fields = instance.only_args(instance.known)?;
        (instance.construction == Construction::NewObj).then_some(NamedTuple { class: instance.class, fields })
    }
}

impl Reduce for NamedTuple<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let cells = [self.class.cell()].into_iter().chain(self.fields.cells().iter().copied());
        let cells = arena.copy_each(self.class.arena(), cells);
        arena.new_named_tuple(cells[0], &cells[1..], protocol)
    }
}

/// View of an enum member: its class, and its value or name.
///
/// ```
/// use picklevm::typed::{EnumMember, Member};
///
/// let graph = picklevm::loads(b"\x80\x04\x8c\x04http\x8c\nHTTPStatus\x93K\xc8\x85R.")?;
/// let status: EnumMember = graph.root().view()?;
/// assert!(status.class().as_global().unwrap().is("http", "HTTPStatus"));
/// assert!(matches!(status.member(), Member::Value(value) if value == 200));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnumMember<'g> {
    class: Value<'g>,
    member: Member<'g>,
}

/// How an [enum member](EnumMember) is pickled.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Member<'g> {
    /// By value: `Color(1)`, the default.
    Value(Value<'g>),
    /// By name: `getattr(Color, 'RED')`, as with `enum.pickle_by_enum_name`.
    Name(&'g str),
    /// Several members of a flag by name, as Python 3.11.0 to 3.11.3 pickles `Perm.R | Perm.W`.
    Names(FlagNames<'g>),
}

/// The names of several members of a flag: see [`Member::Names`].
///
/// ```
/// use picklevm::typed::{EnumMember, Member};
///
/// let graph = picklevm::literal::parse("(app.Perm.R | app.Perm.W)")?;
/// let flags: EnumMember = graph.root().view()?;
/// let Member::Names(names) = flags.member() else { panic!("others") };
/// assert_eq!(names.iter().collect::<Vec<_>>(), ["R", "W"]);
/// assert_eq!(names.to_string(), "R|W");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlagNames<'g> {
    /// The two sides of the last `|`.
    sides: [Value<'g>; 2],
}

impl<'g> FlagNames<'g> {
    /// Most members of a flag. The calls are nested in each other.
    const MAX: usize = 128;

    /// Reads a call of `operator.or_`.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Self> {
        let names = FlagNames { sides: instance.only_args(Class::BitOr)?.as_array()? };
        names.read().map(|_| names)
    }

    /// Returns the names in the order in which Python joins them.
    pub fn iter(self) -> impl Iterator<Item = &'g str> {
        self.read().map(|(_, names)| names).unwrap_or_default().into_iter()
    }

    /// Reads the class, and the name of each member.
    fn read(self) -> Option<(Value<'g>, Vec<&'g str>)> {
        let [mut rest, member] = self.sides;
        let (class, name) = attribute(member)?;
        let mut names = vec![name];
        while names.len() < FlagNames::MAX {
            let sides = InstanceView::of(rest).and_then(|instance| instance.only_args(Class::BitOr)?.as_array());
            let member = sides.map_or(rest, |[_, member]| member);
            let (owner, name) = attribute(member)?;
            if owner.id() != class.id() && qualified_name(owner)? != qualified_name(class)? {
                return None;
            }
            names.push(name);
            let Some([before, _]) = sides else {
                names.reverse();
                return Some((class, names));
            };
            rest = before;
        }
        None
    }
}

/// Writes the names as Python 3.11 does: `R|W`.
impl fmt::Display for FlagNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(n, name)| write!(f, "{}{name}", if n > 0 { "|" } else { "" }))
    }
}

impl<'g> EnumMember<'g> {
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Self> {
        if instance.construction != Construction::Reduce {
            return None;
        }
        if let Some(args) = instance.only_args(Class::GetAttr) {
            let [class, name] = args.as_array()?;
            return Some(EnumMember { class, member: Member::Name(text(name)?) });
        }
        if let Some(names) = FlagNames::of(instance) {
            return Some(EnumMember { class: names.read()?.0, member: Member::Names(names) });
        }
        let [value] = instance.only_args(Class::Other)?.as_array()?;
        is_plain(value).then_some(EnumMember { class: instance.class, member: Member::Value(value) })
    }

    /// Returns the class, usually a global.
    pub fn class(&self) -> Value<'g> {
        self.class
    }

    /// Returns the value or name of the member.
    pub fn member(&self) -> Member<'g> {
        self.member
    }
}

/// Any call of a class without another view, with one plain value or a tuple of plain values, any attribute of a class,
/// and several attributes of one class that `operator.or_` joins. A member pickled as a global
/// (`enum.pickle_by_global_name`) is a [`Global`](crate::Global): the pickle does not contain its class.
impl<'g> View<'g> for EnumMember<'g> {
    const EXPECTED: &'static str = "an enum member";

    fn view(value: Value<'g>) -> Option<Self> {
        EnumMember::of(&InstanceView::of(value)?)
    }
}

/// Returns whether a value may be that of an enum member.
fn is_plain(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Tuple(items) => items.clone().all(|item| !matches!(item.kind(), Kind::Object(_) | Kind::List(_))),
        Kind::Object(_) | Kind::List(_) | Kind::Dict(_) | Kind::Set(_) | Kind::ByteArray(_) | Kind::NativeObject(_) => {
            false
        }
        _ => true,
    }
}

impl Reduce for EnumMember<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        match self.member {
            Member::Value(value) => {
                let cells = arena.copy_each(self.class.arena(), [self.class.cell(), value.cell()]);
                Id(arena.new_call(cells[0], &cells[1..]))
            }
            Member::Name(name) => {
                let Id(class) = self.class.into_value(arena);
                let name = arena.cell(name);
                Id(arena.attribute_of(class, name))
            }
            Member::Names(FlagNames { sides: [rest, last] }) => {
                let sides = arena.copy_each(rest.arena(), [rest.cell(), last.cell()]);
                let or = arena.known_global("_operator", "or_");
                Id(arena.new_call(or, &sides))
            }
        }
    }
}

impl Arena {
    /// Adds a named tuple of a class (usually a global) and field values; see [`NamedTuple`].
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let class = graph.global("geometry", "Point");
    /// let point = graph.named_tuple(class, [1, 2]);
    /// assert_eq!(format!("{:?}", graph.value(point)), "geometry.Point(1, 2)");
    /// ```
    pub fn named_tuple<T: IntoValue>(&mut self, class: Id, fields: impl IntoIterator<Item = T>) -> Id {
        let class = self.checked(class);
        let fields = self.cells_of(fields);
        self.new_named_tuple(class, &fields, Protocol::DEFAULT)
    }

    /// Adds an enum member by its class (usually a global) and value; see [`EnumMember`].
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let class = graph.global("http", "HTTPStatus");
    /// let ok = graph.enum_member(class, 200);
    /// assert_eq!(format!("{:?}", graph.value(ok)), "http.HTTPStatus(200)");
    /// ```
    pub fn enum_member(&mut self, class: Id, value: impl IntoValue) -> Id {
        let class = self.checked(class);
        let value = self.cell(value);
        Id(self.new_call(class, &[value]))
    }

    fn new_named_tuple(&mut self, class: Cell, fields: &[Cell], protocol: Protocol) -> Id {
        let fields = self.new_tuple(fields);
        Id(match protocol {
            Protocol::V0 | Protocol::V1 => self.reconstructed(class, "tuple", fields),
            _ => self.new_object(Construction::NewObj, class, fields),
        })
    }
}

into_value!(NamedTuple<'g>);
into_value!(EnumMember<'g>);
