//! What the scanner says of small pickles, a rule at a time.

use picklevm_scan::{Report, Rule, Scanner, Status, Verdict, scan};

fn first(report: &Report) -> (Verdict, Rule) {
    let findings = report.all_findings();
    let (_, finding) = findings.first().expect("a finding");
    (finding.verdict, finding.rule)
}

#[test]
fn plain_data_are_safe() {
    for pickle in [&b"N."[..], b"\x80\x02]q\0(K\x01K\x02e.", b"(dp0\nS'a'\np1\nI1\ns."] {
        let report = scan(pickle);
        assert_eq!((report.verdict, report.status), (Verdict::Safe, Status::Complete), "{}", pickle.escape_ascii());
    }
}

#[test]
fn a_dangerous_name_is_dangerous_although_nothing_calls_it() {
    assert_eq!(first(&scan(b"cos\nsystem\n.")), (Verdict::Dangerous, Rule::DangerousName));
}

#[test]
fn an_unknown_name_is_suspicious() {
    assert_eq!(first(&scan(b"cshop\nOrder\n.")), (Verdict::Suspicious, Rule::UnknownName));
}

#[test]
fn what_runs_before_a_break_counts() {
    let report = scan(b"cos\nsystem\n(S'true'\ntR\xff");
    assert_eq!((report.verdict, report.status), (Verdict::Dangerous, Status::Malformed));
}

#[test]
fn a_name_that_a_call_computes_is_dangerous() {
    let report = scan(b"\x80\x04cbuiltins\nstr\n\x8c\x02os\x85R\x8c\x06system\x93.");
    assert_eq!(first(&report), (Verdict::Dangerous, Rule::HiddenName));
}

#[test]
fn getattr_on_a_name_is_the_dotted_name() {
    let report = scan(b"\x80\x02cbuiltins\ngetattr\ncdatetime\ndatetime\nX\x07\0\0\0__doc__\x86R.");
    let names: Vec<_> = report.pickles[0].imports.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["builtins.getattr", "datetime.datetime", "datetime.datetime.__doc__"]);
    assert_eq!(report.verdict, Verdict::Dangerous);
}

#[test]
fn a_function_that_finds_names_is_not_handed_to_one_that_calls() {
    let report = scan(b"\x80\x02cfunctools\npartial\ncbuiltins\ngetattr\n\x85R.");
    assert_eq!(first(&report), (Verdict::Dangerous, Rule::Use));
}

#[test]
fn what_is_allowed_for_one_use_is_dangerous_in_another_and_in_none() {
    let union = b"\x80\x04cfunctools\nreduce\ncoperator\nor_\ncbuiltins\nint\ncbuiltins\nstr\n\x86\x86R.";
    assert_eq!(scan(union).verdict, Verdict::Safe);
    let other = b"\x80\x04cfunctools\nreduce\ncoperator\nadd\ncbuiltins\nint\ncbuiltins\nstr\n\x86\x86R.";
    assert_eq!(first(&scan(other)), (Verdict::Dangerous, Rule::Use));
    assert_eq!(first(&scan(b"cfunctools\nreduce\n.")), (Verdict::Dangerous, Rule::DangerousName));
}

#[test]
fn bytes_that_are_spelled_as_text_are_bytes() {
    let report = scan(b"cbuiltins\nbytearray\n(c_codecs\nencode\n(Va\xe9\nVlatin1\ntRtR.");
    assert_eq!(report.verdict, Verdict::Safe);
}

#[test]
fn attributes_that_python_acts_upon_are_no_state() {
    let state = |name: &str| {
        let mut pickle = b"\x80\x04ctypes\nSimpleNamespace\n)R}\x8c".to_vec();
        pickle.push(name.len() as u8);
        pickle.extend_from_slice(name.as_bytes());
        pickle.extend_from_slice(b"K\x01sb.");
        scan(pickle)
    };
    assert_eq!(state("size").verdict, Verdict::Safe);
    assert_eq!(state("__doc__").verdict, Verdict::Safe);
    for name in ["__array_interface__", "__class__", "__setstate__"] {
        assert_eq!(first(&state(name)), (Verdict::Suspicious, Rule::State), "{name}");
    }
}

