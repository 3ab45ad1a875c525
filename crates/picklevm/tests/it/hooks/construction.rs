//! Registered classes receive the same arguments for every form of construction.

use picklevm::{
    Call, Construct, Deny, Entries, Items, NativeObject, Registry, Resolver, Result, Standard, Unpickler, Value,
};

/// Records its arguments and changes.
#[derive(Debug)]
struct Seen(String);

impl NativeObject for Seen {
    fn set_state(&mut self, state: Value<'_>) -> Result<()> {
        self.0 += &format!(" state {state:?}");
        Ok(())
    }

    fn append(&mut self, items: Items<'_>) -> Result<()> {
        self.0 += &format!(" items {:?}", items.collect::<Vec<_>>());
        Ok(())
    }

    fn set_items(&mut self, pairs: Entries<'_>) -> Result<()> {
        self.0 += &format!(" pairs {:?}", pairs.collect::<Vec<_>>());
        Ok(())
    }
}

impl Construct for Seen {
    fn construct(call: &Call<'_>) -> Result<Self> {
        let kwargs =
            call.kwargs().map_or(String::new(), |kwargs| format!(" {:?}", kwargs.entries().collect::<Vec<_>>()));
        Ok(Seen(format!("{} {:?}{kwargs}", call.construction().name(), call.args_tuple())))
    }
}

/// Returns the record of an instance of a registered class.
#[track_caller]
fn record(pickle: &[u8]) -> String {
    let mut registry = Registry::new();
    registry.class::<Seen>("shapes.C").class::<Seen>("shapes:Outer.Inner");
    let graph = Unpickler::new().resolver(registry.or(Standard)).loads(pickle).expect("it loads");
    match graph.root().downcast_ref::<Seen>() {
        Some(record) => record.0.clone(),
        None => panic!("not a native object: {:?}", graph.root()),
    }
}

/// What the resolvers after a registry refuse they accept for making instances of its classes, and for nothing else.
#[test]
fn instances_of_registered_classes_are_made_though_everything_else_is_refused() {
    fn resolvers() -> [Box<dyn Fn() -> Unpickler>; 4] {
        fn registry() -> Registry {
            let mut registry = Registry::new();
            registry.class::<Seen>("shapes.C");
            registry
        }
        [
            Box::new(|| Unpickler::new().resolver(registry().or(Standard).or(Deny))),
            Box::new(|| Unpickler::new().resolver(registry().or(Deny))),
            Box::new(|| Unpickler::new().resolver(registry().or(Standard).allow_only(["shapes.C"]))),
            Box::new(|| Unpickler::new().resolver(Standard.or(registry()).or(Deny))),
        ]
    }
    for unpickler in resolvers() {
        for (pickle, expected) in [
            (
                &b"ccopy_reg\n_reconstructor\n(cshapes\nC\nc__builtin__\nobject\nNtR(dVx\nI1\nsb."[..],
                "newobj () state {'x': 1}",
            ),
            (b"ccopy_reg\n_reconstructor\n(cshapes\nC\nc__builtin__\nlist\n(lI1\natR.", "newobj () items [1]"),
            (b"ccopy_reg\n__newobj__\n(cshapes\nC\nI5\ntR.", "newobj (5,)"),
            (b"ccopy_reg\n__newobj_ex__\n(cshapes\nC\n(t(dVa\nI1\nstR.", "newobj_ex () [('a', 1)]"),
            (b"\x80\x02cshapes\nC\n)\x81.", "newobj ()"),
        ] {
            let graph = unpickler().loads(pickle).unwrap_or_else(|error| panic!("{}: {error}", pickle.escape_ascii()));
            assert_eq!(graph.root().downcast_ref::<Seen>().map(|seen| &*seen.0), Some(expected));
        }
        for refused in [
            &b"ccopy_reg\n_reconstructor\n(cshapes\nD\nc__builtin__\nobject\nNtR."[..],
            b"ccopy_reg\n_reconstructor\n(I1\nc__builtin__\nobject\nNtR.",
            b"ccopy_reg\n__newobj__\n(c__builtin__\nobject\ntR.",
            b"ccopy_reg\n__newobj__\n(tR.",
            b"\x80\x02ccopy_reg\n__newobj__\n)\x81.",
            b"c__builtin__\nlist\n(tR.",
            b"ccopy_reg\n_extension_registry\n.",
            b"cos\nsystem\n.",
        ] {
            let error = unpickler().loads(refused).expect_err("refused");
            assert_eq!(error.kind(), picklevm::ErrorKind::Resolver, "{}: {error}", refused.escape_ascii());
        }
    }
}

