//! The shelf.

use std::collections::BTreeMap;
use std::path::Path;

use picklevm::{Graph, Pickler, Unpickler, Value};
use picklevm_files::dbm::{self, Backend, Database, Mode};

use crate::Result;
use crate::error::Error;

/// Options for reading and writing values.
///
/// ```
/// use picklevm::{Pickler, Protocol};
/// use picklevm_shelf::{Backend, Mode, Options};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("old");
/// // A shelf that Python 2.7 reads.
/// let options = Options::new().pickler(Pickler::new().protocol(Protocol::V2));
/// let shelf = options.open(&path, Mode::Create(Backend::Dumb))?;
/// # Ok::<(), picklevm_shelf::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    pickler: Pickler,
    unpickler: Unpickler,
}

impl Options {
    /// Creates options with which values are written as by [`picklevm::dumps`] and read as by [`picklevm::loads`].
    pub fn new() -> Self {
        Options::default()
    }

    /// Sets how values are written: protocol, and the version of Python to write as.
    #[must_use]
    pub fn pickler(mut self, pickler: Pickler) -> Self {
        self.pickler = pickler;
        self
    }

    /// Sets how values are read: resolver, limits, encoding of Python 2's strings.
    #[must_use]
    pub fn unpickler(mut self, unpickler: Unpickler) -> Self {
        self.unpickler = unpickler;
        self
    }

    /// Opens a shelf. `path` is what `shelve.open` was given: the name without the endings that some backends add.
    ///
    /// # Errors
    ///
    /// If there is none to read, it cannot be opened, is of a backend that is not supported, or another program writes it.
    pub fn open(&self, path: impl AsRef<Path>, mode: Mode) -> Result<Shelf> {
        let database = dbm::open(path, mode)?;
        Ok(Shelf { database, options: self.clone(), held: BTreeMap::new() })
    }
}

/// An open shelf: values by keys.
///
/// Keys are text, which Python encodes as UTF-8; bytes do as well, for shelves with another `keyencoding`.
#[derive(Debug)]
pub struct Shelf {
    database: Box<dyn Database>,
    options: Options,
    /// Values that may have been changed in place, until they are written.
    held: BTreeMap<Vec<u8>, Graph>,
}

impl Shelf {
    /// Opens a shelf with the default [`Options`]. `path` is what `shelve.open` was given: the name without the endings that
    /// some backends add.
    ///
    /// # Errors
    ///
    /// As those of [`Options::open`].
    pub fn open(path: impl AsRef<Path>, mode: Mode) -> Result<Shelf> {
        Options::new().open(path, mode)
    }

    /// Returns the format of the database.
    pub fn backend(&self) -> Backend {
        self.database.backend()
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn get(&mut self, key: impl AsRef<[u8]>) -> Result<Option<Graph>> {
        let key = key.as_ref();
        if let Some(held) = self.held.get(key) {
            return Ok(Some(held.clone()));
        }
        self.load(key)
    }

    fn load(&mut self, key: &[u8]) -> Result<Option<Graph>> {
        let Some(pickle) = self.get_pickle(key)? else { return Ok(None) };
        match self.options.unpickler.load_bytes(pickle) {
            Ok(graph) => Ok(Some(graph)),
            Err(error) => Err(Error::from(error).with_key(key)),
        }
    }

    /// The value of a key, to be changed in place. What was changed is written by [`sync`](Self::sync), as with Python's
    /// `writeback=True`; until then all such values are in memory.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn get_mut(&mut self, key: impl AsRef<[u8]>) -> Result<Option<&mut Graph>> {
        let key = key.as_ref();
        if !self.held.contains_key(key) {
            let Some(graph) = self.load(key)? else { return Ok(None) };
            self.held.insert(key.to_vec(), graph);
        }
        Ok(self.held.get_mut(key))
    }

