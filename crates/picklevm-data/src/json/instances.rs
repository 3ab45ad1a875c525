//! Instances of classes as JSON objects.

use std::borrow::Cow;
use std::collections::HashSet;

use picklevm::typed::InstanceView;
use picklevm::{Kind, Value};

use super::{At, Todo, Writer, string};
use crate::error::{Error, Result};

impl<'g> Writer<'g, '_, '_, '_> {
    /// An instance as its attributes; what else it has follows under names that begin with `$`.
    pub(super) fn instance(&mut self, value: Value<'g>) -> Result<()> {
        let Ok(instance) = value.view::<InstanceView<'_>>() else {
            return Err(Error::unsupported(format!("JSON has no form for {}", crate::error::describe(value))));
        };
        let class = instance.class().as_global().map(|class| class.to_string());
        let (args, kwargs) = (instance.args(), instance.kwargs());
        let (items, pairs) = (instance.items(), instance.entries());
        let attributes: Vec<_> = instance.attributes().collect();
        let state = instance.state().filter(|_| attributes.is_empty() && !is_empty(instance.state()));
        // A tuple with names, a subclass of a list, a set or a dict: what it is made of.
        if !self.options.classes && attributes.is_empty() && state.is_none() && kwargs.is_none() {
            if pairs.len() > 0 && args.is_empty() && items.is_empty() {
                self.dict(pairs.collect());
                return Ok(());
            }
            if !instance.is_called() && pairs.len() == 0 && args.len() + items.len() > 0 {
                self.list(args.chain(items).collect());
                return Ok(());
            }
        }
        let mut names = HashSet::new();
        let has_texts = attributes.iter().all(|(name, _)| names.insert(crate::numpy_text(*name)));
        let mut count = usize::from(self.options.classes);
        let mut parts: Vec<(Cow<'static, str>, Part<'g>)> = Vec::new();
        match has_texts {
            true => parts.extend(
                attributes
                    .into_iter()
                    .map(|(name, value)| (crate::numpy_text(name).into(), Part::Attribute(name, value))),
            ),
            false => parts.push(("$attributes".into(), Part::Dict(attributes))),
        }
        if let Some(state) = state {
            parts.push(("$state".into(), Part::One("[state]", state)));
        }
        if !args.is_empty() {
            parts.push(("$args".into(), Part::List("[arguments]", args.collect())));
        }
        if let Some(kwargs) = kwargs {
            parts.push(("$kwargs".into(), Part::Dict(kwargs.entries().collect())));
        }
        if !items.is_empty() {
            parts.push(("$items".into(), Part::List("[items]", items.collect())));
        }
        if pairs.len() > 0 {
            parts.push(("$entries".into(), Part::Dict(pairs.collect())));
        }
        count += parts.len();
        self.text("}");
        for (name, part) in parts.into_iter().rev() {
            count -= 1;
            match part {
                Part::Attribute(name, value) => {
                    self.todo.push(Todo::Value(value));
                    self.todo.push(Todo::At(At::Attribute(name)));
                }
                Part::One(step, value) => {
                    self.todo.push(Todo::Value(value));
                    self.todo.push(Todo::At(At::Part(step)));
                }
                Part::List(step, items) => {
                    self.list(items);
                    self.todo.push(Todo::At(At::Part(step)));
                }
                Part::Dict(entries) => self.dict(entries),
            }
            self.key(&name, count > 0);
        }
        if self.options.classes {
            let mut text = String::new();
            string(&class.unwrap_or_else(|| crate::key::repr(instance.class())), &mut text);
            self.text(text);
            self.key("$class", false);
        }
        self.text("{");
        Ok(())
    }
}

enum Part<'g> {
    Attribute(Value<'g>, Value<'g>),
    One(&'static str, Value<'g>),
    List(&'static str, Vec<Value<'g>>),
    Dict(Vec<(Value<'g>, Value<'g>)>),
}

/// Whether a state says nothing.
fn is_empty(state: Option<Value<'_>>) -> bool {
    state.is_none_or(|state| match state.kind() {
        Kind::None => true,
        Kind::Dict(dict) => dict.is_empty(),
        _ => false,
    })
}
