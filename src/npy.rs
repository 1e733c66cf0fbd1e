//! Arrays of `.npz` archives, as `np.savez` and `np.savez_compressed` write them:
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::io::{Read, Seek};
use zip::ZipArchive;
use zip::read::ZipFile;

/// Longest header that is read, in bytes; one of numbers has about a hundred.
const LONGEST: usize = 1 << 16;

/// How a number is stored.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// 4 or 8.
    pub bytes: usize,
    is_big_endian: bool,
}

impl Number {
    fn parse(descr: &str) -> Option<Self> {
        let (is_big_endian, bytes) = match descr {
            "'<f4'" => (false, 4),
            "'<f8'" => (false, 8),
            "'>f4'" => (true, 4),
            "'>f8'" => (true, 8),
            _ => return None,
        };
        Some(Self { bytes, is_big_endian })
    }

    /// The number that stands in as many bytes.
    pub fn read(self, bytes: &[u8]) -> f64 {
        let mut ordered = [0; 8];
        let ordered = &mut ordered[..self.bytes];
        ordered.copy_from_slice(bytes);
        if self.is_big_endian {
            ordered.reverse();
        }
        match <[u8; 4]>::try_from(&*ordered) {
            Ok(four) => f64::from(f32::from_le_bytes(four)),
            Err(_) => f64::from_le_bytes(ordered.try_into().expect("numbers have four bytes or eight")),
        }
    }
}

/// An array of numbers, row after row.
#[derive(Clone, Debug)]
pub struct Header {
    /// How its numbers are stored.
    pub number: Number,
    /// Its lengths.
    pub shape: Vec<u64>,
    /// Bytes before the first number.
    pub length: u64,
}

impl Header {
    /// Of an array with axes as in one of the `expected` shapes, or what was read and what would be right.
    pub fn read(mut reader: impl Read, expected: &[&str]) -> Result<Self, String> {
        let (text, length) = text(&mut reader)?;
        let descr = value(&text, "descr").ok_or_else(|| malformed(&text))?;
        let number = Number::parse(descr).ok_or_else(|| {
            format!(
                "numbers of type {descr}; expected float32 or float64, as .astype(\"float64\") makes them"
            )
        })?;
        let shape = value(&text, "shape").and_then(lengths).ok_or_else(|| malformed(&text))?;
        let axes =
            |shape: &str| shape.split(',').filter(|axis| !axis.trim_matches([' ', ')']).is_empty()).count();
        if !expected.iter().any(|expected| shape.len() == axes(expected)) {
            return Err(format!("shape {}; expected {}", tuple(&shape), expected.join(" or ")));
        }
        match value(&text, "fortran_order") {
            Some("False") => Ok(Self { number, shape, length }),
            Some("True") => {
                Err("stored in Fortran order; expected C order, as np.ascontiguousarray gives it".to_owned())
            }
            _ => Err(malformed(&text)),
        }
    }

    /// Of an array of an archive whose numbers are all there.
    pub fn of_whole<R: Read>(array: &mut ZipFile<R>, expected: &[&str]) -> Result<Self, String> {
        let stored = array.size();
        let header = Self::read(array, expected)?;
        if header.bytes() != Some(stored) {
            let expected = header.bytes().map_or("fewer numbers".to_owned(), |bytes| format!("{bytes}"));
            return Err(format!("{stored} bytes with shape {}; expected {expected}", tuple(&header.shape)));
        }
        Ok(header)
    }

    /// Bytes of the whole array, header included; none where that is no number of bytes.
    pub fn bytes(&self) -> Option<u64> {
        let numbers = self.shape.iter().try_fold(1u64, |product, length| product.checked_mul(*length))?;
        numbers.checked_mul(self.number.bytes as u64)?.checked_add(self.length)
    }
}

/// The array of this name; `expected` says what the archive should be.
pub fn array<'a, R: Read + Seek>(
    archive: &'a mut ZipArchive<R>,
    name: &str,
    expected: &str,
) -> Result<ZipFile<'a, R>, String> {
    const NAMED: usize = 8;
    let entry = format!("{name}.npy");
    let Some(index) = archive.index_for_name(&entry) else {
        let names = archive.file_names().flatten().take(NAMED);
        let names: Vec<String> = names.map(|name| name.trim_end_matches(".npy").to_owned()).collect();
        return Err(format!("no array {name}, but [{}]; {expected}", names.join(", ")));
    };
    archive.by_index(index).map_err(|error| format!("{name}: cannot be read ({error}); {expected}"))
}

/// All numbers of an array, behind its header. What the archive says of its size need not be what it holds.
pub fn numbers(array: &mut impl Read, header: &Header, expected: &str) -> Result<Vec<f64>, String> {
    let promised = header.bytes().map_or(u64::MAX, |bytes| bytes - header.length);
    let mut bytes = Vec::new();
    let mut readable = array.take(promised.saturating_add(1));
    readable.read_to_end(&mut bytes).map_err(|error| format!("cannot be read ({error}); {expected}"))?;
    if bytes.len() as u64 != promised {
        let shape = tuple(&header.shape);
        return Err(format!("not the {promised} bytes of numbers that shape {shape} has; {expected}"));
    }
    Ok(bytes.chunks_exact(header.number.bytes).map(|bytes| header.number.read(bytes)).collect())
}

/// A shape as Python writes it.
pub fn tuple(shape: &[u64]) -> String {
    let lengths: Vec<String> = shape.iter().map(u64::to_string).collect();
    format!("({}{})", lengths.join(", "), if lengths.len() == 1 { "," } else { "" })
}

/// The dictionary, and the bytes up to its end.
fn text(reader: &mut impl Read) -> Result<(String, u64), String> {
    let mut read =
        |bytes: &mut [u8]| reader.read_exact(bytes).map_err(|error| format!("no header ({error})"));
    let mut start = [0; 8];
    read(&mut start)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err("not an array of NumPy; expected one that np.savez wrote".to_owned());
    }
    let mut length = [0; 4];
    let bytes = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(format!("a header of version {version}; expected 1, 2 or 3")),
    };
    read(&mut length[..bytes])?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(format!("a header of {length} bytes; expected {LONGEST} at most"));
    }
    let mut text = vec![0; length];
    read(&mut text)?;
    Ok((String::from_utf8_lossy(&text).into_owned(), (8 + bytes + length) as u64))
}

/// What stands behind a key, up to the next key or the end.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("'{key}':"))?;
    let after = after.trim_start();
    let end = match after.chars().next()? {
        '(' => after.find(')')? + 1,
        '[' => after.rfind(']')? + 1,
        _ => after.find([',', '}'])?,
    };
    Some(after[..end].trim_end())
}

fn lengths(tuple: &str) -> Option<Vec<u64>> {
    let inside = tuple.strip_prefix('(')?.strip_suffix(')')?;
    let lengths = inside.split(',').map(str::trim).filter(|length| !length.is_empty());
    lengths.map(|length| length.parse().ok()).collect()
}

fn malformed(text: &str) -> String {
    format!("the header {:?}; expected one that np.savez wrote", text.trim_end())
}
