//! Neighbours → serve, audit or decline, under an error budget.

mod lexicon;
pub mod facets;
pub mod neighbours;
pub mod features;
pub mod prior;
pub mod model;
pub mod calibration;
pub mod supply;
pub mod rate;
pub mod drift;
pub mod budget;
pub mod audit;
pub mod judge;
pub mod young;
pub mod contradiction;
mod saved;
mod evidence;
mod partition;
mod leaning;
mod gate;
mod flights;
pub mod answers;
pub mod stage;
pub mod cover;
pub mod snapshot;
