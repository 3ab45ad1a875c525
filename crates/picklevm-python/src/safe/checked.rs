//! A pickle that was checked.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use picklevm::machine::Machine;
use picklevm_ops::{FeedReader, Op, Source};
use picklevm_scan::{Finding, Limits as ScanLimits, PickleReport, PolicyEntry, Preset, Rule, Scanner, Verdict};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes};

use super::gate::Gate;
use super::policy::SafePolicy;
use crate::errors::{limit_error, not_allowed_error};
use crate::load::find::{Finder, Name};
use crate::load::{Budget, Decoding, Options, load_slice, to_python};
use crate::state::State;

/// The names that the scan of a pickle saw, as Python 3 has them.
#[derive(Default)]
pub(super) struct Names(HashMap<String, HashSet<String, RandomState>, RandomState>);

impl Names {
    pub(super) fn contains(&self, module: &str, name: &str) -> bool {
        self.0.get(module).is_some_and(|names| names.contains(name))
    }
}

/// A pickle that a policy allows to do what it does.
#[pyclass(frozen, module = "picklevm._native")]
pub(crate) struct Checked {
    data: Py<PyBytes>,
    policy: Py<SafePolicy>,
    names: Names,
    start: Instant,
    nodes: u64,
    bytes: u64,
    time: Option<Duration>,
    /// The protocol that it names.
    #[pyo3(get)]
    protocol: u8,
}

#[pymethods]
impl Checked {
    /// Check a pickle against a policy.
    ///
    /// The scan runs without the interpreter. It raises NotAllowedError for what the policy does not allow, and LimitError for
    /// what takes too much.
    #[new]
    #[pyo3(signature = (data, policy, nodes, bytes, depth, time, has_persistent_load, is_torch, /))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        data: &Bound<'_, PyBytes>,
        policy: &Bound<'_, SafePolicy>,
        nodes: u64,
        bytes: u64,
        depth: u32,
        time: Option<f64>,
        has_persistent_load: bool,
        is_torch: bool,
    ) -> PyResult<Self> {
        let py = data.py();
        let start = Instant::now();
        let time = duration(time)?;
        let scanned = data.as_bytes();
        check_len(py, scanned, bytes)?;
        let scanner = scanner(policy, depth, time).ids_name_classes(is_torch);
        let report = py.detach(|| scanner.scan_pickle(scanned));
        if report.verdict != Verdict::Safe {
            refuse(py, &report, scanned, has_persistent_load)?;
        }
        let mut names = Names::default();
        for import in report.imports {
            if import.known == PolicyEntry::Safe {
                names.0.entry(import.module).or_default().insert(import.name);
            }
        }
        Ok(Checked {
            data: data.clone().unbind(),
            policy: policy.clone().unbind(),
            names,
            start,
            nodes,
            bytes,
            time,
            protocol: report.protocol,
        })
    }

    /// Load the pickle, and return its object.
    #[pyo3(signature = (find_class, persistent_load, fix_imports, encoding, errors, buffers, /))]
    fn load<'py>(
        slf: &Bound<'py, Self>,
        find_class: Option<Bound<'py, PyAny>>,
        persistent_load: Option<Bound<'py, PyAny>>,
        fix_imports: bool,
        encoding: &str,
        errors: &str,
        buffers: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let gate = Gate::new(this.policy.bind(py).clone(), slf.clone(), find_class);
        let find = move |name: &Name<'_, 'py>| gate.find(name);
        let options = Options {
            decoding: Decoding::new(encoding, errors)?,
            buffers: buffers.map(|buffers| buffers.try_iter()).transpose()?.map(Bound::into_any),
            persistent_load,
            finder: Finder::by(Box::new(find), py, fix_imports),
            budget: Some(Budget::new(this.nodes, this.bytes, this.start, this.time)),
        };
        load_slice(py, &mut Machine::new(), this.data.bind(py).as_bytes(), options)
    }
}

impl Checked {
    /// Whether the scan saw a name.
    pub(super) fn has_seen(&self, module: &str, name: &str) -> bool {
        self.names.contains(module, name)
    }
}

