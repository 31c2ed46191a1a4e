//! The pages, rendered on the server: front desk, the practitioner's day, the patient's link, waiting room, consultation.
//!
//! One file a page under `pages/` (struct, `get`, `post`), its template at the same path under `templates/`.

mod announce;
mod api;
pub mod cookies;
pub mod errors;
pub mod extract;
pub mod headers;
pub mod live;
pub mod page;
mod pages;
mod passwords;
mod refusal;
mod requests;
mod routes;
mod state;
mod static_files;
pub mod tables;
pub mod words;

pub use passwords::hash as hash_password;
pub use routes::router;
pub use state::{Site, WebState};
