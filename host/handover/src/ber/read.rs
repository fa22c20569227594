//! Reading.

use super::{Class, Tag};
use std::{borrow::Cow, fmt};

/// How deep elements of indefinite length, and strings in pieces, may be nested.
pub const DEPTH_MAX: usize = 32;

/// Why octets are no BER, or not the type expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// Where, counted from the first octet given to the outermost [`Reader`].
    pub offset: usize,
    /// What is wrong.
    pub kind: ErrorKind,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The octets end within an element.
    Truncated,
    /// A tag number over 2^32 - 1, or one in the long form that starts with a zero.
    Tag,
    /// A length over 2^32 - 1, or the reserved form 0xff.
    Length,
    /// Nested deeper than [`DEPTH_MAX`].
    Depth,
    /// End-of-contents where no indefinite length is open.
    EndOfContents,
    /// An element of indefinite length that is not constructed.
    IndefinitePrimitive,
    /// An element that has to be constructed is primitive.
    NotConstructed,
    /// An element that has to be primitive is constructed.
    NotPrimitive,
    /// A piece of a string in pieces is no OCTET STRING.
    Piece,
    /// Contents that the type does not allow.
    Contents,
    /// Octets after the last element.
    Trailing,
    /// There is no element where one has to be.
    Missing,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "octet {}: {}", self.offset, self.kind)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the octets end within an element",
            Self::Tag => "the tag is not valid",
            Self::Length => "the length is not valid",
            Self::Depth => "nested too deep",
            Self::EndOfContents => "end-of-contents where nothing is open",
            Self::IndefinitePrimitive => "indefinite length of a primitive element",
            Self::NotConstructed => "primitive where it has to be constructed",
            Self::NotPrimitive => "constructed where it has to be primitive",
            Self::Piece => "a piece of a string is no octet string",
            Self::Contents => "the contents are not valid for the type",
            Self::Trailing => "octets after the last element",
            Self::Missing => "an element is missing",
        })
    }
}

impl std::error::Error for Error {}

/// The identifier and length octets of one element.
struct Head {
    tag: Tag,
    constructed: bool,
    /// `None`: indefinite.
    length: Option<usize>,
    octets: usize,
}

/// Reads identifier and length octets from the start of `input`.
fn head(input: &[u8]) -> Result<Head, ErrorKind> {
    let mut octets = input.iter().copied();
    let mut next = || octets.next().ok_or(ErrorKind::Truncated);
    let first = next()?;
    let class = match first >> 6 {
        0 => Class::Universal,
        1 => Class::Application,
        2 => Class::Context,
        _ => Class::Private,
    };
    let mut number = u32::from(first & 0x1f);
    if number == 0x1f {
        number = 0;
        loop {
            let octet = next()?;
            if number == 0 && octet == 0x80 || number >> 25 != 0 {
                return Err(ErrorKind::Tag);
            }
            number = number << 7 | u32::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                break;
            }
        }
    }
    let constructed = first & 0x20 != 0;
    let length = match next()? {
        short @ 0..=0x7f => Some(usize::from(short)),
        0x80 if constructed => None,
        0x80 => return Err(ErrorKind::IndefinitePrimitive),
        0xff => return Err(ErrorKind::Length),
        long => {
            let mut length = 0_u32;
            for _ in 0..long & 0x7f {
                let octet = next()?;
                if length >> 24 != 0 {
                    return Err(ErrorKind::Length);
                }
                length = length << 8 | u32::from(octet);
            }
            Some(length as usize)
        }
    };
    Ok(Head { tag: Tag { class, number }, constructed, length, octets: input.len() - octets.len() })
}

const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Where the contents of an element of indefinite length end, before the end-of-contents octets. Walks, does not recurse.
fn indefinite_contents(input: &[u8]) -> Result<usize, (usize, ErrorKind)> {
    let mut open = 1;
    let mut at = 0;
    loop {
        let rest = input.get(at..).unwrap_or_default();
        if rest.starts_with(&END_OF_CONTENTS) {
            open -= 1;
            if open == 0 {
                return Ok(at);
            }
            at += END_OF_CONTENTS.len();
            continue;
        }
        let head = head(rest).map_err(|kind| (at, kind))?;
        if head.tag == Tag::universal(0) {
            return Err((at, ErrorKind::EndOfContents));
        }
        at += head.octets;
        match head.length {
            Some(length) => {
                at = at.checked_add(length).filter(|&end| end <= input.len()).ok_or((at, ErrorKind::Truncated))?;
            }
            None if open == DEPTH_MAX => return Err((at, ErrorKind::Depth)),
            None => open += 1,
        }
    }
}

