//! JSON that is written straight into the answer.

/// A JSON object being written. Keys are ours and need no escaping.
pub(crate) struct Object<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        let start = out.len();
        Self { out, start }
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.out.len() == self.start
    }

    /// Writes a key; its value is to follow.
    pub(crate) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_empty() {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Writes a key and a value that is JSON already.
    pub(crate) fn raw(&mut self, key: &str, json: impl AsRef<[u8]>) {
        self.key(key).extend_from_slice(json.as_ref());
    }

    /// Writes a key and a value.
    pub(crate) fn value(&mut self, key: &str, value: &impl serde::Serialize) {
        serde_json::to_writer(self.key(key), value).expect("what is written has string keys");
    }

    /// Writes a key and an object, unless nothing is put into that.
    pub(crate) fn object<E>(
        &mut self,
        key: &str,
        fill: impl FnOnce(&mut Object<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = self.out.len();
        let mut object = Object::open(self.key(key));
        fill(&mut object)?;
        let empty = object.is_empty();
        object.close();
        if empty {
            self.out.truncate(before);
        }
        Ok(())
    }

    /// Writes `"key": {"events": […]}`, unless there are none.
    pub(crate) fn events(&mut self, key: &str, events: List) {
        if !events.is_empty() {
            let out = self.key(key);
            out.extend_from_slice(b"{\"events\":");
            events.write(out);
            out.push(b'}');
        }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// The inside of a JSON list being written.
#[derive(Debug, Default)]
pub(crate) struct List(pub(crate) Vec<u8>);

impl List {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place to write one more value to.
    pub(crate) fn next(&mut self) -> &mut Vec<u8> {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        &mut self.0
    }

    /// Writes an event of a type and a content that is JSON already.
    pub(crate) fn event(&mut self, kind: &str, content: &str) {
        let out = self.next();
        out.extend_from_slice(b"{\"content\":");
        out.extend_from_slice(content.as_bytes());
        out.extend_from_slice(b",\"type\":");
        serde_json::to_writer(&mut *out, kind).expect("a string");
        out.push(b'}');
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        out.extend_from_slice(&self.0);
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_leave_out_what_is_empty() {
        let mut out = Vec::new();
        let mut object = Object::open(&mut out);
        object.object("none", |_| Ok::<_, ()>(())).unwrap();
        object.value("n", &1);
        object.events("also_none", List::default());
        let mut list = List::default();
        list.event("m.\"x\"", "{}");
        list.event("y", "{\"a\":1}");
        object.events("some", list);
        object
            .object("o", |o| {
                o.raw("r", "[]");
                Ok::<_, ()>(())
            })
            .unwrap();
        object.close();
        let expected = r#"{"n":1,"some":{"events":[{"content":{},"type":"m.\"x\""},{"content":{"a":1},"type":"y"}]},"o":{"r":[]}}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
