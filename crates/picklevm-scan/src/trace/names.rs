//! The names that a pickle imports.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use picklevm::python3_name;

use super::Tracer;
use super::args::leads_on;
use crate::events::{Action, Import, PolicyEntry};
use crate::nature::Nature;
use crate::policy::{Allowed, Decision};
use crate::token::{NOT_KEPT, Token};
use crate::verdict::{Rule, Verdict};

/// A name and what the policy says of it.
pub(crate) struct Global<'p> {
    pub(crate) module: String,
    /// Empty for the module itself.
    pub(crate) name: String,
    pub(crate) judgement: Decision<'p>,
    offset: u64,
    pub(crate) uses: u64,
    /// What it is used for.
    how: Vec<&'static str>,
    /// The finding about its import, and whether that tells of a use.
    finding: Option<usize>,
    told: bool,
}

impl Global<'_> {
    pub(crate) fn full_name(&self) -> String {
        match &*self.name {
            "" => self.module.clone(),
            name => format!("{}.{name}", self.module),
        }
    }
}

/// The module and the name of the pickle, and whether they are those of Python 2.
type Key = (Box<[u8]>, Box<[u8]>, bool);

/// The names imported so far.
#[derive(Default)]
pub(crate) struct Globals<'p> {
    list: Vec<Global<'p>>,
    numbers: HashMap<Key, u32, RandomState>,
    /// The same by the numbers of the texts, and whether names are those of Python 2.
    pub(super) by_texts: HashMap<(u32, u32, bool), u32, RandomState>,
}

/// Bytes of a name that are looked at: no policy knows a longer one.
const LONGEST_NAME: usize = 512;

impl<'p> Globals<'p> {
    pub(crate) fn get(&self, number: u32) -> Option<&Global<'p>> {
        self.list.get(number as usize)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn imports(&self) -> Vec<Import> {
        let import = |global: &Global<'_>| Import {
            module: global.module.clone(),
            name: global.name.clone(),
            offset: global.offset,
            uses: global.uses,
            how: global.how.clone(),
            known: known(global.judgement),
        };
        self.list.iter().map(import).collect()
    }
}

impl<'a> Tracer<'a> {
    /// Imports a name, given as it stands in the pickle.
    pub(super) fn import(&mut self, module: &[u8], name: &[u8]) -> Token {
        let python2 = self.protocol < 3;
        let cut = |text: &[u8]| Box::from(&text[..text.len().min(LONGEST_NAME)]);
        let mut key: Key = (cut(module), cut(name), python2);
        let is_whole = module.len() <= LONGEST_NAME && name.len() <= LONGEST_NAME;
        if !is_whole {
            // Those that only differ further on are one.
            key.1 = [&*key.1, b"\xe2\x80\xa6"].concat().into();
        }
        let number = match self.globals.numbers.get(&key) {
            Some(&number) => number,
            None => {
                let (module, name) = (String::from_utf8_lossy(&key.0), String::from_utf8_lossy(&key.1));
                let number = self.first_import(&module, &name, python2);
                self.globals.numbers.insert(key, number);
                number
            }
        };
        self.imported(number)
    }

    /// Imports a name that two texts hold.
    pub(super) fn import_texts(&mut self, module: Token, name: Token) -> Token {
        let (Token::Text(first), Token::Text(second)) = (module, name) else {
            let part = if matches!(module, Token::Text(_)) { name } else { module };
            return self.hidden(part);
        };
        let key = (first, second, self.protocol < 3);
        if let Some(&number) = self.globals.by_texts.get(&key) {
            return self.imported(number);
        }
        let module = self.values.string_of(module).unwrap_or_default();
        let name = self.values.string_of(name).unwrap_or_default();
        let token = self.import(&module, &name);
        if let Token::Global(number) = token {
            self.globals.by_texts.insert(key, number);
        }
        token
    }

    /// A name is imported that was judged.
    pub(super) fn imported(&mut self, number: u32) -> Token {
        let token = Token::Global(number);
        self.event(Action::Import, token, None, |tracer| match tracer.globals.get(number) {
            Some(global) if global.name.is_empty() => format!("import {}", global.module),
            Some(global) => format!("from {} import {}", global.module, global.name),
            None => String::new(),
        });
        token
    }

