//! Messages to values. Pure: whoever reads the stream brings the messages.

use std::sync::Arc;

use super::bytes::Cursor;
use super::types::{Definition, Shape, TypeId, Types};
use super::{Dynamic, FIELDS, GobError, MESSAGE_BYTES, MESSAGES_PER_VALUE, NESTING, VALUES, Value};

/// One stream of values.
#[derive(Debug, Default)]
pub struct Decoder {
    types: Types,
}

impl Decoder {
    /// The value that `messages` carry; None when it goes on in another message: then again, with that one too.
    /// After a value, the next call begins with the message after it.
    pub fn decode(&mut self, messages: &[Vec<u8>]) -> Result<Option<Value>, GobError> {
        let bytes: usize = messages.iter().map(Vec::len).sum();
        if messages.len() > MESSAGES_PER_VALUE || bytes > MESSAGE_BYTES {
            return Err(GobError::TooManyMessages);
        }
        // Types of an attempt that stopped half way would be defined again by the next.
        let types = self.types.clone();
        let mut attempt =
            Attempt { types, messages: messages.iter(), cursor: Cursor::new(&[]), parts_left: VALUES };
        match attempt.top() {
            Ok(value) => {
                self.types = attempt.types;
                Ok(Some(value))
            }
            Err(Stop::MessageWanted) => Ok(None),
            Err(Stop::Broken(error)) => Err(error),
        }
    }
}

struct Attempt<'a> {
    types: Types,
    messages: std::slice::Iter<'a, Vec<u8>>,
    cursor: Cursor<'a>,
    parts_left: usize,
}

enum Stop {
    MessageWanted,
    Broken(GobError),
}

impl From<GobError> for Stop {
    fn from(error: GobError) -> Self {
        Self::Broken(error)
    }
}

impl Attempt<'_> {
    fn top(&mut self) -> Result<Value, Stop> {
        let id = self.type_of_next(false)?;
        self.singleton(id, 0)
    }

    /// The type of the value that comes next, after all definitions that come before it.
    fn type_of_next(&mut self, in_interface: bool) -> Result<TypeId, Stop> {
        loop {
            if self.cursor.is_empty() {
                self.cursor = Cursor::new(self.messages.next().ok_or(Stop::MessageWanted)?);
            }
            let id = self.cursor.int()?;
            if id >= 0 {
                return Ok(TypeId(id));
            }
            self.define(id)?;
            if self.cursor.is_empty() {
                continue;
            }
            if !in_interface {
                return Err(GobError::Excess.into());
            }
            // The length of the value that follows a definition inside an interface. Go's own decoder drops it, and
            // its encoder writes it wrong where definitions are nested.
            self.cursor.uint()?;
        }
    }

    fn define(&mut self, negated: i64) -> Result<(), GobError> {
        let before = self.cursor.len();
        let definition = wire_type(&mut self.cursor)?;
        let id = TypeId(negated.checked_neg().ok_or(GobError::OutOfRange)?);
        self.types.define(id, definition, before - self.cursor.len())
    }

    /// A value at the top of a message or of an interface: what is no struct is preceded by a zero.
    fn singleton(&mut self, id: TypeId, depth: usize) -> Result<Value, Stop> {
        if !self.types.is_struct(id) && self.cursor.uint()? != 0 {
            return Err(GobError::OutOfRange.into());
        }
        self.value(id, depth)
    }

    fn value(&mut self, id: TypeId, depth: usize) -> Result<Value, Stop> {
        if depth == NESTING {
            return Err(GobError::TooDeep.into());
        }
        self.parts_left = self.parts_left.checked_sub(1).ok_or(GobError::TooManyValues)?;
        Ok(match id {
            TypeId::BOOL => Value::Bool(self.cursor.uint()? != 0),
            TypeId::INT => Value::Int(self.cursor.int()?),
            TypeId::UINT => Value::Uint(self.cursor.uint()?),
            TypeId::BYTES => Value::Bytes(self.cursor.bytes()?.to_vec()),
            TypeId::TEXT => Value::Text(self.cursor.text()?),
            TypeId::INTERFACE => self.interface(depth)?,
            _ => self.defined(id, depth + 1)?,
        })
    }

    fn defined(&mut self, id: TypeId, depth: usize) -> Result<Value, Stop> {
        let definition = self.types.get(id)?;
        match &definition.shape {
            Shape::Array { element, length } => {
                let values = self.list(*element, depth)?;
                if values.len() as u64 != *length {
                    return Err(GobError::OutOfRange.into());
                }
                Ok(Value::List(values))
            }
            Shape::List { element } => Ok(Value::List(self.list(*element, depth)?)),
            Shape::Struct { fields } => self.structure(fields, depth),
            Shape::Map { key, element } => {
                let mut entries = Vec::new();
                for _ in 0..self.cursor.count()? {
                    entries.push((self.value(*key, depth)?, self.value(*element, depth)?));
                }
                Ok(Value::Map(entries))
            }
        }
    }

    /// Grows with what is there, never to what is announced.
    fn list(&mut self, element: TypeId, depth: usize) -> Result<Vec<Value>, Stop> {
        let mut values = Vec::new();
        for _ in 0..self.cursor.count()? {
            values.push(self.value(element, depth)?);
        }
        Ok(values)
    }

    fn structure(&mut self, fields: &[(Arc<str>, TypeId)], depth: usize) -> Result<Value, Stop> {
        let mut values = Vec::new();
        let mut number = 0;
        while let Some(next) = next_field(&mut self.cursor, number)? {
            let (name, id) = fields.get(next - 1).ok_or(GobError::OutOfRange)?;
            values.push((Arc::clone(name), self.value(*id, depth)?));
            number = next;
        }
        Ok(Value::Struct(values))
    }

    fn interface(&mut self, depth: usize) -> Result<Value, Stop> {
        let name = self.cursor.text()?;
        if name.is_empty() {
            return Ok(Value::Interface(None));
        }
        let type_id = self.type_of_next(true)?;
        // The length of the value, for those that skip it.
        self.cursor.uint()?;
        let value = self.singleton(type_id, depth + 1)?;
        Ok(Value::Interface(Some(Box::new(Dynamic { name, type_id, value }))))
    }
}