#[test]
fn lists_of_words_that_could_spell_a_global_are_text() {
    for words in ["sin\ncos\ntan\n", "cat\nsat\nmat\n", "ios\nandroid\n", "class\nname\n(of)\n"] {
        let pickle = [b"X", &(words.len() as u32).to_le_bytes()[..], words.as_bytes(), b"."].concat();
        assert_eq!(scan(pickle).verdict, Verdict::Safe, "{words:?}");
    }
}

#[test]
fn a_state_set_twice_is_suspicious() {
    let report = scan(b"\x80\x02ctypes\nSimpleNamespace\n)R}b}b.");
    assert_eq!(first(&report), (Verdict::Suspicious, Rule::State));
}

#[test]
fn a_number_that_readers_read_differently_makes_the_pickle_divergent() {
    let report = scan(b"I0x10\n.");
    assert_eq!((first(&report), report.status), ((Verdict::Suspicious, Rule::Divergence), Status::Divergent));
}

#[test]
fn a_pickle_in_bytes_of_a_pickle_is_found() {
    let report = scan(b"\x80\x03C\x10\x80\x02cos\nsystem\n)R.C\x01x\x86.");
    let nested = &report.pickles[0].nested;
    assert_eq!((report.verdict, nested.len()), (Verdict::Dangerous, 1));
}

#[test]
fn bytes_that_are_no_pickle_are_not_thereby_clean() {
    assert_eq!(scan(b"hello, world").verdict, Verdict::Suspicious);
    assert_eq!(scan(b"").verdict, Verdict::Suspicious);
}

#[test]
fn evidence_lists_everything_in_order() {
    let report = Scanner::new().evidence(true).scan(b"\x80\x02ccollections\nOrderedDict\n)RK\x01K\x02s.");
    let lines: Vec<_> = report.pickles[0].events.iter().map(|event| (event.offset, &*event.python)).collect();
    let expected =
        [(2, "from collections import OrderedDict"), (28, "v0 = collections.OrderedDict()"), (33, "v0[1] = 2")];
    assert_eq!(lines, expected);
}

#[test]
fn items_are_put_into_an_object_as_python_does_it() {
    for (ops, expected) in [
        (&b"K\x01a"[..], "v0.append(1)"),
        (b"(K\x01e", "v0.extend([1])"),
        (b"(K\x01K\x02e", "v0.extend([1, 2])"),
        (b"K\x01K\x02s", "v0[1] = 2"),
        (b"(K\x01K\x02K\x03K\x04u", "v0[1] = 2; v0[3] = 4"),
        (b"(K\x01K\x02\x90", "v0.add(1); v0.add(2)"),
    ] {
        let report = Scanner::new().evidence(true).scan([b"\x80\x04ccollections\nOrderedDict\n)R", ops, b"."].concat());
        let last = report.pickles[0].events.last().expect("an event");
        assert_eq!(&*last.python, expected);
    }
    let many = [b"\x80\x04ccollections\nOrderedDict\n)R(", &b"K\x01K\x02".repeat(20)[..], b"u."].concat();
    let report = Scanner::new().evidence(true).scan(many);
    let last = report.pickles[0].events.last().expect("an event");
    assert!(last.python.ends_with("v0[1] = 2; … 8 more"), "{}", last.python);
}

