//! Tables as `docker` prints them: a line of headings, columns by spaces.

use comfy_table::{ContentArrangement, Table, presets};

/// Lines end without spaces.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.to_vec());
    for row in rows {
        table.add_row(row.into_iter().map(|cell| one_line(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Messages come from drivers and engines: a line break or an escape in them would tear the table, or worse.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_bare() {
        let rows = [
            vec!["a".to_owned(), "long one".to_owned(), String::new()],
            vec!["bcd".to_owned(), "e\n\u{1b}[2Jf".to_owned(), "g".to_owned()],
        ];
        assert_eq!(table(&["X", "Y", "Z"], rows), "X     Y          Z\na     long one\nbcd   e  [2Jf    g\n");
    }
}