/// `Standard.allow_only(["shapes.C"])` refused its instances at protocols 0 and 1.
#[test]
fn an_allowlist_allows_the_instances_of_its_classes_at_every_protocol() {
    let unpickler = || Unpickler::new().resolver(Standard.allow_only(["shapes.C", "queue.Queue"]));
    for pickle in [
        &b"ccopy_reg\n_reconstructor\n(cshapes\nC\nc__builtin__\nobject\nNtR(dVx\nI1\nsb."[..],
        b"ccopy_reg\n_reconstructor\n(cQueue\nQueue\nc__builtin__\nobject\nNtR.",
        b"ccopy_reg\n_reconstructor\n(cshapes\nC\nc__builtin__\nlist\n(lI1\natR.",
        b"ccopy_reg\n__newobj__\n(cshapes\nC\nI5\ntR.",
        b"ccopy_reg\n__newobj_ex__\n(cshapes\nC\n(t(dVa\nI1\nstR.",
        b"\x80\x02cshapes\nC\n)\x81.",
        b"\x80\x02cQueue\nQueue\n)\x81.",
        b"(ishapes\nC\n.",
    ] {
        let graph = unpickler().loads(pickle).unwrap_or_else(|error| panic!("{}: {error}", pickle.escape_ascii()));
        assert!(graph.root().as_object().is_some());
    }
    let unmapped = Unpickler::new().fix_imports(false).resolver(Standard.allow_only(["Queue.Queue"]));
    assert!(unmapped.loads(b"ccopy_reg\n_reconstructor\n(cQueue\nQueue\nc__builtin__\nobject\nNtR.").is_ok());
    for refused in [
        &b"ccopy_reg\n_reconstructor\n(cshapes\nD\nc__builtin__\nobject\nNtR."[..],
        b"ccopy_reg\n_reconstructor\n(c__builtin__\nlist\nc__builtin__\nobject\nNtR.",
        b"ccopy_reg\n__newobj__\n(c__builtin__\nlist\ntR.",
        b"ccopy_reg\n__newobj__\n(I1\ntR.",
        b"c__builtin__\nobject\n(tR.",
        b"\x80\x02c__builtin__\nobject\n)\x81.",
        b"ccopy_reg\n_extension_registry\n.",
    ] {
        let error = unpickler().loads(refused).expect_err("refused");
        assert_eq!(error.kind(), picklevm::ErrorKind::Resolver, "{}: {error}", refused.escape_ascii());
    }
}

#[test]
fn an_instance_is_the_same_at_every_protocol() {
    let pickles: [&[u8]; 4] = [
        b"ccopy_reg\n_reconstructor\np0\n(cshapes\nC\np1\nc__builtin__\nobject\np2\nNtp3\nRp4\n(dp5\nVx\np6\nI1\nsb.",
        b"ccopy_reg\n_reconstructor\nq\x00(cshapes\nC\nq\x01c__builtin__\nobject\nq\x02Ntq\x03Rq\x04}q\x05X\x01\0\0\0xq\x06K\x01sb.",
        b"\x80\x02cshapes\nC\nq\x00)\x81q\x01}q\x02X\x01\0\0\0xq\x03K\x01sb.",
        b"\x80\x04\x8c\x06shapes\x94\x8c\x01C\x94\x93\x94)\x81\x94}\x94\x8c\x01x\x94K\x01sb.",
    ];
    for pickle in pickles {
        assert_eq!(record(pickle), "newobj () state {'x': 1}", "{}", pickle.escape_ascii());
    }
}

