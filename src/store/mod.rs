//! SQLite access: the one place that opens databases, with the pragmas that keep data safe.
