//! The macro `value!`.

use super::super::arena::Arena;
use super::super::cell::Cell;
use super::super::value::Id;
use super::into_value::IntoKey;

/// What the macro needs besides the public methods: keys that are hashable by their type.
#[doc(hidden)]
pub mod macro_support {
    use super::*;

    /// The id of a key that was made from an [`IntoKey`].
    #[derive(Clone, Copy, Debug)]
    pub struct KeyId(Cell);

    pub const NONE: KeyId = KeyId(Cell::NONE);
    pub const EMPTY_TUPLE: KeyId = KeyId(Cell::EMPTY_TUPLE);

    pub fn key(arena: &mut Arena, key: impl IntoKey) -> KeyId {
        KeyId(key.into_value(arena).0)
    }

    pub fn dict<const N: usize>(arena: &mut Arena, rows: [(KeyId, Id); N]) -> Id {
        let rows: Vec<Cell> = rows.iter().flat_map(|(key, value)| [key.0, arena.checked(*value)]).collect();
        arena.new_dict_of_keys(&rows)
    }

    pub fn set<const N: usize>(arena: &mut Arena, members: [KeyId; N]) -> Id {
        arena.new_set_of_keys(&members.map(|member| member.0))
    }
}

/// Creates values from a literal in the style of Python or JSON.
///
/// `value!(TREE)` creates a [`Graph`](crate::Graph) with the value as its root; `value!(in GRAPH, TREE)` adds the value
/// to an existing graph and returns its [`Id`](crate::Id).
///
/// | tree | makes |
/// | --- | --- |
/// | `None`, `null`, `True`, `true`, `False`, `false` | `None`, `True`, `False` |
/// | `[a, b]` | a list |
/// | `(a, b)`, `(a,)`, `()` | a tuple; `(a)` is `a` |
/// | `{key: value}`, `{}` | a dict |
/// | `{a, b}` | a set |
/// | anything else | a Rust expression that is [`IntoValue`](crate::IntoValue), an [`Id`](crate::Id) for instance |
///
/// Keys and members are expressions that are [`IntoKey`](crate::IntoKey), or `None`, `True`, `False`. `GRAPH` is a
/// place expression such as a variable. It is evaluated for every value, so that expressions may read it. A literal of
/// more than about a hundred items needs a higher `recursion_limit`.
///
/// ```
/// use picklevm::value;
///
/// let name = "Alice";
/// let mut graph = value!({
///     "name": name,
///     "tags": ["a", 1 + 1, None],
///     "point": (1, 2.5),
///     (1, "b"): {True},
///     None: {},
/// });
/// assert_eq!(
///     format!("{:?}", graph.root()),
///     "{'name': 'Alice', 'tags': ['a', 2, None], 'point': (1, 2.5), (1, 'b'): {True}, None: {}}",
/// );
///
/// let shared = value!(in graph, [1, 2]);
/// let pair = value!(in graph, {"first": shared, "second": shared});
/// graph.set_root(pair);
/// assert!(graph.root().at("first").is(graph.root().at("second")));
/// ```
#[macro_export]
macro_rules! value {
    (in $graph:expr, $($tree:tt)+) => {
        $crate::__value!(@value $graph, $($tree)+)
    };
    ($($tree:tt)+) => {{
        let mut graph = $crate::Graph::new();
        let root = $crate::__value!(@value graph, $($tree)+);
        graph.set_root(root);
        graph
    }};
}

