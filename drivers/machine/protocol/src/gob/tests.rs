use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::bytes::{Cursor, put_bytes, put_int, put_uint};
use super::*;

/// What a plugin written in Go answered to GetCreateFlags, header first.
const FLAGS_REPLY: &[u8] = include_bytes!("../../../testdata/get-create-flags.gob");

/// The payloads of the messages in `stream`; what is left at the end is one more, whatever it is.
fn messages(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut cursor = Cursor::new(stream);
    let mut payloads = Vec::new();
    while !cursor.is_empty() {
        match cursor.bytes() {
            Ok(payload) => payloads.push(payload.to_vec()),
            Err(_) => break,
        }
    }
    payloads
}

/// All values of a stream, read as a connection would: a message at a time.
fn values(decoder: &mut Decoder, stream: &[u8]) -> Result<Vec<Value>, GobError> {
    let (mut values, mut begun) = (Vec::new(), Vec::new());
    for message in messages(stream) {
        begun.push(message);
        if let Some(value) = decoder.decode(&begun)? {
            values.push(value);
            begun.clear();
        }
    }
    Ok(values)
}

/// Bytes of memory that a value takes, roughly.
fn footprint(value: &Value) -> usize {
    let inside = match value {
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Interface(None) => 0,
        Value::Bytes(bytes) => bytes.len(),
        Value::Text(text) => text.len(),
        Value::Struct(fields) => fields.iter().map(|(_, value)| 16 + footprint(value)).sum(),
        Value::List(values) => values.iter().map(footprint).sum(),
        Value::Map(entries) => entries.iter().map(|(key, value)| footprint(key) + footprint(value)).sum(),
        Value::Interface(Some(dynamic)) => 40 + dynamic.name.len() + footprint(&dynamic.value),
    };
    size_of::<Value>() + inside
}

fn assert_bounded(stream: &[u8]) {
    if let Ok(values) = values(&mut Decoder::default(), stream) {
        let taken: usize = values.iter().map(footprint).sum();
        // A byte makes at most one field of a struct; text that is not UTF-8 grows threefold.
        assert!(taken <= 64 * (stream.len() + 1), "{} bytes became {taken}", stream.len());
    }
}

#[test]
fn the_flags_of_a_plugin_in_go_are_read_with_the_definitions_inside() {
    let read = values(&mut Decoder::default(), FLAGS_REPLY).unwrap();
    let [header, flags] = &read[..] else { panic!("{read:?}") };
    assert_eq!(header.field("ServiceMethod", Value::text), Some("RPCServerDriver.GetCreateFlags"));
    assert_eq!(header.field("Error", Value::text), Some(""));
    let flags: Vec<&Dynamic> = flags.list().unwrap().iter().map(|flag| flag.dynamic().unwrap()).collect();
    let names: Vec<&str> = flags.iter().map(|flag| flag.name.as_str()).collect();
    assert_eq!(names[0], "*mcnflag.StringFlag");
    assert_eq!(names[4], "*mcnflag.IntFlag");
    assert_eq!(names[5], "*mcnflag.BoolFlag");
    assert_eq!(names[6], "*mcnflag.StringSliceFlag");
    let labels = flags[6].value.field("Value", Value::list).unwrap();
    assert_eq!(labels, [Value::Text("testhost".to_owned())]);
}

#[test]
fn types_are_defined_as_go_defines_them() {
    let request = Definition::structure("Request", &[("ServiceMethod", TypeId::TEXT), ("Seq", TypeId::UINT)]);
    let captured = b"\x2f\xff\x81\x03\x01\x01\x07Request\x01\xff\x82\x00\x01\x02\x01\x0dServiceMethod\x01\x0c\x00\x01\x03Seq\x01\x06\x00\x00\x00";
    assert_eq!(definition(TypeId(65), &request), captured);
}

#[test]
fn a_plugin_that_announces_more_than_it_sends_costs_nothing() {
    let mut announced = Vec::new();
    put_int(&mut announced, TypeId::BYTES.0);
    announced.push(0);
    put_uint(&mut announced, u64::MAX / 2);
    assert_eq!(values(&mut Decoder::default(), &framed(&announced)), Err(GobError::Truncated));
}

