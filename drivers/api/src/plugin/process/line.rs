//! One line that a program logged: as JSON, if it is any, and as it stands otherwise.

use serde_json::{Map, Value};
use tracing::Level;

/// What a program says, made safe to be said again: one line without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub level: Level,
    pub message: String,
}

/// What is not worth repeating: we have a time, and know who speaks.
const OURS: [&str; 7] = ["timestamp", "time", "target", "span", "spans", "threadId", "filename"];

impl LogLine {
    /// A warning or worse.
    pub fn is_trouble(&self) -> bool {
        self.level <= Level::WARN
    }

    pub(super) fn warning(message: String) -> Self {
        Self { level: Level::WARN, message }
    }

    /// `{"level": …, "message" or "msg": …, more}`, where all but the level may stand under `fields`.
    pub(super) fn read(line: &str) -> Self {
        match serde_json::from_str(line) {
            Ok(Value::Object(object)) => Self::of_object(object),
            _ => Self { level: Level::INFO, message: printable(line) },
        }
    }

    fn of_object(mut object: Map<String, Value>) -> Self {
        let level = object.remove("level").and_then(|level| level.as_str().map(level_of));
        if let Some(Value::Object(fields)) = object.remove("fields") {
            object.extend(fields);
        }
        let message = ["message", "msg"].iter().find_map(|name| object.remove(*name));
        let mut text = message.as_ref().map(plain).unwrap_or_default();
        for (name, value) in object.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
            text.push_str(&format!(" {name}={}", plain(value)));
        }
        Self { level: level.unwrap_or(Level::INFO), message: printable(text.trim()) }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn level_of(name: &str) -> Level {
    match name.to_ascii_lowercase().as_str() {
        "trace" => Level::TRACE,
        "debug" => Level::DEBUG,
        "warn" | "warning" => Level::WARN,
        "error" | "critical" | "fatal" => Level::ERROR,
        _ => Level::INFO,
    }
}

/// A terminal obeys control characters; our readers shall not.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_a_level_a_message_and_fields() {
        let line = |text: &str| {
            let line = LogLine::read(text);
            (line.level, line.message)
        };
        let ours = r#"{"timestamp":"t","level":"WARN","fields":{"message":"slow","calls":3},"target":"x"}"#;
        assert_eq!(line(ours), (Level::WARN, "slow calls=3".to_owned()));
        assert_eq!(line(r#"{"level":"error","msg":"no"}"#), (Level::ERROR, "no".to_owned()));
        assert_eq!(line(r#"{"colour":"red"}"#), (Level::INFO, "colour=red".to_owned()));
        assert_eq!(line("panicked\tat \x1b[31mmain"), (Level::INFO, "panicked at  [31mmain".to_owned()));
        assert_eq!(line("[1, 2]"), (Level::INFO, "[1, 2]".to_owned()));
    }
}
