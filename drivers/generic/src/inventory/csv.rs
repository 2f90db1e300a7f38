//! CSV: a line a machine, with a head that names the columns, or without one and only addresses.

use super::machine::is_word;
use super::{InventoryError, Machine};

pub(super) fn parse(text: &str) -> Result<Vec<Machine>, InventoryError> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
    let Some((number, first)) = lines.peek().copied() else { return Ok(Vec::new()) };
    let first = fields(number, first)?;
    let head: Vec<String> = first.iter().map(|word| word.to_lowercase()).collect();
    let has_head = head.iter().any(|word| is_word(word));
    if has_head {
        lines.next();
        if let Some(unknown) = head.iter().find(|word| !is_word(word)) {
            return Err(error(number, format!("there is no column {unknown:?}")));
        }
    }
    lines
        .map(|(number, line)| {
            let values = fields(number, line)?;
            let machine = if has_head { by_head(&head, &values) } else { bare(&values) };
            machine.map_err(|why| error(number, why))
        })
        .collect()
}

fn by_head(head: &[String], values: &[String]) -> Result<Machine, String> {
    if values.len() > head.len() {
        return Err(format!("{} values are more than {} columns", values.len(), head.len()));
    }
    let mut machine = Machine::default();
    for (word, value) in head.iter().zip(values) {
        machine.set(word, value)?;
    }
    if machine.address.is_empty() {
        return Err("there is no address".to_owned());
    }
    Ok(machine)
}

/// `[user@]address[:port]`, or a name and that.
fn bare(values: &[String]) -> Result<Machine, String> {
    let mut machine = Machine::default();
    match values {
        [place] => machine.place(place)?,
        [name, place] => {
            machine.name = Some(name.clone());
            machine.place(place)?;
        }
        _ => return Err("without a head, a line is an address, or a name and an address".to_owned()),
    }
    Ok(machine)
}

/// RFC 4180, without line breaks in a value.
fn fields(number: usize, line: &str) -> Result<Vec<String>, InventoryError> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => {
                closed(quoted).ok_or_else(|| error(number, "a quote is not closed".to_owned()))?
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.trim_start().strip_prefix(',') {
            Some(next) => rest = next,
            None if after.trim().is_empty() => return Ok(fields),
            None => return Err(error(number, "there is something after a quote".to_owned())),
        }
    }
}

/// The value up to its closing quote, with doubled quotes as one; and what follows.
fn closed(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        value.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

fn error(number: usize, why: String) -> InventoryError {
    InventoryError { place: format!("line {number}"), why }
}
