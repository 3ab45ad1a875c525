//! What is written in each format.

use picklevm_data::numpy::{NdArray, read_npy, write_npy};
use picklevm_data::pandas::DataFrame;
use picklevm_data::table::{Options, write_csv, write_jsonl};
use picklevm_data::torch::{read_safetensors, write_safetensors};
use picklevm_data::{Error, Item, json};

use crate::load;

fn text(write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_frame_is_written_as_csv_with_empty_fields_for_what_is_missing() {
    let loaded = load("pd3.1-mixed-p5.pkl");
    let frame = DataFrame::from_value(loaded.graph.root()).unwrap();
    let csv = text(|out| write_csv(&frame, Options::default(), out));
    assert_eq!(csv, "i,f,s,b,i2\n1,0.5,a,True,4\n2,,bé,False,5\n3,2.5,,True,6\n");
}

#[test]
fn a_frame_is_written_as_lines_of_json_with_its_index_last() {
    let loaded = load("pd3.1-multi-p5.pkl");
    let frame = DataFrame::from_value(loaded.graph.root()).unwrap();
    let lines = text(|out| write_jsonl(&frame, Options::default(), out));
    assert_eq!(lines.lines().next(), Some(r#"{"v":1.0,"k":"a","n":1}"#));
    assert_eq!(lines.lines().count(), 4);
}

#[test]
fn a_range_is_left_out_of_the_columns_unless_it_is_asked_for() {
    let loaded = load("pd3.1-mixed-p5.pkl");
    let frame = DataFrame::from_value(loaded.graph.root()).unwrap();
    let lines = text(|out| write_jsonl(&frame, Options { index: true }, out));
    assert!(lines.starts_with(r#"{"i":1,"f":0.5,"s":"a","b":true,"i2":4,"__index_level_0__":0}"#), "{lines}");
}

#[test]
fn npy_keeps_the_order_of_bytes_and_of_axes() {
    for name in ["np1.20-py3.8-f8be-p5.pkl", "np2.5-py3.12-f4F-p5.pkl", "np2.5-py3.12-structaligned-p5.pkl"] {
        let loaded = load(name);
        let array = NdArray::from_value(loaded.graph.root()).unwrap();
        let mut file = Vec::new();
        write_npy(&array, &mut file).unwrap();
        let again = read_npy(file.into()).unwrap();
        assert_eq!((again.shape(), again.dtype().size()), (array.shape(), array.dtype().size()), "{name}");
        let order = array.dtype().order();
        assert_eq!(again.to_bytes(order).unwrap(), array.to_bytes(order).unwrap(), "{name}");
        assert_eq!(again.strides(), array.strides(), "{name}");
    }
}

#[test]
fn npy_refuses_what_numpy_has_no_type_for() {
    let loaded = load("np2.5-py3.12-bf16ml-p5.pkl");
    let array = NdArray::from_value(loaded.graph.root()).unwrap();
    let error = write_npy(&array, Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), ".npy has no type for bfloat16");
    assert_eq!(array.widened().unwrap().to_vec::<f32>().unwrap(), [1.0, 2.5]);
}

#[test]
fn tensors_are_written_as_safetensors_with_their_views_resolved() {
    let loaded = load("t1.13-views.pt");
    let mut tensors = Vec::new();
    for found in loaded.reader().find() {
        if let Ok(Item::Tensor(tensor)) = found.item {
            tensors.push((found.path.dotted(), tensor.elements(&*loaded.source)));
        }
    }
    let mut file = Vec::new();
    write_safetensors(&tensors, &mut file).unwrap();
    let again = read_safetensors(&file.into()).unwrap();
    assert_eq!(again.len(), tensors.len());
    let (_, step) = again.iter().find(|(name, _)| name == "step").unwrap();
    assert_eq!(step.to_vec::<f32>().unwrap(), [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0]);
}

#[test]
fn masked_elements_are_null_in_json() {
    let loaded = load("np1.24-py3.9-masked-p2.pkl");
    assert_eq!(text(|out| json::write(&loaded.reader(), json::Options::new(), out)), "[1,null,3]");
}

#[test]
fn json_refuses_a_value_that_holds_itself() {
    let graph = picklevm::loads(b"\x80\x02]q\x00h\x00a.").unwrap();
    let reader = picklevm_data::Reader::new(graph.root(), &picklevm_data::SelfContained);
    assert!(json::write(&reader, json::Options::new(), Vec::new()).unwrap_err().to_string().contains("holds itself"));
}

#[test]
fn keys_that_are_not_text_become_text() {
    let graph = picklevm::loads(b"\x80\x02}q\x00(K\x01K\x02\x86K\x03K\x04K\x05u.").unwrap();
    let reader = picklevm_data::Reader::new(graph.root(), &picklevm_data::SelfContained);
    assert_eq!(text(|out| json::write(&reader, json::Options::new(), out)), r#"{"(1, 2)":3,"4":5}"#);
}

#[cfg(feature = "arrow")]
#[test]
fn every_frame_becomes_a_record_batch_with_its_columns() {
    for name in
        ["pd0.20-mixed-p0.pkl", "pd1.2-dttz-p5.pkl", "pd1.5-Int64-p5.pkl", "pd2.0-cat-p5.pkl", "pd2.3-sparse-p5.pkl"]
    {
        let loaded = load(name);
        let frame = DataFrame::from_value(loaded.graph.root()).unwrap();
        let batch = picklevm_data::table::to_batch(&frame, Options::default()).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (frame.rows(), frame.columns().len()), "{name}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_frame_is_the_same_after_a_way_through_parquet() {
    let loaded = load("pd3.1-mixed-p5.pkl");
    let frame = DataFrame::from_value(loaded.graph.root()).unwrap();
    let mut file = Vec::new();
    picklevm_data::table::write_parquet(&frame, Options::default(), &mut file).unwrap();
    let again = picklevm_data::table::read_parquet(file.into()).unwrap();
    let csv = |frame: &DataFrame<'_>| text(|out| write_csv(frame, Options::default(), out));
    assert_eq!(csv(&again), csv(&frame));
}

/// The rows that are null in a column of Arrow for so many numbers, of which some are missing.
#[cfg(feature = "arrow")]
fn nulls_of(dtype: &str, item: &[u8], missing: &[u8], len: usize, at: &[usize]) -> Vec<usize> {
    use arrow_array::Array as _;
    use picklevm_data::numpy::DType;
    use picklevm_data::pandas::{Column, Index, Values};

    let bytes: Vec<u8> = (0..len).flat_map(|row| if at.contains(&row) { missing } else { item }).copied().collect();
    let array = NdArray::new(DType::parse(dtype).unwrap(), vec![len], bytes).unwrap();
    let column = Column::new(picklevm_data::Cell::Str("n".into()), Values::Array(array));
    let frame = DataFrame::new(vec![column], Index::range(len)).unwrap();
    let batch = picklevm_data::table::to_batch(&frame, Options::default()).unwrap();
    (0..len).filter(|row| batch.column(0).is_null(*row)).collect()
}

#[cfg(feature = "arrow")]
#[test]
fn nan_and_nat_are_nulls_wherever_they_are_in_a_column() {
    let rows: [&[usize]; 6] = [&[], &[0], &[1023, 1024], &[4999], &[2048, 2049, 4998], &[1, 63, 64, 65, 3000]];
    for rows in rows {
        let half = half::f16::NAN.to_le_bytes();
        assert_eq!(nulls_of("<f2", &[0, 60], &half, 5000, rows), rows);
        assert_eq!(nulls_of("<f4", &1f32.to_le_bytes(), &f32::NAN.to_le_bytes(), 5000, rows), rows);
        assert_eq!(nulls_of("<f8", &f64::INFINITY.to_le_bytes(), &(-f64::NAN).to_le_bytes(), 5000, rows), rows);
        assert_eq!(nulls_of("<M8[ns]", &7i64.to_le_bytes(), &i64::MIN.to_le_bytes(), 5000, rows), rows);
        assert_eq!(nulls_of(">f8", &1f64.to_be_bytes(), &f64::NAN.to_be_bytes(), 5000, rows), rows);
        // Integers have no such value.
        assert_eq!(nulls_of("<i8", &7i64.to_le_bytes(), &i64::MIN.to_le_bytes(), 5000, rows), [0; 0]);
    }
}
