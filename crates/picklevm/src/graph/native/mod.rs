//! Native objects: Rust values in a graph, the calls that make them, and how they are pickled.

mod call;
mod reduce_context;

use std::any::Any;
use std::fmt::Debug;
use std::hash::Hasher;
use std::sync::{Arc, LazyLock};

pub(crate) use call::Copies;
pub use call::{Call, CallResult};
pub use reduce_context::ReduceContext;

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::items::{Entries, Items};
use super::value::{Id, Value};
use crate::error::{Error, ErrorKind, Result};

/// A Rust value that represents a Python object in a graph.
///
/// Resolvers return native objects for calls and persistent ids. The methods receive what the pickle then does to the
/// object (state, items, pairs, members, calls); by default each returns an error that names the class. Arguments and
/// state are borrowed from the graph. A native object may hold Rust data and [`Id`]s of its graph, but never a handle
/// of that graph, which would then never be freed.
///
/// Read it with [`Value::downcast_ref`] or as [`Kind::NativeObject`](crate::Kind::NativeObject). A copy of a graph
/// shares its native objects.
///
/// ```
/// use picklevm::{Items, NativeObject, Result};
///
/// #[derive(Debug, Default)]
/// struct Sum(i64);
///
/// impl NativeObject for Sum {
///     fn append(&mut self, items: Items<'_>) -> Result<()> {
///         self.0 += items.filter_map(|item| item.as_i64()).sum::<i64>();
///         Ok(())
///     }
/// }
/// ```
#[allow(unused_variables, reason = "the names of default methods are documentation")]
pub trait NativeObject: Any + Debug + Send + Sync {
    /// Returns the name of the class, for errors: by default the path of the Rust type.
    fn class_name(&self) -> &str {
        std::any::type_name::<Self>()
    }

    /// Calls the object: REDUCE, or another opcode that makes an instance of it.
    ///
    /// # Errors
    ///
    /// By default, the object cannot be called.
    fn call(&self, call: &mut Call<'_>) -> Result<CallResult> {
        Err(cannot("be called"))
    }

    /// Sets the state: BUILD, Python's `__setstate__`.
    ///
    /// # Errors
    ///
    /// By default, the object has no state.
    fn set_state(&mut self, state: Value<'_>) -> Result<()> {
        Err(cannot("be given a state"))
    }

    /// Appends items: APPEND and APPENDS, in the batches of the pickle.
    ///
    /// # Errors
    ///
    /// By default, the object holds no items.
    fn append(&mut self, items: Items<'_>) -> Result<()> {
        Err(cannot("be appended to"))
    }

    /// Sets keys to values: SETITEM and SETITEMS, in the batches of the pickle.
    ///
    /// # Errors
    ///
    /// By default, the object holds no pairs.
    fn set_items(&mut self, pairs: Entries<'_>) -> Result<()> {
        Err(cannot("be given keys and values"))
    }

    /// Adds members: ADDITEMS, in the batches of the pickle.
    ///
    /// # Errors
    ///
    /// By default, the object has no members.
    fn add(&mut self, items: Items<'_>) -> Result<()> {
        Err(cannot("be added to"))
    }

    /// Returns whether another native object is equal to this one: Python's `__eq__`. An object is always equal to
    /// itself; by default to nothing else.
    fn equals(&self, other: &dyn NativeObject) -> bool {
        false
    }

    /// Feeds a hasher with what [`equals`](NativeObject::equals) compares: Python's `__hash__`. By default the object
    /// is hashed by identity.
    fn hash(&self, hasher: &mut dyn Hasher) -> HashMode {
        HashMode::ByIdentity
    }

    /// Builds the value that is written for the object: Python's `__reduce_ex__`. See [`ReduceContext`].
    ///
    /// # Errors
    ///
    /// By default, the object cannot be pickled.
    ///
    /// ```
    /// use picklevm::{Graph, Id, NativeObject, ReduceContext, Result, dumps};
    ///
    /// #[derive(Debug)]
    /// struct Price(&'static str);
    ///
    /// impl NativeObject for Price {
    ///     fn reduce(&self, value: &mut ReduceContext<'_>) -> Result<Id> {
    ///         value.call("decimal", "Decimal").arg(self.0).build()
    ///     }
    /// }
    ///
    /// let mut graph = Graph::new();
    /// let price = graph.native_object(Price("1.50"));
    /// let pickle = dumps(graph.value(price))?;
    /// assert_eq!(format!("{:?}", picklevm::loads(pickle)?.root()), "decimal.Decimal('1.50')");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    fn reduce(&self, value: &mut ReduceContext<'_>) -> Result<Id> {
        let expected = "a native object that can be pickled (NativeObject::reduce)";
        Err(Error::new(ErrorKind::Unrepresentable, expected, "one that cannot"))
    }

    /// Returns a copy, to change an object that several graphs share. By default `None`: such a change is an error.
    fn clone_object(&self) -> Option<Arc<dyn NativeObject>> {
        None
    }

    /// Returns a copy for [`Arena::deepcopy`]: Python's `__deepcopy__`. `copy_of` returns the copy of a value of the graph that
    /// the object holds by its id; it may not be complete yet. By default [`clone_object`](Self::clone_object).
    fn deepcopy(&self, copy_of: &mut dyn FnMut(Id) -> Id) -> Option<Arc<dyn NativeObject>> {
        self.clone_object()
    }
}

