//! Running a pickle without making anything: the machine's builder that keeps what is done instead of what is made.
//!
//! An abstract interpreter: each value is a token with a [`Nature`](crate::nature::Nature), what it may be and what may be in
//! it. A call holds every argument, however it comes, against the rule that the policy has for it (`args`), and says of its
//! result what it may be (`apply`). What a state or an item puts into an object becomes part of that object's nature (`changes`).
//! What a library makes memory, code or work of is checked by code (`checks`, `numpy`, `costs`). What no rule takes is not safe.

mod apply;
mod args;
mod arrow;
mod builder;
mod changes;
mod checks;
mod costs;
mod hashes;
mod names;
mod numpy;
mod render;

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Instant;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use picklevm_ops::Opcode;

use self::names::Globals;
use crate::context::{Left, Limits};
use crate::events::{Action, Event};
use crate::numbers;
use crate::policy::Policy;
use crate::shadow::Values;
use crate::token::Token;
use crate::verdict::{Finding, Rule, Verdict};

/// What calls may go through in all, beside 16 times the length of the pickle.
const WORK: u64 = 1 << 24;
/// Arguments of calls that are looked at in all, and bytes of text that events take.
const ARGS: usize = 1 << 26;
const EVENT_TEXT: usize = 1 << 23;

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
    budget: &'a Limits,
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
    /// Persistent ids, with the items of those that are tuples of PyTorch.
    persistent: Vec<(Token, Vec<Token>)>,
    key_counts: hashes::KeyCounts,
    /// Space for items of the machine.
    items: Vec<Token>,
    /// Objects that are `__new__` of a class, and that class.
    constructors: HashMap<u32, Token, RandomState>,
    /// What `functools.partial` was made of: function, arguments and those by keyword.
    partials: HashMap<u32, (Token, Token, Option<Token>), RandomState>,
    /// How much calls may still go through in all.
    work_left: u64,
    /// The types of NumPy that were made.
    dtypes: Vec<numpy::DType>,
    /// How many arguments of calls may still be looked at, and bytes of events kept.
    args_left: usize,
    texts_left: usize,
    /// What may be recorded.
    pub(crate) left: Left,
    /// Strings that were looked at as bytes in an encoding.
    noted: HashSet<u32, RandomState>,
    /// Strings that are the memory of arrays of numbers.
    numbers: HashSet<u32, RandomState>,
    /// Whether the data that joblib reads itself are read as opcodes, as `pickle.load` reads them.
    pub(crate) plain: bool,
    /// Whether persistent ids may be those of PyTorch's legacy checkpoints, which name classes.
    pub(crate) ids_name_classes: bool,
    /// When the time of the scan is over.
    pub(crate) deadline: Option<Instant>,
    pub(crate) events: Vec<Event>,
    pub(crate) findings: Vec<Finding>,
    /// How many of them are suspicious, and dangerous.
    listed: [usize; 2],
    /// What STOP left on the stack, in words.
    pub(crate) result: Option<String>,
    said: HashSet<(Rule, String), RandomState>,
    /// Whether some reader gets further than others, and whether none does.
    pub(crate) divergent: bool,
    pub(crate) suspects: Vec<Suspect>,
    /// The object whose state was just set and after which raw data follow.
    pub(crate) raw_after: Option<Token>,
    /// The files from which joblib reads arrays.
    pub(crate) companions: Vec<String>,
    /// Whether a text is the name of an attribute that Python itself acts upon.
    names_internals: bool,
    /// Whether the run was stopped because it needs the contents of containers.
    pub(crate) needs_all: bool,
}

impl<'a> Tracer<'a> {
    /// Watches the pickle that begins at `start`. `values` keeps containers or not; if it does, events are kept as well.
    pub(crate) fn new(
        start: usize,
        policy: &'a Policy,
        budget: &'a Limits,
        data: &'a [u8],
        values: Values<'a>,
    ) -> Self {
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
            values,
            globals: Globals::default(),
            persistent: Vec::new(),
            key_counts: hashes::KeyCounts::default(),
            items: Vec::new(),
            constructors: HashMap::default(),
            partials: HashMap::default(),
            work_left: (data.len() as u64).saturating_mul(16).saturating_add(WORK),
            dtypes: Vec::new(),
            args_left: ARGS,
            texts_left: EVENT_TEXT,
            left: budget.to_record(),
            noted: HashSet::default(),
            numbers: HashSet::default(),
            plain: false,
            ids_name_classes: true,
            deadline: None,
            events: Vec::new(),
            findings: Vec::new(),
            listed: [0; 2],
            result: None,
            said: HashSet::default(),
            divergent: false,
            suspects: Vec::new(),
            raw_after: None,
            companions: Vec::new(),
            needs_all: false,
            names_internals: false,
        }
    }

    /// Adds a finding about the op that runs, unless the same was said before.
    #[cold]
    #[inline(never)]
    pub(crate) fn find(&mut self, verdict: Verdict, rule: Rule, name: Option<String>, message: String) {
        // Findings that are worse are never crowded out by those that are not.
        let listed = &mut self.listed[usize::from(verdict == Verdict::Dangerous)];
        if *listed >= self.budget.findings.min(self.left.findings.max(1)) || !self.said.insert((rule, message.clone()))
        {
            return;
        }
        *listed += 1;
        let mut finding = Finding::new(verdict, rule, self.op, message);
        finding.name = name;
        self.findings.push(finding);
    }

    #[cold]
    pub(crate) fn suspect(&mut self, rule: Rule, message: impl Into<String>) {
        self.find(Verdict::Suspicious, rule, None, message.into());
    }

    /// Whether the time of the scan is over.
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() > deadline)
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
        if self.values.keeps_all && self.events.len() < self.left.events && self.texts_left > 0 {
            let (subject, known) = (self.render(about), self.known(about));
            let event = Event { offset: self.op, action, subject, result, python: python(self), known };
            self.texts_left = self.texts_left.saturating_sub(event.subject.len() + event.python.len());
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
                if let Some(why) = numbers::disagreement(opcode, line) {
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

    /// The strings in which pickles are to be looked for, each with its bytes.
    pub(crate) fn suspect_strings(&self) -> Vec<(Suspect, Cow<'a, [u8]>)> {
        let is_wanted = |suspect: &&Suspect| match suspect.string {
            Token::Bytes(number) | Token::Text(number) => suspect.certain || !self.numbers.contains(&number),
            _ => false,
        };
        let wanted = self.suspects.iter().filter(is_wanted);
        wanted.filter_map(|suspect| Some((*suspect, self.values.string_of(suspect.string)?))).collect()
    }

    /// Notes bytes that a text spells, once for each text, if they are others than those of the text.
    fn note_encoded(&mut self, text: Token, bytes: Token) {
        let (Token::Text(from), Token::Bytes(to)) = (text, bytes) else { return };
        if from != to && self.noted.insert(to) {
            self.note_suspect(bytes);
        }
    }

    /// Notes a string in which a pickle may lie.
    #[cold]
    #[inline(never)]
    fn note_suspect(&mut self, string: Token) {
        self.suspects.push(Suspect { offset: self.op, string, certain: false });
    }
}
