//! Whether two answers say the same.

use super::contradiction::contradiction;
use super::facets::{Compared, Facets};
use super::partition::Unit;
use crate::error::Error;

/// Whether two answers say the same, as far as texts tell: their embeddings are as alike as `bound`, and no facet of one
/// contradicts the other.
///
/// # Errors
/// [`Error::Config`] for a vector without a direction, and for two of unequal length.
pub fn same_texts(texts: [&str; 2], vectors: [&[f32]; 2], bound: f64) -> Result<bool, Error> {
    let [one, other] = [Unit::of(vectors[0])?, Unit::of(vectors[1])?];
    if vectors[0].len() != vectors[1].len() {
        return Err(Error::Config { what: "two embeddings of unequal length cannot be compared".to_owned() });
    }
    let words = Facets::of(texts[0]).compare(&Facets::of(texts[1]));
    let contradicts = contradiction(&words).is_some() || words.numbers == Compared::OneSided;
    Ok(!contradicts && f64::from(one.dot(&other)) >= bound)
}
