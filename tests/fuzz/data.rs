//! Any bytes as a pickle or a file of PyTorch, and all arrays, tables and tensors in it: read, printed and written.

use picklevm::Unpickler;
use picklevm_data::pandas::DataFrame;
use picklevm_data::table::{Options, write_csv};
use picklevm_data::torch::Checkpoint;
use picklevm_data::{Item, Reader, SelfContained, Source, json};

use super::limits;

/// Rows and elements that are read: a few bytes may say that there are very many.
const MOST: usize = 1 << 14;

pub(crate) fn run(data: &[u8]) {
    if let Ok(graph) = Unpickler::new().limits(limits()).loads(data) {
        read(&Reader::new(graph.root(), &SelfContained), &SelfContained);
    }
    if let Ok(file) = Checkpoint::open(data.to_vec().into()) {
        read(&file.reader(), &file);
    }
}

fn read(reader: &Reader<'_, '_>, source: &dyn Source) {
    let mut is_small = true;
    for found in reader.find() {
        assert!(reader.at(&found.path.to_string()).is_some(), "{} leads nowhere", found.path);
        let Ok(item) = found.item else { continue };
        let _ = item.to_string();
        match item {
            Item::Array(array) => {
                is_small &= array.len() < MOST;
                array.cells().take(MOST).for_each(drop);
            }
            Item::Tensor(tensor) => {
                is_small &= tensor.shape().iter().product::<usize>() < MOST;
                if let Ok(array) = tensor.to_array(source) {
                    array.cells().take(MOST).for_each(drop);
                }
            }
            Item::Sparse(sparse) => is_small &= sparse.shape().iter().all(|len| *len < 100),
            Item::Table(frame) => {
                is_small &= frame.rows() < MOST;
                csv(&frame);
            }
            Item::Series(series) => {
                is_small &= series.column().len() < MOST;
                csv(&series.to_frame());
            }
            Item::Index(index) => is_small &= index.len() < MOST,
            Item::Masked(masked) => is_small &= masked.data().len() < MOST,
            _ => {}
        }
    }
    if is_small {
        let _ = json::write(reader, json::Options::new(), std::io::sink());
    }
}

fn csv(frame: &DataFrame<'_>) {
    if frame.rows() < MOST {
        let _ = write_csv(frame, Options { index: true }, std::io::sink());
    }
}
