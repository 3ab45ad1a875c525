//! The table of names: which class or function of which package stands for what.
//!
//! Libraries move their classes between modules (`numpy.core` and `numpy._core`, `pandas.core.internals.managers` and
//! `pandas.api.internals`), but seldom rename them and never use a name twice. So a row is the package and the last
//! part of the name, and covers every version.

use picklevm::{Kind, Value};

/// What a global stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    // NumPy
    Reconstruct,
    FromBuffer,
    Scalar,
    DType,
    StringDType,
    MaskedReconstruct,
    MaskedConstant,
    ScalarType,
    // pandas: containers
    DataFrame,
    Series,
    BlockManager,
    UnpickleBlock,
    NewIndex,
    NewDatetimeIndex,
    NewPeriodIndex,
    MultiIndex,
    RangeIndex,
    Index,
    DatetimeIndex,
    TimedeltaIndex,
    PeriodIndex,
    IntervalIndex,
    CategoricalIndex,
    // pandas: arrays and their dtypes
    NDArrayBacked,
    Categorical,
    CategoricalDType,
    DatetimeArray,
    TimedeltaArray,
    DatetimeTz,
    PeriodArray,
    PeriodDType,
    IntervalArray,
    SparseArray,
    SparseDType,
    IntIndex,
    BlockIndex,
    MaskedArray,
    ObjectArray,
    ArrowArray,
    StringPandasDType,
    // pandas: scalars
    Timestamp,
    Timedelta,
    NaT,
    NA,
    Period,
    Interval,
    Offset,
    // Time zones
    PytzUtc,
    PytzZone,
    PytzFixed,
    DateutilUtc,
    DateutilZone,
    // Arrow
    ArrowRestore,
    ArrowChunked,
    ArrowTable,
    ArrowBatch,
    ArrowBuffer,
    ArrowAlias,
    ArrowType,
    ArrowSchema,
    ArrowField,
    PolarsFrame,
    PolarsSeries,
    // PyTorch
    Tensor2,
    Tensor3,
    Tensor1,
    Parameter,
    Quantized,
    SparseTensor,
    SparseCsr,
    MetaTensor,
    Wrapper,
    FromNumpy,
    TensorFromType,
    LoadFromBytes,
    Storage,
    // SciPy, joblib
    Sparse,
    JoblibArray,
    JoblibOld,
    JoblibCompressed,
}

use Form::*;