/// The number of a struct's next field, from one on; None at its end.
fn next_field(cursor: &mut Cursor<'_>, last: usize) -> Result<Option<usize>, GobError> {
    let delta = usize::try_from(cursor.uint()?).map_err(|_| GobError::OutOfRange)?;
    if delta == 0 {
        return Ok(None);
    }
    last.checked_add(delta).map(Some).ok_or(GobError::OutOfRange)
}

/// The fields of one part of a type's definition, each handed to `read` by its number.
fn parts(
    cursor: &mut Cursor<'_>,
    mut read: impl FnMut(usize, &mut Cursor<'_>) -> Result<(), GobError>,
) -> Result<(), GobError> {
    let mut number = 0;
    while let Some(next) = next_field(cursor, number)? {
        read(next, cursor)?;
        number = next;
    }
    Ok(())
}

/// A definition: a struct with one field set, which says what kind of type it is.
fn wire_type(cursor: &mut Cursor<'_>) -> Result<Definition, GobError> {
    let mut found = None;
    parts(cursor, |kind, cursor| {
        let definition = shape(kind, cursor)?;
        if found.replace(definition).is_some() { Err(GobError::ForeignDefinition) } else { Ok(()) }
    })?;
    found.ok_or(GobError::ForeignDefinition)
}

/// The parts of the four kinds: a name first, then ids of types; an id that is not given is zero, and no type.
fn shape(kind: usize, cursor: &mut Cursor<'_>) -> Result<Definition, GobError> {
    let mut name = String::new();
    let mut ids = [TypeId(0); 2];
    let mut length = 0;
    let mut fields = Vec::new();
    parts(cursor, |part, cursor| {
        match (kind, part) {
            (1..=4, 1) => name = common(cursor)?,
            (1 | 2 | 4, 2) => ids[0] = TypeId(cursor.int()?),
            (1, 3) => length = u64::try_from(cursor.int()?).map_err(|_| GobError::OutOfRange)?,
            (4, 3) => ids[1] = TypeId(cursor.int()?),
            (3, 2) => fields = struct_fields(cursor)?,
            _ => return Err(GobError::ForeignDefinition),
        }
        Ok(())
    })?;
    let shape = match kind {
        1 => Shape::Array { element: ids[0], length },
        2 => Shape::List { element: ids[0] },
        3 => Shape::Struct { fields },
        4 => Shape::Map { key: ids[0], element: ids[1] },
        _ => return Err(GobError::ForeignDefinition),
    };
    Ok(Definition { name, shape })
}

/// The name; the id beside it repeats the message's.
fn common(cursor: &mut Cursor<'_>) -> Result<String, GobError> {
    let mut name = String::new();
    parts(cursor, |part, cursor| {
        match part {
            1 => name = cursor.text()?,
            2 => drop(cursor.int()?),
            _ => return Err(GobError::ForeignDefinition),
        }
        Ok(())
    })?;
    Ok(name)
}

fn struct_fields(cursor: &mut Cursor<'_>) -> Result<Vec<(Arc<str>, TypeId)>, GobError> {
    let count = cursor.count()?;
    if count > FIELDS {
        return Err(GobError::TooManyTypes);
    }
    let mut fields = Vec::new();
    for _ in 0..count {
        let mut field = (Arc::from(""), TypeId(0));
        parts(cursor, |part, cursor| {
            match part {
                1 => field.0 = Arc::from(cursor.text()?),
                2 => field.1 = TypeId(cursor.int()?),
                _ => return Err(GobError::ForeignDefinition),
            }
            Ok(())
        })?;
        fields.push(field);
    }
    Ok(fields)
}
