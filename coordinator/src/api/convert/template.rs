//! The shape of hosts: bounded, and its names checked. Its options are the driver's to check.

use std::collections::BTreeMap;
use std::sync::Arc;

use skep_core::command::Share;
use skep_proto::v1 as pb;
use skep_types::{AccountName, DriverName, Template, limits};

use super::Check;

/// Characters of an option's or label's key that a violation repeats.
const KEY_SHOWN: usize = 64;
/// Labels that skep itself gives to nodes.
const RESERVED: &str = "skep-";

/// What the hosts of a request are made from: its `template`, or the shares of its `spread`.
pub(in crate::api) fn shares(
    check: &mut Check,
    template: Option<pb::Template>,
    spread: Vec<pb::Share>,
) -> Option<Vec<Share>> {
    if spread.is_empty() {
        return Some(vec![Arc::new(read(check, template)?).into()]);
    }
    if template.is_some() {
        check.refuse("template", "goes without spread; each share has a template of its own");
    }
    if spread.len() > limits::SHARES {
        check.refuse("spread", format!("has {} shares; at most {}", spread.len(), limits::SHARES));
        return None;
    }
    let numbered = spread.into_iter().enumerate();
    let read: Vec<_> = numbered.map(|(index, from)| share(check, index, from)).collect();
    read.into_iter().collect()
}

fn share(check: &mut Check, index: usize, from: pb::Share) -> Option<Share> {
    let path = format!("spread.{index}");
    if from.weight > limits::SHARE_WEIGHT {
        let rule = format!("is {}; use 1 to {}", from.weight, limits::SHARE_WEIGHT);
        check.refuse(&format!("{path}.weight"), rule);
    }
    let template = check.within(&path, |check| read(check, from.template))?;
    Some(Share {
        template: Arc::new(template),
        weight: from.weight.max(1),
        max: (from.max > 0).then_some(from.max),
    })
}

fn read(check: &mut Check, from: Option<pb::Template>) -> Option<Template> {
    let Some(from) = from else {
        check.refuse("template", "is missing; it names at least the driver");
        return None;
    };
    read_options(check, &from.options);
    read_labels(check, &from.labels);
    let driver = match from.driver.as_str() {
        "" => {
            check.refuse("template.driver", "is missing; `skep driver ls` lists them");
            None
        }
        text => check.field("template.driver", text.parse()),
    };
    let account: Option<AccountName> = match from.account.as_str() {
        "" => driver.as_ref().and_then(|driver: &DriverName| {
            let own = driver.own_account();
            check.field("template.account", own.ok_or("is missing; `skep account ls` lists the driver's"))
        }),
        text => check.field("template.account", text.parse()),
    };
    Some(Template { driver: driver?, account: account?, options: from.options, labels: from.labels })
}

fn read_options(check: &mut Check, options: &BTreeMap<String, String>) {
    if options.len() > limits::OPTIONS {
        check.refuse("template.options", format!("are {}; at most {}", options.len(), limits::OPTIONS));
    }
    for (key, value) in options {
        if key.is_empty() {
            check.refuse("template.options", "have one without a name");
        }
        if key.len() > limits::OPTION_BYTES || value.len() > limits::OPTION_BYTES {
            check.refuse(
                &path("options", key),
                format!("is longer than the {} bytes an option may have", limits::OPTION_BYTES),
            );
        }
    }
}

fn read_labels(check: &mut Check, labels: &BTreeMap<String, String>) {
    if labels.len() > limits::LABELS {
        check.refuse("template.labels", format!("are {}; at most {}", labels.len(), limits::LABELS));
    }
    for (key, value) in labels {
        if let Err(description) = label(key, value) {
            check.refuse(&path("labels", key), description);
        }
    }
}

fn label(key: &str, value: &str) -> Result<(), String> {
    if key.is_empty() || key.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control()) {
        return Err("is no label key: use one or more characters without '=' and spaces".to_owned());
    }
    if key.starts_with(RESERVED) {
        return Err(format!("is one of skep's own labels; do not begin a key with {RESERVED}"));
    }
    if key.len() > limits::LABEL_BYTES || value.len() > limits::LABEL_BYTES {
        return Err(format!("is longer than the {} bytes a label may have", limits::LABEL_BYTES));
    }
    if value.contains(char::is_control) {
        return Err("has a value with control characters".to_owned());
    }
    Ok(())
}

fn path(map: &str, key: &str) -> String {
    let shown: String = key.chars().take(KEY_SHOWN).collect();
    format!("template.{map}.{shown}")
}

pub(in crate::api) fn write(from: &Template) -> pb::Template {
    pb::Template {
        driver: from.driver.to_string(),
        account: from.account.to_string(),
        options: from.options.clone(),
        labels: from.labels.clone(),
    }
}
