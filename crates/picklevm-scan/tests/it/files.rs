//! Files on disk: what is read where it lies, and what is beside it.

use std::path::PathBuf;

use picklevm_scan::{Limits, Rule, Scanner, Verdict};

/// A file of this test, removed when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Scratch {
        let path = std::env::temp_dir().join(format!("picklevm-scan-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).expect("the folder for temporary files is writable");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A tar archive of one member.
fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = [&header[..], bytes].concat();
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

/// Raw data of 20 MiB with bytes at a place.
fn raw_with(hidden: &[u8], at: usize) -> Vec<u8> {
    let mut raw = vec![0; 20 << 20];
    raw[at..at + hidden.len()].copy_from_slice(hidden);
    raw
}

fn data(name: &str) -> PathBuf {
    picklevm_testing::root().join("tests/data").join(name)
}

#[test]
fn long_raw_data_of_an_archive_are_safe() {
    let file = Scratch::new("raw.tar", &tar("data/0", &raw_with(b"", 0)));
    assert_eq!(Scanner::new().scan_file(&file.0).unwrap().verdict, Verdict::Safe);
}

#[test]
fn a_pickle_hidden_in_long_raw_data_is_found_wherever_it_lies() {
    let hidden = b"\x80\x04cos\nsystem\n\x8c\x04true\x85R.";
    // In the first piece, across the end of it, behind it.
    for at in [1000, (16 << 20) - 9, 18 << 20] {
        let file = Scratch::new(&format!("hidden-{at}.tar"), &tar("data/0", &raw_with(hidden, at)));
        let report = Scanner::new().scan_file(&file.0).unwrap();
        assert_eq!(report.verdict, Verdict::Dangerous, "at {at}");
        let findings = report.all_findings();
        let named = findings.iter().find(|(_, finding)| finding.name.as_deref() == Some("os.system"));
        let (place, finding) = named.expect("the import is named");
        let from: u64 = place.last().and_then(|name| name.strip_prefix("from byte ")).unwrap().parse().unwrap();
        assert!((at as u64..(at + hidden.len()) as u64).contains(&(from + finding.offset)), "{place:?} {finding:?}");
    }
}

#[test]
fn a_file_on_disk_is_judged_as_its_bytes_are() {
    let mut files = 0;
    for entry in std::fs::read_dir(data("../scan/cases")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let on_disk = Scanner::new().scan_file(&path).unwrap();
        assert_eq!(on_disk.verdict, Scanner::new().scan(&bytes).verdict, "{}", path.display());
        files += 1;
    }
    assert!(files > 10, "{files} files");
}

#[test]
fn a_shelf_of_dbm_dumb_is_scanned_by_its_bare_name_and_by_both_of_its_files() {
    for name in ["py3.13.0-dbm_dumb", "py3.13.0-dbm_dumb.dir", "py3.13.0-dbm_dumb.dat"] {
        let report = Scanner::new().scan_file(data("shelf").join(name)).unwrap();
        assert!(report.pickle_count() == 3, "{name}: {report:?}");
        assert!(report.findings.is_empty(), "{name}: {:?}", report.findings);
        assert!(report.all_findings().iter().all(|(_, finding)| finding.rule != Rule::Broken), "{name}: {report:?}");
    }
}

#[test]
fn arrays_of_old_joblib_in_files_beside_the_pickle_are_scanned() {
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let array = |descr: &str, data: &[u8]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}");
        let header = format!("{header:117}\n");
        [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
    };
    let evil = b"\x80\x04cos\nsystem\n\x8c\x04true\x85R.";
    for module in ["joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"] {
        for (what, beside, expected) in [
            ("numbers", Some(array("<i8", &[1; 8])), Verdict::Safe),
            ("nothing", None, Verdict::Suspicious),
            ("an attack", Some(array("|O", evil)), Verdict::Dangerous),
        ] {
            let name = format!("{what}-{module}.npy");
            let file = beside.map(|bytes| Scratch::new(&name, &bytes));
            let full = file.as_ref().map_or(name, |file| file.0.file_name().unwrap().to_string_lossy().into_owned());
            let state = [text("filename"), text(&full), text("subclass"), b"cnumpy\nndarray\n".to_vec()].concat();
            let pickle = [b"\x80\x02c", module.as_bytes(), b"\nNDArrayWrapper\n)\x81}(", &state, b"ub."].concat();
            let pickle = Scratch::new(&format!("{what}-{module}.pkl"), &pickle);
            let report = Scanner::new().scan_file(&pickle.0).unwrap();
            assert_eq!(report.verdict, expected, "{what} by {module}: {report:?}");
        }
    }
}

#[test]
fn a_missing_file_is_an_error_of_the_system() {
    let error = Scanner::new().scan_file("/nowhere/at all").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn what_expands_to_a_hundred_times_its_length_and_64_mib_is_not_read_to_its_end() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    for _ in 0..100 {
        std::io::Write::write_all(&mut gzip, &[0; 1 << 20]).unwrap();
    }
    let gzip = gzip.finish().unwrap();
    let is_stopped = |scanner: &Scanner| {
        let report = scanner.scan(&gzip);
        assert_ne!(report.verdict, Verdict::Safe);
        report.findings.iter().any(|finding| finding.rule == Rule::Limit)
    };
    assert!(is_stopped(&Scanner::new()));
    assert!(!is_stopped(&Scanner::new().limits(Limits::default().expanded(1 << 30))));
}
