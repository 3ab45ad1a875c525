//! Files of NumPy 1.11 to 2.5, pandas 0.20 to 3.1, SciPy and PyTorch, against what these libraries found in them
//! (`expected.tsv`), and what must be refused.

mod expected;
mod formats;
mod hostile;
mod json;
#[cfg(feature = "parquet")]
mod pandas_metadata;
mod stored;
mod way_back;

use bytes::Bytes;
use picklevm::{Graph, Unpickler};
use picklevm_data::{Reader, SelfContained, Source, torch::Checkpoint};

/// The bytes of a file of `tests/data/arrays`.
fn data(name: &str) -> Bytes {
    let path = picklevm_testing::root().join("tests/data/arrays").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

/// A graph and the storages that it refers to.
struct Loaded {
    graph: Graph,
    source: Box<dyn Source>,
}

impl Loaded {
    fn reader(&self) -> Reader<'_, '_> {
        Reader::new(self.graph.root(), &*self.source)
    }
}

fn load(name: &str) -> Loaded {
    let data = data(name);
    if name.ends_with(".pt") {
        let checkpoint = Checkpoint::open(data).unwrap();
        return Loaded { graph: checkpoint.graph().clone(), source: Box::new(checkpoint) };
    }
    Loaded { graph: Unpickler::new().load_bytes(data).unwrap(), source: Box::new(SelfContained) }
}
