//! Output files, devices and terminals.

use std::fs;
use std::process::Stdio;

use crate::support::{COMMANDS, SESSIONS, command, picklevm, text};

#[test]
fn an_output_file_appears_when_it_is_complete() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("out");
    let path = out.to_str().expect("a path");
    for command in ["dis", "optimize", "repickle"] {
        fs::write(&out, "before").expect("it can be written");
        assert_eq!(picklevm(&[command, "Cargo.toml", "-o", path]).status.code(), Some(1));
        assert_eq!(fs::read(&out).expect("it is there"), b"before", "{command}");
        assert!(picklevm(&[command, SESSIONS[1], "-o", path]).status.success());
        assert_eq!(fs::read(&out).expect("it is there"), picklevm(&[command, SESSIONS[1]]).stdout, "{command}");
    }
    assert_eq!(fs::read_dir(&dir).expect("a directory").count(), 1, "nothing is left beside it");
}

#[cfg(unix)]
#[test]
fn an_output_that_is_no_file_is_written_as_it_is() {
    assert!(picklevm(&["optimize", SESSIONS[1], "-o", "/dev/null"]).status.success());
    assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
}

#[test]
fn an_output_that_cannot_be_made_says_why_and_names_no_temporary_file() {
    for command in ["dis", "optimize", "repickle"] {
        let output = picklevm(&[command, SESSIONS[1], "-o", "no/such/directory/out"]);
        assert_eq!(output.status.code(), Some(1));
        let message = "picklevm: no/such/directory/out: cannot write: the directory no/such/directory does not exist\n";
        assert_eq!(text(&output.stderr), message);
        let output = picklevm(&[command, SESSIONS[1], "-o", "Cargo.toml/out"]);
        assert_eq!(text(&output.stderr), "picklevm: Cargo.toml/out: cannot write: Cargo.toml is not a directory\n");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_blamed_on_the_output() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("long.pkl");
    // Longer than what is gathered before it is written.
    fs::write(&path, [&b"](("[..], &b"K\x01".repeat(50_000), b"le."].concat()).expect("it can be written");
    let path = path.to_str().expect("a path");
    for args in COMMANDS {
        let full = fs::File::options().write(true).open("/dev/full").expect("a full device");
        let mut command = command(&[args, &[path]].concat());
        let output = command.stdout(full).stderr(Stdio::piped()).output().expect("it runs");
        let message = "picklevm: <stdout>: cannot write: No space left on device (os error 28)\n";
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), message), "{args:?}");
    }
    for command in ["dis", "optimize", "repickle"] {
        let output = picklevm(&[command, path, "-o", "/dev/full"]);
        let message = "picklevm: /dev/full: cannot write: No space left on device (os error 28)\n";
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), message), "{command:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_pickle_is_written_to_a_terminal_unless_that_is_asked_for() {
    // script(1) runs a command on a terminal of its own.
    let on_a_terminal = |args: &str| {
        let line = format!("{} {args}", env!("CARGO_BIN_EXE_picklevm"));
        std::process::Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .current_dir(picklevm_testing::root())
            .output()
    };
    for command in ["optimize", "repickle"] {
        let Ok(refused) = on_a_terminal(&format!("{command} {}", SESSIONS[0])) else {
            eprintln!("SKIPPED: script(1) is not installed");
            return;
        };
        assert_eq!(refused.status.code(), Some(2), "{command}");
        assert!(text(&refused.stdout).contains("found a terminal; use -o FILE"), "{}", text(&refused.stdout));
        let written = on_a_terminal(&format!("{command} -o - {}", SESSIONS[0])).expect("it runs");
        assert_eq!(written.status.code(), Some(0), "{command}");
    }
    let nothing = on_a_terminal("show").expect("it runs");
    assert_eq!(nothing.status.code(), Some(2));
    assert!(text(&nothing.stdout).contains("expected a FILE, found none"), "{}", text(&nothing.stdout));
}