/// How far the first element of a stream reaches, as far as the octets show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The element's tag, once it is there.
    pub tag: Option<Tag>,
    /// Octets of the whole element, once they can be told: for an indefinite length, when its end is there.
    pub length: Option<usize>,
}

/// How far the first element of `input` reaches. Running out of octets is no error here.
pub fn extent(input: &[u8]) -> Result<Extent, Error> {
    let head = match head(input) {
        Ok(head) => head,
        Err(ErrorKind::Truncated) => return Ok(Extent { tag: None, length: None }),
        Err(kind) => return Err(Error { offset: 0, kind }),
    };
    if head.tag == Tag::universal(0) {
        return Err(Error { offset: 0, kind: ErrorKind::EndOfContents });
    }
    let length = match head.length {
        Some(length) => Some(head.octets + length),
        None => match indefinite_contents(&input[head.octets..]) {
            Ok(length) => Some(head.octets + length + END_OF_CONTENTS.len()),
            Err((_, ErrorKind::Truncated)) => None,
            Err((at, kind)) => return Err(Error { offset: head.octets + at, kind }),
        },
    };
    Ok(Extent { tag: Some(head.tag), length })
}

/// Reads elements that follow each other.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    /// Offset of `input` from the first octet of the outermost reader.
    base: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `input`.
    pub const fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0, base: 0 }
    }

    /// Offset of the next element.
    pub const fn offset(&self) -> usize {
        self.base + self.at
    }

    /// The next element, or `None` at the end.
    #[expect(
        clippy::should_implement_trait,
        reason = "it fails, and an iterator that goes on after a failure would be wrong"
    )]
    pub fn next(&mut self) -> Result<Option<Element<'a>>, Error> {
        let start = self.at;
        let rest = &self.input[start..];
        if rest.is_empty() {
            return Ok(None);
        }
        let fault = |at: usize, kind| Error { offset: self.base + start + at, kind };
        let head = head(rest).map_err(|kind| fault(0, kind))?;
        if head.tag == Tag::universal(0) {
            return Err(fault(0, ErrorKind::EndOfContents));
        }
        let after = &rest[head.octets..];
        let (length, closing) = match head.length {
            Some(length) => (length, 0),
            None => {
                let length = indefinite_contents(after).map_err(|(at, kind)| fault(head.octets + at, kind))?;
                (length, END_OF_CONTENTS.len())
            }
        };
        let contents = after.get(..length).ok_or(fault(0, ErrorKind::Truncated))?;
        let raw = &rest[..head.octets + length + closing];
        self.at = start + raw.len();
        Ok(Some(Element {
            tag: head.tag,
            constructed: head.constructed,
            raw,
            contents,
            offset: self.base + start,
            contents_offset: self.base + start + head.octets,
        }))
    }

    /// The next element, which has to be there.
    pub fn require(&mut self) -> Result<Element<'a>, Error> {
        let offset = self.offset();
        self.next()?.ok_or(Error { offset, kind: ErrorKind::Missing })
    }

    /// Fails if anything is left.
    pub fn finish(&self) -> Result<(), Error> {
        if self.at == self.input.len() {
            Ok(())
        } else {
            Err(Error { offset: self.offset(), kind: ErrorKind::Trailing })
        }
    }
}

