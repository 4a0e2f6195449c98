//! A vector for a text as the sum of a row for each of its pieces, scaled to length 1.
//!
//! The rows are fitted so that the sum points where a sentence encoder's vector points; how much a piece counts
//! is in the length of its row. Rows are of int8 with a scale each.

use super::word_piece::WordPiece;
use crate::error::Error;
use crate::snapshot;

/// Pieces of a text that count; the rest is not read.
const MOST_PIECES: usize = 254;
const HEADER: usize = 12;

/// Rows by the number of the piece, and one more, the last, that every text has.
#[derive(Debug)]
pub struct StaticTable {
    words: WordPiece,
    scales: Vec<f32>,
    cells: Vec<i8>,
    dim: usize,
}

impl StaticTable {
    /// The table in `sealed`, as [`StaticTable::pack`] wrote it, over the pieces of `vocabulary`.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when it is damaged or has not a row for each piece and one more;
    /// [`Error::Config`] when the vocabulary has no `[UNK]`.
    pub fn new(vocabulary: &str, sealed: &[u8]) -> Result<Self, Error> {
        let words = WordPiece::new(vocabulary)?;
        let body = snapshot::open(sealed)?;
        let refuse = || Error::Snapshot { what: "the table does not fit its vocabulary".into() };
        let (header, rest) = body.split_at_checked(HEADER).ok_or_else(refuse)?;
        let number = |at: usize| {
            header[at..at + 4].iter().rev().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte))
        };
        let (kind, dim, rows) = (&header[..4], number(4), number(8));
        let size = rows.checked_mul(4 + dim).filter(|_| dim > 0).ok_or_else(refuse)?;
        if kind != b"TABL" || rows != words.pieces() + 1 || rest.len() != size {
            return Err(refuse());
        }
        let (scales, cells) = rest.split_at(4 * rows);
        let scales: Vec<f32> =
            scales.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        let cells: Vec<i8> = cells.iter().map(|&byte| byte.cast_signed()).collect();
        let last = scales[rows - 1]
            * f32::from(cells[(rows - 1) * dim..].iter().fold(0_i8, |sum, &cell| sum | cell));
        if !scales.iter().all(|scale| scale.is_finite()) || last == 0.0 {
            return Err(refuse());
        }
        Ok(Self { words, scales, cells, dim })
    }

    /// Rows of float32, `dim` each, as bytes that [`StaticTable::new`] reads: int8 with a scale a row.
    ///
    /// # Errors
    /// [`Error::Config`] when `rows` is no whole number of finite rows.
    pub fn pack(rows: &[f32], dim: usize) -> Result<Vec<u8>, Error> {
        let width = u32::try_from(dim).ok().filter(|&width| width > 0 && rows.len().is_multiple_of(dim));
        let (Some(width), true) = (width, rows.iter().all(|cell| cell.is_finite())) else {
            return Err(Error::Config { what: format!("rows must be finite and of {dim} coordinates each") });
        };
        let count = u32::try_from(rows.len() / dim)
            .map_err(|_| Error::Config { what: "there are more rows than a table holds".into() })?;
        let mut body = b"TABL".to_vec();
        body.extend(width.to_le_bytes());
        body.extend(count.to_le_bytes());
        let scales: Vec<f32> = rows
            .chunks_exact(dim)
            .map(|row| row.iter().fold(0.0_f32, |most, cell| most.max(cell.abs())) / f32::from(i8::MAX))
            .collect();
        body.extend(scales.iter().flat_map(|scale| scale.to_le_bytes()));
        for (row, scale) in rows.chunks_exact(dim).zip(scales) {
            body.extend(row.iter().map(|cell| rounded(cell / scale).cast_unsigned()));
        }
        Ok(snapshot::seal(&body))
    }

    /// Coordinates of a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The pieces that texts are split into.
    #[must_use]
    pub fn words(&self) -> &WordPiece {
        &self.words
    }

    /// The vector of `text`, of length 1: `dim` values. O(pieces · dim), of the first 254 pieces.
    pub fn embed(&self, text: &str, vector: &mut Vec<f32>) {
        let start = vector.len();
        vector.resize(start + self.dim, 0.0);
        let sum = &mut vector[start..];
        for id in self.words.encode(text, MOST_PIECES) {
            self.add(id as usize, sum);
        }
        self.add(self.scales.len() - 1, sum);
        let length = sum.iter().map(|cell| cell * cell).sum::<f32>().sqrt();
        if length < f32::EPSILON {
            // The rows cancelled each other: the text says nothing.
            sum.fill(0.0);
            self.add(self.scales.len() - 1, sum);
        }
        let length = sum.iter().map(|cell| cell * cell).sum::<f32>().sqrt();
        for cell in sum {
            *cell /= length;
        }
    }

    fn add(&self, row: usize, sum: &mut [f32]) {
        let scale = self.scales[row];
        for (total, &cell) in sum.iter_mut().zip(&self.cells[row * self.dim..][..self.dim]) {
            *total += scale * f32::from(cell);
        }
    }
}

/// The nearest int8; a row of zeros has no scale, and stays zero.
#[expect(clippy::cast_possible_truncation, reason = "a cell divided by its row's scale is at most 127")]
fn rounded(cell: f32) -> i8 {
    if cell.is_nan() { 0 } else { cell.round() as i8 }
}

#[cfg(test)]
mod tests {
    use super::StaticTable;
    use crate::error::Error;

    const WORDS: &str = "[UNK]\nhot\ncold\n";
    const ROWS: [f32; 8] = [0.0, 0.0, 3.0, 0.0, 0.0, 4.0, 0.0, 0.001];

    fn table() -> StaticTable {
        StaticTable::new(WORDS, &StaticTable::pack(&ROWS, 2).expect("whole rows")).expect("sound")
    }

    fn vector(text: &str) -> Vec<f32> {
        let mut vector = Vec::new();
        table().embed(text, &mut vector);
        vector
    }

    #[test]
    fn rows_add_up_by_their_length() {
        let found = vector("hot cold");
        assert!((found[0] - 0.6).abs() < 1e-3 && (found[1] - 0.8).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn a_text_without_known_pieces_has_a_vector_of_length_one() {
        for text in ["", " ", "\u{0}", "unheard"] {
            assert_eq!(vector(text), [0.0, 1.0], "{text:?}");
        }
    }

    #[test]
    fn vectors_are_appended() {
        let mut both = Vec::new();
        table().embed("hot", &mut both);
        table().embed("cold", &mut both);
        assert_eq!(both, [vector("hot"), vector("cold")].concat());
    }

    #[test]
    fn a_changed_cut_or_foreign_table_is_refused() {
        let sealed = StaticTable::pack(&ROWS, 2).expect("whole rows");
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        for bytes in [&changed[..], &sealed[..sealed.len() - 1], &[]] {
            assert!(matches!(StaticTable::new(WORDS, bytes), Err(Error::Snapshot { .. })));
        }
        assert!(matches!(StaticTable::new("[UNK]", &sealed), Err(Error::Snapshot { .. })));
    }

    #[test]
    fn ragged_or_unfinished_rows_are_not_packed() {
        assert!(StaticTable::pack(&ROWS[..3], 2).is_err());
        assert!(StaticTable::pack(&[f32::NAN, 1.0], 2).is_err());
        assert!(StaticTable::pack(&ROWS, 0).is_err());
    }
}
