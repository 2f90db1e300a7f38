//! How one value becomes one protobuf field, and the macros that do so for whole structs and enums.

use std::fmt;
use std::sync::Arc;

/// Bytes or messages that this version cannot understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// From the innermost name outwards.
    path: Vec<&'static str>,
    problem: String,
}

impl Unreadable {
    pub(in crate::raft) fn new(problem: impl fmt::Display) -> Self {
        Self { path: Vec::new(), problem: problem.to_string() }
    }

    pub(super) fn missing() -> Self {
        Self::new("missing, or of a kind that only a later version knows")
    }

    pub(super) fn within(mut self, name: &'static str) -> Self {
        self.path.push(name);
        self
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.path.iter().rev().enumerate() {
            write!(f, "{}{name}", if position == 0 { "" } else { "." })?;
        }
        write!(f, "{}{}", if self.path.is_empty() { "" } else { ": " }, self.problem)
    }
}

impl std::error::Error for Unreadable {}

impl From<prost::DecodeError> for Unreadable {
    fn from(error: prost::DecodeError) -> Self {
        Self::new(error)
    }
}

/// A type and its protobuf counterpart: a message, or a scalar.
pub(super) trait Wire: Sized {
    type Pb;

    fn to_pb(&self) -> Self::Pb;
    fn from_pb(pb: Self::Pb) -> Result<Self, Unreadable>;
}

/// Those whose counterpart is a message: prost makes an Option of every such field.
pub(super) trait Message: Wire {}

/// A type and one way in which it stands in a message: required, optional or repeated.
pub(super) trait Field<P>: Sized {
    fn to_field(&self) -> P;
    fn from_field(pb: P) -> Result<Self, Unreadable>;
}

impl<T: Message> Field<Option<T::Pb>> for T {
    fn to_field(&self) -> Option<T::Pb> {
        Some(self.to_pb())
    }

    fn from_field(pb: Option<T::Pb>) -> Result<Self, Unreadable> {
        T::from_pb(pb.ok_or_else(Unreadable::missing)?)
    }
}

impl<T: Wire> Field<Option<T::Pb>> for Option<T> {
    fn to_field(&self) -> Option<T::Pb> {
        self.as_ref().map(T::to_pb)
    }

    fn from_field(pb: Option<T::Pb>) -> Result<Self, Unreadable> {
        pb.map(T::from_pb).transpose()
    }
}

impl<T: Wire> Field<Vec<T::Pb>> for Vec<T> {
    fn to_field(&self) -> Vec<T::Pb> {
        self.iter().map(T::to_pb).collect()
    }

    fn from_field(pb: Vec<T::Pb>) -> Result<Self, Unreadable> {
        pb.into_iter().map(T::from_pb).collect()
    }
}

impl<T: Wire> Wire for Box<T> {
    type Pb = T::Pb;

    fn to_pb(&self) -> T::Pb {
        T::to_pb(self)
    }

    fn from_pb(pb: T::Pb) -> Result<Self, Unreadable> {
        T::from_pb(pb).map(Box::new)
    }
}

impl<T: Message> Message for Box<T> {}

impl<T: Wire> Wire for Arc<T> {
    type Pb = T::Pb;

    fn to_pb(&self) -> T::Pb {
        T::to_pb(self)
    }

    fn from_pb(pb: T::Pb) -> Result<Self, Unreadable> {
        T::from_pb(pb).map(Arc::new)
    }
}

impl<T: Message> Message for Arc<T> {}

