//! SEQUENCEs of context-tagged fields from one table each, both ways.

use crate::{
    EncodeError,
    ber::{Element, Reader, Tag, Writer},
    pspdu::{
        DecodeError, GeneralizedTime, Limits, Octets,
        decode::{DecodeErrorKind, InField, frame_of},
        sequence::{FieldWriter, check_size, octets},
    },
};

/// Version of a protocol, as far as it decides which fields there are.
pub(super) type Version = i64;

/// The type of a field.
pub(super) trait Value<'a>: Sized {
    /// Reads the contents of `element`, whose tag is the field's; `field` is its name in the standard.
    fn read(element: &Element<'a>, field: &'static str, version: Version) -> Result<Self, DecodeError>;

    /// Writes a whole element with this tag.
    fn write(
        &self,
        writer: &mut Writer<'_>,
        tag: Tag,
        field: &'static str,
        version: Version,
    ) -> Result<(), EncodeError>;
}

/// A CHOICE that is a field without a tag of its own: the tag says which alternative it is.
pub(super) trait Alternatives<'a>: Sized {
    fn read(element: &Element<'a>, version: Version) -> Result<Self, DecodeError>;
    fn write(&self, fields: &mut FieldWriter<'_, '_, '_>, version: Version) -> Result<(), EncodeError>;
}

/// A CHOICE within a tag of its own (tags of CHOICEs are explicit).
pub(super) trait Choice<'a>: Sized {
    fn read(element: &Element<'a>, version: Version) -> Result<Self, DecodeError>;
    fn write(&self, writer: &mut Writer<'_>, version: Version) -> Result<(), EncodeError>;
}

/// Defines a CHOICE: name, tag, type where it is no NULL, name in the standard.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$arm_doc:meta])* $arm:ident [$number:literal] $(($type:ty))? = $field:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name<'a> {
            $($(#[$arm_doc])* $arm $(($type))?,)*
            /// Any other alternative.
            Other($crate::pspdu::RawElement<'a>),
        }

        impl<'a> $crate::us::fields::Choice<'a> for $name<'a> {
            fn read(
                element: &$crate::ber::Element<'a>, version: $crate::us::fields::Version,
            ) -> Result<Self, $crate::pspdu::DecodeError> {
                let _ = version;
                match element.tag().context_number() {
                    $(Some($number) => $crate::us::fields::choice!(@read $arm element version $field $($type)?),)*
                    _ => Ok(Self::Other($crate::pspdu::RawElement::from_element(element))),
                }
            }

            fn write(
                &self, writer: &mut $crate::ber::Writer<'_>, version: $crate::us::fields::Version,
            ) -> Result<(), $crate::EncodeError> {
                let _ = version;
                $($crate::us::fields::choice!(@write $arm [$number] self writer version $field $($type)?);)*
                if let Self::Other(raw) = self {
                    writer.raw(raw.octets());
                }
                Ok(())
            }
        }

        $crate::us::fields::explicit! { $name }
    };
    (@read $arm:ident $element:ident $version:ident $field:literal) => {
        $crate::pspdu::decode::InField::in_field($element.null(), $field).map(|()| Self::$arm)
    };
    (@read $arm:ident $element:ident $version:ident $field:literal $type:ty) => {
        $crate::us::fields::Value::read($element, $field, $version).map(Self::$arm)
    };
    (@write $arm:ident [$number:literal] $self:ident $writer:ident $version:ident $field:literal) => {
        if let Self::$arm = $self {
            $writer.null($crate::ber::Tag::context($number));
        }
    };
    (@write $arm:ident [$number:literal] $self:ident $writer:ident $version:ident $field:literal $type:ty) => {
        if let Self::$arm(value) = $self {
            return $crate::us::fields::Value::write(
                value, $writer, $crate::ber::Tag::context($number), $field, $version,
            );
        }
    };
}
pub(super) use choice;

/// Implements [`Value`] for [`Choice`]s.
macro_rules! explicit {
    ($($name:ident)*) => { $(
        impl<'a> $crate::us::fields::Value<'a> for $name<'a> {
            fn read(
                element: &$crate::ber::Element<'a>, field: &'static str, version: $crate::us::fields::Version,
            ) -> Result<Self, $crate::pspdu::DecodeError> {
                use $crate::{pspdu::decode::InField, us::fields::Choice};
                <Self as Choice<'a>>::read(&element.only_child().in_field(field)?, version)
            }

            fn write(
                &self, writer: &mut $crate::ber::Writer<'_>, tag: $crate::ber::Tag, _: &'static str,
                version: $crate::us::fields::Version,
            ) -> Result<(), $crate::EncodeError> {
                use $crate::us::fields::Choice;
                writer.constructed(tag, |writer| Choice::write(self, writer, version))
            }
        }
    )* };
}
pub(super) use explicit;

