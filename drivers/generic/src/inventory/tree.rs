//! A YAML document as a tree whose scalars are the text that stands there. Aliases are refused: they make much of little.

use saphyr_parser::{Event, Parser};

use super::InventoryError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Nothing,
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(String, Node)>),
}

/// Groups in groups; people nest three.
const DEPTH_MAX: usize = 32;

impl Node {
    /// A scalar, or several of them by commas.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Nothing => Some(String::new()),
            Self::Scalar(text) => Some(text.clone()),
            Self::Sequence(items) => {
                let texts: Option<Vec<String>> = items.iter().map(Self::text).collect();
                Some(texts?.join(","))
            }
            Self::Mapping(_) => None,
        }
    }

    pub(super) fn entries(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Nothing => Some(&[]),
            Self::Mapping(entries) => Some(entries),
            Self::Scalar(_) | Self::Sequence(_) => None,
        }
    }
}

/// A node that is not complete yet.
enum Open {
    Sequence(Vec<Node>),
    Mapping(Vec<(String, Node)>, Option<String>),
}

/// The first document.
pub(super) fn parse(text: &str) -> Result<Node, InventoryError> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| wrong(error.marker().line(), "this is no YAML"))?;
        let line = span.start.line();
        let complete = match event {
            Event::SequenceStart(..) => {
                open.push(Open::Sequence(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(Vec::new(), None));
                None
            }
            Event::Scalar(text, ..) => Some(scalar(&text)),
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(Open::close),
            Event::Alias(_) => return Err(wrong(line, "aliases are not read here")),
            Event::DocumentEnd => break,
            _ => None,
        };
        if open.len() > DEPTH_MAX {
            return Err(wrong(line, "this is nested too deeply"));
        }
        let Some(node) = complete else { continue };
        match open.last_mut() {
            Some(parent) => parent.add(node).map_err(|why| wrong(line, why))?,
            None => return Ok(node),
        }
    }
    Ok(Node::Nothing)
}

/// YAML's ways to say nothing.
fn scalar(text: &str) -> Node {
    if matches!(text, "" | "~" | "null") { Node::Nothing } else { Node::Scalar(text.to_owned()) }
}

impl Open {
    fn close(self) -> Node {
        match self {
            Self::Sequence(items) => Node::Sequence(items),
            Self::Mapping(entries, _) => Node::Mapping(entries),
        }
    }

    fn add(&mut self, node: Node) -> Result<(), &'static str> {
        match self {
            Self::Sequence(items) => items.push(node),
            Self::Mapping(entries, key) => match key.take() {
                Some(name) => entries.push((name, node)),
                None => *key = Some(node.text().ok_or("a key is no plain value")?),
            },
        }
        Ok(())
    }
}

fn wrong(line: usize, why: &str) -> InventoryError {
    InventoryError { place: format!("line {line}"), why: why.to_owned() }
}
