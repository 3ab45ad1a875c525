//! Calls, and what they lead to, held against the policy.

use super::Tracer;
use crate::events::Action;
use crate::policy::{Allowed, Decision, ResultType, Use};
use crate::shadow::Token;
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
        let Decision::Allowed(allowed) = judgement else {
            return self.made(callable, callable, how, args);
        };
        if !allowed.may_be(how) {
            let verb = if how == Use::Call { "calls" } else { "constructs" };
            self.find_use(callable, format!("{verb} {}, which may only be named", self.name_of(callable)));
        }
        // `__new__` is given what a call is given: `map.__new__` is a call of `map`.
        let class = match &allowed.args {
            Some(rules) => self.check_args(callable, rules, args),
            None => callable,
        };
        match (how, allowed.follows) {
            (Use::Call, Some(follows)) if follows != ResultType::Data => self.follow(callable, follows, args),
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
        match token {
            Token::Object(number) => self.values.objects.get(number as usize).map_or(Token::Unknown, |it| it.class),
            _ => Token::Unknown,
        }
    }

    /// Whether a value is plain data, made by opcodes or by a call that makes nothing else.
    pub(super) fn is_data(&self, token: Token) -> bool {
        token.is_data()
            || matches!(
                self.judgement(self.class_of(token)),
                Some((_, Decision::Allowed(Allowed { follows: Some(ResultType::Data | ResultType::Bytes), .. })))
            )
    }

    /// A call whose result is another name.
    fn follow(&mut self, callable: Token, follows: ResultType, args: Option<&[Token]>) -> Token {
        let first = args.and_then(|args| args.first()).copied().unwrap_or(Token::Unknown);
        let second = args.and_then(|args| args.get(1)).copied().unwrap_or(Token::Unknown);
        let text = |tracer: &Self, token| tracer.values.text_of(token).map(std::borrow::Cow::into_owned);
        match follows {
            ResultType::Data => self.made(callable, callable, Use::Call, args),
            ResultType::Bytes => self.encoded(callable, first, second, args),
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
        if matches!(judgement, Decision::Allowed(_)) && is_public && self.may_look_into(owner) {
            return self.made(callable, owner, Use::Call, args);
        }
        if attribute == "__new__" && !matches!(judgement, Decision::Dangerous(_)) {
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
            Some((number, Decision::Allowed(_))) => {
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