/// Implements [`Value`] for ENUMERATED types.
macro_rules! enumerated_values {
    ($($name:ident)*) => { $(
        impl $crate::us::fields::Value<'_> for $name {
            fn read(
                element: &$crate::ber::Element<'_>, field: &'static str, _: $crate::us::fields::Version,
            ) -> Result<Self, $crate::pspdu::DecodeError> {
                Self::read(element, field)
            }

            fn write(
                &self, writer: &mut $crate::ber::Writer<'_>, tag: $crate::ber::Tag, _: &'static str,
                _: $crate::us::fields::Version,
            ) -> Result<(), $crate::EncodeError> {
                writer.signed(tag, self.number());
                Ok(())
            }
        }
    )* };
}
pub(super) use enumerated_values;

/// Defines a SEQUENCE as a struct that is read and written, from a table of its fields in the order of their tags:
/// kind, tag number, name, type, name in the standard. Kinds: `required`; `optional`; `since4` (required from version 4 on, no such field
/// before); `choice` (a CHOICE without a tag of its own, with the tags of its alternatives). `then` stands before a NULL that comes next, has to be
/// there and says nothing. Fields with other tags are kept in `others`.
macro_rules! sequence {
    ($(#[$doc:meta])* $name:ident = $type_name:literal {
        $(
            $(#[$field_doc:meta])*
            $kind:ident [$($number:literal)|+] $field:ident : $type:ty = $field_name:literal
            $(then [$null:literal] $null_name:literal)*,
        )*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: $crate::us::fields::sequence!(@type $kind $type),)*
            /// Fields with other tags.
            pub others: Vec<$crate::pspdu::RawElement<'a>>,
        }

        impl<'a> $crate::us::fields::Value<'a> for $name<'a> {
            fn read(
                element: &$crate::ber::Element<'a>, _: &'static str, version: $crate::us::fields::Version,
            ) -> Result<Self, $crate::pspdu::DecodeError> {
                let mut fields = $crate::pspdu::sequence::Fields::of(element, $type_name)?;
                $(let mut $field: Option<$type> = None;)*
                let mut others = Vec::new();
                while let Some((number, field)) = fields.next()? {
                    match number {
                        $(
                            Some($($number)|+) if $crate::us::fields::sequence!(@exists $kind version) => {
                                $crate::us::fields::sequence!(@read $kind field version $field_name $field $type);
                            }
                            $(Some($null) => $crate::pspdu::decode::InField::in_field(field.null(), $null_name)?,)*
                        )*
                        _ => others.push($crate::pspdu::RawElement::from_element(&field)),
                    }
                }
                $($(fields.require(fields.has_seen($null).then_some(()), $null_name)?;)*)*
                Ok(Self {
                    $($field: $crate::us::fields::sequence!(@take $kind fields version $field $field_name),)*
                    others,
                })
            }

            fn write(
                &self, writer: &mut $crate::ber::Writer<'_>, tag: $crate::ber::Tag, _: &'static str,
                version: $crate::us::fields::Version,
            ) -> Result<(), $crate::EncodeError> {
                writer.constructed(tag, |writer| {
                    let mut fields = $crate::pspdu::sequence::FieldWriter::new(writer, &self.others);
                    $(
                        $crate::us::fields::sequence!(
                            @write $kind fields version [$($number)|+] $field_name self.$field
                        );
                        $(
                            let (writer, tag) = fields.before($null);
                            writer.null(tag);
                        )*
                    )*
                    fields.finish()
                })
            }
        }
    };
    (@type required $type:ty) => { $type };
    (@type choice $type:ty) => { $type };
    (@type $kind:ident $type:ty) => { Option<$type> };
    (@exists since4 $version:ident) => { $version >= 4 };
    (@exists $kind:ident $version:ident) => { true };
    (@read choice $element:ident $version:ident $name:literal $field:ident $type:ty) => {
        if $field.is_some() {
            return Err($crate::us::fields::repeated(&$element, $name));
        }
        $field = Some(<$type as $crate::us::fields::Alternatives<'a>>::read(&$element, $version)?)
    };
    (@read $kind:ident $element:ident $version:ident $name:literal $field:ident $type:ty) => {
        $field = Some(<$type as $crate::us::fields::Value<'a>>::read(&$element, $name, $version)?)
    };
    (@take optional $fields:ident $version:ident $field:ident $name:literal) => { $field };
    (@take since4 $fields:ident $version:ident $field:ident $name:literal) => {
        if $version >= 4 { Some($fields.require($field, $name)?) } else { None }
    };
    (@take $kind:ident $fields:ident $version:ident $field:ident $name:literal) => { $fields.require($field, $name)? };
    (@write choice $fields:ident $version:ident [$($number:literal)|+] $name:literal $value:expr) => {
        $crate::us::fields::Alternatives::write(&$value, &mut $fields, $version)?
    };
    (@write required $fields:ident $version:ident [$number:literal] $name:literal $value:expr) => {
        $crate::us::fields::put(&mut $fields, $number, &$value, $name, $version)?
    };
    (@write optional $fields:ident $version:ident [$number:literal] $name:literal $value:expr) => {
        if let Some(value) = &$value {
            $crate::us::fields::put(&mut $fields, $number, value, $name, $version)?
        }
    };
    (@write since4 $fields:ident $version:ident [$number:literal] $name:literal $value:expr) => {
        match &$value {
            Some(_) if $version < 4 => return Err($crate::EncodeError::ValueOutOfRange { field: $name }),
            None if $version >= 4 => return Err($crate::EncodeError::Missing { field: $name }),
            None => {}
            Some(value) => $crate::us::fields::put(&mut $fields, $number, value, $name, $version)?,
        }
    };
}
pub(super) use sequence;

/// Writes a field.
pub(super) fn put<'a>(
    fields: &mut FieldWriter<'_, '_, '_>,
    number: u32,
    value: &impl Value<'a>,
    field: &'static str,
    version: Version,
) -> Result<(), EncodeError> {
    let (writer, tag) = fields.before(number);
    value.write(writer, tag, field, version)
}

