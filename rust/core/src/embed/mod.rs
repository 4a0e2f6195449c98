//! Text to a vector without a model: word pieces, and a row of a table for each.

mod characters;
mod static_table;
mod word_piece;

pub use static_table::StaticTable;
pub use word_piece::WordPiece;