/// The rules of `value!`: the tokens of a list, tuple, dict or set are taken one by one.
#[doc(hidden)]
#[macro_export]
macro_rules! __value {
    // One value.
    (@value $graph:expr, None) => { $crate::__value!(@rust $graph, ()) };
    (@value $graph:expr, null) => { $crate::__value!(@rust $graph, ()) };
    (@value $graph:expr, True) => { $crate::__value!(@rust $graph, true) };
    (@value $graph:expr, False) => { $crate::__value!(@rust $graph, false) };
    (@value $graph:expr, [$($items:tt)*]) => { $crate::__value!(@items $graph, list [] $($items)*) };
    (@value $graph:expr, ()) => { $graph.tuple::<$crate::Id>([]) };
    (@value $graph:expr, ($($items:tt)+)) => { $crate::__value!(@paren $graph, [] $($items)+) };
    (@value $graph:expr, {}) => { $crate::__value!(@dict $graph, []) };
    (@value $graph:expr, {$($rows:tt)+}) => { $crate::__value!(@brace $graph, [] $($rows)+) };
    (@value $graph:expr, $value:expr) => { $crate::__value!(@rust $graph, $value) };

    // A Rust expression, which may read the graph before the value is made.
    (@rust $graph:expr, $value:expr) => {{
        let value = $value;
        $graph.add(value)
    }};

    // A comma distinguishes a tuple from a value in parentheses.
    (@paren $graph:expr, [$($before:tt)*] , $($after:tt)*) => {
        $crate::__value!(@items $graph, tuple [] $($before)* , $($after)*)
    };
    (@paren $graph:expr, [$($before:tt)*] $next:tt $($after:tt)*) => {
        $crate::__value!(@paren $graph, [$($before)* $next] $($after)*)
    };
    (@paren $graph:expr, [$($only:tt)*]) => { $crate::__value!(@value $graph, $($only)*) };

    // A colon before the first comma distinguishes a dict from a set.
    (@brace $graph:expr, [$($before:tt)*] : $($after:tt)*) => {
        $crate::__value!(@rows $graph, [] [] $($before)* : $($after)*)
    };
    (@brace $graph:expr, [$($before:tt)*] , $($after:tt)*) => {
        $crate::__value!(@members $graph, [] $($before)* , $($after)*)
    };
    (@brace $graph:expr, [$($before:tt)*] $next:tt $($after:tt)*) => {
        $crate::__value!(@brace $graph, [$($before)* $next] $($after)*)
    };
    (@brace $graph:expr, [$($only:tt)*]) => { $crate::__value!(@members $graph, [] $($only)*) };

    // Items of a list or tuple.
    (@items $graph:expr, $kind:ident [$($done:tt)*]) => {{
        let items = [$($done)*];
        $graph.$kind::<$crate::Id>(items)
    }};
    (@items $graph:expr, $kind:ident [$($done:tt)*] $item:tt , $($rest:tt)*) => {
        $crate::__value!(@items $graph, $kind [$($done)* $crate::__value!(@value $graph, $item),] $($rest)*)
    };
    (@items $graph:expr, $kind:ident [$($done:tt)*] $item:tt) => {
        $crate::__value!(@items $graph, $kind [$($done)* $crate::__value!(@value $graph, $item),])
    };
    (@items $graph:expr, $kind:ident [$($done:tt)*] $item:expr $(, $($rest:tt)*)?) => {
        $crate::__value!(@items $graph, $kind [$($done)* $crate::__value!(@rust $graph, $item),] $($($rest)*)?)
    };

    // Rows of a dict: a key up to its colon, then a value.
    (@rows $graph:expr, [$($done:tt)*] []) => { $crate::__value!(@dict $graph, [$($done)*]) };
    (@rows $graph:expr, [$($done:tt)*] [$($key:tt)+] : $value:tt , $($rest:tt)*) => {
        $crate::__value!(@rows $graph, [$($done)* [$($key)+] [@value $value]] [] $($rest)*)
    };
    (@rows $graph:expr, [$($done:tt)*] [$($key:tt)+] : $value:tt) => {
        $crate::__value!(@rows $graph, [$($done)* [$($key)+] [@value $value]] [])
    };
    (@rows $graph:expr, [$($done:tt)*] [$($key:tt)+] : $value:expr $(, $($rest:tt)*)?) => {
        $crate::__value!(@rows $graph, [$($done)* [$($key)+] [@rust $value]] [] $($($rest)*)?)
    };
    (@rows $graph:expr, [$($done:tt)*] [$($key:tt)*] $next:tt $($rest:tt)*) => {
        $crate::__value!(@rows $graph, [$($done)*] [$($key)* $next] $($rest)*)
    };
    (@dict $graph:expr, [$([$($key:tt)+] [@$how:ident $($value:tt)+])*]) => {{
        let rows = [$({
            let key = $crate::__value!(@key $graph, $($key)+);
            let value = $crate::__value!(@$how $graph, $($value)+);
            (key, value)
        }),*];
        $crate::macro_support::dict(&mut *$graph, rows)
    }};

    // Members of a set.
    (@members $graph:expr, [$($done:tt)*]) => {{
        let members = [$($done)*];
        $crate::macro_support::set(&mut *$graph, members)
    }};
    (@members $graph:expr, [$($done:tt)*] $member:tt $(, $($rest:tt)*)?) => {
        $crate::__value!(@members $graph, [$($done)* $crate::__value!(@key $graph, $member),] $($($rest)*)?)
    };
    (@members $graph:expr, [$($done:tt)*] $member:expr $(, $($rest:tt)*)?) => {
        $crate::__value!(@members $graph, [$($done)* $crate::__value!(@key $graph, $member),] $($($rest)*)?)
    };

    (@key $graph:expr, None) => { $crate::__value!(@key $graph, null) };
    (@key $graph:expr, null) => { $crate::macro_support::NONE };
    (@key $graph:expr, True) => { $crate::__value!(@key $graph, true) };
    (@key $graph:expr, False) => { $crate::__value!(@key $graph, false) };
    (@key $graph:expr, ()) => { $crate::macro_support::EMPTY_TUPLE };
    (@key $graph:expr, $key:expr) => {{
        let key = $key;
        $crate::macro_support::key(&mut *$graph, key)
    }};
}
