//! Pickles that CPython wrote, against what CPython's own machine makes of them.

use picklevm::{Symbolic, Unpickler, same_graph};
use picklevm_testing::{OneByte, assert_golden, root};

use crate::support::{Sample, corpus, graph_form, picklevm, picklevm_reading, text};

fn each(test: impl Fn(&Unpickler, &Sample)) {
    let unpickler = Unpickler::new().resolver(Symbolic);
    for (_, samples) in corpus() {
        for sample in &samples {
            test(&unpickler, sample);
        }
    }
}

#[test]
fn a_slice_makes_the_graph_that_python_makes() {
    each(|unpickler, Sample { name, pickle, graph }| {
        let loaded = unpickler.loads(pickle).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(graph_form(loaded.root()), *graph, "{name}");
    });
}

#[test]
fn shared_bytes_make_the_graph_that_python_makes() {
    each(|unpickler, Sample { name, pickle, graph }| {
        let loaded = unpickler.load_bytes(pickle.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(graph_form(loaded.root()), *graph, "{name}");
    });
}

#[test]
fn a_reader_of_one_byte_at_a_time_makes_the_graph_that_python_makes() {
    each(|unpickler, Sample { name, pickle, graph }| {
        let loaded = unpickler.load(OneByte(pickle)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(graph_form(loaded.root()), *graph, "{name}");
    });
}

#[test]
fn a_stream_makes_the_same_graphs_one_after_the_other() {
    let unpickler = Unpickler::new().resolver(Symbolic);
    for (bundle, samples) in corpus() {
        let all: Vec<u8> = samples.iter().flat_map(|sample| sample.pickle.iter().copied()).collect();
        let mut stream = unpickler.stream(OneByte(&all));
        for Sample { name, graph, .. } in &samples {
            let loaded = stream.next().expect("one more").unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(graph_form(loaded.root()), *graph, "{name}");
        }
        assert!(stream.next().is_none(), "{bundle}: more pickles than names");
    }
}

#[test]
fn a_reader_is_left_where_the_pickle_ends() {
    each(|unpickler, Sample { name, pickle, .. }| {
        let mut input = pickle.clone();
        input.extend(b"and more");
        let mut rest = &input[..];
        unpickler.load(&mut rest).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rest, b"and more", "{name}");
    });
}

#[test]
fn loading_twice_makes_the_same_graph() {
    each(|unpickler, Sample { name, pickle, .. }| {
        let graphs = [unpickler.loads(pickle), unpickler.load(OneByte(pickle))].map(|graph| graph.expect("it loads"));
        assert!(same_graph(graphs[0].root(), graphs[1].root()), "{name}");
    });
}

#[test]
fn every_truncation_is_an_error() {
    each(|unpickler, Sample { name, pickle, .. }| {
        for end in (0..pickle.len()).filter(|end| end % 7 == 0 || *end < 300) {
            let error = unpickler.loads(&pickle[..end]).map(drop);
            assert!(error.is_err(), "{name}: {end} of {} bytes are a pickle", pickle.len());
        }
    });
}

#[test]
fn from_json_gives_back_every_pickle_of_which_show_prints_the_json() {
    for (bundle, _) in corpus() {
        let path = format!("tests/data/corpus/{bundle}.pkl");
        let (writer, protocol) = bundle.rsplit_once("-p").expect("a protocol");
        let json = picklevm(&["show", "--json", "--all", &path]);
        assert!(json.status.success(), "{bundle}: {}", text(&json.stderr));
        let output = picklevm_reading(&["from-json", "-w", writer, "-p", protocol], &json.stdout);
        assert!(output.status.success(), "{bundle}: {}", text(&output.stderr));
        assert!(output.stdout == std::fs::read(root().join(path)).expect("a bundle"), "{bundle}");
    }
}

#[test]
fn serde_makes_the_plain_json_that_show_prints() {
    for (bundle, samples) in corpus() {
        // What has no form in JSON is an error of both.
        let (mut pickles, mut plain) = (Vec::new(), Vec::new());
        for Sample { pickle, .. } in &samples {
            let graph = Unpickler::new().loads(pickle).expect("a graph");
            if let Ok(json) = serde_json::to_string(&picklevm_data::json::PlainJson(graph.root())) {
                pickles.extend_from_slice(pickle);
                plain.push(json);
            }
        }
        let shown = picklevm_reading(&["show", "--json=plain", "--all"], &pickles);
        assert!(plain.len() > samples.len() / 2, "{bundle}: {} of {}", plain.len(), samples.len());
        assert!(text(&shown.stdout).lines().eq(&plain), "{bundle}: {}", text(&shown.stderr));
    }
}

#[test]
fn show_prints_what_it_printed_before() {
    for (bundle, samples) in corpus() {
        let path = root().join("tests/data/corpus").join(&bundle);
        let pickles = path.with_file_name(format!("{bundle}.pkl"));
        let output = crate::support::picklevm(&["show", "--all", pickles.to_str().expect("a path")]);
        assert!(output.status.success(), "{bundle}: {}", text(&output.stderr));
        assert_golden(&path.with_file_name(format!("{bundle}.show")), text(&output.stdout));
        assert!(!samples.is_empty());
    }
}
