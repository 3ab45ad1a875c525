//! What happens to objects after they are made: states and items.

use super::Tracer;
use super::builder::is_dunder;
use crate::events::Action;
use crate::nature::Nature;
use crate::policy::{Check, Decision, ResultType, Use};
use crate::token::Token;
use crate::verdict::{Rule, Verdict};

impl Tracer<'_> {
    /// BUILD.
    pub(super) fn set_state(&mut self, target: Token, state: Token) {
        self.event(Action::State, target, None, |tracer| tracer.render_state(target, state));
        let Some(object) = self.values.object_of(target) else { return self.state_of_no_object(target) };
        let (class, twice) = (object.class, object.built);
        self.values.change_object(target, |object| object.built = true);
        let mut check = None;
        let mut vouched = false;
        match self.judgement(class) {
            Some((number, judgement)) => {
                self.used(number, "makes and sets the state of");
                if let Decision::Allowed(allowed) = judgement {
                    check = allowed.check;
                    vouched = allowed.vouched;
                    if !allowed.may(Use::State) {
                        let name = self.name_of(class);
                        self.find_use(class, format!("sets the state of what {name} made, which may have none"));
                    }
                }
            }
            None => self.suspect(Rule::State, "sets the state of an object of a class that cannot be known"),
        }
        let nature = self.values.nature_of(state);
        let is_lazy = matches!(self.result_type(class), Some(ResultType::Lazy | ResultType::Callable));
        let most = if is_lazy || vouched { Nature::STORED.with(Nature::LAZY) } else { Nature::STORED };
        // That of `functools.partial` has rules of its own.
        let is_partial = check == Some(Check::Partial);
        if !is_partial && !nature.is_within(most) {
            let message = format!("sets a state in which is {}", nature.describe());
            match nature.may_be(Nature::REACHING) {
                true => self.find(Verdict::Dangerous, Rule::State, None, message),
                false => self.suspect(Rule::State, message),
            }
        }
        if !is_partial {
            self.values.put_into(target, &[state]);
        }
        if !vouched {
            self.check_state_object(state);
        }
        // It may be shown or compared as a whole, in a warning about the version of the library.
        self.spend(u64::from(self.values.cost_of(state)) / 4);
        if self.names_internals {
            self.check_attributes(state);
        }
        match check {
            Some(check) => self.check_state(check, target, state),
            None => self.values.forget(state),
        }
        if twice {
            self.suspect(
                Rule::State,
                "sets the state of an object twice: the first may have put a function where the second calls it",
            );
        }
    }

    /// A state that is an object: its class looks up what it is to be in it, and a `defaultdict` makes what it lacks.
    fn check_state_object(&mut self, state: Token) {
        use ResultType::{Bytes, Data, Value};
        let is_plain = matches!(self.result_type(self.class_of(state)), Some(Data | Value | Bytes));
        if matches!(state, Token::Object(_)) && (!is_plain || self.values.nature_of(state).may_be(Nature::CALLABLE)) {
            self.suspect(Rule::State, format!("sets a state that is {}", self.name_of(state)));
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
        let Some(object) = self.values.object_of(target) else {
            let what = self.name_of(target);
            let opcode = self.opcode;
            return self.suspect(Rule::Items, format!("{opcode} puts items into {what}"));
        };
        let cost = self.values.put_into(target, items);
        self.values.add_cost(target, cost);
        match self.judgement(object.class) {
            Some((number, judgement)) => {
                self.used(number, "makes and puts items into");
                if let Decision::Allowed(allowed) = judgement
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
}
