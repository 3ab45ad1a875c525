//! Classes of serde names.

use picklevm_ops::Sink;

use super::Direct;
use crate::direct_write::{ClassIndex, ClassKey};
use crate::serde::error::Result;

impl<S: Sink> Direct<'_, '_, S> {
    /// Returns the class for a serde name, if it has one.
    #[inline(always)]
    pub(super) fn class_of(&mut self, name: &'static str) -> Result<Option<ClassIndex>> {
        let config = self.context.config;
        Ok(self.class_named(ClassKey::of_name(name), || config.class_of(name))?)
    }

    /// Returns the class named by a variant's name, if the name has a dot.
    #[inline(always)]
    pub(super) fn class_of_variant(&mut self, variant: &'static str) -> Result<Option<ClassIndex>> {
        if variant.contains(['.', ':']) { self.class_of(variant) } else { Ok(None) }
    }
}