#[test]
fn nesting_is_bounded() {
    // A list of itself.
    let mut stream = definition(TypeId(65), &Definition::list("t", TypeId(65)));
    let mut nested = vec![0xff, 0x82, 0];
    nested.extend([1; 100]);
    stream.extend(framed(&nested));
    assert_eq!(values(&mut Decoder::default(), &stream), Err(GobError::TooDeep));
}

#[test]
fn the_number_of_values_is_bounded() {
    let mut stream = definition(TypeId(65), &Definition::list("t", TypeId::BOOL));
    let mut many = vec![0xff, 0x82, 0];
    put_bytes(&mut many, &vec![1; VALUES]);
    stream.extend(framed(&many));
    assert_eq!(values(&mut Decoder::default(), &stream), Err(GobError::TooManyValues));
}

#[test]
fn the_number_of_types_is_bounded_and_none_is_defined_twice() {
    let list = Definition::list("t", TypeId::BOOL);
    let mut decoder = Decoder::default();
    for id in 65.. {
        let mut stream = definition(TypeId(id), &list);
        stream.extend(value(&Types::default(), TypeId::BOOL, &Value::Bool(true)).unwrap());
        match values(&mut decoder, &stream) {
            Ok(_) => assert!(id < 65 + i64::try_from(TYPES).unwrap()),
            Err(error) => {
                assert_eq!(error, GobError::TooManyTypes);
                break;
            }
        }
    }
    assert_eq!(values(&mut decoder, &definition(TypeId(65), &list)), Err(GobError::Redefined(65)));
    assert_eq!(values(&mut decoder, &definition(TypeId(6), &list)), Err(GobError::Redefined(6)));
}

/// Types 65 and up, each of those below it, and a value of one of them.
fn stream_of_ours() -> impl Strategy<Value = (Vec<(TypeId, Definition)>, TypeId, Value)> {
    vec((0..4_u8, "[A-Za-z]{0,8}", vec((any::<Index>(), "[A-Z][a-z]{3,5}"), 1..4), 0..3_u64), 1..6)
        .prop_flat_map(|recipes| {
            let mut types = Vec::new();
            for (kind, name, parts, length) in recipes {
                let id = TypeId(65 + i64::try_from(types.len()).unwrap());
                types.push((id, invented(&types, kind, name, &parts, length)));
            }
            let ids: Vec<TypeId> = known(&types);
            (Just(types), proptest::sample::select(ids))
        })
        .prop_flat_map(|(types, id)| (Just(types.clone()), Just(id), of_type(Arc::new(types), id)))
}

fn known(types: &[(TypeId, Definition)]) -> Vec<TypeId> {
    let builtin = [TypeId::BOOL, TypeId::INT, TypeId::UINT, TypeId::BYTES, TypeId::TEXT, TypeId::INTERFACE];
    builtin.into_iter().chain(types.iter().map(|(id, _)| *id)).collect()
}

fn invented(
    types: &[(TypeId, Definition)],
    kind: u8,
    name: String,
    parts: &[(Index, String)],
    length: u64,
) -> Definition {
    let known = known(types);
    let part = |at: usize| *parts[at % parts.len()].0.get(&known);
    let shape = match kind {
        0 => Shape::Array { element: part(0), length },
        1 => Shape::List { element: part(0) },
        2 => Shape::Map { key: part(0), element: part(1) },
        _ => {
            let fields = parts.iter().enumerate();
            // Field names are told apart by their place.
            let field = |(at, (index, name)): (usize, &(Index, String))| {
                (Arc::from(format!("{name}{at}")), *index.get(&known))
            };
            Shape::Struct { fields: fields.map(field).collect() }
        }
    };
    Definition { name, shape }
}

type Defined = Arc<Vec<(TypeId, Definition)>>;

