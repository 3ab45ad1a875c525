//! What a policy asks of the arguments of a call.

use super::Tracer;
use crate::policy::{Arg, Decision, Kind, ResultType, Use};
use crate::shadow::Token;

impl Tracer<'_> {
    /// Holds arguments against the rules for them; returns the class of what the call makes.
    pub(super) fn check_args(&mut self, callable: Token, rules: &[Arg], args: Option<&[Token]>) -> Token {
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
            Some((_, Decision::Allowed(allowed))) => {
                matches!(allowed.follows, None | Some(ResultType::Data)) && allowed.otherwise.is_none()
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Whether a global makes what keeps something to call it later, and was found harmless when it did.
    fn stores(&self, token: Token) -> bool {
        let Some((_, Decision::Allowed(allowed))) = self.judgement(token) else { return false };
        matches!(allowed.args.as_deref(), Some([Arg::Kind(Kind::Stored), ..]))
    }

    /// Whether a global may be used so. What is not allowed at all has a finding of its own.
    fn is_allowed_to(&mut self, token: Token, how: Use) -> bool {
        match self.judgement(token) {
            Some((number, judgement)) => {
                self.used(number, if how == Use::Call { "calls" } else { "constructs" });
                match judgement {
                    Decision::Allowed(allowed) => allowed.may_be(how),
                    _ => true,
                }
            }
            None => false,
        }
    }

    /// Whether a function may be called by another one, with arguments that the scan does not know: whatever they are, the call is
    /// harmless, or ends in an error.
    fn may_be_handed_on(&self, function: Token) -> bool {
        let Some((_, Decision::Allowed(allowed))) = self.judgement(function) else { return true };
        let is_open = |rule: &Arg| {
            matches!(rule, Arg::OneOf { .. } | Arg::Kind(Kind::Data | Kind::Atom | Kind::Sized | Kind::Rest))
        };
        let leads_nowhere = matches!(allowed.follows, None | Some(ResultType::Data | ResultType::Bytes));
        leads_nowhere
            && allowed.otherwise.is_none()
            && allowed.args.as_ref().is_none_or(|rules| rules.iter().all(is_open))
    }
}