/// Structs whose message has the same name and the same fields.
macro_rules! record {
    ($($Core:ident { $($field:ident),* $(,)? })*) => {$(
        impl $crate::raft::codec::wire::Wire for $Core {
            type Pb = $crate::raft::codec::pb::$Core;

            fn to_pb(&self) -> Self::Pb {
                Self::Pb { $($field: $crate::raft::codec::wire::Field::to_field(&self.$field)),* }
            }

            fn from_pb(pb: Self::Pb) -> Result<Self, $crate::raft::codec::wire::Unreadable> {
                Ok(Self {$(
                    $field: $crate::raft::codec::wire::Field::from_field(pb.$field)
                        .map_err(|error| error.within(stringify!($field)))?
                ),*})
            }
        }

        impl $crate::raft::codec::wire::Message for $Core {}

        #[cfg(test)]
        impl $crate::raft::codec::tests::Sample for $Core {
            fn sample(draw: &mut $crate::raft::codec::tests::Draw) -> Self {
                Self { $($field: $crate::raft::codec::tests::Sample::sample(draw)),* }
            }
        }
    )*};
}

/// An enum whose message has one oneof, `kind`. A variant is written
/// `Name { fields }` where a nested message of that name has the same fields,
/// `Name[field]` where it holds one value that has no name in core, and
/// `Name(value)` where the value's own message stands in the oneof.
macro_rules! choice {
    ($Core:ident as $module:ident { $($Variant:ident $fields:tt)* }) => {
        impl $crate::raft::codec::wire::Wire for $Core {
            type Pb = $crate::raft::codec::pb::$Core;

            fn to_pb(&self) -> Self::Pb {
                let kind = match self {$(
                    $crate::raft::codec::wire::core_side!($Core $Variant $fields) =>
                        $crate::raft::codec::wire::into_pb!($module $Variant $fields),
                )*};
                Self::Pb { kind: Some(kind) }
            }

            fn from_pb(pb: Self::Pb) -> Result<Self, $crate::raft::codec::wire::Unreadable> {
                let kind = pb.kind.ok_or_else($crate::raft::codec::wire::Unreadable::missing)?;
                Ok(match kind {$(
                    $crate::raft::codec::wire::pb_side!($module $Variant $fields) =>
                        $crate::raft::codec::wire::into_core!($Core $Variant $fields),
                )*})
            }
        }

        impl $crate::raft::codec::wire::Message for $Core {}

        #[cfg(test)]
        impl $crate::raft::codec::tests::Sample for $Core {
            fn sample(draw: &mut $crate::raft::codec::tests::Draw) -> Self {
                let variants: &[fn(&mut $crate::raft::codec::tests::Draw) -> Self] = &[$(
                    |draw| $crate::raft::codec::wire::sampled!(draw $Core $Variant $fields)
                ),*];
                let chosen = draw.below(variants.len());
                variants[chosen](draw)
            }
        }
    };
}

macro_rules! core_side {
    ($Core:ident $Variant:ident { $($field:ident),* }) => { $Core::$Variant { $($field),* } };
    ($Core:ident $Variant:ident [$value:ident]) => { $Core::$Variant($value) };
    ($Core:ident $Variant:ident ($value:ident)) => { $Core::$Variant($value) };
}

macro_rules! pb_side {
    ($module:ident $Variant:ident { $($field:ident),* }) => {
        $crate::raft::codec::pb::$module::Kind::$Variant($crate::raft::codec::pb::$module::$Variant { $($field),* })
    };
    ($module:ident $Variant:ident [$value:ident]) => {
        $crate::raft::codec::pb::$module::Kind::$Variant($crate::raft::codec::pb::$module::$Variant { $value })
    };
    ($module:ident $Variant:ident ($value:ident)) => {
        $crate::raft::codec::pb::$module::Kind::$Variant($value)
    };
}

macro_rules! into_pb {
    ($module:ident $Variant:ident { $($field:ident),* }) => {
        $crate::raft::codec::pb::$module::Kind::$Variant($crate::raft::codec::pb::$module::$Variant {
            $($field: $crate::raft::codec::wire::Field::to_field($field)),*
        })
    };
    ($module:ident $Variant:ident [$value:ident]) => {
        $crate::raft::codec::pb::$module::Kind::$Variant($crate::raft::codec::pb::$module::$Variant {
            $value: $crate::raft::codec::wire::Field::to_field($value)
        })
    };
    ($module:ident $Variant:ident ($value:ident)) => {
        $crate::raft::codec::pb::$module::Kind::$Variant($crate::raft::codec::wire::Wire::to_pb($value))
    };
}

