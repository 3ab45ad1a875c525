//! What lies in what: pickles in strings of pickles, in text, in a row, and what of it is listed.

use picklevm_scan::{Format, Limits, Rule, Scanner, Verdict, scan};

const EVIL: &[u8] = b"\x80\x04cos\nsystem\n\x8c\x04true\x85R.";
const PLAIN: &[u8] = b"\x80\x04}\x8c\x01aK\x01s.";

/// The bytes as a pickle that holds them in bytes.
fn in_bytes(inner: &[u8]) -> Vec<u8> {
    [b"\x80\x04B", &(inner.len() as u32).to_le_bytes()[..], inner, b"."].concat()
}

fn in_bytes_often(inner: &[u8], levels: usize) -> Vec<u8> {
    (0..levels).fold(inner.to_vec(), |inner, _| in_bytes(&inner))
}

/// The bytes as a pickle that unpickles them.
fn loaded(inner: &[u8]) -> Vec<u8> {
    let len = (inner.len() as u32).to_le_bytes();
    [b"\x80\x04ctorch.storage\n_load_from_bytes\nB", &len[..], inner, b"\x85R."].concat()
}

/// A way to spell bytes.
type Spelling<'s> = &'s dyn Fn(&[u8]) -> Vec<u8>;

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, i| number << 8 | u32::from(group.get(i).copied().unwrap_or(0)));
        let digits =
            (0..4).map(|i| if i <= group.len() { DIGITS[(number >> (18 - 6 * i) & 63) as usize] } else { b'=' });
        text.extend(digits);
    }
    text
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    picklevm_testing::hex(bytes).into_bytes()
}

#[test]
fn what_a_text_spells_is_scanned_as_what_it_spells() {
    let literal = |bytes: &[u8]| [b"b'", bytes.escape_ascii().to_string().as_bytes(), b"'"].concat();
    let session = |bytes: &[u8]| base64(&[&[b'0'; 40], &b":"[..], bytes].concat());
    let framed = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat().repeat(3);
    let lines = |bytes: &[u8]| {
        let text = base64(&bytes.repeat(20));
        text.chunks(76).flat_map(|line| [line, b"\n"].concat()).collect::<Vec<u8>>()
    };
    let spellings: [(&str, Spelling<'_>); 6] = [
        ("base64", &|bytes| base64(bytes)),
        ("base64 in lines", &lines),
        ("hexadecimal", &|bytes| hex(bytes)),
        ("a literal", &literal),
        ("a session", &session),
        ("frames", &framed),
    ];
    for (what, spell) in spellings {
        let report = scan(spell(EVIL));
        let findings = report.all_findings();
        let names: Vec<_> = findings.iter().filter_map(|(_, finding)| finding.name.as_deref()).collect();
        assert!(report.verdict == Verdict::Dangerous && names.contains(&"os.system"), "{what}: {report:?}");
        assert_eq!(scan(spell(PLAIN)).verdict, Verdict::Safe, "{what}");
    }
    assert_eq!(scan(base64(PLAIN)).format, Format::Base64);
    assert_eq!(scan(hex(PLAIN)).format, Format::Hex);
}

#[test]
fn text_that_base64_reads_otherwise_than_its_url_safe_form_is_not_safe() {
    let other = [&b"----"[..], &base64(EVIL)].concat();
    assert_ne!(scan(other).verdict, Verdict::Safe);
}

#[test]
fn a_pickle_is_found_in_strings_of_strings_up_to_a_limit_that_is_told() {
    for levels in [1, 9, 30] {
        assert_eq!(scan(in_bytes_often(EVIL, levels)).verdict, Verdict::Dangerous, "{levels} levels");
    }
    // Far more than a thread has stack for.
    let report = scan(in_bytes_often(EVIL, 20_000));
    assert_eq!(report.verdict, Verdict::Suspicious);
    assert!(report.all_findings().iter().any(|(_, finding)| finding.rule == Rule::Limit));
}

#[test]
fn what_is_unpickled_too_deep_to_be_looked_at_is_not_safe() {
    let deep = (0..40).fold(EVIL.to_vec(), |inner, _| loaded(&inner));
    assert_ne!(scan(&deep).verdict, Verdict::Safe);
    let deep = (0..12).fold(EVIL.to_vec(), |inner, _| loaded(&inner));
    assert_eq!(scan(&deep).verdict, Verdict::Dangerous);
}

#[test]
fn what_is_unpickled_is_scanned_though_it_has_no_header_and_no_lines() {
    for inner in
        [&b"\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."[..], b"I1\n0\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."]
    {
        assert_eq!(scan(loaded(inner)).verdict, Verdict::Dangerous, "{}", inner.escape_ascii());
    }
}

#[test]
fn no_more_pickles_of_a_row_are_listed_than_a_reader_has_use_for() {
    let unknown: Vec<u8> = (0..5000).flat_map(|i| format!("cm{i}\nf\n.").into_bytes()).collect();
    let report = scan([&unknown, EVIL].concat());
    assert_eq!(report.verdict, Verdict::Dangerous);
    assert_eq!(report.pickles.len(), 1001);
    assert!(report.findings.iter().any(|finding| finding.message.contains("not listed")), "{:?}", report.findings);
    assert_eq!(report.pickles.last().and_then(|pickle| pickle.findings[0].name.as_deref()), Some("os.system"));
}

#[test]
fn events_are_counted_over_all_pickles_of_a_file() {
    let report = Scanner::new().limits(Limits::default().events(10)).evidence(true).scan(EVIL.repeat(20));
    assert_eq!(report.pickles.iter().map(|pickle| pickle.events.len()).sum::<usize>(), 10);
    assert!(report.pickles.iter().all(|pickle| pickle.verdict == Verdict::Dangerous));
}
