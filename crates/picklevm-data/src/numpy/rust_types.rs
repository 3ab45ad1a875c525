//! The Rust types of elements.

use super::dtype::DType;

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that elements of an array have.
pub trait Element: sealed::Sealed + bytemuck::Pod {
    /// NumPy's name for it.
    const NAME: &'static str;

    /// Whether elements of this type are it.
    fn is(dtype: &DType) -> bool {
        dtype.name() == Self::NAME
    }
}

macro_rules! elements {
    ($($(#[$doc:meta])* $type:ty => $name:literal;)*) => {$(
        impl sealed::Sealed for $type {}
        $(#[$doc])*
        impl Element for $type {
            const NAME: &'static str = $name;
        }
    )*};
}

elements! {
    i8 => "int8";
    i16 => "int16";
    i32 => "int32";
    i64 => "int64";
    u8 => "uint8";
    u16 => "uint16";
    u32 => "uint32";
    u64 => "uint64";
    half::f16 => "float16";
    half::bf16 => "bfloat16";
    f32 => "float32";
    f64 => "float64";
    /// Real and imaginary part.
    [f32; 2] => "complex64";
    /// Real and imaginary part.
    [f64; 2] => "complex128";
}
