//! The corpora of attacks and of ordinary pickles, held against the scanner.

use std::path::{Path, PathBuf};

use picklevm_scan::{Scanner, Verdict};
use serde::Deserialize;

#[derive(Deserialize)]
struct Attack {
    file: String,
    reason: String,
    /// `dangerous`, or `unsafe` for anything but safe.
    expect: String,
}

#[derive(Deserialize)]
struct Ordinary {
    file: String,
    lib: String,
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scan").join(name)
}

fn index<T: for<'de> Deserialize<'de>>(corpus: &Path) -> Vec<T> {
    let text = std::fs::read_to_string(corpus.join("index.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn no_attack_is_safe_and_those_that_are_plain_are_dangerous() {
    let corpus = corpus("attacks");
    let attacks: Vec<Attack> = index(&corpus);
    assert!(attacks.len() > 500);
    let scanner = Scanner::new();
    let mut wrong = Vec::new();
    for attack in &attacks {
        let verdict = scanner.scan_file(corpus.join(&attack.file)).unwrap().verdict;
        if verdict == Verdict::Safe || verdict != Verdict::Dangerous && attack.expect == "dangerous" {
            wrong.push(format!("{verdict}: {} ({})", attack.file, attack.reason));
        }
    }
    assert!(wrong.is_empty(), "{} of {} attacks:\n{}", wrong.len(), attacks.len(), wrong.join("\n"));
}

#[test]
fn ordinary_pickles_are_safe_and_none_is_dangerous() {
    let corpus = corpus("ordinary");
    let ordinary: Vec<Ordinary> = index(&corpus);
    let scanner = Scanner::new();
    let mut wrong = Vec::new();
    let mut dangerous = 0;
    for pickle in &ordinary {
        let report = scanner.scan_file(corpus.join(&pickle.file)).unwrap();
        dangerous += usize::from(report.verdict == Verdict::Dangerous);
        if report.verdict != Verdict::Safe {
            let why = report.all_findings().first().map(|(_, finding)| finding.to_string()).unwrap_or_default();
            wrong.push(format!("{} {}: {why}", pickle.lib, pickle.file));
        }
    }
    let safe = ordinary.len() - wrong.len();
    assert!(dangerous == 0, "{dangerous} dangerous:\n{}", wrong.join("\n"));
    assert!(safe * 100 >= ordinary.len() * 95, "{safe} of {} are safe:\n{}", ordinary.len(), wrong.join("\n"));
}

#[test]
fn a_scan_is_as_good_with_evidence_as_without() {
    let corpus = corpus("attacks");
    let (quick, thorough) = (Scanner::new(), Scanner::new().evidence(true));
    for attack in index::<Attack>(&corpus) {
        let path = corpus.join(&attack.file);
        let verdicts = [&quick, &thorough].map(|scanner| scanner.scan_file(&path).unwrap().verdict);
        assert_eq!(verdicts[0], verdicts[1], "{}", attack.file);
    }
}
