//! index ↔ versioned bytes.
//!
//! Magic, version, shape, ids, rows, centre, and a 128-bit BLAKE3 checksum over all before it. The codes are
//! functions of rows and centre, and made anew. Damage anywhere, a cut file or another kind of file is refused.

use crate::error::Error;
use crate::flat::{CODED_FROM, EXACT_BELOW, Flat};
use crate::ids::Ids;
use crate::index::{Index, MAX_DIMENSION, width};
use crate::metric;
use crate::rows::{Rows, Store};

const MAGIC: &[u8; 13] = b"LECMUX-VECTOR";
const VERSION: u16 = 1;
const CHECKSUM: usize = 16;
/// How far the norm of a stored row may be from 1, by rounding.
const ROUNDING: f32 = 0.02;

impl Index {
    /// The whole state as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (rows, store) = (self.engine.rows(), self.store());
        let each = size_of::<i64>() + Rows::row_bytes(store, rows.width());
        let mut bytes = Vec::with_capacity(self.len() * each + 4 * rows.width() + 64);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.push(store_code(store));
        bytes.extend((self.dimension as u64).to_le_bytes());
        bytes.extend((self.len() as u64).to_le_bytes());
        bytes.extend(self.ids.as_slice().iter().flat_map(|id| id.to_le_bytes()));
        (0..self.len()).for_each(|slot| rows.export(slot, &mut bytes));
        let centre = self.engine.centre();
        bytes.push(u8::from(centre.is_some()));
        bytes.extend(centre.into_iter().flatten().flat_map(|value| value.to_le_bytes()));
        let digest = blake3::hash(&bytes);
        bytes.extend(&digest.as_bytes()[..CHECKSUM]);
        bytes
    }

    /// Reads what `to_bytes` wrote.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when the bytes are of another kind or version, cut, changed, or no sound index.
    pub fn from_bytes(sealed: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader(open(sealed)?);
        let store = store_of(reader.take::<1>()?[0])?;
        let dimension = reader.number()?;
        if !(1..=MAX_DIMENSION).contains(&dimension) {
            return Err(damaged("a dimension out of range"));
        }
        let (len, width) = (reader.number()?, width(dimension));
        let mut ids = Ids::default();
        for id in reader.slice(len, size_of::<i64>())?.as_chunks().0 {
            let id = i64::from_le_bytes(*id);
            if ids.slot(id).is_some() {
                return Err(damaged("an id is there twice"));
            }
            ids.push(id);
        }
        let rows = read_rows(&mut reader, store, width, len)?;
        let centre = read_centre(&mut reader, width, len)?;
        if !reader.0.is_empty() {
            return Err(damaged("bytes after its end"));
        }
        Ok(Self::assembled(dimension, ids, Flat::restored(rows, centre), metric::best()))
    }
}

/// What lies between version and checksum.
fn open(sealed: &[u8]) -> Result<&[u8], Error> {
    let refuse = |what: &str| Err(Error::Snapshot { what: what.into() });
    let Some(rest) = sealed.strip_prefix(MAGIC) else {
        return refuse("not a snapshot of a lecmux vector index: the file starts with other bytes");
    };
    let Some((version, rest)) = rest.split_first_chunk() else { return refuse("the snapshot is cut short") };
    let version = u16::from_le_bytes(*version);
    if version != VERSION {
        let what = format!("the snapshot has format {version}, this lecmux reads format {VERSION}");
        return Err(Error::Snapshot { what });
    }
    let Some((body, checksum)) = rest.split_last_chunk::<CHECKSUM>() else {
        return refuse("the snapshot is cut short");
    };
    if blake3::hash(&sealed[..sealed.len() - CHECKSUM]).as_bytes()[..CHECKSUM] != *checksum {
        return refuse("the snapshot is damaged: its checksum does not match");
    }
    Ok(body)
}

fn read_rows(reader: &mut Reader<'_>, store: Store, width: usize, len: usize) -> Result<Rows, Error> {
    let row_bytes = Rows::row_bytes(store, width);
    let bytes = reader.slice(len, row_bytes)?;
    let mut rows = Rows::new(store, width);
    rows.reserve(len);
    let mut row = vec![0.0; width];
    for (slot, bytes) in bytes.chunks_exact(row_bytes).enumerate() {
        rows.import(bytes);
        rows.read(slot, &mut row);
        let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        // A NaN is in no range.
        if !(1.0 - ROUNDING..=1.0 + ROUNDING).contains(&norm) {
            return Err(damaged("a vector that is not of unit norm"));
        }
    }
    Ok(rows)
}

fn read_centre(reader: &mut Reader<'_>, width: usize, len: usize) -> Result<Option<Vec<f32>>, Error> {
    match reader.take::<1>()?[0] {
        0 if len < CODED_FROM => Ok(None),
        1 if len >= EXACT_BELOW => {
            let bytes = reader.slice(width, size_of::<f32>())?;
            let centre: Vec<f32> =
                bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
            let sound = centre.iter().all(|value| value.abs() <= 1.0 + ROUNDING);
            if sound { Ok(Some(centre)) } else { Err(damaged("a centre out of range")) }
        }
        _ => Err(damaged("codes that do not go with its size")),
    }
}

fn store_code(store: Store) -> u8 {
    match store {
        Store::F32 => 0,
        Store::F16 => 1,
        Store::I8 => 2,
    }
}

fn store_of(code: u8) -> Result<Store, Error> {
    [Store::F32, Store::F16, Store::I8]
        .into_iter()
        .find(|&store| store_code(store) == code)
        .ok_or_else(|| damaged("an unknown store"))
}

fn damaged(what: &str) -> Error {
    Error::Snapshot { what: format!("the snapshot is damaged: {what}") }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<usize, Error> {
        usize::try_from(u64::from_le_bytes(*self.take()?)).map_err(|_| damaged("a number out of range"))
    }

    /// `count` items of `each` bytes: nothing is reserved by a number before so many bytes were seen.
    fn slice(&mut self, count: usize, each: usize) -> Result<&'a [u8], Error> {
        let bytes = count.checked_mul(each).ok_or_else(|| damaged("a number out of range"))?;
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(taken)
    }
}
