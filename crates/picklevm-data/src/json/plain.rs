//! Plain JSON by way of serde.

use picklevm::Value;
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Options, write};
use crate::item::{Reader, SelfContained};

/// A value as plain JSON, for the serializers of `serde_json`: what [`write()`] writes, and `picklevm show --json=plain` prints.
///
/// `Serialize` of a [`Value`] itself serves every format that serde has, and so differs where JSON has no form: bytes are a list
/// of numbers, NaN is `null`, and keys that are no text are an error. Here bytes are text or base64, NaN is an error, and other keys
/// become text.
///
/// [`to_string`](serde_json::to_string) and `to_writer` keep every digit; `to_value` makes floats of integers over 64 bits, as
/// it does with any JSON.
///
/// ```
/// use picklevm_data::json::PlainJson;
/// use serde_json::json;
///
/// // {1: b'\xff', (2, 3): 'x'}
/// let graph = picklevm::loads(b"\x80\x03}(K\x01C\x01\xffK\x02K\x03\x86X\x01\0\0\0xu.")?;
/// let value = serde_json::to_value(PlainJson(graph.root()))?;
/// assert_eq!(value, json!({"1": "/w==", "(2, 3)": "x"}));
///
/// let graph = picklevm::loads(b"]G\x3f\xf8\0\0\0\0\0\0aG\x7f\xf8\0\0\0\0\0\0a.")?;
/// let error = serde_json::to_string(&PlainJson(graph.root())).unwrap_err();
/// assert!(error.to_string().starts_with("[1]: NaN"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PlainJson<'g>(
    /// The value.
    pub Value<'g>,
);

/// Fails where [`write()`] does; with the error's text.
impl Serialize for PlainJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Vec::new();
        write(&Reader::new(self.0, &SelfContained), Options::new(), &mut text).map_err(S::Error::custom)?;
        let text = String::from_utf8(text).map_err(S::Error::custom)?;
        RawValue::from_string(text).map_err(S::Error::custom)?.serialize(serializer)
    }
}