macro_rules! into_core {
    ($Core:ident $Variant:ident { $($field:ident),* }) => {
        $Core::$Variant {$(
            $field: $crate::raft::codec::wire::Field::from_field($field)
                .map_err(|error| error.within(stringify!($field)).within(stringify!($Variant)))?
        ),*}
    };
    ($Core:ident $Variant:ident [$value:ident]) => {
        $Core::$Variant(
            $crate::raft::codec::wire::Field::from_field($value)
                .map_err(|error| error.within(stringify!($value)).within(stringify!($Variant)))?
        )
    };
    ($Core:ident $Variant:ident ($value:ident)) => {
        $Core::$Variant(
            $crate::raft::codec::wire::Wire::from_pb($value)
                .map_err(|error| error.within(stringify!($Variant)))?
        )
    };
}

#[cfg(test)]
macro_rules! sampled {
    ($draw:ident $Core:ident $Variant:ident { }) => {{
        let _ = $draw;
        $Core::$Variant {}
    }};
    ($draw:ident $Core:ident $Variant:ident { $($field:ident),* }) => {
        $Core::$Variant { $($field: $crate::raft::codec::tests::Sample::sample($draw)),* }
    };
    ($draw:ident $Core:ident $Variant:ident [$value:ident]) => {
        $Core::$Variant($crate::raft::codec::tests::Sample::sample($draw))
    };
    ($draw:ident $Core:ident $Variant:ident ($value:ident)) => {
        $Core::$Variant($crate::raft::codec::tests::Sample::sample($draw))
    };
}

/// Enums without data, as protobuf enums of the same words. UNSPECIFIED, or a word of a later version, is an error.
macro_rules! word {
    ($($Core:ident { $($Variant:ident),* $(,)? })*) => {$(
        impl $crate::raft::codec::wire::Wire for $Core {
            type Pb = i32;

            fn to_pb(&self) -> i32 {
                let word = match self { $($Core::$Variant => $crate::raft::codec::pb::$Core::$Variant),* };
                word.into()
            }

            fn from_pb(pb: i32) -> Result<Self, $crate::raft::codec::wire::Unreadable> {
                match $crate::raft::codec::pb::$Core::try_from(pb) {
                    $(Ok($crate::raft::codec::pb::$Core::$Variant) => Ok($Core::$Variant),)*
                    Ok($crate::raft::codec::pb::$Core::Unspecified) | Err(_) => {
                        let problem = format!("{pb} is not a known {}", stringify!($Core));
                        Err($crate::raft::codec::wire::Unreadable::new(problem))
                    }
                }
            }
        }

        $crate::raft::codec::wire::scalar!($Core);

        #[cfg(test)]
        impl $crate::raft::codec::tests::Sample for $Core {
            fn sample(draw: &mut $crate::raft::codec::tests::Draw) -> Self {
                draw.one_of(&[$($Core::$Variant),*])
            }
        }
    )*};
}

/// Types whose required field is the scalar itself.
macro_rules! scalar {
    ($($Core:ty),* $(,)?) => {$(
        impl $crate::raft::codec::wire::Field<<$Core as $crate::raft::codec::wire::Wire>::Pb> for $Core {
            fn to_field(&self) -> <$Core as $crate::raft::codec::wire::Wire>::Pb {
                $crate::raft::codec::wire::Wire::to_pb(self)
            }

            fn from_field(
                pb: <$Core as $crate::raft::codec::wire::Wire>::Pb,
            ) -> Result<Self, $crate::raft::codec::wire::Unreadable> {
                $crate::raft::codec::wire::Wire::from_pb(pb)
            }
        }
    )*};
}

#[cfg(test)]
pub(super) use sampled;
pub(super) use {choice, core_side, into_core, into_pb, pb_side, record, scalar, word};