/// How a native object is hashed as a key of a dict or a member of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashMode {
    /// By identity: the object is equal only to itself.
    ByIdentity,
    /// By the data fed to the hasher.
    ByContent,
    /// Not hashable: using it as a key is an error.
    Unhashable,
}

#[cold]
fn cannot(what: &str) -> Error {
    Error::new(ErrorKind::Type, format!("an object that can {what}"), "one that cannot")
}

/// Returns the object, replaced by a copy first if several graphs share it.
fn unshared(native: &mut Arc<dyn NativeObject>) -> Result<&mut dyn NativeObject> {
    if Arc::get_mut(native).is_none()
        && let Some(copy) = native.clone_object()
    {
        *native = copy;
    }
    Arc::get_mut(native)
        .ok_or_else(|| Error::new(ErrorKind::Type, "a native object that only one graph holds", "one that is shared"))
}

/// A placeholder for a native object while it is being changed. A state that refers back to the object sees this.
#[derive(Debug)]
struct Changing;

impl NativeObject for Changing {}

static CHANGING: LazyLock<Arc<dyn NativeObject>> = LazyLock::new(|| Arc::new(Changing));

impl<'g> Value<'g> {
    /// Returns the native object, if the value is one.
    pub fn as_native(self) -> Option<&'g dyn NativeObject> {
        self.cell().is(Tag::NativeObject).then(|| self.arena().native(self.cell()))
    }

    /// Returns the native object, if the value is one of this type.
    pub fn downcast_ref<T: NativeObject>(self) -> Option<&'g T> {
        (self.as_native()? as &dyn Any).downcast_ref()
    }
}

impl Arena {
    /// Adds a native object to the graph.
    pub fn native_object(&mut self, native: impl NativeObject) -> Id {
        Id(self.new_native(Arc::new(native)))
    }

    /// Returns a native object of this type, to change it. An object that several graphs share is
    /// [copied](NativeObject::clone_object) first. `None` if the value is not such an object.
    ///
    /// ```
    /// use picklevm::{Graph, NativeObject};
    ///
    /// #[derive(Debug)]
    /// struct Counter(u32);
    /// impl NativeObject for Counter {}
    ///
    /// let mut graph = Graph::new();
    /// let counter = graph.native_object(Counter(1));
    /// graph.native_mut::<Counter>(counter)?.expect("it is one").0 += 1;
    /// assert_eq!(graph.value(counter).downcast_ref::<Counter>().unwrap().0, 2);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if several graphs share the object and it cannot be copied.
    pub fn native_mut<T: NativeObject>(&mut self, id: Id) -> Result<Option<&mut T>> {
        let cell = self.checked(id);
        if Value::new(self, cell).downcast_ref::<T>().is_none() {
            return Ok(None);
        }
        let Some(native) = self.natives.get_mut(cell) else { return Ok(None) };
        Ok((unshared(native)? as &mut dyn Any).downcast_mut())
    }

    pub(crate) fn new_native(&mut self, native: Arc<dyn NativeObject>) -> Cell {
        let id = self.natives.push(native);
        Cell::node(Tag::NativeObject, id)
    }

    /// Adds a native object that is set later.
    pub(crate) fn new_unset_native(&mut self) -> Cell {
        self.new_native(CHANGING.clone())
    }

    #[inline]
    pub(crate) fn native(&self, cell: Cell) -> &dyn NativeObject {
        self.natives.get(cell).map_or(&Changing, |native| &**native)
    }

    /// Changes a native object, which can read the graph, except itself, meanwhile.
    pub(crate) fn change_native(
        &mut self,
        cell: Cell,
        change: impl FnOnce(&mut dyn NativeObject, &Arena) -> Result<()>,
    ) -> Result<()> {
        let Some(place) = self.natives.get_mut(cell) else { return Err(cannot("be changed")) };
        let mut native = std::mem::replace(place, CHANGING.clone());
        let done = unshared(&mut native).and_then(|unique| change(unique, self));
        self.natives.set(cell, native);
        done
    }
}