fn of_type(types: Defined, id: TypeId) -> BoxedStrategy<Value> {
    match id {
        TypeId::BOOL => any::<bool>().prop_map(Value::Bool).boxed(),
        TypeId::INT => any::<i64>().prop_map(Value::Int).boxed(),
        TypeId::UINT => any::<u64>().prop_map(Value::Uint).boxed(),
        TypeId::BYTES => vec(any::<u8>(), 0..200).prop_map(Value::Bytes).boxed(),
        TypeId::TEXT => any::<String>().prop_map(Value::Text).boxed(),
        TypeId::INTERFACE => interface(&types),
        _ => {
            let definition = types.iter().find(|(known, _)| *known == id).unwrap().1.clone();
            defined(&types, definition.shape)
        }
    }
}

/// Of a type without interfaces inside, so that values end.
fn interface(types: &Defined) -> BoxedStrategy<Value> {
    let plain = [TypeId::BOOL, TypeId::INT, TypeId::TEXT];
    let structs = types.iter().filter(|(_, d)| match &d.shape {
        Shape::Struct { fields } => fields.iter().all(|(_, id)| plain.contains(id)),
        _ => false,
    });
    let ids: Vec<TypeId> = plain.iter().copied().chain(structs.map(|(id, _)| *id)).collect();
    let types = Arc::clone(types);
    let some = (proptest::sample::select(ids), "[*a-z.]{1,20}").prop_flat_map(move |(type_id, name)| {
        of_type(Arc::clone(&types), type_id).prop_map(move |value| {
            Value::Interface(Some(Box::new(Dynamic { name: name.clone(), type_id, value })))
        })
    });
    prop_oneof![Just(Value::Interface(None)), some].boxed()
}

fn defined(types: &Defined, shape: Shape) -> BoxedStrategy<Value> {
    let of = |id| of_type(Arc::clone(types), id);
    match shape {
        Shape::Array { element, length } => {
            let length = usize::try_from(length).unwrap();
            vec(of(element), length).prop_map(Value::List).boxed()
        }
        Shape::List { element } => vec(of(element), 0..3).prop_map(Value::List).boxed(),
        Shape::Map { key, element } => vec((of(key), of(element)), 0..3).prop_map(Value::Map).boxed(),
        Shape::Struct { fields } => {
            let types = Arc::clone(types);
            let count = fields.len();
            subsequence(fields, 0..=count)
                .prop_flat_map(move |fields| {
                    let field =
                        |(name, id): (Arc<str>, TypeId)| (Just(name), of_type(Arc::clone(&types), id));
                    fields.into_iter().map(field).collect::<Vec<_>>()
                })
                .prop_map(Value::Struct)
                .boxed()
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read((types, id, value_written) in stream_of_ours()) {
        let mut stream: Vec<u8> =
            types.iter().flat_map(|(id, shape)| definition(*id, shape)).collect();
        let message = value(&Types::new(types), id, &value_written).unwrap();
        // Twice: the types are remembered.
        stream.extend(&message);
        stream.extend(&message);
        prop_assert_eq!(
            values(&mut Decoder::default(), &stream),
            Ok(vec![value_written.clone(), value_written])
        );
    }

    #[test]
    fn a_value_of_another_type_is_not_written((types, id, other) in stream_of_ours(), truth: bool) {
        prop_assume!(id != TypeId::BOOL);
        prop_assert!(value(&Types::new(types), id, &Value::Bool(truth)).is_err());
        prop_assert!(value(&Types::default(), TypeId::BOOL, &other).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(stream: Vec<u8>) {
        assert_bounded(&stream);
        // As one message, whatever length it announces.
        assert_bounded(&framed(&stream));
    }

    #[test]
    fn any_change_to_a_true_stream_is_read_or_refused(
        changes in vec((any::<Index>(), any::<u8>()), 1..8),
        cut: Index,
    ) {
        let mut stream = FLAGS_REPLY.to_vec();
        for (at, byte) in changes {
            *at.get_mut(&mut stream) = byte;
        }
        assert_bounded(&stream);
        assert_bounded(&stream[..cut.index(stream.len())]);
    }
}
