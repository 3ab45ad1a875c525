//! Calls of the caller's code during a load: resolvers, the callables they return, and native objects.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::calls::{Callables, Resolved};
use super::graph_builder::GraphBuilder;
use crate::encoding;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, BufferNode, CallResult, Cell, Id, NativeObject, Tag};
use crate::options::Options;
use crate::python::{self, Names, python2_names};
use crate::resolve::{Callable, Class};

/// State that is kept between the loads of one stream.
#[derive(Default)]
pub(crate) struct Session {
    pub(super) callables: Callables,
    /// The globals of extension codes seen so far.
    extensions: Vec<(i32, Cell)>,
    pub(super) next_buffer: u32,
    /// Bytes that calls have copied from their arguments.
    pub(super) copied: u64,
    /// The globals with a long name on the stack, so that each pair of names is resolved once.
    long_names: Option<Box<LongNameGlobals>>,
}

type LongNameGlobals = HashMap<(Cell, Cell), Cell, RandomState>;

impl Session {
    /// Begins another graph. The position in the buffers is kept.
    pub(crate) fn start_graph(&mut self) {
        self.callables.clear();
        self.extensions.clear();
        self.copied = 0;
        self.long_names = None;
    }

    /// Returns the bytes of memory that the session takes.
    pub(super) fn held_bytes(&self) -> usize {
        let names = self.long_names.as_ref().map_or(0, |known| known.len());
        self.callables.held_bytes() + 2 * size_of::<[Cell; 3]>() * names
    }

    /// Checks that all out-of-band buffers were used.
    #[inline]
    pub(crate) fn check_buffers(&self, options: &Options) -> Result<()> {
        let Some(given) = options.buffers.as_ref().map(|buffers| buffers.len()) else { return Ok(()) };
        let used = self.next_buffer as usize;
        if used < given {
            return Err(Error::new(
                ErrorKind::Buffer,
                format!("all {given} out-of-band buffers to be used (Unpickler::buffers)"),
                format!("{used} used"),
            ));
        }
        Ok(())
    }
}