/// A second alternative of a CHOICE of which there may be one.
pub(super) const fn repeated(element: &Element<'_>, field: &'static str) -> DecodeError {
    DecodeError { offset: element.offset(), field, kind: DecodeErrorKind::Repeated }
}

/// SEQUENCE OF, whose members are SEQUENCEs.
impl<'a, T: Value<'a>> Value<'a> for Vec<T> {
    fn read(element: &Element<'a>, field: &'static str, version: Version) -> Result<Self, DecodeError> {
        let mut members = element.children().in_field(field)?;
        let mut values = Self::new();
        while let Some(member) = members.next().in_field(field)? {
            if member.tag() != Tag::SEQUENCE {
                let kind = DecodeErrorKind::Tag(member.tag());
                return Err(DecodeError { offset: member.offset(), field, kind });
            }
            values.push(T::read(&member, field, version)?);
        }
        Ok(values)
    }

    fn write(
        &self,
        writer: &mut Writer<'_>,
        tag: Tag,
        field: &'static str,
        version: Version,
    ) -> Result<(), EncodeError> {
        writer.constructed(tag, |writer| {
            self.iter().try_for_each(|value| value.write(writer, Tag::SEQUENCE, field, version))
        })
    }
}

/// VisibleString of `MIN` to `MAX` characters: printable ASCII and spaces. Checked when written, not when read: a receiver has to take what
/// peers send. `Debug` shows its length only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VisibleString<'a, const MIN: usize, const MAX: usize>(pub Octets<'a>);

impl<const MIN: usize, const MAX: usize> VisibleString<'_, MIN, MAX> {
    /// As text, if it is UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        self.0.as_text()
    }
}

impl<'a, T: Into<Octets<'a>>, const MIN: usize, const MAX: usize> From<T> for VisibleString<'a, MIN, MAX> {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl<'a, const MIN: usize, const MAX: usize> Value<'a> for VisibleString<'a, MIN, MAX> {
    fn read(element: &Element<'a>, field: &'static str, _: Version) -> Result<Self, DecodeError> {
        octets(element, field).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, field: &'static str, _: Version) -> Result<(), EncodeError> {
        check_size(&self.0, field, MIN, MAX)?;
        if !self.0.iter().all(|octet| matches!(octet, b' '..=b'~')) {
            return Err(EncodeError::ValueOutOfRange { field });
        }
        writer.primitive(tag, &self.0);
        Ok(())
    }
}

