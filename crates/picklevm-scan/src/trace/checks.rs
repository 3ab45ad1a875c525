//! What a policy leaves to code: states and arguments that a library turns into memory, code or work.

use super::Tracer;
use super::args::is_public;
use super::costs;
use crate::nature::Nature;
use crate::policy::{Arg, Check, Decision, Kind};
use crate::shadow::COSTLY;
use crate::token::Token;
use crate::verdict::Rule;

/// A sequence that is so long that going through it fills the memory.
const LONG: i64 = 1 << 20;

impl Tracer<'_> {
    /// The items of a container; asks for a second run if this one did not keep them.
    pub(crate) fn contents(&mut self, token: Token) -> Option<Vec<Token>> {
        let items = self.values.items_of(token).map(<[Token]>::to_vec);
        self.needs_all |= items.is_none() && !self.values.keeps_all;
        items
    }

    /// What a key of a dict has for a value; asks for a second run if this one did not keep it.
    pub(crate) fn entry(&mut self, dict: Token, key: &str) -> Option<Token> {
        self.needs_all |= self.values.items_of(dict).is_none() && !self.values.keeps_all;
        self.values.entry(dict, key)
    }

    /// A call of a name with a check, which made an object.
    pub(super) fn check_call(&mut self, check: Check, args: &[Token], object: Token) {
        match check {
            Check::Range => {
                let numbers = args.iter().map(|arg| if let Token::Int(n) = arg { Some(i64::from(*n)) } else { None });
                let len = match *numbers.collect::<Option<Vec<i64>>>().unwrap_or_default() {
                    [stop] => Some(stop),
                    [start, stop] => Some(stop - start),
                    [start, stop, step] if step != 0 => Some((stop - start) / step),
                    _ => None,
                };
                match len {
                    // Each of its numbers takes memory, where something keeps them.
                    Some(len) if len <= LONG => self.values.add_cost(object, u32::try_from(len * 8).unwrap_or(0)),
                    _ => self.values.put_nature(object, Nature::LAZY),
                }
            }
            Check::Iterator if !args.iter().all(|arg| self.is_own(*arg)) => {
                self.values.put_nature(object, Nature::LAZY);
            }
            Check::Partial => {
                let [function, rest @ ..] = args else { return };
                let name = rest.first().copied().unwrap_or(Token::None);
                let is_method = self.name_of(*function).ends_with("operator.methodcaller");
                if is_method && !rest.is_empty() && !self.is_argument(name, &Arg::Kind(Kind::Attribute)) {
                    self.suspect(Rule::Use, "makes a caller of a method whose name is none");
                }
                let (function, args) = (*function, self.values.tuple(rest));
                self.note_partial(object, function, args, None);
            }
            Check::Index => self.count_range_index(args, object),
            Check::Dtype => self.make_dtype(args, object),
            Check::Array if !args.is_empty() => {
                self.suspect(Rule::Use, "makes an array over memory that the pickle chooses");
            }
            Check::Reconstruct => self.check_reconstruct(args),
            Check::FromBuffer => self.check_from_buffer(args),
            Check::Scalar => self.check_scalar(args),
            Check::Tensor => self.check_tensor(args),
            Check::Arrow => self.check_arrow(args),
            Check::Wkb if !args.is_empty() => self.check_geometry(args[0]),
            Check::Expression => self.check_expression(args, object),
            Check::Keys | Check::Pairs => args.iter().for_each(|arg| self.count_parts(*arg, check == Check::Pairs)),
            Check::Union => self.check_union(args),
            _ => {}
        }
        if check != Check::Index && self.values.cost_of(object) > COSTLY {
            self.suspect(
                Rule::Limit,
                "makes an object of parts that share so much that going through it takes exponential time",
            );
        }
    }

    /// The state of an instance of a class with a check.
    pub(super) fn check_state(&mut self, check: Check, target: Token, state: Token) {
        match check {
            Check::Dtype => self.check_dtype_state(target, state),
            Check::Array | Check::Reconstruct => self.check_array_state(target, state),
            Check::Partial => {
                let items = self.values.items_of(state).unwrap_or_default().to_vec();
                let rule = match self.judgement(self.class_of(target)) {
                    Some((_, Decision::Allowed(allowed))) => allowed.args.as_ref().and_then(|args| args.first()),
                    _ => None,
                };
                let is_stored = rule.zip(items.first()).is_some_and(|(rule, first)| self.is_argument(*first, rule));
                match *items {
                    [function, args, kwargs, _] if is_stored => self.note_partial(target, function, args, Some(kwargs)),
                    _ => self.suspect(Rule::State, "sets the state of functools.partial to call something else"),
                }
            }
            Check::Distribution => self.check_distribution(state),
            Check::Formula => {
                for key in ["restore_design_info", "restore_model_spec"] {
                    if self.entry(state, key).is_some() {
                        self.suspect(
                            Rule::State,
                            format!("sets the state of a model with {key}: its formula is evaluated"),
                        );
                    }
                }
                self.expect_dict(state);
            }
            Check::BoosterText | Check::BoosterBytes => self.check_booster(check, state),
            Check::Image => self.check_image(state),
            Check::Companion => self.check_companion(target, state),
            Check::Wkb => self.check_geometry(state),
            Check::Uuid => self.note_hash(target, state),
            Check::Joblib => {
                self.needs_all |= !self.values.keeps_all;
                self.raw_after = (!self.plain).then_some(state);
                // It stands for the array: what objects that holds lies in another pickle.
                let dtype = self.entry(state, "dtype").and_then(|dtype| self.dtype_of(dtype));
                let holds_objects = dtype.is_none_or(|dtype| dtype.objects);
                let held = if holds_objects { Nature::OBJECT } else { Nature::DATA };
                self.values.put_nature(target, Nature::VALUE.with(held));
            }
            _ => {}
        }
    }

    /// What is joined is compared with all that was joined before; numbers and arrays are joined part by part.
    fn check_union(&mut self, args: &[Token]) {
        let [_, given] = args else { return };
        let parts = if given.is_container() { self.contents(*given).unwrap_or_default() } else { vec![*given] };
        let is_large = |part: &Token| self.values.nature_of(*part).may_be(Nature::VALUE.with(Nature::LONG));
        if parts.iter().any(is_large) {
            self.suspect(Rule::Limit, "joins values, which may be large, again and again");
        }
        self.spend(u64::from(self.values.cost_of(*given)).saturating_pow(2));
    }

    fn check_geometry(&mut self, wkb: Token) {
        if !self.values.bytes_of(wkb).is_some_and(is_whole_geometry) {
            self.suspect(Rule::Use, "reads a geometry that is longer or deeper than its bytes");
        }
    }

    /// joblib 0.9 and older: the name of a file in the same directory, of which it makes an array of a class, or of the type and
    /// shape that the state names.
    fn check_companion(&mut self, target: Token, state: Token) {
        let name = self.entry(state, "filename").and_then(|name| self.values.text_of(name));
        let name = name.filter(|name| !name.contains(['/', '\\', '\0', ':'])).map(|name| name.into_owned());
        let parts = self.entry(state, "init_args").and_then(|args| self.contents(args));
        let (class, dtype) = match parts.as_deref() {
            Some([class, _, _]) => {
                let state = self.entry(state, "state").and_then(|state| self.contents(state)).unwrap_or_default();
                let types: Vec<Token> = state.into_iter().filter(|part| self.dtype_of(*part).is_some()).collect();
                (Some(*class), if let [dtype] = *types { self.dtype_of(dtype) } else { None })
            }
            Some(_) => (None, None),
            None => (self.entry(state, "subclass"), None),
        };
        let is_numbers = dtype.is_some_and(|dtype| !dtype.objects);
        match name {
            Some(name) if class.is_some_and(|class| self.is_array_class(class)) && (parts.is_none() || is_numbers) => {
                self.companions.push(name);
                let held = if is_numbers { Nature::DATA } else { Nature::OBJECT };
                self.values.put_nature(target, Nature::VALUE.with(held));
            }
            _ => self.suspect(Rule::State, "has joblib make an array of a file or of a class that cannot be known"),
        }
    }

    /// `functools.partial` holds a function and arguments, until somebody calls it.
    fn note_partial(&mut self, object: Token, function: Token, args: Token, kwargs: Option<Token>) {
        let Token::Object(number) = object else { return };
        self.partials.insert(number, (function, args, kwargs));
        let parts =
            self.values.nature_of(args).with(kwargs.map_or(Nature::DATA, |kwargs| self.values.nature_of(kwargs)));
        if !parts.is_within(Nature::STORED) {
            self.suspect(Rule::State, format!("keeps {} as an argument for a call", parts.describe()));
        }
        // `partial(Class.__new__, Class, …)` makes an instance when it is called; nothing else may be given it.
        let is_constructor = matches!(function, Token::Object(of) if self.constructors.contains_key(&of));
        let own = if is_constructor { Nature::CALLABLE.with(Nature::REACHING) } else { Nature::CALLABLE };
        self.values.put_nature(object, own.with(parts.held()));
    }

    fn expect_dict(&mut self, state: Token) {
        if !matches!(state, Token::Dict(_)) {
            let what = self.name_of(state);
            self.suspect(Rule::State, format!("sets a state that should be a dict and is {what}"));
        }
    }

    /// SciPy executes the text `_parse_arg_template` of the state.
    fn check_distribution(&mut self, state: Token) {
        self.expect_dict(state);
        let template = self.entry(state, "_parse_arg_template");
        let is_known = match template {
            None => true,
            Some(text) => self.values.text_of(text).is_some_and(|text| is_argument_template(&text)),
        };
        if !is_known {
            self.suspect(Rule::State, "sets the state of a distribution with a text that SciPy executes as code");
        }
        // Methods that it calls at once.
        for name in ["_attach_methods", "_attach_argparser_methods", "_updated_ctor_param", "_construct_argparser"] {
            if self.entry(state, name).is_some() {
                self.suspect(Rule::State, format!("sets {name} of a distribution, which SciPy calls"));
            }
        }
    }

    /// The handle of a booster is what it is read from, and afterwards a pointer that is freed.
    fn check_booster(&mut self, check: Check, state: Token) {
        self.expect_dict(state);
        let keys = ["handle", "_handle"];
        for handle in keys.map(|key| self.entry(state, key)).into_iter().flatten() {
            let fits = match handle {
                Token::None => true,
                Token::Text(_) => check == Check::BoosterText,
                Token::Bytes(_) => check == Check::BoosterBytes,
                Token::Object(_) => {
                    check == Check::BoosterBytes && self.name_of(self.class_of(handle)) == "builtins.bytearray"
                }
                _ => false,
            };
            if !fits {
                self.suspect(Rule::State, "sets the handle of a booster, a pointer that is used and freed");
            }
        }
        if check == Check::BoosterBytes && self.entry(state, "handle").is_none() {
            self.suspect(Rule::State, "sets the state of a booster without a handle");
        }
    }

    /// `[info, mode, (width, height), palette, data]`.
    fn check_image(&mut self, state: Token) {
        const PIXELS: u64 = 1 << 16;
        let items = self.contents(state).unwrap_or_default();
        let fits = match *items {
            [_, mode, size, _, data, ..] => {
                let len = self.values.bytes_of(data).map_or(0, <[u8]>::len) as u64;
                let is_mode = self.values.bytes_of(mode).is_some_and(|mode| mode.len() <= 8);
                // The fewest bits of a pixel is one.
                is_mode && self.product(size).is_some_and(|pixels| pixels <= len.saturating_mul(8).max(PIXELS))
            }
            _ => false,
        };
        if !fits {
            self.suspect(Rule::State, "sets the state of an image that is larger than its data");
        }
    }

    /// `(storage, offset, size, stride, …)`: PyTorch would make a storage that is too short longer.
    fn check_tensor(&mut self, args: &[Token]) {
        let &[storage, offset, size, stride, ..] = args else { return };
        let Token::Persistent(pid) = storage else { return };
        let numel = match self.persistent.get(pid as usize).map(|(_, items)| &**items) {
            Some(&[_, _, _, _, Token::Int(numel), ..]) => i64::from(numel),
            // A number of more than 31 bits is not kept: no tensor is known to lie within so much.
            Some([_, _, _, _, _, ..]) => 0,
            _ => return,
        };
        let number = |token: &Token| match token {
            Token::Int(n) if *n >= 0 => Some(i64::from(*n)),
            _ => None,
        };
        let all =
            |token| self.values.items_of(token).and_then(|items| items.iter().map(number).collect::<Option<Vec<_>>>());
        let fits = match (number(&offset), all(size), all(stride)) {
            (Some(_), Some(size), _) if size.contains(&0) => true,
            (Some(offset), Some(size), Some(stride)) if size.len() == stride.len() => {
                let last = size
                    .iter()
                    .zip(&stride)
                    .try_fold(offset, |at, (size, stride)| at.checked_add((size - 1).checked_mul(*stride)?));
                last.is_some_and(|last| last < numel)
            }
            _ => false,
        };
        if !fits {
            self.suspect(Rule::Use, "makes a tensor that reaches beyond its storage");
        }
    }

    /// `_new_Index(RangeIndex, {"start": …, "stop": …, "step": …})` is as long as it says, and made of nothing.
    fn count_range_index(&mut self, args: &[Token], object: Token) {
        let &[class, parts, ..] = args else { return };
        if !self.name_of(class).ends_with("RangeIndex") {
            return;
        }
        let mut number = |key| match self.entry(parts, key) {
            Some(Token::Int(n)) => Some(i64::from(n)),
            _ => None,
        };
        let len = match (number("start"), number("stop"), number("step")) {
            (Some(start), Some(stop), Some(step)) if step != 0 => ((stop - start) / step).max(0),
            _ => i64::MAX,
        };
        self.values.add_cost(object, u32::try_from(len.saturating_mul(8)).unwrap_or(u32::MAX));
    }

    /// The storages of PyTorch that a pickle names: the key of each, and the bytes that it claims at least.
    pub(crate) fn storages(&self) -> Vec<(String, u64)> {
        let storage = |(_, items): &(Token, Vec<Token>)| {
            let &[_, class, key, _, numel, ..] = &**items else { return None };
            // A number of more than 31 bits is not kept: no member is known to hold so much.
            let numel = if let Token::Int(numel) = numel { u64::try_from(numel).ok() } else { None };
            let name = self.name_of(class);
            let size = match name.rsplit('.').next()? {
                "DoubleStorage" | "LongStorage" | "ComplexFloatStorage" => 8,
                "FloatStorage" | "IntStorage" | "QInt32Storage" => 4,
                "HalfStorage" | "ShortStorage" | "BFloat16Storage" => 2,
                "ComplexDoubleStorage" => 16,
                _ => 1,
            };
            let key = self.values.text_of(key)?.into_owned();
            Some((key, numel.unwrap_or(u64::MAX).saturating_mul(size)))
        };
        self.persistent.iter().filter_map(storage).collect()
    }

    /// An expression of SymPy, which computes what is made of numbers: its cost is about the digits that come out.
    fn check_expression(&mut self, args: &[Token], object: Token) {
        const EXPENSIVE: u32 = 1 << 16;
        self.needs_all |= !self.values.keeps_all;
        if let [base, exponent] = *args
            && self.name_of(self.class_of(object)) == "sympy.core.power.Pow"
        {
            let exponent = match self.values.object_of(exponent) {
                Some(it) if self.name_of(it.class).starts_with("sympy.core.numbers.") => {
                    let parts = self.values.items_of(it.args).unwrap_or_default();
                    parts.iter().map(|part| magnitude(*part)).max().unwrap_or(1)
                }
                Some(_) => 1,
                None => magnitude(exponent),
            };
            let cost = self.values.cost_of(base).saturating_mul(exponent.max(1));
            self.values.change_object(object, |object| object.cost = object.cost.max(cost));
        }
        // A number in text, which has an exponent.
        let is_text = |arg: &&Token| matches!(arg, Token::Text(_) | Token::Bytes(_));
        let is_long = args.contains(&Token::LongInt)
            || args.iter().find(is_text).is_some_and(|arg| !costs::is_rational(&self.values, *arg));
        if is_long || self.values.cost_of(object) > EXPENSIVE {
            self.suspect(Rule::Limit, "makes an expression of numbers that SymPy may not finish computing");
        }
    }
}

