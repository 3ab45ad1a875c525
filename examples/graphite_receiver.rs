//! Sender and receiver of Graphite's pickle protocol: batches of metrics, `[(path, (timestamp, value)), ...]`, each a
//! pickle with a four-byte length prefix.
//!
//!     cargo run --example graphite_receiver                    sends a few batches to itself
//!     cargo run --example graphite_receiver 127.0.0.1:2004     receives what carbon clients send, and prints it
//!
//! To copy it, take `support/frames.rs` too; it needs no other crate.
//!
//! The Python side, from Graphite's documentation:
//!
//!     payload = pickle.dumps([(path, (timestamp, value)), ...], protocol=2)
//!     connection.sendall(struct.pack("!L", len(payload)) + payload)
//!
//! Input is untrusted. A batch is plain data, so any class or function in it is an error. Invalid input costs the
//! sender its batch or its connection, and does not affect others.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use picklevm::{Deny, Encoding, Error, ErrorHandler, Graph, Limits, Pickler, Protocol, Unpickler};

#[path = "support/frames.rs"]
mod frames;

/// Maximum size of a pickle in bytes, as in carbon.
const MAX_PICKLE: u32 = 1 << 20;
/// Maximum total size of the paths of a batch in bytes.
const MAX_PATHS: usize = 8 << 20;

/// A value of a time series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) path: String,
    /// Seconds since 1970.
    pub(crate) timestamp: f64,
    pub(crate) value: f64,
}

/// Returns an unpickler for untrusted batches.
pub(crate) fn unpickler() -> Unpickler {
    // Python 2 sends paths as 8-bit strings.
    Unpickler::new()
        .resolver(Deny)
        .encoding(Encoding::Utf8)
        .errors(ErrorHandler::Replace)
        .limits(Limits::untrusted().nodes(1 << 20).memo(1 << 20))
}

/// Reads the metrics of one pickle.
pub(crate) fn read_batch(unpickler: &Unpickler, pickle: &[u8]) -> picklevm::Result<Vec<Metric>> {
    let graph = unpickler.loads(pickle)?;
    let batch: Vec<(&str, (f64, f64))> = graph.root().try_into()?;
    // Many metrics of a pickle can share one path, and each metric gets a copy.
    if batch.iter().map(|(path, _)| path.len()).sum::<usize>() > MAX_PATHS {
        return Err(Error::other(format!("paths of more than {MAX_PATHS} bytes")));
    }
    Ok(batch.into_iter().map(|(path, (timestamp, value))| Metric { path: path.to_owned(), timestamp, value }).collect())
}

/// Receives the batches of a connection until it ends. An invalid batch is passed to `batch` as an error, and reading
/// continues after its length.
pub(crate) fn receive(connection: impl Read, mut batch: impl FnMut(picklevm::Result<Vec<Metric>>)) -> io::Result<()> {
    let (mut connection, unpickler) = (BufReader::new(connection), unpickler());
    while let Some(pickle) = frames::read_frame(&mut connection, MAX_PICKLE)? {
        batch(read_batch(&unpickler, &pickle));
    }
    Ok(())
}

/// Sends one batch, at protocol 2 as in Graphite's documentation.
pub(crate) fn send(connection: &mut impl Write, metrics: &[Metric]) -> Result<(), Box<dyn std::error::Error>> {
    let batch: Vec<_> = metrics.iter().map(|m| (m.path.as_str(), (m.timestamp, m.value))).collect();
    let pickle = Pickler::new().protocol(Protocol::V2).dumps(Graph::from(batch).root())?;
    frames::write_frame(connection, &pickle)?;
    Ok(())
}

/// Receives and prints batches until the program is stopped.
fn listen(address: &str) -> io::Result<()> {
    frames::serve(address, |connection| {
        receive(connection, |batch| match batch {
            Ok(metrics) => metrics.iter().for_each(|m| println!("{} {} {}", m.path, m.value, m.timestamp)),
            Err(error) => eprintln!("invalid batch: {error}"),
        })
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(address) = std::env::args().nth(1) {
        return Ok(listen(&address)?);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (sender, batches) = mpsc::channel();
    let receiver = thread::spawn(move || {
        // Serve connections one after the other and collect their results.
        let serve = |connection: io::Result<TcpStream>| receive(connection?, |batch| drop(sender.send(batch)));
        listener.incoming().take(2).map(serve).collect::<Vec<_>>()
    });

    let metrics: Vec<_> = (0..3)
        .map(|n| Metric {
            path: format!("servers.web{n}.load"),
            timestamp: 1_700_000_000.0 + f64::from(n),
            value: 0.25 * f64::from(n),
        })
        .collect();
    let mut connection = TcpStream::connect(address)?;
    send(&mut connection, &metrics)?;
    assert_eq!(batches.recv()??, metrics);
    println!("received {} metrics", metrics.len());

    // An invalid batch does not affect the next one.
    let attack = b"cposix\nsystem\n(S'echo pwned'\ntR.";
    frames::write_frame(&mut connection, attack)?;
    let error = batches.recv()?.expect_err("it names a function");
    println!("refused: {error}");
    assert_eq!(error.found(), "posix.system");
    // Deeply nested lists are just a value of the wrong type.
    let deep = [&[b']'; 1 << 18][..], &[b'a'; (1 << 18) - 1], b"."].concat();
    frames::write_frame(&mut connection, &deep)?;
    println!("refused: {}", batches.recv()?.expect_err("it is not a batch"));
    // One long path shared by a hundred thousand metrics would be copied to fifty gigabytes.
    let mut bomb = Graph::new();
    let metric = picklevm::value!(in bomb, ("x".repeat(1 << 19), (0, 0)));
    bomb.set_root(vec![metric; 100_000]);
    frames::write_frame(&mut connection, &picklevm::dumps(bomb.root())?)?;
    println!("refused: {}", batches.recv()?.expect_err("it is a bomb"));
    send(&mut connection, &metrics[..1])?;
    assert_eq!(batches.recv()??, metrics[..1]);
    drop(connection);

    // A claimed length of four gigabytes ends the connection, not the receiver.
    TcpStream::connect(address)?.write_all(&u32::MAX.to_be_bytes())?;
    let ends = receiver.join().map_err(|_| "the receiver panicked")?;
    assert!(ends[0].is_ok());
    let error = ends[1].as_ref().expect_err("it claims too much");
    println!("refused: {error}");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    Ok(())
}