    #[cold]
    #[inline(never)]
    fn first_import(&mut self, module: &str, name: &str, python2: bool) -> u32 {
        let (module3, name3) = python3_name(module, name);
        let policy = self.policy;
        let mut judgement = policy.judge(module, name);
        // Names of Python 2 count for protocols below 3, but their dangers for all; a danger of all of a module of Python 2
        // gives way to what is known of the very name in Python 3.
        if (module3, name3) != (module, name) {
            let by_python3 = policy.judge(module3, name3);
            let is_known = python2 && matches!(by_python3, Decision::Allowed(_)) && !policy.is_forbidden(module, name);
            let is_open = !matches!(judgement, Decision::Dangerous(_));
            if is_known || is_open && (python2 || matches!(by_python3, Decision::Dangerous(_))) {
                judgement = by_python3;
            }
        }
        let (module, name) = if python2 { (module3, name3) } else { (module, name) };
        let mut global = Global {
            module: module.to_owned(),
            name: name.to_owned(),
            judgement,
            offset: self.op,
            uses: 0,
            how: Vec::new(),
            finding: None,
            told: false,
        };
        let full_name = global.full_name();
        let (verdict, rule, why) = match judgement {
            Decision::Allowed(_) => (Verdict::Safe, Rule::Use, String::new()),
            Decision::Dangerous(why) => {
                (Verdict::Dangerous, Rule::DangerousName, format!("imports {full_name}, which {why}"))
            }
            Decision::Unknown => (
                Verdict::Suspicious,
                Rule::UnknownName,
                match policy.is_own(module) {
                    true => format!(
                        "imports {full_name}, which is not covered by the policy: your own class, or of a library unknown to \
                         it. Importing a module runs its code"
                    ),
                    false => format!(
                        "imports {full_name}, which is not covered by the policy: importing a module runs its code"
                    ),
                },
            ),
        };
        if verdict != Verdict::Safe {
            self.find(verdict, rule, Some(full_name), why);
            global.finding = self.findings.len().checked_sub(1);
        }
        if self.globals.list.len() >= self.left.names {
            self.suspect(Rule::Limit, "imports so many names that the scan does not tell them apart");
            return NOT_KEPT;
        }
        let leads_on = matches!(judgement, Decision::Allowed(allowed) if leads_on(allowed));
        self.values.globals.push(if leads_on { Nature::REACHING } else { Nature::NAME });
        let number = self.globals.list.len() as u32;
        self.globals.list.push(global);
        number
    }

    /// A name is used, not just imported: counts it. A finding about the import becomes one about the first use, where
    /// that happens.
    #[inline]
    pub(super) fn used(&mut self, number: u32, how: &'static str) {
        let Some(global) = self.globals.list.get_mut(number as usize) else { return };
        global.uses += 1;
        if !global.how.contains(&how) {
            global.how.push(how);
        }
        let offset = self.op;
        if let Some(finding) = global.finding
            && !global.told
        {
            global.told = true;
            if let Some(finding) = self.findings.get_mut(finding) {
                finding.message = format!("{how} {}", finding.message.trim_start_matches("imports "));
                finding.offset = offset;
            }
        }
    }

    /// Finds names that may be imported for a certain use only, and were not used: somebody may be handed them.
    pub(crate) fn check_unused(&mut self) {
        for number in 0..self.globals.list.len() {
            let Some(global) = self.globals.list.get(number) else { return };
            if let Decision::Allowed(Allowed { otherwise: Some(why), .. }) = global.judgement
                && global.uses == 0
            {
                let message = format!("imports {}, which {why}", global.full_name());
                let (name, offset) = (global.full_name(), global.offset);
                self.op = offset;
                self.find(Verdict::Dangerous, Rule::DangerousName, Some(name), message);
            }
        }
    }

    /// What the policy says of a global, if the token is one.
    pub(super) fn judgement(&self, token: Token) -> Option<(u32, Decision<'a>)> {
        match token {
            Token::Global(number) => Some((number, self.globals.get(number)?.judgement)),
            _ => None,
        }
    }

    /// What the policy knows of a global, for an event about it.
    pub(super) fn known(&self, token: Token) -> Option<PolicyEntry> {
        Some(known(self.judgement(token)?.1))
    }

    /// The name of a global, or what else the token is.
    pub(super) fn name_of(&self, token: Token) -> String {
        match token {
            Token::Global(number) => self.globals.get(number).map_or_else(String::new, Global::full_name),
            Token::Object(_) => match self.values.object_of(token) {
                Some(object) if matches!(object.class, Token::Global(_)) => {
                    format!("an object that {} made", self.name_of(object.class))
                }
                _ => "the result of a call".to_owned(),
            },
            Token::Persistent(_) => "what a persistent id stands for".to_owned(),
            Token::Buffer => "a buffer".to_owned(),
            Token::Unknown | Token::Hole => "something that cannot be known".to_owned(),
            Token::None => "None".to_owned(),
            Token::Bool(_) => "a bool".to_owned(),
            Token::Int(_) | Token::Number(_) | Token::LongInt => "a number".to_owned(),
            Token::Text(_) => "a string".to_owned(),
            Token::Bytes(_) => "bytes".to_owned(),
            Token::Tuple(_) => "a tuple".to_owned(),
            Token::List(_) => "a list".to_owned(),
            Token::Dict(_) => "a dict".to_owned(),
            Token::Set(_) => "a set".to_owned(),
        }
    }
}

/// What a policy knows of a name.
fn known(decision: Decision<'_>) -> PolicyEntry {
    match decision {
        Decision::Allowed(_) => PolicyEntry::Safe,
        Decision::Dangerous(why) => PolicyEntry::Dangerous(why.to_owned()),
        Decision::Unknown => PolicyEntry::Suspicious,
    }
}
