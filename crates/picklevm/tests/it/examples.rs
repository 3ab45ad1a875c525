//! The examples that talk to Python, held against Python's own ends. Skipped, and said so, where there is none.

#[allow(dead_code, reason = "its main is not called")]
#[path = "../../../../examples/django_session.rs"]
mod django_session;
#[allow(dead_code, reason = "its main is not called")]
#[path = "../../../../examples/graphite_receiver.rs"]
mod graphite_receiver;
#[allow(dead_code, reason = "its main is not called")]
#[path = "../../../../examples/log_receiver.rs"]
mod log_receiver;
#[allow(dead_code, reason = "its main is not called")]
#[path = "../../../../examples/tokio_receiver.rs"]
mod tokio_receiver;

use std::net::TcpListener;
use std::path::Path;

use picklevm_testing::python;

/// Runs a script with the host and port of a listener, and receives its one connection meanwhile.
fn receive_from(python: &Path, script: &str, args: &[&str], receive: impl FnOnce(std::net::TcpStream)) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let args: Vec<&std::ffi::OsStr> = args.iter().copied().chain([&host[..], &port]).map(AsRef::as_ref).collect();
    std::thread::scope(|scope| {
        // If the script fails before it connects, waiting for it would not end.
        let client = scope.spawn(|| {
            let _connected = ConnectsAtEnd(address);
            python::run(python, script, &args)
        });
        receive(listener.accept().expect("a connection").0);
        client.join().expect("the script ran");
    });
}

/// Connects when it is dropped, so that whoever waits for a connection goes on.
struct ConnectsAtEnd(std::net::SocketAddr);

impl Drop for ConnectsAtEnd {
    fn drop(&mut self) {
        drop(std::net::TcpStream::connect(self.0));
    }
}

#[test]
fn metrics_are_received_from_every_python() {
    for python in python::every("metrics_are_received_from_every_python") {
        let mut batches = Vec::new();
        receive_from(&python, "graphite_client.py", &[], |connection| {
            graphite_receiver::receive(connection, |batch| batches.push(batch)).expect("whole frames");
        });
        let batches: Vec<_> = batches.into_iter().map(|batch| batch.expect("a batch")).collect();
        let [first, second] = &batches[..] else { panic!("{} batches", batches.len()) };
        let metric = |path: &str, timestamp, value| graphite_receiver::Metric { path: path.into(), timestamp, value };
        let name = python.display();
        assert_eq!(
            first[..],
            [metric("servers.web1.load", 1.7e9, 0.25), metric("servers.zoë.load", 1_700_000_001.5, 3.0)],
            "{name}"
        );
        assert_eq!(second.len(), 1000, "{name}");
        assert_eq!(second[999], metric("servers.web999.requests", 1_700_000_999.0, 998_001.0), "{name}");
    }
}

#[test]
fn log_records_are_received_from_every_python() {
    for python in python::every("log_records_are_received_from_every_python") {
        let mut records = Vec::new();
        receive_from(&python, "../../examples/data/make_log_records.py", &["--send"], |connection| {
            log_receiver::receive(connection, |record| records.push(record)).expect("whole frames");
        });
        let records: Vec<_> = records.into_iter().map(|record| record.expect("a record")).collect();
        let messages: Vec<_> = records.iter().map(|record| (&record.level_name[..], &record.message[..])).collect();
        assert_eq!(
            messages,
            [
                ("INFO", "Jackdaws love my big sphinx of quartz."),
                ("DEBUG", "Quick zephyrs blow, vexing daft Jim."),
                ("WARNING", "3 dogs jump over Zoë"),
                ("ERROR", "The five boxing wizards jump quickly."),
            ],
            "{}",
            python.display()
        );
        assert_eq!(records[2].attribute("user").as_str(), Some("Zoë"));
        let traceback = records[3].traceback.as_ref().expect("a traceback");
        assert!(traceback.contains("myapp.py") && traceback.contains("ZeroDivisionError"), "{traceback}");
    }
}

/// Runs a future on a connection until it ends.
fn on_tokio<F: Future>(connection: std::net::TcpStream, receive: impl FnOnce(tokio::net::TcpStream) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        connection.set_nonblocking(true).expect("a socket");
        receive(tokio::net::TcpStream::from_std(connection).expect("a socket")).await
    })
}

#[test]
fn metrics_and_log_records_of_every_python_are_received_on_tokio() {
    for python in python::every("metrics_and_log_records_of_every_python_are_received_on_tokio") {
        let name = python.display();
        let mut batches = Vec::new();
        receive_from(&python, "graphite_client.py", &[], |connection| {
            on_tokio(connection, |connection| {
                tokio_receiver::receive_metrics(connection, |batch| batches.push(batch.expect("a batch")))
            })
            .expect("whole frames");
        });
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1000], "{name}");
        assert_eq!(batches[0][1], ("servers.zoë.load".to_owned(), (1_700_000_001.5, 3.0)), "{name}");

        let mut records = Vec::new();
        receive_from(&python, "../../examples/data/make_log_records.py", &["--send"], |connection| {
            on_tokio(connection, |connection| {
                tokio_receiver::receive_records(connection, |record| records.push(record.expect("a record")))
            })
            .expect("whole frames");
        });
        assert_eq!(records[2], "WARNING myapp.area1 3 dogs jump over Zoë", "{name}");
    }
}

#[test]
fn python_accepts_a_session_that_was_changed() {
    let Some(reference) = python::reference("python_accepts_a_session_that_was_changed") else { return };
    let (secret, signed) = ("not a secret", include_str!("../../../../examples/data/django-session.txt").trim_end());
    let changed = django_session::change(secret, signed).expect("Django signed it");
    let read = python::run(&reference, "read_session.py", &[secret.as_ref(), changed.as_ref()]).stdout;
    assert_eq!(
        String::from_utf8_lossy(&read).trim_end(),
        "{'_auth_user_id': '42', '_auth_user_backend': 'django.contrib.auth.backends.ModelBackend', \
         'cart': [{'sku': 'A-1', 'qty': 2, 'price': Decimal('9.99')}, \
         {'sku': 'B-7', 'qty': 3, 'price': Decimal('0.50')}], \
         'last_seen': datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc), \
         'checked_by': 'picklevm'}"
    );
}
