//! Receives log records that Python programs send with `logging.handlers.SocketHandler`: the receiver of the Logging
//! Cookbook's "Sending and receiving logging events across a network".
//!
//!     cargo run --example log_receiver                    receives records that Python 2.7 and 3.13 sent
//!     cargo run --example log_receiver 127.0.0.1:9020     receives what Python programs send, and prints it
//!
//! To copy it, take `support/frames.rs` and `data/log-records-*` too; it needs no other crate.
//!
//! The Python side is one line:
//!
//!     logging.getLogger().addHandler(logging.handlers.SocketHandler("127.0.0.1", 9020))
//!
//! Each record is a pickle with a four-byte length prefix: the `__dict__` of a `LogRecord`. Attributes added with
//! `extra=` may be instances of any class. They are loaded as data, and no code runs.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use picklevm::{Encoding, ErrorHandler, Graph, Limits, Unpickler, Value};

#[path = "support/frames.rs"]
mod frames;

/// Maximum size of a record in bytes.
const MAX_RECORD: u32 = 1 << 20;

/// The most important attributes of a `LogRecord`, and a graph of all attributes.
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) level: u32,
    pub(crate) level_name: String,
    pub(crate) message: String,
    /// Seconds since 1970.
    pub(crate) created: f64,
    /// Milliseconds since the logging module was loaded.
    pub(crate) relative_created: f64,
    pub(crate) traceback: Option<String>,
    attributes: Graph,
}

impl Record {
    /// Reads a record, like `logging.makeLogRecord`.
    pub(crate) fn read(unpickler: &Unpickler, pickle: &[u8]) -> picklevm::Result<Record> {
        let attributes = unpickler.loads(pickle)?;
        let record = attributes.root();
        Ok(Record {
            name: record.at("name").try_into()?,
            level: record.at("levelno").try_into()?,
            level_name: record.at("levelname").try_into()?,
            message: record.at("msg").try_into()?,
            created: record.at("created").try_into()?,
            relative_created: record.at("relativeCreated").try_into()?,
            traceback: record.at("exc_text").as_str().map(str::to_owned),
            attributes,
        })
    }

    /// Returns any attribute, or Python's `None` if it is missing.
    pub(crate) fn attribute(&self, name: &str) -> Value<'_> {
        self.attributes.root().at(name)
    }
}

/// Formats like the cookbook's `"%(relativeCreated)5d %(name)-15s %(levelname)-8s %(message)s"`, with the traceback.
impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Record { name, level_name, message, traceback, .. } = self;
        write!(f, "{:5} {name:-15} {level_name:-8} {message}", self.relative_created as u64)?;
        traceback.as_ref().map_or(Ok(()), |traceback| write!(f, "\n{traceback}"))
    }
}

/// Receives the records of a connection until it ends. An invalid record is passed to `record` as an error.
pub(crate) fn receive(connection: impl Read, mut record: impl FnMut(picklevm::Result<Record>)) -> io::Result<()> {
    // Python 2 logs 8-bit strings, usually in UTF-8.
    let unpickler =
        Unpickler::new().limits(Limits::untrusted()).encoding(Encoding::Utf8).errors(ErrorHandler::BackslashReplace);
    let mut connection = BufReader::new(connection);
    while let Some(pickle) = frames::read_frame(&mut connection, MAX_RECORD)? {
        record(Record::read(&unpickler, &pickle));
    }
    Ok(())
}

/// Receives and prints records until the program is stopped.
fn listen(address: &str) -> io::Result<()> {
    frames::serve(address, |connection| {
        receive(connection, |record| match record {
            Ok(record) => println!("{record}"),
            Err(error) => eprintln!("invalid record: {error}"),
        })
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(address) = std::env::args().nth(1) {
        return Ok(listen(&address)?);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let sender = thread::spawn(move || {
        for sent in
            [&include_bytes!("data/log-records-python2.7.bin")[..], include_bytes!("data/log-records-python3.13.bin")]
        {
            TcpStream::connect(address)?.write_all(sent)?;
        }
        io::Result::Ok(())
    });
    for connection in listener.incoming().take(2) {
        let mut records = Vec::new();
        receive(connection?, |record| records.push(record))?;
        let records = records.into_iter().collect::<picklevm::Result<Vec<_>>>()?;
        records.iter().for_each(|record| println!("{record}"));

        let [info, debug, warning, error] = &records[..] else { panic!("{} records", records.len()) };
        assert_eq!((&info.name[..], &info.message[..]), ("root", "Jackdaws love my big sphinx of quartz."));
        assert_eq!((debug.level, &debug.level_name[..]), (10, "DEBUG"));
        assert_eq!(warning.message, "3 dogs jump over Zoë");
        assert_eq!(warning.attribute("user").as_str(), Some("Zoë"));
        assert!(error.traceback.as_ref().is_some_and(|text| text.contains("ZeroDivisionError")));
        assert!(info.created <= error.created);
    }
    Ok(sender.join().map_err(|_| "the sender panicked")??)
}