/// One element.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    tag: Tag,
    constructed: bool,
    raw: &'a [u8],
    contents: &'a [u8],
    offset: usize,
    contents_offset: usize,
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element")
            .field("tag", &self.tag)
            .field("offset", &self.offset)
            .field("octets", &self.raw.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Element<'a> {
    /// Its tag.
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// Whether it is made of elements.
    pub const fn is_constructed(&self) -> bool {
        self.constructed
    }

    /// Offset of its first octet from the first octet of the outermost reader.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// All of it: tag, length, contents and end-of-contents.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Its contents octets.
    pub const fn contents(&self) -> &'a [u8] {
        self.contents
    }

    /// A failure in its contents.
    pub const fn fault(&self, kind: ErrorKind) -> Error {
        Error { offset: self.offset, kind }
    }

    /// The elements that it is made of.
    pub fn children(&self) -> Result<Reader<'a>, Error> {
        if !self.constructed {
            return Err(self.fault(ErrorKind::NotConstructed));
        }
        Ok(Reader { input: self.contents, at: 0, base: self.contents_offset })
    }

    /// The one element that it is made of: an explicit tag around a CHOICE.
    pub fn only_child(&self) -> Result<Element<'a>, Error> {
        let mut children = self.children()?;
        let child = children.require()?;
        children.finish()?;
        Ok(child)
    }

    /// Contents octets of a primitive element.
    pub fn primitive(&self) -> Result<&'a [u8], Error> {
        if self.constructed { Err(self.fault(ErrorKind::NotPrimitive)) } else { Ok(self.contents) }
    }

    /// An octet string, or any other string of octets: borrowed if it is in one piece.
    pub fn octet_string(&self) -> Result<Cow<'a, [u8]>, Error> {
        if !self.constructed {
            return Ok(Cow::Borrowed(self.contents));
        }
        // Pieces may be in pieces themselves: a stack instead of recursion.
        let mut joined = Vec::new();
        let mut open = vec![self.children()?];
        while let Some(reader) = open.last_mut() {
            let Some(piece) = reader.next()? else {
                open.pop();
                continue;
            };
            if piece.tag != Tag::OCTET_STRING {
                return Err(piece.fault(ErrorKind::Piece));
            }
            if !piece.constructed {
                joined.extend_from_slice(piece.contents);
            } else if open.len() == DEPTH_MAX {
                return Err(piece.fault(ErrorKind::Depth));
            } else {
                open.push(piece.children()?);
            }
        }
        Ok(Cow::Owned(joined))
    }

    /// A non-negative INTEGER up to 2^64 - 1.
    pub fn unsigned(&self) -> Result<u64, Error> {
        let octets = self.primitive()?;
        let wrong = self.fault(ErrorKind::Contents);
        let significant = match octets {
            [] => return Err(wrong),
            [0x80..=0xff, ..] => return Err(wrong),
            [0, rest @ ..] => rest,
            all => all,
        };
        if significant.len() > 8 {
            return Err(wrong);
        }
        Ok(significant.iter().fold(0, |value, &octet| value << 8 | u64::from(octet)))
    }

    /// A non-negative INTEGER up to 2^32 - 1.
    pub fn unsigned_u32(&self) -> Result<u32, Error> {
        u32::try_from(self.unsigned()?).map_err(|_| self.fault(ErrorKind::Contents))
    }

    /// An INTEGER or ENUMERATED of 64 bits.
    pub fn signed(&self) -> Result<i64, Error> {
        let octets = self.primitive()?;
        let wrong = self.fault(ErrorKind::Contents);
        let (&first, _) = octets.split_first().ok_or(wrong)?;
        if octets.len() > 8 {
            return Err(wrong);
        }
        let sign = if first & 0x80 == 0 { 0 } else { -1 };
        Ok(octets.iter().fold(sign, |value, &octet| value << 8 | i64::from(octet)))
    }

    /// A BOOLEAN.
    pub fn boolean(&self) -> Result<bool, Error> {
        match self.primitive()? {
            [octet] => Ok(*octet != 0),
            _ => Err(self.fault(ErrorKind::Contents)),
        }
    }

    /// A NULL.
    pub fn null(&self) -> Result<(), Error> {
        match self.primitive()? {
            [] => Ok(()),
            _ => Err(self.fault(ErrorKind::Contents)),
        }
    }

    /// A BIT STRING in one piece: its octets and how many bits at their end are unused.
    pub fn bit_string(&self) -> Result<(&'a [u8], u8), Error> {
        match self.primitive()? {
            [unused @ 0..=7, bits @ ..] if *unused == 0 || !bits.is_empty() => Ok((bits, *unused)),
            _ => Err(self.fault(ErrorKind::Contents)),
        }
    }
}