/// How great a number is.
fn magnitude(token: Token) -> u32 {
    match token {
        Token::Int(n) => n.unsigned_abs(),
        Token::None | Token::Bool(_) => 1,
        _ => u32::MAX,
    }
}

/// Whether a text is what SciPy makes of the names of a distribution's arguments, and nothing more.
fn is_argument_template(text: &str) -> bool {
    let Some((_, shapes)) = text.split_once("return (") else { return false };
    let Some((shapes, _)) = shapes.split_once(')') else { return false };
    let names: Vec<&str> = shapes.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let is_name =
        |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && is_public(name);
    if !names.iter().all(is_name) {
        return false;
    }
    let given = |separator: &str| names.iter().map(|name| format!("{name}{separator}")).collect::<String>();
    let returned = match &names[..] {
        [] => String::new(),
        [name] => format!("{name},"),
        names => names.join(","),
    };
    // SciPy writes a comma behind each name.
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    [("loc=0,scale=1", "loc,scale"), ("loc=0", "loc,1")].iter().any(|(named, out)| {
        let arguments = given(",");
        [&returned, &arguments].iter().any(|returned| {
            let expected = format!(
                "def _parse_args(self,{arguments}{named}):return({returned}),{out} \
                 def _parse_args_rvs(self,{arguments}{named},size=None):return self._argcheck_rvs({arguments}{out},size=size) \
                 def _parse_args_stats(self,{arguments}{named},moments='mv'):return({returned}),{out},moments"
            );
            squeeze(text) == squeeze(&expected)
        })
    })
}

