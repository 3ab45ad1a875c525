//! Running a pickle without making anything: the machine's builder that keeps what is done instead of what is made.

mod apply;
mod args;
mod builder;
mod changes;
mod names;
mod render;

use std::collections::HashSet;

use foldhash::fast::RandomState;
use picklevm_ops::Opcode;

use self::names::Globals;
use crate::divergence;
use crate::events::{Action, Event};
use crate::policy::Policy;
use crate::shadow::{Token, Values};
use crate::verdict::{Finding, Rule, Verdict};

/// What is recorded at most.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) events: usize,
    pub(crate) findings: usize,
}

/// A string in which pickles are to be looked for.
#[derive(Clone, Copy)]
pub(crate) struct Suspect {
    pub(crate) offset: u64,
    pub(crate) string: Token,
    /// Whether something is known to unpickle it.
    pub(crate) certain: bool,
}

/// Watches one pickle run.
pub(crate) struct Tracer<'a> {
    pub(crate) data: &'a [u8],
    policy: &'a Policy,
    budget: Budget,
    /// Where in `data` the offsets begin that the machine tells.
    pub(crate) base: usize,
    /// Where in `data` the op lies that runs.
    op: u64,
    opcode: Opcode,
    start: u64,
    pub(crate) protocol: u8,
    /// Where the last frame ends, in `data` or after.
    pub(crate) frame_end: u64,
    pub(crate) values: Values<'a>,
    pub(crate) globals: Globals<'a>,
    persistent: Vec<Token>,
    pub(crate) events: Vec<Event>,
    pub(crate) findings: Vec<Finding>,
    /// What STOP left on the stack, in words.
    pub(crate) result: Option<String>,
    said: HashSet<(Rule, String), RandomState>,
    /// Whether some reader gets further than others, and whether none does.
    pub(crate) divergent: bool,
    pub(crate) suspects: Vec<Suspect>,
    /// The object whose state was just set and after which raw data follow.
    pub(crate) raw_after: Option<Token>,
    /// Whether a text is the name of an attribute that Python itself acts upon.
    names_internals: bool,
    /// Whether the run was stopped because it needs the contents of containers.
    pub(crate) needs_all: bool,
}

impl<'a> Tracer<'a> {
    /// Watches the pickle that begins at `start`. With `keeps_all` it also keeps containers and events.
    pub(crate) fn new(data: &'a [u8], start: usize, policy: &'a Policy, budget: Budget, keeps_all: bool) -> Self {
        Tracer {
            data,
            policy,
            budget,
            base: start,
            op: start as u64,
            opcode: Opcode::Stop,
            start: start as u64,
            protocol: 0,
            frame_end: 0,
            values: Values::new(data, keeps_all),
            globals: Globals::default(),
            persistent: Vec::new(),
            events: Vec::new(),
            findings: Vec::new(),
            result: None,
            said: HashSet::default(),
            divergent: false,
            suspects: Vec::new(),
            raw_after: None,
            needs_all: false,
            names_internals: false,
        }
    }

    /// Adds a finding about the op that runs, unless the same was said before.
    #[cold]
    #[inline(never)]
    pub(crate) fn find(&mut self, verdict: Verdict, rule: Rule, name: Option<String>, message: String) {
        if self.findings.len() >= self.budget.findings || !self.said.insert((rule, message.clone())) {
            return;
        }
        let mut finding = Finding::new(verdict, rule, self.op, message);
        finding.name = name;
        self.findings.push(finding);
    }

    #[cold]
    pub(crate) fn suspect(&mut self, rule: Rule, message: impl Into<String>) {
        self.find(Verdict::Suspicious, rule, None, message.into());
    }

    /// The op that runs next, or cannot be read, lies here in `data`.
    pub(crate) fn stand_at(&mut self, op: usize) {
        self.op = op as u64;
    }

    /// Whether anything was done so far but making plain data.
    pub(crate) fn has_effects(&self) -> bool {
        !(self.globals.is_empty() && self.persistent.is_empty() && self.findings.is_empty())
    }

    /// Readers disagree on the op that runs.
    #[cold]
    #[inline(never)]
    pub(crate) fn diverge(&mut self, message: impl Into<String>) {
        self.divergent = true;
        self.suspect(Rule::Divergence, message);
    }

    /// Records what the op that runs does, and to or with what.
    fn event(&mut self, action: Action, about: Token, result: Option<u32>, python: impl FnOnce(&Self) -> String) {
        if self.values.keeps_all && self.events.len() < self.budget.events {
            let (subject, known) = (self.render(about), self.known(about));
            let event = Event { offset: self.op, action, subject, result, python: python(self), known };
            self.events.push(event);
        }
    }

    /// Looks closer at an op whose operand readers may understand in several ways.
    #[inline(never)]
    fn look(&mut self) {
        let operand = self.data.get(self.op as usize + 1..).unwrap_or_default();
        match self.opcode {
            Opcode::Proto => {
                if self.op != self.start {
                    self.diverge("the protocol is named within the pickle, which changes how names are read");
                }
            }
            Opcode::Frame => {
                let len = operand.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                self.frame_end = (self.op + 9).saturating_add(len);
                if self.frame_end > self.data.len() as u64 {
                    self.diverge("a frame is longer than the data: C refuses it, pure Python goes on");
                }
            }
            opcode => {
                let line = operand.split(|&byte| byte == b'\n').next().unwrap_or_default();
                if let Some(why) = divergence::disagreement(opcode, line) {
                    self.diverge(why);
                }
                if opcode == Opcode::Put {
                    let index = str::from_utf8(line).ok().and_then(|index| index.parse().ok());
                    self.check_memo_index(index.unwrap_or(0));
                }
            }
        }
    }

    /// Whether a memo index is far beyond the number of values so far: `_pickle.c` reserves memory for all up to it.
    #[inline]
    fn check_memo_index(&mut self, index: u64) {
        const NOTHING: u64 = 1 << 24;
        if index > self.op && index > NOTHING {
            self.suspect(
                Rule::Limit,
                format!("stores at the memo index {index}: C reserves 16 bytes for each up to it"),
            );
        }
    }

    /// Notes a string in which a pickle may lie.
    #[cold]
    #[inline(never)]
    fn note_suspect(&mut self, string: Token) {
        self.suspects.push(Suspect { offset: self.op, string, certain: false });
    }
}
