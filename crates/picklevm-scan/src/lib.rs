//! Says what a Python pickle would import and call, and whether that is safe, without running any of it.
//!
//! ```
//! use picklevm_scan::{Verdict, scan};
//!
//! let report = scan(b"cos\nsystem\n(S'echo hello world'\ntR.");
//! assert_eq!(report.verdict, Verdict::Dangerous);
//! let finding = &report.pickles[0].findings[0];
//! assert_eq!(finding.message, "calls os.system, which runs programs");
//! ```
//!
//! A pickle is a program. The scan runs it on picklevm's own machine with a builder that makes nothing and writes down
//! everything: each import, call, construction, state and item, in order, as Python would do it, even if the pickle
//! breaks later. A [`Policy`] says which names are known to be harmless, and which are known to do harm; what it does not
//! know is suspicious. [`Scanner`] holds the settings, [`Report`] what was found.

mod chunks;
mod context;
mod data;
mod divergence;
mod driver;
mod events;
mod guard;
mod hidden;
mod joblib;
mod members;
mod nature;
mod numbers;
mod pickle;
mod policy;
mod prefilter;
mod recent;
mod report;
mod row;
mod scanner;
mod shadow;
mod spelling;
mod strings;
mod table;
mod token;
mod trace;
mod verdict;
mod walk;

pub use context::Limits;
pub use events::{Action, Event, Import, PolicyEntry};
pub use guard::Guard;
pub use policy::{Allowed, Arg, Check, Decision, Kind, Policy, PolicyError, Preset, ResultType, Use, split_name};
pub use report::{Format, PickleReport, Report};
pub use scanner::{Scanner, scan};
pub use verdict::{Finding, Rule, Status, Verdict};
pub use walk::{FileScan, FileStatus};

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
