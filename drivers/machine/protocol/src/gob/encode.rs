//! Values to messages. Pure.
//!
//! Every type is defined in a message of its own before it is used, never inside an interface: so the byte counts
//! that stand before interface values are right, and one value is one message.

use std::sync::Arc;

use super::bytes::{put_bytes, put_int, put_uint};
use super::{Definition, Dynamic, GobError, Shape, TypeId, Types, Value};

/// The message around `payload`.
pub fn framed(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 9);
    put_bytes(&mut out, payload);
    out
}

/// The message that defines a type.
pub fn definition(id: TypeId, definition: &Definition) -> Vec<u8> {
    let mut out = Vec::new();
    put_int(&mut out, -id.0);
    // The field of the wire type that is set: array, slice, struct, map.
    let kind = match definition.shape {
        Shape::Array { .. } => 1,
        Shape::List { .. } => 2,
        Shape::Struct { .. } => 3,
        Shape::Map { .. } => 4,
    };
    put_uint(&mut out, kind);
    put_uint(&mut out, 1);
    put_common(&mut out, id, &definition.name);
    put_shape(&mut out, &definition.shape);
    // The end of the shape, and of the wire type.
    out.extend([0, 0]);
    framed(&out)
}

fn put_common(out: &mut Vec<u8>, id: TypeId, name: &str) {
    put_uint(out, 1);
    put_bytes(out, name.as_bytes());
    put_uint(out, 1);
    put_int(out, id.0);
    out.push(0);
}

fn put_shape(out: &mut Vec<u8>, shape: &Shape) {
    match shape {
        Shape::Array { element, length } => {
            put_field(out, *element);
            put_uint(out, 1);
            put_int(out, i64::try_from(*length).unwrap_or(i64::MAX));
        }
        Shape::List { element } => put_field(out, *element),
        Shape::Struct { fields } => {
            put_uint(out, 1);
            put_uint(out, fields.len() as u64);
            for (name, id) in fields {
                put_uint(out, 1);
                put_bytes(out, name.as_bytes());
                put_field(out, *id);
                out.push(0);
            }
        }
        Shape::Map { key, element } => {
            put_field(out, *key);
            put_field(out, *element);
        }
    }
}

/// A type's id in the field after the one before.
fn put_field(out: &mut Vec<u8>, id: TypeId) {
    put_uint(out, 1);
    put_int(out, id.0);
}

/// The message that carries `value`, of the type `id`.
pub fn value(types: &Types, id: TypeId, value: &Value) -> Result<Vec<u8>, GobError> {
    let mut out = Vec::new();
    put_int(&mut out, id.0);
    put_top(&mut out, types, id, value)?;
    Ok(framed(&out))
}

fn put_top(out: &mut Vec<u8>, types: &Types, id: TypeId, value: &Value) -> Result<(), GobError> {
    if !types.is_struct(id) {
        out.push(0);
    }
    put(out, types, id, value)
}

fn put(out: &mut Vec<u8>, types: &Types, id: TypeId, value: &Value) -> Result<(), GobError> {
    match (id, value) {
        (TypeId::BOOL, Value::Bool(truth)) => out.push(u8::from(*truth)),
        (TypeId::INT, Value::Int(number)) => put_int(out, *number),
        (TypeId::UINT, Value::Uint(number)) => put_uint(out, *number),
        (TypeId::BYTES, Value::Bytes(bytes)) => put_bytes(out, bytes),
        (TypeId::TEXT, Value::Text(text)) => put_bytes(out, text.as_bytes()),
        (TypeId::INTERFACE, Value::Interface(dynamic)) => put_interface(out, types, dynamic.as_deref())?,
        _ if id < TypeId::FIRST_DEFINED => return Err(GobError::Mismatch(id.0)),
        _ => put_defined(out, types, id, value)?,
    }
    Ok(())
}

fn put_defined(out: &mut Vec<u8>, types: &Types, id: TypeId, value: &Value) -> Result<(), GobError> {
    match (&types.get(id)?.shape, value) {
        (Shape::Array { element, length }, Value::List(values)) if *length == values.len() as u64 => {
            put_list(out, types, *element, values)
        }
        (Shape::List { element }, Value::List(values)) => put_list(out, types, *element, values),
        (Shape::Struct { fields }, Value::Struct(given)) => put_struct(out, types, (id, fields), given),
        (Shape::Map { key, element }, Value::Map(entries)) => {
            put_uint(out, entries.len() as u64);
            entries.iter().try_for_each(|(k, v)| {
                put(out, types, *key, k)?;
                put(out, types, *element, v)
            })
        }
        _ => Err(GobError::Mismatch(id.0)),
    }
}

fn put_list(out: &mut Vec<u8>, types: &Types, element: TypeId, values: &[Value]) -> Result<(), GobError> {
    put_uint(out, values.len() as u64);
    values.iter().try_for_each(|value| put(out, types, element, value))
}

fn put_struct(
    out: &mut Vec<u8>,
    types: &Types,
    (id, fields): (TypeId, &[(Arc<str>, TypeId)]),
    given: &[(Arc<str>, Value)],
) -> Result<(), GobError> {
    // Fields are numbered from one, each by its distance from the one before.
    let mut last = 0;
    for (name, value) in given {
        let position = fields.iter().position(|(known, _)| known == name).ok_or(GobError::Mismatch(id.0))?;
        let number = position + 1;
        let delta = number.checked_sub(last).filter(|delta| *delta > 0).ok_or(GobError::Mismatch(id.0))?;
        put_uint(out, delta as u64);
        put(out, types, fields[position].1, value)?;
        last = number;
    }
    out.push(0);
    Ok(())
}

fn put_interface(out: &mut Vec<u8>, types: &Types, dynamic: Option<&Dynamic>) -> Result<(), GobError> {
    let Some(Dynamic { name, type_id, value }) = dynamic else {
        put_bytes(out, b"");
        return Ok(());
    };
    put_bytes(out, name.as_bytes());
    put_int(out, type_id.0);
    let mut content = Vec::new();
    put_top(&mut content, types, *type_id, value)?;
    put_bytes(out, &content);
    Ok(())
}
