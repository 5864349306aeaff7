//! The rules of the house that neither the compiler nor clippy can hold: who may use whom, how long a file may be, that
//! every word exists and is used, that nothing of one machine gets into the tree.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod floors;
#[cfg(test)]
mod lexer;
#[cfg(test)]
mod manners;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod units;
#[cfg(test)]
mod words;
