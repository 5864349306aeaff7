//! A JSON object whose keys stay in the order in which they were written.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Keys and values.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Object(Vec<(&'static str, Node)>);

#[derive(Clone, PartialEq, Debug)]
enum Node {
    Value(Value),
    List(Vec<Object>),
    Object(Object),
}

impl Object {
    /// With one more key; `None` is null.
    pub(super) fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((key, Node::Value(value.into())));
        self
    }

    /// With a list of objects.
    pub(super) fn with_list(mut self, key: &'static str, list: impl IntoIterator<Item = Self>) -> Self {
        self.0.push((key, Node::List(list.into_iter().collect())));
        self
    }

    /// With an object.
    pub(super) fn with_object(mut self, key: &'static str, object: Self) -> Self {
        self.0.push((key, Node::Object(object)));
        self
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::List(list) => list.serialize(serializer),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}
