//! Containers with changed pickles in them. What Python reads of them is checked by `../data/check_written.py`.

use std::process::Command;

use bytes::Bytes;
use picklevm_files::{Error, ErrorKind, File};

use crate::{bytes, data, from, made, only};

/// The file with every pickle replaced by this one.
fn replaced(file: &File, pickle: &'static [u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    file.rewrite::<Error>(&mut out, |_, contents| {
        Ok(Some(vec![Bytes::from_static(pickle); contents.pickles().len()]))
    })?;
    Ok(out)
}

/// `{'new': True}`, at protocol 2.
const NEW: &[u8] = b"\x80\x02}X\x03\0\0\0new\x88s.";

/// Files whose pickles can be replaced.
fn writable() -> Vec<String> {
    let names = std::fs::read_dir(data("made")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let cannot =
        ["row-broken.pkl", "row-junk.pkl", "cut.pkl", "zip-methods.zip", "rpa-2.rpa", "rpa-3.rpa", "rpa-32.rpa"];
    let mut names: Vec<_> =
        names.filter(|name| !cannot.contains(&&**name) && made(name).pickles().any(|p| p.is_ok())).collect();
    names.sort();
    names
}

#[test]
fn every_container_is_written_back_with_other_pickles_in_the_same_members() {
    for name in writable() {
        let file = made(&name);
        let written = from(replaced(&file, NEW).unwrap_or_else(|error| panic!("{name}: {error}")));
        let kinds = |file: &File| -> Vec<_> {
            file.walk().map(|entry| (entry.member.path().to_owned(), entry.contents.map(|c| c.kind()).ok())).collect()
        };
        assert_eq!(kinds(&written), kinds(&file), "{name}");
        let pickles: Vec<_> = written.pickles().flatten().map(|pickle| pickle.bytes().unwrap()).collect();
        let count = file.pickles().flatten().count();
        assert_eq!(pickles, vec![NEW; count], "{name}");
    }
}

#[test]
fn what_does_not_change_is_written_as_it_was() {
    for entry in std::fs::read_dir(data("made")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let mut out = Vec::new();
        match made(&name).rewrite::<Error>(&mut out, |_, _| Ok(None)) {
            Ok(()) => assert!(out == bytes(&name), "{name}"),
            Err(error) => assert!(error.kind() != ErrorKind::Io, "{name}: {error}"),
        }
    }
}

#[test]
fn python_reads_what_was_written() {
    let Some(mut python) = python() else {
        eprintln!("SKIPPED python_reads_what_was_written: there is no python3.13");
        return;
    };
    let folder = std::env::temp_dir().join(format!("picklevm-files-written-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for name in writable() {
        std::fs::write(folder.join(&name), replaced(&made(&name), NEW).unwrap()).unwrap();
    }
    let checked = python.arg(data("check_written.py")).arg(data("made")).arg(&folder).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        checked.status.success(),
        "{}{}",
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
}

/// The Python that `PICKLEVM_PYTHON` names, or a `python3.13` that runs, in the path or in pyenv.
fn python() -> Option<Command> {
    let named = std::env::var_os("PICKLEVM_PYTHON").unwrap_or("python3.13".into());
    ["", "3.13", "3.13.0"].into_iter().find_map(|version| {
        let command = || {
            let mut command = Command::new(&named);
            if !version.is_empty() {
                command.env("PYENV_VERSION", version);
            }
            command
        };
        let runs = command().args(["-c", ""]).output().is_ok_and(|run| run.status.success());
        runs.then(command)
    })
}

#[test]
fn members_of_a_checkpoint_stay_aligned_to_64_bytes() {
    let file = picklevm_files::open(data("libraries/torch-1.13.pt")).unwrap();
    let places = |file: &File| -> Vec<_> {
        file.root().open().unwrap().members().iter().filter_map(|member| member.place()).collect()
    };
    assert!(places(&file).iter().all(|place| place.offset % 64 == 0));
    let written = from(replaced(&file, NEW).unwrap());
    assert!(places(&written).iter().all(|place| place.offset % 64 == 0));
    assert_eq!(only(&written).bytes().unwrap(), NEW);
}

#[test]
fn a_joblib_file_with_arrays_in_it_cannot_be_written_back() {
    let file = picklevm_files::open(data("libraries/joblib-1.4.2.joblib")).unwrap();
    let error = replaced(&file, NEW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
}

#[test]
fn lzma_members_of_a_zip_can_only_be_read_and_the_error_says_so() {
    let file = made("zip-methods.zip");
    assert!(file.pickles().all(|pickle| pickle.is_ok()));
    let error = replaced(&file, NEW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert!(error.to_string().contains("lzma members of zip archives can only be read"), "{error}");
}

#[test]
fn a_script_is_written_with_all_its_slots_or_not_at_all() {
    let mut first = true;
    let mut out = Vec::new();
    let result = made("script.rpyc")
        .rewrite::<Error>(&mut out, |_, _| Ok(std::mem::take(&mut first).then(|| vec![Bytes::from_static(NEW)])));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::ReadOnly);
    assert!(out.is_empty());
}

#[test]
fn the_index_of_an_archive_can_change_and_its_files_cannot() {
    let file = made("rpa-3.rpa");
    let mut out = Vec::new();
    let written = file.rewrite::<Error>(&mut out, |member, _| {
        Ok(member.path().is_empty().then(|| vec![Bytes::from_static(b"\x80\x02}.")]))
    });
    written.unwrap();
    assert_eq!(from(out).pickles().flatten().count(), 1);
    assert_eq!(replaced(&file, NEW).unwrap_err().kind(), ErrorKind::ReadOnly);
}
