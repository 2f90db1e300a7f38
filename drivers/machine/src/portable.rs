//! A driver's configuration without the place of its store, which differs from coordinator to coordinator. Pure.

use serde_json::Value;

/// Stands for the store's path. No path and no text that people write has this character.
const STORE: &str = "\u{1}store\u{1}";

pub(crate) fn leave(config: &mut Value, store: &str) {
    replace(config, store, STORE);
}

pub(crate) fn arrive(config: &mut Value, store: &str) {
    replace(config, STORE, store);
}

fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, from, to)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_of_one_store_become_those_of_another() {
        let there = json!({"StorePath": "/a/s", "Disks": [{"Path": "file:///a/s/machines/m/d"}], "Port": 22});
        let mut config = there.clone();
        leave(&mut config, "/a/s");
        assert!(!config.to_string().contains("/a/s"));
        arrive(&mut config, "/b");
        let here = json!({"StorePath": "/b", "Disks": [{"Path": "file:///b/machines/m/d"}], "Port": 22});
        assert_eq!(config, here);
    }
}
