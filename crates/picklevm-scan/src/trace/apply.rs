//! Calls, and what they lead to, held against the policy.

use super::Tracer;
use super::args::is_public;
use crate::events::Action;
use crate::nature::Nature;
use crate::policy::{Allowed, Check, Decision, ResultType, Use};
use crate::shadow::DEEP;
use crate::token::Token;
use crate::verdict::{Rule, Verdict};

/// Bytes of text that a call may make of its arguments, beside 16 times the length of the pickle.
const SHOWN: u64 = 1 << 26;
/// Bytes of strings that are gone through as fast as a value is.
const BYTES_A_VALUE: u64 = 16;

/// A call: its arguments, and those by keyword.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    /// `None` if they are not known.
    pub(super) args: Option<&'a [Token]>,
    pub(super) kwargs: Option<Token>,
    pub(super) how: Use,
}

impl Tracer<'_> {
    /// Something is called or constructed.
    pub(super) fn apply(&mut self, callable: Token, call: Call<'_>) -> Token {
        let Some((number, judgement)) = self.judgement(callable) else {
            if let Some(called) = self.call_partial(callable, call) {
                return called;
            }
            let message = format!("calls {}", self.name_of(callable));
            self.find_use(self.class_of(callable), message);
            return self.made(callable, Token::Unknown, call);
        };
        let verb = if call.how == Use::Call { "calls" } else { "constructs" };
        self.used(number, verb);
        let Decision::Allowed(allowed) = judgement else {
            return self.made(callable, callable, call);
        };
        if !allowed.may_be(call.how) {
            self.find_use(callable, format!("{verb} {}, which may only be named", self.name_of(callable)));
        }
        // `__new__` is given what a call is given: `map.__new__` is a call of `map`.
        let class = self.check_args(callable, allowed, call.args);
        if let Some(kwargs) = call.kwargs {
            self.check_keywords(callable, allowed, kwargs);
        }
        self.count_work(call.args.unwrap_or_default());
        match allowed.follows {
            Some(follows) if call.how == Use::Call => self.follow(callable, class, follows, call),
            _ => self.made(callable, class, call),
        }
    }

    /// The object that a call made.
    pub(super) fn made(&mut self, callable: Token, class: Token, call: Call<'_>) -> Token {
        let nature = self.nature_of_result(class);
        // What is not allowed is found, whatever it is given.
        let is_allowed = matches!(self.judgement(class), Some((_, Decision::Allowed(_))));
        let object = self.values.object(class, call.args, nature, is_allowed);
        let result = if let Token::Object(number) = object { Some(number) } else { None };
        let action = if call.how == Use::Call { Action::Call } else { Action::Construct };
        self.event(action, callable, result, |tracer| tracer.render_call(callable, call.args, call.how, result));
        if let Some(check) = self.check_of(callable)
            && let Some(args) = call.args
        {
            self.check_call(check, args, object);
        }
        object
    }

    /// What a call goes through or copies: short pickles may ask for much of it.
    pub(super) fn count_work(&mut self, args: &[Token]) {
        let size = |arg: &Token| match arg {
            Token::Text(_) | Token::Bytes(_) => self.values.bytes_of(*arg).map_or(0, <[u8]>::len) as u64,
            arg => u64::from(self.values.cost_of(*arg)),
        };
        let mut work: u64 = args.iter().map(size).sum();
        if args.iter().any(|arg| self.values.depth_of(*arg) > DEEP) {
            self.suspect(
                Rule::Limit,
                "a call is given what lies so deep in one another that going through it may end the process",
            );
        }
        // A text of a container, which a call may make for an error, has all strings in it as often as they are shared.
        let holds: u64 = args.iter().filter(|arg| !arg.is_atom()).map(|arg| u64::from(self.values.cost_of(*arg))).sum();
        if holds.saturating_mul(self.values.strings.longest as u64) > SHOWN {
            let most = SHOWN.saturating_add(16 * self.data.len() as u64);
            match self.values.weight_of(args, most) {
                // It takes as long to see that as the call takes.
                Some(weight) => work = work.max(weight / BYTES_A_VALUE),
                None if self.values.keeps_all => {
                    self.suspect(
                        Rule::Limit,
                        "a call is given strings that are shared so often that their text fills memory",
                    );
                }
                None => self.needs_all = true,
            }
        }
        self.spend(work);
    }

    /// Counts work that the pickle makes for calls, or for the scan of their arguments. Returns whether it may be done.
    pub(super) fn spend(&mut self, work: u64) -> bool {
        let left = self.work_left.checked_sub(work).filter(|_| work < u64::from(u32::MAX));
        match left {
            Some(left) => self.work_left = left,
            None => self.suspect(Rule::Limit, "calls go through so much in all that they fill memory and time"),
        }
        left.is_some()
    }

    /// A call of what `functools.partial` made: a call of its function.
    fn call_partial(&mut self, partial: Token, call: Call<'_>) -> Option<Token> {
        let Token::Object(number) = partial else { return None };
        let (function, args, kwargs) = self.partials.get(&number).copied()?;
        if call.kwargs.is_some() || call.how != Use::Call {
            return None;
        }
        let mut all = self.contents(args)?;
        all.extend_from_slice(call.args?);
        let kwargs = kwargs.filter(|kwargs| self.values.len_of(*kwargs) != Some(0));
        if let Token::Object(number) = function {
            let class = *self.constructors.get(&number)?;
            let rest = all.strip_prefix(&[class])?;
            return Some(self.apply(class, Call { args: Some(rest), kwargs, how: Use::Construct }));
        }
        self.judgement(function)?;
        Some(self.apply(function, Call { args: Some(&all), kwargs, how: Use::Call }))
    }

    /// What a call of a class makes.
    fn nature_of_result(&self, class: Token) -> Nature {
        match self.judgement(class) {
            None => Nature::UNKNOWN,
            Some((_, Decision::Allowed(Allowed { follows, .. }))) => match follows {
                Some(ResultType::Data | ResultType::Value | ResultType::Bytes) => Nature::VALUE,
                Some(ResultType::Lazy) => Nature::LAZY,
                Some(ResultType::Callable) => Nature::CALLABLE,
                _ => Nature::OBJECT,
            },
            _ => Nature::OBJECT,
        }
    }

    /// What code checks of a name.
    pub(super) fn check_of(&self, token: Token) -> Option<Check> {
        match self.judgement(token)?.1 {
            Decision::Allowed(allowed) => allowed.check,
            _ => None,
        }
    }

    /// A global, or what it made, is used in a way that the policy does not allow.
    pub(super) fn find_use(&mut self, global: Token, message: String) {
        let name = matches!(global, Token::Global(_)).then(|| self.name_of(global));
        let (verdict, message) = match self.judgement(global) {
            Some((_, Decision::Allowed(Allowed { otherwise: Some(why), .. }))) => {
                (Verdict::Dangerous, format!("{message}, which {why}"))
            }
            _ => (Verdict::Suspicious, message),
        };
        self.find(verdict, Rule::Use, name, message);
    }

    /// What an object is an instance of, as far as that is known.
    pub(super) fn class_of(&self, token: Token) -> Token {
        self.values.object_of(token).map_or(Token::Unknown, |object| object.class)
    }

    /// A call whose result the policy describes.
    fn follow(&mut self, callable: Token, class: Token, follows: ResultType, call: Call<'_>) -> Token {
        let arg = |i: usize| call.args.and_then(|args| args.get(i)).copied().unwrap_or(Token::Unknown);
        let (first, second) = (arg(0), arg(1));
        let text = |tracer: &Self, token| match token {
            Token::Text(_) => tracer.values.text_of(token).map(std::borrow::Cow::into_owned),
            _ => None,
        };
        let construct = |args, kwargs| Call { args, kwargs, how: Use::Construct };
        match follows {
            ResultType::Data | ResultType::Value | ResultType::Lazy | ResultType::Callable => {
                self.made(callable, class, call)
            }
            ResultType::Bytes => self.encoded(callable, first, second, call),
            ResultType::Module => match text(self, first) {
                Some(module) => self.import(module.as_bytes(), b""),
                None => self.hidden(first),
            },
            ResultType::Names => match (text(self, first), text(self, second)) {
                (Some(module), Some(name)) => self.import(module.as_bytes(), name.as_bytes()),
                (None, _) => self.hidden(first),
                _ => self.hidden(second),
            },
            ResultType::Attribute => match text(self, second) {
                Some(attribute) => self.attribute(callable, first, &attribute, call),
                None => self.hidden(second),
            },
            ResultType::New => self.apply(first, construct(call.args.and_then(|args| args.get(1..)), None)),
            ResultType::NewEx => {
                let args = self.args_of(second, "__newobj_ex__");
                self.apply(first, construct(args.as_deref(), Some(arg(2))))
            }
            ResultType::Reconstructor => self.reconstructed(first, second, arg(2), call),
            ResultType::Apply => self.apply_inner(first, arg(2)),
        }
    }

    /// `_reconstructor(class, base, state)` is `class.__new__(class)` for `object`, otherwise `base.__new__` and `base.__init__`
    /// with the state.
    fn reconstructed(&mut self, class: Token, base: Token, state: Token, call: Call<'_>) -> Token {
        if self.judgement(class).is_none() || self.judgement(base).is_none() {
            return self.made(class, Token::Unknown, call);
        }
        if self.name_of(base) == "builtins.object" {
            // It takes the state and does nothing with it.
            return self.made(class, class, Call { args: Some(&[]), kwargs: None, how: Use::Construct });
        }
        let args = [state];
        let made = self.apply(base, Call { args: Some(&args), kwargs: None, how: Use::Call });
        let nature = self.values.nature_of(made).with(self.nature_of_result(class));
        self.values.change_object(made, |object| (object.class, object.nature) = (class, nature));
        made
    }

    /// A function that is called on a tuple of arguments.
    fn apply_inner(&mut self, function: Token, args: Token) -> Token {
        let args = self.args_of(args, "a function");
        if matches!(self.result_type(function), Some(ResultType::Apply)) {
            let message = format!("calls {} through itself", self.name_of(function));
            self.find_use(function, message);
            return Token::Unknown;
        }
        self.apply(function, Call { args: args.as_deref(), kwargs: None, how: Use::Call })
    }

    /// Bytes that were spelled as text, as Python 3 writes them below protocol 3.
    fn encoded(&mut self, callable: Token, text: Token, encoding: Token, call: Call<'_>) -> Token {
        let is_latin_1 = self.values.text_of(encoding).is_some_and(|name| name.starts_with(['l', 'i']));
        let bytes = match text {
            Token::Text(text) => self.values.strings.encode(text, is_latin_1),
            _ => None,
        };
        let Some(bytes) = bytes else { return self.made(callable, callable, call) };
        self.event(Action::Call, callable, None, |tracer| tracer.render_call(callable, call.args, Use::Call, None));
        let bytes = Token::Bytes(bytes);
        if self.values.bytes_of(bytes).is_some_and(crate::spelling::may_hide) {
            self.note_encoded(text, bytes);
        }
        bytes
    }

    fn attribute(&mut self, callable: Token, owner: Token, attribute: &str, call: Call<'_>) -> Token {
        let is_simple = is_public(attribute) && !attribute.contains('.');
        let Some((number, judgement)) = self.judgement(owner) else {
            let class = self.class_of(owner);
            let listed = match self.judgement(class) {
                Some((_, Decision::Allowed(allowed))) => allowed.attributes.iter().any(|it| it == attribute),
                _ => false,
            };
            // A method of data, a member of an enum, or what the policy lists of a class.
            let is_data = self.values.nature_of(owner).is_within(Nature::VALUE) && owner != Token::Buffer;
            if listed || is_simple && (is_data || self.may_look_into(class)) {
                let object = self.made(callable, Token::Unknown, call);
                self.values.put_nature(object, Nature::CALLABLE);
                return object;
            }
            let what = self.name_of(owner);
            let verdict = if attribute.starts_with("__") { Verdict::Dangerous } else { Verdict::Suspicious };
            self.find(verdict, Rule::Use, None, format!("looks up the attribute {} of {what}", short(attribute)));
            return self.made(callable, Token::Unknown, call);
        };
        if matches!(judgement, Decision::Allowed(_)) && is_simple && self.may_look_into(owner) {
            return self.made(callable, owner, call);
        }
        if attribute == "__new__" && !matches!(judgement, Decision::Dangerous(_)) {
            // Somebody may call it: it goes nowhere but into `functools.partial`.
            let object = self.made(callable, Token::Unknown, call);
            if let Token::Object(number) = object {
                self.constructors.insert(number, owner);
                self.values.put_nature(object, Nature::REACHING);
            }
            return object;
        }
        let Some(global) = self.globals.get(number) else { return Token::Unknown };
        let name = if global.name.is_empty() { attribute.to_owned() } else { format!("{}.{attribute}", global.name) };
        let module = global.module.clone();
        self.import(module.as_bytes(), name.as_bytes())
    }

    /// Whether public attributes of a global, or of what it makes, may be looked up.
    fn may_look_into(&self, global: Token) -> bool {
        matches!(self.judgement(global), Some((_, Decision::Allowed(allowed))) if allowed.may(Use::Members))
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

    /// A persistent id. PyTorch's, which name storages, are known.
    pub(super) fn persistent_id(&mut self, pid: Token) -> Token {
        let is_known = self.is_torch_storage(pid);
        if !is_known {
            let shown = self.render(pid);
            self.suspect(
                Rule::Persistent,
                format!("asks the loading program for what the persistent id {shown} stands for"),
            );
        }
        self.event(Action::Persistent, pid, None, |tracer| format!("persistent_load({})", tracer.render(pid)));
        // Legacy checkpoints of PyTorch name classes so, with their source. What another program makes of it is not known.
        if self.ids_name_classes
            && let Some([kind, class, ..]) = self.values.items_of(pid)
            && self.values.bytes_of(*kind) == Some(b"module")
        {
            return *class;
        }
        let number = self.persistent.len() as u32;
        let items = self.values.items_of(pid).filter(|_| is_known).unwrap_or_default();
        self.persistent.push((pid, items.to_vec()));
        Token::Persistent(number)
    }

    /// Whether it is `("storage", class, key, location, numel)` or `("module", class, file, source)`.
    fn is_torch_storage(&self, pid: Token) -> bool {
        let Some([kind, class, rest @ ..]) = self.values.items_of(pid) else { return false };
        let is_torch = match self.judgement(*class) {
            Some((number, Decision::Allowed(_))) => {
                self.globals.get(number).is_some_and(|global| global.module.split('.').next() == Some("torch"))
            }
            _ => false,
        };
        let known = matches!(self.values.bytes_of(*kind), Some(b"storage" | b"module"));
        is_torch && known && rest.iter().all(|part| self.values.nature_of(*part) == Nature::DATA)
    }
}

/// A text, cut where it is long.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
