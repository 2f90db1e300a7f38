//! What is sent to a plugin, and the flags that it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::gob::{Definition, Dynamic, TypeId, Value};
use crate::rpc::FIRST_TYPE;

/// Go's `struct{}`, the argument of most calls.
pub(super) const NOTHING: TypeId = FIRST_TYPE;
const FLAGS: TypeId = TypeId(FIRST_TYPE.0 + 1);
const VALUES: TypeId = TypeId(FIRST_TYPE.0 + 2);
const TEXTS: TypeId = TypeId(FIRST_TYPE.0 + 3);

/// The name that Go knows the argument of SetConfigFromFlags by.
const FLAGS_NAME: &str = "*rpcdriver.RPCFlags";

/// A flag of a driver, as it describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFlag {
    /// Such as `digitalocean-region`.
    pub name: String,
    pub usage: String,
    /// The environment variable for it; empty for none.
    pub env: String,
    /// Its type too; false for a switch.
    pub default: FlagValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagValue {
    Text(String),
    Int(i64),
    Bool(bool),
    List(Vec<String>),
}

pub(super) fn argument_types() -> [(TypeId, Definition); 4] {
    [
        (NOTHING, Definition::structure("", &[])),
        (FLAGS, Definition::structure("RPCFlags", &[("Values", VALUES)])),
        (VALUES, Definition::map("map[string]interface {}", TypeId::TEXT, TypeId::INTERFACE)),
        (TEXTS, Definition::list("[]string", TypeId::TEXT)),
    ]
}

/// The argument of SetConfigFromFlags: an interface around a map of interfaces.
pub(super) fn argument(values: &BTreeMap<String, FlagValue>) -> Value {
    let entry = |(name, value): (&String, &FlagValue)| (Value::Text(name.clone()), dynamic(value));
    let map = Value::Map(values.iter().map(entry).collect());
    let flags = Value::Struct(vec![(Arc::from("Values"), map)]);
    interface(FLAGS_NAME, FLAGS, flags)
}

fn dynamic(value: &FlagValue) -> Value {
    match value {
        FlagValue::Text(text) => interface("string", TypeId::TEXT, Value::Text(text.clone())),
        FlagValue::Int(number) => interface("int", TypeId::INT, Value::Int(*number)),
        FlagValue::Bool(truth) => interface("bool", TypeId::BOOL, Value::Bool(*truth)),
        FlagValue::List(texts) => {
            interface("[]string", TEXTS, Value::List(texts.iter().cloned().map(Value::Text).collect()))
        }
    }
}

fn interface(name: &str, type_id: TypeId, value: Value) -> Value {
    Value::Interface(Some(Box::new(Dynamic { name: name.to_owned(), type_id, value })))
}

/// The reply of GetCreateFlags; None when it is no such thing.
pub(super) fn read(reply: &Value) -> Option<Vec<CreateFlag>> {
    reply.list()?.iter().map(|flag| flag.dynamic().and_then(create_flag)).collect()
}

fn create_flag(flag: &Dynamic) -> Option<CreateFlag> {
    let text = |name| flag.value.field(name, Value::text).map(str::to_owned);
    let default = match flag.name.trim_start_matches('*') {
        "mcnflag.StringFlag" => FlagValue::Text(text("Value")?),
        "mcnflag.IntFlag" => FlagValue::Int(flag.value.field("Value", Value::int)?),
        "mcnflag.BoolFlag" => FlagValue::Bool(false),
        "mcnflag.StringSliceFlag" => {
            let values = flag.value.field("Value", Value::list)?;
            FlagValue::List(values.iter().map(|v| v.text().map(str::to_owned)).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    Some(CreateFlag { name: text("Name")?, usage: text("Usage")?, env: text("EnvVar")?, default })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gob::{self, Decoder, Types};

    #[test]
    fn flags_are_written_in_one_message_and_read_back() {
        let values = BTreeMap::from([
            ("a".to_owned(), FlagValue::Text("x".to_owned())),
            ("b".to_owned(), FlagValue::Int(-1)),
            ("c".to_owned(), FlagValue::Bool(true)),
            ("d".to_owned(), FlagValue::List(vec!["y".to_owned(), String::new()])),
        ]);
        let types = Types::new(argument_types());
        let framed = gob::value(&types, TypeId::INTERFACE, &argument(&values)).unwrap();
        let mut decoder = Decoder::default();
        let mut messages: Vec<Vec<u8>> =
            types.iter().map(|(id, shape)| unframed(&gob::definition(id, shape))).collect();
        messages.push(unframed(&framed));
        assert_eq!(decoder.decode(&messages), Ok(Some(argument(&values))));
    }

    fn unframed(message: &[u8]) -> Vec<u8> {
        let skipped = 1 + gob::uint_bytes(message[0]).unwrap_or(0);
        message[skipped..].to_vec()
    }

    #[test]
    fn a_flag_of_another_type_is_refused() {
        let value = Value::Struct(vec![(Arc::from("Name"), Value::Int(1))]);
        let reply = |name: &str, value: &Value| Value::List(vec![interface(name, TypeId(70), value.clone())]);
        assert_eq!(read(&reply("*mcnflag.StringFlag", &value)), None);
        assert_eq!(read(&reply("*mcnflag.FloatFlag", &Value::Struct(Vec::new()))), None);
        assert_eq!(read(&Value::Text("x".to_owned())), None);
    }
}
