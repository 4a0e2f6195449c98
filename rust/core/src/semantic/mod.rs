//! Neighbours → serve or decline, under an error budget.

pub mod budget;
pub mod facets;
pub mod features;
mod lexicon;
pub mod model;
pub mod prior;
pub mod young;
