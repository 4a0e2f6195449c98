//! index ↔ versioned bytes.
//!
//! Magic, version, settings, ids, rows, centres and borders of the cells or graph, and a 128-bit BLAKE3 checksum over all before it. The
//! codes are functions of rows and centre, and made anew; a graph that was still growing begins again. Damage
//! anywhere, a cut file or another kind of file is refused.

use crate::cells::{MOST_CELLS, REST};
use crate::engine::{Choice, Engine};
use crate::error::Error;
use crate::flat::{CODED_FROM, EXACT_BELOW, Flat};
use crate::graph::Graph;
use crate::ids::Ids;
use crate::index::{Index, MAX_DIMENSION, width};
use crate::metric;
use crate::rows::{Rows, Store};

const MAGIC: &[u8; 13] = b"LECMUX-VECTOR";
const VERSION: u16 = 4;
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
        bytes.extend([store_code(store), choice_code(self.choice), u8::from(self.walks())]);
        bytes.extend((self.crossing as u64).to_le_bytes());
        bytes.extend((self.dimension as u64).to_le_bytes());
        bytes.extend((self.len() as u64).to_le_bytes());
        bytes.extend(self.ids.as_slice().iter().flat_map(|id| id.to_le_bytes()));
        (0..self.len()).for_each(|slot| rows.export(slot, &mut bytes));
        match &self.engine {
            Engine::Flat(flat) => export_flat(flat, &mut bytes),
            Engine::Growing(both) => export_flat(&both.0, &mut bytes),
            Engine::Graph(both) => both.1.export(&mut bytes),
        }
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
        let [store, choice, walks] = *reader.take()?;
        let (store, choice) = (store_of(store)?, choice_of(choice)?);
        let (crossing, dimension) = (reader.number()?, reader.number()?);
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
        let engine = match walks {
            0 => {
                let centres = read_centres(&mut reader, width, len)?;
                Engine::Flat(Flat::restored(metric::best(), rows, centres))
            }
            1 => {
                let graph = Graph::import(&mut reader, &rows)?;
                Engine::Graph(Box::new((rows, graph)))
            }
            _ => return Err(damaged("an unknown engine")),
        };
        let goes_with = match choice {
            Choice::Auto => crossing >= 2 && (walks == 0 || len >= crossing / 2),
            Choice::Flat => walks == 0,
            Choice::Hnsw => walks == 1,
        };
        if !goes_with {
            return Err(damaged("an engine that does not go with its settings"));
        }
        if !reader.0.is_empty() {
            return Err(damaged("bytes after its end"));
        }
        Ok(Self::assembled(dimension, ids, engine, (choice, crossing)))
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

/// Centre and border of each cell; none where there are no codes.
fn read_centres(reader: &mut Reader<'_>, width: usize, len: usize) -> Result<Vec<(Vec<f32>, f32)>, Error> {
    let count = reader.number()?;
    if !(if count == 0 { len < CODED_FROM } else { len >= EXACT_BELOW && count <= MOST_CELLS }) {
        return Err(damaged("codes that do not go with its size"));
    }
    let cell = |at| {
        let (centre, border) = (reader.centre(width)?, f32::from_le_bytes(*reader.take()?));
        let sound = if at == REST { border == f32::INFINITY } else { (0.0..1.0).contains(&border) };
        if sound { Ok((centre, border)) } else { Err(damaged("a border out of range")) }
    };
    (0..count).map(cell).collect()
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

fn choice_code(choice: Choice) -> u8 {
    match choice {
        Choice::Auto => 0,
        Choice::Flat => 1,
        Choice::Hnsw => 2,
    }
}

fn choice_of(code: u8) -> Result<Choice, Error> {
    [Choice::Auto, Choice::Flat, Choice::Hnsw]
        .into_iter()
        .find(|&choice| choice_code(choice) == code)
        .ok_or_else(|| damaged("an unknown engine"))
}

fn export_flat(flat: &Flat, to: &mut Vec<u8>) {
    let centres = flat.centres();
    to.extend((centres.len() as u64).to_le_bytes());
    for (centre, border) in centres {
        to.extend(centre.iter().flat_map(|value| value.to_le_bytes()));
        to.extend(border.to_le_bytes());
    }
}

pub(crate) fn damaged(what: &str) -> Error {
    Error::Snapshot { what: format!("the snapshot is damaged: {what}") }
}

/// What is left to read.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> Result<usize, Error> {
        usize::try_from(u64::from_le_bytes(*self.take()?)).map_err(|_| damaged("a number out of range"))
    }

    /// `count` items of `each` bytes: nothing is reserved by a number before so many bytes were seen.
    pub(crate) fn slice(&mut self, count: usize, each: usize) -> Result<&'a [u8], Error> {
        let bytes = count.checked_mul(each).ok_or_else(|| damaged("a number out of range"))?;
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The centre of codes: a mean of unit vectors.
    pub(crate) fn centre(&mut self, width: usize) -> Result<Vec<f32>, Error> {
        let bytes = self.slice(width, size_of::<f32>())?;
        let centre: Vec<f32> = bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
        let sound = centre.iter().all(|value| value.abs() <= 1.0 + ROUNDING);
        if sound { Ok(centre) } else { Err(damaged("a centre out of range")) }
    }
}
