//! Named tuples and members of enums: of classes that programs define.

use super::builtins::text;
use super::class::Class;
use super::instance::InstanceView;
use super::reduce_helpers::into_value;
use super::{Reduce, View};
use crate::graph::{Arena, Cell, Construction, Id, IntoValue, Items, Kind, Value};
use crate::protocol::Protocol;

/// A named tuple: a class, and the values of its fields. The pickle does not have their names.
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
    /// The class: a global as a rule.
    pub fn class(&self) -> Value<'g> {
        self.class
    }

    /// The values of the fields, in their order.
    pub fn fields(&self) -> Items<'g> {
        self.fields
    }
}

/// Any instance that is made of arguments, without being called, and holds nothing else.
impl<'g> View<'g> for NamedTuple<'g> {
    const EXPECTED: &'static str = "a named tuple";

    fn view(value: Value<'g>) -> Option<Self> {
        let instance = InstanceView::of(value)?;
        let fields = instance.only_args(instance.known)?;
        (instance.how == Construction::NewObj).then_some(NamedTuple { class: instance.class, fields })
    }
}

impl Reduce for NamedTuple<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let cells = [self.class.cell()].into_iter().chain(self.fields.cells().iter().copied());
        let cells = arena.copy_each(self.class.arena(), cells);
        arena.named(cells[0], &cells[1..], protocol)
    }
}

/// A member of an enum: a class, and the value or name of the member.
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

/// By what a [member](EnumMember) is pickled.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Member<'g> {
    /// By its value: `Color(1)`, as a rule.
    Value(Value<'g>),
    /// By its name: `getattr(Color, 'RED')`, as `enum.pickle_by_enum_name` has it.
    Name(&'g str),
}

impl<'g> EnumMember<'g> {
    /// The class: a global as a rule.
    pub fn class(&self) -> Value<'g> {
        self.class
    }

    /// The value of the member, or its name.
    pub fn member(&self) -> Member<'g> {
        self.member
    }
}

/// Any call of a class that is not known otherwise, with one plain value or a tuple of such, and any attribute of a
/// class. A member that is pickled as a global (`enum.pickle_by_global_name`) is a [`Global`](crate::Global): the
/// pickle does not tell its class.
impl<'g> View<'g> for EnumMember<'g> {
    const EXPECTED: &'static str = "a member of an enum";

    fn view(value: Value<'g>) -> Option<Self> {
        let instance = InstanceView::of(value).filter(|instance| instance.how == Construction::Reduce)?;
        if let Some(args) = instance.only_args(Class::GetAttr) {
            let [class, name] = args.as_array()?;
            return Some(EnumMember { class, member: Member::Name(text(name)?) });
        }
        let [value] = instance.only_args(Class::Other)?.as_array()?;
        is_plain(value).then_some(EnumMember { class: instance.class, member: Member::Value(value) })
    }
}

/// Whether a value can be that of a member, as far as one can tell.
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
                Id(arena.called(cells[0], &cells[1..]))
            }
            Member::Name(name) => {
                let Id(class) = self.class.into_value(arena);
                let name = arena.cell(name);
                arena.known_call(["builtins", "getattr"], &[class, name])
            }
        }
    }
}

impl Arena {
    /// A named tuple of a class, a global as a rule, and the values of its fields; see [`NamedTuple`].
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
        self.named(class, &fields, Protocol::DEFAULT)
    }

    /// The member of an enum, by its class, a global as a rule, and its value; see [`EnumMember`].
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
        Id(self.called(class, &[value]))
    }

    fn named(&mut self, class: Cell, fields: &[Cell], protocol: Protocol) -> Id {
        let fields = self.new_tuple(fields);
        Id(match protocol {
            Protocol::V0 | Protocol::V1 => self.reconstructed(class, "tuple", fields),
            _ => self.new_object(Construction::NewObj, class, fields),
        })
    }
}

into_value!(NamedTuple<'g>);
into_value!(EnumMember<'g>);