    /// The pickle of a key, as it is in the file.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn get_pickle(&mut self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        let key = key.as_ref();
        self.database.get(key).map_err(|error| Error::from(error).with_key(key))
    }

    /// Returns whether there is such a key.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn contains_key(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        let key = key.as_ref();
        Ok(self.held.contains_key(key) || self.get_pickle(key)?.is_some())
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the shelf was opened to read.
    pub fn insert(&mut self, key: impl AsRef<[u8]>, value: Value<'_>) -> Result<()> {
        let key = key.as_ref();
        let pickle = self.options.pickler.dumps(value).map_err(|error| Error::from(error).with_key(key))?;
        self.insert_pickle(key, &pickle)
    }

    /// Sets the pickle of a key; it is not looked at.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the shelf was opened to read.
    pub fn insert_pickle(&mut self, key: impl AsRef<[u8]>, pickle: &[u8]) -> Result<()> {
        let key = key.as_ref();
        self.held.remove(key);
        self.database.set(key, pickle).map_err(|error| Error::from(error).with_key(key))
    }

    /// Removes a key; returns whether it was there.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the shelf was opened to read.
    pub fn remove(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        let key = key.as_ref();
        self.held.remove(key);
        self.database.delete(key).map_err(|error| Error::from(error).with_key(key))
    }

    /// The value of a key as a Rust type.
    ///
    /// ```
    /// # use picklevm_shelf::{Mode, Shelf};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let mut shelf = Shelf::open(folder.path().join("scores"), Mode::create())?;
    /// shelf.insert_as("Ann", &vec![3, 5])?;
    /// assert_eq!(shelf.get_as::<Vec<u32>>("Ann")?, Some(vec![3, 5]));
    /// # Ok::<(), picklevm_shelf::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is of another type.
    #[cfg(feature = "serde")]
    pub fn get_as<T: serde::de::DeserializeOwned>(&mut self, key: impl AsRef<[u8]>) -> Result<Option<T>> {
        let key = key.as_ref();
        let Some(graph) = self.get(key)? else { return Ok(None) };
        match self.serde().from_value(graph.root()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(Error::from(error).with_key(key)),
        }
    }

    /// Sets the value of a key from a Rust type.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the shelf was opened to read.
    #[cfg(feature = "serde")]
    pub fn insert_as<T: serde::Serialize + ?Sized>(&mut self, key: impl AsRef<[u8]>, value: &T) -> Result<()> {
        let key = key.as_ref();
        let pickle = self.serde().to_vec(value).map_err(|error| Error::from(error).with_key(key))?;
        self.insert_pickle(key, &pickle)
    }

    #[cfg(feature = "serde")]
    fn serde(&self) -> picklevm::serde::Config {
        picklevm::serde::Config::new().pickler(self.options.pickler.clone()).unpickler(self.options.unpickler.clone())
    }

    /// The number of keys.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn len(&mut self) -> Result<usize> {
        Ok(self.database.len()?)
    }

    /// Returns whether there are no keys.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn is_empty(&mut self) -> Result<bool> {
        Ok(self.database.is_empty()?)
    }

    /// Returns all keys, in the order of the database.
    ///
    /// # Errors
    ///
    /// If the database cannot be read, or a key is not text in UTF-8.
    pub fn keys(&mut self) -> Result<Vec<String>> {
        let keys = self.raw_keys()?.into_iter();
        keys.map(|key| String::from_utf8(key).map_err(|error| Error::no_text(error.as_bytes()))).collect()
    }

    /// Returns all keys as bytes, in the order of the database.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn raw_keys(&mut self) -> Result<Vec<Vec<u8>>> {
        Ok(self.database.keys()?)
    }

    /// Iterates over all keys and values, which are read one by one.
    ///
    /// # Errors
    ///
    /// If the keys cannot be read. A value that cannot be read is an error of its own, and the iterator goes on.
    pub fn iter(&mut self) -> Result<Iter<'_>> {
        let keys = self.raw_keys()?.into_iter();
        Ok(Iter { shelf: self, keys })
    }

    /// Writes what was changed, in place too, to the disk. After a crash the shelf is as it was after the last call that
    /// returned.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn sync(&mut self) -> Result<()> {
        while let Some((key, graph)) = self.held.pop_first() {
            if let Err(error) = self.write_back(&key, &graph) {
                self.held.insert(key, graph);
                return Err(error);
            }
        }
        Ok(self.database.sync()?)
    }

    /// Writes a value that may have been changed in place.
    fn write_back(&mut self, key: &[u8], graph: &Graph) -> Result<()> {
        let pickle = self.options.pickler.dumps(graph.root()).map_err(|error| Error::from(error).with_key(key))?;
        self.database.set(key, &pickle).map_err(|error| Error::from(error).with_key(key))
    }

    /// Writes what was changed and closes the shelf: as dropping it, but says whether it was written.
    ///
    /// # Errors
    ///
    /// As those of [`sync`](Self::sync).
    pub fn close(mut self) -> Result<()> {
        self.sync()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        // As in Python, what was changed is written. Who needs to know whether it was calls `close`.
        let _ = self.sync();
    }
}

/// Iterator over the keys and values of a shelf, returned by [`Shelf::iter`].
#[derive(Debug)]
pub struct Iter<'s> {
    shelf: &'s mut Shelf,
    keys: std::vec::IntoIter<Vec<u8>>,
}

impl Iterator for Iter<'_> {
    type Item = Result<(Vec<u8>, Graph)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let key = self.keys.next()?;
            match self.shelf.get(&key) {
                Ok(Some(graph)) => return Some(Ok((key, graph))),
                // Another program removed it meanwhile.
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
