//! Integers of up to seven bytes, read without a branch on their opcode.

mod int_run;
mod short_int;

pub use int_run::IntRun;
pub use short_int::ShortInt;
