//! `picklevm.scan`: what a pickle would import and call, and whether that is harmless.

use std::collections::BTreeSet;

use picklevm_scan::{Policy, Scanner, Use};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::given::{Given, system_error};
use super::html;

/// Rows of a table in a notebook.
const ROWS: usize = 50;

/// The scanner's report on a file.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct Report {
    report: picklevm_scan::Report,
}

/// One reason why a file is not safe.
#[pyclass(frozen, get_all, module = "picklevm")]
pub(crate) struct Finding {
    /// "suspicious" or "dangerous"; "safe" of what is only noted.
    verdict: String,
    /// Which rule of the scanner it is: see docs/scan.md.
    rule: &'static str,
    /// The global that it is about.
    name: Option<String>,
    /// Where in the pickle, in bytes from the start of its member.
    offset: u64,
    /// Why, in a sentence.
    reason: String,
    /// The members that lead to it, from the outermost.
    member: Vec<String>,
}

/// Say what the pickles of a file would import and call, and whether that is safe. Nothing is imported or called.
///
/// The file is given by its path or as bytes. `allow` has names that may be called, made and given a state, such as
/// "shop.models.Order"; `allow_modules` modules whose names may; `allow_own` allows all modules of no known library. `policy`
/// is the text of a policy in TOML that is added to the built-in one: see docs/scan.md. `evidence` also lists what safe pickles do
/// (for to_json).
///
/// >>> report = picklevm.scan("model.pkl")
/// >>> report.verdict
/// 'dangerous'
#[pyfunction]
#[pyo3(signature = (path_or_bytes, *, name = None, allow = Vec::new(), allow_modules = Vec::new(), allow_own = false, policy = None, evidence = false, max_size = None))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn scan(
    py: Python<'_>,
    path_or_bytes: &Bound<'_, PyAny>,
    name: Option<String>,
    allow: Vec<String>,
    allow_modules: Vec<String>,
    allow_own: bool,
    policy: Option<&str>,
    evidence: bool,
    max_size: Option<usize>,
) -> PyResult<Report> {
    let given = Given::new(path_or_bytes)?;
    let called = name.unwrap_or_else(|| given.name());
    let mut scanner = Scanner::new().evidence(evidence);
    if !allow.is_empty() || !allow_modules.is_empty() || allow_own || policy.is_some() {
        scanner = scanner.policy(changed_policy(&allow, &allow_modules, allow_own, policy)?);
    }
    if let Some(most) = max_size {
        scanner = scanner.limits(picklevm_scan::Limits::default().file(most));
    }
    let report = py.detach(|| match given {
        Given::Bytes(bytes) => Ok(scanner.scan_named(&called, &bytes)),
        Given::Path(path) => scanner.scan_file(&path),
    });
    report.map(|report| Report { report }).map_err(|error| system_error(&error, &called))
}

fn changed_policy(allow: &[String], modules: &[String], own: bool, text: Option<&str>) -> PyResult<Policy> {
    let mut policy = Policy::builtin().clone();
    if let Some(text) = text {
        policy.extend_toml(text).map_err(|error| PyValueError::new_err(format!("policy: {error}")))?;
    }
    for name in allow {
        let (module, name) = picklevm_scan::split_name(name)
            .ok_or_else(|| PyValueError::new_err(format!("allow: expected module.Name, found {name:?}")))?;
        policy.allow(module, name, Use::ALL);
    }
    modules.iter().for_each(|module| policy.allow_module(module));
    if own {
        policy.allow_own();
    }
    Ok(policy)
}

#[pymethods]
impl Report {
    /// The name of the file.
    #[getter]
    fn name(&self) -> &str {
        &self.report.name
    }

    /// "safe", "suspicious" or "dangerous".
    #[getter]
    fn verdict(&self) -> String {
        self.report.verdict.to_string()
    }

    /// The format of the file.
    #[getter]
    fn format(&self) -> String {
        self.report.format.to_string()
    }

    /// Whether the pickles were read to their end: "complete", "divergent", "truncated" or "malformed".
    #[getter]
    fn status(&self) -> String {
        self.report.status.to_string()
    }

    /// How many pickles were scanned, also inside of members and of other pickles.
    #[getter]
    fn pickle_count(&self) -> usize {
        self.report.pickle_count()
    }

    /// The reasons for the verdict, the worst of each pickle first.
    #[getter]
    fn findings(&self) -> Vec<Finding> {
        let finding = |(member, finding): (Vec<&str>, &picklevm_scan::Finding)| Finding {
            verdict: finding.verdict.to_string(),
            rule: finding.rule.id(),
            name: finding.name.clone(),
            offset: finding.offset,
            reason: finding.message.clone(),
            member: member.into_iter().map(str::to_owned).collect(),
        };
        self.report.all_findings().into_iter().map(finding).collect()
    }

    /// The globals that the pickles would import, as `module.name`, sorted. Those of safe pickles too.
    #[getter]
    fn imports(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut todo = vec![&self.report];
        while let Some(report) = todo.pop() {
            for pickle in &report.pickles {
                names.extend(pickle.imports.iter().map(|import| format!("{}.{}", import.module, import.name)));
                todo.extend(&pickle.nested);
            }
            todo.extend(&report.members);
        }
        names
    }

    /// The whole report as JSON, as `picklevm scan --json` prints it.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        let json = py.detach(|| serde_json::to_string(&self.report));
        json.map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The whole report as dicts and lists.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.to_json(py)?,))
    }

    fn __repr__(&self) -> String {
        let mut text = format!("<picklevm.Report {}: {}>", self.report.name.escape_debug(), self.report.verdict);
        for finding in self.findings().iter().take(20) {
            text.push_str(&format!("\n  {}", finding.line()));
        }
        text
    }

    fn _repr_html_(&self) -> String {
        let row = |finding: &Finding| {
            vec![
                finding.verdict.clone(),
                finding.name.clone().unwrap_or_default(),
                finding.offset.to_string(),
                finding.member.join(" / "),
                finding.reason.clone(),
            ]
        };
        let rows: Vec<_> = self.findings().iter().map(row).collect();
        let title = format!("{}: {}", self.report.name, self.report.verdict);
        html::table(&title, &["verdict", "name", "offset", "member", "reason"], &rows, ROWS)
    }
}

impl Finding {
    fn line(&self) -> String {
        format!("{} at {}: {}", self.verdict, self.offset, self.reason.escape_debug())
    }
}

#[pymethods]
impl Finding {
    fn __repr__(&self) -> String {
        format!("<picklevm.Finding {}>", self.line())
    }

    fn __str__<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.line())
    }
}
