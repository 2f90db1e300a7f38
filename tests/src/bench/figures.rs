//! Figures for programs to read: one JSON object a line.

use std::io::{self, Write};

/// What one benchmark prints, on a writer of its own: chatter goes elsewhere.
#[derive(Debug)]
pub struct Figures<W> {
    bench: &'static str,
    out: W,
}

impl<W: Write> Figures<W> {
    pub fn new(bench: &'static str, out: W) -> Self {
        Self { bench, out }
    }

    /// Rounded to what the clocks behind it can tell: milliseconds of a second.
    pub fn print(&mut self, figure: &str, value: f64, unit: &str) -> io::Result<()> {
        let value = (value * 1000.0).round() / 1000.0;
        let line = serde_json::json!({ "bench": self.bench, "figure": figure, "value": value, "unit": unit });
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_one_line() {
        let mut out = Vec::new();
        let mut figures = Figures::new("bulk", &mut out);
        figures.print("ready_s", 12.345_678, "s").unwrap();
        figures.print("log_entries", 250.0, "entries").unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected = serde_json::json!(
            { "bench": "bulk", "figure": "ready_s", "value": 12.346, "unit": "s" });
        assert_eq!(lines[0], expected);
        assert_eq!(lines.len(), 2);
    }
}