#[test]
fn every_form_of_construction_is_supported() {
    let forms: [(&[u8], &str); 10] = [
        (b"cshapes\nC\n(I1\ntR.", "reduce (1,)"),
        (b"cshapes\nC\nK\x01\x85\x81.", "newobj (1,)"),
        (b"cshapes\nC\nK\x01\x85}\x8c\x01kK\x02s\x92.", "newobj_ex (1,) [('k', 2)]"),
        (b"(I1\nishapes\nC\n.", "inst (1,)"),
        (b"(cshapes\nC\nI1\no.", "obj (1,)"),
        (b"ccopyreg\n__newobj__\ncshapes\nC\nK\x01\x86R.", "newobj (1,)"),
        (b"ccopyreg\n__newobj_ex__\ncshapes\nC\nK\x01\x85}\x8c\x01kK\x02s\x87R.", "newobj_ex (1,) [('k', 2)]"),
        (b"ccopyreg\n__newobj_ex__\ncshapes\nC\nK\x01\x85}\x87R.", "newobj (1,)"),
        (b"ccopy_reg\n_reconstructor\n(cshapes\nC\nc__builtin__\nobject\nNtR.", "newobj ()"),
        (
            b"\x80\x02cfunctools\npartial\nq\x00c__builtin__\ngetattr\nq\x01cshapes\nC\nX\x07\0\0\0__new__q\x02\x86Rq\x03\
              \x85q\x04Rq\x05(h\x03cshapes\nC\nq\x06K\x01\x86q\x07}q\x08X\x01\0\0\0kq\tK\x02sNtq\nb)Rq\x0b.",
            "newobj_ex (1,) [('k', 2)]",
        ),
    ];
    for (pickle, expected) in forms {
        assert_eq!(record(pickle), expected, "{}", pickle.escape_ascii());
    }
}

/// Python calls the class in each.
#[test]
fn a_class_is_called_through_a_partial_and_through_new_of_object() {
    let forms: [(&[u8], &str); 6] = [
        (b"cfunctools\npartial\ncshapes\nC\n\x85R)R.", "reduce ()"),
        (b"cfunctools\npartial\ncshapes\nC\nK\x01\x86RK\x02\x85R.", "reduce (1, 2)"),
        (
            b"cfunctools\npartial\ncshapes\nC\n\x85R(cshapes\nC\nK\x01\x85}\x8c\x01kK\x03sNtbK\x02\x85R.",
            "reduce (1, 2) [('k', 3)]",
        ),
        (b"cbuiltins\ngetattr\ncbuiltins\nobject\n\x8c\x07__new__\x86Rcshapes\nC\n\x85R.", "newobj ()"),
        (b"c__builtin__\ngetattr\n(c__builtin__\nint\nV__new__\ntR(cshapes\nC\nI5\ntR.", "newobj (5,)"),
        (b"cbuiltins\ngetattr\ncshapes\nC\n\x8c\x07__new__\x86Rcshapes\nC\nK\x01\x86R.", "newobj (1,)"),
    ];
    for (pickle, expected) in forms {
        assert_eq!(record(pickle), expected, "{}", pickle.escape_ascii());
    }
}

#[test]
fn values_of_a_built_in_base_class_are_passed_as_at_later_protocols() {
    let forms: [(&[u8], &[u8], &str); 3] = [
        (
            b"ccopy_reg\n_reconstructor\np0\n(cshapes\nC\np1\nc__builtin__\nlist\np2\n(lp3\nI1\naI2\natp4\nRp5\n.",
            b"\x80\x02cshapes\nC\nq\x00)\x81q\x01(K\x01K\x02e.",
            "newobj () items [1, 2]",
        ),
        (
            b"ccopy_reg\n_reconstructor\np0\n(cshapes\nC\np1\nc__builtin__\ndict\np2\n(dp3\nVa\np4\nI1\nstp5\nRp6\n.",
            b"\x80\x02cshapes\nC\nq\x00)\x81q\x01X\x01\0\0\0aq\x02K\x01s.",
            "newobj () pairs [('a', 1)]",
        ),
        (
            b"ccopy_reg\n_reconstructor\np0\n(cshapes\nC\np1\nc__builtin__\nlong\np2\nI7\ntp3\nRp4\n.",
            b"\x80\x02cshapes\nC\nq\x00K\x07\x85q\x01\x81q\x02.",
            "newobj (7,)",
        ),
    ];
    for (early, late, expected) in forms {
        assert_eq!((record(early), record(late)), (expected.to_owned(), expected.to_owned()));
    }
}

