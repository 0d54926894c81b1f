//! The events of an answer that may be large, cut out of it as it arrives.

use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// The most bytes of an event, white space included; an event without has up to 64 KiB.
const MAX_EVENT: usize = 256 << 10;
/// How deep lists and objects may lie in each other.
const MAX_DEPTH: usize = 500;

/// Cuts the objects out of the lists that an object consists of: `{"pdus":[{…},{…}],"auth_chain":[{…}]}`.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The brackets that are open.
    open: Vec<u8>,
    in_string: bool,
    is_escaped: bool,
    /// What is there of the event that is being read.
    event: Vec<u8>,
    is_over: bool,
}

impl Splitter {
    /// Reads on. The events that are there as a whole then are added.
    pub(super) fn read(&mut self, bytes: &[u8], events: &mut Vec<Box<RawValue>>) -> Result<()> {
        for byte in bytes {
            self.read_byte(*byte, events)?;
        }
        Ok(())
    }

    /// Whether all of the answer was read.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    fn read_byte(&mut self, byte: u8, events: &mut Vec<Box<RawValue>>) -> Result<()> {
        let is_in_event = !self.event.is_empty();
        let begins = !self.in_string && byte == b'{' && self.open == *b"{[";
        if is_in_event || begins {
            if self.event.len() == MAX_EVENT {
                return Err(bad("an event is too large"));
            }
            self.event.push(byte);
        }
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Ok(());
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                if self.is_over || self.open.len() == MAX_DEPTH {
                    return Err(bad("its brackets are no answer's"));
                }
                self.open.push(byte);
            }
            b'}' | b']' => {
                let opened = if byte == b'}' { b'{' } else { b'[' };
                if self.open.pop() != Some(opened) {
                    return Err(bad("its brackets do not match"));
                }
                self.is_over = self.open.is_empty();
                if self.open == *b"{[" && !self.event.is_empty() {
                    let event = RawValue::from_string(take(&mut self.event)?);
                    events.push(event.map_err(|error| bad(&error.to_string()))?);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn take(event: &mut Vec<u8>) -> Result<String> {
    String::from_utf8(std::mem::take(event)).map_err(|error| bad(&error.to_string()))
}

fn bad(what: &str) -> Error {
    Error::BadContent(format!("the answer cannot be read: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(answer: &str, at_once: usize) -> Result<Vec<String>> {
        let (mut splitter, mut events) = (Splitter::default(), Vec::new());
        for bytes in answer.as_bytes().chunks(at_once) {
            splitter.read(bytes, &mut events)?;
        }
        if !splitter.is_over() {
            return Err(bad("it ends early"));
        }
        Ok(events.iter().map(|event| event.get().to_owned()).collect())
    }

    #[test]
    fn events_are_cut_out_wherever_the_bytes_are() {
        let first = r#"{"content":{"body":"} ] { [ \" \\","n":[1,{"a":[]}]},"type":"m.ü"}"#;
        let answer = format!(
            r#" {{"origin":"{{[","pdus": [ {first} , {{}}],"more":{{"a":[{{"not":"one"}}]}},"auth_chain":[{first}],"n":1}} "#
        );
        for at_once in [1, 2, 3, 7, 1000] {
            assert_eq!(split(&answer, at_once).unwrap(), [first, "{}", first]);
        }
        assert_eq!(split(r#"{"pdus":[],"auth_chain":[]}"#, 5).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let deep = format!(r#"{{"pdus":[{}"#, r#"{"a":["#.repeat(MAX_DEPTH));
        let large = format!(r#"{{"pdus":[{{"a":"{}"}}]}}"#, "x".repeat(MAX_EVENT));
        for answer in [
            r#"{"pdus":[{"a":1]}]}"#,
            r#"{"pdus":[{"a":1}"#,
            r#"{"pdus":[{"a"}]}"#,
            r#"{"pdus":[]}{"#,
            "]",
            "",
            &deep,
            &large,
        ] {
            let shown = answer.get(..20).unwrap_or(answer);
            assert!(split(answer, 4).is_err(), "{shown}");
        }
    }
}
