//! What may be done with what: calls, states and items held against the policy.

use super::Tracer;
use super::builder::is_dunder;
use crate::evidence::Action;
use crate::policy::{Allowed, Arg, Follows, Judgement, Kind, Use};
use crate::token::Token;
use crate::verdict::{Rule, Verdict};

/// The class of arrays whose raw data joblib writes right behind their state.
pub(crate) const JOBLIB_WRAPPER: &str = "joblib.numpy_pickle.NumpyArrayWrapper";

impl Tracer<'_> {
    /// Something is called or constructed with arguments; `None` if they are not known.
    pub(super) fn apply(&mut self, callable: Token, args: Option<&[Token]>, how: Use) -> Token {
        let Some((number, judgement)) = self.judgement(callable) else {
            let message = format!("calls {}", self.name_of(callable));
            self.find_use(self.class_of(callable), message);
            return self.made(callable, Token::Unknown, how, args);
        };
        self.used(number, if how == Use::Call { "calls" } else { "constructs" });
        let Judgement::Allowed(allowed) = judgement else {
            return self.made(callable, callable, how, args);
        };
        if !allowed.may_be(how) {
            let verb = if how == Use::Call { "calls" } else { "constructs" };
            self.find_use(callable, format!("{verb} {}, which may only be named", self.name_of(callable)));
        }
        let class = match (how, &allowed.args) {
            (Use::Call, Some(rules)) => self.check_args(callable, rules, args),
            _ => callable,
        };
        match (how, allowed.follows) {
            (Use::Call, Some(follows)) if follows != Follows::Data => self.follow(callable, follows, args),
            _ => self.made(callable, class, how, args),
        }
    }

    /// The object that a call made.
    fn made(&mut self, callable: Token, class: Token, how: Use, args: Option<&[Token]>) -> Token {
        let object = self.values.object(class, args);
        let result = if let Token::Object(number) = object { Some(number) } else { None };
        let action = if how == Use::Call { Action::Call } else { Action::Construct };
        self.event(action, callable, result, |tracer| tracer.render_call(callable, args, how, result));
        object
    }

    /// A global, or what it made, is used in a way that the policy does not allow.
    fn find_use(&mut self, global: Token, message: String) {
        let name = matches!(global, Token::Global(_)).then(|| self.name_of(global));
        let (verdict, message) = match self.judgement(global) {
            Some((_, Judgement::Allowed(Allowed { otherwise: Some(why), .. }))) => {
                (Verdict::Dangerous, format!("{message}, which {why}"))
            }
            _ => (Verdict::Suspicious, message),
        };
        self.find(verdict, Rule::Use, name, message);
    }

    /// What an object is an instance of, as far as that is known.
    fn class_of(&self, token: Token) -> Token {
        match token {
            Token::Object(number) => self.values.objects.get(number as usize).map_or(Token::Unknown, |it| it.class),
            _ => Token::Unknown,
        }
    }

    /// Whether a value is plain data, made by opcodes or by a call that makes nothing else.
    fn is_data(&self, token: Token) -> bool {
        token.is_data()
            || matches!(
                self.judgement(self.class_of(token)),
                Some((_, Judgement::Allowed(Allowed { follows: Some(Follows::Data | Follows::Bytes), .. })))
            )
    }

    /// Holds arguments against the rules for them; returns the class of what the call makes.
    fn check_args(&mut self, callable: Token, rules: &[Arg], args: Option<&[Token]>) -> Token {
        let name = self.name_of(callable);
        let Some(args) = args else {
            self.find_use(callable, format!("calls {name} with arguments that cannot be known"));
            return Token::Unknown;
        };
        let (rules, rest) = match rules.split_last() {
            Some((Arg::Kind(Kind::Rest), rules)) => (rules, true),
            _ => (rules, false),
        };
        if args.len() > rules.len() && !rest {
            self.find_use(callable, format!("calls {name} with {} arguments", args.len()));
        }
        let mut class = None;
        for (&arg, rule) in args.iter().zip(rules) {
            if matches!(rule, Arg::Kind(Kind::Class)) {
                class.get_or_insert(arg);
            }
            if !self.is_argument(arg, rule) {
                let what = self.name_of(arg);
                self.find_use(callable, format!("calls {name} on {what}"));
            }
        }
        class.unwrap_or(callable)
    }

    /// Whether an argument is what a rule asks for.
    fn is_argument(&mut self, arg: Token, rule: &Arg) -> bool {
        let kind = match rule {
            Arg::OneOf { one_of } => {
                let text = match arg {
                    Token::Global(number) => {
                        self.used(number, "hands over");
                        Some(self.name_of(arg).into())
                    }
                    _ => self.values.text_of(arg),
                };
                return text.is_some_and(|text| one_of.iter().any(|one| *one == *text));
            }
            // No deeper than a policy file nests.
            Arg::Either { either } => return either.iter().any(|rule| self.is_argument(arg, rule)),
            Arg::Kind(kind) => *kind,
        };
        match kind {
            Kind::Any | Kind::Rest => true,
            Kind::Data => self.is_data(arg),
            Kind::Sized => self.is_data(arg) && !matches!(arg, Token::Int(_) | Token::Number),
            Kind::Atom => {
                let is_container = matches!(arg, Token::Tuple(_) | Token::List(_) | Token::Dict(_) | Token::Set(_));
                arg.is_data() && !is_container
            }
            Kind::Name => self.is_nameable(arg),
            Kind::Stored => {
                self.is_data(arg)
                    || matches!(arg, Token::Global(_)) && self.is_nameable(arg)
                    || self.stores(self.class_of(arg))
            }
            Kind::Class => self.is_allowed_to(arg, Use::Construct),
            Kind::Function => arg == Token::None || self.is_allowed_to(arg, Use::Call) && self.may_be_handed_on(arg),
            Kind::Pickle => {
                let is_string = matches!(arg, Token::Bytes(_) | Token::Text(_));
                if is_string {
                    self.suspects.push(super::Suspect { offset: self.op, string: arg, certain: true });
                }
                is_string
            }
        }
    }

    /// Whether a global may be named and leads to no other. What is not allowed at all has a finding of its own.
    fn is_nameable(&self, token: Token) -> bool {
        match self.judgement(token) {
            Some((_, Judgement::Allowed(allowed))) => {
                matches!(allowed.follows, None | Some(Follows::Data)) && allowed.otherwise.is_none()
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Whether a global makes what keeps something to call it later, and was found harmless when it did.
    fn stores(&self, token: Token) -> bool {
        let Some((_, Judgement::Allowed(allowed))) = self.judgement(token) else { return false };
        matches!(allowed.args.as_deref(), Some([Arg::Kind(Kind::Stored), ..]))
    }

    /// Whether a global may be used so. What is not allowed at all has a finding of its own.
    fn is_allowed_to(&mut self, token: Token, how: Use) -> bool {
        match self.judgement(token) {
            Some((number, judgement)) => {
                self.used(number, if how == Use::Call { "calls" } else { "constructs" });
                match judgement {
                    Judgement::Allowed(allowed) => allowed.may_be(how),
                    _ => true,
                }
            }
            None => false,
        }
    }

    /// Whether a function may be called by another one, with arguments that nobody sees: whatever they are, the call is
    /// harmless, or ends in an error.
    fn may_be_handed_on(&self, function: Token) -> bool {
        let Some((_, Judgement::Allowed(allowed))) = self.judgement(function) else { return true };
        let is_open = |rule: &Arg| {
            matches!(rule, Arg::OneOf { .. } | Arg::Kind(Kind::Data | Kind::Atom | Kind::Sized | Kind::Rest))
        };
        let leads_nowhere = matches!(allowed.follows, None | Some(Follows::Data | Follows::Bytes));
        leads_nowhere
            && allowed.otherwise.is_none()
            && allowed.args.as_ref().is_none_or(|rules| rules.iter().all(is_open))
    }

    /// A call whose result is another name.
    fn follow(&mut self, callable: Token, follows: Follows, args: Option<&[Token]>) -> Token {
        let first = args.and_then(|args| args.first()).copied().unwrap_or(Token::Unknown);
        let second = args.and_then(|args| args.get(1)).copied().unwrap_or(Token::Unknown);
        let text = |tracer: &Self, token| tracer.values.text_of(token).map(std::borrow::Cow::into_owned);
        match follows {
            Follows::Data => self.made(callable, callable, Use::Call, args),
            Follows::Bytes => self.encoded(callable, first, second, args),
            Follows::Module => match text(self, first) {
                Some(module) => self.import(module.as_bytes(), b""),
                None => self.hidden(first),
            },
            Follows::Names => match (text(self, first), text(self, second)) {
                (Some(module), Some(name)) => self.import(module.as_bytes(), name.as_bytes()),
                (None, _) => self.hidden(first),
                _ => self.hidden(second),
            },
            Follows::Attribute => match text(self, second) {
                Some(attribute) => self.attribute(callable, first, &attribute, args),
                None => self.hidden(second),
            },
        }
    }

    /// Bytes that were spelled as text, as Python 3 writes them below protocol 3.
    fn encoded(&mut self, callable: Token, text: Token, encoding: Token, args: Option<&[Token]>) -> Token {
        let is_latin_1 = self.values.text_of(encoding).is_some_and(|name| name.starts_with(['l', 'i']));
        let spelled = self.values.text_of(text);
        let bytes: Option<Vec<u8>> = match spelled {
            Some(text) if is_latin_1 => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            Some(text) => Some(text.into_owned().into_bytes()),
            None => None,
        };
        let Some(bytes) = bytes else { return self.made(callable, callable, Use::Call, args) };
        self.event(Action::Call, callable, None, |tracer| tracer.render_call(callable, args, Use::Call, None));
        self.string(&bytes, Token::Bytes)
    }

    fn attribute(&mut self, callable: Token, owner: Token, attribute: &str, args: Option<&[Token]>) -> Token {
        let is_public = !attribute.starts_with('_') && !attribute.contains('.');
        let Some((number, judgement)) = self.judgement(owner) else {
            // `format` looks up what its text says.
            let has_members = self.may_look_into(self.class_of(owner));
            if is_public && (has_members || self.is_data(owner) && !attribute.starts_with("format")) {
                return self.made(callable, Token::Unknown, Use::Call, args);
            }
            let what = self.name_of(owner);
            let verdict = if attribute.starts_with("__") { Verdict::Dangerous } else { Verdict::Suspicious };
            self.find(verdict, Rule::Use, None, format!("looks up the attribute {attribute} of {what}"));
            return self.made(callable, Token::Unknown, Use::Call, args);
        };
        if matches!(judgement, Judgement::Allowed(_)) && is_public && self.may_look_into(owner) {
            return self.made(callable, owner, Use::Call, args);
        }
        if attribute == "__new__" && !matches!(judgement, Judgement::Dangerous(_)) {
            self.find_use(owner, format!("looks up __new__ of {}, for somebody to call it", self.name_of(owner)));
            return self.made(callable, Token::Unknown, Use::Call, args);
        }
        let Some(global) = self.globals.get(number) else { return Token::Unknown };
        let name = if global.name.is_empty() { attribute.to_owned() } else { format!("{}.{attribute}", global.name) };
        let module = global.module.clone();
        self.import(module.as_bytes(), name.as_bytes())
    }

    /// Whether public attributes of a global, or of what it makes, may be looked up.
    fn may_look_into(&self, global: Token) -> bool {
        matches!(self.judgement(global), Some((_, Judgement::Allowed(allowed))) if allowed.may(Use::Members))
    }

    /// A name that cannot be read.
    pub(super) fn hidden(&mut self, name: Token) -> Token {
        let (verdict, what) = match name {
            Token::Object(_) | Token::Bytes(_) => (Verdict::Dangerous, self.name_of(name)),
            _ => (Verdict::Suspicious, self.name_of(name)),
        };
        self.find(verdict, Rule::HiddenName, None, format!("imports a name that is {what}, so that it cannot be read"));
        Token::Unknown
    }

    /// BUILD.
    pub(super) fn set_state(&mut self, target: Token, state: Token) {
        self.event(Action::State, target, None, |tracer| tracer.render_state(target, state));
        let object = match target {
            Token::Object(number) => self.values.objects.get_mut(number as usize),
            _ => None,
        };
        let Some(object) = object else { return self.state_of_no_object(target) };
        let class = object.class;
        let twice = std::mem::replace(&mut object.built, true);
        match self.judgement(class) {
            Some((number, judgement)) => {
                self.used(number, "makes and sets the state of");
                match judgement {
                    Judgement::Allowed(allowed) if !allowed.may(Use::State) => {
                        let name = self.name_of(class);
                        self.find_use(class, format!("sets the state of what {name} made, which may have none"));
                    }
                    _ => {}
                }
            }
            None => self.suspect(Rule::State, "sets the state of an object of a class that cannot be known"),
        }
        if self.names_internals {
            self.check_attributes(state);
        }
        if twice {
            self.suspect(
                Rule::State,
                "sets the state of an object twice: the first may have put a function where the second calls it",
            );
        }
    }

    /// Whether a state sets attributes that Python itself acts upon.
    #[cold]
    fn check_attributes(&mut self, state: Token) {
        let parts: Vec<Token> = match (state, self.values.items_of(state)) {
            (Token::Tuple(_), Some([attributes, slots])) => vec![*attributes, *slots],
            _ => vec![state],
        };
        for part in parts {
            let keys = match (part, self.values.items_of(part)) {
                (Token::Dict(_), Some(pairs)) => pairs.iter().copied().step_by(2).collect(),
                (Token::Object(_) | Token::Unknown, _) => {
                    self.suspect(Rule::State, format!("sets a state that is {}", self.name_of(part)));
                    continue;
                }
                _ => Vec::new(),
            };
            for key in keys {
                let name = self.values.bytes_of(key).filter(|name| is_dunder(name));
                if let Some(name) = name.map(|name| String::from_utf8_lossy(name).into_owned()) {
                    let message = format!("sets the attribute {name} of an object, which Python itself acts upon");
                    self.suspect(Rule::State, message);
                }
            }
        }
    }

    #[cold]
    fn state_of_no_object(&mut self, target: Token) {
        let what = self.name_of(target);
        match target {
            Token::Global(_) => self.find(
                Verdict::Dangerous,
                Rule::State,
                Some(what.clone()),
                format!("sets the state of {what} itself, which changes it for the whole process"),
            ),
            _ => self.suspect(Rule::State, format!("sets the state of {what}, which has none")),
        }
    }

    /// Items go into what is not the plain container that the opcode is for.
    #[inline(never)]
    pub(super) fn put_items(&mut self, target: Token, items: &[Token]) {
        self.event(Action::Items, target, None, |tracer| tracer.render_items(target, items));
        let object = match target {
            Token::Object(number) => self.values.objects.get(number as usize).copied(),
            _ => None,
        };
        let Some(object) = object else {
            let what = self.name_of(target);
            let opcode = self.opcode;
            return self.suspect(Rule::Items, format!("{opcode} puts items into {what}"));
        };
        match self.judgement(object.class) {
            Some((number, judgement)) => {
                self.used(number, "makes and puts items into");
                if let Judgement::Allowed(allowed) = judgement
                    && !allowed.may(Use::Items)
                {
                    let name = self.name_of(object.class);
                    self.find_use(object.class, format!("puts items into what {name} made, which is no container"));
                }
            }
            None => self.suspect(Rule::Items, "puts items into an object of a class that cannot be known"),
        }
        if object.built {
            self.suspect(
                Rule::Items,
                "puts items into an object after setting its state, which may have changed what that does",
            );
        }
    }

    /// A persistent id. PyTorch's, which name storages, are known.
    pub(super) fn persistent_id(&mut self, pid: Token) -> Token {
        if !self.is_torch_storage(pid) {
            let shown = self.render(pid);
            self.suspect(
                Rule::Persistent,
                format!("asks the loading program for what the persistent id {shown} stands for"),
            );
        }
        self.event(Action::Persistent, pid, None, |tracer| format!("persistent_load({})", tracer.render(pid)));
        // Legacy checkpoints of PyTorch name classes so, with their source.
        if let Some([kind, class, ..]) = self.values.items_of(pid)
            && self.values.bytes_of(*kind) == Some(b"module")
        {
            return *class;
        }
        let number = self.persistent.len() as u32;
        self.persistent.push(pid);
        Token::Persistent(number)
    }

    /// Whether it is `("storage", class, key, location, numel)` or `("module", class, file, source)`.
    fn is_torch_storage(&self, pid: Token) -> bool {
        let Some([kind, class, rest @ ..]) = self.values.items_of(pid) else { return false };
        let is_torch = match self.judgement(*class) {
            Some((number, Judgement::Allowed(_))) => {
                self.globals.get(number).is_some_and(|global| global.module.split('.').next() == Some("torch"))
            }
            _ => false,
        };
        let known = matches!(self.values.bytes_of(*kind), Some(b"storage" | b"module"));
        is_torch && known && rest.iter().all(|part| part.is_data())
    }

    /// Whether the object is joblib's stand-in for an array whose data follow.
    pub(super) fn is_joblib_wrapper(&self, class: Token) -> bool {
        matches!(class, Token::Global(_)) && self.name_of(class) == JOBLIB_WRAPPER
    }
}
