//! A load stays within its memory limit for every kind of value.

use std::io::BufReader;
use std::process::Command;

use picklevm::{ErrorKind, Limits, Unpickler};

/// The limit, in bytes.
const LIMIT: usize = 8 << 20;

/// The documented bound: twice the limit, the input, and the memory of a process without a load.
const SLACK: usize = 8 << 20;

/// An input: name, prefix, repeated part, four times the number of repetitions, and suffix. In the repeated part, `#`
/// is replaced with the number of the repetition and `*` with a number that is far from the previous one.
struct Case(&'static str, &'static [u8], &'static [u8], usize, &'static [u8]);

const CASES: &[Case] = &[
    Case("objects that POP drops", b"cm\nC\nq\x00](", b"h\x00)R0", 2_000_000, b"e."),
    Case("objects", b"cm\nC\nq\x00(", b"h\x00)\x81", 2_000_000, b"t."),
    Case("objects with keyword arguments", b"cm\nC\nq\x00}q\x01(", b"h\x00)h\x01\x92", 2_000_000, b"t."),
    Case("instances of Python 2", b"(", b"(im\nC\n", 1_000_000, b"t."),
    Case("states", b"cm\nC\n)\x81", b"Nb", 4_000_000, b"."),
    Case("lists", b"(", b"]", 8_000_000, b"t."),
    Case("dicts", b"(", b"}", 8_000_000, b"t."),
    Case("sets", b"(", b"\x8f", 8_000_000, b"t."),
    Case("tuples inside each other", b")", b"\x85", 8_000_000, b"."),
    Case("tuples that POP drops", b"N", b"N\x850", 4_000_000, b"."),
    Case("values on the stack", b"(", b"N", 8_000_000, b"t."),
    Case("marks", b"", b"(", 1_000_000, b"N."),
    Case("items of one list", b"]", b"Na", 8_000_000, b"."),
    Case("items of two lists in turn", b"]q\x00]q\x01", b"h\x00Nah\x01Na", 3_000_000, b"."),
    Case("items of an object", b"cm\nC\n)\x81q\x00]q\x01", b"h\x00Nah\x01Na", 3_000_000, b"."),
    Case("entries of the memo", b"N", b"r#", 4_000_000, b"."),
    Case("entries of the memo far from each other", b"N", b"r*", 2_000_000, b"."),
    Case("values that MEMOIZE names", b"N", b"\x94", 8_000_000, b"."),
    Case("rows of a dict", b"}(", b"J#N", 2_000_000, b"u."),
    Case("rows of a dict one by one", b"}", b"J#Ns", 2_000_000, b"."),
    Case("rows of a dict that are the same", b"}", b"NNs", 4_000_000, b"."),
    Case("members of a set", b"\x8f(", b"J#", 4_000_000, b"\x90."),
    Case("members of a frozenset", b"(", b"J#", 4_000_000, b"\x91."),
    Case("globals", b"(", b"cm\nC\n", 2_000_000, b"t."),
    Case("globals that are called by Standard", b"(", b"c__builtin__\nset\n", 1_000_000, b"t."),
    Case("sets by Standard", b"c__builtin__\nset\nq\x00(", b"h\x00)R0", 1_000_000, b"N."),
    Case("members of a set by Standard", b"c__builtin__\nset\n(", b"J#", 3_000_000, b"l\x85R."),
    Case("rows of a dict before a call", b"}(", b"J#N", 1_500_000, b"uc__builtin__\nset\n)R."),
    Case("opcodes between POP", b"(", b"N]0", 4_000_000, b"t."),
    Case("persistent ids", b"(", b"Pa\n", 4_000_000, b"t."),
    Case("wide floats", b"(", b"G\x7e\x37\xe4\x3c\x88\x00\x75\x9c", 4_000_000, b"t."),
    Case("large integers", b"(", b"\x8a\x0aaaaaaaaaaa", 2_000_000, b"t."),
    Case("short texts", b"(", b"\x8c\x01a", 4_000_000, b"t."),
    Case("complex numbers", b"cbuiltins\ncomplex\nq\x00(", b"h\x00NN\x86R", 2_000_000, b"t."),
    Case("calls made for their effect on an object", b"cm\nC\n)\x81q\x00", b"h\x00h\x00\x85R0", 1_000_000, b"."),
];

impl Case {
    fn pickle(&self) -> Vec<u8> {
        let Case(_, first, repeated, times, last) = self;
        let mut pickle = first.to_vec();
        for number in 0..*times as u32 / 4 {
            for byte in *repeated {
                match byte {
                    b'#' => pickle.extend(number.to_le_bytes()),
                    b'*' => pickle.extend(number.wrapping_mul(0x9e37_79b1).to_le_bytes()),
                    byte => pickle.push(*byte),
                }
            }
        }
        pickle.extend_from_slice(last);
        pickle
    }
}

/// Returns the peak memory of the process, if the system provides it.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok()? << 10)
}

#[test]
#[ignore = "one load in its own process, run by the test below"]
fn one_load() {
    let Some(case) = std::env::var("PICKLEVM_CASE").ok().and_then(|number| number.parse::<usize>().ok()) else {
        return;
    };
    let pickle = CASES[case / 2].pickle();
    let limits = Limits::untrusted().bytes(LIMIT as u64).nodes(u64::MAX).memo(u64::MAX).opcodes(u64::MAX);
    let before = peak();
    let unpickler = Unpickler::new().limits(limits);
    let loaded = match case % 2 {
        0 => unpickler.loads(&pickle),
        _ => unpickler.load(BufReader::with_capacity(1 << 16, &pickle[..])),
    };
    let outcome = match &loaded {
        Ok(graph) => {
            assert!(
                graph.held_bytes() <= LIMIT,
                "the limit was exceeded without an error: {} bytes",
                graph.held_bytes()
            );
            format!("{} bytes held", graph.held_bytes())
        }
        Err(error) => error.to_string(),
    };
    assert!(loaded.is_ok() || loaded.is_err_and(|error| error.kind() == ErrorKind::Limit), "{outcome}");
    if let Some((before, after)) = before.zip(peak()) {
        println!("took {} of {outcome}", after - before);
    }
}

#[test]
fn every_load_stays_within_twice_its_limit() {
    if peak().is_none() {
        return;
    }
    let mut too_much = Vec::new();
    let cases = CASES.iter().flat_map(|Case(name, ..)| [format!("{name} in a slice"), format!("{name} from a reader")]);
    for (number, name) in cases.enumerate() {
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["--ignored", "--exact", "--nocapture", "memory::one_load"])
            .env("PICKLEVM_CASE", number.to_string())
            .output()
            .expect("this program runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
        let took = text.split("took ").nth(1).and_then(|rest| rest.split(' ').next());
        let took: usize = took.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"));
        if std::env::var_os("PICKLEVM_FULL").is_some() {
            println!("{name}: {} MiB, {}", took >> 20, text.split("took ").nth(1).unwrap_or_default());
        }
        if took > 2 * LIMIT + SLACK {
            too_much.push(format!("{name}: {} MiB", took >> 20));
        }
    }
    assert!(too_much.is_empty(), "more than twice {} MiB: {too_much:?}", LIMIT >> 20);
}
