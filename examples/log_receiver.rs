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
//! Each record is a pickle behind its length in four bytes: the `__dict__` of a `LogRecord`. What a program adds with
//! `extra=` may be an instance of any class; it stays a name with its data, and nothing is run.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use picklevm::{Encoding, ErrorHandler, Graph, Limits, Unpickler, Value};

#[path = "support/frames.rs"]
mod frames;

/// A record takes this many bytes at the most.
const MOST: u32 = 1 << 20;

/// The attributes of a `LogRecord` that are asked for most, and all of them beside.
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
    /// `logging.makeLogRecord`.
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

    /// Any attribute; `None` of Python for one that is not there.
    pub(crate) fn attribute(&self, name: &str) -> Value<'_> {
        self.attributes.root().at(name)
    }
}

/// The cookbook's `"%(relativeCreated)5d %(name)-15s %(levelname)-8s %(message)s"`, and the traceback.
impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Record { name, level_name, message, traceback, .. } = self;
        write!(f, "{:5} {name:-15} {level_name:-8} {message}", self.relative_created as u64)?;
        traceback.as_ref().map_or(Ok(()), |traceback| write!(f, "\n{traceback}"))
    }
}

/// Receives the records of a connection until it ends; what is no record is handed over as an error.
pub(crate) fn receive(connection: impl Read, mut record: impl FnMut(picklevm::Result<Record>)) -> io::Result<()> {
    // Python 2 logs 8-bit strings, in UTF-8 as a rule.
    let unpickler =
        Unpickler::new().limits(Limits::untrusted()).encoding(Encoding::Utf8).errors(ErrorHandler::BackslashReplace);
    let mut connection = BufReader::new(connection);
    while let Some(pickle) = frames::read_frame(&mut connection, MOST)? {
        record(Record::read(&unpickler, &pickle));
    }
    Ok(())
}

/// Receives and prints until it is ended.
fn listen(address: &str) -> io::Result<()> {
    frames::serve(address, |connection| {
        receive(connection, |record| match record {
            Ok(record) => println!("{record}"),
            Err(error) => eprintln!("no record: {error}"),
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
