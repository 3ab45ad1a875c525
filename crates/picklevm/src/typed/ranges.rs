//! `range` and `slice`.

use std::fmt;

use num_bigint::{BigInt, Sign};

use super::Reduce;
use super::numbers::{Digits, integer_of};
use super::reduce_helpers::typed;
use super::signature::Signature;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Cell, Id, IntoValue, Value};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of a `range`, or an `xrange` of Python 2.
///
/// ```
/// use picklevm::typed::Range;
///
/// let graph = picklevm::loads(b"c__builtin__\nxrange\n(I0\nI10\nI2\ntR.")?;
/// let range: Range = graph.root().view()?;
/// assert_eq!(range.to_string(), "range(0, 10, 2)");
/// assert_eq!(range, Range::new(0, 10, 2)?);
/// assert!(Range::new(0, 10, 0).is_err());
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    start: BigInt,
    stop: BigInt,
    step: BigInt,
}

impl Range {
    /// Creates a range from `start` to `stop` (exclusive) in steps of `step`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if the step is 0, which Python rejects.
    pub fn new(start: impl Into<BigInt>, stop: impl Into<BigInt>, step: impl Into<BigInt>) -> Result<Range> {
        let (start, stop, step) = (start.into(), stop.into(), step.into());
        if step == BigInt::ZERO {
            return Err(Error::new(ErrorKind::OutOfRange, "a step other than 0", "0"));
        }
        Ok(Range { start, stop, step })
    }

    /// Returns the start, the first integer.
    pub fn start(&self) -> &BigInt {
        &self.start
    }

    /// Returns the exclusive end.
    pub fn stop(&self) -> &BigInt {
        &self.stop
    }

    /// Returns the step, which is never 0.
    pub fn step(&self) -> &BigInt {
        &self.step
    }

    /// Returns the number of integers, or `usize::MAX` if it is larger.
    pub(crate) fn len(&self) -> usize {
        let span = if self.step.sign() == Sign::Plus { &self.stop - &self.start } else { &self.start - &self.stop };
        if span.sign() != Sign::Plus {
            return 0;
        }
        usize::try_from((span - 1u8) / BigInt::from(self.step.magnitude().clone()) + 1u8).unwrap_or(usize::MAX)
    }

    /// Returns the integers, if start and step have at most 64 bits.
    pub(crate) fn small_items(&self) -> Option<impl Iterator<Item = i64> + use<>> {
        let (start, step) = (i64::try_from(&self.start).ok()?, i64::try_from(&self.step).ok()?);
        let item = move |at: usize| start.checked_add(step.checked_mul(i64::try_from(at).ok()?)?);
        let len = self.len();
        item(len.saturating_sub(1))?;
        Some((0..len).filter_map(item))
    }

    pub(crate) fn of(instance: &InstanceView<'_>) -> Option<Range> {
        let [start, stop, step] = start_stop_step(instance, Class::Range)?;
        let part = |part: Option<Value<'_>>, default: i32| part.map_or(Some(default.into()), integer_of);
        Range::new(part(start, 0)?, part(stop, 0)?, part(step, 1)?).ok()
    }
}

/// Binds the arguments of `range` or `slice`. A single argument is the stop.
fn start_stop_step<'g>(instance: &InstanceView<'g>, class: Class) -> Option<[Option<Value<'g>>; 3]> {
    const SIGNATURE: Signature<3> = Signature::new(["start", "stop", "step"], 1).positional_only(3);
    Some(match instance.bind(class, &SIGNATURE)? {
        [stop, None, None] => [None, stop, None],
        all => all,
    })
}

/// Formats like Python's `repr`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [start, stop, step] = [&self.start, &self.stop, &self.step].map(Digits);
        write!(f, "range({start}, {stop}")?;
        if self.step == BigInt::from(1) { f.write_str(")") } else { write!(f, ", {step})") }
    }
}

impl From<std::ops::Range<i64>> for Range {
    fn from(range: std::ops::Range<i64>) -> Range {
        Range { start: range.start.into(), stop: range.end.into(), step: 1.into() }
    }
}

impl Reduce for Range {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let args = [self.start, self.stop, self.step].map(|part| arena.cell(part));
        arena.known_call(["builtins", "range"], &args)
    }
}

/// View of a `slice`.
///
/// ```
/// use picklevm::{Graph, typed::Slice};
///
/// let mut graph = Graph::new();
/// let slice = graph.slice(1, None::<i32>, 2);
/// let slice: Slice = graph.value(slice).view()?;
/// assert_eq!(slice.start, 1);
/// assert!(slice.stop.is_none());
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice<'g> {
    /// The start; usually `None` or an integer.
    pub start: Value<'g>,
    /// The stop.
    pub stop: Value<'g>,
    /// The step.
    pub step: Value<'g>,
}

impl<'g> Slice<'g> {
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Slice<'g>> {
        let none = Value::new(instance.class.arena(), Cell::NONE);
        let [start, stop, step] = start_stop_step(instance, Class::Slice)?.map(|part| part.unwrap_or(none));
        Some(Slice { start, stop, step })
    }
}

impl Reduce for Slice<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let parts = [self.start, self.stop, self.step].map(Value::cell);
        let args = arena.copy_each(self.start.arena(), parts);
        arena.known_call(["builtins", "slice"], &args)
    }
}

impl Arena {
    /// Adds a `slice`; see [`Slice`].
    pub fn slice(&mut self, start: impl IntoValue, stop: impl IntoValue, step: impl IntoValue) -> Id {
        let args = [self.cell(start), self.cell(stop), self.cell(step)];
        self.known_call(["builtins", "slice"], &args)
    }
}

typed! {
    Range, "a range";
    Slice<'g>, "a slice";
}