/// Whether well-known binary of a geometry has all the points it claims, and is not deep.
fn is_whole_geometry(bytes: &[u8]) -> bool {
    const DEEP: usize = 16;
    // How many geometries are still to come on each level.
    let mut levels: Vec<u32> = vec![1];
    let mut rest = bytes;
    while let Some(left) = levels.last_mut() {
        let Some(less) = left.checked_sub(1) else {
            levels.pop();
            continue;
        };
        *left = less;
        let Some((&[order, kind @ ..], after)) = rest.split_first_chunk::<5>() else { return false };
        let number = |bytes: [u8; 4]| if order == 1 { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        let kind = number(kind);
        rest = after;
        if kind & 0x2000_0000 != 0 {
            let Some(after) = rest.get(4..) else { return false };
            rest = after;
        }
        let base = kind & 0x0fff_ffff;
        let more = (kind >> 31)
            + (kind >> 30 & 1)
            + match base / 1000 {
                0 => 0,
                3 => 2,
                _ => 1,
            };
        let point = 16 + 8 * more as usize;
        let mut count = || {
            let (bytes, after) = rest.split_first_chunk::<4>()?;
            rest = after;
            Some(number(*bytes))
        };
        let rings = match base % 1000 {
            1 => None,
            2 => Some(1),
            3 => match count() {
                Some(rings) => Some(rings),
                None => return false,
            },
            4..=7 => {
                let Some(inner) = count().filter(|_| levels.len() < DEEP) else { return false };
                levels.push(inner);
                continue;
            }
            _ => return false,
        };
        let Some(rings) = rings else {
            let Some(after) = rest.get(point..) else { return false };
            rest = after;
            continue;
        };
        for _ in 0..rings {
            let Some((bytes, after)) = rest.split_first_chunk::<4>() else { return false };
            let len = (number(*bytes) as usize).checked_mul(point);
            let Some(after) = len.and_then(|len| after.get(len..)) else { return false };
            rest = after;
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{is_argument_template, is_whole_geometry};

    #[test]
    fn a_template_of_scipy_is_known_and_no_other() {
        let template = |names: &str, returned: &str| {
            format!(
                "\ndef _parse_args(self, {names} loc=0, scale=1):\n    return ({returned}), loc, scale\n\n\
                 def _parse_args_rvs(self, {names} loc=0, scale=1, size=None):\n    \
                 return self._argcheck_rvs({names} loc, scale, size=size)\n\n\
                 def _parse_args_stats(self, {names} loc=0, scale=1, moments='mv'):\n    \
                 return ({returned}), loc, scale, moments\n"
            )
        };
        assert!(is_argument_template(&template("", "")));
        assert!(is_argument_template(&template("a,", "a,")));
        assert!(is_argument_template(&template("a, b,", "a, b")));
        for (names, returned) in [("a=print(),", "a"), ("a,", "print(a)"), ("a,", "a, b"), ("__class__,", "__class__,")]
        {
            assert!(!is_argument_template(&template(names, returned)), "{names} {returned}");
        }
        assert!(!is_argument_template("import os"));
        assert!(!is_argument_template(&(template("", "") + "print()")));
    }

    #[test]
    fn a_geometry_has_the_points_that_it_claims() {
        let point = b"\x01\x01\0\0\0\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@";
        assert!(is_whole_geometry(point));
        assert!(!is_whole_geometry(&point[..20]));
        assert!(is_whole_geometry(&[&b"\x01\x07\0\0\0\x02\0\0\0"[..], point, point].concat()));
        assert!(!is_whole_geometry(b"\x01\x02\0\0\0\xff\xff\xff\xff"));
        assert!(!is_whole_geometry(&b"\x01\x07\0\0\0\x01\0\0\0".repeat(50)));
    }
}
