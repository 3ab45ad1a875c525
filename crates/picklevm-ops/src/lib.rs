//! Opcodes of Python pickles.
