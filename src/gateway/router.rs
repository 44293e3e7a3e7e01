//! Which API and which of its operations a request path elects. Pure: bytes in, decision out.
//!
//! Paths are matched on their percent-decoded segments but forwarded byte for byte. Whatever two readers of a path
//! could understand differently (dot segments, backslashes, NUL, an encoded slash that would elect another operation)
//! is refused instead of guessed.

pub mod contexts;
pub mod path;
pub mod template;
pub mod tree;
pub mod verb;

pub use path::{BadPath, PathView};
pub use verb::{Verb, VerbSet};

/// What the operations of one API say about a path and a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Election {
    /// Index of the operation in the API's list.
    Operation(usize),
    /// The path is known, but only under these verbs.
    OtherVerbs(VerbSet),
    Nothing,
}
