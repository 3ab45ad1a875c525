//! The index, the labels and the types of frames on their way through files that pandas' metadata describe.

use picklevm_data::Cell;
use picklevm_data::numpy::{DType, NdArray};
use picklevm_data::pandas::{Column, DataFrame, Index, IndexKind, Values};
use picklevm_data::table::Options;

/// A frame with this index, a way through Parquet and back.
fn through_parquet(columns: Vec<Column<'static>>, index: Index<'static>) -> DataFrame<'static> {
    let frame = DataFrame::new(columns, index).unwrap();
    let mut file = Vec::new();
    picklevm_data::table::write_parquet(&frame, Options::default(), &mut file).unwrap();
    let again = picklevm_data::table::read_parquet(file.into()).unwrap();
    let mut arrow = Vec::new();
    picklevm_data::table::write_ipc(&frame, Options::default(), &mut arrow).unwrap();
    let same = picklevm_data::table::read_ipc(arrow.into()).unwrap();
    assert_eq!(format!("{again:?} {:?}", again.index()), format!("{same:?} {:?}", same.index()));
    again
}

fn numbers(name: Cell<'static>, numbers: &[i64]) -> Column<'static> {
    Column::new(name, Values::Cells(numbers.iter().map(|number| Cell::Int(*number)).collect()))
}

fn text(text: &str) -> Cell<'static> {
    Cell::Str(text.to_owned().into())
}

fn cells(column: &Column<'_>) -> Vec<String> {
    (0..column.len()).map(|at| column.cell(at).unwrap().to_string()).collect()
}

#[test]
fn a_range_comes_back_from_parquet_with_its_name_and_steps() {
    let range = Column::new(text("r"), Values::Range { start: 10, step: -2, len: 2 });
    let again = through_parquet(vec![numbers(text("a"), &[1, 2])], Index::new(vec![range]).unwrap());
    assert_eq!(again.index().kind(), IndexKind::Range);
    let [level] = again.index().levels() else { panic!() };
    assert_eq!((level.name().as_deref(), cells(level)), (Some("r"), vec!["10".to_owned(), "8".to_owned()]));
    assert_eq!(again.columns().len(), 1);
}

#[test]
fn an_index_comes_back_from_parquet_also_where_a_column_has_its_name() {
    for (name, expected) in [(text("a"), Some("a")), (text("k"), Some("k")), (Cell::Null, None)] {
        let index = Index::new(vec![numbers(name, &[7, 5])]).unwrap();
        let again = through_parquet(vec![numbers(text("a"), &[1, 2])], index);
        let ([level], [column]) = (again.index().levels(), again.columns()) else { panic!("{again:?}") };
        assert_eq!((level.name().as_deref(), cells(level)), (expected, vec!["7".to_owned(), "5".to_owned()]));
        assert_eq!(cells(column), ["1", "2"]);
    }
}

#[test]
fn a_multi_index_comes_back_from_parquet_with_its_names() {
    let levels = vec![Column::new(text("k"), Values::Cells(vec![text("x"), text("y")])), numbers(Cell::Null, &[3, 4])];
    let again = through_parquet(vec![numbers(text("a"), &[1, 2])], Index::new(levels).unwrap());
    assert_eq!(again.index().kind(), IndexKind::Multi);
    let [first, second] = again.index().levels() else { panic!() };
    assert_eq!((first.name().as_deref(), cells(first)), (Some("k"), vec!["x".to_owned(), "y".to_owned()]));
    assert_eq!((second.name(), cells(second)), (None, vec!["3".to_owned(), "4".to_owned()]));
}

#[test]
fn labels_that_are_numbers_times_and_tuples_come_back_from_parquet() {
    let midnight = Cell::Instant(picklevm_data::Instant::new(86_400, picklevm_data::TimeUnit::Second));
    let pair = |second: i64| Cell::List(vec![text("it's"), Cell::Int(second)]);
    for labels in [[Cell::Int(0), Cell::Int(-1)], [Cell::Float(0.5), Cell::Float(2.0)], [pair(1), pair(2)]] {
        let columns = labels.iter().map(|label| numbers(label.clone(), &[1])).collect();
        let again = through_parquet(columns, Index::range(1));
        let keys: Vec<String> = again.columns().iter().map(|column| format!("{:?}", column.key())).collect();
        assert_eq!(keys, labels.map(|label| format!("{label:?}")));
    }
    let again = through_parquet(vec![numbers(midnight, &[1])], Index::range(1));
    assert_eq!(again.columns()[0].key().to_string(), "1970-01-02T00:00:00.000000000");
}

#[test]
fn categories_come_back_from_arrow_files_as_categories() {
    let codes = NdArray::new(DType::parse("|i1").unwrap(), vec![3], vec![1u8, 255, 0]).unwrap();
    let categories = Values::Cells(vec![text("low"), text("high")]).into();
    let values = Values::Category { codes, categories, ordered: true, is_category: true };
    let again = through_parquet(vec![Column::new(text("c"), values)], Index::range(3));
    let [column] = again.columns() else { panic!() };
    assert_eq!(
        (column.values().dtype().as_str(), cells(column)),
        ("category", vec!["high".into(), "".into(), "low".into()])
    );
    assert!(matches!(column.values(), Values::Category { ordered: true, .. }));
}

#[test]
fn metadata_of_pandas_that_do_not_fit_are_passed_over() {
    use arrow_array::{ArrayRef, Int64Array, RecordBatch};

    let column: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
    for metadata in [
        "no JSON",
        "[]",
        r#"{"index_columns": ["gone", 5, {"kind": "range", "start": 0, "stop": 9, "step": 1}], "columns": [1]}"#,
        r#"{"index_columns": [{"kind": "range", "start": 0, "stop": 9, "step": 0}], "column_indexes": [{}, {}]}"#,
        r#"{"column_indexes": [{"pandas_type": "int64"}], "columns": [{"name": "a"}]}"#,
    ] {
        let schema = batch
            .schema()
            .as_ref()
            .clone()
            .with_metadata(std::collections::HashMap::from([("pandas".into(), metadata.into())]));
        let mut file = Vec::new();
        let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut file, &schema).unwrap();
        writer.write(&batch).and_then(|()| writer.finish()).unwrap();
        drop(writer);
        let frame = picklevm_data::table::read_ipc(file.into()).unwrap();
        assert!(frame.index().is_default(), "{metadata}");
        assert_eq!(frame.columns()[0].key().to_string(), "a", "{metadata}");
    }
}
