//! What a policy asks of the arguments of a call: each is held against its rule by its nature, whichever way it comes.

use super::Tracer;
use super::costs;
use crate::nature::Nature;
use crate::policy::{Allowed, Arg, Decision, Kind, ResultType, Use};
use crate::token::Token;
use crate::verdict::{Rule, Verdict};

impl Tracer<'_> {
    /// Holds arguments against the rules for them; returns the class of what the call makes.
    pub(super) fn check_args(&mut self, callable: Token, allowed: &Allowed, args: Option<&[Token]>) -> Token {
        let Some(args) = args else {
            let name = self.name_of(callable);
            self.find_use(callable, format!("calls {name} with arguments that cannot be known"));
            return Token::Unknown;
        };
        if allowed.vouched {
            for arg in args {
                if !self.may_be_given(*arg) {
                    self.refuse(callable, *arg);
                }
            }
            return callable;
        }
        // What no rule describes is data: a call may use methods of whatever else it is given.
        const DATA: Arg = Arg::Kind(Kind::Data);
        let rules = allowed.args.as_deref().unwrap_or_default();
        let (rules, rest) = match rules.split_last() {
            Some((Arg::Kind(Kind::Rest), rules)) => (rules, Some(&Arg::Kind(Kind::Any))),
            Some((Arg::Rest { rest }, rules)) => (rules, Some(&**rest)),
            // What is only constructed is given nothing, unless a rule says so.
            _ if allowed.args.is_none() && allowed.may(Use::Call) => (rules, Some(&DATA)),
            _ => (rules, None),
        };
        if args.len() > rules.len() && rest.is_none() {
            self.find_use(callable, format!("calls {} with {} arguments", self.name_of(callable), args.len()));
        }
        let mut class = None;
        for (i, &arg) in args.iter().enumerate() {
            let Some(rule) = rules.get(i).or(rest) else { break };
            let takes_class = match rule {
                Arg::Either { either } => either.contains(&Arg::Kind(Kind::Class)),
                rule => *rule == Arg::Kind(Kind::Class),
            };
            if takes_class {
                class.get_or_insert(arg);
            }
            if !self.is_argument(arg, rule) {
                self.refuse(callable, arg);
            }
        }
        class.unwrap_or(callable)
    }

    /// An argument is not what the rule for it asks for.
    fn refuse(&mut self, callable: Token, arg: Token) {
        let (name, what, nature) = (self.name_of(callable), self.name_of(arg), self.values.nature_of(arg));
        let inside = match arg {
            _ if arg.is_container() && nature != Nature::DATA => format!(", in which is {}", nature.describe()),
            _ => String::new(),
        };
        let message = format!("calls {name} on {what}{inside}");
        if nature.may_be(Nature::REACHING) {
            self.find(Verdict::Dangerous, Rule::Use, Some(name), message);
        } else {
            self.find_use(callable, message);
        }
    }

    /// Arguments that are given by keyword, to what takes more: what the rule for more says, plain data without one.
    pub(super) fn check_keywords(&mut self, callable: Token, allowed: &Allowed, kwargs: Token) {
        if self.values.len_of(kwargs) == Some(0) {
            return;
        }
        if allowed.vouched {
            if !self.may_be_given(kwargs) {
                self.refuse(callable, kwargs);
            }
            return;
        }
        const DATA: Arg = Arg::Kind(Kind::Data);
        let rule = match allowed.args.as_deref().map(<[Arg]>::last) {
            None if allowed.may(Use::Call) => Some(&DATA),
            Some(Some(Arg::Kind(Kind::Rest))) => Some(&DATA),
            Some(Some(Arg::Rest { rest })) => Some(&**rest),
            _ => None,
        };
        let values: Vec<Token> = self.contents(kwargs).unwrap_or_default().into_iter().skip(1).step_by(2).collect();
        let fits = match rule {
            Some(rule) => values.iter().all(|value| self.is_argument(*value, rule)),
            None => false,
        };
        if !fits || !self.values.nature_of(kwargs).is_within(Nature::VALUE) {
            self.refuse(callable, kwargs);
        }
        self.count_work(&values);
    }

    /// Whether an argument is what a rule asks for.
    pub(super) fn is_argument(&mut self, arg: Token, rule: &Arg) -> bool {
        let kind = match rule {
            Arg::OneOf { one_of } => {
                let text = match arg {
                    Token::Object(number) if self.constructors.contains_key(&number) => Some("__new__".into()),
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
            Arg::Rest { rest } => return self.is_argument(arg, rest),
            Arg::Made { made } => return self.is_made_in(arg, made),
            Arg::Kind(kind) => *kind,
        };
        let nature = self.values.nature_of(arg);
        match kind {
            Kind::Any | Kind::Rest => nature.is_within(Nature::INERT),
            Kind::Data => nature.is_within(Nature::VALUE),
            Kind::Atom => arg.is_atom() && arg != Token::LongInt,
            Kind::Count => costs::is_count(arg),
            Kind::Label => costs::is_label(&self.values, arg),
            Kind::Factory => self.is_factory(arg),
            Kind::Number => costs::is_number(&self.values, arg),
            Kind::Rational => costs::is_rational(&self.values, arg),
            Kind::Pattern => {
                let cost = costs::pattern_cost(&self.values, arg);
                cost.is_some_and(|cost| self.spend(cost))
            }
            Kind::Attribute => self.values.text_of(arg).is_some_and(|name| is_public(&name)),
            Kind::Sized => {
                let is_string = matches!(arg, Token::Text(_) | Token::Bytes(_) | Token::Buffer);
                is_string || nature.is_within(Nature::VALUE) && (arg.is_container() || self.is_container(arg))
            }
            Kind::Items => nature.is_within(Nature::STORED) && self.is_own(arg),
            Kind::Pairs => {
                let all_own = |tracer: &mut Self| {
                    let parts = tracer.contents(arg).unwrap_or_default();
                    parts
                        .iter()
                        .all(|part| part.is_container() || tracer.values.nature_of(*part).is_within(Nature::VALUE))
                };
                nature.is_within(Nature::VALUE)
                    || nature.is_within(Nature::STORED)
                        && (matches!(arg, Token::Dict(_)) || arg.is_container() && all_own(self))
                    || self.result_type(self.class_of(arg)) == Some(ResultType::Data) && self.is_mapping(arg)
            }
            Kind::Fields => {
                let is_field = |tracer: &Self, part: Token| {
                    let nature = tracer.values.nature_of(part);
                    let is_known = !part.is_container() && tracer.is_own(part) || tracer.is_nameable(part);
                    nature.is_within(Nature::VALUE) || nature.is_within(Nature::STORED) && is_known
                };
                nature.is_within(Nature::VALUE)
                    || arg.is_container() && {
                        let parts = self.contents(arg).unwrap_or_default();
                        parts.iter().all(|part| is_field(self, *part))
                    }
            }
            Kind::Name => self.is_nameable(arg),
            Kind::Stored => nature.is_within(Nature::STORED) && self.is_storable(arg),
            Kind::Lazy => nature.is_within(Nature::STORED.with(Nature::LAZY)) && self.is_storable(arg),
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

    /// Whether going through a value runs no code but that of Python's own types and of values.
    pub(super) fn is_own(&self, token: Token) -> bool {
        use ResultType::{Bytes, Data, Value};
        token.is_atom()
            || token.is_container()
            || matches!(self.result_type(self.class_of(token)), Some(Data | Value | Bytes))
    }

    /// Whether something makes the values that a `defaultdict` lacks, as soon as one is looked up: a name, or
    /// `functools.partial` of a function on arguments that it may be called on.
    fn is_factory(&mut self, token: Token) -> bool {
        let Token::Object(number) = token else { return token == Token::None || self.is_nameable(token) };
        let Some(&(function, args, kwargs)) = self.partials.get(&number) else { return false };
        let Some((_, Decision::Allowed(allowed))) = self.judgement(function) else { return false };
        let has_keywords = kwargs.is_some_and(|kwargs| self.values.len_of(kwargs) != Some(0));
        let args = self.contents(args);
        // The factory of a factory, as in `partial(defaultdict, int)`.
        let is_inner = allowed.args.as_deref().and_then(<[Arg]>::first) == Some(&Arg::Kind(Kind::Factory));
        if is_inner {
            let inner = args.unwrap_or_default();
            return !has_keywords
                && inner.len() <= 1
                && inner.iter().all(|it| *it == Token::None || self.is_nameable(*it));
        }
        if !has_keywords && allowed.may_be(Use::Call) && !leads_on(allowed) {
            self.check_args(function, allowed, args.as_deref());
            return true;
        }
        false
    }

    /// Whether an object is a mapping of Python's own.
    pub(super) fn is_mapping(&self, token: Token) -> bool {
        let name = self.name_of(self.class_of(token));
        let names = ["builtins.dict", "collections.OrderedDict", "collections.Counter", "collections.UserDict"];
        names.contains(&&*name) && self.values.nature_of(token).is_within(Nature::STORED)
    }

    /// Whether a value is what a call made that makes containers of data.
    fn is_container(&self, token: Token) -> bool {
        matches!(self.result_type(self.class_of(token)), Some(ResultType::Data | ResultType::Bytes))
    }

    /// What the policy knows of what a global makes.
    pub(super) fn result_type(&self, class: Token) -> Option<ResultType> {
        match self.judgement(class)?.1 {
            Decision::Allowed(allowed) => allowed.follows,
            _ => None,
        }
    }

    /// Whether an argument is a small number, or an object that a name of one of these packages made.
    fn is_made_in(&self, arg: Token, packages: &[String]) -> bool {
        if let Token::Tuple(_) = arg
            && let Some(parts) = self.values.items_of(arg)
        {
            // One level deep, as the bounds of an integral.
            return parts.iter().all(|part| !part.is_container() && self.is_made_in(*part, packages));
        }
        let Token::Global(number) = self.class_of(arg) else { return matches!(arg, Token::Int(_) | Token::Number(_)) };
        let module = self.globals.get(number).map_or("", |global| &global.module);
        packages.iter().any(|package| module.split('.').next() == Some(package))
            && self.values.nature_of(arg).is_within(Nature::INERT)
    }

    /// Whether a value may be given to what somebody vouches for: anything but what reaches further, or is not known.
    fn may_be_given(&self, arg: Token) -> bool {
        self.values.nature_of(arg).is_within(Nature::STORED.with(Nature::LAZY)) && self.is_storable(arg)
    }

    fn is_storable(&self, token: Token) -> bool {
        !matches!(token, Token::Global(_)) || self.is_nameable(token)
    }

    /// Whether a global may be named and leads to no other. What is not allowed at all has a finding of its own.
    fn is_nameable(&self, token: Token) -> bool {
        match self.judgement(token) {
            Some((_, Decision::Allowed(allowed))) => !leads_on(allowed),
            Some(_) => true,
            None => false,
        }
    }

    /// Whether a global may be used so. What is not allowed at all has a finding of its own.
    fn is_allowed_to(&mut self, token: Token, how: Use) -> bool {
        match self.judgement(token) {
            Some((number, judgement)) => {
                self.used(number, if how == Use::Call { "calls" } else { "constructs" });
                match judgement {
                    Decision::Allowed(allowed) => {
                        // What waits to be called has arguments that are looked at.
                        let waits = allowed.follows == Some(ResultType::Callable);
                        allowed.may_be(how) && !(waits && how == Use::Construct)
                    }
                    _ => true,
                }
            }
            None => false,
        }
    }

    /// Whether a function may be called by another one, with arguments that the scan does not know: whatever they are, the
    /// call is harmless, or ends in an error.
    fn may_be_handed_on(&self, function: Token) -> bool {
        let Some((_, Decision::Allowed(allowed))) = self.judgement(function) else { return true };
        let is_open = |rule: &Arg| {
            let kinds = matches!(
                rule,
                Arg::Kind(Kind::Data | Kind::Atom | Kind::Number | Kind::Items | Kind::Sized | Kind::Rest)
            );
            kinds || matches!(rule, Arg::OneOf { .. })
        };
        !leads_on(allowed) && allowed.args.as_ref().is_none_or(|rules| rules.iter().all(is_open))
    }
}

/// Whether a call of a name leads to what the pickle chooses.
pub(super) fn leads_on(allowed: &Allowed) -> bool {
    use ResultType::{Apply, Attribute, Module, Names, New, NewEx, Reconstructor};
    let follows = matches!(allowed.follows, Some(Attribute | Names | Module | New | NewEx | Reconstructor | Apply));
    follows || allowed.otherwise.is_some()
}

/// Whether an attribute is one of the data and methods of an object: no name that Python keeps to itself, and none by which
/// frames, code and modules are reached.
pub(super) fn is_public(name: &str) -> bool {
    const INTERNAL: [&str; 9] = ["gi_", "cr_", "ag_", "f_", "tb_", "co_", "func_", "im_", "format"];
    const MODULES: [&str; 9] =
        ["os", "sys", "builtins", "subprocess", "importlib", "ctypes", "mro", "modules", "load_module"];
    let is_public = |part: &str| {
        let is_name = part.starts_with(char::is_alphabetic) && part.chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name && !INTERNAL.iter().any(|prefix| part.starts_with(prefix)) && !MODULES.contains(&part)
    };
    name.len() < 256 && name.split('.').all(is_public)
}