/// Package, name, what it stands for.
const TABLE: &[(&str, &str, Form)] = &[
    ("numpy", "_reconstruct", Reconstruct),
    ("numpy", "_frombuffer", FromBuffer),
    ("numpy", "scalar", Scalar),
    ("numpy", "dtype", DType),
    ("numpy", "_convert_to_stringdtype_kwargs", StringDType),
    ("numpy", "_mareconstruct", MaskedReconstruct),
    ("numpy", "MaskedConstant", MaskedConstant),
    ("pandas", "DataFrame", DataFrame),
    ("pandas", "SparseDataFrame", DataFrame),
    ("pandas", "Series", Series),
    ("pandas", "TimeSeries", Series),
    ("pandas", "SparseSeries", Series),
    ("pandas", "BlockManager", BlockManager),
    ("pandas", "SingleBlockManager", BlockManager),
    ("pandas", "_unpickle_block", UnpickleBlock),
    ("pandas", "_new_Index", NewIndex),
    ("pandas", "_new_DatetimeIndex", NewDatetimeIndex),
    ("pandas", "_new_PeriodIndex", NewPeriodIndex),
    ("pandas", "_new_IntervalIndex", NewIndex),
    ("pandas", "_new_TimedeltaIndex", NewIndex),
    ("pandas", "MultiIndex", MultiIndex),
    ("pandas", "RangeIndex", RangeIndex),
    ("pandas", "Index", Index),
    ("pandas", "Int64Index", Index),
    ("pandas", "UInt64Index", Index),
    ("pandas", "Float64Index", Index),
    ("pandas", "NumericIndex", Index),
    ("pandas", "DatetimeIndex", DatetimeIndex),
    ("pandas", "TimedeltaIndex", TimedeltaIndex),
    ("pandas", "PeriodIndex", PeriodIndex),
    ("pandas", "IntervalIndex", IntervalIndex),
    ("pandas", "CategoricalIndex", CategoricalIndex),
    ("pandas", "__pyx_unpickle_NDArrayBacked", NDArrayBacked),
    ("pandas", "Categorical", Categorical),
    ("pandas", "CategoricalDtype", CategoricalDType),
    ("pandas", "DatetimeArray", DatetimeArray),
    ("pandas", "DatetimeArrayMixin", DatetimeArray),
    ("pandas", "TimedeltaArray", TimedeltaArray),
    ("pandas", "TimedeltaArrayMixin", TimedeltaArray),
    ("pandas", "DatetimeTZDtype", DatetimeTz),
    ("pandas", "PeriodArray", PeriodArray),
    ("pandas", "PeriodDtype", PeriodDType),
    ("pandas", "IntervalArray", IntervalArray),
    ("pandas", "__pyx_unpickle_IntervalMixin", IntervalArray),
    ("pandas", "SparseArray", SparseArray),
    ("pandas", "SparseDtype", SparseDType),
    ("pandas", "IntIndex", IntIndex),
    ("pandas", "BlockIndex", BlockIndex),
    ("pandas", "IntegerArray", MaskedArray),
    ("pandas", "FloatingArray", MaskedArray),
    ("pandas", "BooleanArray", MaskedArray),
    ("pandas", "StringArray", ObjectArray),
    ("pandas", "StringArrayNumpySemantics", ObjectArray),
    ("pandas", "ObjectStringArray", ObjectArray),
    ("pandas", "PandasArray", ObjectArray),
    ("pandas", "NumpyExtensionArray", ObjectArray),
    ("pandas", "ArrowStringArray", ArrowArray),
    ("pandas", "ArrowStringArrayNumpySemantics", ArrowArray),
    ("pandas", "ArrowExtensionArray", ArrowArray),
    ("pandas", "StringDtype", StringPandasDType),
    ("pandas", "Timestamp", Timestamp),
    ("pandas", "_unpickle_timestamp", Timestamp),
    ("pandas", "Timedelta", Timedelta),
    ("pandas", "_timedelta_unpickle", Timedelta),
    ("pandas", "__nat_unpickle", NaT),
    ("pandas", "_nat_unpickle", NaT),
    ("pandas", "NaT", NaT),
    ("pandas", "NaTType", NaT),
    ("pandas", "NA", NA),
    ("pandas", "NAType", NA),
    ("pandas", "C_NA", NA),
    ("pandas", "Period", Period),
    ("pandas", "Interval", Interval),
    ("pytz", "_UTC", PytzUtc),
    ("pytz", "_p", PytzZone),
    ("pytz", "timezone", PytzZone),
    ("pytz", "_FixedOffset", PytzFixed),
    ("pytz", "FixedOffset", PytzFixed),
    ("dateutil", "tzutc", DateutilUtc),
    ("dateutil", "tzfile", DateutilZone),
    ("pyarrow", "_restore_array", ArrowRestore),
    ("pyarrow", "chunked_array", ArrowChunked),
    ("pyarrow", "_reconstruct_table", ArrowTable),
    ("pyarrow", "_reconstruct_record_batch", ArrowBatch),
    ("pyarrow", "py_buffer", ArrowBuffer),
    ("pyarrow", "type_for_alias", ArrowAlias),
    ("pyarrow", "schema", ArrowSchema),
    ("pyarrow", "field", ArrowField),
    ("polars", "DataFrame", PolarsFrame),
    ("polars", "Series", PolarsSeries),
    ("torch", "_rebuild_tensor", Tensor1),
    ("torch", "_rebuild_tensor_v2", Tensor2),
    ("torch", "_rebuild_tensor_v3", Tensor3),
    ("torch", "_rebuild_parameter", Parameter),
    ("torch", "_rebuild_parameter_with_state", Parameter),
    ("torch", "_rebuild_qtensor", Quantized),
    ("torch", "_rebuild_sparse_tensor", SparseTensor),
    ("torch", "_rebuild_sparse_csr_tensor", SparseCsr),
    ("torch", "_rebuild_meta_tensor_no_storage", MetaTensor),
    ("torch", "_rebuild_wrapper_subclass", Wrapper),
    ("torch", "_rebuild_device_tensor_from_numpy", FromNumpy),
    ("torch", "_rebuild_device_tensor_from_cpu_tensor", FromNumpy),
    ("torch", "_rebuild_xla_tensor", FromNumpy),
    ("torch", "_rebuild_from_type", TensorFromType),
    ("torch", "_rebuild_from_type_v2", TensorFromType),
    ("torch", "_load_from_bytes", LoadFromBytes),
    ("torch", "TypedStorage", Storage),
    ("torch", "UntypedStorage", Storage),
    ("joblib", "NumpyArrayWrapper", JoblibArray),
    ("joblib", "NDArrayWrapper", JoblibOld),
    ("joblib", "ZNDArrayWrapper", JoblibCompressed),
];

