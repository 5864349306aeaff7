//! The rules of the house that neither the compiler nor clippy can hold: who may use whom, how long a file may be, that
//! every word exists and is used, that nothing of one machine gets into the tree.

mod floors;
mod lexer;
mod manners;
mod tree;
mod words;