impl GraphBuilder<'_> {
    /// Makes a global and resolves it.
    pub(super) fn resolve(&mut self, module: Cell, name: Cell) -> Result<Cell> {
        let global = self.arena.new_loaded_global(module, name);
        let (module, name) = (self.arena.text(module), self.arena.text(name));
        // No resolver accepts names with surrogates.
        let (Some(mut module), Some(mut name)) = (module.as_str(), name.as_str()) else { return Ok(global) };
        if self.options.fix_imports
            && Names::of_protocol(self.arena.protocol.unwrap_or_default()) == Names::Python2
            && let Some(renamed) = python2_names::renamed(module, name, Names::Python3)
        {
            (module, name) = renamed;
        }
        let class = self.options.resolver.find_class(module, name).map_err(|e| {
            // If the resolver's error says what it expected, it already contains the name.
            if e.expected().is_empty() { e.about(|| format!("{module}.{name}")) } else { e }
        })?;
        match class {
            Class::Symbolic => self.session.callables.note(global, module, name),
            Class::Callable(callable) => self.session.callables.insert(global, Resolved::Callable(callable)),
            Class::Constructor(guard) => {
                let function = python::Class::of_names(module, name);
                self.session.callables.insert(global, Resolved::Guarded(function, guard));
            }
            Class::Renamed { module, name, callable } => self.renamed(global, &module, &name, callable),
        }
        Ok(global)
    }

    /// Gives a global the name that a resolver answered with.
    #[cold]
    fn renamed(&mut self, global: Cell, module: &str, name: &str, callable: Option<Arc<dyn Callable>>) {
        let (known, text) = self.arena.latest_global(module, name);
        let names = match known.map(|known| self.arena.globals[known]) {
            Some(node) => [node.module, node.name],
            None => {
                let module = text.unwrap_or_else(|| self.arena.new_text(Tag::Str, module.as_bytes(), false));
                [module, self.arena.new_text(Tag::Str, name.as_bytes(), false)]
            }
        };
        if let Some(node) = self.arena.globals.get_mut(global) {
            ([node.module, node.name], node.is_one_name) = (names, node.is_one_name && !name.contains('.'));
        }
        match callable {
            Some(callable) => self.session.callables.insert(global, Resolved::Callable(callable)),
            None => self.session.callables.note(global, module, name),
        }
    }

    /// Like [`resolve`](Self::resolve) for names from the stack, which may occur several times.
    pub(super) fn resolve_shared(&mut self, module: Cell, name: Cell) -> Result<Cell> {
        if !module.is_long() && !name.is_long() {
            return self.resolve(module, name);
        }
        if let Some(global) = self.session.long_names.as_ref().and_then(|known| known.get(&(module, name))) {
            return Ok(*global);
        }
        let global = self.resolve(module, name)?;
        self.session.long_names.get_or_insert_default().insert((module, name), global);
        Ok(global)
    }

    /// Returns the global of an extension code, or the code if no resolver accepts it.
    pub(super) fn extension(&mut self, code: i32) -> Result<Cell> {
        let id = match u32::try_from(code) {
            Ok(id) if id > 0 => id,
            _ => return Err(Error::new(ErrorKind::Malformed, "an extension code above 0", code.to_string())),
        };
        if let Some((_, global)) = self.session.extensions.iter().find(|known| known.0 == code) {
            return Ok(*global);
        }
        let Some((module, name)) = self.options.resolver.extension(code) else { return Ok(Cell::node(Tag::Ext, id)) };
        let [module, name] = [module, name].map(|part| self.arena.new_text(Tag::Str, part.as_bytes(), false));
        let global = self.resolve(module, name)?;
        // A registered name is a qualified one at every protocol.
        if let Some(node) = self.arena.globals.get_mut(global) {
            node.is_one_name = false;
        }
        self.session.extensions.push((code, global));
        Ok(global)
    }

    /// Passes the graph to the caller's code.
    pub(super) fn call_user_code(
        &mut self,
        code: impl FnOnce(&mut Arena) -> Result<CallResult>,
    ) -> Result<Option<Cell>> {
        self.check_growth()?;
        self.check_tables(0)?;
        self.arena.settle_all();
        let before = self.arena.extent();
        let made = code(self.arena)?;
        self.arena.check_covers(&before)?;
        Ok(match made {
            CallResult::Symbolic => None,
            CallResult::Value(id) => Some(self.arena.value(id).cell()),
            CallResult::NativeObject(native) => Some(self.arena.new_native(native)),
        })
    }

    /// Returns the value of a persistent id, or the reference if no resolver accepts it.
    pub(super) fn persistent_load(&mut self, pid: Cell) -> Result<Cell> {
        let resolver = &self.options.resolver;
        match self.call_user_code(|arena| resolver.persistent_load(arena, Id(pid)))? {
            Some(value) => Ok(value),
            None => Ok(self.arena.new_persistent(pid)),
        }
    }

    /// Lets a pickle change a native object.
    #[inline(never)]
    pub(super) fn change(
        &mut self,
        native: Cell,
        change: impl FnOnce(&mut dyn NativeObject, &Arena) -> Result<()>,
    ) -> Result<()> {
        self.check_growth()?;
        self.check_tables(0)?;
        self.arena.settle_all();
        let done = self.arena.change_native(native, change);
        done.map_err(|e| e.about(|| self.arena.native(native).class_name().to_owned()))
    }

    /// Decodes an 8-bit string if the options ask for it.
    #[cold]
    #[inline(never)]
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<Cell> {
        if let Some(codec) = &self.options.codec {
            let text = codec(bytes)?;
            self.pay(text.len())?;
            return Ok(self.arena.new_text(Tag::Str, text.as_bytes(), false));
        }
        let decoded = encoding::decode(bytes, self.options.encoding, self.options.errors)?;
        self.pay(decoded.payload.len())?;
        Ok(self.arena.new_text(decoded.tag, &decoded.payload, decoded.surrogates))
    }

    /// Returns the next out-of-band buffer, without bytes if no buffers were given.
    pub(super) fn buffer(&mut self) -> Result<Cell> {
        let index = self.session.next_buffer;
        let data = match &self.options.buffers {
            None => None,
            Some(buffers) => match buffers.get(index as usize) {
                Some(data) => Some(data.clone()),
                None => {
                    return Err(Error::new(
                        ErrorKind::Buffer,
                        "another out-of-band buffer (Unpickler::buffers)",
                        format!("only {index}"),
                    ));
                }
            },
        };
        self.session.next_buffer += 1;
        Ok(self.arena.new_buffer(BufferNode { index, readonly: false, data }))
    }
}

/// Returns the name of the callable, for errors.
pub(super) fn describe_class(arena: &Arena, callable: Cell) -> String {
    match arena.value(Id(callable)) {
        value if callable.is(Tag::NativeObject) => {
            value.as_native().map_or("", |native| native.class_name()).to_owned()
        }
        value => value.as_global().map_or_else(String::new, |global| global.to_string()),
    }
}
