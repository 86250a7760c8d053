//! The Model Context Protocol over Streamable HTTP: one stateless endpoint, `POST /mcp`.
//!
//! It serves revision 2026-07-28, in which each call stands alone, and the revisions before it, which begin with `initialize`.
//! The specification is at <https://modelcontextprotocol.io/specification/2026-07-28> (read 2026-11-26). A model sees what
//! [`tools`] answers, and nothing else.

mod arguments;
mod catalog;
mod edge;
mod message;
mod methods;
mod revision;
mod tasks;
pub mod tools;

pub(crate) use edge::post;
