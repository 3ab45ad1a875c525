//! Receives log records and metrics from Python on Tokio, with the codecs of `picklevm::codec`.
//!
//!     cargo run --example tokio_receiver                                  receives what it sends to itself
//!     cargo run --example tokio_receiver 127.0.0.1:9020 127.0.0.1:2004    receives from Python programs, and prints it
//!
//! The Python side of the first address is `logging.handlers.SocketHandler("127.0.0.1", 9020)`, that of the second a
//! client of Graphite: `sendall(struct.pack("!L", len(payload)) + payload)` of a pickled `[(path, (timestamp, value))]`.
//! `log_receiver.rs` and `graphite_receiver.rs` do the same with threads and no other crate.

use std::future::Future;

use picklevm::codec::{PickleCodec, PickleFrames};
use picklevm::{Deny, Encoding, ErrorHandler, Graph, Limits, Unpickler};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::StreamExt;
use tokio_util::codec::{Encoder, FramedRead};

/// Maximum size of a pickle in bytes.
const MAX_PICKLE: u32 = 1 << 20;

/// Returns the codec of both protocols. Python 2 sends 8-bit strings, usually in UTF-8.
fn codec() -> PickleCodec {
    let unpickler = Unpickler::new()
        .limits(Limits::untrusted())
        .encoding(Encoding::Utf8)
        .errors(ErrorHandler::BackslashReplace)
        .resolver(Deny);
    PickleCodec::length_prefixed().max_len(MAX_PICKLE).unpickler(unpickler)
}

/// Receives the log records of a connection until it ends, as lines. One that cannot be loaded is an error of its own.
pub(crate) async fn receive_records(
    connection: impl AsyncRead + Unpin,
    mut record: impl FnMut(picklevm::Result<String>),
) -> picklevm::Result<()> {
    // Records may hold instances of any class, which are data here.
    let mut records = FramedRead::new(connection, codec().unpickler(unpickler_of_records()));
    while let Some(graph) = records.next().await {
        record(graph?.and_then(|graph| line_of(&graph)));
    }
    Ok(())
}

fn unpickler_of_records() -> Unpickler {
    Unpickler::new().limits(Limits::untrusted()).encoding(Encoding::Utf8).errors(ErrorHandler::BackslashReplace)
}

fn line_of(record: &Graph) -> picklevm::Result<String> {
    let text = |key| record.root().at(key).to::<String>();
    Ok(format!("{} {} {}", text("levelname")?, text("name")?, text("msg")?))
}

/// A metric of Graphite: path, seconds since 1970, value.
pub(crate) type Metric = (String, (f64, f64));

/// Receives the batches of a connection until it ends.
pub(crate) async fn receive_metrics(
    connection: impl AsyncRead + Unpin,
    mut batch: impl FnMut(picklevm::Result<Vec<Metric>>),
) -> picklevm::Result<()> {
    let mut batches = FramedRead::new(connection, codec());
    while let Some(graph) = batches.next().await {
        batch(graph?.and_then(|graph| graph.root().to()));
    }
    Ok(())
}

/// Accepts connections and serves each in a task of its own, until the program is stopped.
async fn serve<F>(address: &str, serve_one: impl Fn(TcpStream) -> F) -> std::io::Result<()>
where
    F: Future<Output = picklevm::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (connection, _) = listener.accept().await?;
        let served = serve_one(connection);
        tokio::spawn(async move {
            served.await.unwrap_or_else(|error| eprintln!("connection ended: {error}"));
        });
    }
}

fn print<T>(item: picklevm::Result<T>, show: impl Fn(T)) {
    item.map_or_else(|error| eprintln!("invalid: {error}"), show);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addresses: Vec<String> = std::env::args().skip(1).collect();
    if let [records, metrics] = &addresses[..] {
        let records = serve(records, |connection| {
            receive_records(connection, |record| print(record, |record| println!("{record}")))
        });
        let metrics = serve(metrics, |connection| {
            receive_metrics(connection, |batch| {
                print(batch, |batch| batch.iter().for_each(|(path, (time, value))| println!("{path} {value} {time}")));
            })
        });
        tokio::try_join!(records, metrics)?;
        return Ok(());
    }

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let sender = async move {
        let mut sent = bytes::BytesMut::new();
        let batch = vec![("servers.web1.load", (1.7e9, 0.25)), ("servers.web2.load", (1.7e9, 0.5))];
        codec().encode(Graph::from(batch), &mut sent)?;
        // It names a function, so it is refused; the next batch is read.
        PickleFrames::length_prefixed().encode(b"cposix\nsystem\n(S'echo pwned'\ntR.", &mut sent)?;
        codec().encode(Graph::from(vec![("servers.web3.load", (1.7e9, 1.0))]), &mut sent)?;
        let mut connection = TcpStream::connect(address).await?;
        // In small parts, as a slow network delivers them.
        for part in sent.chunks(7) {
            connection.write_all(part).await?;
        }
        picklevm::Result::Ok(())
    };
    let mut batches = Vec::new();
    let receiver = async {
        let (connection, _) = listener.accept().await?;
        receive_metrics(connection, |batch| batches.push(batch)).await
    };
    tokio::try_join!(sender, receiver)?;

    let [first, refused, last] = &batches[..] else { return Err(format!("{} batches", batches.len()).into()) };
    let (first, last) = (first.as_ref().expect("a batch"), last.as_ref().expect("a batch"));
    assert_eq!((first.len(), first[1].0.as_str(), last[0].1), (2, "servers.web2.load", (1.7e9, 1.0)));
    let refused = refused.as_ref().expect_err("it names a function");
    println!("received {} metrics; refused: {refused}", first.len() + last.len());
    assert_eq!(refused.found(), "posix.system");
    Ok(())
}
