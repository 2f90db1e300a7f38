//! Types: those that every stream knows, and those that one defines.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DEFINITION_BYTES, GobError, TYPES};

/// The number of a type in one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub i64);

impl TypeId {
    pub const BOOL: Self = Self(1);
    pub const INT: Self = Self(2);
    pub const UINT: Self = Self(3);
    pub const BYTES: Self = Self(5);
    pub const TEXT: Self = Self(6);
    pub const INTERFACE: Self = Self(8);
    /// Below are the types that every stream knows.
    pub const FIRST_DEFINED: Self = Self(64);
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Go's name for it. Nothing depends on it.
    pub name: String,
    pub shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    Array {
        element: TypeId,
        length: u64,
    },
    List {
        element: TypeId,
    },
    /// Names are shared with the values: a long name in many values is still one.
    Struct {
        fields: Vec<(Arc<str>, TypeId)>,
    },
    Map {
        key: TypeId,
        element: TypeId,
    },
}

impl Definition {
    pub fn structure(name: &str, fields: &[(&str, TypeId)]) -> Self {
        let fields = fields.iter().map(|(name, id)| (Arc::from(*name), *id)).collect();
        Self { name: name.to_owned(), shape: Shape::Struct { fields } }
    }

    pub fn list(name: &str, element: TypeId) -> Self {
        Self { name: name.to_owned(), shape: Shape::List { element } }
    }

    pub fn map(name: &str, key: TypeId, element: TypeId) -> Self {
        Self { name: name.to_owned(), shape: Shape::Map { key, element } }
    }
}

/// What one stream has defined so far.
#[derive(Debug, Clone, Default)]
pub struct Types {
    defined: BTreeMap<TypeId, Arc<Definition>>,
    bytes: usize,
}

impl Types {
    /// For a stream of ours.
    pub fn new(definitions: impl IntoIterator<Item = (TypeId, Definition)>) -> Self {
        let defined = definitions.into_iter().map(|(id, definition)| (id, Arc::new(definition)));
        Self { defined: defined.collect(), bytes: 0 }
    }

    /// A definition that took `bytes` of the stream. Another one of the same id is refused, as Go does.
    pub(super) fn define(
        &mut self,
        id: TypeId,
        definition: Definition,
        bytes: usize,
    ) -> Result<(), GobError> {
        if id < TypeId::FIRST_DEFINED || self.defined.contains_key(&id) {
            return Err(GobError::Redefined(id.0));
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.defined.len() == TYPES || self.bytes > DEFINITION_BYTES {
            return Err(GobError::TooManyTypes);
        }
        self.defined.insert(id, Arc::new(definition));
        Ok(())
    }

    pub fn get(&self, id: TypeId) -> Result<Arc<Definition>, GobError> {
        self.defined.get(&id).cloned().ok_or(GobError::UnknownType(id.0))
    }

    pub fn iter(&self) -> impl Iterator<Item = (TypeId, &Definition)> {
        self.defined.iter().map(|(id, definition)| (*id, &**definition))
    }

    /// A struct stands for itself at the top; everything else is preceded by a zero.
    pub(super) fn is_struct(&self, id: TypeId) -> bool {
        self.defined.get(&id).is_some_and(|d| matches!(d.shape, Shape::Struct { .. }))
    }
}
