//! A chain of resolvers.

use super::instances::for_instances;
use super::{CallResult, Class, Resolver};
use crate::error::Result;
use crate::graph::{Arena, Id};

/// A resolver, and a second one for everything that the first leaves symbolic; created by [`Resolver::or`].
#[derive(Clone, Copy, Debug)]
pub struct Chain<A, B> {
    first: A,
    next: B,
}

impl<A, B> Chain<A, B> {
    pub(super) fn new(first: A, next: B) -> Self {
        Chain { first, next }
    }
}

impl<A: Resolver, B: Resolver> Resolver for Chain<A, B> {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        match self.first.find_class(module, name)? {
            Class::Symbolic => self.next.find_class(module, name).or_else(|refused| {
                let accepted = self.first.makes_instances().then(|| for_instances(module, name, None)).flatten();
                accepted.ok_or(refused)
            }),
            Class::Renamed { module, name, callable: None } => Ok(match self.next.find_class(&module, &name)? {
                renamed @ Class::Renamed { .. } => renamed,
                class => Class::Renamed { module, name, callable: class.callable() },
            }),
            class => Ok(class),
        }
    }

    fn persistent_load(&self, arena: &mut Arena, pid: Id) -> Result<CallResult> {
        match self.first.persistent_load(arena, pid)? {
            CallResult::Symbolic => self.next.persistent_load(arena, pid),
            made => Ok(made),
        }
    }

    fn makes_plain_data(&self, module: &str, name: &str) -> bool {
        // The next resolver is not called for what the first resolves.
        let in_next = || match self.first.find_class(module, name) {
            Ok(Class::Symbolic) => self.next.makes_plain_data(module, name),
            Ok(Class::Renamed { module, name, callable: None }) => self.next.makes_plain_data(&module, &name),
            _ => false,
        };
        self.first.makes_plain_data(module, name) || in_next()
    }

    fn makes_instances(&self) -> bool {
        self.first.makes_instances() || self.next.makes_instances()
    }

    fn extension(&self, code: i32) -> Option<(&str, &str)> {
        self.first.extension(code).or_else(|| self.next.extension(code))
    }
}
