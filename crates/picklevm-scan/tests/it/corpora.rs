//! The corpora of attacks and of ordinary pickles, held against the scanner.

use std::collections::BTreeMap;
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
    picklevm_testing::root().join("tests/scan").join(name)
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

#[derive(Deserialize)]
struct Case {
    /// Exit codes of the program that are right.
    verdict: Vec<u8>,
    why: String,
    make: Option<Make>,
}

/// How to make a file that is too large to keep.
#[derive(Deserialize)]
struct Make {
    /// Texts in Latin-1, each with how often it comes.
    parts: Option<Vec<(String, usize)>>,
}

#[test]
fn cases_that_were_found_by_trials_are_judged_as_they_should() {
    let corpus = corpus("cases");
    let text = std::fs::read_to_string(corpus.join("index.json")).unwrap();
    let cases: BTreeMap<String, Case> = serde_json::from_str(&text).unwrap();
    let scanner = Scanner::new();
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        let report = match &case.make {
            None => scanner.scan_file(corpus.join(name)).unwrap(),
            Some(Make { parts: Some(parts) }) => {
                let latin_1 = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
                let bytes: Vec<u8> = parts.iter().flat_map(|(text, count)| latin_1(text).repeat(*count)).collect();
                scanner.scan_named(name, &bytes)
            }
            // Hundreds of megabytes.
            Some(_) => continue,
        };
        let code = match report.verdict {
            Verdict::Safe => 0,
            Verdict::Dangerous => 1,
            Verdict::Suspicious => 3,
        };
        if !case.verdict.contains(&code) {
            wrong.push(format!("{name} is {}: {}", report.verdict, case.why));
        }
    }
    assert!(cases.len() > 50 && wrong.is_empty(), "{}", wrong.join("\n"));
}
