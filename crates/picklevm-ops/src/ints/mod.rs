//! Integers: those of up to seven bytes, read without a branch on their opcode, and two's complement.

mod int_run;
mod short_int;
mod twos_complement;

pub use int_run::IntRun;
pub use short_int::ShortInt;
pub use twos_complement::int_from_le_bytes;