/// Check a pickle that joblib is about to load.
///
/// The data that joblib reads itself are skipped as it skips them.
#[pyfunction]
#[pyo3(signature = (data, policy, bytes, depth, time, /))]
pub(super) fn check_joblib(
    data: &Bound<'_, PyBytes>,
    policy: &Bound<'_, SafePolicy>,
    bytes: u64,
    depth: u32,
    time: Option<f64>,
) -> PyResult<()> {
    let py = data.py();
    let scanned = data.as_bytes();
    check_len(py, scanned, bytes)?;
    let scanner = scanner(policy, depth, duration(time)?);
    let report = py.detach(|| scanner.scan_joblib(scanned));
    if report.verdict == Verdict::Safe { Ok(()) } else { refuse(py, &report, scanned, false) }
}

fn duration(seconds: Option<f64>) -> PyResult<Option<Duration>> {
    let wrong = |_| PyValueError::new_err("Limits.time must be a number of seconds");
    seconds.map(Duration::try_from_secs_f64).transpose().map_err(wrong)
}

fn check_len(py: Python<'_>, data: &[u8], most: u64) -> PyResult<()> {
    if data.len() as u64 <= most {
        return Ok(());
    }
    let message = format!("the pickle has {} bytes or more, and {most} are allowed (Limits.bytes)", data.len());
    Err(limit_error(py, &message))
}

fn scanner(policy: &Bound<'_, SafePolicy>, depth: u32, time: Option<Duration>) -> Scanner {
    let limits = ScanLimits::default().nesting(depth).events(0);
    let limits = time.map_or(limits, |time| limits.time(time));
    Scanner::new().policy(policy.get().policy.clone()).limits(limits)
}

/// Raises the exception for a pickle that is not safe, unless persistent ids are all there is, and somebody loads them.
fn refuse(py: Python<'_>, report: &PickleReport, data: &[u8], has_persistent_load: bool) -> PyResult<()> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    let nested: Vec<_> = report.nested.iter().flat_map(|nested| nested.all_findings()).collect();
    findings.extend(nested.iter().map(|(_, finding)| *finding));
    findings.retain(|it| it.verdict != Verdict::Safe && !(has_persistent_load && it.rule == Rule::Persistent));
    if findings.is_empty() {
        return match has_persistent_load && report.nested.is_empty() {
            true => Ok(()),
            false => Err(not_allowed_error(py, ("the pickle could not be checked",))),
        };
    }
    if findings.iter().all(|finding| finding.rule == Rule::Broken) {
        return Err(broken(py, data, findings.first().map_or("it cannot be read", |finding| &finding.message)));
    }
    findings.retain(|finding| finding.rule != Rule::Broken);
    // What takes too much matters where nothing else is wrong.
    if findings.iter().any(|finding| finding.rule != Rule::Limit) {
        findings.retain(|finding| finding.rule != Rule::Limit);
    } else {
        let message = format!("offset {}: {}", findings[0].offset, findings[0].message);
        return Err(limit_error(py, &message));
    }
    let rows: Vec<_> = findings.iter().map(|finding| row(report, finding)).collect();
    Err(not_allowed_error(py, ("", rows)))
}

/// A finding: offset, what it says, the name it is about, and the preset that allows that.
type Row = (u64, String, Option<String>, Option<&'static str>);

fn row(report: &PickleReport, finding: &Finding) -> Row {
    // The policy is here what the program allows.
    let message = match finding.message.split_once(", which is not covered by the policy") {
        Some((what, _)) => format!("{what}, which is not allowed"),
        None => finding.message.clone(),
    };
    let import = report.imports.iter().find(|import| finding.name.as_deref() == Some(&import.to_string()));
    let preset = import
        .filter(|import| import.known != PolicyEntry::Safe)
        .and_then(|import| Preset::with(&import.module, &import.name));
    (finding.offset, message, finding.name.clone(), preset.map(Preset::name))
}

/// Returns the exception for a pickle that is broken.
fn broken(py: Python<'_>, data: &[u8], message: &str) -> PyErr {
    let state = match State::get(py) {
        Ok(state) => state,
        Err(error) => return error,
    };
    let mut reader = FeedReader::new(data).check_frames(state.minor >= 14);
    loop {
        match reader.next_op() {
            Ok(Op::Stop) => return state.unpickling(py, message),
            Ok(_) => {}
            Err(error) => {
                let error = picklevm::Error::from(error);
                return to_python(py, state, &error, reader.into_inner());
            }
        }
    }
}
