//! Values of one op, as a run of ops has them, and as the emitter writes them at any protocol.

use picklevm_ops::internal::OpRun;
use picklevm_ops::{Opcode, Sink};

use crate::emitter::leaf::Leaf;
use crate::error::Result;

/// A value of one op.
pub(crate) trait Atom: Copy {
    fn run(self, run: &mut OpRun<'_>);

    fn leaf<S: Sink>(self, leaf: Leaf<'_, S>) -> Result<()>;
}

/// A value that is in the memo, by its index.
#[derive(Clone, Copy)]
pub(crate) struct Get(pub(crate) u32);

macro_rules! atoms {
    ($($value:pat, $type:ty: $run:ident($($ran:expr)?), $leaf:ident($($left:expr)?);)*) => {$(
        impl Atom for $type {
            #[inline(always)]
            fn run(self, run: &mut OpRun<'_>) {
                let $value = self;
                run.$run($($ran)?);
            }

            fn leaf<S: Sink>(self, leaf: Leaf<'_, S>) -> Result<()> {
                let $value = self;
                leaf.$leaf($($left)?)
            }
        }
    )*};
}
atoms! {
    (), (): bare(Opcode::None), none();
    value, bool: bool(value), bool(value);
    value, i32: short_int(value), int(value.into());
    value, i64: int(value), int(value);
    value, f64: float(value), float(value);
    Get(number), Get: get(number), get(number);
}