#[test]
fn a_nested_class_is_resolved_at_every_protocol() {
    let pickles: [&[u8]; 4] = [
        b"ccopy_reg\n_reconstructor\np0\n(c__builtin__\ngetattr\np1\n(cshapes\nOuter\nVInner\np2\ntRp3\nc__builtin__\nobject\np4\nNtp5\nRp6\n(dp7\nVy\np8\nI5\nsb.",
        b"\x80\x02c__builtin__\ngetattr\nq\x00cshapes\nOuter\nX\x05\0\0\0Innerq\x01\x86Rq\x02)\x81q\x03}q\x04X\x01\0\0\0yq\x05K\x05sb.",
        b"\x80\x03cbuiltins\ngetattr\nq\x00cshapes\nOuter\nX\x05\0\0\0Innerq\x01\x86Rq\x02)\x81q\x03}q\x04X\x01\0\0\0yq\x05K\x05sb.",
        b"\x80\x04\x8c\x06shapes\x94\x8c\x0bOuter.Inner\x94\x93\x94)\x81\x94}\x94\x8c\x01y\x94K\x05sb.",
    ];
    for pickle in pickles {
        assert_eq!(record(pickle), "newobj () state {'y': 5}", "{}", pickle.escape_ascii());
    }
}

#[test]
fn instances_of_other_classes_stay_symbolic() {
    let mut registry = Registry::new();
    registry.class::<Seen>("shapes.C");
    let unpickler = Unpickler::new().resolver(registry);
    for pickle in [
        &b"ccopy_reg\n_reconstructor\n(cshapes\nD\nc__builtin__\nobject\nNtR."[..],
        b"ccopyreg\n__newobj__\ncshapes\nD\n\x85R.",
        b"ccopyreg\n__newobj__\nK\x01\x85R.",
        b"ccopyreg\n__newobj__\n)R.",
        b"cshapes\nC\n0ccopyreg\n_reconstructor\n(K\x01K\x02K\x03tR.",
    ] {
        let graph = unpickler.loads(pickle).expect("it loads");
        assert!(graph.root().as_object().is_some(), "{}", pickle.escape_ascii());
    }
}

#[test]
fn a_nested_class_that_the_resolver_rejects_is_symbolic_if_its_path_was_allowed() {
    let resolver = Symbols.or(Deny).allow_only(["builtins.getattr", "shapes.Outer"]);
    let pickle = b"\x80\x02c__builtin__\ngetattr\ncshapes\nOuter\nX\x05\0\0\0Inner\x86R)\x81.";
    let graph = Unpickler::new().resolver(resolver).loads(pickle).expect("it loads");
    assert!(graph.root().as_object().is_some());
}

/// Accepts the names that the test above allows, and calls none of them.
struct Symbols;

impl Resolver for Symbols {
    fn find_class(&self, _: &str, _: &str) -> Result<picklevm::Class> {
        struct Uncalled;
        impl picklevm::Callable for Uncalled {
            fn call(&self, _: &mut Call<'_>) -> Result<picklevm::CallResult> {
                Ok(picklevm::CallResult::Symbolic)
            }
        }
        Ok(picklevm::Class::Callable(std::sync::Arc::new(Uncalled)))
    }
}

#[test]
fn copies_of_arguments_shared_by_many_constructions_are_limited() {
    // A tuple of a million items is the argument of every call of `__newobj__`.
    let mut pickle = b"ccopyreg\n__newobj__\nq\x00(cshapes\nC\n".to_vec();
    pickle.extend(b"N".repeat(1_000_000));
    pickle.extend(b"tq\x01(");
    pickle.extend(b"h\x00h\x01R".repeat(1000));
    pickle.extend(b"l.");
    let mut registry = Registry::new();
    registry.function("shapes.C", |_| Ok(Seen(String::new())));
    let error = Unpickler::new().resolver(registry).loads(&pickle).expect_err("8 GB of arguments");
    assert_eq!(error.kind(), picklevm::ErrorKind::Limit, "{error}");
}
