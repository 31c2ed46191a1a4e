//! What becomes of the rows: a table while they come, a JSON file, a page to look at, and what changed between two files.
//!
//! [`Results`] is the file; [`figures`] which numbers of a row are shown; [`summary`] what many rounds come to.

pub mod compare;
pub mod figures;
pub mod page;
mod plot;
pub mod progress;
pub mod results;
pub mod summary;
pub mod table;

pub use progress::Progress;
pub use results::Results;
