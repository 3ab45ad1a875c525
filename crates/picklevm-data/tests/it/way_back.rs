//! What is written into pickles is read as it was, in the forms that all versions read.

use picklevm::{Graph, Pickler, Protocol};
use picklevm_data::numpy::{self, DType, NdArray};
use picklevm_data::pandas::{self, Column, DataFrame, Index, Series, Values};
use picklevm_data::table::{Options, write_csv};
use picklevm_data::{Cell, Instant, Item, TimeUnit, rewrite_items, torch};

use crate::load;

fn csv(frame: &DataFrame<'_>) -> String {
    let mut out = Vec::new();
    write_csv(frame, Options { index: true }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn an_array_is_written_as_every_numpy_reads_it() {
    for (dtype, shape, data) in
        [("<f4", vec![2, 3], vec![0u8; 24]), ("M8[ns]", vec![2], vec![1; 16]), ("<U2", vec![1], vec![0; 8])]
    {
        let array = NdArray::new(DType::parse(dtype).unwrap(), shape, data).unwrap();
        let mut graph = Graph::new();
        let root = numpy::to_python(&array, &mut graph).unwrap();
        graph.set_root(root);
        for protocol in 0..=5 {
            let pickler = Pickler::new().protocol(Protocol::try_from(protocol).unwrap());
            let pickle = pickler.dumps(graph.root()).unwrap();
            let again = picklevm::loads(&pickle).unwrap();
            let object = again.root().as_object().unwrap();
            assert_eq!(object.class().as_global().unwrap().to_string(), "numpy.core.multiarray._reconstruct");
            let again = NdArray::from_value(again.root()).unwrap();
            assert_eq!((again.dtype(), again.shape(), again.bytes()), (array.dtype(), array.shape(), array.bytes()));
        }
    }
}

#[test]
fn a_frame_of_any_version_is_written_in_the_form_of_the_oldest() {
    let frames =
        ["pd0.20-mixed-p0.pkl", "pd0.25-multi-p4.pkl", "pd1.2-dttz-p5.pkl", "pd2.0-cat-p5.pkl", "pd3.1-mixed-p5.pkl"];
    for name in frames {
        let loaded = load(name);
        let frame = DataFrame::from_value(loaded.graph.root()).unwrap();
        let mut graph = Graph::new();
        let root = pandas::frame_to_python(&frame, &mut graph).unwrap();
        graph.set_root(root);
        let pickle = picklevm::dumps(graph.root()).unwrap();
        let graph = picklevm::loads(&pickle).unwrap();
        assert!(graph.root().as_object().unwrap().is_instance("pandas.core.frame", "DataFrame"));
        assert_eq!(csv(&DataFrame::from_value(graph.root()).unwrap()), csv(&frame), "{name}");
    }
}

#[test]
fn the_places_of_a_series_are_all_its_rows() {
    let values = Values::Cells(vec![Cell::Int(1), Cell::Int(2), Cell::Int(3)]);
    let series = Series::new(Column::new(Cell::Null, values), Index::range(3)).unwrap();
    let mut graph = Graph::new();
    let root = pandas::series_to_python(&series, &mut graph).unwrap();
    let manager = graph.value(root).attr("_data").unwrap();
    let blocks = manager.as_object().unwrap().state().unwrap().items().get(3).unwrap().at("0.14.1").at("blocks");
    let place = blocks.at(0).at("mgr_locs");
    assert_eq!(format!("{place:?}"), "slice(0, 3, 1)");
}

#[test]
fn named_zones_are_written_by_their_names_in_columns_indexes_and_objects() {
    let nanos = 1_577_836_800_000_000_001i64;
    let zone = "Europe/Berlin";
    let times = NdArray::new(DType::parse("<M8[ns]").unwrap(), vec![1], nanos.to_le_bytes().to_vec()).unwrap();
    let zoned = Values::Zoned { array: times, zone: zone.to_owned() };
    let time = Instant { zone: Some(zone.into()), ..Instant::new(nanos, TimeUnit::Nano) };
    // Text beside it makes the column one of objects.
    let objects = Values::Cells(vec![Cell::List(vec![Cell::Instant(time)])]);
    let columns = [("t", zoned.clone()), ("o", objects)];
    let columns = columns.map(|(name, values)| Column::new(Cell::Str(name.into()), values)).to_vec();
    let frame = DataFrame::new(columns, Index::new(vec![Column::new(Cell::Null, zoned)]).unwrap()).unwrap();
    let mut graph = Graph::new();
    let root = pandas::frame_to_python(&frame, &mut graph).unwrap();
    graph.set_root(root);
    for protocol in 0..=5 {
        let pickle = Pickler::new().protocol(Protocol::try_from(protocol).unwrap()).dumps(graph.root()).unwrap();
        assert!(!pickle.windows(4).any(|four| four == b"pytz"));
        let again = picklevm::loads(&pickle).unwrap();
        let again = DataFrame::from_value(again.root()).unwrap();
        assert_eq!(again.columns()[0].values().dtype(), "datetime64[ns, Europe/Berlin]");
        assert_eq!(again.index().levels()[0].values().dtype(), "datetime64[ns, Europe/Berlin]");
        if protocol >= 4 {
            assert_eq!(csv(&again), csv(&frame), "protocol {protocol}");
        }
    }
}

#[test]
fn times_of_several_zones_or_beside_text_are_objects() {
    let time = |zone: Option<&'static str>| {
        Cell::Instant(Instant { zone: zone.map(Into::into), ..Instant::new(0, TimeUnit::Nano) })
    };
    let text = Cell::Str("text".into());
    let pairs = [[Some("UTC"), Some("Europe/Berlin")], [Some("UTC"), None], [None, Some("UTC")]];
    let columns = pairs.map(|pair| pair.map(time)).into_iter().chain([[time(Some("UTC")), text]]);
    let column =
        |(at, cells): (usize, [Cell<'static>; 2])| Column::new(Cell::Int(at as i64), Values::Cells(cells.to_vec()));
    let frame = DataFrame::new(columns.enumerate().map(column).collect(), Index::range(2)).unwrap();
    let mut graph = Graph::new();
    let root = pandas::frame_to_python(&frame, &mut graph).unwrap();
    graph.set_root(root);
    let again = picklevm::loads(picklevm::dumps(graph.root()).unwrap()).unwrap();
    let again = DataFrame::from_value(again.root()).unwrap();
    for (column, expected) in again.columns().iter().zip(frame.columns()) {
        assert_eq!(column.values().dtype(), "object");
        let cells = |column: &Column<'_>| format!("{:?} {:?}", column.cell(0).unwrap(), column.cell(1).unwrap());
        assert_eq!(cells(column), cells(expected));
    }
}

#[test]
fn all_items_of_a_pickle_are_made_anew_and_the_rest_stays() {
    let loaded = load("np2.5-py3.12-x_collide-p5.pkl");
    let mut graph = loaded.graph.clone();
    let replaced = rewrite_items(&loaded.reader(), &mut graph, false).unwrap();
    let pickler = Pickler::new().reducer_override(move |value| Ok(replaced.get(&value.this().id()).copied()));
    let pickle = pickler.dumps(graph.root()).unwrap();
    assert!(!pickle.windows(11).any(|window| window == b"numpy._core"));
    let again = picklevm::loads(&pickle).unwrap();
    let array = NdArray::from_value(again.root().at("a").at("b")).unwrap();
    assert_eq!(array.to_vec::<f64>().unwrap(), [3.0, 4.0]);
}

#[test]
fn tensors_are_written_as_a_file_that_is_read_back() {
    let tensors = [
        ("a.w", "<f4", vec![2, 1], vec![1u8; 8]),
        ("b", "|b1", vec![2], vec![0, 1]),
        ("u", "<u2", vec![1], vec![1, 2]),
    ];
    let tensors = tensors.map(|(name, dtype, shape, data)| {
        (name.to_owned(), NdArray::new(DType::parse(dtype).unwrap(), shape, data).unwrap())
    });
    let mut file = std::io::Cursor::new(Vec::new());
    torch::write(&tensors, &mut file).unwrap();
    let file = torch::Checkpoint::open(file.into_inner().into()).unwrap();
    let found = file.reader().find();
    assert_eq!(found.len(), 3);
    for (found, (name, array)) in found.iter().zip(&tensors) {
        let Ok(Item::Tensor(tensor)) = &found.item else { panic!("{found:?}") };
        assert_eq!(&found.path.dotted(), name);
        assert_eq!(tensor.to_array(&file).unwrap().bytes(), array.bytes());
    }
}

/// pandas' `to_feather` compresses by LZ4 unless told otherwise, Polars by zstd where it is asked to.
#[test]
fn arrow_files_with_compressed_buffers_are_read() {
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions};

    let numbers: arrow_array::ArrayRef = std::sync::Arc::new(arrow_array::Int64Array::from_iter_values(0..1000));
    let batch = arrow_array::RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let mut file = Vec::new();
        let mut writer = FileWriter::try_new_with_options(&mut file, &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        let frame = picklevm_data::table::read_ipc(file.into()).unwrap();
        let lines = csv(&frame);
        assert_eq!((lines.lines().count(), lines.lines().last()), (1001, Some("999,999")), "{compression:?}");
    }
}
