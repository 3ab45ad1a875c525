//! Pickles a text file reader between lines: the example "Handling Stateful Objects" of the documentation of Python's
//! pickle module.
//!
//! An open file cannot be pickled, but its name and the number of the last line can. Loading reopens the file and
//! continues after that line.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use picklevm::{
    Call, Construct, Error, Graph, Id, NativeObject, ReduceContext, Registry, Resolver, Result, Standard, Unpickler,
    Value,
};

/// The class of the documentation: prints and numbers the lines of a text file.
#[derive(Debug)]
struct TextReader {
    filename: String,
    lineno: u64,
    /// `None` until the state is set.
    file: Option<BufReader<File>>,
}

impl TextReader {
    /// `__init__`: opens the file.
    fn open(filename: &str) -> io::Result<TextReader> {
        let file = BufReader::new(File::open(filename)?);
        Ok(TextReader { filename: filename.to_owned(), lineno: 0, file: Some(file) })
    }

    fn readline(&mut self) -> io::Result<Option<String>> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let mut line = String::new();
        if file.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        self.lineno += 1;
        Ok(Some(format!("{}: {}", self.lineno, line.trim_end_matches('\n'))))
    }
}

impl NativeObject for TextReader {
    /// `__getstate__`: all attributes but the file.
    fn reduce(&self, value: &mut ReduceContext<'_>) -> Result<Id> {
        let object = value.instance("__main__", "TextReader");
        object.attr("filename", &self.filename).attr("lineno", self.lineno).build()
    }

    /// `__setstate__`: opens the file and reads until the line count is restored.
    fn set_state(&mut self, state: Value<'_>) -> Result<()> {
        let mut reader = TextReader::open(state.at("filename").try_into()?).map_err(Error::other)?;
        let lineno: u64 = state.at("lineno").try_into()?;
        while reader.lineno < lineno && reader.readline().map_err(Error::other)?.is_some() {}
        *self = reader;
        Ok(())
    }
}

impl Construct for TextReader {
    /// `__new__`, called before `__setstate__`.
    fn construct(call: &Call<'_>) -> Result<Self> {
        let [] = call.args_array()?;
        Ok(TextReader { filename: String::new(), lineno: 0, file: None })
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("picklevm-text-reader-{}.txt", std::process::id()));
    std::fs::write(&path, "Hello world!\nI am line number two.\nGoodbye!\n")?;
    let done = read_and_pickle(path.to_str().ok_or("the path is not Unicode")?);
    std::fs::remove_file(&path)?;
    done
}

fn read_and_pickle(path: &str) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut reader = TextReader::open(path)?;
    let lines = [reader.readline()?, reader.readline()?];
    assert_eq!(lines.each_ref().map(Option::as_deref), [Some("1: Hello world!"), Some("2: I am line number two.")]);

    // new_reader = pickle.loads(pickle.dumps(reader))
    let mut graph = Graph::new();
    let live = graph.native_object(reader);
    graph.set_root(live);
    let pickle = picklevm::dumps(graph.root())?;
    println!("{:?}", picklevm::loads(&pickle)?.root());

    let mut registry = Registry::new();
    registry.class::<TextReader>("__main__.TextReader");
    let unpickler = Unpickler::new().resolver(registry.or(Standard));
    let mut graph = unpickler.loads(&pickle)?;
    let root = graph.root().id();
    let new_reader: &mut TextReader = graph.native_mut(root)?.ok_or("no reader")?;
    let line = new_reader.readline()?;
    println!("{}", line.as_deref().unwrap_or_default());
    assert_eq!(line.as_deref(), Some("3: Goodbye!"));
    assert_eq!(new_reader.readline()?, None);

    // A missing file is an error that names the class.
    let mut elsewhere = picklevm::loads(&pickle)?;
    elsewhere.root_mut().set_attr("filename", "/nowhere/hello.txt")?;
    let Err(error) = unpickler.loads(picklevm::dumps(elsewhere.root())?) else { panic!("a missing file was opened") };
    println!("{error}");
    assert_eq!(error.kind(), picklevm::ErrorKind::Resolver);
    Ok(())
}
