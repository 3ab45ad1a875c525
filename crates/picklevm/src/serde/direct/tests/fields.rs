//! Tests: fields whose names are known by memo index.

use ::serde::{Deserialize, Serialize};

use super::rows_are_read;

#[test]
fn structs_may_share_the_list_of_names_of_their_fields() {
    // The compiler makes one list of two equal ones: those of both structs contain the alias.
    struct Same<D>(D);
    impl<'de, D: ::serde::Deserializer<'de>> ::serde::Deserializer<'de> for Same<D> {
        type Error = D::Error;
        fn deserialize_any<V: ::serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_struct("", &["a", "b", "c", "d"], visitor)
        }
        ::serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }
    fn same<'de, D: ::serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(Same(deserializer))
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct First {
        #[serde(alias = "b")]
        a: u8,
        #[serde(default)]
        c: u8,
        d: u8,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Second {
        a: u8,
        b: u8,
        c: u8,
        d: u8,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Both {
        #[serde(deserialize_with = "same")]
        first: First,
        #[serde(deserialize_with = "same")]
        second: Second,
    }
    rows_are_read(&Both { first: First { a: 1, c: 2, d: 3 }, second: Second { a: 4, b: 5, c: 6, d: 7 } });
}