/// UTF8String. Checked when written, not when read. `Debug` shows its length only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Utf8String<'a>(pub Octets<'a>);

impl<'a, T: Into<Octets<'a>>> From<T> for Utf8String<'a> {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl<'a> Value<'a> for Utf8String<'a> {
    fn read(element: &Element<'a>, field: &'static str, _: Version) -> Result<Self, DecodeError> {
        octets(element, field).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, field: &'static str, _: Version) -> Result<(), EncodeError> {
        if self.0.as_text().is_none() {
            return Err(EncodeError::ValueOutOfRange { field });
        }
        writer.primitive(tag, &self.0);
        Ok(())
    }
}

/// OCTET STRING of `MIN` to `MAX` octets. Checked when written, not when read. `Debug` shows its length only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OctetString<'a, const MIN: usize, const MAX: usize>(pub Octets<'a>);

impl<'a, T: Into<Octets<'a>>, const MIN: usize, const MAX: usize> From<T> for OctetString<'a, MIN, MAX> {
    fn from(octets: T) -> Self {
        Self(octets.into())
    }
}

impl<'a, const MIN: usize, const MAX: usize> Value<'a> for OctetString<'a, MIN, MAX> {
    fn read(element: &Element<'a>, field: &'static str, _: Version) -> Result<Self, DecodeError> {
        octets(element, field).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, field: &'static str, _: Version) -> Result<(), EncodeError> {
        check_size(&self.0, field, MIN, MAX)?;
        writer.primitive(tag, &self.0);
        Ok(())
    }
}

impl<'a, T: Value<'a>> Value<'a> for Box<T> {
    fn read(element: &Element<'a>, field: &'static str, version: Version) -> Result<Self, DecodeError> {
        T::read(element, field, version).map(Self::new)
    }

    fn write(
        &self,
        writer: &mut Writer<'_>,
        tag: Tag,
        field: &'static str,
        version: Version,
    ) -> Result<(), EncodeError> {
        T::write(self, writer, tag, field, version)
    }
}

/// NULL: it is there.
impl Value<'_> for () {
    fn read(element: &Element<'_>, field: &'static str, _: Version) -> Result<Self, DecodeError> {
        element.null().in_field(field)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, _: &'static str, _: Version) -> Result<(), EncodeError> {
        writer.null(tag);
        Ok(())
    }
}

/// INTEGER of `MIN` to `MAX`. Checked when written, not when read, as far as 64 bits without a sign go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Integer<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> Value<'_> for Integer<MIN, MAX> {
    fn read(element: &Element<'_>, field: &'static str, _: Version) -> Result<Self, DecodeError> {
        element.unsigned().in_field(field).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, field: &'static str, _: Version) -> Result<(), EncodeError> {
        if !(MIN..=MAX).contains(&self.0) {
            return Err(EncodeError::ValueOutOfRange { field });
        }
        writer.unsigned(tag, self.0);
        Ok(())
    }
}

impl<'a> Value<'a> for GeneralizedTime<'a> {
    fn read(element: &Element<'a>, field: &'static str, _: Version) -> Result<Self, DecodeError> {
        octets(element, field).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, field: &'static str, _: Version) -> Result<(), EncodeError> {
        check_size(&self.0, field, 1, usize::MAX)?;
        writer.primitive(tag, &self.0);
        Ok(())
    }
}

/// A PDU that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<T> {
    /// The PDU.
    pub pdu: T,
    /// Its length: the next PDU starts there.
    pub length: usize,
}

/// Reads the PDU at the start of `input`: a SEQUENCE of this name.
pub(super) fn decode<'a, T: Value<'a>>(
    input: &'a [u8],
    limits: &Limits,
    name: &'static str,
) -> Result<Option<Decoded<T>>, DecodeError> {
    let Some(length) = frame_of(input, limits, name)? else { return Ok(None) };
    let element = Reader::new(&input[..length]).require().in_field(name)?;
    Ok(Some(Decoded { pdu: T::read(&element, name, 0)?, length }))
}

/// Writes a SEQUENCE of this name at the end of `out`. On an error `out` is as it was.
pub(super) fn encode<'a>(value: &impl Value<'a>, out: &mut Vec<u8>, name: &'static str) -> Result<(), EncodeError> {
    let start = out.len();
    let written = value.write(&mut Writer::new(out), Tag::SEQUENCE, name, 0);
    if written.is_err() {
        out.truncate(start);
    }
    written
}
