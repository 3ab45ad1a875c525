//! The functions `dump`, `dumps`, `load` and `loads`.

use picklevm::machine::Machine;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::dump::{Lent, Options as DumpOptions, Saver, Target, check_callback};
use crate::feed::{File, to_bytes};
use crate::load::find::Finder;
use crate::load::{Decoding, Options as LoadOptions, load_file, load_slice};
use crate::protocol::protocol_number;
use crate::reuse::{with_machine, with_memo};

fn dump_to<'py>(
    obj: &Bound<'py, PyAny>,
    target: Target<'py>,
    protocol: Option<&Bound<'py, PyAny>>,
    fix_imports: bool,
    buffer_callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<Target<'py>> {
    let py = obj.py();
    let protocol = protocol_number(py, protocol)?;
    check_callback(protocol, buffer_callback)?;
    let options = DumpOptions {
        protocol,
        fix_imports,
        fast: false,
        buffer_callback: buffer_callback.cloned(),
        persistent_id: None,
        reducer_override: None,
        dispatch_table: None,
    };
    let lent = Lent::default();
    with_memo(py, |memo, buffer| Saver::new(py, options, memo, target, &lent, buffer)?.dump(obj))
}

/// Write the pickle of an object to an open binary file.
///
/// The arguments are those of pickle.dump(). Unlike it, this function does not recurse: an object may be nested as deeply
/// as memory allows.
#[pyfunction]
#[pyo3(signature = (obj, file, protocol = None, *, fix_imports = true, buffer_callback = None))]
pub(crate) fn dump<'py>(
    obj: &Bound<'py, PyAny>,
    file: &Bound<'py, PyAny>,
    protocol: Option<&Bound<'py, PyAny>>,
    fix_imports: bool,
    buffer_callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<()> {
    let Some(write) = file.getattr_opt(intern!(obj.py(), "write"))? else {
        return Err(PyTypeError::new_err("file must have a 'write' attribute"));
    };
    dump_to(obj, Target::File(write), protocol, fix_imports, buffer_callback).map(drop)
}

/// Return the pickle of an object as bytes.
///
/// The arguments are those of pickle.dumps(). Unlike it, this function does not recurse: an object may be nested as deeply
/// as memory allows.
#[pyfunction]
#[pyo3(signature = (obj, protocol = None, *, fix_imports = true, buffer_callback = None))]
pub(crate) fn dumps<'py>(
    obj: &Bound<'py, PyAny>,
    protocol: Option<&Bound<'py, PyAny>>,
    fix_imports: bool,
    buffer_callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = obj.py();
    dump_to(obj, Target::memory(), protocol, fix_imports, buffer_callback)?.into_bytes(py)
}

fn load_options<'py>(
    py: Python<'py>,
    fix_imports: bool,
    encoding: &str,
    errors: &str,
    buffers: Option<&Bound<'py, PyAny>>,
) -> PyResult<LoadOptions<'py>> {
    Ok(LoadOptions {
        decoding: Decoding::new(encoding, errors)?,
        buffers: buffers.map(|buffers| buffers.try_iter()).transpose()?.map(Bound::into_any),
        persistent_load: None,
        finder: Finder::new(py, fix_imports),
        budget: None,
    })
}

/// Read a pickle from an open binary file, and return its object.
///
/// The arguments are those of pickle.load(). As with it, a pickle can run any code: load none that you do not trust.
#[pyfunction]
#[pyo3(signature = (file, *, fix_imports = true, encoding = "ASCII", errors = "strict", buffers = None))]
pub(crate) fn load<'py>(
    file: &Bound<'py, PyAny>,
    fix_imports: bool,
    encoding: &str,
    errors: &str,
    buffers: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = file.py();
    let input = File::new(file)?;
    let options = load_options(py, fix_imports, encoding, errors, buffers)?;
    load_file(py, &mut Machine::new(), input, options).1
}

/// Read a pickle from bytes, and return its object.
///
/// The arguments are those of pickle.loads(). As with it, a pickle can run any code: load none that you do not trust.
#[pyfunction]
#[pyo3(signature = (data, /, *, fix_imports = true, encoding = "ASCII", errors = "strict", buffers = None))]
pub(crate) fn loads<'py>(
    data: &Bound<'py, PyAny>,
    fix_imports: bool,
    encoding: &str,
    errors: &str,
    buffers: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    let data = to_bytes(data.clone())?;
    let options = load_options(py, fix_imports, encoding, errors, buffers)?;
    let data = data.as_bytes();
    with_machine(data.len(), |machine| load_slice(py, machine, data, options))
}
