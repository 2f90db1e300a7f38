//! A value of whatever type.

use std::sync::Arc;

use super::TypeId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Bytes(Vec<u8>),
    Text(String),
    /// The fields that were sent; the others have their zero.
    Struct(Vec<(Arc<str>, Value)>),
    /// Of a slice or an array.
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// None is Go's nil.
    Interface(Option<Box<Dynamic>>),
}

/// A value in an interface: Go knows its type by the name it was registered under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynamic {
    pub name: String,
    pub type_id: TypeId,
    pub value: Value,
}

/// What a value is, if it is of that type. A reply of another type than the method's is the plugin's fault.
impl Value {
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub fn uint(&self) -> Option<u64> {
        match self {
            Self::Uint(number) => Some(*number),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    pub fn dynamic(&self) -> Option<&Dynamic> {
        match self {
            Self::Interface(dynamic) => dynamic.as_deref(),
            _ => None,
        }
    }

    /// A field of a struct, read by `read`; its zero where it was not sent. None for what is no struct, or a field
    /// of another type.
    pub fn field<'a, T: Default>(&'a self, name: &str, read: impl Fn(&'a Self) -> Option<T>) -> Option<T> {
        let Self::Struct(fields) = self else { return None };
        match fields.iter().find(|(known, _)| &**known == name) {
            Some((_, value)) => read(value),
            None => Some(T::default()),
        }
    }
}