#[test]
fn a_key_whose_hash_takes_for_ever_is_suspicious() {
    let pairs = |depth: u8| (0..depth).flat_map(|n| [b'h', n, b'h', n, 0x86, 0x94]).collect::<Vec<u8>>();
    // What the tuples leave on the stack does not matter: the last one is the key.
    let key = |depth: u8| [b"\x80\x04\x8c\x01a\x94", &pairs(depth)[..], b"q\xff0}h\xffNs."].concat();
    assert_eq!(first(&scan(key(60))), (Verdict::Suspicious, Rule::Limit));
    assert_eq!(scan(key(8)).verdict, Verdict::Safe);
}

#[test]
fn a_memo_index_far_beyond_the_values_is_suspicious() {
    for pickle in [&b"Nr\xff\xff\xff\xff."[..], b"Np4294967295\n."] {
        assert_eq!(first(&scan(pickle)), (Verdict::Suspicious, Rule::Limit), "{}", pickle.escape_ascii());
    }
}

#[test]
fn what_follows_a_compressed_stream_is_scanned() {
    // The empty list, by zlib.
    let packed = b"\x78\x9ck`\x89\xd5\x03\0\x02\xf8\x01\x10";
    assert_eq!(scan(packed).verdict, Verdict::Safe);
    // The same by lzma, without its length.
    let lzma = b"\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x2e\x8b\x9c\xff\xff\xff\xff\xf0\x00\x00\x00";
    assert_eq!(scan(lzma).verdict, Verdict::Safe);
    for stream in [&packed[..], lzma] {
        let followed = [stream, b"cos\nsystem\n(S'true'\ntR."].concat();
        assert_eq!(scan(followed).verdict, Verdict::Dangerous);
    }
}

#[test]
fn what_new_is_given_is_looked_at_as_what_a_call_is_given() {
    for pickle in [
        &b"\x80\x04cbuiltins\nmap\ncbuiltins\nprint\n]\x86\x81."[..],
        b"\x80\x04cfunctools\npartial\ncbuiltins\ngetattr\n\x85\x81.",
        b"\x80\x04cbuiltins\nbytearray\n\x8a\x06\0\0\0\0\0\x01\x85\x81.",
    ] {
        assert_ne!(scan(pickle).verdict, Verdict::Safe, "{}", pickle.escape_ascii());
    }
}

/// Where the findings lie, and what they say.
fn findings(pickle: &[u8]) -> Vec<(u64, String)> {
    let report = scan(pickle);
    report.pickles[0].findings.iter().map(|finding| (finding.offset, finding.message.clone())).collect()
}

#[test]
fn a_call_is_found_where_it_happens_and_an_import_where_it_stands() {
    assert_eq!(findings(b"cos\nsystem\n)R."), [(12, "calls os.system, which runs programs".to_owned())]);
    assert_eq!(findings(b"cos\nsystem\n."), [(0, "imports os.system, which runs programs".to_owned())]);
    assert_eq!(scan(b"cos\nsystem\n)R.").pickles[0].imports[0].offset, 0);
}

#[test]
fn findings_are_in_the_order_of_the_opcodes() {
    let offsets: Vec<_> = findings(b"cos\nsystem\ncos\npopen\n0)R.").into_iter().map(|(offset, _)| offset).collect();
    assert_eq!(offsets, [11, 23]);
}

#[test]
fn a_break_lies_where_the_op_does_that_cannot_be_read() {
    let broken = "expected an opcode, found the byte 0x7a";
    assert_eq!(findings(b"zz"), [(0, broken.to_owned())]);
    assert_eq!(findings(b"K\x01zz"), [(2, broken.to_owned())]);
    let message = format!("{broken}; Python executes what precedes this");
    assert_eq!(findings(b"cos\nsystem\nzz")[1], (11, message));
}

#[test]
fn a_pickle_says_what_loading_it_returns() {
    let result = |pickle: &[u8]| scan(pickle).pickles[0].result.clone();
    assert_eq!(result(b"].").as_deref(), Some("a list"));
    assert_eq!(result(b"cos\nsystem\n)R.").as_deref(), Some("an object that os.system made"));
    assert_eq!(result(b"]"), None);
}
