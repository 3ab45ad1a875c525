//! Resolvers: globals, persistent ids and extension codes.

use picklevm::{
    Class, Deny, Error, ErrorKind, Extensions, Kind, Registry, Resolver, Standard, Symbolic, Unpickler,
    persistent_resolver,
};

use super::vectors::vectors;

fn load(resolver: impl Resolver + 'static, pickle: &[u8]) -> Result<String, String> {
    let graph = Unpickler::new().resolver(resolver).loads(pickle);
    graph.map(|graph| format!("{:?}", graph.root())).map_err(|error| error.to_string())
}

#[test]
fn symbolic_resolves_nothing() {
    assert_eq!(load(Symbolic, b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.").unwrap(), "os.system('ls')");
    assert_eq!(load(Symbolic, b"K\x07Q.").unwrap(), "persistent(7)");
    assert_eq!(load(Symbolic, b"\x80\x02\x82\x07.").unwrap(), "extension(7)");
}

#[test]
fn deny_rejects_every_global_by_name() {
    for pickle in [&b"cos\nsystem\n."[..], b"\x80\x04\x8c\x02os\x8c\x06system\x93.", b"(ios\nsystem\n."] {
        let error = load(Deny, pickle).unwrap_err();
        assert!(error.ends_with("expected a global that a resolver accepts, found os.system"), "{error}");
    }
    assert!(load(Deny, b"K\x07Q.").is_ok());
}

#[test]
fn deny_rejects_the_global_of_an_extension_code() {
    let extensions = Extensions::new().add("os.system", 7).unwrap();
    let error = load(Deny.or(extensions), b"\x80\x02\x82\x07.").unwrap_err();
    assert_eq!(error, "offset 2: EXT1: expected a global that a resolver accepts, found os.system");
}

#[test]
fn an_allowlist_has_names_and_modules() {
    let list = || Symbolic.allow_only(["builtins.complex", "datetime.*", "shapes:Point.Builder"]);
    assert!(load(list(), b"c__builtin__\ncomplex\n.").is_ok());
    assert!(load(list(), b"cdatetime\ndate\n.").is_ok());
    assert!(load(list(), b"\x80\x04\x8c\x06shapes\x8c\rPoint.Builder\x93.").is_ok());
    assert!(load(list(), b"cshapes\nPoint\n.").is_err());
    assert!(load(list(), b"c__builtin__\neval\n.").is_err());
}

#[test]
fn a_module_of_an_allowlist_does_not_allow_dotted_names() {
    let error =
        load(Symbolic.allow_only(["datetime.*"]), b"\x80\x04\x8c\x08datetime\x8c\x08sys.path\x93.").unwrap_err();
    assert_eq!(error, "offset 22: STACK_GLOBAL: expected a global on the allowlist, found datetime.sys.path");
}

#[test]
fn the_next_resolver_is_called_for_names_that_the_first_does_not_resolve() {
    let mut registry = Registry::new();
    registry
        .function("app.first", |call| call.args().get(0).map(|first| first.id()).ok_or_else(|| Error::other("none")));
    let resolver = registry.or(Standard).or(Deny);
    let resolver = std::sync::Arc::new(resolver);
    assert_eq!(load(resolver.clone(), b"\x80\x02capp\nfirst\nK\x05\x85R.").unwrap(), "5");
    assert_eq!(load(resolver.clone(), b"\x80\x02c__builtin__\nset\n]K\x01a\x85R.").unwrap(), "{1}");
    assert!(load(resolver, b"capp\nlast\n.").is_err());
}

#[test]
fn a_function_receives_arguments_of_any_kind_and_may_return_none() {
    let mut registry = Registry::new();
    registry.function("operator.getitem", |call| {
        let [of, key] = call.args_array()?;
        Ok(of.get(key).map(|item| item.id()))
    });
    let found = load(registry.clone(), b"\x80\x02coperator\ngetitem\nK\x01K\x02\x86K\x01\x86R.").unwrap();
    assert_eq!(found, "2");
    let symbolic = load(registry, b"\x80\x02coperator\ngetitem\nK\x01K\x02\x86K\x09\x86R.").unwrap();
    assert_eq!(symbolic, "operator.getitem((1, 2), 9)");
}

#[test]
fn a_global_can_be_called_later_with_symbolic_instances() {
    let mut registry = Registry::new();
    registry.function("app.name_of", |call| {
        let [instance] = call.args_array()?;
        let name = instance.as_object().and_then(|object| object.attr("name")).map(|name| name.id());
        name.ok_or_else(|| Error::other("an instance without a name"))
    });
    let pickle = b"\x80\x02capp\nname_of\nq\0capp\nUser\n)\x81}X\x04\0\0\0nameX\x03\0\0\0Annsb0h\0capp\nUser\n)\x81}\
        X\x04\0\0\0nameX\x03\0\0\0Bobsb\x85R.";
    assert_eq!(load(registry, pickle).unwrap(), "'Bob'");
}

#[test]
fn errors_of_a_function_name_it_and_the_offset() {
    let mut registry = Registry::new();
    registry.function("decimal.Decimal", |call| {
        let [_] = call.args_array()?;
        Err::<picklevm::Id, _>(Error::other("no digits"))
    });
    assert_eq!(
        load(registry.clone(), b"\x80\x02cdecimal\nDecimal\nX\x01\0\0\0x\x85R.").unwrap_err(),
        "offset 26: REDUCE: decimal.Decimal: no digits"
    );
    assert_eq!(
        load(registry, b"\x80\x02cdecimal\nDecimal\n)R.").unwrap_err(),
        "offset 20: REDUCE: decimal.Decimal: expected 1 argument, found 0"
    );
}

#[test]
fn persistent_ids_of_any_kind_are_resolved_at_every_protocol() {
    for vector in vectors("persid-") {
        let resolver = persistent_resolver(|arena, pid| {
            let pid = arena.value(pid);
            let first = pid.items().next().unwrap_or(pid);
            match first.as_str() {
                Some("row" | "row:7") => Ok(pid.id()),
                _ => Err(Error::other(format!("no row is called {pid:?}"))),
            }
        });
        let graph = Unpickler::new().resolver(resolver).loads(&vector.pickle).unwrap();
        let [_, row, dict] = graph.root().items().as_array().unwrap();
        assert_eq!(row, dict.get("again").unwrap(), "{}", vector.name);
        assert!(!matches!(row.kind(), Kind::Persistent(_)), "{}", vector.name);
    }
}

#[test]
fn persistent_ids_stay_references_without_a_resolver() {
    for vector in vectors("persid-") {
        let graph = picklevm::loads(&vector.pickle).unwrap();
        assert!(matches!(graph.root().items().nth(1).unwrap().kind(), Kind::Persistent(_)), "{}", vector.name);
    }
}

#[test]
fn extension_codes_of_each_width_become_their_global() {
    for vector in vectors("extension-") {
        let code = i32::from_str_radix(vector.name.split('-').nth(1).unwrap(), 16).unwrap();
        let extensions = Extensions::new().add("geometry.Point", code).unwrap();
        let graph = Unpickler::new().resolver(extensions).loads(&vector.pickle).unwrap();
        let [class, point] = graph.root().items().as_array().unwrap();
        assert_eq!(class.as_global().unwrap().to_string(), "geometry.Point", "{}", vector.name);
        assert_eq!(point.as_object().unwrap().class(), class, "{}", vector.name);
        let graph = picklevm::loads(&vector.pickle).unwrap();
        assert!(matches!(graph.root().items().next().unwrap().kind(), Kind::Ext(n) if n == code), "{}", vector.name);
    }
}

#[test]
fn an_extension_code_belongs_to_one_global() {
    let extensions = Extensions::new().add("geometry.Point", 7).unwrap();
    assert!(extensions.clone().add("geometry.Point", 7).is_ok());
    assert!(extensions.clone().add("geometry.Point", 8).is_err());
    assert!(extensions.clone().add("geometry.Line", 7).is_err());
    assert!(extensions.clone().add("geometry.Line", 0).is_err());
    assert_eq!(extensions.code("geometry", "Point"), Some(7));
}

#[test]
fn a_closure_is_a_resolver() {
    let resolver = |module: &str, name: &str| match module {
        "os" => Err(Error::other(format!("{name} is not for pickles"))),
        _ => Ok(Class::Symbolic),
    };
    assert_eq!(
        load(resolver, b"cos\nsystem\n.").unwrap_err(),
        "offset 0: GLOBAL: os.system: system is not for pickles"
    );
    let error = Unpickler::new().resolver(resolver).loads(b"cos\nsystem\n.").unwrap_err();
    assert_eq!((error.kind(), error.class()), (ErrorKind::Resolver, Some("os.system")));
}

#[test]
fn an_allowlist_accepts_calls_that_create_plain_data() {
    let listed = || Standard.allow_only(["datetime.date"]);
    // A date at protocol 2 and a set, as written by CPython 3.
    let date =
        b"\x80\x02cdatetime\ndate\nc_codecs\nencode\nX\x05\0\0\0\x07\xc3\xae\x01\x02X\x06\0\0\0latin1\x86R\x85R.";
    assert_eq!(load(listed(), date).unwrap(), "datetime.date(2030, 1, 2)");
    let set = b"\x80\x02c__builtin__\nset\n]K\x07a\x85R.";
    assert_eq!(load(listed(), set).unwrap(), "{7}");
    assert_eq!(load(Symbolic.or(Standard).allow_only([]), set).unwrap(), "{7}");
    // Calls that are not evaluated are rejected, and so are those that may not create plain data.
    for pickle in [
        &b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0rot13\x86R."[..],
        b"\x80\x02c__builtin__\nset\nK\x07\x85R.",
        b"\x80\x02cos\nsystem\n.",
    ] {
        assert!(load(listed(), pickle).unwrap_err().contains("a global on the allowlist"));
    }
    assert!(load(Symbolic.allow_only(["m.*"]), set).unwrap_err().contains("a global on the allowlist"));
}
