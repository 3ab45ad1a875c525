//! A registry of extension codes (PEP 307).

use std::collections::HashMap;

use super::Resolver;
use crate::error::{Error, ErrorKind, Result};
use crate::python::split_or_builtin;

/// A registry of extension codes and their globals, like that of `copyreg.add_extension`, but not global to the
/// process.
///
/// Use it as a resolver when reading pickles, and as [`Pickler::extensions`](crate::Pickler::extensions) when writing
/// them.
///
/// ```
/// use picklevm::{Extensions, Unpickler};
///
/// let extensions = Extensions::new().add("geometry.Point", 240)?;
/// let graph = Unpickler::new().resolver(extensions).loads(b"\x80\x02\x82\xf0.")?;
/// assert_eq!(graph.root().as_global().unwrap().to_string(), "geometry.Point");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Extensions {
    names: HashMap<i32, (String, String)>,
    codes: HashMap<String, HashMap<String, i32>>,
}

impl Extensions {
    /// Creates an empty registry.
    pub fn new() -> Self {
        Extensions::default()
    }

    /// Registers a global (`module.name`, or `module:Outer.Inner`) under a code from 1 to 2^31 - 1:
    /// `copyreg.add_extension`.
    ///
    /// # Errors
    ///
    /// Returns an error if the code is out of range, or if the code or the global is already registered differently, as
    /// in CPython.
    pub fn add(mut self, global: &str, code: i32) -> Result<Self> {
        let (module, name) = split_or_builtin(global);
        if code <= 0 {
            return Err(Error::new(ErrorKind::Resolver, "an extension code from 1 to 2147483647", code.to_string()));
        }
        let before = (self.names.get(&code).map(|(m, n)| (&m[..], &n[..])), self.code(module, name));
        if before != (None, None) && before != (Some((module, name)), Some(code)) {
            return Err(Error::new(
                ErrorKind::Resolver,
                format!("code {code} and {module}.{name} to be unregistered"),
                match before {
                    (Some((module, name)), _) => format!("code {code} registered for {module}.{name}"),
                    (_, before) => format!("{module}.{name} registered under code {}", before.unwrap_or_default()),
                },
            ));
        }
        self.names.insert(code, (module.to_owned(), name.to_owned()));
        self.codes.entry(module.to_owned()).or_default().insert(name.to_owned(), code);
        Ok(self)
    }

    /// Removes a global and its code: `copyreg.remove_extension`.
    ///
    /// ```
    /// use picklevm::Extensions;
    ///
    /// let extensions = Extensions::new().add("geometry.Point", 240)?.remove("geometry.Point", 240)?;
    /// assert_eq!(extensions.code("geometry", "Point"), None);
    /// assert!(extensions.remove("geometry.Point", 240).is_err());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the global is not registered under this code, as in CPython.
    pub fn remove(mut self, global: &str, code: i32) -> Result<Self> {
        let (module, name) = split_or_builtin(global);
        if self.code(module, name) != Some(code) {
            let found = match self.names.get(&code) {
                Some((module, name)) => format!("{module}.{name}"),
                None => "no global".to_owned(),
            };
            return Err(Error::new(ErrorKind::Resolver, format!("{module}.{name} under code {code}"), found));
        }
        self.names.remove(&code);
        if let Some(names) = self.codes.get_mut(module) {
            names.remove(name);
        }
        Ok(self)
    }

    /// Returns whether no global is registered.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the code of a global, if it is registered.
    pub fn code(&self, module: &str, name: &str) -> Option<i32> {
        self.codes.get(module)?.get(name).copied()
    }
}

impl Resolver for Extensions {
    fn extension(&self, code: i32) -> Option<(&str, &str)> {
        self.names.get(&code).map(|(module, name)| (&module[..], &name[..]))
    }
}
