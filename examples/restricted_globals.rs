//! Restricts the globals of a pickle: the example "Restricting Globals" of the documentation of Python's pickle module.
//!
//! An allowlist contains a few safe names of `builtins`; every other name is an error. Nothing would run in any case,
//! since loading calls only registered functions. The allowlist is for programs that pass on the loaded graph.

use picklevm::{ErrorKind, Graph, Resolver, Standard, Unpickler};

/// `safe_builtins` of the documentation.
const SAFE: [&str; 5] = ["builtins.range", "builtins.complex", "builtins.set", "builtins.frozenset", "builtins.slice"];

/// `restricted_loads` of the documentation.
fn restricted_loads(pickle: &[u8]) -> picklevm::Result<Graph> {
    Unpickler::new().resolver(Standard.allow_only(SAFE)).loads(pickle)
}

fn main() -> picklevm::Result<()> {
    // pickle.dumps([1, 2, range(15)])
    let benign =
        b"\x80\x04\x95$\0\0\0\0\0\0\0]\x94(K\x01K\x02\x8c\x08builtins\x94\x8c\x05range\x94\x93\x94K\0K\x0fK\x01\
        \x87\x94R\x94e.";
    let graph = restricted_loads(benign)?;
    println!("{:?}", graph.root());
    assert_eq!(format!("{:?}", graph.root()), "[1, 2, range(0, 15)]");

    let attacks: [(&[u8], &str); 3] = [
        (b"cos\nsystem\n(S'echo hello world'\ntR.", "os.system"),
        (b"cbuiltins\neval\n(S'getattr(__import__(\"os\"), \"system\")(\"echo hello world\")'\ntR.", "builtins.eval"),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x10echo hello world\x85R.", "posix.system"),
    ];
    for (pickle, name) in attacks {
        let Err(error) = restricted_loads(pickle) else { panic!("{name} was not refused") };
        println!("{error}");
        assert_eq!(error.kind(), ErrorKind::Resolver);
        assert_eq!(error.found(), name);
    }
    Ok(())
}
