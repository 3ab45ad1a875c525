//! The pickle machine.
