//! Runs the fuzz targets on the stable toolchain: over the committed corpus, and over changes of it.

#[path = "../../../../tests/fuzz/mod.rs"]
mod fuzz;

use std::fs;
use std::time::{Duration, Instant};

use picklevm_testing::Random;

use fuzz::TARGETS;

/// Inputs that fuzzing found worth keeping, by target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = picklevm_testing::root().join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a readable file")).collect()
}

/// How long the changed inputs of one target may take: a second, or `PICKLEVM_FUZZ_SECONDS`.
fn time_for_changes() -> Duration {
    let seconds = std::env::var("PICKLEVM_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

/// An input with a few bytes changed, inserted, dropped or copied from another input.
fn change(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    const TELLING: &[u8] = b"\x80\x04(0123NK]a}su)t\x85\x86q\x00h\x00j\xffRbcm\nC\n\x81\x92\x94\x95\x93Q.";
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] = random.number() as u8,
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.insert(at, TELLING[random.below(TELLING.len())]),
            3 => {
                let from = random.below(other.len() + 1);
                let len = random.below(other.len() - from + 1).min(64);
                bytes.splice(at..at, other[from..from + len].iter().copied());
            }
            _ => bytes.truncate(bytes.len().max(1) - random.below(bytes.len() / 4 + 1)),
        }
    }
    bytes
}

#[test]
fn every_target_stands_its_corpus_and_changes_of_it() {
    for (name, target) in TARGETS {
        let corpus = corpus(name);
        assert!(!corpus.is_empty(), "{name} has a corpus");
        corpus.iter().for_each(|input| target(input));
        let mut random = Random::new(1);
        let until = Instant::now() + time_for_changes();
        while Instant::now() < until {
            let [one, two] = [random.below(corpus.len()), random.below(corpus.len())];
            target(&change(&corpus[one], &corpus[two], &mut random));
        }
    }
}