/// What the name of a class says where it is one of many: the package, the end of the name, what it stands for.
const SUFFIXES: &[(&str, &str, Form)] =
    &[("scipy", "_matrix", Sparse), ("scipy", "_array", Sparse), ("torch", "Storage", Storage)];

/// A package by another name: `sklearn.externals.joblib` is joblib.
fn package_of(module: &str) -> &str {
    if module.starts_with("sklearn.externals.joblib") {
        return "joblib";
    }
    match module.split('.').next().unwrap_or_default() {
        "sparse" => "scipy",
        package => package,
    }
}

/// Package and name of a global.
pub(crate) fn name_of<'g>(value: Value<'g>) -> Option<(&'g str, &'g str)> {
    let Kind::Global(global) = value.kind() else { return None };
    Some((package_of(global.module().as_str()?), global.name().as_str()?))
}

/// What a class or function stands for, if it is one of the table.
pub(crate) fn form_of(value: Value<'_>) -> Option<Form> {
    let (package, name) = name_of(value)?;
    let last = name.rsplit('.').next().unwrap_or(name);
    let row = TABLE.iter().find(|row| row.0 == package && row.1 == last);
    let row = row.or_else(|| SUFFIXES.iter().find(|row| row.0 == package && last.ends_with(row.1)));
    if let Some(row) = row {
        return Some(row.2);
    }
    match package {
        "pyarrow" => Some(ArrowType),
        "pandas" if is_module_of_offsets(value) => Some(Offset),
        "numpy" if crate::numpy::DType::of_type_name(last).is_some() => Some(ScalarType),
        _ => None,
    }
}

fn is_module_of_offsets(value: Value<'_>) -> bool {
    value.as_global().and_then(|global| global.module().as_str()).is_some_and(|module| module.ends_with("offsets"))
}

/// What the class of an object, or the function that made it, stands for.
pub(crate) fn form(value: Value<'_>) -> Option<Form> {
    form_of(class(value)?)
}

/// The class of an object, or the function that made it: through the functions of `copyreg` by which protocols 0 and 1
/// make what others make by an opcode (PEP 307).
pub(crate) fn class<'g>(value: Value<'g>) -> Option<Value<'g>> {
    let object = value.as_object()?;
    let class = object.class();
    let global = class.as_global()?;
    let (module, name) = (global.module(), global.name());
    let is_maker = (module == "copyreg" || module == "copy_reg")
        && (name == "_reconstructor" || name == "__newobj__" || name == "__newobj_ex__");
    if is_maker { object.args().get(0) } else { Some(class) }
}
